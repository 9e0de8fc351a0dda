"""The positions of samples in an MP4 (ISO/IEC 14496-12, 8.6 to 8.8): of tracks and of fragments."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.carriers.containers.boxes import boxes, find
from pipeline.carriers.window import Fields, Window

_TABLE = 1 << 20  # bytes of a table that are read
_FIRST = 48
_SPREAD = 24
_SIZE = 512 << 10
_SPREAD_TEXTS = 1000
_TEXT_SIZE = 4096


@dataclass(frozen=True)
class SampledTrack:
    """A track as its boxes describe it.

    ``handler`` and ``formats`` are four-character codes; ``references`` the tracks that it
    points to, by the kind of reference; ``width`` the bytes of a NAL unit's length.
    """

    number: int
    handler: bytes
    formats: tuple[bytes, ...]
    entries: tuple[Window, ...]
    tables: dict[bytes, Window] = field(default_factory=dict)
    references: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    width: int = 4


def track(trak: Window) -> SampledTrack:
    """The track that a ``trak`` box describes; a missing part is empty."""
    number, handler = 0, b""
    for header in find(trak, b"tkhd"):
        at = 20 if header.read(0, 1) == b"\1" else 12
        number = int.from_bytes(header.read(at, 4), "big")
    for header in find(trak, b"mdia", b"hdlr"):
        handler = header.read(8, 4)
    stbls = find(trak, b"mdia", b"minf", b"stbl")
    tables = {table.kind: table.body for stbl in stbls for table in boxes(stbl)}
    kinds = (kind for tref in find(trak, b"tref") for kind in boxes(tref))
    references = {kind.kind: _numbers(kind.body.read(0, 256)) for kind in kinds}
    entries = list(boxes(tables[b"stsd"].part(8)))[:16] if b"stsd" in tables else []
    return SampledTrack(
        number,
        handler,
        tuple(entry.kind for entry in entries),
        tuple(entry.body for entry in entries),
        tables,
        references,
        _length_width(entries[0].body) if entries else 4,
    )


def samples(track: SampledTrack, file: Window, *, texts: bool = False) -> Iterator[bytes]:
    """The first 48 samples of *track* and 24 spread over the rest, each cut to 512 KiB.

    :param texts: the samples are texts; 1,000 are spread over the rest, each cut to 4 KiB.
    """
    places = _places(track)
    step = max(len(places) // (_SPREAD_TEXTS if texts else _SPREAD), 1)
    limit = _TEXT_SIZE if texts else _SIZE
    for index, (at, size) in enumerate(places):
        if index < _FIRST or index % step == 0:
            yield file.read(at, min(size, limit))


def samples_of(
    track: SampledTrack, moofs: list[tuple[Window, int]], file: Window, *, texts: bool = False
) -> Iterator[bytes]:
    """The first samples of *track* in the fragments: at most 48, or 1,000 *texts*."""
    number, count = track.number, 0
    for moof, position in moofs:
        for traf in find(moof, b"traf"):
            header = next(find(traf, b"tfhd"), None)
            if header is None or int.from_bytes(header.read(4, 4), "big") != number:
                continue
            for at, size in _run_places(traf, header, position):
                yield file.read(at, min(size, _SIZE))
                count += 1
                if count >= (_SPREAD_TEXTS if texts else _FIRST):
                    return


def _run_places(traf: Window, header: Window, position: int) -> Iterator[tuple[int, int]]:
    """Position and size of the samples in ``trun`` boxes (8.8.8)."""
    head = Fields(header.read(0, 40), 1)
    flags, _track = head.number(3), head.number(4)
    base = head.number(8) if flags & 1 else position
    head.take(4 * bool(flags & 2) + 4 * bool(flags & 8))
    usual = head.number(4) if flags & 16 else 0
    for run in find(traf, b"trun"):
        fields = Fields(run.read(0, 1 << 16), 1)
        flags, count = fields.number(3), fields.number(4)
        start = base
        if flags & 1:
            start += int.from_bytes(fields.take(4), "big", signed=True)
        fields.take(4 if flags & 4 else 0)
        for _ in range(min(count, _FIRST)):
            fields.take(4 if flags & 0x100 else 0)
            size = fields.number(4) if flags & 0x200 else usual
            fields.take(4 * bool(flags & 0x400) + 4 * bool(flags & 0x800))
            yield start, size
            start += size


def _length_width(entry: Window) -> int:
    """The field lengthSizeMinusOne of avcC or hvcC (ISO/IEC 14496-15, 5.3.3 and 8.3.3)."""
    for box in boxes(entry.part(78)):
        if at := {b"avcC": 4, b"hvcC": 21}.get(box.kind):
            return (int.from_bytes(box.body.read(at, 1), "big") & 3) + 1
    return 4


def _places(track: SampledTrack) -> list[tuple[int, int]]:
    """Position and size of the samples, from the first MiB of each table."""
    large = b"co64" in track.tables
    chunks = _numbers(_table(track.tables, b"co64" if large else b"stco", 8), 8 if large else 4)
    sizes = _sizes(track.tables, 4 * len(chunks) + 20_000)
    runs = _numbers(_table(track.tables, b"stsc", 8))
    places: list[tuple[int, int]] = []
    run, per_chunk = 0, 1
    for index, start in enumerate(chunks):
        at = start
        while run * 3 + 2 < len(runs) and runs[run * 3] <= index + 1:
            per_chunk = runs[run * 3 + 1]
            run += 1
        for _ in range(min(per_chunk, 20_000)):
            if len(places) >= len(sizes):
                return places
            size = sizes[len(places)]
            places.append((at, size))
            at += size
    return places


def _sizes(tables: dict[bytes, Window], most: int) -> tuple[int, ...]:
    if b"stz2" in tables:
        width = max(int.from_bytes(tables[b"stz2"].read(7, 1), "big") // 8, 1)
        return _numbers(_table(tables, b"stz2", 12), width)
    head = tables[b"stsz"].read(0, 12) if b"stsz" in tables else b""
    same, count = int.from_bytes(head[4:8], "big"), int.from_bytes(head[8:12], "big")
    if same:
        return (same,) * min(count, most)
    return _numbers(_table(tables, b"stsz", 12))


def _table(tables: dict[bytes, Window], kind: bytes, start: int) -> bytes:
    return tables[kind].read(start, _TABLE) if kind in tables else b""


def _numbers(data: bytes, width: int = 4) -> tuple[int, ...]:
    return tuple(
        int.from_bytes(data[at : at + width], "big")
        for at in range(0, len(data) - width + 1, width)
    )
