"""Whether a stream is whole, in formats that have no size of the whole file: its end tells it.

A transfer may break off between two packets.  Then the last packet is whole, and the picture or
sound that it is a part of is not.  After the end of a picture nothing can be told.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.containers.ending import Cut
from pipeline.carriers.window import Window, spend

_TAIL = 2 << 20  # bytes at the end of a stream, which hold some pictures
_PACKET = 188
_STEPS = 2  # of a packet or a start code
_PES = b"\0\0\x01"
_WITH_HEADER = frozenset((0xBD, *range(0xC0, 0xF0), 0xFD))  # picture and sound
_PICTURES = range(0xE0, 0xF0)
_CODE = re.compile(rb"\x00\x00\x01([\x00-\xaf])", re.DOTALL)  # of a picture or a slice
_FLV_HEAD = re.compile(rb"FLV\x01[\x00\x01\x04\x05]\x00\x00\x00\x09\x00\x00\x00\x00", re.DOTALL)
_FLV_HEAD_SIZE = 13
_PIECE = 4 << 20


# --- transport streams ---


@dataclass
class _Unit:
    """The last packet of an elementary stream: how much of it is missing, as far as it says.

    ``missing`` is None where its header gives no length; then the last transport packet ends it
    only if it ``is_filled``: what a unit does not fill is filled up with stuffing.
    """

    missing: int | None
    is_filled: bool


def transport_stream(window: Window) -> Cut | None:
    """A last packet that is not whole, or is not the end of a unit (ISO/IEC 13818-1, 2.4.3)."""
    head = window.read(0, 5 * 204)
    for size, first in ((188, 0), (192, 4), (204, 0)):
        if all(head[first + index * size : first + index * size + 1] == b"G" for index in range(4)):
            break
    else:
        return None
    rest = window.size % size
    begin = window.read(window.size - rest + first, 1)
    if rest:
        return Cut() if begin in (b"", b"G") else None
    start = max(0, window.size - _TAIL // size * size)
    data = window.read(start + first, _TAIL)
    units: dict[int, _Unit] = {}
    for at in range(0, len(data) - _PACKET + 1, size):
        spend(_STEPS)
        _follow(data[at : at + _PACKET], units)
    if any((unit.missing or 0) > 0 for unit in units.values()):
        return Cut()
    is_open = any(unit.missing is None and not unit.is_filled for unit in units.values())
    # the last packet of a whole unit may be full by chance
    return Cut(is_certain=False) if is_open else None


def _follow(packet: bytes, units: dict[int, _Unit]) -> None:
    """Take one transport packet into account; a scrambled or empty one says nothing."""
    pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
    if packet[:1] != b"G" or packet[3] & 0xC0 or not packet[3] & 0x10:
        return
    field = packet[4] + 1 if packet[3] & 0x20 else 0
    payload = packet[4 + field :]
    if packet[1] & 0x40:
        units.pop(pid, None)
        if payload[:3] != _PES or payload[3:4] == b"" or payload[3] not in _WITH_HEADER:
            return
        length = int.from_bytes(payload[4:6], "big")
        units[pid] = _Unit(length + 6 if length else None, is_filled=False)
    unit = units.get(pid)
    if unit is None:
        return
    unit.is_filled = _is_stuffed(packet[4 : 4 + field])
    if unit.missing is not None:
        unit.missing -= len(payload)


def _is_stuffed(field: bytes) -> bool:
    """Whether an adaptation field is longer than its contents (2.4.3.4); unknown ones count."""
    if len(field) < 2:
        return len(field) == 1
    flags = field[1]
    known = 2 + (6 if flags & 0x10 else 0) + (6 if flags & 0x08 else 0) + (1 if flags & 0x04 else 0)
    return bool(flags & 0x03) or len(field) > known


# --- program streams, and bare MPEG video ---


def program_stream(window: Window) -> Cut | None:
    """A last packet that is not whole, or a last picture without its lowest slices (2.5.3.3)."""
    tail = window.read(max(0, window.size - _TAIL), _TAIL)
    at = tail.rfind(b"\0\0\x01\xba")
    if at < 0 or len(tail) < at + 14:
        return Cut() if at >= 0 else None
    if any(end > len(tail) for _, _, end in _packets(tail, _behind_pack(tail, at))):
        return Cut()
    first = tail.find(b"\0\0\x01\xba")
    picture = b"".join(
        _payload(tail[start:end])
        for kind, start, end in _packets(tail, _behind_pack(tail, first))
        if kind in _PICTURES
    )
    return _lower_slices_are_missing(picture)


def video(window: Window) -> Cut | None:
    """A bare stream of MPEG-1 or MPEG-2 video, whose last picture lacks its lowest slices."""
    return _lower_slices_are_missing(window.read(max(0, window.size - _TAIL), _TAIL))


def _behind_pack(data: bytes, at: int) -> int:
    return at + (14 + (data[at + 13] & 7) if data[at + 4] & 0xC0 == 0x40 else 12)


def _packets(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Stream number of each packet, and where its body begins and ends, until they stop."""
    while at + 14 <= len(data) and data[at : at + 3] == _PES:
        spend(_STEPS)
        if data[at + 3] == 0xBA:
            at = _behind_pack(data, at)
            continue
        if data[at + 3] < 0xBA:
            return
        end = at + 6 + int.from_bytes(data[at + 4 : at + 6], "big")
        yield data[at + 3], at + 6, end
        at = end


def _payload(body: bytes) -> bytes:
    """What a packet of MPEG-2 (2.4.3.7) or MPEG-1 (ISO/IEC 11172-1, 2.4.3.3) carries."""
    if body[:1] and body[0] >> 6 == 2:
        return body[3 + body[2] :] if len(body) > 2 else b""
    at = 0
    while at < 16 and body[at : at + 1] == b"\xff":
        at += 1
    if body[at : at + 1] and body[at] >> 6 == 1:
        at += 2
    time = body[at] >> 4 if body[at : at + 1] else 0
    return body[at + {2: 5, 3: 10}.get(time, 1) :]


def _lower_slices_are_missing(data: bytes) -> Cut | None:
    """Compare the last slice of the last picture with those before (ISO/IEC 13818-2, 6.2.4)."""
    lowest: list[int] = []  # of each picture
    for found in _CODE.finditer(data):
        spend(_STEPS)
        code = found[1][0]
        if code == 0:
            lowest.append(0)
        elif lowest:
            lowest[-1] = max(lowest[-1], code)
    if len(lowest) < 3:
        return None
    return Cut() if lowest[-1] < min(lowest[:-1]) else None


# --- FLV ---


def flv(window: Window) -> Cut | None:
    """A file that does not end in the size of its last tag, or has another file behind it.

    FFmpeg shows the first of two files that were joined byte by byte (FLV 10.1, E.2 and E.3).
    """
    last = window.number(window.size - 4, 4)
    size = int.from_bytes(window.read(window.size - 4 - last + 1, 3), "big")
    if not last or size != last - 11:
        return Cut()
    for start in range(0, window.size, _PIECE):
        data = window.read(start, _PIECE + _FLV_HEAD_SIZE)
        if second := _FLV_HEAD.search(data, 0 if start else _FLV_HEAD_SIZE):
            return Cut(1 - (start + second.start()) / window.size)
    return None
