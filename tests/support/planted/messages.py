"""Adds messages to an H.264 byte stream (ITU-T H.264, annexes B and D)."""

from __future__ import annotations

import re
import struct

from .bases import bases
from .place import Place

_START = re.compile(rb"\x00\x00\x00?\x01(.)", re.DOTALL)
_SLICE = re.compile(rb"\x00\x00\x00?\x01[\x65\x41\x61\x25\x21]")


def sei(kind: int, payload: bytes) -> bytes:
    """A NAL unit with one message; its zeros are escaped, so none is a start code (7.4.1)."""
    size = b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255])
    body = b"\x06" + bytes([kind]) + size + payload + b"\x80"
    return b"\0\0\0\1" + re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", body)


def into(stream: bytes, *units: bytes, last: bool = False) -> bytes:
    """Add a unit before each of the first pictures, or before the last one."""
    starts = [match.start() for match in _SLICE.finditer(stream)]
    starts = starts[-len(units) :] if last else starts[: len(units)]
    for at, unit in reversed(list(zip(starts, units, strict=True))):
        stream = stream[:at] + unit + stream[at:]
    return stream


def noted(place: Place, *, last: bool = False) -> bytes:
    """user_data_unregistered (D.1.7): 16 bytes of a name, then a text."""
    return into(bases()["film.h264"], sei(5, b"place of carrier" + place.text.encode()), last=last)


def noted_hevc(place: Place) -> bytes:
    """The same in H.265 (annex D.2.7): a prefix unit before the first picture."""
    stream = bases()["film.hevc"]
    body = sei(5, b"place of carrier" + place.text.encode()).replace(
        b"\x01\x06", b"\x01\x4e\x01", 1
    )
    at = next(m.start() for m in _START.finditer(stream) if (m[1][0] >> 1) & 63 < 32)
    return stream[:at] + body + stream[at:]


def registered(place: Place) -> bytes:
    return into(bases()["film.h264"], sei(4, b"\xb5\x00\x99" + place.text.encode()))


def captioned(place: Place) -> bytes:
    """CEA-608 letters in A/53 caption data, eight a picture (ATSC A/53 part 4, 6.2.3)."""
    said = f"{place.lat:.5f}, {place.lon:.5f} {place.name}"
    units = []
    for at in range(0, len(said), 8):
        pairs = [said[i : i + 2].ljust(2) for i in range(at, min(at + 8, len(said)), 2)]
        triples = b"".join(b"\xfc" + bytes(_parity(ord(char)) for char in pair) for pair in pairs)
        body = b"\xb5\x00\x31GA94\x03" + bytes([0xC0 | len(pairs), 0xFF]) + triples + b"\xff"
        units.append(sei(4, body))
    return into(bases()["film.h264"], *units)


def avchd(place: Place) -> bytes:
    """A camera's note of position in MDPM tags, four bytes each, as in EXIF's GPS directory."""
    north, east = ("N" if place.lat > 0 else "S"), ("E" if place.lon > 0 else "W")
    rows = [(0x18, b"\x02\x20\x26\x03"), (0x19, b"\x04\x05\x06\x07"), (0xE0, b"\x01\x08\0\0")]
    rows += [(0xB1, north.encode() + b"\0\0\0"), (0xB5, east.encode() + b"\0\0\0")]
    for first, value in ((0xB2, place.lat), (0xB6, place.lon)):
        parts = place.degrees(value)
        rows += [(first + i, struct.pack(">HH", parts[2 * i], parts[2 * i + 1])) for i in range(2)]
        rows.append((first + 2, struct.pack(">HH", parts[4] // 100, 100)))
    rows.sort()
    body = b"MDPM" + bytes([len(rows)]) + b"".join(bytes([tag]) + data for tag, data in rows)
    uuid = bytes.fromhex("17ee8c60f84d11d98cd60800200c9a66")
    note = into(bases()["film.h264"], sei(5, uuid + body))
    return into(note, sei(5, b"place of carrier" + place.text.encode()), last=True)


def _parity(byte: int) -> int:
    return byte | (0 if byte.bit_count() & 1 else 0x80)
