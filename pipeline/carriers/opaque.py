"""Bytes that no reader understands.

An unknown part is reported as such.  It also counts as a location if it holds text with a
position, or the header of a format that holds positions: TIFF/EXIF, XMP, JPEG, GoPro's GPMF,
the blocks of dashcams.  The first members of a zip archive in it are unpacked and read.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Literal

from pipeline.carriers import text, xmp
from pipeline.carriers.containers import zips
from pipeline.carriers.window import Window, spend
from pipeline.findings import Carrier, Finding, What

_SCAN = 256 << 10
_TAIL = 64 << 10
_HITS = 8
_OCTETS_A_STEP = 8

# UTF-8 of any script, because people write places in all of them.
_NARROW = re.compile(
    rb"(?:[\x20-\x7e\t\r\n]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}){6,}"
)
_WIDE = re.compile(rb"(?:[\x20-\x7e]\x00){6,}")
_WIDE_BE = re.compile(rb"(?:\x00[\x20-\x7e]){6,}")
_TIFF = re.compile(rb"II\*\0[\x08-\xff]\0\0\0|MM\0\*\0\0\0[\x08-\xff]")
_XMP = re.compile(rb"<x:xmpmeta|<rdf:RDF")
_ZIP = re.compile(re.escape(zips.LOCAL))
# Two datasets of IPTC-IIM in a row (1.5): the marker, record, dataset, length, value.
_IIM = re.compile(rb"\x1c[\x01\x02].\0(.)", re.DOTALL)
_IIM_HITS = 64
_JPEG = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]")
_POSITIONS = re.compile(
    rb"\x02\x00\x00[\x02\x04]\x00\x05\x00\x03"
    rb"|freeGPS |~[\x10\x18]\x03.(?:GPS|Geo)~|LIGOGPSINFO|GPS[59]\x6c|GPS[59][a-zA-Z]\x14"
    rb"|GPSU[cU]|gps0|com\.apple\.quicktime\.location|@G0rmc",
    re.DOTALL,
)


def read(window: Window, carrier: Carrier) -> Iterator[Finding]:
    """Report *carrier*, and what the first 256 KiB and the last 64 KiB of the bytes hold."""
    yield Finding(carrier, What.OTHER)
    yield from scan(window, carrier)


def scan(window: Window, carrier: Carrier) -> Iterator[Finding]:
    """What the bytes hold, without the finding that there are any."""
    yield from _window(window, carrier, 0, _SCAN)
    if window.size > _SCAN:
        yield from _window(window, carrier, max(window.size - _TAIL, _SCAN), _TAIL)


def has_location(data: bytes) -> bool:
    """Whether *data* holds a position as text or in a block that is made to hold one."""
    return bool(_POSITIONS.search(data)) or text.holds_place(words(data))


def kind_of(data: bytes) -> What:
    """Location or other, by :func:`has_location`."""
    return What.LOCATION if has_location(data) else What.OTHER


def words(data: bytes) -> str:
    """The texts in *data*, in 8 bits and in 16, a line each."""
    spend(1 + len(data) // _OCTETS_A_STEP)
    wide = [m.group().decode("utf-16-le", "replace") for m in _WIDE.finditer(data)]
    wide += [m.group().decode("utf-16-be", "replace") for m in _WIDE_BE.finditer(data)]
    narrow = [m.group().decode("utf-8", "replace") for m in _NARROW.finditer(data)]
    return "\n".join(wide + narrow)


def _window(window: Window, carrier: Carrier, start: int, size: int) -> Iterator[Finding]:
    if not window.budget.searches_again():
        return
    data = window.read(start, size)
    if has_location(data):
        yield Finding(carrier, What.LOCATION)
    for match in islice(_XMP.finditer(data), 1):
        for finding in xmp.read(data[match.start() :]):
            yield finding
            yield Finding(carrier, finding.what)
    for match in islice(_ZIP.finditer(data), _HITS):
        if member := zips.unpacked(window.part(start + match.start())):
            yield from window.wrap(member).inside(carrier)
    for at in _files(data):
        yield from window.part(start + at).inside(carrier)


def _files(data: bytes) -> Iterator[int]:
    """Where files and records begin in *data* that a reader understands."""
    for match in islice(_TIFF.finditer(data), _HITS):
        if _plausible(data[match.start() : match.start() + (64 << 10)]):
            yield match.start()
    for match in islice(_IIM.finditer(data), _IIM_HITS):
        following = match.end() + match[1][0]
        if data[following : following + 2] in (b"\x1c\x01", b"\x1c\x02"):
            yield match.start()
            break
    for match in islice(_JPEG.finditer(data, 1), 2):  # at the start it has been read already
        yield match.start()


def _plausible(head: bytes) -> bool:
    """Whether *head* begins with a TIFF header with a valid first directory (not a chance hit)."""
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    at = int.from_bytes(head[4:8], order)
    count = int.from_bytes(head[at : at + 2], order)
    kinds = [head[at + 4 + 12 * i : at + 6 + 12 * i] for i in range(min(count, 100))]
    return 0 < count <= 100 and all(0 < int.from_bytes(kind, order) <= 13 for kind in kinds)
