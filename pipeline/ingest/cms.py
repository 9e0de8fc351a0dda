"""S/MIME: the mail in a signed one that is not readable as it is (RFC 8551, 3.5.2; RFC 5652, 5).

The structure is walked in BER with seeks (X.690, section 8), and the content is passed on in
pieces.  Nothing is verified: the mail is read as if it were not signed.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.errors import Refused
from pipeline.ingest.contents import SIGNED
from pipeline.ingest.members import Container, Content, Member
from pipeline.ingest.spool import Readable, stretch

_SEQUENCE, _OID, _EXPLICIT, _OCTETS, _PIECES = 0x30, 0x06, 0xA0, 0x04, 0x24
_LONGEST_HEADER = 10
_MOST_PIECES = 1 << 22  # openssl cuts a content into pieces of 1,000 bytes or more


class _Element(NamedTuple):
    tag: int
    start: int
    end: int  # of the file, where the length is not given


def members(archive: Container) -> list[Member]:
    """The mail in a signed mail.

    :raises Refused: it holds none, or can't be read.
    """
    content = _content(archive.file, archive.size)
    archive.budget.spend(1, archive.size, archive.size)
    return [Member("", lambda: _octets(archive.file, content), content=Content.MAIL)]


def _content(file: Readable, size: int) -> _Element:
    """Walk to the eContent of SignedData (RFC 5652, section 5.1)."""
    outer = _expect(file, 0, size, _SEQUENCE)
    kind = _expect(file, outer.start, outer.end, _OID)
    explicit = _expect(file, kind.end, outer.end, _EXPLICIT)
    signed = _expect(file, explicit.start, explicit.end, _SEQUENCE)
    version = _expect(file, signed.start, signed.end, 0x02)
    algorithms = _expect(file, version.end, signed.end, 0x31)
    if algorithms.end >= size:
        raise Refused(SIGNED)
    inner = _expect(file, algorithms.end, signed.end, _SEQUENCE)
    inner_kind = _expect(file, inner.start, inner.end, _OID)
    if inner_kind.end >= inner.end:
        raise Refused(SIGNED)
    wrapped = _expect(file, inner_kind.end, inner.end, _EXPLICIT)
    return _element(file, wrapped.start, wrapped.end)


def _octets(file: Readable, content: _Element) -> Iterator[bytes]:
    """The bytes of an OCTET STRING, whole or in pieces (X.690, section 8.7)."""
    if content.tag == _OCTETS:
        yield from stretch(file, content.start, content.end)
        return
    if content.tag != _PIECES:
        raise Refused(SIGNED)
    position = content.start
    for _ in range(_MOST_PIECES):
        if position >= content.end:
            return
        piece = _element(file, position, content.end)
        if piece.tag == 0:  # the end of contents
            return
        if piece.tag != _OCTETS:
            break
        yield from stretch(file, piece.start, piece.end)
        position = piece.end
    raise Refused(SIGNED)


def _expect(file: Readable, position: int, end: int, tag: int) -> _Element:
    found = _element(file, position, end)
    if found.tag != tag:
        raise Refused(SIGNED)
    return found


def _element(file: Readable, position: int, end: int) -> _Element:
    file.seek(position)
    head = file.read(_LONGEST_HEADER)
    if len(head) < 2:
        raise Refused(SIGNED)
    length, start = head[1], position + 2
    if length == 0x80:
        return _Element(head[0], start, end)
    if length > 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(head[2 : 2 + count], "big"), start + count
    if start + length > end:
        raise Refused(SIGNED)
    return _Element(head[0], start, start + length)
