"""JPEG (ITU-T T.81, annex B): its marker segments, and the bytes after the picture.

Segments that decoding needs (tables, frames, scans), JFIF's density and Adobe's colour
transform are silent.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.carriers import embedded, exif, iptc, opaque, trailer, xmp
from pipeline.carriers.containers.jpeg import COM, EOI, SCAN, SOS, STRAY, segments
from pipeline.carriers.window import Window
from pipeline.model import Carrier, Finding, What

_NEEDED = frozenset(
    (SCAN, *range(0xC0, 0xD0), SOS, EOI, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF)
)  # frames, tables, scans

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"


class _Collected:
    """What is spread over several segments: extended XMP, the colour profile, JUMBF."""

    def __init__(self) -> None:
        self.xmp: dict[int, bytes] = {}
        self.icc: dict[int, bytes] = {}
        self.jumbf: list[bytes] = []

    def findings(self, window: Window) -> Iterator[Finding]:
        """What the joined parts give away."""
        if self.xmp:
            packet = b"".join(self.xmp[at] for at in sorted(self.xmp))
            yield from xmp_packet(window, packet)
        if self.icc:
            yield from embedded.icc(b"".join(self.icc[at] for at in sorted(self.icc)))
        if self.jumbf:
            yield from embedded.c2pa(window.wrap(b"".join(self.jumbf)))


def read(window: Window) -> Iterator[Finding]:
    """What a JPEG file gives away, its trailer and the images in it included."""
    collected = _Collected()
    end = 2
    for segment in segments(window):
        end = segment.end
        if segment.marker == STRAY:
            # some encoders write a few zero bytes between segments; these carry nothing
            if segment.body.read(0, 64 << 10).strip(b"\0"):
                yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
        elif segment.marker not in _NEEDED:
            yield from _segment(segment.marker, segment.body, collected)
    yield from collected.findings(window)
    yield from trailer.read(window.part(end))


def xmp_packet(window: Window, packet: bytes) -> Iterator[Finding]:
    """An XMP packet and the pictures in it."""
    yield from xmp.read(packet)
    for data in xmp.pictures(packet):
        yield from window.wrap(data).inside(Carrier.SECOND_IMAGE)


def _segment(marker: int, body: Window, collected: _Collected) -> Iterator[Finding]:
    if marker == COM:
        yield from opaque.read(body, Carrier.COMMENT_TEXT)
        return
    readers = {
        0xE0: _app0,
        0xE1: _app1,
        0xE2: _app2,
        0xE6: _app6,
        0xEB: _app11,
        0xED: _app13,
        0xEE: _app14,
    }
    yield from readers.get(marker, _unknown)(body, collected)


def _unknown(body: Window, _collected: _Collected) -> Iterator[Finding]:
    yield from opaque.read(body, Carrier.UNKNOWN_PART)


def _app0(body: Window, collected: _Collected) -> Iterator[Finding]:
    """JFIF (ISO/IEC 10918-5, 10.1) optionally with a thumbnail; AVI1 of motion JPEG."""
    head = body.read(0, 14)
    if head[:5] == b"JFXX\0":
        yield from body.part(6).inside(Carrier.THUMBNAIL)
    elif head[:5] == b"JFIF\0":
        if body.size > 14:
            yield Finding(Carrier.THUMBNAIL, What.OTHER)
            yield from opaque.scan(body.part(14), Carrier.THUMBNAIL)
    elif head[:4] != b"AVI1":
        yield from _unknown(body, collected)


def _app1(body: Window, collected: _Collected) -> Iterator[Finding]:
    head = body.read(0, 80)
    if head[:5] == b"Exif\0":
        yield from exif.read(body.part(6))
    elif head.startswith(_XMP):
        yield from xmp_packet(body, body.part(len(_XMP)).read(0, 1 << 16))
    elif head.startswith(_XMP_MORE):
        # a digest of 32, the whole length, the offset of this part (XMP part 3, 1.1.3.1)
        start = len(_XMP_MORE)
        offset = int.from_bytes(head[start + 36 : start + 40], "big")
        if len(collected.xmp) < 512:
            collected.xmp[offset] = body.read(start + 40, 1 << 16)
    elif b"<x:xmpmeta" in head or b"<?xpacket" in head:
        yield from xmp_packet(body, body.read(0, 1 << 16))
    else:
        yield from _unknown(body, collected)


def _app2(body: Window, collected: _Collected) -> Iterator[Finding]:
    head = body.read(0, 14)
    if head.startswith(b"ICC_PROFILE\0") and len(head) == 14:
        collected.icc[head[12]] = body.read(14, 1 << 16)
    elif head.startswith(b"MPF\0"):
        # the index of images that follow this one (CIPA DC-007, 5); the trailer has them
        yield Finding(Carrier.SECOND_IMAGE, What.OTHER)
    else:
        yield from _unknown(body, collected)


def _app6(body: Window, collected: _Collected) -> Iterator[Finding]:
    """GoPro's settings, in the form of its telemetry."""
    if body.read(0, 6) == b"GoPro\0":
        yield Finding(Carrier.DEVICE, What.IDENTITY)
        yield Finding(Carrier.SERIAL_NUMBER, What.IDENTITY)
        yield from opaque.scan(body, Carrier.UNKNOWN_PART)
    else:
        yield from _unknown(body, collected)


def _app11(body: Window, collected: _Collected) -> Iterator[Finding]:
    """JUMBF in pieces (ISO 19566-5, D.2): "JP", a box instance, a packet number, then boxes."""
    if body.read(0, 2) == b"JP" and len(collected.jumbf) < 512:
        collected.jumbf.append(body.read(8, 1 << 16))
    else:
        yield from _unknown(body, collected)


def _app13(body: Window, collected: _Collected) -> Iterator[Finding]:
    name = b"Photoshop 3.0\0"
    if body.read(0, len(name)) == name:
        yield from iptc.resources(body.part(len(name)))
    else:
        yield from _unknown(body, collected)


def _app14(body: Window, collected: _Collected) -> Iterator[Finding]:
    """Adobe's colour transform: 12 bytes and no more."""
    if body.read(0, 5) != b"Adobe" or body.size > 12:
        yield from _unknown(body, collected)
