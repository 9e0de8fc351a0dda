"""gzip, bzip2 and xz: one file that was compressed, often a tar.

It is unpacked into a temporary file, within the limits of the mail's archives, and with a limit on
the decoder's memory.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Protocol

from pipeline.errors import Refused
from pipeline.ingest import tar
from pipeline.ingest.members import Container, Member, stored
from pipeline.ingest.spool import Readable
from pipeline.media import identify
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_PIECE = 1 << 16
_MOST_STREAMS = 10_000  # one behind the other, as programs with several threads write them
_MEMORY = 128 << 20  # of the decoder of xz; its highest preset needs 65 MiB
_BROKEN = Refusal(Reason.CORRUPT, Detail.BROKEN_COMPRESSION)
_SUFFIXES = {".tgz": ".tar", ".tbz": ".tar", ".tbz2": ".tar", ".txz": ".tar"}


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Room(Readable, Protocol):
    """A temporary file."""

    def write(self, data: bytes, /) -> int:
        """Add bytes at the end."""
        ...


class _Gzip:
    """zlib (RFC 1952) with the interface of bz2 and lzma."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


_MAKERS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": _Gzip,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=_MEMORY),
}

KINDS = frozenset(_MAKERS)


def members(archive: Container, kind: str, room: Room) -> list[Member]:
    """The file in *archive*, of *kind* "gzip", "bzip2" or "xz", or the files of the tar in it.

    :param room: an empty temporary file, open as long as the members are read.
    :raises Refused: ``unsafe``: it grows too much; ``corrupt``: it can't be unpacked.
    """
    size = 0
    try:
        for piece in _unpacked(archive.file, _MAKERS[kind]):
            size += len(piece)
            archive.budget.check(size, archive.size)
            room.write(piece)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, and not of the data
        raise Refused(_BROKEN) from error
    archive.budget.spend(0, size, archive.size)
    room.seek(0)
    if identify.is_tar(room.read(tar.BLOCK)):
        allowed = type(archive.budget)(size, archive.budget.members)
        inner = tar.members(Container(room, archive.name, size, allowed))
        archive.budget.members = allowed.members
        return inner
    archive.budget.spend(1, 0, archive.size)
    return [Member(_name(archive.name), stored(room, 0, size))]


def _unpacked(file: Readable, make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    stream, streams = make(), 1
    data = file.read(_PIECE)
    magic = data[:2]
    while True:
        if stream.eof:
            data = stream.unused_data or file.read(_PIECE)
            if data[:2] != magic:
                return  # other programs ignore what follows, too
            if streams == _MOST_STREAMS:
                raise EOFError
            stream, streams = make(), streams + 1
        yield stream.decompress(data, _PIECE * 4)
        data = b""
        if stream.needs_input and not stream.eof:
            data = file.read(_PIECE)
            if not data:
                raise EOFError


def _name(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.with_suffix(_SUFFIXES.get(path.suffix.lower(), "")).name if path.name else ""
