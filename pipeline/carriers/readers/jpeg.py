"""JPEG (ITU-T T.81, annex B): its marker segments, and the bytes after the picture.

Segments that decoding needs (tables, frames, scans), JFIF's density and Adobe's colour
transform are silent.
"""

from collections.abc import Callable, Iterator

from pipeline.carriers import embedded, exif, iptc, opaque, trailer, xmp
from pipeline.carriers.containers.jpeg import APP0, COM, EOI, SCAN, SOS, STRAY, segments
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding, What

_NEEDED = frozenset((SCAN, *range(0xC0, 0xD0), SOS, EOI, *range(0xDB, 0xE0)))
_APP1 = APP0 + 1
_PARTS = 512  # of one thing that is spread over several segments
# Extended XMP, the colour profile and JUMBF, each in parts by their order.
_Collected = dict[str, dict[int, bytes]]


def read(window: Window) -> Iterator[Finding]:
    """What a JPEG file gives away, its trailer and the images in it included."""
    collected: _Collected = {"xmp": {}, "icc": {}, "jumbf": {}}
    end = 2
    for segment in segments(window):
        end = segment.end
        if segment.marker == STRAY:
            # some encoders write a few zero bytes between segments; these carry nothing
            if segment.body.read(0, 64 << 10).strip(b"\0"):
                yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
        elif segment.marker not in _NEEDED:
            yield from _segment(segment.marker, segment.body, collected)
    joined = {
        name: b"".join(parts[at] for at in sorted(parts))
        for name, parts in collected.items()
        if parts
    }
    if "xmp" in joined:
        yield from _packet(window, joined["xmp"])
    if "icc" in joined:
        yield from embedded.icc(joined["icc"])
    if "jumbf" in joined:
        yield from embedded.c2pa(window.wrap(joined["jumbf"]))
    yield from trailer.read(window.part(end))


def _packet(window: Window, packet: bytes) -> Iterator[Finding]:
    """An XMP packet and the pictures in it."""
    yield from xmp.read(packet)
    for data in xmp.pictures(packet):
        yield from window.wrap(data).inside(Carrier.SECOND_IMAGE)


def _segment(marker: int, body: Window, collected: _Collected) -> Iterator[Finding]:
    if marker == COM:
        yield from opaque.read(body, Carrier.COMMENT_TEXT)
        return
    head = body.read(0, 80)
    for number, name, reader in _SEGMENTS:
        if marker == number and head.startswith(name):
            yield from reader(body, body.part(len(name)), collected)
            return
    if marker == _APP1 and (b"<x:xmpmeta" in head or b"<?xpacket" in head):
        yield from _packet(body, body.read(0, 1 << 16))
    else:
        yield from opaque.read(body, Carrier.UNKNOWN_PART)


def _jfif(_segment: Window, body: Window, _collected: _Collected) -> Iterator[Finding]:
    """Version, density, and optionally a thumbnail (ISO/IEC 10918-5, 10.1)."""
    if body.size > 9:
        yield Finding(Carrier.THUMBNAIL, What.OTHER)
        yield from opaque.scan(body.part(9), Carrier.THUMBNAIL)


def _more_xmp(_segment: Window, body: Window, collected: _Collected) -> Iterator[Finding]:
    """A digest of 32, the whole length, the offset of this part (XMP part 3, 1.1.3.1)."""
    if len(collected["xmp"]) < _PARTS:
        offset = int.from_bytes(body.read(36, 4), "big")
        collected["xmp"][offset] = body.read(40, 1 << 16)
    yield from ()


def _profile(segment: Window, body: Window, collected: _Collected) -> Iterator[Finding]:
    if body.size < 2:
        yield from opaque.read(segment, Carrier.UNKNOWN_PART)
    else:
        collected["icc"][body.number(0, 1)] = body.read(2, 1 << 16)


def _gopro(segment: Window, _body: Window, _collected: _Collected) -> Iterator[Finding]:
    """GoPro's settings, in the form of its telemetry."""
    yield Finding(Carrier.DEVICE, What.IDENTITY)
    yield Finding(Carrier.SERIAL_NUMBER, What.IDENTITY)
    yield from opaque.scan(segment, Carrier.UNKNOWN_PART)


def _jumbf(segment: Window, body: Window, collected: _Collected) -> Iterator[Finding]:
    """JUMBF in pieces (ISO 19566-5, D.2): "JP", a box instance, a packet number, then boxes."""
    pieces = collected["jumbf"]
    if len(pieces) < _PARTS:
        pieces[len(pieces)] = body.read(6, 1 << 16)
    else:
        yield from opaque.read(segment, Carrier.UNKNOWN_PART)


def _adobe(segment: Window, _body: Window, _collected: _Collected) -> Iterator[Finding]:
    """Adobe's colour transform: 12 bytes and no more."""
    if segment.size > 12:
        yield from opaque.read(segment, Carrier.UNKNOWN_PART)


# Marker, name, and the reader, which is given the segment and its part behind the name.
_SegmentReader = Callable[[Window, Window, _Collected], Iterator[Finding]]
_SEGMENTS: tuple[tuple[int, bytes, _SegmentReader], ...] = (
    (APP0, b"JFXX\0", lambda _, body, __: body.part(1).inside(Carrier.THUMBNAIL)),
    (APP0, b"JFIF\0", _jfif),
    (APP0, b"AVI1", lambda *_: iter(())),  # of motion JPEG
    (_APP1, b"Exif\0", lambda segment, *_: exif.read(segment)),
    (
        _APP1,
        b"http://ns.adobe.com/xap/1.0/\0",
        lambda segment, body, _: _packet(segment, body.read(0, 1 << 16)),
    ),
    (_APP1, b"http://ns.adobe.com/xmp/extension/\0", _more_xmp),
    (APP0 + 2, b"ICC_PROFILE\0", _profile),
    # the index of images that follow this one (CIPA DC-007, 5); the trailer has them
    (APP0 + 2, b"MPF\0", lambda *_: iter((Finding(Carrier.SECOND_IMAGE, What.OTHER),))),
    (APP0 + 6, b"GoPro\0", _gopro),
    (APP0 + 11, b"JP", _jumbf),
    (APP0 + 13, b"Photoshop 3.0\0", lambda _, body, __: iptc.resources(body)),
    (APP0 + 14, b"Adobe", _adobe),
)
