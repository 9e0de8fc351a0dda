"""Boxes of ISO base media files, read as far as they go (ISO/IEC 14496-12, 4.2).

Unlike ``pipeline.media.isobmff``, which refuses what makes no sense, this walk wants to see
what a broken file still tells: a box that is longer than its parent is cut to it, and what is
no box is yielded as one without a type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.source import Source

_COUNT = 20_000


@dataclass(frozen=True)
class Box:
    """A box of the four-character *kind* with its *body*; ``kind`` is empty for stray bytes.

    ``broken``: it says it is longer than its parent.
    """

    kind: bytes
    body: Source
    broken: bool = False


def boxes(source: Source, *, numbered: bool = False) -> Iterator[Box]:
    """The boxes that follow each other in *source*, at most 20,000.

    :param numbered: a type may be a number, as in the lists that ``keys`` names.
    """
    at = 0
    for _ in range(_COUNT):
        head = source.read(at, 16)
        if len(head) < 8:
            if head.strip(b"\0"):  # QuickTime ends a list with four zero bytes
                yield Box(b"", source.part(at))
            return
        size, kind, start = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, start = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            if not head.strip(b"\0"):
                yield from _zeros(source, at)
                return
            size = source.size - at
        if size < start or not (numbered or _named(kind)):
            yield Box(b"", source.part(at))
            return
        yield Box(kind, source.part(at + start, at + size), at + size > source.size)
        at += size


def _zeros(source: Source, at: int) -> Iterator[Box]:
    """Zeros to the end are padding; anything behind them is not."""
    if source.read(at, 4096).strip(b"\0"):
        yield Box(b"", source.part(at))


def _named(kind: bytes) -> bool:
    """Types are four printable characters, the first perhaps the copyright sign (0xA9)."""
    return all(32 <= byte < 127 or byte == 0xA9 for byte in kind)


def find(source: Source, *path: bytes) -> Iterator[Source]:
    """The bodies of all boxes at *path* below *source*; full boxes count as plain ones."""
    for box in boxes(source):
        if box.kind == path[0]:
            if len(path) == 1:
                yield box.body
            else:
                yield from find(box.body, *path[1:])
