"""Parts of a file, as a browser asks for them when it plays (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class Span:
    """The bytes from ``start`` to before ``end`` of a file of ``size`` bytes."""

    start: int
    end: int
    size: int

    @property
    def whole(self) -> bool:
        """Whether that is all of it."""
        return (self.start, self.end) == (0, self.size)

    @property
    def content_range(self) -> str:
        """The header of a partial answer."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def wanted(header: str | None, size: int) -> Span | None:
    """What a Range header asks of a file of *size* bytes; None if there is no such part.

    Several ranges at once, other units and nonsense are answered with the whole file, which
    the standard allows.
    """
    whole = Span(0, size, size)
    match = _ONE.fullmatch((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return whole
    first, last = match.groups()
    if not first:  # the last so many bytes
        count = min(int(last), size)
        return Span(size - count, size, size) if count else None
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return whole
    return Span(start, end, size) if start < size else None
