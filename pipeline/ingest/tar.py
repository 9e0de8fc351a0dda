"""tar (POSIX.1-2017, pax, "ustar Interchange Format"; GNU long names).

Headers are read one by one with a fixed size, so that no length in a file is believed.  The
standard library's tarfile reads an extended header of any size into memory.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.ingest.charsets import decoded
from pipeline.ingest.members import DAMAGED, Container, Member, refused, stored
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

BLOCK = 512
_MOST_HEADERS = 20_000
_LARGEST_HEADER = 1 << 16
_FILES = (b"0", b"\0", b"7")
_LONG_NAME, _EXTENDED, _SPARSE = b"L", b"x", b"S"
_PATH = re.compile(rb"\d{1,5} path=([^\n]{1,4096})\n")
_SIZE = re.compile(rb"\d{1,5} size=(\d{1,15})\n")


@dataclass(frozen=True)
class _Entry:
    name: bytes
    kind: bytes
    start: int
    size: int


def members(archive: Container) -> list[Member]:
    """The files of a tar, in order; what follows a header that can't be read is left out.

    :raises Refused: ``unsafe``: it holds too many, or too much.
    """
    found: list[Member] = []
    total = 0
    for entry in _entries(archive):
        name = decoded(entry.name)
        if entry.kind == _SPARSE:
            packing = Refusal(Reason.UNSUPPORTED, Detail.UNSUPPORTED_PACKING)
            found.append(refused(name, packing))
        elif entry.kind in _FILES and not name.endswith("/"):
            if entry.start + entry.size > archive.size:
                found.append(refused(name, DAMAGED))
            else:
                total += entry.size
                found.append(Member(name, stored(archive.file, entry.start, entry.size)))
    archive.budget.spend(len(found), total, archive.size)
    return found


def _entries(archive: Container) -> Iterator[_Entry]:
    position, name, size = 0, b"", -1
    for _ in range(_MOST_HEADERS):
        archive.file.seek(position)
        block = archive.file.read(BLOCK)
        length = _number(block[124:136])
        if len(block) < BLOCK or not block.strip(b"\0") or length < 0:
            return
        start = position + BLOCK
        kind = block[156:157]
        if kind in (_LONG_NAME, _EXTENDED):
            more = archive.file.read(min(length, _LARGEST_HEADER))
            path, long = _PATH.search(more), _SIZE.search(more)
            if kind == _LONG_NAME:
                name = more.split(b"\0", 1)[0]
            elif path:
                name = path[1]
            size = int(long[1]) if kind == _EXTENDED and long else size
        else:
            length = size if size >= 0 else length
            yield _Entry(name or _name(block), kind, start, length)
            name, size = b"", -1
        position = start + -(-length // BLOCK) * BLOCK


def _name(block: bytes) -> bytes:
    own = block[:100].split(b"\0", 1)[0]
    folder = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
    return folder + b"/" + own if folder else own


def _number(field: bytes) -> int:
    """A number in octal digits, or as GNU writes large ones; -1 for anything else."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[4:], "big")
    digits = field.strip(b" \0")
    return int(digits, 8) if re.fullmatch(rb"[0-7]{1,12}", digits) else -1
