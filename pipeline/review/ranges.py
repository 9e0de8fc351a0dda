"""Byte ranges of a file, which a browser asks for when it plays a clip (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class ByteRange:
    """The bytes from ``start`` to before ``end`` of a file of ``size`` bytes."""

    start: int
    end: int
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether the range is the whole file."""
        return (self.start, self.end) == (0, self.size)

    @property
    def content_range(self) -> str:
        """The Content-Range header of a partial answer."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Read what a Range header asks of a file of *size* bytes; None if the file has no such part.

    Several ranges at once, other units and malformed headers give the whole file, which the
    standard allows.
    """
    whole = ByteRange(0, size, size)
    match = _ONE.fullmatch((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return whole
    first, last = match.groups()
    if not first:  # the last bytes, as many as it says
        count = min(int(last), size)
        return ByteRange(size - count, size, size) if count else None
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return whole
    return ByteRange(start, end, size) if start < size else None
