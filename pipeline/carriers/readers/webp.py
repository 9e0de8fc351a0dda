"""WebP (RFC 9649, 2): chunks by allow-list."""

from collections.abc import Iterator

from pipeline.carriers import embedded, exif, opaque, trailer, xmp
from pipeline.carriers.containers.riff import chunks
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding

_NEEDED = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ALPH"))


def read(window: Window) -> Iterator[Finding]:
    """What a WebP file gives away, its trailer included."""
    end = 8 + window.number(4, 4, "little")
    yield from _chunks(window.part(12, end))
    yield from trailer.read(window.part(end + (end & 1)))


def _chunks(body: Window) -> Iterator[Finding]:
    for chunk in chunks(body):
        if chunk.name == b"ANMF":
            yield from _chunks(chunk.body.part(16))
        elif chunk.name == b"EXIF":
            yield from exif.read(chunk.body)
        elif chunk.name == b"XMP ":
            yield from xmp.read(chunk.body.read(0, xmp.LIMIT))
        elif chunk.name == b"ICCP":
            yield from embedded.icc(chunk.body.read(0, embedded.PROFILE))
        elif chunk.name not in _NEEDED:
            yield from opaque.read(chunk.body, Carrier.UNKNOWN_PART)
