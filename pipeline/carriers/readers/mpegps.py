"""MPEG program streams and bare MPEG video (ISO/IEC 13818-1, 2.5; 13818-2, 6.2).

The first 6 MiB and the last 2 are read: kinds of streams, user data of the picture.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from pipeline.carriers import opaque, sei
from pipeline.carriers.window import Window, spend
from pipeline.findings import Carrier, Finding, What

_FIRST, _LAST = 6 << 20, 2 << 20
_PACKET = 2  # steps
_PES = re.compile(rb"\x00\x00\x01([\xbb-\xfe])(..)", re.DOTALL)
# Headers of packs (2.5.3.4, and that of MPEG-1), and the code at the end of a program.
_BETWEEN = re.compile(
    rb"\x00\x00\x01(?:\xba(?:[\x20-\x3f].{7}|[\x40-\x7f].{8}[\xf8-\xff]\xff{0,7})|\xb9)", re.DOTALL
)
_SUBTITLE_SUBSTREAMS = range(0x20, 0x40)
_SOUND_SUBSTREAMS = range(0x80, 0xD0)


def read(window: Window) -> Iterator[Finding]:
    """What a program stream gives away."""
    for start, size in _windows(window):
        data = window.read(start, size)
        yield from _outside(data, first=start == 0, last=start + size >= window.size)
        picture = bytearray()
        for kind, payload in _packets(data):
            if 0xE0 <= kind <= 0xEF:
                picture += payload
            elif not 0xC0 <= kind <= 0xDF:
                yield from _private(kind, payload)
        # an AVC stream in a program stream begins with an access unit delimiter
        codec = "h264" if b"\x00\x00\x00\x01\x67" in picture[: 64 << 10] else "mpeg2"
        yield from sei.read([bytes(picture)], codec, 0)


def read_video(window: Window) -> Iterator[Finding]:
    """What a bare stream of MPEG-1 or MPEG-2 video gives away."""
    for start, size in _windows(window):
        yield from sei.read([window.read(start, size)], "mpeg2", 0)


def _windows(window: Window) -> Iterator[tuple[int, int]]:
    yield 0, _FIRST
    if window.size > _FIRST:
        yield max(window.size - _LAST, _FIRST), _LAST


def _outside(data: bytes, *, first: bool, last: bool) -> Iterator[Finding]:
    """What is in no packet.

    :param first, last: whether *data* begins with the file, and ends with it.
    """
    edges = [(0, 0), *((start - 6, end) for _, start, end in _bounds(data)), (len(data), 0)]
    for number, ((_, at), (end, _)) in enumerate(pairwise(edges)):
        rest = _BETWEEN.sub(b"", data[at:end]).strip(b"\0")
        if rest and (first or number) and (last or number < len(edges) - 2):
            yield Finding(Carrier.UNKNOWN_PART, opaque.kind_of(rest))


def _bounds(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Stream number of each packet, and where its body begins and ends (2.4.3.6)."""
    at = 0
    while match := _PES.search(data, at):
        spend(_PACKET)
        at = match.end() + int.from_bytes(match[2], "big")
        yield match[1][0], match.end(), at


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Stream number and payload of each packet."""
    for kind, start, end in _bounds(data):
        body = data[start:end]
        if kind in (0xBD, *range(0xC0, 0xF0)) and len(body) > 3 and body[0] >> 6 == 2:
            body = body[3 + body[2] :]
        yield kind, body


def _private(kind: int, payload: bytes) -> Iterator[Finding]:
    """Private streams, padding, and maps of programs; DVD's navigation is silent."""
    if kind == 0xBD:
        substream = payload[0] if payload else 0
        if substream in _SUBTITLE_SUBSTREAMS:
            yield Finding(Carrier.SUBTITLE_TRACK, What.OTHER)
        elif substream not in _SOUND_SUBSTREAMS:
            yield Finding(Carrier.DATA_TRACK, What.OTHER)
    elif kind == 0xBE:
        if payload.strip(b"\xff\x0f\0"):
            yield Finding(Carrier.UNKNOWN_PART, opaque.kind_of(payload))
    elif kind == 0xBF:
        if opaque.has_location(payload):
            yield Finding(Carrier.DATA_TRACK, What.LOCATION)
    elif kind not in (0xBB, 0xBC, 0xFD):
        yield Finding(Carrier.DATA_TRACK, opaque.kind_of(payload))
