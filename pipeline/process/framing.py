"""How a picture is placed in a frame of another shape: whole over a blurred fill, or cropped.

It is never stretched.  Photos move slowly by whole pixels at a constant pace, so that nothing
trembles, and they do not leave the frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pipeline.carriers.containers import turning
from pipeline.carriers.containers.turning import Crop, Step
from pipeline.config import Output
from pipeline.ffmpeg.graph import InputFile, Video, masked, overlay, tiled
from pipeline.media import colour
from pipeline.media.fitting import (
    SLIVER,
    drift,
    even,
    fitted,
    place,
    size_to_cover,
    source_place,
)
from pipeline.media.probed import Picture
from pipeline.process import covering
from pipeline.process.covering import Canvas, Cover

_BLUR_SCALE = 8  # the fill is blurred at an eighth of its size
_TRANSPOSED = {5: "cclock_flip", 6: "clock", 7: "clock_flip", 8: "cclock"}  # by EXIF
_ORIENTATIONS = {90: 6, 180: 3, 270: 8}  # of EXIF, by degrees clockwise
_SD_LINES = 576  # up to which chroma may have a quarter of the width (4:1:1, 4:1:0)
_TAPS = 2  # samples on each side that scaling mixes
_SMALLER = 20  # of the frame's height: how far scaling reaches in a later, smaller picture
_EXTREMES = (Fraction(1, 64), Fraction(64))  # shapes of pictures, by width and height
_SITING = 6  # pixels: chroma is scaled twice, and lies beside the pixels that it colours


@dataclass(frozen=True)
class Frame:
    """The frame that pictures are placed in, and what covers parts of them, if anything does.

    ``is_bare``: beside a picture whose size changes it is black.
    """

    output: Output
    cover: Cover | None = None
    is_bare: bool = False

    def covered(self, stream: Video) -> Video:
        """Lay the masks on a picture."""
        return stream if self.cover is None else self.cover.laid_on(stream)


def canvas(picture: Picture, output: Output, frames: int | None, shown: Output) -> Canvas:
    """Return the picture that masks are laid on.

    It is the source picture as it was scaled, before anything else is made of it.  Where pictures
    change their size, it is the whole frame.  A mask was drawn on a frame of the output that
    reviewers see, so in other outputs it covers each place where what it covers there may be.

    :param frames: how long a photo moves; None for what does not.
    :param shown: the output on which the mask was drawn.
    """
    if picture.changes and _shape(output) != _shape(shown):
        return _wide_canvas(canvas(picture, shown, None, shown), picture, output, shown)
    width, height = output.width, output.height
    if picture.changes:
        rect = fitted(picture.aspect, width, height)
        size = (rect.width, rect.height)
        if output.fit == "crop":
            size = size_to_cover(picture.aspect, width, height)
        whole = (width, height)
    elif output.fit == "crop":
        distance = drift(frames, width)[1] if frames is not None else 0
        whole = size = size_to_cover(picture.aspect, width + distance + distance % 2, height)
    else:
        rect = place(picture.aspect, output, frames)
        whole = size = (rect.width, rect.height)
    scale = max(size[0] / picture.width, size[1] / picture.height)
    chroma = 4 if picture.height <= _SD_LINES else 2
    margin = _TAPS * max(2.0, chroma * scale) + _SITING
    if picture.changes:
        margin = max(margin, height / _SMALLER)
    return Canvas(
        *whole,
        left=(whole[0] - size[0]) / 2,
        top=(whole[1] - size[1]) / 2,
        across=size[0],
        down=size[1],
        margin=margin,
    )


def frame_canvas(picture: Picture, output: Output, frames: int | None, frame: str) -> Canvas:
    """Return the same for areas in fractions of the frame on which they were drawn.

    :param frame: see :attr:`~pipeline.protection.Mask.frame`.
    """
    size, fit = frame.split(" ")
    drawn = output.model_copy(update={"name": "drawn", "size": size, "fit": fit})
    if not picture.changes:
        own = canvas(picture, output, frames, output)
        there = source_place(picture.aspect, drawn, None)
        across, down = own.across / there.width, own.down / there.height
        left, top = own.left - there.x * across, own.top - there.y * down
        return replace(
            own, left=left, top=top, across=drawn.width * across, down=drawn.height * down
        )
    is_same = _shape(output) == _shape(drawn)
    exact = canvas(picture, output if is_same else drawn, None, output if is_same else drawn)
    whole = replace(exact, left=0.0, top=0.0, across=exact.width, down=exact.height)
    return whole if is_same else _wide_canvas(whole, picture, output, drawn)


def _wide_canvas(drawn: Canvas, picture: Picture, output: Output, shown: Output) -> Canvas:
    """Return a canvas on which a mask covers all that it covers in the output *shown*.

    Each picture is placed by its own shape, in the middle of each frame.  So what lies at a
    distance from the middle of one frame lies at a multiple of it in another.  The multiple depends
    on the shape, and nobody knows the shapes of all pictures.

    :param drawn: the canvas of the output *shown*.
    """
    shapes = (
        *_EXTREMES,
        Fraction(output.width, output.height),
        Fraction(shown.width, shown.height),
    )
    ratios = [float(_height(shape, output) / _height(shape, shown)) for shape in shapes]
    least, most = min(ratios), max(ratios)
    return Canvas(
        output.width,
        output.height,
        left=output.width / 2 + (drawn.left - shown.width / 2) * least,
        top=output.height / 2 + (drawn.top - shown.height / 2) * least,
        across=drawn.across * least,
        down=drawn.down * least,
        margin=canvas(picture, output, None, output).margin + _moved(output),
        slack=_moved(shown) * least,
        spread=most / least,
    )


def _height(shape: Fraction, output: Output) -> Fraction:
    """How high a picture of a shape is in a frame, before anything of it is cut off."""
    by_side = Fraction(output.height), output.width / shape
    return max(by_side) if output.fit == "crop" else min(by_side)


def _moved(output: Output) -> float:
    """How far a picture may lie from its exact place: sides are even, and slivers are closed."""
    return float(SLIVER) * max(output.width, output.height) / 2 + 2


def _shape(output: Output) -> tuple[Fraction, str]:
    return Fraction(output.width, output.height), output.fit


def place_of_canvas(
    picture: Picture, output: Output, frames: int | None, number: int
) -> tuple[int, int]:
    """Return where in the frame the left upper corner of the canvas is; see ``canvas``.

    :param frames: how long a photo moves; None for what does not.
    :param number: of the picture in the clip.
    """
    if picture.changes:
        return 0, 0
    moved = number // drift(frames, output.width)[0] if frames is not None else 0
    if output.fit == "crop":
        whole = canvas(picture, output, frames, output)
        distance = drift(frames, output.width)[1] if frames is not None else 0
        shown = output.width + distance + distance % 2
        return -((whole.width - shown) // 2) - moved, -((whole.height - output.height) // 2)
    rect = place(picture.aspect, output, frames)
    return rect.x + moved, rect.y


def framed(stream: Video, picture: Picture, frame: Frame) -> Video:
    """Place pictures in the output's frame, without movement."""
    if turns_at_last(picture):
        return frame.covered(_turned_at_last(stream, picture, frame))
    if picture.changes:
        return frame.covered(_framed_anew(stream, picture, frame))
    output = frame.output
    if output.fit == "crop":
        size = size_to_cover(picture.aspect, output.width, output.height)
        large = frame.covered(colour.scaled(stream, picture, *size))
        return large.filter("crop", output.width, output.height)
    rect = fitted(picture.aspect, output.width, output.height)
    front = frame.covered(colour.scaled(stream, picture, rect.width, rect.height))
    if (rect.width, rect.height) == (output.width, output.height):
        return front
    front, behind = front.split(2)
    return overlay(_fill(behind, output), front, x=rect.x, y=rect.y, format="yuv420")


