"""Brushes for the sample's pictures: everything drawn here is invented, and ours.

A canvas is drawn at twice its size and scaled down, so that edges are smooth.  Coordinates
are pixels of the finished picture, from the upper left corner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

import fontpkg_noto_sans
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

Picture = NDArray[np.uint8]  # height × width × 3 (RGB) or 4 (RGBA)
Point = tuple[float, float]

_FINER = 2


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    folder = Path(fontpkg_noto_sans.__file__).parent / "files"
    font = ImageFont.truetype(folder / "NotoSans[wdth,wght].ttf", size)
    # axes in the order that the font names them: weight, width
    font.set_variation_by_axes([700, 100])
    return font


class Canvas:
    """A picture in the making: on a backdrop of colours from top to bottom, or transparent.

    On a transparent canvas a translucent colour replaces what is there; on a backdrop it
    blends.
    """

    def __init__(self, width: int, height: int, backdrop: Sequence[str] = ()) -> None:
        self.width, self.height = width, height
        size = (width * _FINER, height * _FINER)
        if not backdrop:
            self._image = Image.new("RGBA", size, (0, 0, 0, 0))
            self._draw = ImageDraw.Draw(self._image)
            return
        stops = np.array([ImageColor.getrgb(colour)[:3] for colour in backdrop], dtype=float)
        at = np.linspace(0, len(stops) - 1, size[1])
        column = np.stack([np.interp(at, range(len(stops)), stops[:, i]) for i in range(3)], 1)
        rows = np.repeat(column[:, None, :], size[0], axis=1)
        self._image = Image.fromarray(np.rint(rows).astype(np.uint8))
        self._draw = ImageDraw.Draw(self._image, "RGBA")

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A filled outline."""
        self._draw.polygon([(x * _FINER, y * _FINER) for x, y in points], fill=fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: str) -> None:
        """A filled ellipse around (x, y)."""
        box = [(x - rx) * _FINER, (y - ry) * _FINER, (x + rx) * _FINER, (y + ry) * _FINER]
        self._draw.ellipse(box, fill=fill)

    def ring(self, x: float, y: float, rx: float, ry: float, width: float, fill: str) -> None:
        """The outline of an ellipse around (x, y)."""
        box = [(x - rx) * _FINER, (y - ry) * _FINER, (x + rx) * _FINER, (y + ry) * _FINER]
        self._draw.ellipse(box, outline=fill, width=max(1, round(width * _FINER)))

    def box(
        self, x: float, y: float, width: float, height: float, radius: float, fill: str
    ) -> None:
        """A rectangle with round corners, its upper left at (x, y)."""
        corners = [x * _FINER, y * _FINER, (x + width) * _FINER, (y + height) * _FINER]
        self._draw.rounded_rectangle(corners, radius * _FINER, fill=fill)

    def line(self, points: Sequence[Point], width: float, fill: str) -> None:
        """A line with round joints."""
        scaled = [(x * _FINER, y * _FINER) for x, y in points]
        self._draw.line(scaled, fill=fill, width=max(1, round(width * _FINER)), joint="curve")

    def text(self, x: float, y: float, size: float, words: str, fill: str) -> None:
        """A line of bold text with its middle at (x, y)."""
        font = _font(round(size * _FINER))
        self._draw.text((x * _FINER, y * _FINER), words, font=font, fill=fill, anchor="mm")

    def glow(self, x: float, y: float, radius: float, colour: str, strength: float) -> None:
        """A soft light around (x, y), at most *strength* (0 to 1) of *colour*."""
        reach = round(radius * _FINER)
        away = np.hypot(*np.mgrid[-reach:reach, -reach:reach]) / reach
        alpha = np.rint(255 * strength * np.clip(1 - away, 0, 1) ** 2).astype(np.uint8)
        mask = Image.fromarray(alpha)
        light = Image.new("RGBA", mask.size, colour)
        corner = (round(x * _FINER) - reach, round(y * _FINER) - reach)
        if self._image.mode == "RGB":
            self._image.paste(light, corner, mask)
        else:
            light.putalpha(mask)
            self._image.paste(light, corner)

    def picture(self) -> Picture:
        """The finished picture."""
        size = (self.width, self.height)
        return np.asarray(self._image.resize(size, Image.Resampling.BOX)).copy()


