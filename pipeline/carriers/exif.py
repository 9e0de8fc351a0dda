"""TIFF structures: EXIF in any container, and TIFF files themselves (TIFF 6.0; EXIF 2.32, 4.5).

The walk over the directories decides by tag number.  ``exifread`` reads the structure as well,
because it knows the notes of makers, which hold serial numbers, owners and places.
"""

import io
import logging
import struct
from collections.abc import Iterator

import exifread
from exifread.core.exceptions import ExifError

from pipeline.carriers import embedded, iptc, opaque, text, xmp
from pipeline.carriers.containers.tiff import TiffEntry, TiffStructure, structure
from pipeline.carriers.window import BudgetSpent, Window, spend
from pipeline.findings import Carrier, Finding, What

_DIRECTORIES = 64
_EXIFREAD = 1 << 20
_READ = 8  # steps of one of its reads

_GPS_IFD, _EXIF_IFD, _INTEROP_IFD, _SUB_IFDS = 0x8825, 0x8769, 0xA005, 0x014A
_ROLES = {_GPS_IFD: "gps", _EXIF_IFD: "exif", _INTEROP_IFD: "interop", _SUB_IFDS: "sub"}
_MAKER_NOTE, _XMP, _IPTC, _PHOTOSHOP, _ICC = 0x927C, 0x02BC, 0x83BB, 0x8649, 0x8773
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202

# Tags about how the pixels are stored are not reported.  A tag that is in no table is an unknown
# part.  The numbers are those of EXIF 2.32, 4.6, and TIFF 6.0, section 8.
_SILENT = frozenset(
    (
        *range(0x00FE, 0x010B),  # what kind of image, its size, its samples
        *(0x0111, 0x0112, 0x0115, 0x0116, 0x0117, 0x0118, 0x0119, 0x011A, 0x011B, 0x011C),
        *(0x0122, 0x0123, 0x0124, 0x0125, 0x0128, 0x0129, 0x012D, 0x013D, 0x013E, 0x013F),
        *range(0x0140, 0x0146),  # colour map, tiles
        *range(0x014C, 0x0159),  # inks, extra samples, sample format
        *(0x015B, 0x0200, 0x0201, 0x0202, 0x0203, *range(0x0205, 0x020A)),  # JPEG in TIFF
        *(0x0211, 0x0212, 0x0213, 0x0214, 0x9000, 0x9101, 0x9102, 0xA000, 0xA001, 0xA002, 0xA003),
        *(_GPS_IFD, _EXIF_IFD, _INTEROP_IFD, _SUB_IFDS),  # pointers that are followed
    )
)
_INTEROP = frozenset((0x0001, 0x0002, 0x1000, 0x1001, 0x1002))
_TEXT = frozenset(
    (
        *(0x010D, 0x010E, 0x011D, 0x0151, 0x9286, 0xA004, 0xA436, 0x9213),
        *(0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F),  # XPTitle, XPComment, XPKeywords, XPSubject
    )
)
_TABLES: tuple[tuple[Carrier, What, tuple[int, ...]], ...] = (
    (Carrier.SERIAL_NUMBER, What.IDENTITY, (0xA431, 0xA435, 0xA420, 0xC62F, 0xC65D, 0xCD1E)),
    (Carrier.PERSON, What.IDENTITY, (0x013B, 0x8298, 0xA430, 0x9C9D, 0xA437, 0xA438)),
    (
        *(Carrier.DEVICE, What.IDENTITY),
        (
            *(0x010F, 0x0110, 0x0131, 0x013C, 0x000B, 0xC614, 0xC615, 0xC635, 0xC68B),
            *(0xA432, 0xA433, 0xA434, 0xA439, 0xA43A, 0xA43B, 0xA43C),  # lens, firmware, software
        ),
    ),
    (
        *(Carrier.TIME, What.TIME),
        (*(0x0132, 0x9003, 0x9004, 0x882A, 0x9010, 0x9011, 0x9012, 0xC71B), 0x9290, 0x9291, 0x9292),
    ),
    # GeoTIFF 1.1, section 7: the picture is a piece of a map
    (
        *(Carrier.EXIF_POSITION, What.LOCATION),
        (0x830E, 0x8480, 0x8482, 0x84E0, 0x85D8, 0x87AF, 0x87B0, 0x87B1),
    ),
    # how the camera was set, and what it measured around it
    (
        *(Carrier.DEVICE, What.OTHER),
        (
            *(0x829A, 0x829D, 0x8822, 0x8824, 0x8827, 0x8828, 0x882B, 0x4746, 0x4749, 0x935C),
            *(*range(0x8830, 0x8836), *range(0x9201, 0x920D), *range(0x920E, 0x9212), 0x9214),
            *(0x9215, 0x9216, 0x9217, *range(0x9400, 0x9406), 0xA20B, 0xA20C, 0xA20E, 0xA20F),
            *(0xA210, 0xA214, 0xA215, 0xA217, 0xA300, 0xA301, 0xA302, *range(0xA401, 0xA40D)),
            *(0xA460, 0xA461, 0xA462, 0xA500),
            *(0xC4A5, 0xEA1C, 0xEA1D),  # print image matching, padding
        ),
    ),
)
_FINDINGS = {tag: Finding(carrier, what) for carrier, what, tags in _TABLES for tag in tags}

