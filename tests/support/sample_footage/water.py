"""A river that moves: the picture above it is mirrored and bent by waves.

The surface is a plane seen at a low angle, so waves are closer together and lower near the
horizon.  Each picture depends only on the time in seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from .paint import Picture, lay

_Plane = NDArray[np.float32]


@dataclass(frozen=True)
class WaterStyle:
    """How water looks: its own colour far and near, the colour of its glints, how rough it is.

    ``sun`` is where the glints gather, as a part of the width; ``calm`` below 1 is smoother.
    """

    far: str
    near: str
    glint: str
    sun: float = 0.5
    spread: float = 0.16
    calm: float = 1.0
    mirror: float = 0.62


class Water:
    """The surface, *width* × *height* pixels, of one look."""

    def __init__(self, width: int, height: int, look: WaterStyle) -> None:
        self.width, self.height, self.look = width, height, look
        depth = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
        across = (np.arange(width, dtype=np.float32) / width - 0.5)[None, :]
        far = 1 / (depth + 0.3)
        aside = across * far
        waves = ((20.0, 15.0, 2.1), (-15.0, 24.0, 1.6), (33.0, 36.0, 3.2))
        self._phases: list[tuple[_Plane, float]] = [
            ((kx * aside + kz * far * 1.4).astype(np.float32), speed) for kx, kz, speed in waves
        ]
        self._rows = np.arange(height, dtype=np.float32)[:, None]
        self._columns = np.arange(width, dtype=np.float32)[None, :]
        self._lift = ((0.6 + 6 * depth) * look.calm * height / 300).astype(np.float32)
        colours = [np.array(ImageColor.getrgb(c)[:3], np.float32) for c in (look.far, look.near)]
        own = colours[0] + (colours[1] - colours[0]) * depth
        # flat water far away mirrors more than what one looks down into (Fresnel)
        self._mirror = (look.mirror * (1.15 - 0.6 * depth)).astype(np.float32)
        self._own = (own * (1 - self._mirror)).astype(np.float32)
        path = np.exp(-(((across - look.sun + 0.5) / (look.spread * (0.5 + depth))) ** 2))
        self._path = path.astype(np.float32)
        self._light = np.array(ImageColor.getrgb(look.glint)[:3], np.float32)

    def under(self, above: Picture, time: float) -> Picture:
        """*above* with this water below it, at *time*."""
        first, second, third = (
            np.sin(phase - np.float32(speed * 1.6 * time)) for phase, speed in self._phases
        )
        crest = first + second + 0.7 * third
        height = above.shape[0]
        rows = height - 1 - (self._rows * 0.92 + self._lift * crest)
        columns = self._columns + self._lift * (second - first) * 0.7
        source = np.clip(rows, 0, height - 1).astype(np.int32) * np.int32(self.width)
        source += np.clip(columns, 0, self.width - 1).astype(np.int32)
        glint = np.clip((crest - 1.35) * 1.6, 0, 1) * self._path * np.float32(0.85)
        shade = (1 + np.float32(0.05) * crest) * (1 - glint)
        picture = np.empty((height + self.height, self.width, 3), np.uint8)
        picture[:height] = above
        # a colour at a time: numpy is slow where the innermost axis has three elements
        for index in range(3):
            plane = np.take(np.ascontiguousarray(above[..., index]), source).astype(np.float32)
            plane *= self._mirror
            plane += self._own[:, index : index + 1]
            plane *= shade
            plane += glint * self._light[index]
            picture[height:, :, index] = np.minimum(plane, 255)
        return picture


def afloat(onto: Picture, sprite: Picture, x: float, y: float, time: float) -> None:
    """Put something on the water: the middle of its lower edge at (x, y), mirrored below."""
    height, width = sprite.shape[:2]
    bob = math.sin(time * 2.3 + x * 0.01) * height * 0.012
    left, line = x - width / 2, y + bob
    image = sprite[::-1][::2]
    rows = np.arange(image.shape[0])[:, None]
    sway = np.sin(rows * 0.55 - time * 6) * (1 + rows * 0.05)
    columns = np.clip(np.rint(np.arange(width)[None, :] - sway), 0, width - 1).astype(np.int32)
    image = image[rows, columns]
    fade = 0.42 * (1 - rows / len(rows))
    image[..., 3] = (image[..., 3] * fade).astype(np.uint8)
    lay(onto, image, left, line)
    lay(onto, sprite, left, line - height)
