"""WebP (RFC 9649, 2): chunks by allow-list."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.carriers import exif, icc, opaque, trailer, xmp
from pipeline.carriers.chunks import Chunk, chunks
from pipeline.carriers.source import Source
from pipeline.model import Carrier, Finding

_NEEDED = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ALPH"))


def read(source: Source) -> Iterator[Finding]:
    """What a WebP file gives away, its trailer included."""
    end = 8 + source.number(4, 4, "little")
    yield from _chunks(source.part(12, end))
    yield from trailer.read(source.part(end + (end & 1)))


def _chunks(body: Source) -> Iterator[Finding]:
    for chunk in chunks(body):
        if chunk.name == b"ANMF":
            yield from _chunks(chunk.body.part(16))
        elif chunk.name not in _NEEDED:
            yield from _chunk(chunk)


def _chunk(chunk: Chunk) -> Iterator[Finding]:
    if chunk.name == b"EXIF":
        # some writers put the name of JPEG's segment in front
        skip = 6 if chunk.body.read(0, 5) == b"Exif\0" else 0
        yield from exif.read(chunk.body.part(skip))
    elif chunk.name == b"XMP ":
        yield from xmp.read(chunk.body.read(0, xmp.LIMIT))
    elif chunk.name == b"ICCP":
        yield from icc.read(chunk.body.read(0, icc.LIMIT))
    else:
        yield from opaque.read(chunk.body, Carrier.UNKNOWN_PART)
