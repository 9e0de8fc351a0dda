"""Zip archives at the end of a file or inside of one (APPNOTE 6.3.10, sections 4.3 and 4.4).

What a member unpacks to is bounded, whatever its sizes say.
"""

import zlib
from collections.abc import Iterator

from pipeline.carriers.window import Fields, Window, leave_out, spend

LOCAL = b"PK\x03\x04"
_END, _CENTRAL = b"PK\x05\x06", b"PK\x01\x02"
_END_SEARCHED = 22 + (1 << 16)  # bytes: the end record and its comment
_DIRECTORY = 1 << 20
_MEMBERS = 200
_MEMBER = 4 << 20  # bytes that are unpacked of a member
_ALL = 16 << 20  # bytes that are unpacked of all members
_STORED, _DEFLATED = 0, 8
_OCTETS_A_STEP = 128


def texts(window: Window) -> bytes:
    """The names of the members of an archive that ends *window*, with its comments."""
    found = _directory(window)
    return found[0] + b"\n" + found[1] if found else b""


def members(window: Window) -> Iterator[bytes]:
    """The beginning of each member of an archive that ends *window*, at most 200 of them.

    Offsets count from the first byte of the archive, which stands behind other bytes.
    """
    found = _directory(window)
    if found is None:
        return
    directory, _comment, begin = found
    fields = Fields(directory, order="little")
    left = _ALL
    for _ in range(_MEMBERS):
        start = fields.at
        if fields.take(4) != _CENTRAL or left <= 0:
            return
        fields.at = start + 20
        packed = fields.number(4)
        fields.at = start + 28
        variable = fields.number(2) + fields.number(2) + fields.number(2)
        fields.at = start + 42
        offset = fields.number(4)
        fields.at = start + 46 + variable
        data = unpacked(window.part(begin + offset), packed)
        left -= len(data)
        yield data
    leave_out()


def unpacked(member: Window, packed: int = 0) -> bytes:
    """The beginning of the member whose local header begins *member*; empty if it can't be read.

    :param packed: its packed size in bytes, if it is known.
    """
    head = Fields(member.read(0, 30), order="little")
    if head.take(4) != LOCAL:
        return b""
    head.at = 8
    method = head.number(2)
    head.at = 18
    packed = packed or head.number(4) or _MEMBER
    head.at = 26
    body = member.part(30 + head.number(2) + head.number(2))
    data = body.read(0, min(packed, _MEMBER))
    if method != _DEFLATED:
        return data if method == _STORED else b""
    try:
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _MEMBER)
    except zlib.error:
        return b""
    spend(len(data) // _OCTETS_A_STEP)
    return data


def _directory(window: Window) -> tuple[bytes, bytes, int] | None:
    """The central directory and the comment, and where the archive begins in *window*."""
    begin = max(0, window.size - _END_SEARCHED)
    tail = window.read(begin, _END_SEARCHED)
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        return None
    fields = Fields(tail, at + 12, "little")
    size, offset, comment = fields.number(4), fields.number(4), fields.number(2)
    start = begin + at - size
    if not 0 <= offset <= start or window.read(start, 4) not in (_CENTRAL, _END):
        return None
    return window.read(start, min(size, _DIRECTORY)), fields.take(comment), start - offset
