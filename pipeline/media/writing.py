"""Write one word with as many fonts as it needs: letters in bold, symbols and emoji from others.

A word that one font can write is shaped as a whole (by HarfBuzz, through Raqm).  Any other word is
split into clusters, and each cluster is written with the first font that has it.  Colour emoji are
bitmaps of one size; they are drawn in that size and made smaller.
"""

import contextlib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from PIL import Image, ImageDraw, ImageFont

from pipeline.errors import ConfigError
from pipeline.media import fonts

_JOINER, _PRESENTATION = "\u200d", "\ufe0f"
_OUTLINE = (12, 16, 20, 255)
_GAP = 0.32  # between words, of the size


@dataclass(frozen=True)
class TextRun:
    """Characters of one font; *scale* is what its pixels are multiplied by."""

    text: str
    font: ImageFont.FreeTypeFont
    scale: float

    @property
    def length(self) -> float:
        """How wide it is, in pixels."""
        return float(self.font.getlength(self.text)) * self.scale


@dataclass(frozen=True)
class Ink:
    """The colour (RGBA) of letters, and the width of the dark line around them in pixels."""

    colour: tuple[int, ...] = (255, 255, 255, 255)
    outline: int = 0


WHITE = Ink()


def gap(size: int) -> int:
    """Return the space between two words, in pixels."""
    return round(size * _GAP)


def row_length(words: Sequence[str], size: int) -> int:
    """Return how wide a line of words is at *size* pixels.

    :raises ConfigError: a character has no glyph in any font.
    """
    return sum(round(length(word, size)) for word in words) + gap(size) * (len(words) - 1)


def placed(words: Sequence[str], size: int) -> Iterator[tuple[str, int]]:
    """Yield the words of a line from left to right, each with the place of its left end.

    Each word is isolated: its direction does not change the words around it (as between FSI and
    PDI, UAX #9, 2.4.4).  Words against the line's direction that follow each other keep theirs.
    """
    groups = [list(group) for _, group in groupby(words, key=fonts.right_to_left)]
    shown = [reversed(g) if fonts.right_to_left(g[0]) else g for g in groups]
    left = 0
    backwards = fonts.right_to_left(" ".join(words))
    for word in chain.from_iterable(reversed(shown) if backwards else shown):
        yield word, left
        left += round(length(word, size)) + gap(size)


def length(word: str, size: int) -> float:
    """Return how wide a word is at *size* pixels.

    :raises ConfigError: a character has no glyph in any font.
    """
    return sum(piece.length for piece in pieces(word, size))


def pieces(word: str, size: int) -> tuple[TextRun, ...]:
    """Split a word by fonts, in the order in which it is read.

    :raises ConfigError: a character has no glyph in any font.
    """
    if not _coloured(word):
        with contextlib.suppress(ConfigError):
            return (TextRun(word, fonts.font_for(word, size), 1.0),)
    found: list[TextRun] = []
    for cluster in clusters(word):
        piece = _piece(cluster, size)
        if found and found[-1].font.path == piece.font.path:
            piece = TextRun(found.pop().text + cluster, piece.font, piece.scale)
        found.append(piece)
    return tuple(found)


def clusters(word: str) -> Iterator[str]:
    """Yield the clusters of a word: a letter with its marks, all parts of an emoji."""
    cluster = ""
    for char in word:
        belongs = (
            unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf")
            or "\U0001f3fb" <= char <= "\U0001f3ff"
            or cluster.endswith(_JOINER)
            or (_flag(char) and len(cluster) == 1 and _flag(cluster))
        )
        if cluster and not belongs:
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def write(
    image: Image.Image, place: tuple[int, int], word: str, size: int, ink: Ink = WHITE
) -> None:
    """Draw a word with the left end of its baseline at *place*."""
    left, baseline = place
    draw = ImageDraw.Draw(image)
    parts = pieces(word, size)
    for piece in reversed(parts) if fonts.right_to_left(word) else parts:
        if piece.scale == 1.0:
            draw.text(
                (left, baseline), piece.text, ink.colour, piece.font, "ls",
                stroke_width=ink.outline, stroke_fill=_OUTLINE,
            )  # fmt: skip
        else:
            _stamp(image, (round(left), baseline), piece)
        left = round(left + piece.length)


def _flag(char: str) -> bool:
    """Whether it is half of a flag: a regional indicator."""
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _coloured(text: str) -> bool:
    """Whether *text* holds something that is shown as a coloured picture."""
    return _PRESENTATION in text or any(ord(char) >= 0x1F000 for char in text)


def _piece(cluster: str, size: int) -> TextRun:
    emoji = fonts.emoji_font()
    if _coloured(cluster) and emoji is not None and fonts.has_emoji(cluster):
        return TextRun(cluster, emoji, size / emoji.size)
    return TextRun(cluster, fonts.font_for(cluster, size), 1.0)


def _stamp(image: Image.Image, place: tuple[int, int], piece: TextRun) -> None:
    """Draw a coloured picture at the size it has, and make it smaller."""
    left, top, right, bottom = (round(v) for v in piece.font.getbbox(piece.text, anchor="ls"))
    large = Image.new("RGBA", (right - left, bottom - top))
    ImageDraw.Draw(large).text(
        (-left, -top), piece.text, font=piece.font, anchor="ls", embedded_color=True
    )
    width, height = (max(1, round(side * piece.scale)) for side in large.size)
    small = large.resize((width, height), Image.Resampling.LANCZOS)
    x, y = place[0] + round(left * piece.scale), place[1] + round(top * piece.scale)
    image.alpha_composite(small, (max(0, x), max(0, y)))
