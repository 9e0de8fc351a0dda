"""Whether a file is whole, by its own bytes: the mail around it may say neither yes nor no."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_TAIL = 1024  # bytes behind the end of a file that a mailer or a list may have added
_BOXES = frozenset(
    (
        *(b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"meta", b"uuid", b"udta"),
        *(b"moof", b"mfra", b"styp", b"sidx", b"pnot"),
    )
)


def is_whole(path: Path) -> bool:
    """Whether a file of a kind that tells its own length is all there.

    MP4, MOV and HEIF by their boxes (ISO/IEC 14496-12, section 4.2), JPEG by its EOI marker, PNG
    by its last chunk.  False for every other kind.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[4:8] == b"ftyp":
            return _boxes_are_whole(file, size)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    if head.startswith(b"\xff\xd8\xff"):
        return b"\xff\xd9" in tail
    return head.startswith(b"\x89PNG") and b"IEND\xaeB`\x82" in tail


def _boxes_are_whole(file: BinaryIO, size: int) -> bool:
    position, seen = 0, set()
    while position + 8 <= size:
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind not in _BOXES:
            break  # what follows is not of this file
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8).ljust(8, b"\xff"))
        if length < 8 or position + length > size:
            return False  # also a length of 0, "up to the end", which tells nothing
        seen.add(kind)
        position += length
    return bool(seen & {b"moov", b"meta"}) and b"mdat" in seen and size - position <= _TAIL
