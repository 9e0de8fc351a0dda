"""A last look over the raw bytes of a file in which no reader found a place.

The forms are strict, so that compressed pictures don't match by chance: positions as ISO 6709
and NMEA, names of keys that hold positions, EXIF headers with a GPS directory, XMP packets.
Looked at are the first 8 MiB and the last 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.model import Carrier, Finding, What
from pipeline.process.readers import exif, xmp
from pipeline.process.readers.source import Source

_FIRST, _LAST = 8 << 20, 4 << 20
_STEP = 1 << 20
_OVERLAP = 1 << 10
_HEADERS = 40

_PLACES = (
    re.compile(rb"[+-]\d\d\.\d{4,8}[+-][01]\d\d\.\d{4,8}"),
    re.compile(
        rb"\$G[PN](?:RMC|GGA|GLL),|freeGPS |LIGOGPSINFO|com\.apple\.quicktime\.location"
        rb"|GPSLatitude|exif:GPSL|\xa9xyz\x00[\x08-\x40]|<trkpt|DEVC\x00\x01"
    ),
)
_TIFF = re.compile(rb"(?:II\*\x00[\x08-\x20]\x00\x00\x00|MM\x00\*\x00\x00\x00[\x08-\x20])")
_PACKET = re.compile(rb"<x:xmpmeta")
_PLACE = Finding(Carrier.UNKNOWN_PART, What.LOCATION)


def read(source: Source) -> Iterator[Finding]:
    """Unknown part with a location, if there is one anywhere in the bytes that are looked at."""
    windows = [(0, min(source.size, _FIRST))]
    if source.size > _FIRST:
        windows.append((max(source.size - _LAST, _FIRST - _OVERLAP), source.size))
    for start, end in windows:
        for at in range(start, end, _STEP):
            if _place_in(source, at, source.read(at, _STEP + _OVERLAP)):
                yield _PLACE
                return


def _place_in(source: Source, at: int, data: bytes) -> bool:
    if any(pattern.search(data) for pattern in _PLACES):
        return True
    for match, _ in zip(_TIFF.finditer(data), range(_HEADERS), strict=False):
        found = exif.read(source.part(at + match.start()), notes=False)
        if Finding(Carrier.EXIF_POSITION, What.LOCATION) in found:
            return True
    return any(
        Finding(Carrier.XMP_POSITION, What.LOCATION)
        in xmp.read(source.read(at + match.start(), 64 << 10))
        for match, _ in zip(_PACKET.finditer(data), range(4), strict=False)
    )
