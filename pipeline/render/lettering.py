"""What a card looks like: a logo, a title and quieter lines on a calm ground, drawn with Pillow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from pipeline import publishing
from pipeline.config import Config, Output
from pipeline.errors import ConfigError
from pipeline.media import fonts

Colour = tuple[int, int, int]

_SAFE = 0.08  # of the width, at either side
_TITLE, _LINE, _CHAPTER = 0.1, 0.045, 0.075  # of the frame's shorter side
_LEADING = 1.4
_RULE = (0.12, 0.004)  # width and height of the line below a title
_LOGO = (0.4, 0.24)  # of the frame's width and height at most
_TALLEST = 0.84  # of the frame's height
_LARGEST = 50_000_000  # pixels of a logo


@dataclass(frozen=True)
class Words:
    """What a card says: a title and quieter lines below it; a chapter's is smaller."""

    title: str
    lines: tuple[str, ...] = ()
    chapter: bool = False


@dataclass(frozen=True)
class Look:
    """Colours (red, green, blue), and the editor's own logo and font with their SHA-256."""

    ground: Colour
    ground_below: Colour
    ink: Colour
    quiet_ink: Colour
    logo: Path | None
    font: Path | None
    contents: tuple[str, ...]

    @property
    def key(self) -> list[Any]:
        """All that decides how a card looks."""
        return [self.ground, self.ground_below, self.ink, self.quiet_ink, self.contents]


@dataclass(frozen=True)
class _Block:
    """Lines with their sizes and colours, and what lies between them, in pixels."""

    title: list[tuple[str, int, Colour]]
    small: list[tuple[str, int, Colour]]
    gap: int
    rule: int
    height: int


def look(config: Config) -> Look:
    """The look that the configuration asks for.

    :raises ConfigError: the logo or the font can't be read.
    """
    style = config.montage.style
    logo = _readable(config, "logo", style.logo)
    font = _readable(config, "font", style.font)
    return Look(
        ground=_colour(style.ground),
        ground_below=_colour(style.ground_below),
        ink=_colour(style.ink),
        quiet_ink=_colour(style.quiet_ink),
        logo=logo,
        font=font,
        contents=tuple(publishing.sha256_of(path) if path else "" for path in (logo, font)),
    )


def ground(output: Output, style: Look) -> Any:
    """A still ground that passes from one colour to the other; array of height, width, 3."""
    top, bottom = (np.array(each, float) for each in (style.ground, style.ground_below))
    # a little noise, always the same, so that the steps between colours are not seen as bands
    chance = np.random.default_rng(1)
    drawn = np.empty((output.height, output.width, 3), np.uint8)
    for row, share in enumerate(np.linspace(0, 1, output.height)):
        noise = chance.uniform(-0.5, 0.5, (output.width, 1))
        drawn[row] = np.clip(np.rint(top * (1 - share) + bottom * share + noise), 0, 255)
    return drawn


def letters(words: Words, output: Output, style: Look) -> Image.Image:
    """Logo, title, rule and lines, centred, on nothing; smaller where they are too many."""
    logo = None if words.chapter else _logo(style, output)
    room = round(output.height * _TALLEST)
    for tenths in range(10, 2, -1):
        block = _laid_out(words, output, style, logo, tenths / 10)
        if block.height <= room:
            break
    image = Image.new("RGBA", (output.width, output.height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    y = (output.height - block.height) // 2
    if logo:
        image.paste(logo, ((output.width - logo.width) // 2, y), logo)
        y += logo.height + block.gap
    y = _lines(draw, block.title, y, output, style)
    if block.small:
        side = min(output.width, output.height)
        wide, middle = round(side * _RULE[0]) // 2, output.width // 2
        box = (middle - wide, y + block.gap, middle + wide, y + block.gap + block.rule - 1)
        draw.rectangle(box, fill=(*style.quiet_ink, 150))
        _lines(draw, block.small, y + 2 * block.gap + block.rule, output, style)
    return image


def _laid_out(
    words: Words, output: Output, style: Look, logo: Image.Image | None, scale: float
) -> _Block:
    side = min(output.width, output.height) * scale
    room = round(output.width * (1 - 2 * _SAFE))
    size = max(8, round(side * (_CHAPTER if words.chapter else _TITLE)))
    title = [(line, each, style.ink) for line, each in _wrapped(words.title, size, room, style)]
    small = [
        (line, each, style.quiet_ink)
        for text in words.lines
        for line, each in _wrapped(text, max(8, round(side * _LINE)), room, style)
    ]
    gap, rule = round(side * 0.05), max(2, round(side * _RULE[1]))
    height = sum(round(each * _LEADING) for _, each, _ in (*title, *small))
    height += (logo.height + gap) if logo else 0
    height += 2 * gap + rule if small else 0
    return _Block(title, small, gap, rule, height)


def _lines(
    draw: ImageDraw.ImageDraw,
    lines: list[tuple[str, int, Colour]],
    y: int,
    output: Output,
    style: Look,
) -> int:
    for line, size, ink in lines:
        at = (output.width // 2, y + round(size * _LEADING / 2))
        draw.text(at, line, font=_font(line, size, style), fill=ink, anchor="mm")
        y += round(size * _LEADING)
    return y


def _wrapped(text: str, size: int, room: int, style: Look) -> list[tuple[str, int]]:
    """The lines of *text* within *room* pixels, in a size that lets its longest word in."""
    words = text.split()
    widest = max((_font(word, size, style).getlength(word) for word in words), default=0)
    if widest > room:
        size = max(8, int(size * room / widest))
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _font(longer, size, style).getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return [(line, size) for line in lines]


def _logo(style: Look, output: Output) -> Image.Image | None:
    """The editor's own picture, as large as it may be and no larger than it is."""
    if style.logo is None:
        return None
    with Image.open(style.logo) as image:
        picture: Image.Image = image.convert("RGBA")
    box = (round(output.width * _LOGO[0]), round(output.height * _LOGO[1]))
    picture.thumbnail(box, Image.Resampling.LANCZOS)
    return picture


def _font(text: str, size: int, style: Look) -> ImageFont.FreeTypeFont:
    """The editor's font where it has all the letters, else one that does."""
    own = style.font
    if own is None or fonts.needs_shaping(text) or not {*map(ord, text)} <= _letters(own):
        return fonts.font_for(text, size)
    return ImageFont.truetype(str(own), size)


@cache
def _letters(path: Path) -> frozenset[int]:
    with path.open("rb") as file, TTFont(file, lazy=True, fontNumber=0) as font:
        return frozenset(font.getBestCmap() or ())


def _readable(config: Config, key: str, value: str) -> Path | None:
    if not value:
        return None
    path = config.resolve(value)
    try:
        if key == "font":
            _letters(path)
        else:
            with Image.open(path) as image:
                if image.width * image.height > _LARGEST:
                    raise ConfigError([f"montage.style.logo: {path} is larger than 50 megapixels"])
                image.load()
    except (OSError, TTLibError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ConfigError([f"montage.style.{key}: {path} can't be read as a {key}"]) from error
    return path


def _colour(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue
