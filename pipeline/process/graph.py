"""The FFmpeg command of one clip: from the decoder's pictures and samples to the encoders'.

Pure functions: what comes out is an argument list, built with ffmpeg-python.  One decode
feeds every output; each picture passes the encoder of an output exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from pipeline.config import Output
from pipeline.media import encode
from pipeline.media.caption import Strip
from pipeline.media.probe import Probe
from pipeline.process import framing, loudness
from pipeline.process.loudness import Correction
from pipeline.process.recipe import Recipe

_STILL_WIDTH = 640


@dataclass(frozen=True)
class Target:
    """One output of a clip: how long it is, its caption, and where its files grow."""

    output: Output
    frames: int
    strip: Strip | None
    movie: Path
    still: Path


def arguments(
    original: Path,
    probe: Probe,
    recipe: Recipe,
    correction: Correction | None,
    targets: tuple[Target, ...],
) -> list[str]:
    """FFmpeg's arguments that make all targets of a clip in one run (the program not named)."""
    source = ffmpeg.input(str(original), **input_arguments(probe))
    picture = source[probe.picture.stream]
    if probe.picture.interlaced and not probe.still:
        picture = picture.filter("bwdif", mode="send_frame", deint="interlaced")
    pictures = _shared(picture, "split", len(targets))
    sounds = _shared(_sound(source, probe, correction), "asplit", len(targets))
    nodes = []
    for target, seen, heard in zip(targets, pictures, sounds, strict=True):
        shown, poster = _shared(_picture(seen, probe, recipe, target), "split", 2)
        measured = target is targets[0]  # the sound is the same in all
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
    merged = ffmpeg.merge_outputs(*nodes).global_args(
        *("-nostdin", "-hide_banner", "-v", "error"),
        *("-filter_threads", "1", "-filter_complex_threads", "1"),
    )
    return [str(argument) for argument in merged.overwrite_output().get_args()]


def input_arguments(probe: Probe) -> dict[str, str | int]:
    """Options that hold FFmpeg to one local file of one format."""
    demuxer = probe.identity.demuxer
    options: dict[str, str | int] = {
        "protocol_whitelist": "file",
        "format_whitelist": demuxer,
        "f": demuxer,
        "threads": 1,
    }
    if demuxer == "gif":
        options["ignore_loop"] = 1
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
        slower = (picture.fps or 0) <= output.fps
        stream = stream if slower else _constant_rate(stream, output)
        stream = _captioned(framing.moving(stream, picture, output), target)
        stream = _constant_rate(stream, output) if slower else stream
        stream = stream.filter("tpad", stop=-1, stop_mode="clone")
    elif probe.still and recipe.still_motion == "drift":
        stream = framing.drifting(stream, picture, output, target.frames)
        stream = _captioned(stream, target)
    else:
        stream = _captioned(framing.still(stream, picture, output), target)
        stream = framing.hold(stream, output.fps)
    return (
        stream.filter("trim", end_frame=target.frames)
        .filter("format", "yuv420p")
        .filter("sidedata", mode="delete")
        .filter(
            "setparams",
            range="tv",
            colorspace="bt709",
            color_primaries="bt709",
            color_trc="bt709",
            field_mode="prog",
        )
    )


def _constant_rate(stream: Any, output: Output) -> Any:
    return stream.filter("fps", fps=output.fps, start_time=0)


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


def _poster(stream: Any, target: Target) -> Any:
    """The picture at a third of the clip, small."""
    width = min(_STILL_WIDTH, target.output.width)
    return (
        stream.filter("select", f"eq(n,{target.frames // 3})")
        .filter("scale", width, -2, out_range="pc", out_color_matrix="bt601")
        .filter("format", "yuvj420p")
    )


def _sound(source: Any, probe: Probe, correction: Correction | None) -> Any:
    """The first sound stream, corrected; silence where there is none."""
    if probe.sound is None or correction is None:
        silence = ffmpeg.input(f"anullsrc=r={encode.SAMPLE_RATE}:cl=stereo", f="lavfi")
        return silence["0"]
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
