"""Samples of fragmented MP4 files (ISO/IEC 14496-12, 8.8): the positions of a track's pieces."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.carriers.containers.boxes import find
from pipeline.carriers.window import Window

_SAMPLES = 48
_SIZE = 512 << 10


def samples_of(number: int, moofs: list[tuple[Window, int]], file: Window) -> Iterator[bytes]:
    """The first samples of track *number* in the fragments, at most 48."""
    count = 0
    for moof, position in moofs:
        for traf in find(moof, b"traf"):
            header = next(find(traf, b"tfhd"), None)
            if header is None or int.from_bytes(header.read(4, 4), "big") != number:
                continue
            for at, size in _places(traf, header, position):
                yield file.read(at, min(size, _SIZE))
                count += 1
                if count >= _SAMPLES:
                    return


def _places(traf: Window, header: Window, position: int) -> Iterator[tuple[int, int]]:
    """Position and size of the samples in ``trun`` boxes (8.8.8)."""
    data = header.read(0, 40)
    flags = int.from_bytes(data[1:4], "big")
    base, at = position, 8
    if flags & 1:
        base, at = int.from_bytes(data[at : at + 8], "big"), at + 8
    at += 4 * bool(flags & 2) + 4 * bool(flags & 8)
    usual = int.from_bytes(data[at : at + 4], "big") if flags & 16 else 0
    for run in find(traf, b"trun"):
        body = run.read(0, 1 << 16)
        run_flags = int.from_bytes(body[1:4], "big")
        count, at, start = int.from_bytes(body[4:8], "big"), 8, base
        if run_flags & 1:
            start, at = base + int.from_bytes(body[8:12], "big", signed=True), 12
        at += 4 * bool(run_flags & 4)
        step = 4 * sum(bool(run_flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
        skip = 4 * bool(run_flags & 0x100)
        for _ in range(min(count, _SAMPLES)):
            size = (
                int.from_bytes(body[at + skip : at + skip + 4], "big")
                if run_flags & 0x200
                else usual
            )
            yield start, size
            start += size
            at += step
