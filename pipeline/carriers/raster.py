"""The rest of the stills: BMP and JPEG XL."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.carriers import c2pa, exif, icc, opaque, trailer, xmp
from pipeline.carriers.boxes import boxes
from pipeline.carriers.source import Source
from pipeline.model import Carrier, Finding, What

_CODESTREAM = frozenset((b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp", b"jxli", b"hrgm"))


def bmp(source: Source) -> Iterator[Finding]:
    """A bitmap: a colour profile (BITMAPV5HEADER), and what stands behind its told size."""
    end = source.number(2, 4, "little")
    header = source.number(14, 4, "little")
    if header >= 124 and source.read(14 + 56, 4) in (b"DEBM", b"KNIL"):
        offset, size = (source.number(14 + at, 4, "little") for at in (112, 116))
        yield from icc.read(source.read(14 + offset, min(size, icc.LIMIT)))
    yield from trailer.read(source.part(end if end > 54 else source.size))


def jpegxl(source: Source) -> Iterator[Finding]:
    """JPEG XL (ISO/IEC 18181-2): a bare codestream has no metadata, a file has boxes."""
    if source.read(0, 2) == b"\xff\x0a":
        yield from opaque.look(source, Carrier.TRAILER)
        return
    for box in boxes(source):
        if box.kind == b"Exif":
            yield from exif.read(box.body.part(4 + box.body.number(0, 4)))
        elif box.kind == b"xml ":
            yield from xmp.read(box.body.read(0, xmp.LIMIT))
        elif box.kind == b"jumb":
            yield from c2pa.read(box.body)
        elif box.kind == b"brob":
            # compressed with Brotli, which we don't unpack: what it is stands in front
            position = {b"Exif": Carrier.EXIF_POSITION, b"xml ": Carrier.XMP_POSITION}
            yield Finding(position.get(box.body.read(0, 4), Carrier.UNKNOWN_PART), What.OTHER)
        elif box.kind not in _CODESTREAM:
            yield from opaque.read(box.body, Carrier.UNKNOWN_PART)
