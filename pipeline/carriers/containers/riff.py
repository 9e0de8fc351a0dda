"""RIFF chunks (Microsoft's multimedia programming interface 1.0), of AVI and WebP files."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.window import Window, leave_out

_COUNT = 20_000


@dataclass(frozen=True)
class RiffChunk:
    """A chunk by its four-character name; ``start`` is the position of its header in the window.

    The name of a list is the type of the list: ``group`` is then "RIFF" or "LIST".  ``broken``:
    its size reaches beyond its parent.
    """

    name: bytes
    body: Window
    start: int
    group: bytes = b""
    broken: bool = False


def chunks(window: Window, at: int = 0, most: int = _COUNT) -> Iterator[RiffChunk]:
    """The chunks that follow each other from *at*; an empty name marks other bytes."""
    for _ in range(most):
        head = window.read(at, 12)
        if len(head) < 8:
            if head.strip(b"\0"):
                yield RiffChunk(b"", window.part(at), at)
            return
        name, size = head[:4], int.from_bytes(head[4:8], "little")
        if not all(32 <= byte < 127 for byte in name):
            if window.read(at, 1 << 16).strip(b"\0"):
                yield RiffChunk(b"", window.part(at), at)
            return
        broken = at + 8 + size > window.size
        if name in (b"RIFF", b"LIST", b"RF64"):
            yield RiffChunk(head[8:12], window.part(at + 12, at + 8 + size), at, name, broken)
        else:
            yield RiffChunk(name, window.part(at + 8, at + 8 + size), at, b"", broken)
        at += 8 + size + (size & 1)
    leave_out()
