"""Draw a card with Pillow: a logo, a title and quieter lines on a calm background."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTLibError
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from pipeline import publishing
from pipeline.config import Config, Output
from pipeline.errors import ConfigError
from pipeline.media import fonts, writing

Colour = tuple[int, int, int]  # red, green, blue
Pixels = NDArray[np.uint8]  # of shape (height, width, 3)

_SAFE = 0.08  # of the width, at either side
_TITLE, _LINE, _CHAPTER = 0.1, 0.045, 0.075  # of the frame's shorter side
_LEADING = 1.4
_BASELINE = 0.38  # of the size, below the middle of a line
_RULE = (0.12, 0.004)  # width and height of the line below a title
_LOGO = (0.4, 0.24)  # of the frame's width and height at most
_TALLEST = 0.84  # of the frame's height
_LOGO_FORMATS = ("PNG", "JPEG")
_LARGEST = 50_000_000  # pixels of a logo


@dataclass(frozen=True)
class Words:
    """What a card says: a title and quieter lines below it; a chapter's title is smaller."""

    title: str
    lines: tuple[str, ...] = ()
    chapter: bool = False


@dataclass(frozen=True)
class CardStyle:
    """Colours (red, green, blue), and the editor's own logo and font with their SHA-256."""

    ground: Colour
    ground_below: Colour
    ink: Colour
    quiet_ink: Colour
    logo: Path | None
    font: Path | None
    contents: tuple[str, ...]

    @property
    def key(self) -> list[object]:
        """All that decides how a card looks."""
        return [self.ground, self.ground_below, self.ink, self.quiet_ink, self.contents]


@dataclass(frozen=True)
class _Line:
    """A line of text; without a font where it takes several."""

    text: str
    size: int
    font: ImageFont.FreeTypeFont | None

    @property
    def height(self) -> int:
        return round(self.size * _LEADING)

    @property
    def length(self) -> float:
        if self.font is None:
            return writing.row_length(self.text.split(), self.size)
        return self.font.getlength(self.text)


@dataclass(frozen=True)
class _Block:
    """Lines, and the spaces between them and their height in all, in pixels."""

    title: list[_Line]
    small: list[_Line]
    gap: int
    rule: int
    height: int


def card_style(config: Config) -> CardStyle:
    """Return the style that the configuration asks for.

    :raises ConfigError: the logo or the font can't be read.
    """
    style = config.montage.style
    colours = (style.ground, style.ground_below, style.ink, style.quiet_ink)
    top, bottom, ink, quiet = (_rgb(colour) for colour in colours)
    files = (_readable(config, "logo", style.logo), _readable(config, "font", style.font))
    contents = tuple(publishing.sha256_of(path) if path else "" for path in files)
    return CardStyle(top, bottom, ink, quiet, *files, contents)


def _rgb(colour: str) -> Colour:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def ground(output: Output, above: Colour, below: Colour) -> Pixels:
    """Draw a background that passes from one colour to the other."""
    top, bottom = (np.array(each, float) for each in (above, below))
    # a little noise, always the same, so that the steps between colours are not seen as bands
    chance = np.random.default_rng(1)
    drawn = np.empty((output.height, output.width, 3), np.uint8)
    for row, share in enumerate(np.linspace(0, 1, output.height)):
        noise = chance.uniform(-0.5, 0.5, (output.width, 1))
        drawn[row] = np.clip(np.rint(top * (1 - share) + bottom * share + noise), 0, 255)
    return drawn


