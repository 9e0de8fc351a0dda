"""Media of a few bytes whose pictures are more work than a film of half an hour in 4K."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image

SIDE = 8192  # pixels


def _box(kind: bytes, *body: bytes) -> bytes:
    data = b"".join(body)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def _full(kind: bytes, *body: bytes) -> bytes:
    return _box(kind, b"\0\0\0\0", *body)


@cache
def black_jpeg(width: int, height: int) -> bytes:
    """A black photo."""
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "JPEG", quality=1, optimize=True)
    return file.getvalue()


def film(count: int, width: int = SIDE, height: int = SIDE, rate: int = 30) -> bytes:
    """A film of motion JPEG in which all *count* pictures are the same bytes of the file."""
    picture = black_jpeg(width, height)
    matrix = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    ftyp = _box(b"ftyp", b"qt  \0\0\0\0qt  ")
    entry = _box(
        b"jpeg",
        *(b"\0" * 6, b"\0\1", b"\0" * 16),
        struct.pack(">HHIIIH", width, height, 72 << 16, 72 << 16, 0, 1),
        *(b"\0" * 32, b"\0\x18", b"\xff\xff"),
    )
    tables = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", struct.pack(">III", 1, count, 1)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1)),
        _full(b"stsz", struct.pack(">II", len(picture), count)),
        _full(b"stco", struct.pack(">I", count), struct.pack(">I", len(ftyp) + 8) * count),
    )
    dinf = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _box(b"url ", b"\0\0\0\1")))
    minf = _box(b"minf", _box(b"vmhd", b"\0\0\0\1" + b"\0" * 8), dinf, tables)
    mdia = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, rate, count, 0x55C4, 0)),
        _full(b"hdlr", b"\0" * 4, b"vide", b"\0" * 13),
        minf,
    )
    tkhd = _box(
        b"tkhd",
        b"\0\0\0\3",
        struct.pack(">IIIII", 0, 0, 1, 0, count),
        *(b"\0" * 16, matrix, struct.pack(">II", width << 16, height << 16)),
    )
    mvhd = _full(
        b"mvhd",
        struct.pack(">IIIIIH", 0, 0, rate, count, 1 << 16, 1 << 8),
        *(b"\0" * 10, matrix, b"\0" * 24, struct.pack(">I", 2)),
    )
    return ftyp + _box(b"mdat", picture) + _box(b"moov", mvhd, _box(b"trak", tkhd, mdia))


def gif(count: int, width: int = SIDE, height: int = SIDE) -> bytes:
    """An animation whose pictures change one pixel of a huge canvas."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF0, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"!\xf9\4\0\4\0\0\0," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    return head + frame * count + b";"


def webp(count: int, width: int = SIDE, height: int = SIDE) -> bytes:
    """An animation whose pictures change one pixel of a huge canvas."""
    small = io.BytesIO()
    Image.new("RGB", (1, 1)).save(small, "WEBP", lossless=True)
    data = small.getvalue()[12:]
    head = b"\0" * 6 + b"\0" * 6 + struct.pack("<I", 100)[:3] + b"\0"
    frame = b"ANMF" + struct.pack("<I", len(head) + len(data)) + head + data
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"VP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + size
    body += b"ANIM" + struct.pack("<I", 6) + b"\0" * 6 + frame * count
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def apng(count: int, width: int = SIDE, height: int = SIDE) -> bytes:
    """An animation whose pictures change one pixel of a huge canvas."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    whole = zlib.compress(bytes((width + 1) * height), 9)
    one = zlib.compress(b"\0\0", 9)
    made = [
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        chunk(b"acTL", struct.pack(">II", count, 0)),
        chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 30, 0, 0)),
        chunk(b"IDAT", whole),
    ]
    for number in range(1, count):
        made += [
            chunk(b"fcTL", struct.pack(">IIIIIHHBB", 2 * number - 1, 1, 1, 0, 0, 1, 30, 0, 0)),
            chunk(b"fdAT", struct.pack(">I", 2 * number) + one),
        ]
    return b"".join((*made, chunk(b"IEND", b"")))


def jpeg_of_scans(count: int, width: int = 12000, height: int = 12000) -> bytes:
    """A progressive photo that goes over its pixels *count* times."""
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "JPEG", quality=1, progressive=True)
    data = file.getvalue()
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    third = data.index(b"\xff", second + 20)
    while data[third + 1] == 0:
        third = data.index(b"\xff", third + 2)
    return data[:second] + data[second:third] * count + b"\xff\xd9"


# Each is less than a megabyte, and more work than 5 minutes in 4K.
HEAVY: dict[str, Callable[[], bytes]] = {
    "film": lambda: film(2600),
    "gif": lambda: gif(2600),
    "webp": lambda: webp(2600),
    "apng": lambda: apng(2600),
}
