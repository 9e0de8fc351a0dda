"""The bytes of a mail: a temporary file, in memory while it is small, or a part of a file.

No mail is held in memory as a whole, so memory does not grow with the attachment.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Protocol

from pipeline.publishing import PART

MEMORY = 8 << 20  # of a mail, in bytes
NESTED_MEMORY = 1 << 20  # of a mail inside a mail: several may be open at once
_PIECE = 1 << 18


class Readable(Protocol):
    """The bytes of a mail: an open file or a spool."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to an offset; with *whence* 2 it counts from the end."""
        ...

    def read(self, size: int, /) -> bytes:
        """Read *size* bytes, fewer at the end."""
        ...


class FilePart:
    """A part of a file, which is read as a file."""

    def __init__(self, file: Readable, start: int, end: int) -> None:
        self._file, self._start, self._size = file, start, max(0, end - start)
        self._at = 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to an offset; with *whence* 2 it counts from the end."""
        self._at = max(0, offset + {0: 0, 1: self._at, 2: self._size}[whence])
        return self._at

    def read(self, size: int, /) -> bytes:
        """Read *size* bytes, fewer at the end."""
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(size, self._size - self._at)))
        self._at += len(data)
        return data


def spool(folder: Path, memory: int | None = None) -> SpooledTemporaryFile[bytes]:
    """A temporary file in *folder* without a name, which no killed run leaves behind.

    A mail may contain locations, so *folder* must be that of the originals.
    """
    return SpooledTemporaryFile(
        memory or MEMORY, "w+b", prefix=".mail-", suffix=PART, dir=str(folder)
    )


def disk_spool(folder: Path) -> SpooledTemporaryFile[bytes]:
    """A spool that is a file from its first byte on.

    A mail goes to another process as an open file, so it would be copied out of the memory.
    """
    file = spool(folder)
    file.rollover()
    return file


def stretch(file: Readable, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes from *start* to before *end* in pieces; other code may read in between."""
    while end is None or start < end:
        file.seek(start)
        data = file.read(_PIECE if end is None else min(_PIECE, end - start))
        if not data:
            return
        start += len(data)
        yield data


def sha256_of(file: Readable) -> str:
    """The SHA-256 of a mail as the inbox gave it; who has the mail can compute the same."""
    digest = hashlib.sha256()
    for piece in stretch(file):
        digest.update(piece)
    return digest.hexdigest()
