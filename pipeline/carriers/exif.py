"""TIFF structures: EXIF in any container, and TIFF files themselves (TIFF 6.0; EXIF 2.32, 4.5).

The walk over the directories decides by tag number.  ``exifread`` reads the structure as well,
because it knows the notes of makers, which hold serial numbers, owners and places.
"""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator

import exifread
from exifread.core.exceptions import ExifError

from pipeline.carriers import exif_tags as tags
from pipeline.carriers import icc, iptc, opaque, text, xmp
from pipeline.carriers.containers.tiff import TiffEntry, TiffStructure, structure
from pipeline.carriers.window import BudgetSpent, Window
from pipeline.model import Carrier, Finding, What

_DIRECTORIES = 64
_EXIFREAD = 1 << 20


def read(window: Window, *, pages: bool = False, notes: bool = True) -> Iterator[Finding]:
    """What the TIFF structure in *window* gives away.

    :param pages: the structure is a TIFF file: its second directory is a second image, not a
        thumbnail.
    :param notes: let exifread read it as well.
    """
    tiff = structure(window)
    if tiff is None:
        yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
        return
    yield from _directories(tiff, pages=pages)
    if notes and not tiff.big:
        yield from _exifread(window)


def _directories(tiff: TiffStructure, *, pages: bool) -> Iterator[Finding]:
    """Every directory once, also where they point to each other in a loop."""
    todo = [(tiff.first, "main")]
    seen: set[int] = set()
    while todo and len(seen) < _DIRECTORIES:
        at, role = todo.pop(0)
        if at in seen or not 0 < at < tiff.window.size:
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


def _pointers(tiff: TiffStructure, entries: list[TiffEntry]) -> Iterator[tuple[int, str]]:
    roles = {
        tags.GPS_IFD: "gps",
        tags.EXIF_IFD: "exif",
        tags.INTEROP_IFD: "interop",
        tags.SUB_IFDS: "sub",
    }
    for entry in entries:
        if entry.tag in roles:
            yield from ((at, roles[entry.tag]) for at in tiff.numbers(entry))


def _only_gps(entries: list[TiffEntry]) -> bool:
    """Whether a structure is a GPS directory alone, as Canon writes it in its films."""
    numbers = {entry.tag for entry in entries}
    return bool(numbers & {2, 4}) and max(numbers) <= tags.GPS_LAST


def _gps(entries: list[TiffEntry]) -> Iterator[Finding]:
    """The GPS directory (EXIF 2.32, 4.6.6): all but version and datum are about a place."""
    located = any(entry.tag not in tags.GPS_PLACELESS for entry in entries)
    yield Finding(Carrier.EXIF_POSITION, What.LOCATION if located else What.OTHER)


def _entries(tiff: TiffStructure, entries: list[TiffEntry], role: str) -> Iterator[Finding]:
    for entry in entries:
        if entry.tag == tags.GPS_IFD or (role == "interop" and entry.tag in tags.INTEROP):
            continue
        if entry.tag not in tags.SILENT:
            yield from _entry(tiff, entry)


def _entry(tiff: TiffStructure, entry: TiffEntry) -> Iterator[Finding]:
    special = {
        tags.XMP: xmp.read,
        tags.IPTC: iptc.records,
        tags.PHOTOSHOP: lambda data: iptc.resources(tiff.window.wrap(data)),
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


def _note(tiff: TiffStructure, entry: TiffEntry, data: bytes) -> Iterator[Finding]:
    """A maker's note that exifread does not know: Panasonic's names of places, texts."""
    if data.startswith(b"Panasonic\0"):
        fields, _ = tiff.directory(entry.at + 12)
        places = (
            tiff.value(each, 64).strip(b"\0- ") for each in fields if each.tag in tags.PANASONIC
        )
        if any(places):
            yield Finding(Carrier.EXIF_POSITION, What.LOCATION)
    if opaque.has_location(data):
        yield Finding(Carrier.DEVICE, What.LOCATION)


def _said(
    entry: TiffEntry, data: bytes, carrier: Carrier, silent: bool = False
) -> Iterator[Finding]:
    """A text's kind.  *silent*: only if it is a location, as its carrier is reported already."""
    is_text = entry.kind in (1, 2, 7, 129)
    what = text.kind_of(_comment(data)) if is_text else What.OTHER
    if what is What.LOCATION or not silent:
        yield Finding(carrier, what)


def _comment(data: bytes) -> str:
    """A text, without the eight bytes that name its code in UserComment (EXIF 2.32, 4.6.5)."""
    if data[:8] in (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0", b"\0" * 8):
        data = data[8:]
    return text.decode(data)


def _thumbnail(tiff: TiffStructure, entries: list[TiffEntry]) -> Iterator[Finding]:
    """The JPEG of a thumbnail, which can have EXIF of its own (EXIF 2.32, 4.5.8)."""
    found = {e.tag: tiff.numbers(e, 1) for e in entries if e.tag in (0x0201, 0x0202)}
    if not all(found.get(tag) for tag in (tags.THUMBNAIL_OFFSET, tags.THUMBNAIL_LENGTH)):
        return
    at, size = found[tags.THUMBNAIL_OFFSET][0], found[tags.THUMBNAIL_LENGTH][0]
    yield Finding(Carrier.THUMBNAIL, What.OTHER)
    if tiff.window.read(at, 2) == b"\xff\xd8":
        yield from tiff.window.part(at, at + size).inside(Carrier.THUMBNAIL)


class _Handle(io.BytesIO):
    """A file for exifread, which trusts any count that it reads, so the reads are limited.

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
            raise BudgetSpent
        return data


def _exifread(window: Window) -> Iterator[Finding]:
    """What exifread finds, mostly in the notes of makers."""
    if window.budget.searches <= 0:
        return
    window.budget.searches -= 1
    data = window.read(0, _EXIFREAD)
    logging.getLogger("exifread").disabled = True  # it logs each value that it reads
    try:
        found = exifread.process_file(_Handle(data), details=True, extract_thumbnail=False)
        names = [name for name, tag in found.items() if str(tag).strip(" \0[]0")]
    except (ArithmeticError, LookupError, ValueError, TypeError, AttributeError):
        return
    except (struct.error, RecursionError, MemoryError, BudgetSpent, ExifError):
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
