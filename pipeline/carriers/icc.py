"""ICC colour profiles (ICC.1:2022, 7.2 and 9.2): their texts and what made them."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.carriers import opaque
from pipeline.model import Carrier, Finding, What

LIMIT = 4 << 20
_TEXT = 256 << 10


def read(data: bytes) -> Iterator[Finding]:
    """That there is a profile, and whether its texts (description, copyright) name a place."""
    yield Finding(Carrier.COLOUR_PROFILE, What.OTHER)
    if opaque.telling(data[:_TEXT]):
        yield Finding(Carrier.COLOUR_PROFILE, What.LOCATION)
