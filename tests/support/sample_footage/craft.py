"""What floats: boats, lanterns, ducks, each a small transparent picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .paint import Canvas, Picture, person

SKINS = ("#f0c8a0", "#8d5a3b", "#c98d5f", "#5e3b28", "#e6b48c")
HAIRS = ("#2b1d14", "#6b4423", "#111111", "#b5803a", "#3d2b1f")


def _hull(canvas: Canvas, length: float, base: float, deep: float, colour: str) -> None:
    middle = canvas.width / 2
    canvas.polygon(
        [(middle - length / 2, base - deep), (middle + length / 2, base - deep * 1.15),
         (middle + length * 0.4, base), (middle - length * 0.4, base)], colour)  # fmt: skip
    canvas.line([(middle - length / 2, base - deep), (middle + length / 2, base - deep * 1.15)],
                deep * 0.16, "#fff4dd")  # fmt: skip


def rowboat(length: int, colour: str, clothes: Sequence[str], stroke: float = 0.0) -> Picture:
    """A rowing boat, a rower for each of *clothes*, the oars at *stroke* (radians)."""
    canvas = Canvas(round(length * 1.5), round(length * 0.55))
    base = float(canvas.height)
    step = length * 0.62 / max(1, len(clothes))
    first = canvas.width / 2 - step * (len(clothes) - 1) / 2
    seats = [
        first + index * step + math.cos(stroke) * length * 0.015 for index in range(len(clothes))
    ]
    for index, (seat, cloth) in enumerate(zip(seats, clothes, strict=True)):
        look = (cloth, SKINS[index % 5], HAIRS[index % 5])
        person(canvas, seat, base + length * 0.1, length * 0.42, *look, "out")
    _hull(canvas, length, base, length * 0.1, colour)
    for seat in seats:
        blade = seat + length * (0.06 + 0.15 * math.cos(stroke))
        dip = base - length * (0.035 - 0.03 * math.sin(stroke))
        canvas.line([(seat + length * 0.05, base - length * 0.16), (blade, dip)], 3, "#f0dcb4")
        canvas.ellipse(blade, dip, length * 0.014, length * 0.03, "#f0dcb4")
    return canvas.picture()


def sailboat(length: int, hull: str, sail: str, words: str = "") -> Picture:
    """A sailing boat, with *words* on a banner between its masts where there are any."""
    canvas = Canvas(round(length * 1.2), round(length * 1.2))
    base, middle = canvas.height - 2.0, canvas.width / 2
    mast = [(middle, base - length * 0.1), (middle, base - length * 1.12)]
    canvas.line(mast, length * 0.022, "#6b4a2f")
    canvas.polygon(
        [
            (middle + 3, base - length * 1.08),
            (middle + length * 0.42, base - length * 0.2),
            (middle + 3, base - length * 0.2),
        ],
        sail,
    )
    canvas.polygon(
        [
            (middle - 3, base - length * 0.98),
            (middle - length * 0.36, base - length * 0.2),
            (middle - 3, base - length * 0.2),
        ],
        "#fff8ea",
    )
    canvas.polygon([(middle, base - length * 1.12), (middle + length * 0.16, base - length * 1.07),
                    (middle, base - length * 1.02)], "#e4572e")  # fmt: skip
    _hull(canvas, length, base, length * 0.14, hull)
    if words:
        canvas.text(middle, base - length * 0.066, length * 0.085, words, "#ffffff")
    return canvas.picture()


def barge(length: int, words: str, colour: str) -> Picture:
    """A festive barge: people, flags, and a banner with *words*."""
    canvas = Canvas(length, round(length * 0.52))
    base, middle = canvas.height - 2.0, canvas.width / 2
    clothes = ("#e4572e", "#ffd166", "#3fa7d6", "#59cd90", "#ee6c9a", "#9b5de5")
    for index, cloth in enumerate(clothes):
        x = middle + (index - 2.5) * length * 0.125
        person(canvas, x, base - length * 0.05, length * 0.25, cloth, SKINS[index % 5],
               HAIRS[(index * 2) % 5], "up" if index % 2 else "down")  # fmt: skip
    for side in (-1, 1):
        pole = middle + side * length * 0.42
        canvas.line([(pole, base), (pole, base - length * 0.46)], length * 0.012, "#6b4a2f")
    for index in range(14):
        x = middle + (index - 6.5) * length * 0.06
        y = base - length * (0.43 - 0.07 * math.cos((index - 6.5) / 6.5 * math.pi / 2))
        canvas.polygon([(x - length * 0.02, y), (x + length * 0.02, y), (x, y + length * 0.045)],
                       clothes[index % 6])  # fmt: skip
    _hull(canvas, length * 0.94, base, length * 0.13, colour)
    canvas.text(middle, base - length * 0.062, length * 0.085, words, "#ffffff")
    return canvas.picture()


def kayak(length: int, colour: str, cloth: str, stroke: float) -> Picture:
    """A kayak from the side, its paddle at *stroke* (radians)."""
    canvas = Canvas(round(length * 1.1), round(length * 0.5))
    base, middle = float(canvas.height), canvas.width / 2
    person(canvas, middle, base + length * 0.12, length * 0.42, cloth, SKINS[1], HAIRS[2], "out")
    dx, dy = math.cos(stroke) * length * 0.3, math.sin(stroke) * length * 0.12
    hub = base - length * 0.15
    canvas.line([(middle - dx, hub - dy), (middle + dx, hub + dy)], length * 0.014, "#f7e7c6")
    for side in (-1, 1):
        canvas.ellipse(
            middle + side * dx, hub + side * dy, length * 0.035, length * 0.02, "#e4572e"
        )
    canvas.polygon([(middle - length / 2, base - length * 0.075), (middle, base - length * 0.085),
                    (middle + length / 2, base - length * 0.075), (middle + length * 0.32, base),
                    (middle - length * 0.32, base)], colour)  # fmt: skip
    return canvas.picture()


def paper_boat(size: int, colour: str, shade: str) -> Picture:
    """A folded paper boat."""
    canvas = Canvas(size, round(size * 0.62))
    w, h = float(size), size * 0.62
    canvas.polygon([(w * 0.5, 0), (w * 0.72, h * 0.62), (w * 0.28, h * 0.62)], shade)
    canvas.polygon([(w * 0.5, 0), (w * 0.72, h * 0.62), (w * 0.5, h * 0.62)], colour)
    canvas.polygon(
        [(0, h * 0.45), (w * 0.5, h * 0.62), (w, h * 0.45), (w * 0.76, h), (w * 0.24, h)], colour
    )
    canvas.polygon([(0, h * 0.45), (w * 0.5, h * 0.62), (w * 0.24, h)], shade)
    return canvas.picture()


def lantern(size: int) -> Picture:
    """A paper lantern with a light in it, on a little raft."""
    canvas = Canvas(size * 2, size * 2)
    middle, base = float(size), size * 2 - 2.0
    canvas.glow(middle, base - size * 0.5, size, "#ffb347", 0.55)
    canvas.box(
        middle - size * 0.3, base - size * 0.8, size * 0.6, size * 0.72, size * 0.08, "#ff9f43"
    )
    canvas.box(
        middle - size * 0.18, base - size * 0.66, size * 0.36, size * 0.5, size * 0.08, "#ffe6a3"
    )
    canvas.box(middle - size * 0.45, base - size * 0.1, size * 0.9, size * 0.1, 0, "#6b3e1f")
    return canvas.picture()


def duck(size: int) -> Picture:
    """A duck that swims to the right."""
    canvas = Canvas(size, round(size * 0.8))
    h = size * 0.8
    canvas.polygon([(0, h * 0.55), (size * 0.3, h * 0.66), (size * 0.2, h * 0.95)], "#5f4630")
    canvas.ellipse(size * 0.42, h * 0.82, size * 0.36, h * 0.26, "#8a6a4a")
    canvas.ellipse(size * 0.38, h * 0.76, size * 0.22, h * 0.13, "#d8c7ae")
    canvas.line([(size * 0.66, h * 0.75), (size * 0.7, h * 0.35)], size * 0.12, "#1f6f50")
    canvas.ellipse(size * 0.72, h * 0.26, size * 0.13, h * 0.17, "#1f6f50")
    canvas.polygon([(size * 0.82, h * 0.2), (size, h * 0.3), (size * 0.82, h * 0.36)], "#f4a52e")
    canvas.ellipse(size * 0.76, h * 0.22, size * 0.02, h * 0.025, "#ffffff")
    return canvas.picture()


def fish(size: int, colour: str, fin: str, light: str) -> Picture:
    """A fish that swims to the right."""
    canvas = Canvas(size, round(size * 0.6))
    h = size * 0.6
    canvas.polygon(
        [(size * 0.3, h * 0.5), (0, h * 0.15), (size * 0.08, h * 0.5), (0, h * 0.85)], fin
    )
    canvas.polygon([(size * 0.45, h * 0.3), (size * 0.55, 0), (size * 0.75, h * 0.3)], fin)
    canvas.ellipse(size * 0.6, h * 0.5, size * 0.38, h * 0.34, colour)
    canvas.ellipse(size * 0.6, h * 0.62, size * 0.3, h * 0.18, light)
    canvas.polygon([(size * 0.52, h * 0.55), (size * 0.4, h * 0.85), (size * 0.66, h * 0.6)], fin)
    canvas.ellipse(size * 0.84, h * 0.42, size * 0.035, size * 0.035, "#ffffff")
    canvas.ellipse(size * 0.85, h * 0.42, size * 0.018, size * 0.018, "#101820")
    return canvas.picture()
