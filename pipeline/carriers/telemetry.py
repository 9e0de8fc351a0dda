"""Tracks that cameras write beside the picture: position, speed, direction.

GoPro's GPMF (``gpmd``), Google's CAMM, DJI's ``djmd`` and ``dbgi``, Sony's ``rtmd``, Apple's
``mebx``; SMPTE timecode (``tmcd``) gives the time of day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.carriers import opaque
from pipeline.model import Carrier, Finding, What

# Formats that are made to hold positions.  A sample without one only shows that the receiver
# had no fix at that moment.
_PLACED = frozenset((b"gpmd", b"camm", b"djmd", b"dbgi", b"rtmd", b"fdsc", b"Gpmf", b"mett"))
_TIMED = frozenset((b"tmcd", b"tc64"))
_SAMPLES = 24


def read(formats: tuple[bytes, ...], samples: Iterable[bytes]) -> Iterator[Finding]:
    """What a track of a format that is neither picture, sound nor text gives away."""
    if set(formats) & _TIMED:
        yield Finding(Carrier.DATA_TRACK, What.TIME)
        return
    placed = bool(set(formats) & _PLACED)
    telemetry = placed or b"mebx" in formats
    carrier = Carrier.TELEMETRY_TRACK if telemetry else Carrier.DATA_TRACK
    yield Finding(carrier, What.LOCATION if placed else What.OTHER)
    for index, data in enumerate(samples):
        if index >= _SAMPLES:
            return
        if opaque.has_location(data[: 16 << 10]):
            yield Finding(carrier, What.LOCATION)
            return
