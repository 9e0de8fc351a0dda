"""Painted pictures that can be recognised in a clip: markers, a circle, numbers."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
GREY, RED, GREEN, BLUE = (110, 110, 110), (230, 30, 30), (20, 200, 40), (30, 40, 220)
BITS = 8

# The eight ways a picture may be stored (Exif 2.32, tag 274; ISO/IEC 14496-12, section 8.3.2):
# how the stored one is made from the upright one, and the matrix a, b, c, d that undoes it.
STANDINGS: dict[int, tuple[Callable[[Pixels], Pixels], tuple[int, int, int, int]]] = {
    1: (lambda p: p, (1, 0, 0, 1)),
    2: (lambda p: p[:, ::-1], (-1, 0, 0, 1)),
    3: (lambda p: p[::-1, ::-1], (-1, 0, 0, -1)),
    4: (lambda p: p[::-1], (1, 0, 0, -1)),
    5: (lambda p: p.transpose(1, 0, 2), (0, 1, 1, 0)),
    6: (lambda p: p.transpose(1, 0, 2)[::-1], (0, 1, -1, 0)),
    7: (lambda p: p[::-1, ::-1].transpose(1, 0, 2), (0, -1, -1, 0)),
    8: (lambda p: p.transpose(1, 0, 2)[:, ::-1], (0, -1, 1, 0)),
}


def board(width: int, height: int, stretch: float = 1.0) -> Pixels:
    """A red marker in the upper left corner, a blue one in the lower left, a green circle.

    :param stretch: how much wider than high a pixel will be shown; the circle allows for it.
    """
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = GREY
    side = height // 5
    wide = round(side / stretch)
    picture[:side, :wide] = RED
    picture[-side:, :wide] = BLUE
    y, x = np.mgrid[:height, :width] + 0.5
    radius = min(height, width * stretch) * 0.3
    circle = ((x - width / 2) * stretch) ** 2 + (y - height / 2) ** 2 <= radius**2
    picture[circle] = GREEN
    return picture


def mask(picture: Pixels, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Where a picture has a colour, or a colour nearer to it than to the others of the board."""
    others = np.array([GREY, RED, GREEN, BLUE, (0, 0, 0), (255, 255, 255)], float)
    away = ((picture[:, :, None].astype(float) - others) ** 2).sum(-1)
    wanted = [tuple(map(int, other)) for other in others].index(colour)
    near: NDArray[np.bool_] = (away.argmin(-1) == wanted) & (away.min(-1) < 60**2)
    return near


def extent(found: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom (exclusive) of what was found."""
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def turned(mp4: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """A film whose first track is shown through a matrix (its first box ``tkhd``)."""
    at = mp4.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    packed = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return mp4[:at] + packed + mp4[at + 36 :]


def numbered(number: int, width: int = 160, height: int = 90) -> Pixels:
    """A picture with a number painted on it as eight blocks, black for 0 and white for 1."""
    picture = np.full((height, width, 3), 128, np.uint8)
    block = width // BITS
    for bit in range(BITS):
        picture[height // 4 : height // 2, bit * block : (bit + 1) * block] = (
            255 if number >> bit & 1 else 0
        )
    return picture


def number(picture: Pixels, left: int = 0, width: int | None = None) -> int:
    """The number on a picture that shows all of ``numbered`` from *left*, *width* wide."""
    height = picture.shape[0]
    block = (width or picture.shape[1]) / BITS
    row = picture[height * 3 // 8 - 2 : height * 3 // 8 + 2].mean((0, 2))
    places = (int(left + (bit + 0.5) * block) for bit in range(BITS))
    return sum((row[place - 1 : place + 2].mean() > 128) << bit for bit, place in enumerate(places))
