"""A track: its sample entry, how its codec is judged, the position and time of each sample.

The sample tables (ISO/IEC 14496-12, 8.6 and 8.7) must agree in every count, and the samples of
all tracks together must cover the media data once and without a gap: bytes outside all samples
could hold anything.
"""

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.errors import NotClean
from pipeline.judge.boxes import EntryShape, Mp4Box
from pipeline.judge.problems import Problems
from pipeline.judge.walk import BoxExtent

_MAX_SAMPLES = 20_000_000  # sound of more than four days
_ROLL = struct.pack(">I4sIIh", 1 << 24, b"roll", 2, 1, -1)  # 10.1: one frame before is needed


@dataclass(frozen=True)
class SampleRun:
    """A run of samples without a gap between them: ``first`` to before ``last``."""

    offset: int  # in the file, in bytes
    first: int  # of the track, from 0
    last: int


@dataclass(frozen=True)
class SampleTable:
    """The samples of a track in decoding order; times in ticks of its clock."""

    sizes: tuple[int, ...]
    chunks: tuple[SampleRun, ...]
    durations: tuple[tuple[int, int], ...]  # runs: how many, how long each
    delays: tuple[int, ...]  # from decoding to presentation; empty: none
    sync: frozenset[int] | None  # numbers, from 0; None: all

    @property
    def duration(self) -> int:
        """The duration of all samples together."""
        return sum(count * ticks for count, ticks in self.durations)


