"""Boxes of ISO base media files (ISO/IEC 14496-12, section 4.2): MP4, QuickTime, HEIF, AVIF.

Made for hostile files: a box never reaches beyond the one that holds it, a walk goes
forward only, counts and depth have ceilings, and the media data is stepped over, not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

MAX_BOXES = 100_000
MAX_DEPTH = 12
MAX_BODY = 64 << 20


class BoxError(ValueError):
    """The boxes make no sense.  The text says where in the file, and quotes nothing of it."""


class Source(Protocol):
    """What the walker reads from: an open file, a ``BytesIO``, an ``mmap``."""

    def seek(self, offset: int, /) -> object:
        """Go to *offset*."""

    def read(self, size: int, /) -> bytes:
        """The next *size* bytes, fewer at the end."""


@dataclass(frozen=True)
class Box:
    """One box: its four-character type, and where it stands in the file, in bytes.

    ``start`` is the first byte of the header, ``body`` the first after it, ``end`` the first
    after the box.  The extended type of a ``uuid`` box is the first 16 bytes of its body.
    """

    type: bytes
    start: int
    body: int
    end: int


def boxes(file: Source, start: int, end: int) -> Iterator[Box]:
    """The boxes that stand one after the other from *start* to before *end*.

    Those before a fault are yielded before the fault is raised.  A size of 0 means "to the
    end", which section 4.2.2 allows for the last box of a file.

    :raises BoxError: a box ends before its header or after *end*, fewer than eight bytes are
        left over, or there are more than ``MAX_BOXES``.
    """
    at = start
    for _ in range(MAX_BOXES):
        if at == end:
            return
        box = _box_at(file, at, end)
        yield box
        at = box.end
    raise BoxError(f"more than {MAX_BOXES} boxes in a row, from byte {start}")


def _box_at(file: Source, at: int, end: int) -> Box:
    if end - at < 8:
        raise BoxError(f"{end - at} bytes that are no box at byte {at}")
    size, kind = struct.unpack(">I4s", read(file, at, 8))
    body = at + 8
    if size == 1:
        if end - at < 16:
            raise BoxError(f"a box header is cut off at byte {at}")
        (size,) = struct.unpack(">Q", read(file, body, 8))
        body += 8
    elif size == 0:
        size = end - at
    if size < body - at or size > end - at:
        raise BoxError(f"a box of impossible size at byte {at}")
    return Box(kind, at, body, at + size)


def walk(
    file: Source, start: int, end: int, containers: Mapping[bytes, int]
) -> Iterator[tuple[tuple[bytes, ...], Box]]:
    """All boxes from *start* to before *end* in file order, each with the types above it.

    :param containers: the types to go into, each with the number of bytes that stand in its
        body before the first box (4 for a FullBox, section 4.2.2).
    :raises BoxError: as :func:`boxes`; also deeper than ``MAX_DEPTH`` or, over all levels,
        more than ``MAX_BOXES``.
    """
    pending: list[tuple[tuple[bytes, ...], Iterator[Box]]] = [((), boxes(file, start, end))]
    seen = 0
    while pending:
        above, row = pending[-1]
        box = next(row, None)
        if box is None:
            pending.pop()
            continue
        seen += 1
        if seen > MAX_BOXES:
            raise BoxError(f"more than {MAX_BOXES} boxes")
        yield above, box
        if box.type in containers:
            if len(pending) == MAX_DEPTH:
                raise BoxError(f"boxes are nested too deep at byte {box.start}")
            pending.append(((*above, box.type), children(file, box, containers[box.type])))


def children(file: Source, box: Box, skip: int = 0) -> Iterator[Box]:
    """The boxes inside *box*, after *skip* bytes of fields of its own.

    :raises BoxError: as :func:`boxes`; also when *box* is shorter than *skip*.
    """
    if box.body + skip > box.end:
        raise BoxError(f"a box is too short at byte {box.start}")
    return boxes(file, box.body + skip, box.end)


def body(file: Source, box: Box, limit: int = MAX_BODY) -> bytes:
    """All bytes of the body of *box*.

    :raises BoxError: they are more than *limit*, or the file ends before them.
    """
    if box.end - box.body > limit:
        raise BoxError(f"a box is larger than {limit} bytes at byte {box.start}")
    return read(file, box.body, box.end - box.body)


def read(file: Source, at: int, size: int) -> bytes:
    """Exactly *size* bytes from byte *at*.

    :raises BoxError: the file ends before them.
    """
    file.seek(at)
    data = file.read(size)
    if len(data) != size:
        raise BoxError(f"the file ends in the middle of a box at byte {at}")
    return data
