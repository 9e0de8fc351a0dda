"""EBML elements (RFC 8794, 4 to 6): each has a number and a size of variable length."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.window import Window, leave_out

_COUNT = 200_000


@dataclass(frozen=True)
class EbmlElement:
    """An element: its ``number`` as written, with its length marker, and its body.

    ``open``: its size is unknown; it ends with its parent or before the next of its level.
    ``missing``: how many bytes of it would be behind the end of its parent.
    """

    number: int
    body: Window
    open: bool = False
    missing: int = 0


def elements(window: Window, at: int = 0) -> Iterator[EbmlElement]:
    """The elements that follow each other; number 0 marks bytes that are not an element."""
    for _ in range(_COUNT):
        head = window.read(at, 12)
        if not head:
            return
        length = _length(head[0])
        if not 0 < length <= 4 or len(head) <= length:
            yield EbmlElement(0, window.part(at))
            return
        number = int.from_bytes(head[:length], "big")
        wide = _length(head[length])
        if not wide or len(head) < length + wide:
            yield EbmlElement(0, window.part(at))
            return
        size = int.from_bytes(head[length : length + wide], "big") & ((1 << (7 * wide)) - 1)
        start = at + length + wide
        if size == (1 << (7 * wide)) - 1:
            yield EbmlElement(number, window.part(start), open=True)
            return
        missing = max(0, start + size - window.size)
        yield EbmlElement(number, window.part(start, start + size), missing=missing)
        at = start + size
    leave_out()


def _length(first: int) -> int:
    """The length of a number in bytes, from the leading zeros of its first byte; 0 if invalid."""
    return 9 - first.bit_length() if first else 0
