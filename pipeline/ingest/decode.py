"""Decoders of content transfer encodings (RFC 2045, section 6).

Each decoder is a generator over pieces of any size and holds at most one of them.
"""

import binascii
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain

import pybase64

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(set(range(256)) - set(_ALPHABET))
_LONGEST_LINE = 1 << 20
_LONGEST_BASE64 = 1000  # characters of a line; RFC 2045 says 76
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,%d}={0,2}\r?\n" % _LONGEST_BASE64)
_UNFINISHED = re.compile(rb"[A-Za-z0-9+/]{0,%d}={0,2}\r?" % _LONGEST_BASE64)
_PADDING = b"= \t\r\n"
_MOST_STRETCHES = 100


class Incomplete(Exception):
    """The encoded data ends too early: the mail was cut on its way."""


Decoder = Callable[[Iterable[bytes]], Iterator[bytes]]


def base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decode RFC 2045, section 6.8: other characters are skipped, ``=`` ends the data.

    Some programs encode a file in several stretches, each with its padding: the data goes on if
    the line behind the padding is one of base64.

    :raises Incomplete: the number of characters is not a multiple of four.
    """
    source = iter(pieces)
    behind = b""
    for _ in range(_MOST_STRETCHES):
        behind = yield from _stretch(chain([behind], source))
        while _UNFINISHED.fullmatch(behind) and (piece := next(source, b"")):
            behind = (behind + piece).lstrip(_PADDING)
        if not _BASE64.match(behind):
            return
    raise Incomplete


def _stretch(pieces: Iterable[bytes]) -> Generator[bytes, None, bytes]:
    """Decode base64 up to its padding; gives what follows in the same piece."""
    left = b""
    for piece in pieces:
        end = piece.find(b"=")
        cut = piece.rfind(b"\n", 0, end if end >= 0 else len(piece)) + 1
        first = piece.find(b"\n") + 1 if cut and left else 0
        data = b""
        if cut:
            try:  # nearly all lines contain whole groups of four
                broken = pybase64.b64decode(left + piece[:first])
                lines = pybase64.b64decode(memoryview(piece)[first:cut])
            except binascii.Error:
                pass
            else:
                yield from (broken, lines)
                left, data = b"", piece[cut:]
                if end < 0:
                    left = data
                    continue
        data = (data or left + piece).translate(None, _NOT_BASE64)
        end = data.find(b"=")
        if end >= 0:
            data = data[:end]
            yield _last_group(data)
            if len(data) % 4 == 1:
                raise Incomplete
            return piece[piece.find(b"=") :].lstrip(_PADDING)
        whole = len(data) - len(data) % 4
        left = data[whole:]
        if whole:
            yield binascii.a2b_base64(data[:whole])
    left = left.translate(None, _NOT_BASE64)
    yield _last_group(left)
    if len(left) % 4:
        raise Incomplete
    return b""


def _last_group(data: bytes) -> bytes:
    """Decode what is left at the end; a single character holds no whole byte."""
    data = data[: len(data) - (len(data) % 4 == 1)]
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))


def quoted_printable(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decode RFC 2045, section 6.7."""
    for lines in whole_lines(pieces, keep=2):
        yield binascii.a2b_qp(lines)


def uuencode(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decode the encoding of old Unix mail: the lines between ``begin`` and ``end``.

    :raises Incomplete: there is no ``end``.
    """
    begun = False
    for block in whole_lines(pieces):
        decoded: list[bytes] = []
        for line in block.splitlines():
            if not begun:
                begun = line.startswith(b"begin ")
            elif line.strip() == b"end":
                yield b"".join(decoded)
                return
            else:
                decoded.append(_uu_line(line))
        yield b"".join(decoded)
    raise Incomplete


def identity(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pass on 7bit, 8bit, binary, and data of an unknown encoding."""
    yield from pieces


def unix_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """End the lines of a text with a line feed only."""
    left = b""
    for piece in pieces:
        data = left + piece
        left = data[-1:] if data.endswith(b"\r") else b""
        yield data[: len(data) - len(left)].replace(b"\r\n", b"\n")
    if left:
        yield left


def sniffed(head: bytes) -> Decoder:
    """The decoder for a file whose header names no encoding, or a wrong one, by its first bytes."""
    if re.match(rb"\s*begin [0-7]{3,4} \S", head):
        return uuencode
    if re.match(rb"\s*(?:[A-Za-z0-9+/]{40,1000}\r?\n){2}", head):
        return base64
    return identity


ENCODERS: dict[str, Decoder] = {
    "base64": base64,
    "quoted-printable": quoted_printable,
    "x-uuencode": uuencode,
    "uuencode": uuencode,
    "x-uue": uuencode,
    "uue": uuencode,
}
"""The decoders by the names of Content-Transfer-Encoding that change bytes."""


def decoder(encoding: str) -> Decoder:
    """The decoder for a Content-Transfer-Encoding."""
    return ENCODERS.get(encoding, identity)


def _uu_line(line: bytes) -> bytes:
    if not line:  # a mailer put it there; binascii would give 32 zeros
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # some encoders make lines too long: the first character gives the true length
        length = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
        try:
            return binascii.a2b_uu(line[:length])
        except binascii.Error:
            return b""


def whole_lines(pieces: Iterable[bytes], keep: int = 0) -> Iterator[bytes]:
    """Cut the same bytes after line breaks.

    A line over 1 MiB is cut anywhere except after an ``=`` in its last *keep* bytes.
    """
    left = b""
    for piece in pieces:
        data = left + piece
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) > _LONGEST_LINE:
            cut = len(data)
            escape = data.find(b"=", cut - keep) if keep else -1
            cut = cut if escape < 0 else escape
        left = data[cut:]
        if cut:
            yield data[:cut]
    if left:
        yield left
