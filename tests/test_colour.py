"""Colours: whatever a picture was made for, its patches are right on a BT.709 display.

A patch is right within ΔE2000 of 3; what is found here is below 1 nearly everywhere.  The
films are made from formulas written out here (BT.2100, BT.1886), the photos by LittleCMS.
"""

from __future__ import annotations

import io
import struct
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from coloraide import Color
from numpy.typing import NDArray
from PIL import Image, ImageCms
from support.clip_scene import WIDE, Clip, ClipScene
from support.marked_pictures import Pixels

from pipeline.ffmpeg import runner
from pipeline.formats import format_of
from pipeline.media import profile

Values = NDArray[np.float64]

PATCHES = (
    *((235, 235, 235), (128, 128, 128), (60, 60, 60), (190, 60, 50), (60, 150, 70)),
    *((50, 70, 170), (220, 190, 40), (180, 90, 150), (200, 150, 125), (90, 130, 160)),
)
LIMIT = 3.0
FROM_709_TO_2020 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)


def patches() -> Pixels:
    """Five by two patches of 32 by 45 pixels."""
    rows = np.array(PATCHES, np.uint8).reshape(2, 5, 3)
    large: Pixels = rows.repeat(45, 0).repeat(32, 1)
    return large


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """ΔE2000 of two colours given as sRGB of 8 bit."""
    colours = [Color("srgb", [float(value) / 255 for value in each]) for each in (one, other)]
    return float(colours[0].delta_e(colours[1], method="2000"))


def differences(clip: Clip) -> list[float]:
    """ΔE2000 of each patch, from its middle."""
    picture = clip.pictures[0].astype(float)
    found = []
    for index, wanted in enumerate(PATCHES):
        top, left = index // 5 * 45, index % 5 * 32
        middle = picture[top + 12 : top + 33, left + 10 : left + 22]
        found.append(difference(middle.reshape(-1, 3).mean(0), np.array(wanted, float)))
    return found


@pytest.fixture
def scene(tmp_path: Path) -> ClipScene:
    return ClipScene(tmp_path).to(WIDE, still_motion="none", still_seconds=0.2)


def pq(light: Values) -> Values:
    """BT.2100, table 4: light in cd/m²."""
    y = (light / 10000) ** (2610 / 16384)
    coded: Values = ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)
    return coded


def hlg(light: Values) -> Values:
    """BT.2100, table 5, backwards through the system gamma of a display of 1000 cd/m²."""
    shown = light / 1000
    luma = shown @ np.array([0.2627, 0.6780, 0.0593])
    scene = shown * np.maximum(luma, 1e-9)[..., None] ** (-0.2 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    low, high = np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    signal: Values = np.where(scene <= 1 / 12, low, high)
    return signal


def hdr_film(scene: ClipScene, code: Callable[[Values], Values], transfer: str) -> Path:
    """The patches at a diffuse white of 203 cd/m² in BT.2020, ten bits, as HEVC."""
    light = (patches() / 255.0) ** 2.4 @ FROM_709_TO_2020.T * 203
    signal = code(light)
    luma = signal @ np.array([0.2627, 0.6780, 0.0593])
    blue, red = (signal[..., 2] - luma) / 1.8814, (signal[..., 0] - luma) / 1.4746
    planes = (64 + 876 * luma, 512 + 896 * blue, 512 + 896 * red)
    data = b"".join(np.round(plane).astype("<u2").tobytes() for plane in planes) * 3
    path = scene.folder / "film.mp4"
    labels = f"color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv"
    x265 = f"log-level=none:crf=4:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    subprocess.run(
        [
            *(runner.program(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv444p10le"),
            *("-s", "160x90", "-r", "30", "-i", "-", "-vf", f"setparams={labels}"),
            *("-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-x265-params", x265, str(path)),
        ],
        input=data,
        check=True,
    )
    return path


@pytest.mark.parametrize(("code", "transfer"), [(pq, "smpte2084"), (hlg, "arib-std-b67")])
def test_high_dynamic_range(
    scene: ClipScene, code: Callable[[Values], Values], transfer: str
) -> None:
    clip = scene.clip(hdr_film(scene, code, transfer))
    assert clip.result.source is not None
    assert clip.result.source.hdr
    assert max(differences(clip)) < LIMIT


def test_highlights_are_rolled_off_and_keep_their_order(scene: ClipScene) -> None:
    steps = np.array([100, 203, 300, 450, 1000.0])

    def bright(light: Values) -> Values:
        ramp = np.repeat(steps, 32)[None, :, None].repeat(90, 0).repeat(3, 2)
        return pq(ramp + 0 * light)

    picture = scene.clip(hdr_film(scene, bright, "smpte2084")).pictures[0].astype(float)
    seen = [picture[30:60, 10 + 32 * n : 22 + 32 * n].mean() for n in range(5)]
    assert seen[0] == pytest.approx(255 * (100 / 203) ** (1 / 2.4), abs=2)
    assert all(after > before + 0.4 for before, after in pairwise(seen)), seen
    assert seen[4] >= 253, seen


@pytest.mark.parametrize(
    ("scale", "more"),
    [
        ("out_range=pc:out_color_matrix=bt709,format=yuvj420p", ("-colorspace", "bt709")),
        ("out_color_matrix=bt709,format=yuv420p10le", ("-colorspace", "bt709")),
        ("out_color_matrix=bt601,format=yuv420p", ()),  # unlabelled and small: BT.601
        ("out_color_matrix=bt601,format=yuv422p", ("-colorspace", "smpte170m")),
        ("out_color_matrix=smpte240m,format=yuv444p", ("-colorspace", "smpte240m")),
        ("out_color_matrix=bt709,format=gbrp", ("-c:v", "libx264rgb")),
    ],
)
def test_ranges_depths_and_matrices(scene: ClipScene, scale: str, more: tuple[str, ...]) -> None:
    options = ("-c:v", "libx264", "-crf", "2", *more)
    film = scene.painted("film.mkv", [patches()] * 2, "30", "-vf", f"scale={scale}", *options)
    assert max(differences(scene.clip(film))) < LIMIT


def coded(scene: ClipScene, planes: list[Values], pixels: str, *more: str) -> Path:
    """A film of planes of 8 bit that are stored as they are."""
    path = scene.folder / "film.mkv"
    data = b"".join(np.round(plane).astype(np.uint8).tobytes() for plane in planes) * 2
    height, width = planes[0].shape
    command = [runner.program(), "-v", "error", "-f", "rawvideo", "-pix_fmt", pixels]
    command += ["-s", f"{width}x{height}", "-r", "30", "-i", "-", *more, str(path)]
    subprocess.run(command, input=data, check=True)
    return path


def test_ycgco(scene: ClipScene) -> None:
    """H.273, equations 56 to 58, in limited range."""
    red, green, blue = np.moveaxis(patches() / 255.0, -1, 0)
    luma = 16 + 219 * (red / 4 + green / 2 + blue / 4)
    chroma = [128 + 224 * (green / 2 - red / 4 - blue / 4), 128 + 224 * (red - blue) / 2]
    codec = ("-vf", "setparams=colorspace=ycgco:range=tv", "-c:v", "libx264", "-crf", "2")
    assert max(differences(scene.clip(coded(scene, [luma, *chroma], "yuv444p", *codec)))) < LIMIT


def test_gray_in_limited_range(scene: ClipScene) -> None:
    steps = np.array([0, 60, 128, 190, 255.0])
    luma = (16 + 219 / 255 * steps).repeat(32)[None].repeat(90, 0)
    x265 = "log-level=none:crf=4"
    codec = ("-vf", "setparams=range=tv", "-c:v", "libx265", "-x265-params", x265)
    film = coded(scene, [luma], "gray", *codec)
    picture = scene.clip(film).pictures[0]
    seen = [picture[30:60, 10 + 32 * n : 22 + 32 * n].mean() for n in range(5)]
    assert seen == pytest.approx(steps, abs=2)


def test_a_large_unlabelled_film_is_bt709(scene: ClipScene) -> None:
    large = patches().repeat(8, 0).repeat(8, 1)
    film = scene.painted(
        "film.mp4", [large], "30", "-vf", "scale=out_color_matrix=bt709,format=yuv420p"
    )
    assert max(differences(scene.clip(film))) < LIMIT


def icc(primaries: dict[bytes, tuple[float, float, float]], curve: bytes) -> bytes:
    """A profile of three primaries (XYZ under D50) and one curve (ICC.1:2022)."""
    xyz = {
        name: b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in value))
        for name, value in (primaries | {b"wtpt": (0.9642, 1.0, 0.8249)}).items()
    }
    text = b"mluc\0\0\0\0" + struct.pack(">2I2s2s2I", 1, 12, b"en", b"US", 2, 28) + b"\0P"
    tags = xyz | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    tags |= {b"desc": text, b"cprt": text}
    at = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4s2I", name, at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"", 0x04000000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return head + table + body


SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + struct.pack(
    ">5i", *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
GAMMA_22 = b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(2.2 * 256)) + b"\0\0"
DISPLAY_P3 = icc(
    {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    },
    SRGB_CURVE,
)
ADOBE_RGB = icc(
    {
        b"rXYZ": (0.60974, 0.31111, 0.01947),
        b"gXYZ": (0.20528, 0.62567, 0.06087),
        b"bXYZ": (0.14919, 0.06322, 0.74457),
    },
    GAMMA_22,
)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
@pytest.mark.parametrize("named", [DISPLAY_P3, ADOBE_RGB], ids=["display-p3", "adobe-rgb"])
def test_photos_go_through_their_profile(scene: ClipScene, suffix: str, named: bytes) -> None:
    """What LittleCMS makes of the patches for a profile comes back as the patches."""
    made = ImageCms.profileToProfile(
        Image.fromarray(patches()),
        ImageCms.createProfile("sRGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(named)),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    assert made is not None
    path = scene.folder / f"photo.{suffix}"
    subsampling = "4:4:4" if suffix in ("jpg", "avif") else None
    made.save(path, icc_profile=named, quality=97, subsampling=subsampling)
    assert max(differences(scene.clip(path))) < LIMIT
    bare = scene.folder / f"bare.{suffix}"
    Image.fromarray(np.asarray(made)).save(bare, quality=97, subsampling=subsampling)
    assert max(differences(scene.clip(bare))) > LIMIT  # so the profile was what did it


def test_a_photo_in_srgb_goes_through_no_table(scene: ClipScene) -> None:
    path = scene.folder / "photo.jpg"
    named = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(patches()).save(path, icc_profile=named, quality=97, subsampling=0)
    assert max(differences(scene.clip(path))) < LIMIT
    assert list((scene.folder / "work" / "cache").glob("*.cube")) == []


def test_a_broken_profile_is_none(scene: ClipScene) -> None:
    path = scene.folder / "photo.jpg"
    small = Image.fromarray(patches()[::30, ::30])
    broken = [DISPLAY_P3[:cut] or b"\0" for cut in range(0, len(DISPLAY_P3), 7)]
    broken += [DISPLAY_P3[:at] + b"\xff" + DISPLAY_P3[at + 1 :] for at in range(16, 400, 2)]
    photo = format_of(b"\xff\xd8\xff")
    assert photo is not None
    understood = 0
    for data in broken:
        small.save(path, icc_profile=data)
        found = profile.profile(path, photo)
        understood += found is not None
    assert 0 < understood < len(broken)
