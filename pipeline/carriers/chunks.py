"""RIFF chunks (Microsoft's multimedia programming interface 1.0): AVI and WebP are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.source import Source

_COUNT = 20_000


@dataclass(frozen=True)
class Chunk:
    """A chunk by its four-character name; ``start`` is where its head stands in the source.

    The name of a list is the type of the list: ``group`` is then "RIFF" or "LIST".
    """

    name: bytes
    body: Source
    start: int
    group: bytes = b""
    broken: bool = False


def chunks(source: Source, at: int = 0) -> Iterator[Chunk]:
    """The chunks that follow each other in *source*, at most 20,000; an empty name is none."""
    for _ in range(_COUNT):
        head = source.read(at, 12)
        if len(head) < 8:
            if head.strip(b"\0"):
                yield Chunk(b"", source.part(at), at)
            return
        name, size = head[:4], int.from_bytes(head[4:8], "little")
        if not all(32 <= byte < 127 for byte in name):
            if source.read(at, 1 << 16).strip(b"\0"):
                yield Chunk(b"", source.part(at), at)
            return
        broken = at + 8 + size > source.size
        if name in (b"RIFF", b"LIST", b"RF64"):
            yield Chunk(head[8:12], source.part(at + 12, at + 8 + size), at, name, broken)
        else:
            yield Chunk(name, source.part(at + 8, at + 8 + size), at, b"", broken)
        at += 8 + size + (size & 1)
