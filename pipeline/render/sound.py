"""The film's sound: the clips' lossless tracks, decoded in one run, cut and crossfaded.

Sound is counted in samples at 48 kHz, the same number for each picture (FPS divides 48,000), so it
is exactly as long as the picture.  A clip's sound is unchanged except where two clips overlap in a
crossfade.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from pipeline.errors import StageError
from pipeline.media.timebase import samples_of
from pipeline.render.timeline import Timeline

Samples = npt.NDArray[np.int16]  # of shape (n, 2): left and right

_FRAME = 4  # bytes: two channels of 16 bits
_BLOCK = 1 << 15  # samples handed on at a time
_WAITING = 64  # pieces of at most 64 KiB between the decoder and the encoder


class SampleReader:
    """Reads samples from pieces of bytes, as many as are asked for."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = bytearray()

    def take(self, samples: int) -> Samples:
        """Return the next *samples*.

        :raises StageError: there are fewer.
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
        """Yield the next *samples* in blocks."""
        while samples:
            block = self.take(min(samples, _BLOCK))
            samples -= len(block)
            yield block

    def skip(self, samples: int) -> None:
        """Skip *samples*."""
        for _ in self.blocks(samples):
            pass

    def end(self) -> None:
        """Check that nothing is left.

        :raises StageError: something is.
        """
        if self._held or next(self._pieces, None) is not None:
            raise StageError("a clip's sound is longer than its picture; process it again")


def edited(pieces: Iterable[bytes], film: Timeline) -> Iterator[Samples]:
    """Cut and crossfade the film's sound from that of all its segments' files in a row.

    :raises StageError: the files' sound is not as long as their pictures.
    """
    reader = SampleReader(pieces)
    each = samples_of(1, film.output.fps)
    carried = np.empty((0, 2), np.int16)  # what overlaps the beginning of the next segment
    for segment, _, before, after in film.placed():
        reader.skip(segment.start * each)
        if before:
            yield crossfaded(carried, reader.take(before * each))
        yield from reader.blocks((segment.length - before - after) * each)
        carried = reader.take(after * each)
        reader.skip((segment.frames - segment.stop) * each)
    reader.end()


def crossfaded(ending: Samples, beginning: Samples) -> Samples:
    """Let one sound pass into another at equal power, which keeps the loudness of both."""
    angle = (np.arange(len(ending)) + 0.5) / len(ending) * (np.pi / 2)
    mixed = ending * np.cos(angle)[:, None] + beginning * np.sin(angle)[:, None]
    clipped: Samples = np.rint(np.clip(mixed, -32768, 32767)).astype(np.int16)
    return clipped


class Pipe:
    """Hands pieces of bytes from one thread to another; holds only a few.

    ``shut`` is set when nobody reads any more; pieces are dropped then.
    """

    def __init__(self) -> None:
        self._queue: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self.shut = threading.Event()

    def put(self, piece: bytes | None) -> None:
        """Hand a piece over, None after the last: wait for the reader while there is one."""
        while not self.shut.is_set():
            with contextlib.suppress(queue.Full):
                return self._queue.put(piece, timeout=0.1)
        return None

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._queue.get, None)


@contextmanager
def beside(work: Callable[[Pipe], object]) -> Iterator[Pipe]:
    """Run *work*, which fills the pipe that it is given, in a thread beside the block.

    An error of *work* is raised at the end of the block.
    """
    pipe = Pipe()

    def run() -> None:
        try:
            work(pipe)
        finally:
            pipe.put(None)

    with ThreadPoolExecutor(1, thread_name_prefix="sound") as pool:
        done = pool.submit(run)
        try:
            yield pipe
        finally:
            pipe.shut.set()
            done.result()
