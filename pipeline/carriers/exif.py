"""TIFF structures: EXIF in any container, and TIFF files themselves (TIFF 6.0; EXIF 2.32, 4.5).

Our own walk over the directories decides by tag number; ``exifread`` is asked as well, since
it knows the notes of makers, in which serial numbers, owners and places hide.  BigTIFF is
read by the same walk.
"""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import exifread
from exifread.core.exceptions import ExifError

from pipeline.carriers import exif_tags as tags
from pipeline.carriers import icc, iptc, opaque, text, xmp
from pipeline.carriers.source import Source, Spent
from pipeline.model import Carrier, Finding, What

_DIRECTORIES = 64
_ENTRIES = 1000
_EXIFREAD = 1 << 20
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_WIDTHS |= {16: 8, 17: 8, 18: 8, 129: 1}

# exifread logs each value that it reads
logging.getLogger("exifread").disabled = True


@dataclass(frozen=True)
class _Entry:
    """One field of a directory: ``count`` values of ``kind``, *size* bytes at ``at``."""

    tag: int
    kind: int
    count: int
    at: int
    size: int


@dataclass(frozen=True)
class _Tiff:
    source: Source
    order: Literal["little", "big"]
    big: bool

    def number(self, at: int, count: int) -> int:
        return int.from_bytes(self.source.read(at, count), self.order)

    def directory(self, at: int) -> tuple[list[_Entry], int]:
        """The entries of the directory at *at*, and where the next one stands (0: none)."""
        head, step, inline = (8, 20, 8) if self.big else (2, 12, 4)
        count = self.number(at, head)
        shown = min(count, _ENTRIES)
        data = self.source.read(at + head, shown * step)
        entries = []
        for start in range(0, len(data) - step + 1, step):
            field = data[start : start + step]
            tag, kind = (int.from_bytes(field[i : i + 2], self.order) for i in (0, 2))
            number = int.from_bytes(field[4 : 4 + inline], self.order)
            size = number * _WIDTHS.get(kind, 1)
            where = at + head + start + 4 + inline
            if size > inline:
                where = int.from_bytes(field[4 + inline :], self.order)
            entries.append(_Entry(tag, kind, number, where, size))
        return entries, self.number(at + head + count * step, inline)

    def value(self, entry: _Entry, limit: int = text.LIMIT) -> bytes:
        return self.source.read(entry.at, min(entry.size, limit))

    def numbers(self, entry: _Entry, limit: int = 16) -> list[int]:
        width = _WIDTHS.get(entry.kind, 1)
        data = self.value(entry, width * limit)
        return [int.from_bytes(data[i : i + width], self.order) for i in range(0, len(data), width)]


