"""JPEG (ITU-T T.81, annex B): its marker segments, and what stands behind the picture.

Silent are the segments that decoding needs (tables, frames, scans), JFIF's density and
Adobe's colour transform.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from pipeline.carriers import c2pa, exif, icc, iptc, opaque, trailer, xmp
from pipeline.carriers.source import Source
from pipeline.model import Carrier, Finding, What

_COUNT = 20_000
_STEP = 64 << 10
_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_BARE = frozenset((0x01, *range(0xD0, 0xD8)))  # TEM and restart markers have no length
_NEEDED = frozenset(
    (*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF)
)  # frames, tables, scans
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"


class _Collected:
    """What is spread over several segments: extended XMP, the colour profile, JUMBF."""

    def __init__(self) -> None:
        self.xmp: dict[int, bytes] = {}
        self.icc: dict[int, bytes] = {}
        self.jumbf: list[bytes] = []

    def findings(self, source: Source) -> Iterator[Finding]:
        """What the parts, put together, give away."""
        if self.xmp:
            packet = b"".join(self.xmp[at] for at in sorted(self.xmp))
            yield from xmp_packet(source, packet)
        if self.icc:
            yield from icc.read(b"".join(self.icc[at] for at in sorted(self.icc)))
        if self.jumbf:
            yield from c2pa.read(source.wrap(b"".join(self.jumbf)))


def read(source: Source) -> Iterator[Finding]:
    """What a JPEG file gives away, its trailer and the images in it included."""
    end = yield from picture(source)
    yield from trailer.read(source.part(end))


def picture(source: Source) -> Generator[Finding, None, int]:
    """One JPEG picture.

    :returns: the position behind its end, in bytes.
    """
    collected = _Collected()
    at = 2
    for _ in range(_COUNT):
        head = source.read(at, 4)
        if len(head) < 2:
            break
        if head[0] != 0xFF:
            # an encoder that is off by a few zero bytes is no carrier
            found = _next_marker(source, at)
            if source.read(at, min(found - at, _STEP)).strip(b"\0"):
                yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
            at = found
            continue
        marker = head[1]
        if marker == _EOI:
            at += 2
            break
        if marker == 0xFF or marker in _BARE or marker == _SOI:
            at += 1 if marker == 0xFF else 2
            continue
        size = max(int.from_bytes(head[2:4], "big"), 2)
        if marker not in _NEEDED:
            yield from _segment(marker, source.part(at + 4, at + 2 + size), collected)
        at += 2 + size
        if marker == _SOS:
            at = _next_marker(source, at)
    yield from collected.findings(source)
    return min(at, source.size)


def xmp_packet(source: Source, packet: bytes) -> Iterator[Finding]:
    """An XMP packet and the pictures in it."""
    yield from xmp.read(packet)
    for data in xmp.pictures(packet):
        yield from source.wrap(data).inside(Carrier.SECOND_IMAGE)


def _next_marker(source: Source, at: int) -> int:
    """The next marker that is no stuffed byte and no restart (ITU-T T.81, B.1.1.5)."""
    while at < source.size:
        data = source.read(at, _STEP)
        match = _MARKER.search(data)
        if match:
            return at + match.start()
        at += max(len(data) - 1, 1)
    return source.size


def _segment(marker: int, body: Source, collected: _Collected) -> Iterator[Finding]:
    if marker == _COM:
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


def _unknown(body: Source, _collected: _Collected) -> Iterator[Finding]:
    yield from opaque.read(body, Carrier.UNKNOWN_PART)


def _app0(body: Source, collected: _Collected) -> Iterator[Finding]:
    """JFIF (ISO/IEC 10918-5, 10.1) with perhaps a thumbnail; AVI1 of motion JPEG."""
    head = body.read(0, 14)
    if head[:5] == b"JFXX\0":
        yield from body.part(6).inside(Carrier.THUMBNAIL)
    elif head[:5] == b"JFIF\0":
        if body.size > 14:
            yield Finding(Carrier.THUMBNAIL, What.OTHER)
            yield from opaque.look(body.part(14), Carrier.THUMBNAIL)
    elif head[:4] != b"AVI1":
        yield from _unknown(body, collected)


def _app1(body: Source, collected: _Collected) -> Iterator[Finding]:
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


def _app2(body: Source, collected: _Collected) -> Iterator[Finding]:
    head = body.read(0, 14)
    if head.startswith(b"ICC_PROFILE\0") and len(head) == 14:
        collected.icc[head[12]] = body.read(14, 1 << 16)
    elif head.startswith(b"MPF\0"):
        # the index of images that follow this one (CIPA DC-007, 5); the trailer has them
        yield Finding(Carrier.SECOND_IMAGE, What.OTHER)
    else:
        yield from _unknown(body, collected)


def _app6(body: Source, collected: _Collected) -> Iterator[Finding]:
    """GoPro's settings, in the form of its telemetry."""
    if body.read(0, 6) == b"GoPro\0":
        yield Finding(Carrier.DEVICE, What.IDENTITY)
        yield Finding(Carrier.SERIAL_NUMBER, What.IDENTITY)
        yield from opaque.look(body, Carrier.UNKNOWN_PART)
    else:
        yield from _unknown(body, collected)


def _app11(body: Source, collected: _Collected) -> Iterator[Finding]:
    """JUMBF in pieces (ISO 19566-5, D.2): "JP", a box instance, a packet number, then boxes."""
    if body.read(0, 2) == b"JP" and len(collected.jumbf) < 512:
        collected.jumbf.append(body.read(8, 1 << 16))
    else:
        yield from _unknown(body, collected)


def _app13(body: Source, collected: _Collected) -> Iterator[Finding]:
    name = b"Photoshop 3.0\0"
    if body.read(0, len(name)) == name:
        yield from iptc.resources(body.part(len(name)))
    else:
        yield from _unknown(body, collected)


def _app14(body: Source, collected: _Collected) -> Iterator[Finding]:
    """Adobe's colour transform: 12 bytes, and nothing behind them."""
    if body.read(0, 5) != b"Adobe" or body.size > 12:
        yield from _unknown(body, collected)
