"""ICC colour profiles (ICC.1:2022, 7.2 and 9.2): their texts and what made them."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.carriers import opaque
from pipeline.model import Carrier, Finding, What

LIMIT = 4 << 20
_TEXT = 256 << 10


def read(data: bytes) -> Iterator[Finding]:
    """Report the profile, and a place if its texts (description, copyright) name one."""
    yield Finding(Carrier.COLOUR_PROFILE, What.OTHER)
    if opaque.has_location(data[:_TEXT]):
        yield Finding(Carrier.COLOUR_PROFILE, What.LOCATION)
