"""Joining the pieces of a film: no picture is encoded again, the sound once.

The concat demuxer copies the pictures' packets; the lossless sound of the segments is
decoded, edited and goes through one AAC encoder, so that no joint is heard and nothing drifts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ffmpeg

from pipeline import judge, publishing
from pipeline.config import Output
from pipeline.errors import DiskFull, StageError
from pipeline.ffmpeg.runner import FfmpegRunner, ProgramResult, program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.media import encode
from pipeline.render import cuts, music, seams, sound
from pipeline.render.cuts import Copy, Joints, Piece
from pipeline.render.music import Master
from pipeline.render.timeline import Film
from pipeline.workspace import Workspace

_POSTER_WIDTH = 1280
_QUIET = ("-nostdin", "-hide_banner", "-v", "error")
_LIST = {
    "f": "concat",
    "safe": 0,
    "protocol_whitelist": "file",
    "format_whitelist": "concat,mov",
}


@dataclass(frozen=True)
class Assembly:
    """A film with its pieces, and the joints of the files that are cut, by path."""

    film: Film
    pieces: tuple[Piece, ...]
    joints: Mapping[str, Joints]


@dataclass(frozen=True)
class Bed:
    """Music, its gain (linear), and how the whole is mastered."""

    music: sound.Samples
    gain: float
    master: Master

    def under(self, clips: Iterator[sound.Samples], film: Film) -> Iterator[sound.Samples]:
        """The clips' sound with the music beside it, in four channels."""
        total = encode.samples_of(film.frames, film.output.fps)
        return music.laid_under(clips, music.Looped(self.music, self.gain, total))


def prepare(film: Film, workspace: Workspace) -> Assembly:
    """Look at the files that must be cut, and plan the pieces.

    :raises StageError: the segments don't fit each other.
    :raises NotClean: a clip is not as it was when it was published.
    """
    if len({segment.extradata for segment in film.segments}) != 1:
        raise StageError(
            "clips of different encodings can't be joined; run `footage process` first"
        )
    joints: dict[str, Joints] = {}
    for index, segment in enumerate(film.segments):
        cut = any(film.around(index)) or not segment.whole
        if cut and segment.path not in joints:
            facts = judge.judge_clip(workspace.root / segment.path).video
            joints[segment.path] = Joints(facts.keyframes, facts.lead)
    return Assembly(film, cuts.plan(film, joints), joints)


def join(
    assembly: Assembly,
    part: Path,
    workspace: Workspace,
    runner: FfmpegRunner,
    done: Callable[[int], None],
    bed: Bed | None = None,
) -> judge.Mp4Facts:
    """Join the pieces into *part* and judge the result; the bridges must be there.

    :param bed: the music under the clips.

    :param done: told each time another second, or more, has gone in.
    :raises StageError: FFmpeg failed, or frames or samples are missing.
    :raises NotClean: verification found something in it.
    """
    film, output = assembly.film, assembly.film.output
    with _list(workspace, _pictures(assembly, workspace)) as listed:
        argv = _arguments(listed, part, output, bed.master if bed else None)
        with _sound(film, workspace, runner) as samples:
            pieces = _counted(samples if bed is None else bed.under(samples, film), done)
            ended = runner.run("join", argv, _cell(film, part, workspace), feed=pieces)
    _gate(ended, "the montage could not be joined")
    facts = judge.judge_montage(part)
    if facts.video.frames != film.frames:
        raise StageError(f"the montage has {facts.video.frames} frames instead of {film.frames}")
    missing = encode.samples_of(film.frames, output.fps) - facts.audio[0].samples
    if abs(missing) > encode.SAMPLE_RATE // output.fps:
        raise StageError("the montage's sound is not as long as its picture")
    return facts


