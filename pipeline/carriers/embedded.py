"""Blocks that several formats embed as they are: ICC colour profiles and C2PA manifests."""

from collections.abc import Iterator

from pipeline.carriers import opaque
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding, What

PROFILE = 4 << 20  # bytes of a colour profile that are read
_MANIFEST = 1 << 20
_PLACE_WORDS = (b"GPSLatitude", b"GPSLongitude", b"LocationCreated", b"exif:GPS", b"c2pa.location")


def icc(data: bytes) -> Iterator[Finding]:
    """A colour profile (ICC.1:2022, 7.2 and 9.2), and a place if its texts name one."""
    yield Finding(Carrier.COLOUR_PROFILE, What.OTHER)
    if opaque.has_location(data[: 256 << 10]):
        yield Finding(Carrier.COLOUR_PROFILE, What.LOCATION)


def c2pa(window: Window) -> Iterator[Finding]:
    """A signed account of origin in JUMBF boxes (ISO 19566-5; C2PA 2.1, section 11).

    It identifies who signed.  It may hold a place in an assertion (``stds.exif``,
    ``c2pa.location``) or in a certificate.
    """
    yield Finding(Carrier.C2PA, What.IDENTITY)
    data = window.read(0, _MANIFEST)
    if any(word in data for word in _PLACE_WORDS) or opaque.has_location(data):
        yield Finding(Carrier.C2PA, What.LOCATION)