# Notes of makers that name a place: Panasonic's location, country, state, city and landmark;
# Nikon's location info, by the name that exifread gives to an unknown tag.
_PANASONIC = frozenset((0x67, 0x69, 0x6B, 0x6D, 0x6F, 0x80))
_NIKON_PLACE = "Tag 0x0039"

# GPS tags that name no place: the version and the geodetic datum.
_GPS_PLACELESS = frozenset((0x00, 0x12))


def read(window: Window, *, pages: bool = False, notes: bool = True) -> Iterator[Finding]:
    """What the TIFF structure in *window* gives away.

    :param pages: the structure is a TIFF file: its second directory is a second image, not a
        thumbnail.
    :param notes: let exifread read it as well.
    """
    if window.read(0, 5) == b"Exif\0":  # the name of JPEG's segment, also in other containers
        window = window.part(6)
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
            # all but version and datum are about a place (EXIF 2.32, 4.6.6)
            located = any(entry.tag not in _GPS_PLACELESS for entry in entries)
            yield Finding(Carrier.EXIF_POSITION, What.LOCATION if located else What.OTHER)
            continue
        if role == "next":
            yield Finding(Carrier.SECOND_IMAGE if pages else Carrier.THUMBNAIL, What.OTHER)
        if role in ("main", "next"):
            todo.append((following, "next"))
        pointers = (entry for entry in entries if entry.tag in _ROLES)
        todo.extend((to, _ROLES[each.tag]) for each in pointers for to in tiff.numbers(each))
        yield from _entries(tiff, entries, role)
        yield from _thumbnail(tiff, entries)
    if todo and len(seen) >= _DIRECTORIES:
        yield Finding(Carrier.UNKNOWN_PART, What.OTHER)


def _only_gps(entries: list[TiffEntry]) -> bool:
    """Whether a structure is a GPS directory alone, as Canon writes it in its films."""
    numbers = {entry.tag for entry in entries}
    return bool(numbers & {2, 4}) and max(numbers) <= 0x1F


def _entries(tiff: TiffStructure, entries: list[TiffEntry], role: str) -> Iterator[Finding]:
    silent = _SILENT | _INTEROP if role == "interop" else _SILENT
    for entry in entries:
        if entry.tag not in silent:
            yield from _entry(tiff, entry)


def _entry(tiff: TiffStructure, entry: TiffEntry) -> Iterator[Finding]:
    special = {
        _XMP: xmp.read,
        _IPTC: iptc.records,
        _PHOTOSHOP: lambda data: iptc.resources(tiff.window.wrap(data)),
        _ICC: embedded.icc,
    }
    if entry.tag in special:
        yield from special[entry.tag](tiff.value(entry, 4 << 20))
        return
    data = tiff.value(entry)
    if not data.strip(b"\0 "):
        return
    if entry.tag in _FINDINGS:
        yield _FINDINGS[entry.tag]
        yield from _said(entry, data, Carrier.COMMENT_TEXT, silent=True)
    elif entry.tag in _TEXT:
        yield from _said(entry, data, Carrier.COMMENT_TEXT)
    elif entry.tag == _MAKER_NOTE:
        yield Finding(Carrier.DEVICE, What.IDENTITY)
        yield from _note(tiff, entry, data)
    else:
        yield from _said(entry, data, Carrier.UNKNOWN_PART)


def _note(tiff: TiffStructure, entry: TiffEntry, data: bytes) -> Iterator[Finding]:
    """A maker's note that exifread does not know: Panasonic's names of places, texts."""
    if data.startswith(b"Panasonic\0"):
        fields, _ = tiff.directory(entry.at + 12)
        places = (tiff.value(each, 64).strip(b"\0- ") for each in fields if each.tag in _PANASONIC)
        if any(places):
            yield Finding(Carrier.EXIF_POSITION, What.LOCATION)
    if opaque.has_location(data):
        yield Finding(Carrier.DEVICE, What.LOCATION)


def _said(
    entry: TiffEntry, data: bytes, carrier: Carrier, silent: bool = False
) -> Iterator[Finding]:
    """What a text gives away.  *silent*: only a location, its carrier is reported already."""
    is_text = entry.kind in (1, 2, 7, 129)
    if data[:8] in (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0", b"\0" * 8):
        data = data[8:]  # the name of the code in UserComment (EXIF 2.32, 4.6.5)
    what = text.kind_of(text.decode(data)) if is_text else What.OTHER
    if what is What.LOCATION or not silent:
        yield Finding(carrier, what)


def _thumbnail(tiff: TiffStructure, entries: list[TiffEntry]) -> Iterator[Finding]:
    """The JPEG of a thumbnail, which can have EXIF of its own (EXIF 2.32, 4.5.8)."""
    found = {e.tag: tiff.numbers(e, 1) for e in entries if e.tag in (0x0201, 0x0202)}
    if not all(found.get(tag) for tag in (_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH)):
        return
    at, size = found[_THUMBNAIL_OFFSET][0], found[_THUMBNAIL_LENGTH][0]
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
        spend(_READ)
        data = super().read(size)
        self._reads -= 1
        self._octets -= len(data)
        if self._reads < 0 or self._octets < 0:
            raise BudgetSpent
        return data


def _exifread(window: Window) -> Iterator[Finding]:
    """What exifread finds, mostly in the notes of makers."""
    if not window.budget.searches_again():
        return
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
            elif what is What.LOCATION or key == _NIKON_PLACE:
                yield Finding(Carrier.EXIF_POSITION, What.LOCATION)