def hills(canvas: Canvas, base: float, height: float, seed: int, colour: str) -> None:
    """A range of rounded hills that stands on the row *base*."""
    dice = Random(seed)
    waves = [(height / (i + 1.6), (i + 1) * 1.7, dice.uniform(0, math.tau)) for i in range(4)]
    ridge = [
        (x, base - height - sum(a * math.sin(f * x / canvas.width * math.pi + p)
                                for a, f, p in waves) * 0.5)
        for x in range(0, canvas.width + 8, 8)
    ]  # fmt: skip
    canvas.polygon([*ridge, (canvas.width, base), (0, base)], colour)


def trees(canvas: Canvas, base: float, size: float, seed: int, colours: Sequence[str]) -> None:
    """A wood along the row *base*; *size* is how tall a tree is, about."""
    dice = Random(seed)
    x = -size
    while x < canvas.width + size:
        tall = size * dice.uniform(0.6, 1.15)
        crown = dice.choice(colours)
        canvas.box(x - tall * 0.04, base - tall * 0.5, tall * 0.08, tall * 0.5, 0, "#4a3a2c")
        for _ in range(5):
            dx, dy = dice.uniform(-0.2, 0.2) * tall, dice.uniform(0.35, 0.8) * tall
            canvas.ellipse(x + dx, base - dy, tall * 0.22, tall * 0.2, crown)
        x += size * dice.uniform(0.25, 0.6)


def poplar(canvas: Canvas, x: float, base: float, tall: float, colour: str, light: str) -> None:
    """A slender tree."""
    canvas.box(x - tall * 0.015, base - tall * 0.2, tall * 0.03, tall * 0.2, 0, "#4a3a2c")
    canvas.ellipse(x, base - tall * 0.55, tall * 0.1, tall * 0.45, colour)
    canvas.ellipse(x - tall * 0.03, base - tall * 0.58, tall * 0.05, tall * 0.36, light)


def reeds(canvas: Canvas, x: float, base: float, tall: float, seed: int, colour: str) -> None:
    """A clump of reeds and cattails around x."""
    dice = Random(seed)
    for _ in range(26):
        foot = x + dice.gauss(0, tall * 0.22)
        lean, up = dice.gauss(0, tall * 0.16), tall * dice.uniform(0.5, 1.0)
        canvas.line([(foot, base), (foot + lean * 0.3, base - up * 0.6), (foot + lean, base - up)],
                    tall * 0.014, colour)  # fmt: skip
        if dice.random() < 0.3:
            canvas.ellipse(foot + lean, base - up, tall * 0.02, tall * 0.08, "#5b3a22")


def cloud(canvas: Canvas, x: float, y: float, size: float, colour: str) -> None:
    """A flat cloud around (x, y)."""
    for dx, dy, r in (
        (-0.6, 0.06, 0.26),
        (-0.2, -0.08, 0.36),
        (0.25, -0.02, 0.32),
        (0.62, 0.08, 0.2),
    ):
        canvas.ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.55, colour)


def arches(canvas: Canvas, base: float, tall: float, count: int, stone: str, shade: str) -> None:
    """An old stone bridge over the whole width; its arches are left open below the deck."""
    span = canvas.width / count
    deck = base - tall
    canvas.box(0, deck - tall * 0.12, canvas.width, tall * 0.12, 0, shade)
    for index in range(count):
        left = index * span
        arch = [
            (
                left + span / 2 - math.cos(a) * span * 0.4,
                base - tall * 0.1 - math.sin(a) * tall * 0.7,
            )
            for a in np.linspace(0, math.pi, 30)
        ]
        canvas.polygon(
            [(left, deck), (left + span, deck), (left + span, base), (left + span * 0.9, base),
             *reversed(arch), (left + span * 0.1, base), (left, base)], stone)  # fmt: skip
        canvas.line(arch, tall * 0.05, shade)


