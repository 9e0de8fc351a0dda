"""Photos that can't be shown as they are get a reason with advice, and never a wrong picture."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pillow_jxl  # noqa: F401 - Pillow writes JPEG XL by it
import pytest
from PIL import Image
from support.clip_scene import WIDE, ClipScene

from pipeline.carriers import Window
from pipeline.carriers.containers import jpegxl, tiff
from pipeline.carriers.containers.tiff import TiffPicture
from pipeline.media.identify import identify_head
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

Tag = tuple[int, int]
THUMBNAIL = ((254, 1), (256, 8), (257, 8), (259, 1), (262, 2))


def made(*directories: tuple[Tag, ...], order: str = ">", head: bytes = b"") -> bytes:
    """A TIFF of directories, one behind the other; a value of 330 is the number of one."""
    starts, at = [], 8 + len(head)
    for directory in directories:
        starts.append(at)
        at += 6 + 12 * len(directory)
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", starts[0]) + head
    for directory in directories:
        data += struct.pack(order + "H", len(directory))
        for tag, number in directory:
            value = starts[number] if tag == 330 else number
            data += struct.pack(order + "HHII", tag, 4, 1, value)
        data += bytes(4)
    return data


RAW = {
    "dng": made((*THUMBNAIL, (330, 1), (50706, 1)), ((254, 0), (262, 34892))),
    "nef": made((*THUMBNAIL, (330, 1)), ((254, 0), (259, 34713), (262, 32803))),
    "arw": made((*THUMBNAIL, (271, 1), (330, 1)), ((259, 32767), (262, 32803)), order="<"),
    "pef": made(((254, 0), (259, 65535), (262, 32803)), order="<"),
    "cut nef": made((*THUMBNAIL, (271, 1), (330, 1)), ((254, 1), (259, 6))),
    "cr2": made(((256, 100), (259, 6)), order="<", head=b"CR\2\0\0\0\0\0"),
}


@pytest.mark.parametrize("maker", RAW)
def test_raw_photos_in_tiff(maker: str, tmp_path: Path) -> None:
    found = tiff.picture(Window.over(RAW[maker]))
    assert found is not None
    assert found.raw
    path = tmp_path / "photo.tif"
    path.write_bytes(RAW[maker])
    refusal = ClipScene(tmp_path).to(WIDE).make(path).refusal
    assert refusal == Refusal(Reason.UNSUPPORTED, Detail.RAW_PHOTO)


@pytest.mark.parametrize(
    "head",
    [
        b"IIU\0",
        b"IIRO",
        b"MMOR",
        b"FUJIFILMCCD-RAW 0201",
        b"FOVb",
        b"\0MRM\0",
        b"\0\0\0\x18ftypcrx ",
    ],
)
def test_raw_photos_of_other_forms(head: bytes) -> None:
    refusal = identify_head(head + bytes(20) + b"x").refusal
    assert refusal == Refusal(Reason.UNSUPPORTED, Detail.RAW_PHOTO)


def test_tiffs_that_are_no_raw_photos(tmp_path: Path) -> None:
    path = tmp_path / "photo.tif"
    picture = Image.fromarray(np.full((9, 9, 3), 50, np.uint8))
    picture.save(path, tiffinfo={271: "Canon"})
    assert tiff.picture(Window.over(path.read_bytes())) == TiffPicture(raw=False, jpeg=False)
    pyramid = made(((254, 0), (259, 5), (262, 2), (330, 1)), ((254, 1), (259, 5), (262, 2)))
    found = tiff.picture(Window.over(pyramid))
    assert found is not None
    assert not found.raw


def test_a_jpeg_in_a_tiff_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "photo.tif"
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(path, compression="jpeg")
    refusal = ClipScene(tmp_path).to(WIDE).make(path).refusal
    assert refusal is not None
    assert refusal.reason is Reason.UNSUPPORTED
    assert "ask for it as a JPEG" in refusal.detail


def bits(*fields: tuple[int, int]) -> bytes:
    """A codestream of JPEG XL that begins with these numbers, each of so many bits."""
    value, at = 0, 0
    for number, count in fields:
        value, at = value | number << at, at + count
    return b"\xff\x0a" + value.to_bytes(60, "little")


# small, height of 8 * 10, as wide as high, no defaults, orientation 6, no other size, no preview
SMALL = ((1, 1), (9, 5), (1, 3), (0, 1), (1, 1), (0, 3))
HEAD = ((1, 1), (9, 5), (1, 3), (0, 1), (1, 1), (5, 3), (0, 1), (0, 1))


def test_an_animation_in_jpeg_xl_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "film.jxl"
    path.write_bytes(bits(*HEAD, (1, 1)))
    refusal = ClipScene(tmp_path).to(WIDE).make(path).refusal
    assert refusal == Refusal(Reason.UNSUPPORTED, Detail.JPEG_XL)


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        (HEAD, (80, 80)),
        (((1, 1), (9, 5), (5, 3), (1, 1)), (142, 80)),
        (((1, 1), (9, 5), (0, 3), (19, 5), (1, 1)), (160, 80)),
        (((0, 1), (1, 2), (4095, 13), (0, 3), (2, 2), (99_999, 18), (1, 1)), (100_000, 4096)),
        # turned by a quarter
        (((1, 1), (9, 5), (7, 3), (0, 1), (1, 1), (5, 3), (0, 3)), (80, 160)),
        # with another size to be shown in, and a preview of 40 pixels
        (
            (*SMALL, *((1, 1), (1, 1), (0, 5), (1, 3), (1, 1), (1, 1), (2, 2), (4, 5), (1, 3))),
            (80, 80),
        ),
    ],
)
def test_the_size_of_a_jpeg_xl(fields: tuple[Tag, ...], size: tuple[int, int]) -> None:
    found = jpegxl.picture(Window.over(bits(*fields)))
    assert (found.width, found.height, found.moves) == (*size, False)


@pytest.mark.parametrize("size", [2, 30])
def test_a_jpeg_xl_without_an_end_is_corrupt(tmp_path: Path, size: int) -> None:
    path = tmp_path / "photo.jxl"
    whole = tmp_path / "whole.jxl"
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(whole)
    path.write_bytes(whole.read_bytes()[:size])
    refusal = ClipScene(tmp_path).to(WIDE).make(path).refusal
    assert refusal is not None
    assert refusal.reason is Reason.CORRUPT


def test_only_the_limit_of_cpu_time_says_that_a_jpeg_xl_has_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.media.jxl_probe._WALL_S", 0.2)
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(tmp_path / "whole.jxl")
    path = tmp_path / "photo.jxl"
    path.write_bytes((tmp_path / "whole.jxl").read_bytes()[:30])
    refusal = ClipScene(tmp_path).to(WIDE).make(path).refusal
    assert refusal is not None
    assert refusal.code is Detail.TOO_SLOW


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("photo.jp2", Detail.PICTURE_KIND),
        ("photo.ppm", Detail.PICTURE_KIND),
        ("photo.exr", Detail.PICTURE_KIND),
        ("photo.qoi", Detail.PICTURE_KIND),
        ("photo.dpx", Detail.PICTURE_KIND),
        ("film.dv", Detail.VIDEO_KIND),
        ("film.mxf", Detail.VIDEO_KIND),
        ("film.y4m", Detail.VIDEO_KIND),
        ("film.ivf", Detail.VIDEO_KIND),
        ("film.nut", Detail.VIDEO_KIND),
        ("film.h264", Detail.VIDEO_KIND),
        ("film.hevc", Detail.VIDEO_KIND),
    ],
)
def test_other_kinds_are_named_as_what_they_are(tmp_path: Path, name: str, detail: Detail) -> None:
    size = "720x576" if name == "film.dv" else "160x90"
    more = {"dv": ("-pix_fmt", "yuv420p"), "ivf": ("-c:v", "libvpx"), "jp2": ("-c:v", "jpeg2000")}
    coded = [*more.get(name.rpartition(".")[2], ())]
    coded += ["-frames:v", "1"] if name.startswith("photo") else []
    coded += ["-x265-params", "log-level=none"] if name == "film.hevc" else []
    source = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=0.08")
    path = ClipScene(tmp_path).film(name, *source, *coded)
    assert identify_head(path.read_bytes()[:65536]).refusal == Refusal(Reason.UNSUPPORTED, detail)
