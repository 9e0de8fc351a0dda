"""Compare photos of which one has masks: by a small picture, outside of what the masks hide.

The hashes of ``glance`` are of the whole picture, so a mask over a face changes them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.process.glance import SIDE, Glance
from pipeline.process.motion import touched_cells
from pipeline.protection import Mask

_GRID = 16  # cells a side
_MIDDLE = 0.15, 0.7  # of a photo's height that is looked at: where it begins, and how much it is
_LEAST_CELLS = 80  # of 256 that no mask may touch
_LEAST_SPREAD = 4.0  # deviation of a picture that is more than a wall
_SAME = 0.98  # correlation of two pictures

Cells = NDArray[np.bool_]
Small = NDArray[np.float32]


def write(seen: Glance) -> str:
    """Return a photo as text: its brightness in 16 x 16 cells; empty for a film."""
    if seen.rate is not None or not len(seen.pictures):
        return ""
    size = SIDE // _GRID
    cells = seen.pictures[0].reshape(_GRID, size, _GRID, size).mean((1, 3))
    return base64.urlsafe_b64encode(cells.round().astype(np.uint8).tobytes()).decode().rstrip("=")


def read(text: str) -> Small | None:
    """Read what :func:`write` gave; None if it is something else."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    if len(data) != _GRID * _GRID:
        return None
    return np.frombuffer(data, np.uint8).astype(np.float32).reshape(_GRID, _GRID)


def hidden_cells(masks: Iterable[Mask]) -> Cells:
    """Return which cells of a photo masks touch."""
    return touched_cells(masks, _GRID, _MIDDLE)


def are_alike(one: Small, other: Small, hidden: Cells) -> bool:
    """Whether two photos show the same outside of what is hidden in one of them."""
    first, second = one[~hidden], other[~hidden]
    if len(first) < _LEAST_CELLS or min(first.std(), second.std()) < _LEAST_SPREAD:
        return False
    first, second = first - first.mean(), second - second.mean()
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.vdot(first, second)) >= _SAME * size
