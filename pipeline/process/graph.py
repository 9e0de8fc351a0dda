"""The FFmpeg command of one clip: from the decoder's pictures and samples to the encoders'.

Pure functions: what comes out is an argument list, built with ffmpeg-python.  One decode
feeds every output; each picture passes the encoder of an output exactly once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from pipeline.config import Output
from pipeline.media import colour, encode, loudness
from pipeline.media.caption import Strip
from pipeline.media.loudness import Correction
from pipeline.media.probe import Picture, Probe
from pipeline.process import framing, glance
from pipeline.process.recipe import Recipe

_STILL_WIDTH = 640
_EARLY = 4  # a picture may be shown this part of a picture's length before its time


@dataclass(frozen=True)
class Look:
    """Where the small pictures go that ``glance`` judges, and how many of them a second.

    ``rate`` is None for a photo.
    """

    path: Path
    rate: float | None


@dataclass(frozen=True)
class Target:
    """One output of a clip: how long it is, its caption, and where its files grow."""

    output: Output
    frames: int
    strip: Strip | None
    movie: Path
    still: Path


class _Made(ffmpeg.nodes.FilterNode):  # type: ignore[misc]
    """A filter without an input, which ffmpeg-python does not provide for."""

    def __init__(self, name: str, **options: str | int) -> None:
        ffmpeg.nodes.Node.__init__(
            self,
            stream_spec=None,
            name=name,
            incoming_stream_types={ffmpeg.nodes.FilterableStream},
            outgoing_stream_type=ffmpeg.nodes.FilterableStream,
            min_inputs=0,
            max_inputs=0,
            kwargs=options,
        )


def arguments(
    original: Path,
    probe: Probe,
    recipe: Recipe,
    correction: Correction | None,
    targets: tuple[Target, ...],
    look: Look,
) -> list[str]:
    """FFmpeg's arguments that make all targets of a clip in one run (the program not named)."""
    source = ffmpeg.input(str(original), **input_arguments(probe))
    picture = _progressive(source[probe.picture.stream], probe, targets)
    if probe.picture.alpha:
        picture = colour.on_white(picture)
    looked, *pictures = _shared(picture, "split", len(targets) + (look.rate is not None))
    pictures = pictures if look.rate is not None else [looked, *pictures]
    sounds = _shared(_sound(source, probe, correction), "asplit", len(targets))
    nodes = []
    for target, seen, heard in zip(targets, pictures, sounds, strict=True):
        measured = target is targets[0]  # the sound is the same in all
        shown, poster, *more = _shared(
            _picture(seen, probe, recipe, target), "split", 3 if measured and probe.still else 2
        )
        looked = _unlettered(more[0], probe, recipe, target) if more else looked
        first, second = _shared(_fitted(heard, target, measured=measured), "asplit", 2)
        nodes.append(
            ffmpeg.output(
                shown,
                first.filter("aformat", sample_fmts="fltp", channel_layouts="stereo"),
                second.filter("aformat", sample_fmts="s16p", channel_layouts="stereo"),
                str(target.movie),
                **encode.clip_arguments(target.output),
                **encode.cut_arguments(target.frames, recipe.fade_frames(target.output)),
            )
        )
        nodes.append(
            ffmpeg.output(_poster(poster, target), str(target.still), **encode.still_arguments())
        )
    small = glance.filters(looked, look.rate)
    nodes.append(ffmpeg.output(small, str(look.path), **glance.arguments(look.rate)))
    merged = ffmpeg.merge_outputs(*nodes).global_args(
        *("-nostdin", "-hide_banner", "-v", "error"),
        *("-filter_threads", "1", "-filter_complex_threads", "1"),
    )
    return [str(argument) for argument in merged.overwrite_output().get_args()]


def _progressive(stream: Any, probe: Probe, targets: tuple[Target, ...]) -> Any:
    """Both fields of an interlaced picture as pictures where an output is quick enough."""
    if not probe.picture.interlaced or probe.still:
        return stream
    fields = any(target.output.fps > probe.picture.pace for target in targets)
    mode = "send_field" if fields else "send_frame"
    return stream.filter("bwdif", mode=mode, deint="interlaced")


def frames_of(probe: Probe, seconds: float, output: Output) -> int:
    """How many pictures of *output* a clip of *seconds* has: enough to show the last one."""
    frames = encode.frames_in(seconds, output.fps)
    if probe.still or _faster(probe.picture, output):
        return frames
    return max(frames, math.ceil(probe.picture.latest_s * output.fps - 1 / _EARLY) + 1)


def _faster(picture: Picture, output: Output) -> bool:
    """Whether there are more pictures than the output shows; a little more is rounding."""
    return picture.pace * (2 if picture.interlaced else 1) > output.fps + 0.5


