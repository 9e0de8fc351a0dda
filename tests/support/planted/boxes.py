"""Adds boxes to an MP4 whose ``moov`` comes after its media, so that no offset changes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

_FULL = {b"meta": 4, b"stsd": 8, b"avc1": 78}


def box(kind: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *bodies: bytes) -> bytes:
    """A box with a version of 0 and no flags (ISO/IEC 14496-12, 4.2)."""
    return box(kind, b"\0\0\0\0", *bodies)


def rows(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + size]
        at += size


def graft(data: bytes, path: tuple[bytes, ...], extra: bytes) -> bytes:
    """Add *extra* as the last child of the first box at *path*; missing boxes are made."""
    if not path:
        return data + extra
    return _changed(data, path[0], lambda body: graft(body, path[1:], extra))


def replace(data: bytes, path: tuple[bytes, ...], body: bytes) -> bytes:
    """Replace the body of the first box at *path*."""
    if not path:
        return body
    return _changed(data, path[0], lambda old: replace(old, path[1:], body), whole=not path[1:])


def _changed(
    data: bytes, wanted: bytes, change: Callable[[bytes], bytes], *, whole: bool = False
) -> bytes:
    out, done = b"", False
    for kind, body in rows(data):
        new = body
        if kind == wanted and not done:
            skip = 0 if whole else _FULL.get(kind, 0)
            new = body[:skip] + change(body[skip:])
            done = True
        out += box(kind, new)
    return out if done else out + box(wanted, change(b""))


def with_track(
    film: bytes, handler: bytes, entry: bytes, samples: list[bytes], *, chapters: bool = False
) -> bytes:
    """Add a track with *samples* of 0.1 s each; its media are in a separate box before ``moov``.

    :param entry: the sample entry, a box.
    :param chapters: the first track names it as its list of chapters.
    """
    at = next(len(film) - 8 - len(body) for kind, body in rows(film) if kind == b"moov")
    media, film_box = film[:at], film[at:]
    first = len(media) + 8
    offsets = [first + sum(map(len, samples[:index])) for index in range(len(samples))]
    count = len(samples)
    table = box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 1), entry),
        full(b"stts", struct.pack(">III", 1, count, 100)),
        full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1)),
        full(b"stsz", struct.pack(f">II{count}I", 0, count, *map(len, samples))),
        full(b"stco", struct.pack(f">I{count}I", count, *offsets)),
    )
    reference = full(b"dref", struct.pack(">I", 1), box(b"url ", b"\0\0\0\1"))
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    track = box(
        b"trak",
        box(
            b"tkhd",
            struct.pack(">IIIIII", 1 if not chapters else 0, 0, 0, 9, 0, 100 * count),
            b"\0" * 16 + matrix + b"\0" * 8,
        ),
        box(
            b"mdia",
            full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 1000, 100 * count, 0x55C4, 0)),
            full(b"hdlr", b"\0\0\0\0", handler, b"\0" * 12, b"\0"),
            box(b"minf", full(b"nmhd"), box(b"dinf", reference), table),
        ),
    )
    film_box = graft(film_box, (b"moov",), track)
    if chapters:
        film_box = graft(film_box, (b"moov", b"trak", b"tref"), box(b"chap", b"\0\0\0\x09"))
    return media + box(b"mdat", *samples) + film_box