def person(
    canvas: Canvas, x: float, base: float, tall: float, clothes: str, skin: str, hair: str,
    arms: str = "down",
) -> None:  # fmt: skip
    """Somebody who stands at (x, base); *arms* are "down", "up" or "out"."""
    u = tall / 8
    for side in (-1, 1):
        canvas.line([(x + side * 0.45 * u, base), (x + side * 0.4 * u, base - 3.6 * u)], 0.75 * u,
                    "#2f3a56")  # fmt: skip
        hand = {
            "up": (x + side * 1.3 * u, base - 8.6 * u),
            "out": (x + side * 2.1 * u, base - 4.6 * u),
            "down": (x + side * 1.35 * u, base - 3.3 * u),
        }[arms]
        canvas.line([(x + side * 0.9 * u, base - 6.0 * u), hand], 0.55 * u, clothes)
        canvas.ellipse(*hand, 0.36 * u, 0.36 * u, skin)
    canvas.box(x - 1.1 * u, base - 6.4 * u, 2.2 * u, 3.2 * u, 0.7 * u, clothes)
    canvas.ellipse(x, base - 7.45 * u, 0.88 * u, 0.9 * u, hair)
    canvas.ellipse(x, base - 7.2 * u, 0.72 * u, 0.78 * u, skin)


def placard(
    canvas: Canvas, x: float, y: float, width: float, words: Sequence[str], board: str, ink: str
) -> None:
    """A hand-painted sign around (x, y), a line for each of *words*."""
    height = width * (0.2 + 0.2 * len(words))
    canvas.box(x - width / 2 + 3, y - height / 2 + 4, width, height, width * 0.04, "#00000040")
    canvas.box(x - width / 2, y - height / 2, width, height, width * 0.04, board)
    for index, line in enumerate(words):
        row = y + (index - (len(words) - 1) / 2) * width * 0.22
        canvas.text(x, row, width * 0.18, line, ink)


def up_mark(height: int) -> Picture:
    """The mark in the corner: an arrow and the word UP, wrong to the eye if turned or mirrored."""
    size = max(24, height // 11)
    canvas = Canvas(size * 2, size)
    canvas.box(0, 0, size * 2, size, size * 0.28, "#10243acc")
    canvas.polygon(
        [(size * 0.5, size * 0.16), (size * 0.84, size * 0.56), (size * 0.16, size * 0.56)],
        "#ffd166",
    )
    canvas.box(size * 0.38, size * 0.5, size * 0.24, size * 0.34, 0, "#ffd166")
    canvas.text(size * 1.38, size * 0.5, size * 0.56, "UP", "#ffffff")
    return canvas.picture()


def lay(onto: Picture, sprite: Picture, x: float, y: float, opacity: float = 1.0) -> None:
    """Lay an RGBA picture onto an RGB one, its upper left at (x, y); what hangs over is cut."""
    left, top = round(x), round(y)
    x0, y0 = max(0, left), max(0, top)
    x1 = min(onto.shape[1], left + sprite.shape[1])
    y1 = min(onto.shape[0], top + sprite.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    piece = sprite[y0 - top : y1 - top, x0 - left : x1 - left]
    mask = piece[..., 3] if opacity == 1 else np.rint(piece[..., 3] * opacity).astype(np.uint8)
    under = Image.fromarray(onto[y0:y1, x0:x1])
    under.paste(Image.fromarray(piece[..., :3]), mask=Image.fromarray(mask))
    onto[y0:y1, x0:x1] = np.asarray(under)
