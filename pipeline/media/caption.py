"""The caption: a strip with the hashtags, drawn once for each text and frame size.

The letters are white and bold.  They stand on a dark panel that is opaque enough for a contrast
of 4.5 to 1 on any picture (WCAG 2.2, 1.4.3), or have a dark outline.  The strip is inside the
title-safe area (EBU R 95: 5 % from each edge).  The text is wrapped between words into at most
four lines; if it needs more it is drawn smaller, and a word that is longer than a line is broken.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from pipeline import judge, publishing, versions
from pipeline.config import CaptionPosition, CaptionStyle
from pipeline.errors import ConfigError
from pipeline.media import fonts, writing

_SAFE = 0.05
Appearance = tuple[CaptionPosition, CaptionStyle]
_USUAL: Appearance = ("bottom-left", "panel")
_TEXT_HEIGHT = 0.042  # of the frame's shorter side
_SMALLEST = 0.4  # of that, before a text is too long
_LINES = 4
_TALLEST = 0.4  # of the frame's height
_PANEL = (12, 16, 20, 168)


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


def strip(
    folder: Path, text: str, frame: tuple[int, int], appearance: Appearance = _USUAL
) -> Strip | None:
    """Return the caption for a frame of this size; draw it if *folder* has none.

    :returns: None if there is no text.
    :raises ConfigError: a character has no glyph, or the text is too long for the frame.
    """
    words = tuple(text.split())
    if not words:
        return None
    (width, height), (position, style) = frame, appearance
    key = publishing.cache_key("caption", versions.CAPTION, style, text, width, height)
    path = folder / f"caption-{key}.png"
    if publishing.is_cached(path):
        drawn = judge.judge_still(path)
    else:
        picture = _draw(words, width, height, style)
        drawn = picture.size
        with publishing.new_file(path) as file:
            picture.save(file, "PNG")
    across, down = round(width * _SAFE), round(height * _SAFE)
    x = {"left": across, "right": width - across - drawn[0]}.get(
        position.partition("-")[2], (width - drawn[0]) // 4 * 2
    )
    y = down if position.startswith("top") else height - down - drawn[1]
    return Strip(path, x - x % 2, y - y % 2)


def _draw(words: tuple[str, ...], width: int, height: int, style: CaptionStyle) -> Image.Image:
    full = max(9, round(min(width, height) * _TEXT_HEIGHT))
    room = round(width * (1 - 2 * _SAFE))
    for tenths in range(10, round(_SMALLEST * 10) - 1, -1):
        size = max(7, full * tenths // 10)
        layout = _lay_out(words, size, room)
        if len(layout.lines) <= _LINES and layout.width <= room:
            return _paint(layout, style)
    layout = _lay_out(tuple(_broken(words, size, room)), size, room)
    if layout.height > height * _TALLEST:
        text = " ".join(words)
        raise ConfigError([f"the caption is too long for a picture of {width}x{height}: {text!r}"])
    return _paint(layout, style)


def _broken(words: tuple[str, ...], size: int, room: int) -> Iterator[str]:
    """Yield the words; a word that is longer than a line comes in pieces."""
    room -= 2 * round(size * 0.55)
    for word in words:
        piece = ""
        for cluster in writing.clusters(word):
            if piece and writing.length(piece + cluster, size) > room:
                yield piece
                piece = ""
            piece += cluster
        yield piece


def _lay_out(words: tuple[str, ...], size: int, room: int) -> _Layout:
    padding = round(size * 0.55)
    gap = writing.gap(size)
    lines: list[list[str]] = [[]]
    used, widest = 0, 0
    for word in words:
        length = round(writing.length(word, size))
        if lines[-1] and used + gap + length > room - 2 * padding:
            lines.append([])
            used = 0
        used += length + (gap if lines[-1] else 0)
        lines[-1].append(word)
        widest = max(widest, used)
    leading = round(size * 1.38)
    width, height = _even(widest + 2 * padding), _even(len(lines) * leading + padding)
    return _Layout(tuple(map(tuple, lines)), size, width, height, padding, leading)


def _paint(layout: _Layout, style: CaptionStyle) -> Image.Image:
    image = Image.new("RGBA", (layout.width, layout.height), (*_PANEL[:3], 0))
    if style == "panel":
        # drawn four times as large, so that the panel's corners are smooth
        panel = Image.new("L", (layout.width * 4, layout.height * 4), 0)
        ImageDraw.Draw(panel).rounded_rectangle(
            (0, 0, panel.width - 1, panel.height - 1), radius=layout.size * 2, fill=_PANEL[3]
        )
        image.putalpha(panel.resize(image.size, Image.Resampling.LANCZOS))
    outline = max(2, round(layout.size * 0.1)) if style == "outline" else 0
    ink = writing.Ink(outline=outline)
    for number, line in enumerate(layout.lines):
        baseline = layout.padding // 2 + round(layout.leading * (number + 0.76))
        start = layout.padding
        if fonts.right_to_left(" ".join(line)):
            start = layout.width - layout.padding - writing.row_length(line, layout.size)
        for word, left in writing.placed(line, layout.size):
            writing.write(image, (start + left, baseline), word, layout.size, ink)
    return image


def _even(value: int) -> int:
    """Round up to an even number: two pixels share chroma, so an even strip stays sharp."""
    return value + value % 2
