"""The caption stands inside the picture, whatever the words and the frame."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import ConfigError
from pipeline.media import caption

FRAMES = [(1920, 1080), (1080, 1920), (1080, 1080), (320, 180)]
TEXTS = [
    "#RiverWeek",
    "#RiverWeek #HoldASign",
    "#" + "x" * 99,
    " ".join(f"#Hashtag{number}" for number in range(12)),
]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("text", TEXTS)
def test_it_stays_inside_the_safe_area(tmp_path: Path, text: str, frame: tuple[int, int]) -> None:
    width, height = frame
    strip = caption.strip(tmp_path, text, (width, height))
    assert strip is not None
    with Image.open(strip.path) as drawn:
        across, down = drawn.size
        letters = drawn.getchannel("R").point(lambda value: 255 if value > 200 else 0)
        left, top, right, bottom = letters.getbbox() or (0, 0, 0, 0)
    assert width * 0.04 <= strip.x
    assert strip.x + across <= width * 0.96
    assert height * 0.5 <= strip.y
    assert strip.y + down <= height * 0.96
    # the letters are there, and inside their panel
    assert 0 < left < right < across
    assert 0 < top < bottom < down


def test_the_same_words_are_drawn_once(tmp_path: Path) -> None:
    first = caption.strip(tmp_path, "#RiverWeek", (320, 180))
    assert first is not None
    file = first.path.stat().st_ino
    assert caption.strip(tmp_path, "#RiverWeek", (320, 180)) == first
    assert first.path.stat().st_ino == file
    assert caption.strip(tmp_path, "  ", (320, 180)) is None


def test_a_novel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too long for a picture of 128x72"):
        caption.strip(tmp_path, "word " * 100, (128, 72))


def test_a_character_without_a_glyph_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"U\+3FFFD"):
        caption.strip(tmp_path, "#River\U0003fffd", (320, 180))
    assert list(tmp_path.iterdir()) == []


def test_the_panel_keeps_white_letters_legible_on_white(tmp_path: Path) -> None:
    """4.5 to 1 (WCAG 2.2, 1.4.3), by the relative luminance that it defines."""
    strip = caption.strip(tmp_path, "#RiverWeek", (1920, 1080))
    assert strip is not None
    with Image.open(strip.path) as drawn:
        white = Image.new("RGBA", drawn.size, "white")
        shown = Image.alpha_composite(white, drawn.convert("RGBA")).convert("RGB")
    panel = shown.getpixel((shown.width // 2, 4))
    assert isinstance(panel, tuple)
    linear = [(v / 255 / 12.92) if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in panel]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.5
