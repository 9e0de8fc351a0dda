"""By which movement a film is recognized, whatever was made of it since.

Two films of one room look alike in every picture, and differ in what moves.  So a film is reduced
to a grid of brightness that changes with time, and only the changes are compared.  They stay nearly
the same at another size or rate, with a caption, mirrored or cut, and two events have others.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.process.glance import SIDE, Glance
from pipeline.protection import Mask

Grid = NDArray[np.float32]

GRID = 5  # cells a side
MOST_STEPS = 64  # of a film; a longer one has longer steps
_CELLS = GRID * GRID
_LEVELS = 16  # how often the length of a step may have doubled
_FINEST = 64.0  # parts of a shade of grey
_FLAT_LINE, _SMALLEST = 4.0, 32  # deviation of a line that is a bar; lines that stay
_HEAD = 3 + _CELLS  # bytes
_TOUCHED = 0.1  # of a cell: so much of it may be under a mask and still count


@dataclass(frozen=True)
class MotionMarks:
    """A film as a grid of brightness: its mean, and how each step differs from it.

    ``level``: a step is a quarter of a second, doubled so often.  ``changes`` is (steps, GRID,
    GRID), in shades of grey of 0 to 255.
    """

    level: int
    mean: Grid
    changes: Grid

    @property
    def strength(self) -> float:
        """How much moves: the deviation of the changes, in shades of grey."""
        return float(self.changes.std())

    def at_level(self, level: int) -> MotionMarks:
        """The same film with longer steps.

        :param level: its own one, or the next.
        """
        if level == self.level:
            return self
        return MotionMarks(level, self.mean, _halved(self.changes))


def write(seen: Glance) -> str:
    """Return the marks of a film as text; empty for a photo, and for less than three pictures."""
    if seen.rate is None or len(seen.pictures) < 3:
        return ""
    cells = _cells(seen)
    level = 0
    while len(cells) > MOST_STEPS:
        cells, level = _halved(cells), level + 1
    mean = cells.mean(0)
    changes = cells - mean
    unit = max(1, int(np.ceil(np.abs(changes).max() / 127 * _FINEST)))
    parts = np.round(changes / (unit / _FINEST)).astype(np.int8)
    head = bytes([level]) + unit.to_bytes(2, "big") + np.round(mean).astype(np.uint8).tobytes()
    return base64.urlsafe_b64encode(head + parts.tobytes()).decode().rstrip("=")


def read(text: str) -> MotionMarks | None:
    """Read what :func:`write` gave; None if it is something else."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    steps, beyond = divmod(len(data) - _HEAD, _CELLS)
    if not 1 <= steps <= MOST_STEPS or beyond or data[0] >= _LEVELS:
        return None
    unit = int.from_bytes(data[1:3], "big") / _FINEST
    mean = np.frombuffer(data, np.uint8, _CELLS, 3).astype(np.float32)
    parts = np.frombuffer(data, np.int8, -1, _HEAD).astype(np.float32) * np.float32(unit)
    return MotionMarks(data[0], mean.reshape(GRID, GRID), parts.reshape(steps, GRID, GRID))


def touched_cells(
    masks: Iterable[Mask], grid: int = GRID, rows: tuple[float, float] = (0.0, 1.0)
) -> NDArray[np.bool_]:
    """Return which cells of a picture masks touch, at any moment.

    :param grid: how many cells a side has.
    :param rows: the part of the height that is seen: where it begins, and how much it is.
    """
    cells = np.zeros((grid, grid), np.bool_)
    begin, part = rows
    for mask in masks:
        points = mask.points
        for one, other in zip(points, points[1:] or points, strict=False):
            tops = [(each.y - begin) / part for each in (one, other)]
            bottoms = [(each.y + each.height - begin) / part for each in (one, other)]
            lefts = [each.x for each in (one, other)]
            rights = [each.x + each.width for each in (one, other)]
            down = _stretch(grid * min(tops), grid * max(bottoms))
            cells[down, _stretch(grid * min(lefts), grid * max(rights))] = True
    return cells


def _stretch(begin: float, end: float) -> slice:
    first, stop = math.floor(begin + _TOUCHED), math.ceil(end - _TOUCHED)
    return slice(max(0, first), max(0, stop))


def _cells(seen: Glance) -> Grid:
    """The mean brightness of each cell of each picture, without bars around the picture."""
    lines, columns = (_span(seen, axis) for axis in (2, 1))
    edges = [
        np.linspace(first, stop, GRID + 1).round().astype(int) for first, stop in (lines, columns)
    ]
    sizes = np.outer(*map(np.diff, edges)).astype(np.float32)
    found = [
        np.add.reduceat(
            np.add.reduceat(
                picture[: edges[0][-1], : edges[1][-1]], edges[0][:-1], axis=0, dtype=np.float32
            ),
            edges[1][:-1],
            axis=1,
        )
        / sizes
        for picture in seen.pictures
    ]
    return np.stack(found)


def _span(seen: Glance, axis: int) -> tuple[int, int]:
    """The first line that is not part of a bar, and the one after the last such line."""
    means = seen.pictures.mean((0, axis), dtype=np.float32)
    squares = np.stack([np.square(p, dtype=np.float32).mean(axis - 1) for p in seen.pictures])
    used = np.flatnonzero(np.sqrt(np.maximum(squares.mean(0) - means**2, 0)) > _FLAT_LINE)
    if not len(used) or used[-1] + 1 - used[0] < _SMALLEST:
        return 0, SIDE
    return int(used[0]), int(used[-1]) + 1


def _halved(cells: Grid) -> Grid:
    """Join each two steps into one; a last one without a partner stays."""
    pairs = cells[: len(cells) // 2 * 2].reshape(-1, 2, GRID, GRID).mean(1)
    return np.concatenate([pairs, cells[len(cells) // 2 * 2 :]])
