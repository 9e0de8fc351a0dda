"""Compound files (MS-CFB): the folders and streams in the files of Outlook and of old Office.

Read with seeks.  Each chain of sectors is at most as long as the file, whatever its table says.
"""

import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.errors import Refused
from pipeline.ingest.spool import Readable, stretch
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST = 0xFFFFFFFA  # numbers from here on do not name sectors
_MINI_SECTOR = 64
_ENTRY = 128  # bytes
_CUTOFF = 4096  # bytes; smaller streams lie in sectors of 64 bytes (MS-CFB, 2.2)
_MOST_ENTRIES = 20_000
_MOST_STEPS = 1_000_000  # from an entry to the next one
_LARGEST_MINI_TABLE = 16 << 20
_STREAM, _ROOT = 2, 5
BROKEN = Refusal(Reason.CORRUPT, Detail.BROKEN_OUTLOOK)


@dataclass(frozen=True)
class Entry:
    """A folder or a stream: ``size`` bytes in the chain of sectors from ``first``."""

    name: str
    is_stream: bool
    first: int
    size: int
    child: int
    siblings: tuple[int, int] = field(default=(0, 0))


class CompoundFile:
    """A compound file, open for reading.

    :raises Refused: its structure can't be read.
    """

    def __init__(self, file: Readable, size: int) -> None:
        self._file, self._length = file, size
        self._steps = 0
        file.seek(0)
        header = file.read(512)
        if len(header) < 512 or header[:8] != _MAGIC:
            raise Refused(BROKEN)
        shift = int.from_bytes(header[30:32], "little")
        if shift not in (9, 12):
            raise Refused(BROKEN)
        self._sector = 1 << shift
        directory, _, _, mini, _, more, _ = struct.unpack("<7I", header[48:76])
        self._table = self._read_table(header[76:512], more)
        data = b"".join(self._pieces(self._chain(directory), _MOST_ENTRIES * _ENTRY))
        self._entries = [
            _entry(data[at : at + _ENTRY]) for at in range(0, len(data) - _ENTRY + 1, _ENTRY)
        ]
        if not self._entries:
            raise Refused(BROKEN)
        self.root = self._entries[0]
        self._mini_chain = self._chain(self.root.first) if self.root.size else []
        small = b"".join(self._pieces(self._chain(mini), _LARGEST_MINI_TABLE))
        self._mini_table = _numbers(small)

    def children(self, folder: Entry) -> dict[str, Entry]:
        """What is in a folder, by name.

        :raises Refused: the folders refer to each other without an end.
        """
        found: dict[str, Entry] = {}
        seen: set[int] = set()
        open_ = [folder.child]
        while open_:
            number = open_.pop()
            if number in seen or number >= len(self._entries):
                continue
            seen.add(number)
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise Refused(BROKEN)
            entry = self._entries[number]
            found.setdefault(entry.name, entry)
            open_ += entry.siblings
        return found

    def read(self, stream: Entry) -> Iterator[bytes]:
        """The bytes of a stream in pieces; fewer than its size if its chain is broken."""
        if stream.size >= _CUTOFF:
            chain = self._chain(stream.first, -(-stream.size // self._sector))
            yield from self._pieces(chain, stream.size)
            return
        left, number = stream.size, stream.first
        per = self._sector // _MINI_SECTOR
        while left > 0 and number < len(self._mini_table):
            place = number // per
            if place >= len(self._mini_chain):
                return
            at = (self._mini_chain[place] + 1) * self._sector + number % per * _MINI_SECTOR
            self._file.seek(at)
            yield self._file.read(min(left, _MINI_SECTOR))
            left -= _MINI_SECTOR
            number = self._mini_table[number]

    def _read_table(self, first: bytes, more: int) -> "array[int]":
        """The table of sectors (MS-CFB, 2.3 and 2.5)."""
        places = [each for each in _numbers(first) if each < _LAST]
        most = self._length // self._sector
        seen: set[int] = set()
        while more < _LAST and more not in seen and len(places) <= most:
            seen.add(more)
            *numbers, more = _numbers(self._read_sector(more)) or [_LAST]
            places += [each for each in numbers if each < _LAST]
        table = array("I")
        for place in dict.fromkeys(places[:most]):
            table.extend(_numbers(self._read_sector(place)))
        return table

    def _read_sector(self, number: int) -> bytes:
        self._file.seek((number + 1) * self._sector)
        return self._file.read(self._sector)

    def _chain(self, first: int, most: int | None = None) -> list[int]:
        chain: list[int] = []
        most = min(most or sys.maxsize, self._length // self._sector + 1)
        while first < len(self._table) and len(chain) < most:
            chain.append(first)
            first = self._table[first]
        return chain

    def _pieces(self, chain: list[int], size: int) -> Iterator[bytes]:
        """The bytes of a chain; sectors that follow each other are read together."""
        cuts = [at for at in range(1, len(chain)) if chain[at] != chain[at - 1] + 1]
        for begin, end in pairwise([0, *cuts, len(chain)]):
            if size <= 0 or begin == end:
                return
            start = (chain[begin] + 1) * self._sector
            length = min((end - begin) * self._sector, size)
            yield from stretch(self._file, start, min(start + length, self._length))
            size -= length


def _entry(data: bytes) -> Entry:
    length = min(int.from_bytes(data[64:66], "little"), 64)
    left, right, child = struct.unpack("<3I", data[68:80])
    return Entry(
        name=data[: max(0, length - 2)].decode("utf-16-le", "replace"),
        is_stream=data[66] == _STREAM,
        first=int.from_bytes(data[116:120], "little"),
        size=int.from_bytes(data[120:124], "little") if data[66] in (_STREAM, _ROOT) else 0,
        child=child,
        siblings=(left, right),
    )


def _numbers(data: bytes) -> "array[int]":
    numbers = array("I", data[: len(data) & ~3])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
