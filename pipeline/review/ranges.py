"""Byte ranges of a file, which a browser asks for when it plays a clip (RFC 9110, section 14)."""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Read what a Range header asks of a file of *size* bytes: the first byte, and the end.

    Several ranges at once, other units and malformed headers give the whole file, which the
    standard allows.

    :returns: the end is the byte behind the last; None if the file has no such part.
    """
    match = _ONE.fullmatch((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:  # the last bytes, as many as it says
        count = min(int(last), size)
        return (size - count, size) if count else None
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return 0, size
    return (start, end) if start < size else None
