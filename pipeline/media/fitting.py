"""Where a picture lies in a frame of another shape: whole in its middle, or larger than the frame.

A photo moves slowly by whole pixels, and does not leave the frame.
"""

from dataclasses import dataclass
from fractions import Fraction

from pipeline.config import Output

SLIVER = Fraction(15, 1000)  # a gap this narrow gets no fill
_LONGEST_DRIFT = Fraction(1, 20)  # of the frame's width


@dataclass(frozen=True)
class Rect:
    """A rectangle in pixels of the frame, on even numbers."""

    x: int
    y: int
    width: int
    height: int


def fitted(aspect: Fraction, width: int, height: int) -> Rect:
    """Return the largest even rectangle of *aspect* in the middle of a frame.

    Where less than 1.5 % would be left beside it, it is the whole frame.
    """
    if abs(aspect * height / width - 1) < SLIVER:
        return Rect(0, 0, width, height)
    if aspect * height > width:
        inner = min(height, even(Fraction(width) / aspect))
        return Rect(0, _half_even(height - inner), width, inner)
    inner = min(width, even(height * aspect))
    return Rect(_half_even(width - inner), 0, inner, height)


def drift(frames: int, width: int) -> tuple[int, int]:
    """Return how a photo shown for *frames* moves to the right, by at most 5 % of *width*.

    :returns: the number of frames for each pixel, and the pixels in all.
    """
    longest = int(width * _LONGEST_DRIFT)
    every = -(-frames // max(1, longest))
    return every, (frames - 1) // every


def place(aspect: Fraction, output: Output, frames: int | None) -> Rect:
    """Return where in the frame a photo begins.

    :param frames: how long it moves; None for a photo that does not.
    """
    distance = drift(frames, output.width)[1] if frames is not None else 0
    if output.fit == "crop":
        return Rect(0, 0, output.width, output.height)
    rect = fitted(aspect, output.width - distance - distance % 2, output.height)
    left = (output.width - rect.width - distance) // 2 if frames is not None else rect.x
    return Rect(left, rect.y, rect.width, rect.height)


def size_to_cover(aspect: Fraction, width: int, height: int) -> tuple[int, int]:
    """Return the size of a picture whose middle fills a frame."""
    if aspect * height > width:
        return max(width, even(height * aspect)), height
    return width, max(height, even(Fraction(width) / aspect))


def even(value: Fraction) -> int:
    """Round to an even number, at least 2."""
    return max(2, round(value / 2) * 2)


def _half_even(rest: int) -> int:
    """Half of a length, rounded down to an even number."""
    return rest // 4 * 2


@dataclass(frozen=True)
class SourcePlace:
    """Where the source picture lies in a frame, in pixels; it may be larger than the frame.

    ``moves`` is by how many pixels it moves to the right in a second.
    """

    x: float
    y: float
    width: int
    height: int
    moves: float


def source_place(aspect: Fraction, output: Output, frames: int | None) -> SourcePlace:
    """Return where a source picture lies in the frame of an output.

    :param frames: how long a photo moves; None for what does not move.
    """
    every, distance = drift(frames, output.width) if frames is not None else (1, 0)
    pace = output.fps / every if distance else 0.0
    if output.fit == "crop":
        wide = output.width + distance + distance % 2
        width, height = size_to_cover(aspect, wide, output.height)
        left, top = (wide - width) / 2, (output.height - height) / 2
        return SourcePlace(left, top, width, height, -pace)
    rect = place(aspect, output, frames)
    return SourcePlace(rect.x, rect.y, rect.width, rect.height, pace)
