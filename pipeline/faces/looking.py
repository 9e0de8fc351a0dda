"""Look for faces in the pictures that FFmpeg makes of a film, while it makes them.

FFmpeg decodes and reduces in one sandbox, the model looks in another.  The pictures pass through
this process, so neither sees the other, and nothing of them is written to the disk.  What the model
answers is read by its length: it can be wrong, but it can be nothing else than boxes in a picture.
"""

from __future__ import annotations

import queue
import struct
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.ffmpeg import faults
from pipeline.ffmpeg.faults import ProgramFailed, ProgramFault, ProgramLied
from pipeline.ffmpeg.graph import Graph
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_CHILD = Path(__file__).with_name("detector_child.py")
_WHOLE = 65535
_FACE = struct.Struct("<5H")
_NOT_LOOKED = 255  # the answer for a picture that the model left out
_MOST_BYTES = 1 + 254 * _FACE.size  # of the answer for a picture
_WAITING = 64  # pieces that wait for the model, of up to 64 KiB
_TRIAL_SIDE = 64  # points of the picture that a model is tried with
_TRIAL = Limits(wall_s=60.0, cpu_s=120)


@dataclass(frozen=True)
class SeenFace:
    """A face in one picture: how sure the model is, and its box in fractions of the picture."""

    score: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Look:
    """What was seen at one moment, in seconds from the beginning of the clip."""

    at_s: float
    faces: tuple[SeenFace, ...]


@dataclass(frozen=True)
class SmallPictures:
    """The pictures to look at.

    ``graph`` writes them to standard output, as ``detector_child`` reads them: ``width`` x
    ``height`` points, one every ``step_s`` seconds, at most ``most`` of them.  ``reads`` are the
    files that FFmpeg reads, and ``seconds`` is the time that the work may take.  ``is_each_seen``:
    no picture is left out, also if the faces of the two around it are the same.
    """

    graph: Graph
    reads: tuple[Path, ...]
    width: int
    height: int
    step_s: float
    most: int
    seconds: float
    is_each_seen: bool = False


def look(runner: FfmpegRunner, pictures: SmallPictures, model: Path) -> tuple[Look, ...]:
    """Look for faces in pictures, one after the other.

    :raises ProgramFailed: FFmpeg or the model crashed, was killed or took too long.
    :raises ProgramLied: the answers are not those of the model.
    """
    size = pictures.width * pictures.height * 3
    pipe, answers = _Pipe(pictures.most * size), bytearray()
    most = pictures.most * _MOST_BYTES

    def answered(data: bytes) -> None:
        # what is over the limit is refused below
        answers.extend(data[: most + 1 - len(answers)])

    decoder = threading.Thread(target=pipe.filled, args=(runner, pictures), daemon=True)
    decoder.start()
    try:
        permissions = Permissions((_CHILD, model), limits=Limits.within(pictures.seconds))
        looks = "all" if pictures.is_each_seen else "half"
        argv = _command(model, pictures.width, pictures.height, looks)
        ended = runner.run("faces", argv, permissions, pipe.pieces(), answered)
    finally:
        pipe.stop()
        decoder.join()
    if pipe.fault is not None:
        raise pipe.fault
    try:
        faults.check(ended, "faces", permissions)
    except ProgramFailed as fault:
        if fault.refusal.reason is Reason.CORRUPT:
            # the model gets points, which can't be corrupt: the clip can be tried again
            fault.refusal = Refusal(Reason.INTERNAL, Detail.PROGRAM_FAILED, {"place": "faces"})
        raise
    return read(bytes(answers), pipe.count // size, pictures.step_s)


def is_usable(runner: FfmpegRunner, model: Path) -> bool:
    """Whether a model answers for one black picture as it must; it is tried in the sandbox.

    A trial that was ended from outside says nothing of the model, and is repeated once.

    :raises ProgramFailed: both trials were ended from outside.
    :raises Stopping: the runner was closed.
    """
    try:
        return _has_answered(runner, model)
    except ProgramFailed:
        return _has_answered(runner, model)


def _has_answered(runner: FfmpegRunner, model: Path) -> bool:
    permissions = Permissions((_CHILD, model), limits=_TRIAL)
    argv = _command(model, _TRIAL_SIDE, _TRIAL_SIDE, "all")
    ended = runner.run("faces", argv, permissions, [bytes(_TRIAL_SIDE * _TRIAL_SIDE * 3)])
    faults.check_end(ended, "faces", permissions)
    try:
        faults.check(ended, "faces", permissions)
        read(ended.stdout, 1, 1.0)
    except ProgramFault:
        return False
    return True


def _command(model: Path, width: int, height: int, looks: str) -> list[str]:
    return [sys.executable, "-I", str(_CHILD), str(model), str(width), str(height), looks]


class _Pipe:
    """Takes what FFmpeg writes, and hands it on; FFmpeg waits while the model is busy.

    ``fault`` is what FFmpeg ended with, if it failed; ``count`` is how many bytes were handed on.
    """

    def __init__(self, most: int) -> None:
        """*most* bytes are handed on."""
        self._most = most
        self._queue: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._stopped = threading.Event()
        self.fault: BaseException | None = None
        self.count = 0

    def filled(self, runner: FfmpegRunner, pictures: SmallPictures) -> None:
        """Run FFmpeg until it ends; runs in a thread of its own."""
        try:
            runner.make(
                "pictures",
                pictures.graph,
                seconds=pictures.seconds,
                reads=pictures.reads,
                sink=self._take,
            )
        except BaseException as fault:  # noqa: BLE001 - it is raised again by the thread that waits
            self.fault = fault
        finally:
            self._put(b"")

    def pieces(self) -> Iterator[bytes]:
        """What FFmpeg writes, until it ends."""
        while data := self._queue.get():
            yield data

    def stop(self) -> None:
        """Take no more, so that FFmpeg never waits for a model that has ended."""
        self._stopped.set()
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                return

    def _take(self, data: bytes) -> None:
        data = data[: self._most - self.count]
        self.count += len(data)
        if data:
            self._put(data)

    def _put(self, data: bytes) -> None:
        while not self._stopped.is_set():
            try:
                self._queue.put(data, timeout=0.5)
            except queue.Full:
                continue
            return


def read(untrusted: bytes, count: int, step_s: float) -> tuple[Look, ...]:
    """Read the answers for *count* pictures, one every *step_s* seconds.

    :raises ProgramLied: they are not those of the model.
    """
    looks: list[Look] = []
    position = 0
    for number in range(count):
        head, end = untrusted[position : position + 1], position + 1
        if head and head[0] != _NOT_LOOKED:
            end += head[0] * _FACE.size
        if end > len(untrusted):
            raise ProgramLied("an answer that is too short")
        if head[0] != _NOT_LOOKED:
            values = _FACE.iter_unpack(untrusted[position + 1 : end])
            seen = (SeenFace(*(value / _WHOLE for value in each)) for each in values)
            # a box without an area is not a face
            kept = tuple(face for face in seen if face.width > 0 and face.height > 0)
            looks.append(Look(number * step_s, kept))
        position = end
    if position != len(untrusted):
        raise ProgramLied("an answer that is too long")
    return tuple(looks)