def _turned_at_last(stream: Video, picture: Picture, frame: Frame) -> Video:
    lying = frame.output
    if picture.rotation % 180:
        lying = lying.model_copy(update={"size": f"{lying.height}x{lying.width}"})
    still_lying = _framed_anew(stream, replace(picture, rotation=0), replace(frame, output=lying))
    return turned(still_lying, picture)


def _framed_anew(stream: Video, picture: Picture, frame: Frame) -> Video:
    """Place pictures whose size changes."""
    output = frame.output
    fitted_anew = _refitted(stream, replace(picture, table=None), frame)
    if picture.table is None:
        return fitted_anew
    # the table can't take another size than the first either
    framed_already = replace(picture, matrix=1, full_range=False, rgb=False, alpha=False)
    return colour.scaled(fitted_anew, framed_already, output.width, output.height)


def cut_out(stream: Video, picture: Picture, output: Output) -> Video:
    """Cut a film out of its frame, without the fill beside it, if its size does not change."""
    rect = fitted(picture.aspect, output.width, output.height)
    is_whole = (rect.width, rect.height) == (output.width, output.height)
    if picture.changes or output.fit == "crop" or is_whole:
        return stream
    return stream.filter("crop", rect.width, rect.height, rect.x, rect.y)


def turns_at_last(picture: Picture) -> bool:
    """Whether pictures are turned after they are placed in the frame.

    FFmpeg would turn them before, with a filter that mixes up pictures of another size than the
    first.
    """
    return picture.changes and picture.rotation != 0


