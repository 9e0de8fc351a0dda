"""Properties of Outlook's messages (MS-OXPROPS), and the lists of them in a winmail.dat.

A list is walked with seeks.  No count in it is believed, and no value is read that is not wanted.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.ingest.charsets import decoded
from pipeline.ingest.spool import Readable

BODY, HTML, RTF = 0x1000, 0x1013, 0x1009
DATA, SHORT_NAME, LONG_NAME, DISPLAY_NAME = 0x3701, 0x3704, 0x3707, 0x3001
CONTENT_ID = 0x3712
OBJECT, NARROW, WIDE, BINARY = 0x000D, 0x001E, 0x001F, 0x0102  # types (MS-OXCDATA, 2.11.1)
LARGEST_NAME = 4096  # bytes
_SEVERAL = 0x1000
_NAMED = 0x8000
_FIXED = {
    **dict.fromkeys((0x0002, 0x0003, 0x0004, 0x000A, 0x000B), 4),
    **dict.fromkeys((0x0005, 0x0006, 0x0007, 0x0014, 0x0040), 8),
    0x0048: 16,
}
_VARIABLE = (OBJECT, NARROW, WIDE, BINARY)
_MOST = 5000  # properties, or values of one


@dataclass(frozen=True)
class Property:
    """A property: its number, its type, and where its value is in the file."""

    number: int
    type: int
    start: int
    size: int


def text(data: bytes, kind: int, charset: str) -> str:
    """The value of a property of *kind* NARROW or WIDE, whose *data* may end with a NUL."""
    if kind == WIDE:
        return data[: len(data) & ~1].decode("utf-16-le", "replace").split("\0", 1)[0]
    return decoded(data.split(b"\0", 1)[0], charset)


def walk(file: Readable, start: int, end: int) -> Iterator[Property]:
    """The properties in a list (MS-OXTNEF, 2.1.3.4); it ends where it can't be understood."""
    reader = _Reader(file, start, end)
    try:
        for _ in range(min(reader.number(), _MOST)):
            yield from _values(reader)
    except struct.error:
        return


def _values(reader: "_Reader") -> Iterator[Property]:
    kind, number = reader.number("<H"), reader.number("<H")
    if number >= _NAMED:
        reader.skip(16)
        is_named = reader.number() == 1
        reader.skip(reader.number() if is_named else 4)
    several, kind = bool(kind & _SEVERAL), kind & ~_SEVERAL
    variable = kind in _VARIABLE
    for _ in range(min(reader.number(), _MOST) if several or variable else 1):
        if not variable and kind not in _FIXED:
            raise struct.error
        size = reader.number() if variable else _FIXED[kind]
        at = reader.position
        reader.skip(size)
        yield Property(number, kind, at, size)


class _Reader:
    def __init__(self, file: Readable, start: int, end: int) -> None:
        self._file, self.position, self._end = file, start, end

    def number(self, form: str = "<I") -> int:
        size = struct.calcsize(form)
        if self.position + size > self._end:
            raise struct.error
        self._file.seek(self.position)
        self.position += size
        (value,) = struct.unpack(form, self._file.read(size))
        return int(value)

    def skip(self, size: int) -> None:
        """Pass a value, which is padded to four bytes."""
        if self.position + size > self._end:
            raise struct.error
        self.position += -(-size // 4) * 4