def read(source: Source, *, pages: bool = False, notes: bool = True) -> Iterator[Finding]:
    """What the TIFF structure in *source* gives away.

    :param pages: the structure is a TIFF file: its second directory is a second image, not a
        thumbnail.
    :param notes: ask exifread as well.
    """
    head = source.read(0, 16)
    if head[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
        return
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    big = b"+" in head[:4]
    tiff = _Tiff(source, order, big)
    yield from _directories(tiff, tiff.number(8 if big else 4, 8 if big else 4), pages)
    if notes and not big:
        yield from _exifread(source)


def _directories(tiff: _Tiff, first: int, pages: bool) -> Iterator[Finding]:
    """Every directory once, in whatever order and loop they point to each other."""
    todo = [(first, "main")]
    seen: set[int] = set()
    while todo and len(seen) < _DIRECTORIES:
        at, role = todo.pop(0)
        if at in seen or not 0 < at < tiff.source.size:
            continue
        seen.add(at)
        entries, following = tiff.directory(at)
        if role == "gps" or _only_gps(entries):
            yield from _gps(entries)
            continue
        if role == "next":
            yield Finding(Carrier.SECOND_IMAGE if pages else Carrier.THUMBNAIL, What.OTHER)
        if role in ("main", "next"):
            todo.append((following, "next"))
        todo.extend(_pointers(tiff, entries))
        yield from _entries(tiff, entries, role)
        yield from _thumbnail(tiff, entries)
    if todo and len(seen) >= _DIRECTORIES:
        yield Finding(Carrier.UNKNOWN_PART, What.OTHER)


def _pointers(tiff: _Tiff, entries: list[_Entry]) -> Iterator[tuple[int, str]]:
    roles = {
        tags.GPS_IFD: "gps",
        tags.EXIF_IFD: "exif",
        tags.INTEROP_IFD: "interop",
        tags.SUB_IFDS: "sub",
    }
    for entry in entries:
        if entry.tag in roles:
            yield from ((at, roles[entry.tag]) for at in tiff.numbers(entry))


def _only_gps(entries: list[_Entry]) -> bool:
    """A structure that is nothing but a GPS directory, as Canon has it in its films."""
    numbers = {entry.tag for entry in entries}
    return bool(numbers & {2, 4}) and max(numbers) <= tags.GPS_LAST


def _gps(entries: list[_Entry]) -> Iterator[Finding]:
    """The GPS directory (EXIF 2.32, 4.6.6): all but its version and datum is about the place."""
    telling = any(entry.tag not in tags.GPS_PLACELESS for entry in entries)
    yield Finding(Carrier.EXIF_POSITION, What.LOCATION if telling else What.OTHER)


def _entries(tiff: _Tiff, entries: list[_Entry], role: str) -> Iterator[Finding]:
    for entry in entries:
        if entry.tag == tags.GPS_IFD or (role == "interop" and entry.tag in tags.INTEROP):
            continue
        if entry.tag not in tags.SILENT:
            yield from _entry(tiff, entry)


def _entry(tiff: _Tiff, entry: _Entry) -> Iterator[Finding]:
    special = {
        tags.XMP: xmp.read,
        tags.IPTC: iptc.records,
        tags.PHOTOSHOP: lambda data: iptc.resources(tiff.source.wrap(data)),
        tags.ICC: icc.read,
    }
    simple = (
        (tags.SERIAL, Finding(Carrier.SERIAL_NUMBER, What.IDENTITY)),
        (tags.PERSON, Finding(Carrier.PERSON, What.IDENTITY)),
        (tags.DEVICE, Finding(Carrier.DEVICE, What.IDENTITY)),
        (tags.TIME, Finding(Carrier.TIME, What.TIME)),
        (tags.SETTINGS, Finding(Carrier.DEVICE, What.OTHER)),
        (tags.PLACE, Finding(Carrier.EXIF_POSITION, What.LOCATION)),
    )
    if entry.tag in special:
        yield from special[entry.tag](tiff.value(entry, 4 << 20))
        return
    data = tiff.value(entry)
    if not data.strip(b"\0 "):
        return
    for numbers, finding in simple:
        if entry.tag in numbers:
            yield finding
            yield from _said(entry, data, Carrier.COMMENT_TEXT, silent=True)
            return
    if entry.tag in tags.TEXT:
        yield from _said(entry, data, Carrier.COMMENT_TEXT)
    elif entry.tag == tags.MAKER_NOTE:
        yield Finding(Carrier.DEVICE, What.IDENTITY)
        yield from _note(tiff, entry, data)
    else:
        yield from _said(entry, data, Carrier.UNKNOWN_PART)


def _note(tiff: _Tiff, entry: _Entry, data: bytes) -> Iterator[Finding]:
    """A maker's note, where exifread does not know it: Panasonic's names of places, texts."""
    if data.startswith(b"Panasonic\0"):
        fields, _ = tiff.directory(entry.at + 12)
        told = (
            tiff.value(each, 64).strip(b"\0- ") for each in fields if each.tag in tags.PANASONIC
        )
        if any(told):
            yield Finding(Carrier.EXIF_POSITION, What.LOCATION)
    if opaque.telling(data):
        yield Finding(Carrier.DEVICE, What.LOCATION)


def _said(entry: _Entry, data: bytes, carrier: Carrier, silent: bool = False) -> Iterator[Finding]:
    """A text's kind; with *silent* only when it is a place, since its carrier is told already."""
    is_text = entry.kind in (1, 2, 7, 129)
    what = text.kind_of(_comment(data)) if is_text else What.OTHER
    if what is What.LOCATION or not silent:
        yield Finding(carrier, what)


def _comment(data: bytes) -> str:
    """A text, without the eight bytes that name its code in UserComment (EXIF 2.32, 4.6.5)."""
    if data[:8] in (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0", b"\0" * 8):
        data = data[8:]
    return text.decode(data)


def _thumbnail(tiff: _Tiff, entries: list[_Entry]) -> Iterator[Finding]:
    """The JPEG of a thumbnail, which can have EXIF of its own (EXIF 2.32, 4.5.8)."""
    found = {e.tag: tiff.numbers(e, 1) for e in entries if e.tag in (0x0201, 0x0202)}
    if not all(found.get(tag) for tag in (tags.THUMBNAIL_OFFSET, tags.THUMBNAIL_LENGTH)):
        return
    at, size = found[tags.THUMBNAIL_OFFSET][0], found[tags.THUMBNAIL_LENGTH][0]
    yield Finding(Carrier.THUMBNAIL, What.OTHER)
    if tiff.source.read(at, 2) == b"\xff\xd8":
        yield from tiff.source.part(at, at + size).inside(Carrier.THUMBNAIL)


class _Handle(io.BytesIO):
    """A file for exifread, which believes any count that it reads: the reads are numbered.

    A maker note of 2^32 values, or thousands of texts of 64 KiB, would keep it busy for hours.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._reads = 120_000
        self._octets = 4 * len(data) + (1 << 20)

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._reads -= 1
        self._octets -= len(data)
        if self._reads < 0 or self._octets < 0:
            raise Spent
        return data


def _exifread(source: Source) -> Iterator[Finding]:
    """What exifread names, the notes of makers above all."""
    if source.budget.windows <= 0:
        return
    source.budget.windows -= 1
    data = source.read(0, _EXIFREAD)
    try:
        found = exifread.process_file(_Handle(data), details=True, extract_thumbnail=False)
        names = [name for name, tag in found.items() if str(tag).strip(" \0[]0")]
    except (ArithmeticError, LookupError, ValueError, TypeError, AttributeError):
        return
    except (struct.error, RecursionError, MemoryError, Spent, ExifError):
        return
    for name in names:
        group, _, key = name.partition(" ")
        if group == "GPS" and key not in ("GPSVersionID", "GPSMapDatum") and "Tag 0x" not in key:
            yield Finding(Carrier.EXIF_POSITION, What.LOCATION)
        elif group == "MakerNote":
            what, carrier = text.kind_of_key(key)
            if carrier is not None:
                yield Finding(carrier, what)
            elif what is What.LOCATION or key == tags.NIKON_PLACE:
                yield Finding(Carrier.EXIF_POSITION, What.LOCATION)
