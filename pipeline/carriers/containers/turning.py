"""What a file says is to be done to its picture before it is shown: cutting and turning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_ROTATIONS = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}
_TURNED = 5  # from here on, lines become columns


@dataclass(frozen=True)
class Crop:
    """Only this rectangle of the picture is shown, in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Turn:
    """The picture is turned and mirrored; *orientation* is a number of EXIF (tag 274), 1 to 8."""

    orientation: int

    @property
    def rotation(self) -> int:
        """The clockwise turn in degrees."""
        return _ROTATIONS.get(self.orientation, 0)


Step = Crop | Turn


def turns(orientation: int) -> tuple[Step, ...]:
    """The step for an orientation of EXIF; none where the picture is upright."""
    return (Turn(orientation),) if orientation > 1 else ()


def size_after(steps: Sequence[Step], width: int, height: int) -> tuple[int, int]:
    """The size of a picture after *steps*."""
    for step in steps:
        if isinstance(step, Crop):
            width, height = step.width, step.height
        elif step.orientation >= _TURNED:
            width, height = height, width
    return width, height


def rotation_of(steps: Sequence[Step]) -> int:
    """How far *steps* turn a picture clockwise, in degrees."""
    return sum(step.rotation for step in steps if isinstance(step, Turn)) % 360
