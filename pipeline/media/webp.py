"""Animated WebP (RFC 9649, 2.7): how large it is and how long each picture is shown.

PyAV's FFmpeg has no reader for them, the one that makes the clips has.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import SEEK_CUR
from pathlib import Path
from typing import BinaryIO

_MOST_CHUNKS = 100_000
_SHORTEST_MS, _USUAL_MS = 10, 100  # what FFmpeg makes of a shorter one
_ALPHA = 0x10


class WebpError(ValueError):
    """It is no animated WebP."""


@dataclass(frozen=True)
class Animation:
    """The canvas in pixels, and how long each picture is shown, in milliseconds."""

    width: int
    height: int
    alpha: bool
    durations_ms: tuple[int, ...]


def animation(path: Path) -> Animation:
    """Read the headers of an animated WebP; the pictures themselves are stepped over.

    A file that was cut off has the pictures that are whole.

    :raises WebpError: it is none, or has no picture.
    """
    with path.open("rb") as file:
        kind = file.read(12)
        if kind[:4] != b"RIFF" or kind[8:] != b"WEBP":
            raise WebpError
        canvas = b""
        durations = []
        for _ in range(_MOST_CHUNKS):
            name, body, size = _chunk(file)
            if name == b"VP8X" and not canvas:
                canvas = body[:10]
            elif name == b"ANMF" and size >= 16:
                shown = int.from_bytes(body[12:15], "little")
                durations.append(shown if shown >= _SHORTEST_MS else _USUAL_MS)
            elif not name:
                break
    if len(canvas) < 10 or not durations:
        raise WebpError
    width, height = (1 + int.from_bytes(canvas[at : at + 3], "little") for at in (4, 7))
    return Animation(width, height, bool(canvas[0] & _ALPHA), tuple(durations))


def _chunk(file: BinaryIO) -> tuple[bytes, bytes, int]:
    """The next chunk's name, first bytes and size; no name where there is no whole one."""
    header = file.read(8)
    if len(header) < 8:
        return b"", b"", 0
    name, size = struct.unpack("<4sI", header)
    body = file.read(min(size, 16))
    if len(body) < min(size, 16):
        return b"", b"", 0
    left = size - len(body)
    if left:
        file.seek(left - 1, SEEK_CUR)
        if not file.read(1):
            return b"", b"", 0
    file.seek(size & 1, SEEK_CUR)  # chunks begin at even places
    return name, body, size
