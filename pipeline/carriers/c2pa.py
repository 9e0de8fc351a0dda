"""C2PA manifests in JUMBF boxes (ISO 19566-5; C2PA 2.1, section 11): signed accounts of origin.

A manifest may hold a place in an assertion (``stds.exif``, ``c2pa.location``), names of
people in identities and certificates, and the device that signed.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.carriers import opaque
from pipeline.carriers.window import Window
from pipeline.model import Carrier, Finding, What

_SCAN = 1 << 20
_PLACE_WORDS = (b"GPSLatitude", b"GPSLongitude", b"LocationCreated", b"exif:GPS", b"c2pa.location")


def read(window: Window) -> Iterator[Finding]:
    """Report the manifest (it identifies who signed), and a place if it names one."""
    yield Finding(Carrier.C2PA, What.IDENTITY)
    data = window.read(0, _SCAN)
    if any(word in data for word in _PLACE_WORDS) or opaque.has_location(data):
        yield Finding(Carrier.C2PA, What.LOCATION)
