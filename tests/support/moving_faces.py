"""Films in which a portrait moves over a ground, so that the place of the face is known.

The portrait is the photo of Eileen Collins by NASA, in the public domain, which scikit-image
brings.  The box of the face was measured by hand, from the hair above the forehead to the chin.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from support.clip_scene import Pixels

_PORTRAIT = "skimage/data/astronaut.png"
_CUT = (110, 10, 360, 300)  # of the photo: left, top, right, bottom
_FACE = (176, 70, 264, 176)  # the same


@dataclass(frozen=True)
class FacePlace:
    """Where the face is in a picture, in points."""

    left: float
    top: float
    right: float
    bottom: float


def portrait() -> Image.Image:
    """The photo as far as it is shown."""
    path = Path(str(importlib.metadata.distribution("scikit-image").locate_file(_PORTRAIT)))
    return Image.open(path).convert("RGB").crop(_CUT)


def face_in(left: float, top: float, scale: float) -> FacePlace:
    """The place of the face in a portrait that is shown at a place, *scale* times as large."""
    sides = [scale * (side - _CUT[index % 2]) for index, side in enumerate(_FACE)]
    return FacePlace(left + sides[0], top + sides[1], left + sides[2], top + sides[3])


def moving(
    size: tuple[int, int], places: Sequence[tuple[int, int] | None], scale: float
) -> tuple[list[Pixels], list[FacePlace | None]]:
    """The pictures of a film and the face in each; where the place is None there is none."""
    whole = portrait()
    shown = whole.resize((round(whole.width * scale), round(whole.height * scale)))
    rows, columns = np.mgrid[: size[1], : size[0]]
    shades = [96 + 20 * np.sin(columns / 11 + step) * np.cos(rows / 17 - step) for step in range(3)]
    ground = Image.fromarray(np.stack(shades, -1).astype(np.uint8))
    pictures, faces = [], []
    for place in places:
        picture = ground.copy()
        if place is not None:
            picture.paste(shown, place)
        pictures.append(np.asarray(picture))
        faces.append(None if place is None else face_in(*place, scale))
    return pictures, faces
