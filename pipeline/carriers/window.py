"""A file, or a part of one, that is read in bounded steps.

All windows of one file share a budget of steps and bytes, so that a hostile file cannot keep a
reader busy for long.  When the budget is used up, reading raises :class:`BudgetSpent`.

A step is work of about one microsecond.  Steps are counted by what is read and searched, and not
by the clock, so that a file has the same findings on each machine.  The parts that have no window
(texts, XMP, messages in the picture) count theirs by :func:`spend`.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from pipeline.findings import Carrier, Finding, What

DEPTH = 5
STEPS = 3_500_000
OCTETS = 256 << 20
INFLATED = 4 << 20
SEARCHES = 40

_READ = 10  # steps of a read, with what its reader does with it
_OCTETS_A_STEP = 512
_OCTETS_INFLATED = 128  # a step


class BudgetSpent(Exception):
    """The budget of a file is used up; the error holds nothing of what was read."""


@dataclass
class ReadBudget:
    """What may still be done with one file: ``steps`` of work, ``octets`` to be read.

    ``read_nested`` reads a file that was found inside the file.  The code that opens the file sets
    it, so that readers need not know each other.  ``searches`` is how many stretches of unknown
    bytes may still be searched for texts.  ``is_used_up``: a part of the file was not searched,
    because the budget had no room for it.
    """

    read_nested: Callable[[Window], Iterator[Finding]] = lambda _window: iter(())
    steps: int = STEPS
    octets: int = OCTETS
    searches: int = SEARCHES
    is_used_up: bool = False

    def take(self, octets: int) -> None:
        """Count one read of *octets* bytes.

        :raises BudgetSpent: if nothing was left.
        """
        self.octets -= octets
        self.spend(_READ + octets // _OCTETS_A_STEP)

    def spend(self, steps: int) -> None:
        """Count *steps* of work.

        :raises BudgetSpent: if nothing was left.
        """
        if steps > self.steps or self.octets < 0:
            self.steps, self.is_used_up = 0, True
            raise BudgetSpent
        self.steps -= steps

    def begin(self, read_nested: Callable[[Window], Iterator[Finding]]) -> None:
        """Begin with a file; what was left of steps and bytes by the file before is for it."""
        self.read_nested, self.searches, self.is_used_up = read_nested, SEARCHES, False

    def add(self, steps: int, octets: int) -> None:
        """Give so much to the next search, or take it away."""
        self.steps = max(self.steps, 0) + steps
        self.octets = max(self.octets, 0) + octets

    def searches_again(self) -> bool:
        """Count a search for texts; return whether there was room for it."""
        self.searches -= 1
        self.is_used_up |= self.searches < 0
        return self.searches >= 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Let :func:`spend` count on this budget."""
        token = _COUNTING.set(self)
        try:
            yield
        finally:
            _COUNTING.reset(token)


_COUNTING: ContextVar[ReadBudget | None] = ContextVar("budget", default=None)


def spend(steps: int) -> None:
    """Count *steps* of work on the file that is being searched; nothing where none is.

    :raises BudgetSpent: if nothing was left.
    """
    budget = _COUNTING.get()
    if budget is not None:
        budget.spend(steps)


def leave_out() -> None:
    """Note that a part of the file that is being searched is left out, because it has too many."""
    budget = _COUNTING.get()
    if budget is not None:
        budget.is_used_up = True


@dataclass(frozen=True)
class Window:
    """*size* bytes of a file from *start*; positions are counted from there."""

    file: BinaryIO
    start: int
    size: int
    budget: ReadBudget = field(default_factory=ReadBudget)
    depth: int = 0

    @staticmethod
    def whole(file: BinaryIO, budget: ReadBudget | None = None) -> Window:
        """All bytes of an open file, under *budget* or a full one."""
        return Window(file, 0, file.seek(0, 2), budget or ReadBudget())

    @staticmethod
    def over(data: bytes) -> Window:
        """Bytes in memory, under a full budget."""
        return Window(io.BytesIO(data), 0, len(data))

    def read(self, at: int, count: int) -> bytes:
        """At most *count* bytes from *at*; fewer at the end, none beyond it.

        :raises BudgetSpent: if the file's budget is used up.
        """
        if at < 0 or at >= self.size or count <= 0:
            return b""
        count = min(count, self.size - at)
        self.budget.take(count)
        self.file.seek(self.start + at)
        return self.file.read(count)

    def number(self, at: int, count: int, order: Literal["big", "little"] = "big") -> int:
        """The unsigned number in *count* bytes at *at*, most significant byte first ("big").

        :raises EOFError: if the bytes end before.
        """
        data = self.read(at, count)
        if len(data) < count:
            raise EOFError
        return int.from_bytes(data, order)

    def part(self, start: int, end: int | None = None) -> Window:
        """The bytes from *start* to before *end*, cut to the bytes that exist."""
        start = min(max(start, 0), self.size)
        end = self.size if end is None else min(max(end, start), self.size)
        return Window(self.file, self.start + start, end - start, self.budget, self.depth)

    def wrap(self, data: bytes) -> Window:
        """Bytes that were joined or inflated, under the same budget."""
        return Window(io.BytesIO(data), 0, len(data), self.budget, self.depth)

    def inside(self, carrier: Carrier) -> Iterator[Finding]:
        """What a file inside the file gives away, and that *carrier* holds a file."""
        yield Finding(carrier, What.OTHER)
        if self.depth >= DEPTH:
            yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
            return
        inner = Window(self.file, self.start, self.size, self.budget, self.depth + 1)
        for finding in self.budget.read_nested(inner):
            yield finding
            yield Finding(carrier, finding.what)


class Fields:
    """Fields that follow each other in *data* from ``at``; behind its end they are empty and 0."""

    def __init__(self, data: bytes, at: int = 0, order: Literal["big", "little"] = "big") -> None:
        self.data = data
        self.at = at
        self.order = order

    def take(self, size: int) -> bytes:
        """The next *size* bytes."""
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """The next *size* bytes as a number."""
        return int.from_bytes(self.take(size), self.order)


def inflate(data: bytes, limit: int = INFLATED) -> bytes:
    """Inflated zlib data (RFC 1950), up to *limit* bytes; nothing where it is broken."""
    engine = zlib.decompressobj()
    try:
        inflated = engine.decompress(data, limit)
    except zlib.error:
        return b""
    spend(len(inflated) // _OCTETS_INFLATED)
    return inflated
