"""How a picture of one shape stands in a frame of another: whole over a fill, or cut to fit.

Never stretched.  Photos move slowly, by whole pixels at an even pace so that nothing
trembles, and without leaving the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ffmpeg

from pipeline.config import Output
from pipeline.media import colour
from pipeline.media.probe import Picture

_BLUR_SCALE = 8  # the fill is blurred at an eighth of its size
_LONGEST_DRIFT = Fraction(1, 20)  # of the frame's width
_SLIVER = Fraction(15, 1000)  # a gap that is not worth a fill


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the frame, on even numbers."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Drift:
    """A photo's movement to the right: one pixel every *every* frames, *way* pixels in all."""

    every: int
    way: int


def fitted(aspect: Fraction, width: int, height: int) -> Box:
    """The largest even rectangle of *aspect* in the middle of a frame.

    Where less than 1.5 % would be left beside it, the picture is the frame.
    """
    if abs(aspect * height / width - 1) < _SLIVER:
        return Box(0, 0, width, height)
    if aspect * height > width:
        inner = min(height, _even(Fraction(width) / aspect))
        return Box(0, _even_floor(height - inner), width, inner)
    inner = min(width, _even(height * aspect))
    return Box(_even_floor(width - inner), 0, inner, height)


def drift(frames: int, width: int) -> Drift:
    """The pace at which a photo that is shown for *frames* moves at most 5 % of *width*."""
    longest = int(width * _LONGEST_DRIFT)
    every = -(-frames // max(1, longest))
    return Drift(every, (frames - 1) // every)


def moving(stream: Any, picture: Picture, output: Output) -> Any:
    """Moving pictures in the output's frame."""
    if output.fit == "crop":
        return _cut(stream, picture, output.width, output.height)
    box = fitted(picture.aspect, output.width, output.height)
    front = colour.scaled(stream, picture, box.width, box.height)
    if (box.width, box.height) == (output.width, output.height):
        return front
    front, behind = _pair(front)
    return ffmpeg.overlay(_fill(behind, output), front, x=box.x, y=box.y, format="yuv420")


def still(stream: Any, picture: Picture, output: Output) -> Any:
    """A photo in the output's frame: one picture, at rest."""
    return moving(stream, picture, output)


def drifting(stream: Any, picture: Picture, output: Output, frames: int) -> Any:
    """A photo that moves through the output's frame, *frames* long."""
    pace = drift(frames, output.width)
    step = f"floor(n/{pace.every})"
    if output.fit == "crop":
        wide = _cut(stream, picture, output.width + pace.way + pace.way % 2, output.height)
        held = hold(wide, output.fps, "yuv444p")
        return held.filter("crop", output.width, output.height, step, 0)
    box = place(picture, output, frames)
    front, behind = _pair(colour.scaled(stream, picture, box.width, box.height))
    return ffmpeg.overlay(
        hold(_fill(behind, output), output.fps, "yuv444p"),
        hold(front, output.fps, "yuv444p"),
        x=f"{box.x}+{step}",
        y=box.y,
        format="yuv444",
    )


def place(picture: Picture, output: Output, frames: int | None) -> Box:
    """Where in the frame a photo is at first; *frames* is how long it moves, None at rest."""
    way = drift(frames, output.width).way if frames is not None else 0
    if output.fit == "crop":
        return Box(0, 0, output.width, output.height)
    box = fitted(picture.aspect, output.width - way - way % 2, output.height)
    left = (output.width - box.width - way) // 2 if frames is not None else box.x
    return Box(left, box.y, box.width, box.height)


def hold(stream: Any, fps: int, pixel_format: str = "yuv420p") -> Any:
    """One picture for ever, at *fps*."""
    return (
        stream.filter("format", pixel_format)
        .filter("loop", loop=-1, size=1)
        .filter("settb", f"1/{fps}")
        .filter("setpts", "N")
        # moves nothing, but tells the encoder the rate, which stands in the parameter sets
        .filter("fps", fps=fps)
    )


def _cut(stream: Any, picture: Picture, width: int, height: int) -> Any:
    """The middle of the picture, as large as the frame."""
    if picture.aspect * height > width:
        inner = max(width, _even(height * picture.aspect))
        covering = colour.scaled(stream, picture, inner, height)
    else:
        inner = max(height, _even(Fraction(width) / picture.aspect))
        covering = colour.scaled(stream, picture, width, inner)
    return covering.filter("crop", width, height)


def _fill(stream: Any, output: Output) -> Any:
    """The frame filled with the picture itself, blurred and darkened so that it keeps quiet."""
    width = _even(Fraction(output.width, _BLUR_SCALE))
    height = _even(Fraction(output.height, _BLUR_SCALE))
    return (
        stream.filter(
            "scale", width, height, force_original_aspect_ratio="increase", flags="bilinear"
        )
        .filter("crop", width, height)
        .filter("gblur", sigma=round(max(1.5, height / 24), 2), steps=2)
        .filter("lutyuv", y="(val-16)*0.55+16")
        .filter("scale", output.width, output.height, flags="bilinear")
        .filter("setsar", 1)
    )


def _pair(stream: Any) -> tuple[Any, Any]:
    parts = stream.filter_multi_output("split", 2)
    return parts[0], parts[1]


def _even(value: Fraction) -> int:
    return max(2, round(value / 2) * 2)


def _even_floor(rest: int) -> int:
    return rest // 4 * 2
