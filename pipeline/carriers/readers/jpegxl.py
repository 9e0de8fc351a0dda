"""JPEG XL (ISO/IEC 18181-2): boxes by allow-list; a bare codestream has no metadata."""

from collections.abc import Iterator

from pipeline.carriers import embedded, exif, opaque, xmp
from pipeline.carriers.containers.boxes import boxes
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding, What

_CODESTREAM = frozenset((b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp", b"jxli", b"hrgm"))


def read(window: Window) -> Iterator[Finding]:
    """What a JPEG XL file gives away."""
    if window.read(0, 2) == b"\xff\x0a":
        yield from opaque.scan(window, Carrier.TRAILER)
        return
    for box in boxes(window):
        if box.kind == b"Exif":
            yield from exif.read(box.body.part(4 + box.body.number(0, 4)))
        elif box.kind == b"xml ":
            yield from xmp.read(box.body.read(0, xmp.LIMIT))
        elif box.kind == b"jumb":
            yield from embedded.c2pa(box.body)
        elif box.kind == b"brob":
            # compressed with Brotli, which we don't unpack; its type comes before the data
            position = {b"Exif": Carrier.EXIF_POSITION, b"xml ": Carrier.XMP_POSITION}
            yield Finding(position.get(box.body.read(0, 4), Carrier.UNKNOWN_PART), What.OTHER)
        elif box.kind not in _CODESTREAM:
            yield from opaque.read(box.body, Carrier.UNKNOWN_PART)