def letters(words: Words, output: Output, style: CardStyle) -> Image.Image:
    """Draw logo, title, rule and lines, centred, on a transparent picture.

    They are drawn smaller where there are too many.
    """
    logo = None if words.chapter else _logo(style, output)
    room = round(output.height * _TALLEST)
    for tenths in range(10, 2, -1):
        block = _laid_out(words, output, style, tenths / 10)
        height = block.height + (logo.height + block.gap if logo else 0)
        if height <= room:
            break
    image = Image.new("RGBA", (output.width, output.height), (0, 0, 0, 0))
    middle = output.width // 2
    y = (output.height - height) // 2
    if logo:
        image.paste(logo, ((output.width - logo.width) // 2, y), logo)
        y += logo.height + block.gap
    y = _draw_lines(image, block.title, (middle, y), style.ink)
    if block.small:
        wide = round(min(output.width, output.height) * _RULE[0]) // 2
        rule = (middle - wide, y + block.gap, middle + wide, y + block.gap + block.rule - 1)
        ImageDraw.Draw(image).rectangle(rule, fill=(*style.quiet_ink, 150))
        _draw_lines(image, block.small, (middle, y + 2 * block.gap + block.rule), style.quiet_ink)
    return image


def _laid_out(words: Words, output: Output, style: CardStyle, scale: float) -> _Block:
    side = min(output.width, output.height) * scale
    room = round(output.width * (1 - 2 * _SAFE))
    size = max(8, round(side * (_CHAPTER if words.chapter else _TITLE)))
    title = _wrapped(words.title, size, room, style)
    smaller = max(8, round(side * _LINE))
    small = [line for text in words.lines for line in _wrapped(text, smaller, room, style)]
    gap, rule = round(side * 0.05), max(2, round(side * _RULE[1]))
    height = sum(line.height for line in (*title, *small))
    height += 2 * gap + rule if small else 0
    return _Block(title, small, gap, rule, height)


def _draw_lines(image: Image.Image, lines: list[_Line], top: tuple[int, int], ink: Colour) -> int:
    """Draw lines below each other, from the middle of their *top*; return where they end."""
    middle, y = top
    draw = ImageDraw.Draw(image)
    for line in lines:
        at = (middle, y + round(line.size * _LEADING / 2))
        if line.font is not None:
            draw.text(at, line.text, font=line.font, fill=ink, anchor="mm")
        else:
            start, baseline = middle - round(line.length / 2), at[1] + round(line.size * _BASELINE)
            for word, left in writing.placed(line.text.split(), line.size):
                place = (start + left, baseline)
                writing.write(image, place, word, line.size, writing.Ink((*ink, 255)))
        y += line.height
    return y


def _wrapped(text: str, size: int, room: int, style: CardStyle) -> list[_Line]:
    """Wrap *text* within *room* pixels, in a size at which its longest word fits."""
    words = text.split()
    widest = max((_line(word, size, style).length for word in words), default=0)
    if widest > room:
        size = max(8, int(size * room / widest))
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _line(longer, size, style).length <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return [_line(line, size, style) for line in lines]


def _logo(style: CardStyle, output: Output) -> Image.Image | None:
    """Load the editor's logo, as large as it may be; it is never enlarged."""
    if style.logo is None:
        return None
    with Image.open(style.logo, formats=_LOGO_FORMATS) as image:
        picture: Image.Image = image.convert("RGBA")
    limits = (round(output.width * _LOGO[0]), round(output.height * _LOGO[1]))
    picture.thumbnail(limits, Image.Resampling.LANCZOS)
    return picture


def _line(text: str, size: int, style: CardStyle) -> _Line:
    """A line in the editor's font if that has all letters, else in one that has, else in several.

    :raises ConfigError: a character has no glyph in any font.
    """
    own = style.font
    if own and not fonts.needs_shaping(text) and {*map(ord, text)} <= fonts.coverage(own):
        return _Line(text, size, ImageFont.truetype(str(own), size))
    with contextlib.suppress(ConfigError):
        return _Line(text, size, fonts.font_for(text, size))
    for word in text.split():
        writing.pieces(word, size)
    return _Line(text, size, None)


def _readable(config: Config, key: str, value: str) -> Path | None:
    if not value:
        return None
    path = config.resolve(value)
    try:
        if key == "font":
            fonts.coverage(path)
        else:
            with Image.open(path, formats=_LOGO_FORMATS) as image:
                if image.width * image.height > _LARGEST:
                    raise ConfigError([f"montage.style.logo: {path} is larger than 50 megapixels"])
                image.load()
    except (OSError, TTLibError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ConfigError([f"montage.style.{key}: {path} can't be read as a {key}"]) from error
    return path
