"""Masks over the picture of a clip: painted as small gray pictures, and laid on in the one encode.

A mask is painted in cells of a few pixels.  A cell is covered as a whole as soon as the area
touches it, so a mask is only ever larger than what was drawn, also where chroma has half the size.
The picture was scaled before, which mixes each pixel with its neighbours, so the area also grows
by as many pixels as scaling can reach.  FFmpeg's ``overlay`` is exact where a mask is opaque;
``maskedmerge`` would leave a 256th of the picture.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.ffmpeg.graph import Video, masked, overlay, read

_CELL = 4  # pixels; twice as many where the picture is large
_LARGE = 1920 * 1200  # pixels
_BLUR_SCALE = 8
BLACK: Final = {"y": 16, "u": 128, "v": 128}


@dataclass(frozen=True)
class Canvas:
    """A picture that masks are laid on, in pixels, and where in it the source picture lies.

    The source picture may be larger than the canvas, where its edges were cut off.  ``margin`` is
    by how many pixels an area grows on each side.  An area covers all places where it may be: there
    its distance from the middle of the canvas and its size are up to ``spread`` times as large.
    Before that it grows by ``slack``.
    """

    width: int
    height: int
    left: float
    top: float
    across: float
    down: float
    margin: float
    spread: float = 1.0
    slack: float = 0.0

    @property
    def cell(self) -> int:
        """The side of a cell in pixels."""
        return _CELL if self.width * self.height <= _LARGE else 2 * _CELL

    @property
    def columns(self) -> int:
        """How many cells a line has; the last one may reach beyond the picture."""
        return -(-self.width // self.cell)

    @property
    def rows(self) -> int:
        """How many lines of cells there are."""
        return -(-self.height // self.cell)


@dataclass(frozen=True)
class Cover:
    """Files with the painted masks of a canvas: a picture for each picture of the clip.

    Where they have only one picture, it is for the whole clip.  None: nothing has that fill.
    """

    canvas: Canvas
    fps: int
    solid: Path | None
    blurred: Path | None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files."""
        return tuple(path for path in (self.solid, self.blurred) if path is not None)

    def laid_on(self, stream: Video) -> Video:
        """Cover a picture of the canvas' size, in 4:2:0."""
        if self.blurred is not None:
            stream = self._covered(stream, self.blurred, self._blur)
        if self.solid is not None:
            stream = self._covered(stream, self.solid, _black)
        return stream

    def _covered(self, stream: Video, path: Path, fill: Callable[[Video], Video]) -> Video:
        canvas, below = self.canvas, stream.split(2)
        shape = read(path, {"f": "png_pipe", "framerate": self.fps}).video("0")
        size = (canvas.columns * canvas.cell, canvas.rows * canvas.cell)
        shape = shape.filter("format", "gray").filter("scale", *size, flags="neighbor")
        shape = shape.filter("crop", canvas.width, canvas.height, 0, 0)
        return overlay(below[0], masked(fill(below[1]), shape), format="yuv420")

    def _blur(self, stream: Video) -> Video:
        width, height = self.canvas.width, self.canvas.height
        small = [max(2, side // _BLUR_SCALE) for side in (width, height)]
        sigma = round(max(2.0, small[1] / 10), 2)
        stream = stream.filter("scale", *small, flags="area").filter("gblur", sigma=sigma, steps=3)
        return stream.filter("scale", width, height, flags="bilinear")


def _black(stream: Video) -> Video:
    return stream.filter("lutyuv", **BLACK)
