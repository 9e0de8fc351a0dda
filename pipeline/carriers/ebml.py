"""EBML elements (RFC 8794, 4 to 6): numbers of changing length in front of everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.source import Source

_COUNT = 200_000


@dataclass(frozen=True)
class Element:
    """An element: its ``number`` as it is written, markers included, and its body.

    ``open``: its size is unknown, it ends where its parent or the next of its level does.
    """

    number: int
    body: Source
    open: bool = False


def elements(source: Source, at: int = 0) -> Iterator[Element]:
    """The elements that follow each other; number 0 is what is no element."""
    for _ in range(_COUNT):
        head = source.read(at, 12)
        if not head:
            return
        length = _length(head[0])
        if not 0 < length <= 4 or len(head) <= length:
            yield Element(0, source.part(at))
            return
        number = int.from_bytes(head[:length], "big")
        wide = _length(head[length])
        if not wide or len(head) < length + wide:
            yield Element(0, source.part(at))
            return
        size = int.from_bytes(head[length : length + wide], "big") & ((1 << (7 * wide)) - 1)
        start = at + length + wide
        if size == (1 << (7 * wide)) - 1:
            yield Element(number, source.part(start), open=True)
            return
        yield Element(number, source.part(start, start + size))
        at = start + size


def _length(first: int) -> int:
    """Bytes of a number by the leading zeros of its first byte; 0 where there is none."""
    return 9 - first.bit_length() if first else 0
