"""Whether all of a file came, and if not, how much of it is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.carriers import Window
from pipeline.carriers.containers import ending
from pipeline.carriers.containers.ending import Cut
from pipeline.ffmpeg import faults
from pipeline.ffmpeg.faults import ProgramFailed
from pipeline.ffmpeg.graph import Graph, Options, read, write
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.formats import Format
from pipeline.media import survey
from pipeline.media.probed import Probe
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_WIDTH, _LINES = 64, 256  # of the small picture in which the missing part is looked for
_STREAMS = frozenset(("mpeg-ts", "mpeg-ps", "mpeg-video"))
_FLAT = 1.0  # grey values: lines that a decoder filled differ by less


def examined(runner: FfmpegRunner, path: Path, seen: Probe) -> Probe:
    """Find out whether the end of a file is missing; return the probe with what was found.

    Neither the size nor the data of a photo say how much of it is missing, so the lines that the
    decoder had to fill are counted.
    """
    found = _cut(path, seen.format)
    if found is not None and found.share is None and seen.still:
        found = Cut(_empty_lines(runner, path, seen))
    return replace(seen, cut=found or seen.cut)


def judged(seen: Probe, said: tuple[str, ...]) -> Probe:
    """Return the probe with what FFmpeg *said* while it decoded the file.

    A stream may begin or be switched in the middle of a picture, so damage in it says nothing
    alone.  Where its end may be missing, the H.264 decoder reports an error in the last picture.
    """
    if seen.cut and not seen.cut.is_certain and seen.picture.codec == "h264":
        seen = seen if {*faults.DAMAGED_FILM} & set(said) else replace(seen, cut=None)
    words = set(faults.ENDS_EARLY)
    if seen.picture.codec == "mjpeg":
        words = {*faults.DAMAGED} if seen.still else words | {*faults.DAMAGED}
    if not seen.still and seen.format.name not in _STREAMS:
        words |= {*faults.DAMAGED_FILM}
    return replace(seen, cut=seen.cut or Cut()) if words & set(said) else seen


def refusal(seen: Probe) -> Refusal:
    """Return why a file whose end is missing is not accepted."""
    return _missing(seen.cut or Cut(), Reason.TRUNCATED_TRANSFER)


def explained(path: Path, footage: Format, refusal: Refusal) -> Refusal:
    """Say of a file that can't be decoded that its end is missing, if that is so."""
    if refusal.reason is not Reason.CORRUPT:
        return refusal
    found = _cut(path, footage)
    return refusal if found is None else _missing(found, Reason.CORRUPT)


def _cut(path: Path, footage: Format) -> Cut | None:
    with path.open("rb") as file:
        return ending.cut(Window.whole(file), footage.ending)


def _missing(cut: Cut, reason: Reason) -> Refusal:
    if not cut.share:
        return Refusal(reason, Detail.INCOMPLETE)
    return Refusal(
        reason,
        Detail.INCOMPLETE_PERCENT,
        {"percent": max(1, round(100 * cut.share))},
    )


def _empty_lines(runner: FfmpegRunner, path: Path, seen: Probe) -> float | None:
    """The share of a photo's last lines that have one grey value; None where there are none."""
    options: Options = {**survey.input_options(seen), "noautorotate": None}
    picture = read(path, options).video(seen.picture.stream)
    picture = picture.filter("scale", _WIDTH, _LINES, flags="area").filter("format", "gray")
    graph = Graph((write("-", {"f": "rawvideo", "frames:v": 1}, picture),))
    try:
        data = runner.make("probe", graph, reads=(path,), seconds=60)
    except ProgramFailed as fault:
        if fault.may_pass:
            raise
        return None  # the encode will fail in the same way, and say why
    lines = np.frombuffer(data[: _WIDTH * _LINES], np.uint8).reshape(-1, _WIDTH).astype(float)
    if len(lines) < _LINES:
        return None
    away = np.abs(lines - lines[-1, 0]).max(1)
    empty = int(np.argmax(away[::-1] > _FLAT)) if (away > _FLAT).any() else _LINES
    return empty / _LINES if empty else None