@dataclass(frozen=True)
class SampleEntry:
    """The sample entry of a track.  Pixels for the picture, channels and hertz for sound.

    ``config`` is the body of avcC; ``sets`` are its parameter sets, each a whole NAL unit;
    ``rates`` are the bit rates it states, each the highest and the mean; ``frame`` is the number
    of samples of sound in a frame.
    """

    name: str  # of the codec
    width: int = 0
    height: int = 0
    config: bytes = b""
    sets: tuple[bytes, ...] = ()
    channels: int = 0
    sample_rate: int = 0
    frame: int = 0
    rates: tuple[tuple[int, int], ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether the track is sound; otherwise it is the picture."""
        return self.sample_rate > 0


@dataclass(frozen=True)
class TrackCodec:
    """How the track of a codec is judged.

    ``entry`` is the allow-list of its sample entry.  ``read_entry`` reads it; it is given the
    track's number too.  ``judge_samples`` looks at every sample.
    """

    name: str
    entry: EntryShape
    read_entry: Callable[[Mp4Box, int, Problems], SampleEntry]
    judge_samples: Callable[[memoryview, SampleEntry, SampleTable, Problems], None]


def bit_rates(entry: Mp4Box, problems: Problems) -> tuple[tuple[int, int], ...]:
    """The bit rates in btrt (8.5.2.2), whose buffer size is always 0."""
    btrt = entry.get("btrt")
    if btrt is None:
        return ()
    buffer, most, average = btrt.fields(">III")
    problems.need(buffer == 0, "a buffer size in btrt")
    return ((most, average),)


def read_samples(stbl: Mp4Box, name: str, problems: Problems) -> SampleTable:
    """The tables of one track; *name* is its name in problems.

    :raises NotClean: the tables contradict each other.
    """
    sizes = _sizes(stbl["stsz"])
    durations = _runs(stbl["stts"], len(sizes))
    delays = _runs(stbl["ctts"], len(sizes)) if stbl.get("ctts") else ()
    problems.need(all(sizes), f"an empty sample in {name}")
    _groups(stbl, len(sizes), name, problems)
    return SampleTable(
        sizes=sizes,
        chunks=_chunks(stbl, len(sizes)),
        durations=durations,
        delays=tuple(itertools.chain.from_iterable((ticks,) * count for count, ticks in delays)),
        sync=_sync(stbl["stss"], len(sizes)) if stbl.get("stss") else None,
    )


def _rows(node: Mp4Box, width: int, form: str = "I") -> tuple[int, ...]:
    """The fields of a table of version 0, whose rows have *width* fields of one form."""
    if len(node.data) < 8:
        raise NotClean([f"{node.name} is cut off"])
    head, count = struct.unpack_from(">II", node.data)
    if head != 0 or len(node.data) != 8 + count * width * struct.calcsize(f">{form}"):
        raise NotClean([f"{node.name} is of another size or version than we write"])
    return struct.unpack_from(f">{count * width}{form}", node.data, 8)


def _sizes(stsz: Mp4Box) -> tuple[int, ...]:
    """The sizes (8.7.3): one for each sample, or one for all."""
    if len(stsz.data) < 12:
        raise NotClean(["stsz is cut off"])
    head, size, count = struct.unpack_from(">III", stsz.data)
    rest = 0 if size else 4 * count
    if head or not 0 < count <= _MAX_SAMPLES or len(stsz.data) != 12 + rest:
        raise NotClean(["stsz is of another size or version than we write"])
    return (size,) * count if size else struct.unpack_from(f">{count}I", stsz.data, 12)


def _runs(node: Mp4Box, samples: int) -> tuple[tuple[int, int], ...]:
    """How many samples in a row have the same duration or delay (8.6.1)."""
    flat = _rows(node, 2)
    runs = tuple(zip(flat[::2], flat[1::2], strict=True))
    if sum(flat[::2]) != samples or not all(flat[::2]):
        raise NotClean([f"{node.name} counts other samples than stsz"])
    return runs


def _sync(stss: Mp4Box, samples: int) -> frozenset[int]:
    """The samples that can be decoded without others (8.6.2)."""
    numbers = _rows(stss, 1)
    rising = all(one < other for one, other in itertools.pairwise((0, *numbers)))
    if not rising or (numbers and numbers[-1] > samples):
        raise NotClean(["stss names samples that are not there"])
    return frozenset(number - 1 for number in numbers)


def _chunks(stbl: Mp4Box, samples: int) -> tuple[SampleRun, ...]:
    """The position of each chunk and the samples in it (8.7.4 and 8.7.5)."""
    small, large = stbl.get("stco"), stbl.get("co64")
    if (small is None) == (large is None):
        raise NotClean(["another number of chunk tables than one"])
    offsets = _rows(small, 1) if small else _rows(stbl["co64"], 1, "Q")
    flat = _rows(stbl["stsc"], 3)
    firsts, counts, kinds = flat[::3], flat[1::3], flat[2::3]
    bounds = (*firsts, len(offsets) + 1)
    rising = all(one < other for one, other in itertools.pairwise(bounds))
    if not firsts or firsts[0] != 1 or not rising or set(kinds) != {1} or not all(counts):
        raise NotClean(["stsc names chunks that are not there"])
    chunks = []
    at = 0
    for (begin, end), count in zip(itertools.pairwise(bounds), counts, strict=True):
        for offset in offsets[begin - 1 : end - 1]:
            chunks.append(SampleRun(offset, at, at + count))
            at += count
    if at != samples:
        raise NotClean(["stsc counts other samples than stsz"])
    return tuple(chunks)


def _groups(stbl: Mp4Box, samples: int, name: str, problems: Problems) -> None:
    """The one group that FFmpeg writes, "AAC needs the frame before" (8.9)."""
    kind, rows = stbl.get("sgpd"), stbl.get("sbgp")
    if kind is None and rows is None:
        return
    wanted = struct.pack(">I4sIII", 0, b"roll", 1, samples, 1)
    known = kind and rows and (kind.data, rows.data) == (_ROLL, wanted)
    problems.need(known and stbl.get("ctts") is None, f"a sample group in {name}")


def places(samples: SampleTable) -> Iterator[tuple[int, int, int]]:
    """Number, position in the file and size of each sample, chunk by chunk."""
    for chunk in samples.chunks:
        at = chunk.offset
        for number in range(chunk.first, chunk.last):
            size = samples.sizes[number]
            yield number, at, size
            at += size


def cover(media: BoxExtent, tracks: Iterable[SampleTable], problems: Problems) -> None:
    """Every byte of the media data must belong to exactly one sample."""
    rows = sorted(
        (chunk.offset, sum(samples.sizes[chunk.first : chunk.last]))
        for samples in tracks
        for chunk in samples.chunks
    )
    at = media.body
    for offset, size in rows:
        problems.need(offset <= at, "bytes in mdat that belong to no sample")
        problems.need(offset >= at, "samples in mdat that overlap, or lie outside of it")
        at = offset + size
    problems.need(at >= media.end, "bytes in mdat that belong to no sample")
    problems.need(at <= media.end, "samples in mdat that overlap, or lie outside of it")
