"""The caption: a strip with the hashtags, drawn once per text and frame size.

White bold letters on a dark panel that is opaque enough for 4.5 to 1 against white
(WCAG 2.2, 1.4.3) whatever the picture does, inside the title-safe area (EBU R 95: 5 % from
each edge), wrapped between words, at most four lines: a text that needs more is drawn
smaller, and a word that is longer than a line is broken.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from pipeline import files
from pipeline.errors import ConfigError
from pipeline.media import fonts

_VERSION = 1
_SAFE = 0.05
_TEXT_HEIGHT = 0.042  # of the frame's shorter side
_SMALLEST = 0.4  # of that, before a text is too long
_LINES = 4
_TALLEST = 0.4  # of the frame's height
_PANEL = (12, 16, 20, 168)
_INK = (255, 255, 255, 255)


@dataclass(frozen=True)
class Strip:
    """A PNG with the caption and where its upper left corner goes, in pixels of the frame."""

    path: Path
    x: int
    y: int


@dataclass(frozen=True)
class _Layout:
    lines: tuple[tuple[str, ...], ...]
    size: int
    width: int
    height: int
    padding: int
    leading: int


def strip(folder: Path, text: str, width: int, height: int) -> Strip | None:
    """The caption for a frame of *width* × *height*, from *folder* or drawn; None for no text.

    :raises ConfigError: a character has no glyph, or the text is too long for the frame.
    """
    words = tuple(text.split())
    if not words:
        return None
    name = hashlib.sha256(f"{_VERSION}|{text}|{width}x{height}".encode()).hexdigest()[:24]
    path = folder / f"caption-{name}.png"
    if path.exists():
        with Image.open(path) as image:
            drawn = image.size
    else:
        picture = _draw(words, width, height)
        drawn = picture.size
        with files.publishing(path) as file:
            picture.save(file, "PNG")
    right_to_left = fonts.right_to_left(text)
    margin = round(width * _SAFE)
    x = width - margin - drawn[0] if right_to_left else margin
    return Strip(path, x, height - round(height * _SAFE) - drawn[1])


def _draw(words: tuple[str, ...], width: int, height: int) -> Image.Image:
    full = max(9, round(min(width, height) * _TEXT_HEIGHT))
    room = round(width * (1 - 2 * _SAFE))
    for tenths in range(10, round(_SMALLEST * 10) - 1, -1):
        size = max(7, full * tenths // 10)
        layout = _lay_out(words, size, room)
        if len(layout.lines) <= _LINES and layout.width <= room:
            return _paint(layout)
    layout = _lay_out(tuple(_broken(words, size, room)), size, room)
    if layout.height > height * _TALLEST:
        text = " ".join(words)
        raise ConfigError([f"the caption is too long for a picture of {width}x{height}: {text!r}"])
    return _paint(layout)


def _broken(words: tuple[str, ...], size: int, room: int) -> Iterator[str]:
    """The words, those that no line can hold in pieces that one can."""
    room -= 2 * round(size * 0.55)
    for word in words:
        font = fonts.font_for(word, size)
        piece = ""
        for char in word:
            # a mark stays with the letter that it belongs to
            if piece and not unicodedata.combining(char) and font.getlength(piece + char) > room:
                yield piece
                piece = ""
            piece += char
        yield piece


def _lay_out(words: tuple[str, ...], size: int, room: int) -> _Layout:
    padding = round(size * 0.55)
    gap = round(size * 0.32)
    lines: list[list[str]] = [[]]
    used, widest = 0, 0
    for word in words:
        length = round(fonts.font_for(word, size).getlength(word))
        if lines[-1] and used + gap + length > room - 2 * padding:
            lines.append([])
            used = 0
        used += length + (gap if lines[-1] else 0)
        lines[-1].append(word)
        widest = max(widest, used)
    leading = round(size * 1.38)
    return _Layout(
        lines=tuple(tuple(line) for line in lines),
        size=size,
        width=_even(widest + 2 * padding),
        height=_even(len(lines) * leading + padding),
        padding=padding,
        leading=leading,
    )


def _paint(layout: _Layout) -> Image.Image:
    # drawn four times as large, so that the panel's corners are smooth
    panel = Image.new("L", (layout.width * 4, layout.height * 4), 0)
    ImageDraw.Draw(panel).rounded_rectangle(
        (0, 0, panel.width - 1, panel.height - 1), radius=layout.size * 2, fill=_PANEL[3]
    )
    image = Image.new("RGBA", (layout.width, layout.height), (*_PANEL[:3], 0))
    image.putalpha(panel.resize(image.size, Image.Resampling.LANCZOS))
    draw = ImageDraw.Draw(image)
    gap = round(layout.size * 0.32)
    for number, line in enumerate(layout.lines):
        right_to_left = fonts.right_to_left(" ".join(line))
        baseline = layout.padding // 2 + round(layout.leading * (number + 0.76))
        x = layout.width - layout.padding if right_to_left else layout.padding
        for word in line:
            font = fonts.font_for(word, layout.size)
            length = round(font.getlength(word))
            left = x - length if right_to_left else x
            draw.text((left, baseline), word, font=font, fill=_INK, anchor="ls")
            x = left - gap if right_to_left else left + length + gap
    return image


def _even(value: int) -> int:
    """Chroma is shared by two pixels: a strip of even size on an even place stays sharp."""
    return value + value % 2
