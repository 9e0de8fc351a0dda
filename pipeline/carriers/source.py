"""A file, or a part of one, that is read in steps that a stranger can't make endless.

All sources of one file share a budget of reads, bytes and depth.  When it is spent, reading
ends with :class:`Spent`, which whoever asked for the findings turns into one more finding.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import BinaryIO

from pipeline.model import Carrier, Finding, What

DEPTH = 5
READS = 250_000
SECONDS = 30.0
OCTETS = 192 << 20
INFLATED = 4 << 20
WINDOWS = 40


class Spent(Exception):
    """The budget of a file is spent; it holds nothing of what was read."""


@dataclass
class Budget:
    """What may still be read of one file: ``reads`` calls, ``octets`` bytes.

    ``windows`` is how many stretches of unknown bytes may still be searched for texts;
    ``until`` is when time is up, on the monotonic clock, in seconds.

    ``look`` tells a file inside the file apart and reads it (set by who opens the file, so
    that readers need not know each other).
    """

    look: Callable[[Source], Iterator[Finding]]
    reads: int = READS
    octets: int = OCTETS
    windows: int = WINDOWS
    until: float = field(default_factory=lambda: monotonic() + SECONDS)

    def take(self, octets: int) -> None:
        """Count one read of *octets* bytes.

        :raises Spent: when there was no more to take.
        """
        self.reads -= 1
        self.octets -= octets
        if self.reads < 0 or self.octets < 0 or monotonic() > self.until:
            raise Spent


@dataclass(frozen=True)
class Source:
    """*size* bytes of a file from *start*; positions are counted from there."""

    file: BinaryIO
    start: int
    size: int
    budget: Budget
    depth: int = 0

    def read(self, at: int, count: int) -> bytes:
        """At most *count* bytes from *at*; fewer at the end, none beyond it.

        :raises Spent: when the file's budget is spent.
        """
        if at < 0 or at >= self.size or count <= 0:
            return b""
        count = min(count, self.size - at)
        self.budget.take(count)
        self.file.seek(self.start + at)
        return self.file.read(count)

    def number(self, at: int, count: int, order: str = "big") -> int:
        """The unsigned number in *count* bytes at *at*, most significant byte first ("big").

        :raises EOFError: when the bytes end before.
        """
        data = self.read(at, count)
        if len(data) < count:
            raise EOFError
        return int.from_bytes(data, "little" if order == "little" else "big")

    def part(self, start: int, end: int | None = None) -> Source:
        """The bytes from *start* to before *end*, cut to what there is."""
        start = min(max(start, 0), self.size)
        end = self.size if end is None else min(max(end, start), self.size)
        return Source(self.file, self.start + start, end - start, self.budget, self.depth)

    def wrap(self, data: bytes) -> Source:
        """Bytes that were put together or inflated, under the same budget."""
        return Source(io.BytesIO(data), 0, len(data), self.budget, self.depth)

    def inside(self, carrier: Carrier) -> Iterator[Finding]:
        """What a file inside the file holds, and that *carrier* holds it."""
        yield Finding(carrier, What.OTHER)
        if self.depth >= DEPTH:
            yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
            return
        inner = Source(self.file, self.start, self.size, self.budget, self.depth + 1)
        for finding in self.budget.look(inner):
            yield finding
            yield Finding(carrier, finding.what)


def inflate(data: bytes, limit: int = INFLATED) -> bytes:
    """Inflated zlib data (RFC 1950), up to *limit* bytes; broken data ends where it breaks."""
    engine = zlib.decompressobj()
    try:
        return engine.decompress(data, limit)
    except zlib.error:
        return b""
