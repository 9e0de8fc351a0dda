"""The film's sound: the clips' lossless tracks, decoded in one run, cut and crossfaded.

Sound is counted in samples at 48 kHz, as many to each picture (FPS divides 48,000), so it
is exactly as long as the picture.  What a clip holds passes through here unchanged but where
two lie upon each other.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import StageError
from pipeline.media import encode
from pipeline.render.timeline import Film

Samples = npt.NDArray[np.int16]  # of shape (n, 2): left and right

_FRAME = 4  # bytes: two channels of 16 bits
_BLOCK = 1 << 15  # samples handed on at a time
_WAITING = 64  # pieces of at most 64 KiB between the decoder and the encoder


class Tape:
    """Samples out of pieces of bytes, as many as are asked for."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = bytearray()

    def take(self, samples: int) -> Samples:
        """The next *samples*.

        :raises StageError: there are not so many.
        """
        wanted = samples * _FRAME
        while len(self._held) < wanted:
            piece = next(self._pieces, None)
            if piece is None:
                raise StageError("a clip's sound is shorter than its picture; process it again")
            self._held += piece
        data = bytes(self._held[:wanted])
        del self._held[:wanted]
        return np.frombuffer(data, np.int16).reshape(-1, 2)

    def blocks(self, samples: int) -> Iterator[Samples]:
        """The next *samples* in blocks."""
        while samples:
            block = self.take(min(samples, _BLOCK))
            samples -= len(block)
            yield block

    def skip(self, samples: int) -> None:
        """Leave *samples* out."""
        for _ in self.blocks(samples):
            pass

    def end(self) -> None:
        """Make sure that nothing is left.

        :raises StageError: something is.
        """
        if self._held or next(self._pieces, None) is not None:
            raise StageError("a clip's sound is longer than its picture; process it again")


def edited(pieces: Iterable[bytes], film: Film) -> Iterator[Samples]:
    """The film's sound out of that of all its segments' files, one after the other.

    :raises StageError: the files' sound is not as long as their pictures.
    """
    tape = Tape(pieces)
    each = encode.samples_of(1, film.output.fps)
    carried = np.empty((0, 2), np.int16)  # what lies under the beginning of the next
    for index, segment in enumerate(film.segments):
        before, after = film.around(index)
        tape.skip(segment.start * each)
        if before:
            yield crossfaded(carried, tape.take(before * each))
        yield from tape.blocks((segment.length - before - after) * each)
        carried = tape.take(after * each)
        tape.skip((segment.frames - segment.stop) * each)
    tape.end()


def crossfaded(ending: Samples, beginning: Samples) -> Samples:
    """One sound passing into another at equal power, which keeps the loudness of both."""
    angle = (np.arange(len(ending)) + 0.5) / len(ending) * (np.pi / 2)
    mixed = ending * np.cos(angle)[:, None] + beginning * np.sin(angle)[:, None]
    clipped: Samples = np.rint(np.clip(mixed, -32768, 32767)).astype(np.int16)
    return clipped


class Pipe:
    """Pieces of bytes from one thread to another, few at a time."""

    def __init__(self) -> None:
        self._queue: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._shut = threading.Event()

    def put(self, piece: bytes) -> None:
        """Hand a piece over; waits for the reader, and drops it if there is none any more."""
        self._put(piece)

    def end(self) -> None:
        """No piece follows."""
        self._put(None)

    def shut(self) -> None:
        """Read no more."""
        self._shut.set()

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._queue.get()) is not None:
            yield piece

    def _put(self, piece: bytes | None) -> None:
        while not self._shut.is_set():
            try:
                return self._queue.put(piece, timeout=0.1)
            except queue.Full:
                continue
        return None


@contextmanager
def beside(work: Any) -> Iterator[Pipe]:
    """Run *work*, which fills the pipe that it is given, in a thread beside the block.

    What it raises is raised at the block's end.
    """
    pipe = Pipe()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work(pipe)
        except BaseException as error:  # noqa: BLE001 - raised again in the other thread
            failed.append(error)
        finally:
            pipe.end()

    thread = threading.Thread(target=run, name="sound", daemon=True)
    thread.start()
    try:
        yield pipe
    finally:
        pipe.shut()
        thread.join()
        if failed:
            raise failed[0]
