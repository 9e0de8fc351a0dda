"""What old Macs wrap around a file: AppleSingle (RFC 1740, A) and BinHex 4.0 (RFC 1741)."""

import re
import struct
from collections.abc import Iterator

import pybase64

from pipeline.errors import Refused
from pipeline.ingest.charsets import decoded
from pipeline.ingest.members import DAMAGED, Container, Member, stored
from pipeline.ingest.spool import Readable, stretch

_ENTRY = struct.Struct(">3I")  # what it is, offset, length
_DATA_FORK, _REAL_NAME = 1, 3
_MOST_ENTRIES = 100
_SIX_BITS = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64 = bytes.maketrans(_SIX_BITS, _BASE64)
_NO_DIGIT = bytes(set(range(256)) - set(_SIX_BITS))
_BEGIN = re.compile(rb"\(This file must be converted with BinHex[^\n]{0,80}\n\s*:")
_REPEAT = b"\x90"
_FIXED = 22  # bytes of the header beside the name
_LONGEST_HEADER = 1 << 16


def apple_single(archive: Container) -> list[Member]:
    """The data fork of a file.

    :raises Refused: ``corrupt``: there is none.
    """
    archive.file.seek(24)
    count = int.from_bytes(archive.file.read(2), "big")
    entries = archive.file.read(min(count, _MOST_ENTRIES) * _ENTRY.size)
    entries = entries[: len(entries) - len(entries) % _ENTRY.size]
    places = {kind: (start, size) for kind, start, size in _ENTRY.iter_unpack(entries)}
    start, size = places.get(_DATA_FORK, (0, 0))
    if not size or start + size > archive.size:
        raise Refused(DAMAGED)
    at, length = places.get(_REAL_NAME, (0, 0))
    archive.file.seek(at)
    name = decoded(archive.file.read(min(length, 255)), "mac_roman")
    archive.budget.spend(1, size, archive.size)
    return [Member(name, stored(archive.file, start, size), size)]


def binhex(archive: Container) -> list[Member]:
    """The data fork of a file.

    :raises Refused: ``corrupt``: the encoding breaks off in its header.
    """
    head = b""
    for piece in _unfolded(archive.file):
        head += piece
        if len(head) > 256 + _FIXED:
            break
    length = head[0] if head else 0
    if len(head) < length + _FIXED:
        raise Refused(DAMAGED)
    (size,) = struct.unpack(">I", head[length + 12 : length + 16])
    archive.budget.spend(1, size, archive.size)
    name = decoded(head[1 : 1 + length], "mac_roman")
    return [Member(name, lambda: _fork(archive.file, length + _FIXED, size), size)]


def _fork(file: Readable, start: int, size: int) -> Iterator[bytes]:
    """The bytes of a fork; *start*: in what the encoding holds."""
    position = 0
    for piece in _unfolded(file):
        wanted = piece[max(0, start - position) : max(0, start + size - position)]
        position += len(piece)
        if wanted:
            yield wanted
        if position >= start + size:
            return
    raise Refused(DAMAGED)


def _unfolded(file: Readable) -> Iterator[bytes]:
    """The bytes with their runs: 0x90 and a count stand for the byte before."""
    last, waits = b"", False
    for piece in _digits(file):
        first, *others = (_REPEAT + piece if waits else piece).split(_REPEAT)
        waits = bool(others) and not others[-1]
        out = [first]
        last = first[-1:] or last
        for chunk in others[: len(others) - waits]:
            # after 0x90 follows a count; an empty chunk is a count of 0x90
            count = chunk[0] if chunk else _REPEAT[0]
            out.append(last * (count - 1) if count else _REPEAT)
            out.append(chunk[1:])
            last = chunk[-1:] if len(chunk) > 1 else (last if count else _REPEAT)
        yield b"".join(out)


def _digits(file: Readable) -> Iterator[bytes]:
    """The bytes between the two colons."""
    file.seek(0)
    begin = _BEGIN.search(file.read(_LONGEST_HEADER))
    left = b""
    for piece in stretch(file, begin.end() if begin else 0):
        body, colon, _ = piece.partition(b":")
        digits = left + body.translate(None, _NO_DIGIT)
        cut = len(digits) - len(digits) % 4
        left = digits[cut:]
        yield pybase64.b64decode(digits[:cut].translate(_TO_BASE64))
        if colon:
            rest = left.translate(_TO_BASE64)
            yield pybase64.b64decode(rest + b"A" * (-len(rest) % 4))[: len(rest) * 3 // 4]
            return
