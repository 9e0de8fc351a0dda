"""The few boxes that FFmpeg does not write: a HEIF still, and a place in QuickTime's old way.

ISO/IEC 14496-12 (boxes), 23008-12 (HEIF), 14496-15 (the HEVC configuration record), and the
QuickTime File Format for ``©xyz``, which holds ISO 6709 text.
"""

from __future__ import annotations

import struct

from support.planted.boxes import box, full, graft, rows


def with_xyz(movie: bytes, iso6709: str) -> bytes:
    """An MP4 whose moov is its last box, with a ``©xyz`` added: no chunk moves."""
    # language 0x15c7 is "und" (14496-12, section 8.4.2.3)
    text = iso6709.encode("ascii")
    place = box(b"\xa9xyz", struct.pack(">HH", len(text), 0x15C7), text)
    return graft(movie, (b"moov", b"udta"), place)


def _body(data: bytes, *path: bytes) -> bytes:
    """The body of the first box at *path*."""
    before = {b"stsd": 8, b"hvc1": 78}  # fields of the box itself (14496-12, section 12.1.3)
    for kind in path:
        body = next(body for found, body in rows(data) if found == kind)
        data = body[before.get(kind, 0) :]
    return data


def heic(movie: bytes, width: int, height: int, exif: bytes) -> bytes:
    """A HEIC of the first picture of *movie*, an MP4 with one HEVC picture, and of *exif*.

    :param exif: a TIFF structure, without the "Exif" that precedes it in a JPEG.
    """
    table = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    record = _body(movie, *table, b"stsd", b"hvc1", b"hvcC")
    picture = _body(movie, b"mdat")
    # the offset of the TIFF header after these four bytes (23008-12, annex A.2.1)
    notes = struct.pack(">I", 0) + exif
    kinds = ((1, b"hvc1", 0), (2, b"Exif", 1))
    entries = [
        box(
            b"infe", struct.pack(">I", 2 << 24 | hidden), struct.pack(">HH4s", item, 0, kind), b"\0"
        )
        for item, kind, hidden in kinds
    ]
    properties = box(
        b"ipco",
        box(b"hvcC", record),
        full(b"ispe", struct.pack(">II", width, height)),
        full(b"pixi", bytes([3, 8, 8, 8])),
        # primaries and transfer of BT.709, matrix of BT.709, limited range
        box(b"colr", b"nclx", struct.pack(">HHHB", 1, 1, 1, 0)),
    )
    # item 1 has all four; the first bit says that a reader must know the property
    association = full(b"ipma", struct.pack(">IHB", 1, 1, 4), bytes([0x81, 2, 3, 4]))

    def meta(start: int) -> bytes:
        places = ((1, start, len(picture)), (2, start + len(picture), len(notes)))
        extents = [struct.pack(">HHHII", item, 0, 1, at, size) for item, at, size in places]
        return full(
            b"meta",
            full(b"hdlr", struct.pack(">I4s12xB", 0, b"pict", 0)),
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iloc", struct.pack(">BBH", 0x44, 0, len(places)), *extents),
            full(b"iinf", struct.pack(">H", len(entries)), *entries),
            full(b"iref", box(b"cdsc", struct.pack(">HHH", 2, 1, 1))),
            box(b"iprp", properties, association),
        )  # fmt: skip

    kind = box(b"ftyp", b"heic", struct.pack(">I", 0), b"mif1", b"heic")
    start = len(kind) + len(meta(0)) + 8
    return kind + meta(start) + box(b"mdat", picture, notes)