def input_arguments(probe: Probe) -> dict[str, str | int]:
    """Options that hold FFmpeg to one local file of one format."""
    demuxer = probe.format.demuxer
    options: dict[str, str | int] = {
        "protocol_whitelist": "file",
        "format_whitelist": demuxer,
        "f": demuxer,
        "threads": 1,
        # a picture of another size must not begin the graph, and its counting, anew
        "reinit_filter:v": 0,
    }
    options.update(probe.format.options)
    if probe.picture.decoder is not None:
        options["c:v"] = probe.picture.decoder
    return options


def _shared(stream: Any, kind: str, count: int) -> list[Any]:
    """*stream* for *count* readers."""
    if count == 1:
        return [stream]
    parts = stream.filter_multi_output(kind, count)
    return [parts[index] for index in range(count)]


def _picture(stream: Any, probe: Probe, recipe: Recipe, target: Target) -> Any:
    """Framed, captioned, at the output's rate and exactly as long as the target says."""
    output, picture = target.output, probe.picture
    if not probe.still and picture.packets > 1:
        # pictures are dropped before the work on them, and repeated after it
        faster = _faster(picture, output)
        stream = _constant_rate(stream, output) if faster else stream
        stream = _captioned(framing.moving(stream, picture, output), target)
        stream = stream if faster else _constant_rate(stream, output)
        stream = stream.filter("tpad", stop=-1, stop_mode="clone")
    elif probe.still and recipe.still_motion == "drift":
        stream = framing.drifting(stream, picture, output, target.frames)
        stream = _captioned(stream, target)
    else:
        stream = _captioned(framing.still(stream, picture, output), target)
        stream = framing.hold(stream, output.fps)
    shown = stream.filter("trim", end_frame=target.frames).filter("format", "yuv420p")
    return encode.labelled(shown.filter("sidedata", mode="delete"))


def _constant_rate(stream: Any, output: Output) -> Any:
    """A picture is shown from the first moment of the output that is not before it.

    A quarter of a moment is allowed for, since files round their times.
    """
    early = f"PTS+{float(1 / _EARLY):g}/({output.fps}*TB)"
    return stream.filter("setpts", early).filter("fps", fps=output.fps, start_time=0)


def _captioned(stream: Any, target: Target) -> Any:
    if target.strip is None:
        return stream
    strip = ffmpeg.input(str(target.strip.path), f="png_pipe")
    labelled = strip["0"].filter(
        "scale", out_color_matrix="bt709", out_range="tv", flags="full_chroma_int"
    )
    labelled = labelled.filter("format", "yuva420p")
    return ffmpeg.overlay(
        stream, labelled, x=target.strip.x, y=target.strip.y, format="yuv420", eof_action="repeat"
    )


def _unlettered(stream: Any, probe: Probe, recipe: Recipe, target: Target) -> Any:
    """The middle of a photo in its frame, without fill and caption.

    Taken behind all the work: with FFmpeg 9 an output that ends before the others ends them
    too where the photo is made of tiles.
    """
    moves = recipe.still_motion == "drift"
    box = framing.place(probe.picture, target.output, target.frames if moves else None)
    rim = 2  # pixels: what is cut from chroma of half the size is cut on even places
    return stream.filter("select", "eq(n,0)").filter(
        "crop",
        *(box.width - 2 * rim, box.height * 7 // 10),
        *(box.x + rim, box.y + box.height * 15 // 100),
    )


def _poster(stream: Any, target: Target) -> Any:
    """The picture at a third of the clip, small."""
    width = min(_STILL_WIDTH, target.output.width)
    return (
        stream.filter("select", f"eq(n,{target.frames // 3})")
        .filter("scale", width, -2, out_range="pc", out_color_matrix="bt601")
        .filter("setsar", 1)  # a height that was rounded would stand in the JPEG as an aspect
        .filter("format", "yuvj420p")
    )


def _sound(source: Any, probe: Probe, correction: Correction | None) -> Any:
    """The first sound stream, corrected; silence where there is none."""
    if probe.sound is None or correction is None:
        # made in the graph: with an input of its own FFmpeg 9 waits for ever on photos in tiles
        return _Made("anullsrc", r=encode.SAMPLE_RATE, cl="stereo").stream()
    return loudness.filters(loudness.standard(source[str(probe.sound.index)]), correction)


def _fitted(stream: Any, target: Target, *, measured: bool) -> Any:
    """Exactly as long as the picture; its loudness is printed while it passes."""
    length = encode.samples_of(target.frames, target.output.fps)
    stream = stream.filter("apad").filter("atrim", end_sample=length)
    if measured:
        stream = stream.filter("ebur128", metadata=1, peak="true")
        stream = stream.filter("ametadata", mode="print", file="pipe:1")
        # ebur128 hands on pieces of 100 ms and stamps the last, shorter one wrong
        stream = stream.filter("asettb", f"1/{encode.SAMPLE_RATE}").filter("asetpts", "N")
    return stream