def turned(stream: Video, picture: Picture) -> Video:
    """Turn pictures upright that ``turns_at_last``."""
    return _stepped(stream, turning.turns(_ORIENTATIONS[picture.rotation]))


def drifting(stream: Video, picture: Picture, frame: Frame, frames: int) -> Video:
    """Let a photo move through the output's frame for *frames*."""
    output = frame.output
    every, distance = drift(frames, output.width)
    step = f"floor(n/{every})"
    if output.fit == "crop":
        width = output.width + distance + distance % 2
        size = size_to_cover(picture.aspect, width, output.height)
        large = frame.covered(colour.scaled(stream, picture, *size))
        held = hold(large.filter("crop", width, output.height), output.fps, "yuv444p")
        return held.filter("crop", output.width, output.height, step, 0)
    rect = place(picture.aspect, output, frames)
    front = frame.covered(colour.scaled(stream, picture, rect.width, rect.height))
    front, behind = front.split(2)
    behind = hold(_fill(behind, output), output.fps, "yuv444p")
    front = hold(front, output.fps, "yuv444p")
    return overlay(behind, front, x=f"{rect.x}+{step}", y=rect.y, format="yuv444")


def decoded(file: InputFile, picture: Picture) -> Video:
    """The pictures of a file, with the transparency, the cuts and the turns that FFmpeg leaves."""
    stream = file.video(picture.stream)
    if picture.late_s:
        stream = stream.filter("setpts", f"round(PTS-{picture.late_s:.6f}/TB)")
    mask = picture.mask
    if mask is not None:
        alpha = tiled([file.video(name) for name in mask.streams], mask.columns)
        if len(mask.streams) > 1:
            alpha = alpha.filter("crop", mask.width, mask.height, 0, 0)
        if mask.limited:
            alpha = alpha.filter("zscale", rangein="limited", range="full")
        alpha = _stepped(alpha.filter("format", "gray"), mask.steps)
        stream = masked(stream, alpha.filter("scale", picture.width, picture.height))
    return _stepped(stream, picture.steps)


def _stepped(stream: Video, steps: Sequence[Step]) -> Video:
    for step in steps:
        if isinstance(step, Crop):
            stream = stream.filter("crop", step.width, step.height, step.x, step.y, exact=1)
        elif step.orientation in _TRANSPOSED:
            stream = stream.filter("transpose", _TRANSPOSED[step.orientation])
        else:
            stream = stream.filter("hflip") if step.orientation in (2, 3) else stream
            stream = stream.filter("vflip") if step.orientation in (3, 4) else stream
    return stream


