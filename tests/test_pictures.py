"""Whatever way a picture is stored, it is shown upright, whole and in its own shape."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.clip_scene import SQUARE, TALL, WIDE, Clip, ClipScene
from support.marked_pictures import (
    BLUE,
    GREEN,
    GREY,
    RED,
    STANDINGS,
    Pixels,
    board,
    extent,
    mask,
    turned,
)

from pipeline.config import Output

LOSSLESS = ("-c:v", "libx264", "-crf", "4", "-pix_fmt", "yuv420p")


@pytest.fixture
def scene(tmp_path: Path) -> ClipScene:
    return ClipScene(tmp_path).to(WIDE, still_motion="none", still_seconds=0.2)


def stands(picture: Pixels, width: float, height: float) -> None:
    """The board stands in the middle of a frame, *width* × *height* large, upright."""
    left, top = (picture.shape[1] - width) / 2, (picture.shape[0] - height) / 2
    side = height / 5
    red, blue = extent(mask(picture, RED)), extent(mask(picture, BLUE))
    assert red == pytest.approx((left, top, left + side, top + side), abs=2.5)
    bottom = top + height
    assert blue == pytest.approx((left, bottom - side, left + side, bottom), abs=2.5)
    across = 0.6 * min(width, height)
    x0, y0, x1, y1 = extent(mask(picture, GREEN))
    assert (x1 - x0, y1 - y0) == pytest.approx((across, across), abs=2.0)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx(
        (picture.shape[1] / 2, picture.shape[0] / 2), abs=2.0
    )


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_photos_stand_as_their_file_says(scene: ClipScene, standing: int, suffix: str) -> None:
    stored, _ = STANDINGS[standing]
    image = Image.fromarray(np.ascontiguousarray(stored(board(120, 80))))
    exif = Image.Exif()
    exif[274] = standing
    path = scene.folder / f"photo.{suffix}"
    if suffix == "tif":
        image.save(path, tiffinfo={274: standing})
    else:
        image.save(path, exif=exif, quality=95, subsampling=0, lossless=True)
    stands(scene.clip(path).pictures[0], 136, 90)


@pytest.mark.parametrize("standing", [2, 5, 6, 8])
@pytest.mark.parametrize("moves", [False, True])
def test_a_webp_whose_exif_begins_as_in_a_jpeg(
    scene: ClipScene, standing: int, *, moves: bool
) -> None:
    stored, _ = STANDINGS[standing]
    image = Image.fromarray(np.ascontiguousarray(stored(board(120, 80))))
    exif = Image.Exif()
    exif[274] = standing
    path = scene.folder / "photo.webp"
    other = Image.fromarray(np.zeros_like(np.asarray(image)))
    others = [other] if moves else []
    image.save(path, exif=exif, lossless=True, save_all=moves, append_images=others)
    data = path.read_bytes()
    at = data.index(b"EXIF")
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    body = data[at + 8 : at + 8 + size]
    body = body if body.startswith(b"Exif") else b"Exif\0\0" + body
    data = data[8:at] + b"EXIF" + len(body).to_bytes(4, "little") + body
    path.write_bytes(b"RIFF" + len(data).to_bytes(4, "little") + data)
    stands(scene.clip(path).pictures[0], 136, 90)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_how_densely_a_photo_is_printed_is_no_shape_of_pixels(
    scene: ClipScene, suffix: str
) -> None:
    path = scene.folder / f"photo.{suffix}"
    Image.fromarray(board(120, 80)).save(path, dpi=(200, 100), quality=95)
    stands(scene.clip(path).pictures[0], 136, 90)


@pytest.mark.parametrize("standing", STANDINGS)
def test_films_stand_as_their_track_says(scene: ClipScene, standing: int) -> None:
    stored, matrix = STANDINGS[standing]
    picture = np.ascontiguousarray(stored(board(120, 80)))
    film = scene.painted("film.mp4", [picture] * 4, "30", *LOSSLESS)
    film.write_bytes(turned(film.read_bytes(), matrix))
    stands(scene.clip(film).pictures[1], 136, 90)


@pytest.mark.parametrize(
    ("size", "sar", "shown"),
    [
        ((120, 96), (4, 3), (150, 90)),  # 1.667: anamorphic, wider than it is stored
        ((160, 80), (1, 2), (90, 90)),
        ((72, 80), (16, 15), (86, 90)),
    ],
)
def test_pixels_that_are_not_square(
    scene: ClipScene, size: tuple[int, int], sar: tuple[int, int], shown: tuple[int, int]
) -> None:
    picture = board(*size, stretch=sar[0] / sar[1])
    film = scene.painted(
        "film.mp4", [picture] * 3, "30", "-vf", f"setsar={sar[0]}/{sar[1]}", *LOSSLESS
    )
    stands(scene.clip(film).pictures[0], *shown)


@pytest.mark.parametrize("size", [(121, 85), (119, 80), (120, 75), (67, 45)])
def test_odd_sizes(scene: ClipScene, size: tuple[int, int]) -> None:
    film = scene.painted(
        "film.mkv", [board(*size)] * 2, "30", "-c:v", "ffv1", "-pix_fmt", "yuv444p"
    )
    stands(scene.clip(film).pictures[0], 90 * size[0] / size[1], 90)
    photo = scene.folder / "photo.png"
    Image.fromarray(board(*size)).save(photo)
    stands(scene.clip(photo).pictures[0], 90 * size[0] / size[1], 90)


def test_portrait_in_landscape_and_landscape_in_portrait(scene: ClipScene) -> None:
    upright = scene.painted("upright.mp4", [board(72, 128)] * 2, "30", *LOSSLESS)
    stands(scene.clip(upright).pictures[0], 50.6, 90)
    lying = scene.painted("lying.mp4", [board(128, 72)] * 2, "30", *LOSSLESS)
    stands(scene.to(TALL).clip(lying).pictures[0], 90, 50.6)


def test_the_fill_is_the_picture_itself_blurred_and_darker(scene: ClipScene) -> None:
    picture = np.zeros((128, 72, 3), np.uint8)
    picture[:64], picture[64:] = (200, 60, 60), (60, 60, 200)
    film = scene.painted("film.mp4", [picture] * 2, "30", *LOSSLESS)
    shown = scene.clip(film).pictures[0].astype(int)
    side = shown[:, 4:44]
    assert side[:10, :, 0].mean() > side[:10, :, 2].mean() + 20  # red above,
    assert side[-10:, :, 2].mean() > side[-10:, :, 0].mean() + 20  # blue below
    assert side.mean() < 0.7 * shown[:, 60:100].mean()
    steps = np.abs(np.diff(side.mean(1), axis=0)).max()
    assert steps < 12 < np.abs(np.diff(shown[:, 60:100].mean(1), axis=0)).max()


def test_cut_to_fit_shows_the_middle_and_fills_the_frame(scene: ClipScene) -> None:
    crop = Output(name="wide", size="160x90", fps=30, fit="crop")
    film = scene.painted("film.mp4", [board(72, 128)] * 2, "30", *LOSSLESS)
    picture = scene.to(crop).clip(film).pictures[0]
    x0, y0, x1, y1 = extent(mask(picture, GREEN))
    assert x1 - x0 == pytest.approx(0.6 * 160, abs=2)
    assert (x0 + x1) / 2 == pytest.approx(80, abs=1)
    assert (y0, y1) == (0, 90)
    assert not mask(picture, RED).any()
    assert not mask(picture, BLUE).any()


def test_all_outputs_come_from_one_decode(scene: ClipScene) -> None:
    film = scene.painted("film.mp4", [board(128, 72)] * 6, "30", *LOSSLESS)
    clips = scene.to(WIDE, TALL, SQUARE).clips(film)
    stands(clips["wide"].pictures[5], 160, 90)
    stands(clips["tall"].pictures[5], 90, 50.6)
    stands(clips["square"].pictures[5], 96, 54)
    assert [len(clip.pictures) for clip in clips.values()] == [6, 6, 6]
    assert {clip.result.sha256 for clip in clips.values()} == {clips["wide"].result.sha256}


def test_transparency_lies_on_white(scene: ClipScene) -> None:
    picture = np.dstack([board(160, 90), np.full((90, 160), 255, np.uint8)])
    picture[20:40, 100:140, 3] = 0
    picture[50:70, 100:140, 3] = 128
    path = scene.folder / "photo.png"
    Image.fromarray(picture).save(path)
    shown = scene.clip(path).pictures[0]
    assert shown[25:35, 105:135].min() >= 253
    half = (np.array(GREY) + 255) / 2
    assert np.abs(shown[55:65, 105:135].reshape(-1, 3).mean(0) - half).max() < 4
    film = scene.film("film.mov", "-loop", "1", "-t", "0.2", "-i", str(path), "-c:v", "qtrle")
    assert scene.clip(film).pictures[2][25:35, 105:135].min() >= 253


@pytest.mark.parametrize("suffix", ["png", "webp", "mov", "webm"])
def test_soft_transparency_stays_soft_under_a_caption(scene: ClipScene, suffix: str) -> None:
    picture = np.zeros((90, 160, 4), np.uint8)
    picture[..., 0] = 200
    picture[..., 3] = np.linspace(0, 255, 160).astype(np.uint8)
    path = scene.folder / "photo.png"
    Image.fromarray(picture).save(path)
    if suffix == "webp":
        path = path.with_suffix(".webp")
        Image.fromarray(picture).save(path, lossless=True, exact=True)
    elif suffix == "mov":
        path = scene.film("film.mov", "-loop", "1", "-t", "0.1", "-i", str(path), "-c:v", "qtrle")
    elif suffix == "webm":
        coded = ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-crf", "4", "-b:v", "9M")
        path = scene.film("film.webm", "-loop", "1", "-t", "0.1", "-i", str(path), *coded)
    shown = scene.to(WIDE, text="#T", still_motion="none").clip(path).pictures[0].astype(float)
    alpha = picture[0, :, 3:] / 255
    wanted = picture[0, :, :3] * alpha + 255 * (1 - alpha)
    assert np.abs(shown[10:50].mean(0) - wanted)[2:-2].max() < 8


def test_transparency_in_a_stream_beside_the_picture(scene: ClipScene) -> None:
    """VP8 and VP9 keep it where FFmpeg's own decoders don't look."""
    picture = np.dstack([board(160, 90), np.full((90, 160), 255, np.uint8)])
    picture[20:40, 100:140] = 0
    path = scene.folder / "photo.png"
    Image.fromarray(picture).save(path)
    for codec in ("libvpx", "libvpx-vp9"):
        film = scene.film(
            f"{codec}.webm",
            *("-loop", "1", "-t", "0.2", "-i", str(path), "-c:v", codec),
            *("-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-crf", "10", "-b:v", "1M"),
        )
        assert scene.clip(film).pictures[2][25:35, 105:135].min() >= 240


def test_interlaced_becomes_progressive(scene: ClipScene) -> None:
    """Something that moves sideways has a comb in each interlaced picture, and none after."""
    frames = []
    for step in range(24):
        picture = np.full((90, 160, 3), 60, np.uint8)
        picture[:, 20 + 4 * step : 50 + 4 * step] = 220
        frames.append(picture)
    woven = "format=yuv420p,interlace=lowpass=off:scan=tff"
    film = scene.painted(
        "film.mkv", frames, "50", "-vf", woven, "-c:v", "ffv1", "-field_order", "tt"
    )
    comb = woven_lines(Clip(film, scene.make(film)).pictures[4])
    assert comb > 60
    made = scene.to(Output(name="wide", size="160x90", fps=50)).clip(film)
    assert max(woven_lines(picture) for picture in made.pictures[1:-1]) < comb / 5
    # both fields became pictures: the bar moves on in every one of 50 a second
    edges = [int(np.argmax(picture[44:47].mean((0, 2)) > 140)) for picture in made.pictures[2:-2]]
    assert {after - before for before, after in pairwise(edges)} <= {3, 4, 5}


def woven_lines(picture: Pixels) -> float:
    """How much a line differs from the mean of its neighbours, at most over the columns."""
    lines = picture.mean(2)
    away = np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2)
    return float(away.mean(0).max())
