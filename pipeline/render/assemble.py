"""Joining segments by stream copy: no picture is encoded again, the sound once.

The concat demuxer copies the picture's packets; the lossless sound of the segments is
decoded and goes through one AAC encoder, so that no joint is heard and nothing drifts.
"""

from __future__ import annotations

from pathlib import Path

import ffmpeg

from pipeline import files
from pipeline.config import Output
from pipeline.errors import StageError
from pipeline.files import Workspace
from pipeline.media import encode, verify
from pipeline.media.ffmpeg import Door, program
from pipeline.media.sandbox import Cell, Limits
from pipeline.render.timeline import Segment

_POSTER_WIDTH = 1280


def join(
    segments: tuple[Segment, ...], output: Output, part: Path, workspace: Workspace, door: Door
) -> verify.Mp4Facts:
    """Join *segments* into *part* and judge the result.

    :raises StageError: the segments don't fit each other, FFmpeg failed, or frames are missing.
    :raises NotClean: verification found something in it.
    """
    if len({segment.extradata for segment in segments}) != 1:
        raise StageError(
            "clips of different encodings can't be joined; run `footage process` first"
        )
    frames = sum(segment.frames for segment in segments)
    listed = files.part_for(workspace.cache / "join.txt")
    paths = [workspace.root / segment.path for segment in segments]
    try:
        listed.write_text(_list(segments, paths, output.fps), "utf-8")
        ended = door.run(
            "join",
            _arguments(listed, part, output, frames),
            Cell(
                reads=(listed, *dict.fromkeys(path.parent for path in paths)),
                writes=(part.parent,),
                limits=Limits(wall_s=max(300.0, frames / output.fps)),
            ),
        )
    finally:
        listed.unlink(missing_ok=True)
    if "No space left on device" in ended.said:
        raise StageError("the disk is full; make room and render again, the old montage stays")
    if not ended.ok:
        raise StageError(f"the montage could not be joined: {'; '.join(ended.said) or ended.code}")
    facts = verify.judge_montage(part)
    samples = facts.audio[0].samples
    if facts.video.frames != frames:
        raise StageError(f"the montage has {facts.video.frames} frames instead of {frames}")
    if abs(samples - encode.samples_of(frames, output.fps)) > encode.SAMPLE_RATE // output.fps:
        raise StageError("the montage's sound is not as long as its picture")
    return facts


def _list(segments: tuple[Segment, ...], paths: list[Path], fps: int) -> str:
    """The concat demuxer's list; a duration for each, since AAC's padding must not count."""
    lines = ["ffconcat version 1.0"]
    for segment, path in zip(segments, paths, strict=True):
        quoted = str(path).replace("'", r"'\''")
        lines += [f"file '{quoted}'", f"duration {segment.frames / fps:.9f}"]
    return "\n".join(lines) + "\n"


def _arguments(listed: Path, part: Path, output: Output, frames: int) -> list[str]:
    source = ffmpeg.input(
        str(listed), f="concat", safe=0, protocol_whitelist="file", format_whitelist="concat,mov"
    )
    sound = (
        source["a:1"]
        # counted in samples: in any other unit the division leaves one too many or too few
        .filter("asettb", f"1/{encode.SAMPLE_RATE}")
        .filter("asetpts", "N")
        .filter("atrim", end_sample=encode.samples_of(frames, output.fps))
    )
    options = encode.montage_arguments(output)
    # The list's times are in microseconds, and shifted by the priming of the clips' AAC: put
    # each picture back on its own tick, the first on 0.  Decoding runs two pictures ahead in
    # every clip but the shortest, which have nothing to reorder: give all the same pace.
    tick = encode.TICKS
    options["bsf:v"] = f"setts=pts=round((PTS-STARTPTS)/{tick})*{tick}:dts=(N-2)*{tick}"
    node = ffmpeg.output(source["v:0"], sound, str(part), **options)
    node = node.global_args("-nostdin", "-hide_banner", "-v", "error")
    return [program(), *map(str, node.overwrite_output().get_args())]


def poster(montage: Path, frame: int, output: Output, part: Path, door: Door) -> None:
    """A picture out of the montage, as a JPEG with nothing else in it.

    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    source = ffmpeg.input(str(montage), f="mov", ss=f"{frame / output.fps:.6f}", threads=1)
    picture = source["v:0"].filter(
        "scale", min(_POSTER_WIDTH, output.width), -2, out_range="pc", out_color_matrix="bt601"
    )
    node = ffmpeg.output(
        picture.filter("format", "yuvj420p"), str(part), **encode.still_arguments()
    ).global_args("-nostdin", "-hide_banner", "-v", "error")
    argv = [program(), *map(str, node.overwrite_output().get_args())]
    ended = door.run("still", argv, Cell(reads=(montage,), writes=(part.parent,)))
    if not ended.ok:
        raise StageError("the montage's poster could not be made")
    verify.judge_jpeg(part)