def _counted(blocks: Iterator[sound.Samples], done: Callable[[int], None]) -> Iterator[bytes]:
    """The bytes of the sound, counted in whole seconds as they go in."""
    passed = told = 0
    for block in blocks:
        yield block.tobytes()
        passed += len(block)
        if passed // encode.SAMPLE_RATE > told:
            done(passed // encode.SAMPLE_RATE - told)
            told = passed // encode.SAMPLE_RATE


def _cell(film: Film, part: Path, workspace: Workspace) -> Permissions:
    seconds = film.frames / film.output.fps
    return Permissions(
        reads=(workspace.clips, workspace.cache),
        writes=(part.parent,),
        limits=Limits(wall_s=max(300.0, seconds), cpu_s=max(600, int(seconds))),
    )


def _gate(ended: ProgramResult, fault: str) -> None:
    if "No space left on device" in ended.said:
        raise DiskFull
    if not ended.ok:
        raise StageError(f"{fault}: {'; '.join(ended.said) or ended.code}")


@contextmanager
def _list(workspace: Workspace, lines: Iterator[str]) -> Iterator[Path]:
    """A list for the concat demuxer, for as long as it is read."""
    listed = publishing.part_path(workspace.cache / "join.txt")
    try:
        listed.write_text(
            "ffconcat version 1.0\n" + "".join(f"{line}\n" for line in lines), "utf-8"
        )
        yield listed
    finally:
        listed.unlink(missing_ok=True)


def _pictures(assembly: Assembly, workspace: Workspace) -> Iterator[str]:
    """Where each piece begins and ends.

    A seek finds the key frame at or before a time, and a file ends before the first packet
    whose decoding time is not before another: both are named between two pictures.
    """
    film = assembly.film
    fps = film.output.fps
    for piece in assembly.pieces:
        start, stop = 0, None
        if isinstance(piece, Copy):
            stretch = piece.stretch
            path, start = workspace.root / stretch.segment.path, stretch.start
            if stretch.stop < stretch.segment.frames:
                stop = stretch.stop - assembly.joints[stretch.segment.path].lead
        else:
            path = seams.path_of(piece, film.transition, film.output, workspace)
        yield _file(path)
        yield f"inpoint {(start + 0.25) / fps:.6f}"
        if stop is not None:
            yield f"outpoint {(stop - 0.5) / fps:.6f}"
        yield f"duration {piece.frames / fps:.9f}"


def _file(path: Path) -> str:
    quoted = str(path).replace("'", r"'\''")
    return f"file '{quoted}'"


def _arguments(listed: Path, part: Path, output: Output, master: Master | None) -> list[str]:
    pictures = ffmpeg.input(str(listed), **_LIST)
    layout = "stereo" if master is None else "quad"
    heard = ffmpeg.input(
        "pipe:0", f="s16le", ar=encode.SAMPLE_RATE, ch_layout=layout, protocol_whitelist="pipe"
    )["a:0"]
    if master is not None:
        heard = music.mixed(heard, master)
    options = encode.montage_arguments(output)
    # The list's times are in microseconds and lie beside the ticks: put each picture back on
    # its own, the first on 0.  Decoding runs two pictures ahead in every clip but the
    # shortest, which have nothing to reorder: give all the same pace.
    tick = encode.TICKS
    options["bsf:v"] = f"setts=pts=round((PTS-STARTPTS)/{tick})*{tick}:dts=(N-2)*{tick}"
    node = ffmpeg.output(pictures["v:0"], heard, str(part), **options)
    return [program(), *map(str, node.global_args(*_QUIET).overwrite_output().get_args())]


@contextmanager
def _sound(
    film: Film, workspace: Workspace, runner: FfmpegRunner
) -> Iterator[Iterator[sound.Samples]]:
    """The film's sound, decoded beside whoever reads it.

    :raises StageError: FFmpeg failed, or a clip's sound is not as long as its picture.
    """
    fps = film.output.fps
    lines = (
        line
        for segment in film.segments
        for line in (_file(workspace.root / segment.path), f"duration {segment.frames / fps:.9f}")
    )
    with _list(workspace, lines) as listed:
        source = ffmpeg.input(str(listed), **_LIST)
        node = ffmpeg.output(source["a:1"].filter("asetpts", "N/SR/TB"), "pipe:1", f="s16le")
        argv = [program(), *map(str, node.global_args(*_QUIET).get_args())]
        seconds = sum(segment.frames for segment in film.segments) / fps
        limits = Limits(wall_s=max(300.0, seconds), cpu_s=max(600, int(seconds)))
        cell = Permissions(reads=(workspace.clips, workspace.cache), limits=limits)

        def decode(pipe: sound.Pipe) -> None:
            _gate(runner.run("sound", argv, cell, sink=pipe.put), "the sound could not be decoded")

        with sound.beside(decode) as pipe:
            yield sound.edited(pipe, film)


def poster(montage: Path, frame: int, output: Output, part: Path, runner: FfmpegRunner) -> None:
    """A picture out of the montage, as a JPEG with nothing else in it.

    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    source = ffmpeg.input(str(montage), f="mov", ss=f"{frame / output.fps:.6f}", threads=1)
    picture = source["v:0"].filter(
        "scale", min(_POSTER_WIDTH, output.width), -2, out_range="pc", out_color_matrix="bt601"
    )
    # a height that was rounded would stand in the JPEG as an aspect
    node = ffmpeg.output(
        picture.filter("setsar", 1).filter("format", "yuvj420p"),
        str(part),
        **encode.still_arguments(),
    ).global_args(*_QUIET)
    argv = [program(), *map(str, node.overwrite_output().get_args())]
    ended = runner.run("still", argv, Permissions(reads=(montage,), writes=(part.parent,)))
    if not ended.ok:
        raise StageError("the montage's poster could not be made")
    judge.judge_jpeg(part)