def hold(stream: Video, fps: int, pixel_format: str = "yuv420p") -> Video:
    """Repeat a photo for ever, at *fps*."""
    return _paced(stream.filter("format", pixel_format).filter("loop", loop=-1, size=1), fps)


def hold_last(stream: Video, fps: int) -> Video:
    """Repeat the one picture of a film with sound for ever, at *fps*.

    ``loop`` makes copies before the film's end is known.  FFmpeg 9 may then wait for a second
    picture, while it holds back the file because the pictures are ahead of the sound: one run in
    twenty never ended on a busy machine.  ``tpad`` makes copies only after the end.
    """
    stream = stream.filter("format", "yuv420p")
    return _paced(stream.filter("tpad", stop=-1, stop_mode="clone"), fps)


def _paced(stream: Video, fps: int) -> Video:
    return (
        stream.filter("settb", f"1/{fps}")
        .filter("setpts", "N")
        # changes no picture, but gives the encoder the rate, which is in the parameter sets
        .filter("fps", fps=fps)
    )


def _refitted(stream: Video, picture: Picture, frame: Frame) -> Video:
    """Place pictures whose size changes in the middle: each is fitted by its own shape.

    ``crop`` can't take another size than the first.  ``overlay`` can, and it cuts off what is
    outside of the frame.  Masks are laid on the frame, so the fill behind must not show what they
    hide: it is black then.
    """
    output = frame.output
    width, height = output.width, output.height
    base, over = stream.split(2)
    if output.fit == "crop":
        return _covered(base, over, picture, (width, height))
    wide = f"dar*{height}/{width}"
    near = f"lt(abs({wide}-1),{float(SLIVER)})"
    front = colour.scaled(
        over,
        picture,
        f"if({near},{width},max(2,2*round(min({width},{height}*dar)/2)))",
        f"if({near},{height},max(2,2*round(min({height},{width}/dar)/2)))",
    )
    small, cover = base.split(2)
    eighth = [even(Fraction(side, _BLUR_SCALE)) for side in (width, height)]
    behind = _darkened(_covered(small, cover, picture, eighth), output)
    if frame.cover is not None or frame.is_bare:
        behind = behind.filter("lutyuv", **covering.BLACK)
    return _centred(behind, front)


def _covered(base: Video, over: Video, picture: Picture, size: Sequence[int]) -> Video:
    """Cut the middle out of pictures of any shape, as large as *size*."""
    width, height = size
    covering = (
        f"max({width},2*round({height}*dar/2))",
        f"max({height},2*round({width}/dar/2))",
    )
    below = colour.scaled(base, picture, width, height)  # gives the size, and is not seen
    return _centred(below, colour.scaled(over, picture, *covering))


def _centred(below: Video, above: Video) -> Video:
    places = {"x": "2*floor((W-w)/4)", "y": "2*floor((H-h)/4)"}
    return overlay(below, above, **places, eval="frame", format="yuv420")


def _fill(stream: Video, output: Output) -> Video:
    """Fill the frame with the picture itself, blurred and darkened so that it does not distract."""
    small = [even(Fraction(side, _BLUR_SCALE)) for side in (output.width, output.height)]
    covering = {"force_original_aspect_ratio": "increase", "flags": "bilinear"}
    return _darkened(stream.filter("scale", *small, **covering).filter("crop", *small), output)


def _darkened(stream: Video, output: Output) -> Video:
    """Blur and darken a fill of an eighth of the frame's size, and enlarge it."""
    height = even(Fraction(output.height, _BLUR_SCALE))
    return (
        stream.filter("gblur", sigma=round(max(1.5, height / 24), 2), steps=2)
        .filter("lutyuv", y="(val-16)*0.55+16")
        .filter("scale", output.width, output.height, flags="bilinear")
        .filter("setsar", 1)
    )
