"""Where a mail waits while it is taken apart: in memory, and a large one in a file behind it.

The memory is taken once and used again for each mail, and blocks go between it and the disk
without a stop in the page cache: fresh memory, the system's too, costs more than the bytes.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

MEMORY = 1 << 24
BLOCK = 1 << 20
PIECE = 1 << 18
_PAGE = 4096
_UNCACHED = getattr(os, "O_DIRECT", 0)


class Readable(Protocol):
    """A mail's bytes: an open file, or a spool."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place; *whence* 2 counts from the end."""
        ...

    def read(self, size: int, /) -> bytes:
        """So many bytes; fewer at the end."""
        ...


def stretch(file: Readable, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes from *start* to before *end* in pieces; others may read in between."""
    while end is None or start < end:
        file.seek(start)
        data = file.read(PIECE if end is None else min(PIECE, end - start))
        if not data:
            return
        start += len(data)
        yield data


class Spool:
    """One mail after another: written from its start, then read anywhere.

    A window of memory over a file that is made when the first mail does not fit into it.
    """

    def __init__(self, fresh: Callable[[], Path], memory: int) -> None:
        """*fresh* names a temporary file, which is not there yet; *memory* is whole pages."""
        self._fresh = fresh
        self._memory = _memory(memory)
        self._path: Path | None = None
        self._handle = -1
        self.clear()

    def clear(self) -> None:
        """Forget the mail."""
        self.size = self._base = self._at = 0
        self._held = 0  # how many bytes of the window count
        self._unwritten = False

    def close(self) -> None:
        """Take the file away."""
        if self._path is not None:
            os.close(self._handle)
            self._path.unlink(missing_ok=True)
            self._path = None

    def room(self) -> memoryview:
        """Where the next bytes are to go; never empty.  :meth:`took` says how many came."""
        assert self._base + self._held == self.size, "written after it was read"
        if self._held == len(self._memory):
            self._save()
            self._base, self._held = self.size, 0
        return self._memory[self._held :]

    def took(self, count: int) -> None:
        """So many bytes stand in the room that was given."""
        self._held += count
        self.size += count
        self._unwritten = True

    def write(self, data: bytes) -> None:
        """Add bytes that stand elsewhere."""
        left = memoryview(data)
        while left:
            room = self.room()
            count = min(len(room), len(left))
            room[:count] = left[:count]
            self.took(count)
            left = left[count:]

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Where to read from."""
        self._at = offset + (self.size if whence == 2 else 0)
        return self._at

    def read(self, size: int, /) -> bytes:
        """So many bytes; fewer at the mail's end."""
        end = min(self._at + size, self.size)
        data = b""
        while self._at < end:
            if not self._base <= self._at < self._base + self._held:
                self._load(self._at - self._at % len(self._memory))
            start = self._at - self._base
            found = self._memory[start : min(end - self._base, self._held)]
            data = data + found if data else bytes(found)
            self._at += len(found)
        return data

    def _save(self) -> None:
        if self._path is None:
            path = self._fresh()
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            self._path = path
            uncached(self._handle)
        whole = -(-self._held // _PAGE) * _PAGE  # what stands behind the end is never read
        write_all(self._handle, self._memory[:whole], self._base)
        self._unwritten = False

    def _load(self, base: int) -> None:
        if self._unwritten:
            self._save()
        wanted = min(len(self._memory), self.size - base)
        self._base = base
        self._held = min(os.preadv(self._handle, [self._memory], base), wanted)
        if self._held < wanted:
            raise OSError(errno.EIO, "a temporary file became shorter")


class Writer:
    """Writes a new file in blocks, and the rest of it at the end."""

    def __init__(self) -> None:
        """One serves for any number of files, one after the other."""
        _steady()
        self._block = _memory(BLOCK)
        self._handle, self._held, self._place = -1, 0, 0

    def begin(self, handle: int) -> None:
        """A file of which nothing is written yet."""
        self._handle, self._held, self._place = handle, 0, 0

    def write(self, data: bytes) -> None:
        """Add bytes."""
        left = memoryview(data)
        while left:
            count = min(BLOCK - self._held, len(left))
            self._block[self._held : self._held + count] = left[:count]
            self._held += count
            left = left[count:]
            if self._held == BLOCK:
                if not self._place:
                    uncached(self._handle)
                write_all(self._handle, self._block, self._place)
                self._place += BLOCK
                self._held = 0

    def end(self) -> None:
        """Write what is left; flushing is the caller's."""
        cached(self._handle)
        write_all(self._handle, self._block[: self._held], self._place)


def uncached(handle: int) -> None:
    """Let whole pages pass by the page cache, where the file system can."""
    with suppress(OSError):
        fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) | _UNCACHED)


def cached(handle: int) -> None:
    """Take :func:`uncached` back."""
    fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) & ~_UNCACHED)


def write_all(handle: int, data: memoryview, place: int) -> None:
    """Write all of *data* at a place of the file.

    :raises OSError: the disk is full, or fails.
    """
    while data:
        try:
            count = os.pwrite(handle, data, place)
        except OSError as error:
            # a file system that takes the flag and then no write, or wants larger pages
            if error.errno != errno.EINVAL or not (fcntl.fcntl(handle, fcntl.F_GETFL) & _UNCACHED):
                raise
            cached(handle)
            continue
        place += count
        data = data[count:]


def _steady() -> None:
    """Have the C library keep the memory of pieces for the next ones.

    glibc gives it back to the system after each, until it has seen something larger freed.
    """
    large = bytes(16 * PIECE)
    del large


def _memory(size: int) -> memoryview:
    """Memory that begins with a page, and takes none before it is written to."""
    return memoryview(mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
