"""The few boxes that FFmpeg does not write: a HEIF still, and a place in QuickTime's old way.

ISO/IEC 14496-12 (boxes), 23008-12 (HEIF), 14496-15 (the HEVC configuration record), and the
QuickTime File Format for ``©xyz``, which holds ISO 6709 text.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable

from pipeline.media import isobmff


def box(kind: bytes, *body: bytes) -> bytes:
    """One box."""
    content = b"".join(body)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full_box(kind: bytes, version: int, flags: int, *body: bytes) -> bytes:
    """A box with a version and flags (14496-12, section 4.2.2)."""
    return box(kind, struct.pack(">I", version << 24 | flags), *body)


def find(data: bytes, path: Iterable[bytes], skip: int = 0) -> isobmff.Box:
    """The first box at *path*.  A sample entry's own fields are *skip* bytes before its boxes.

    :raises ValueError: there is none.
    """
    file = io.BytesIO(data)
    found = isobmff.Box(b"", 0, 0, len(data))
    for kind in path:
        before = {b"stsd": 8, b"hvc1": skip, b"meta": 4}.get(found.type, 0)
        level = isobmff.children(file, found, before)
        match = next((one for one in level if one.type == kind), None)
        if match is None:
            raise ValueError(f"there is no {kind!r} box")
        found = match
    return found


def with_xyz(movie: bytes, iso6709: str) -> bytes:
    """An MP4 whose moov is its last box, with a ``©xyz`` added: no chunk moves.

    :raises ValueError: the moov stands elsewhere, or holds no udta.
    """
    moov = find(movie, [b"moov"])
    udta = find(movie, [b"moov", b"udta"])
    if moov.end != len(movie):
        raise ValueError("the moov box is not the last")
    # language 0x15c7 is "und" (14496-12, section 8.4.2.3)
    text = iso6709.encode("ascii")
    extra = box(b"\xa9xyz", struct.pack(">HH", len(text), 0x15C7), text)
    grown = bytearray(movie)
    for one in (moov, udta):
        struct.pack_into(">I", grown, one.start, one.end - one.start + len(extra))
    grown[udta.end : udta.end] = extra
    return bytes(grown)


def heic(movie: bytes, width: int, height: int, exif: bytes) -> bytes:
    """A HEIC of the first picture of *movie*, an MP4 with one HEVC picture, and of *exif*.

    :param exif: a TIFF structure, without the "Exif" that stands before it in a JPEG.
    :raises ValueError: the MP4 is not of that kind.
    """
    table = [b"moov", b"trak", b"mdia", b"minf", b"stbl"]
    # a visual sample entry has 78 bytes of its own (14496-12, section 12.1.3)
    record = find(movie, [*table, b"stsd", b"hvc1", b"hvcC"], skip=78)
    media = find(movie, [b"mdat"])
    picture = movie[media.body : media.end]
    # the offset of the TIFF header after these four bytes (23008-12, annex A.2.1)
    notes = struct.pack(">I", 0) + exif
    kinds = ((1, b"hvc1", 0), (2, b"Exif", 1))
    entries = [
        full_box(b"infe", 2, hidden, struct.pack(">HH4s", item, 0, kind), b"\0")
        for item, kind, hidden in kinds
    ]
    properties = box(
        b"ipco",
        movie[record.start : record.end],
        full_box(b"ispe", 0, 0, struct.pack(">II", width, height)),
        full_box(b"pixi", 0, 0, bytes([3, 8, 8, 8])),
        # primaries and transfer of BT.709, matrix of BT.709, limited range
        box(b"colr", b"nclx", struct.pack(">HHHB", 1, 1, 1, 0)),
    )
    # item 1 has all four; the first bit says that a reader must know the property
    association = full_box(b"ipma", 0, 0, struct.pack(">IHB", 1, 1, 4), bytes([0x81, 2, 3, 4]))

    def meta(start: int) -> bytes:
        places = ((1, start, len(picture)), (2, start + len(picture), len(notes)))
        extents = [struct.pack(">HHHII", item, 0, 1, at, size) for item, at, size in places]
        return full_box(
            b"meta", 0, 0,
            full_box(b"hdlr", 0, 0, struct.pack(">I4s12xB", 0, b"pict", 0)),
            full_box(b"pitm", 0, 0, struct.pack(">H", 1)),
            full_box(b"iloc", 0, 0, struct.pack(">BBH", 0x44, 0, len(places)), *extents),
            full_box(b"iinf", 0, 0, struct.pack(">H", len(entries)), *entries),
            full_box(b"iref", 0, 0, box(b"cdsc", struct.pack(">HHH", 2, 1, 1))),
            box(b"iprp", properties, association),
        )  # fmt: skip

    kind = box(b"ftyp", b"heic", struct.pack(">I", 0), b"mif1", b"heic")
    start = len(kind) + len(meta(0)) + 8
    return kind + meta(start) + box(b"mdat", picture, notes)
