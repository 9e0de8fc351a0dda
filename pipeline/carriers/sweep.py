"""A last search in the raw bytes of a file in which no reader found a location.

The forms are strict, so that compressed pictures don't match by chance: positions as ISO 6709
and NMEA, names of keys that hold positions, EXIF headers with a GPS directory, XMP packets.
The first 8 MiB and the last 4 are searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.carriers import exif, xmp
from pipeline.carriers.window import Window
from pipeline.model import Carrier, Finding, What

_FIRST, _LAST = 8 << 20, 4 << 20
_STEP = 1 << 20
_OVERLAP = 1 << 10
_HITS = 20

# Each pattern and each word begins with a fixed byte, and is searched for by itself: one
# expression for all of them takes ten times as long.
_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        rb"\+\d\d\.\d{4,8}[+-][01]\d\d\.\d{4,8}",
        rb"-\d\d\.\d{4,8}[+-][01]\d\d\.\d{4,8}",
        rb"\$G[PN](?:RMC|GGA|GLL),",
    )
)
_WORDS = (
    *(b"freeGPS ", b"LIGOGPSINFO", b"com.apple.quicktime.location", b"GPSLatitude", b"exif:GPSL"),
    *(b"<trkpt", b"DEVC\x00\x01", b"\xa9xyz\x00"),
)
_HEADERS = (b"II*\x00", b"MM\x00*")
_PACKET = b"<x:xmpmeta"
_PLACE = Finding(Carrier.UNKNOWN_PART, What.LOCATION)


def read(window: Window) -> Iterator[Finding]:
    """Report an unknown part with a location, if the searched bytes hold one."""
    windows = [(0, min(window.size, _FIRST))]
    if window.size > _FIRST:
        windows.append((max(window.size - _LAST, _FIRST - _OVERLAP), window.size))
    for start, end in windows:
        for at in range(start, end, _STEP):
            if _place_in(window, at, window.read(at, _STEP + _OVERLAP)):
                yield _PLACE
                return


def _place_in(window: Window, at: int, data: bytes) -> bool:
    if any(word in data for word in _WORDS) or any(form.search(data) for form in _FORMS):
        return True
    for header in _HEADERS:
        for start in _all(header, data):
            found = exif.read(window.part(at + start), notes=False)
            if Finding(Carrier.EXIF_POSITION, What.LOCATION) in found:
                return True
    return any(
        Finding(Carrier.XMP_POSITION, What.LOCATION) in xmp.read(window.read(at + start, 64 << 10))
        for start in _all(_PACKET, data)
    )


def _all(word: bytes, data: bytes) -> Iterator[int]:
    """The first 20 positions of *word* in *data*."""
    start = -1
    for _ in range(_HITS):
        start = data.find(word, start + 1)
        if start < 0:
            return
        yield start
