"""Ogg (RFC 3533): comments of Vorbis, Opus, Theora, VP8 and FLAC, and other streams."""

import base64
import binascii
import re
from collections.abc import Iterator

from pipeline.carriers import opaque, text
from pipeline.carriers.window import Fields, Window
from pipeline.findings import Carrier, Finding, What

_PAGES = 400
_COMMENTS = 4000
_PACKETS = 4
_SIZE = 8 << 20
_KNOWN = (b"\x01vorbis", b"OpusHead", b"\x80theora", b"OVP80", b"\x7fFLAC", b"Speex   ", b"BBCD\0")
_COMMENT_HEADS = (b"\x03vorbis", b"OpusTags", b"\x81theora", b"OVP80\x02\x20", b"\x84")
_PROGRAM = re.compile(r"Lav[fc][\d.]*(?: [\w.-]+)?")


def read(window: Window) -> Iterator[Finding]:
    """What an Ogg file gives away, by the first packets of each stream."""
    streams: dict[bytes, list[bytes]] = {}
    at = 0
    for _ in range(_PAGES):
        head = window.read(at, 27)
        if head[:4] != b"OggS":
            if head:
                yield from opaque.read(window.part(at), Carrier.TRAILER)
            break
        at = _page(window, at, head, streams)
    for packets in streams.values():
        yield from _stream(window, packets)


def _page(window: Window, at: int, head: bytes, streams: dict[bytes, list[bytes]]) -> int:
    """Add a page's packets to its stream; return where the next page begins (RFC 3533, 6)."""
    lacing = window.read(at + 27, head[26] if len(head) > 26 else 0)
    start = at + 27 + len(lacing)
    packets = streams.setdefault(head[14:18], [b""]) if len(streams) < 64 else [b""]
    position = start
    if len(packets) <= _PACKETS:
        for length in lacing:
            if len(packets[-1]) < _SIZE:
                packets[-1] += window.read(position, length)
            position += length
            if length < 255:
                packets.append(b"")
    return start + sum(lacing)


def _stream(window: Window, packets: list[bytes]) -> Iterator[Finding]:
    first = packets[0]
    if first.startswith((b"fishead\0", b"fisbone\0")):
        if opaque.has_location(b"\n".join(packets[1:])):
            yield Finding(Carrier.STREAM_TAG, What.LOCATION)
    elif first.startswith((b"\x80kate", b"CMML\0", b"Annodex")):
        yield Finding(Carrier.SUBTITLE_TRACK, What.OTHER)
        if opaque.has_location(b"\n".join(packets)):
            yield Finding(Carrier.SUBTITLE_TRACK, What.LOCATION)
    elif not first.startswith(_KNOWN):
        yield Finding(Carrier.DATA_TRACK, opaque.kind_of(b"\n".join(packets)))
    for packet in packets[1:]:
        for head in _COMMENT_HEADS:
            if packet.startswith(head):
                # FLAC's is a metadata block with a length of three bytes
                skip = 4 if head == b"\x84" else len(head)
                yield from comments(window, packet[skip:])


def comments(window: Window, data: bytes) -> Iterator[Finding]:
    """A Vorbis comment header: a vendor, then ``KEY=value`` (Vorbis I, 5)."""
    fields = Fields(data, order="little")
    vendor = text.decode(fields.take(fields.number(4))[:200])
    if "lib" not in vendor and not _PROGRAM.fullmatch(vendor) and vendor not in ("", "ffmpeg"):
        yield Finding(Carrier.CONTAINER_TAG, text.kind_of(vendor))
    for _ in range(min(fields.number(4), _COMMENTS)):
        entry = fields.take(fields.number(4))
        if not entry:
            return
        key, _, value = entry.partition(b"=")
        yield from _comment(window, text.decode(key).upper(), value)


def _comment(window: Window, key: str, value: bytes) -> Iterator[Finding]:
    if key in ("METADATA_BLOCK_PICTURE", "COVERART"):
        try:
            data = base64.b64decode(value)
        except binascii.Error:
            data = b""
        start = max(data.find(b"\xff\xd8\xff"), data.find(b"\x89PNG"), 0)
        yield from window.wrap(data[start:]).inside(Carrier.COVER_PICTURE)
    elif key.startswith("CHAPTER"):
        yield Finding(Carrier.CHAPTERS, text.kind_of(text.decode(value)))
    elif key != "ENCODER" or not _PROGRAM.fullmatch(text.decode(value)):
        yield from text.tag(key, text.decode(value), Carrier.CONTAINER_TAG)
