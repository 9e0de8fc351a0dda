"""AVIF as libavif, which Pillow has, reads it: on white, turned, and moving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from support.clip_scene import WIDE, Clip, ClipScene, Pixels
from support.marked_pictures import STANDINGS, board

NEAR = 4  # mean distance of a colour, of 255, that two decoders and an encode may add


@pytest.fixture
def scene(tmp_path: Path) -> ClipScene:
    return ClipScene(tmp_path).to(WIDE, text="#T", still_motion="none", still_seconds=0.2)


def soft(shift: int = 0) -> Image.Image:
    """A board that becomes transparent from right to left."""
    alpha = np.tile(np.linspace(0, 255, 160).astype(np.uint8), (90, 1))
    return Image.fromarray(np.dstack([np.roll(board(160, 90), shift, 1), alpha]))


def on_white(image: Image.Image) -> Pixels:
    image = ImageOps.exif_transpose(image).convert("RGBA")
    shown = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(shown.convert("RGB"))


def is_near(clip: Clip, at: int, wanted: Pixels) -> bool:
    """Whether a picture is the wanted one, above its caption."""
    away = np.abs(clip.pictures[at][:60].astype(float) - wanted[:60]).mean()
    return bool(away < NEAR)


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L"])
def test_a_photo(scene: ClipScene, mode: str) -> None:
    path = scene.folder / "photo.avif"
    soft().convert(mode).save(path, quality=95)
    made = scene.clip(path)
    assert is_near(made, 0, on_white(Image.open(path)))
    assert made.result.source is not None
    assert made.result.source.video_codec == "av1"


@pytest.mark.parametrize("standing", [2, 5, 6])
def test_transparency_is_turned_with_the_photo(scene: ClipScene, standing: int) -> None:
    stored, _ = STANDINGS[standing]
    exif = Image.Exif()
    exif[274] = standing
    path = scene.folder / "photo.avif"
    image = Image.fromarray(np.ascontiguousarray(stored(np.asarray(soft()))))
    image.save(path, quality=95, exif=exif)
    made = scene.clip(path)
    assert is_near(made, 0, on_white(soft()))
    assert made.result.source is not None
    assert (made.result.source.width, made.result.source.height) == (160, 90)


@pytest.mark.parametrize("brand", [b"avis", b"avif"])
@pytest.mark.parametrize("mode", ["RGBA", "RGB"])
def test_an_animation_plays(scene: ClipScene, mode: str, brand: bytes) -> None:
    frames = [soft(20 * step).convert(mode) for step in range(4)]
    path = scene.folder / "film.avif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, quality=95)
    data = path.read_bytes()
    path.write_bytes(data[:8] + brand + data[12:])
    made = scene.clip(path)
    assert len(made.pictures) == 12
    for step, frame in enumerate(frames):
        assert is_near(made, 3 * step + 1, on_white(frame))
