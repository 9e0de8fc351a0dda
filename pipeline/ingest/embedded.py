"""Files that are no part of a mail but stand in one of its texts: uuencode, yEnc, base64, data:."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from pipeline.ingest import decode
from pipeline.ingest.decode import Incomplete
from pipeline.media.identify import identify_head

_UU = re.compile(rb"begin [0-7]{3,4} (.{1,250}?)\r?\n")
_YENC = re.compile(rb"=ybegin .*?name=(.{1,250}?)\r?\n")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,1000}={0,2}\r?\n")
_LAST = re.compile(rb"(?:[A-Za-z0-9+/]{4}){0,9}[A-Za-z0-9+/]{2}[A-Za-z0-9+/=]=\r?\n?")
_DATA = re.compile(r"data:(?:image|video)/[\w.+-]{1,60};base64,([A-Za-z0-9+/\s]*)(=*)([\"')]?)")
_ENOUGH = 4  # lines in a row
_ESCAPED = bytes((each - 106) % 256 for each in range(256))
_PLAIN = bytes((each - 42) % 256 for each in range(256))

_FILE = re.compile(
    r"(?ms)^(?:begin [0-7]{3,4} \S[^\n]*\n(?=[ -`]+\r?$)|=ybegin ).*?"
    r"(?:^(?:end\r?$|=yend[^\n]*)|\Z)"
)
# Four lines or more of base64 (RFC 2045, section 6.8) or uuencode (POSIX), as mailers break them.
_ENCODED = re.compile(
    r"(?m)^(?:(?:[A-Za-z0-9+/]{56,100}={0,2}|M[ -`]{60})\r?\n){4,}(?:[!-z]{1,100}={0,2}\r?$)?"
)


def words(text: str) -> str:
    """A text without the files in it, which can be decoded to what was removed."""
    return _ENCODED.sub("", _FILE.sub("", text))


def files(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, Iterable[bytes]]]:
    """The files in a text, each as name and bytes, which must be read before the next one."""
    lines = _lines(pieces)
    run: list[bytes] = []
    for line in lines:
        named = _UU.fullmatch(line) or _YENC.fullmatch(line)
        if named:
            yield named[1], (_uu(lines) if line.startswith(b"b") else _yenc(lines))
        elif not _BASE64.fullmatch(line):
            run = []
            continue
        run.append(line)
        if len(run) == _ENOUGH:
            block = chain(run, _block(lines))
            head = b"".join(line.rstrip() for line in run)
            if identify_head(binascii.a2b_base64(head[: len(head) // 4 * 4])).format is not None:
                yield b"", decode.base64(block)
            for _ in block:
                continue
            run = []


def pictures(html: str) -> Iterator[Iterable[bytes]]:
    """The bytes of each picture or film that HTML holds in an address (RFC 2397)."""
    for found in _DATA.finditer(html):
        whole = bool(found[2] or found[3])
        yield _data(found[1].encode() + found[2].encode(), whole=whole)


def _data(text: bytes, *, whole: bool) -> Iterator[bytes]:
    yield from decode.base64([text])
    if not whole:
        raise Incomplete


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for block in decode.whole_lines(pieces):
        yield from block.splitlines(keepends=True)


def _uu(lines: Iterator[bytes]) -> Iterator[bytes]:
    return decode.uuencode(chain([b"begin \n"], lines))


def _yenc(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Decode yEnc (yenc.org, draft 1.3): each byte plus 42, with an escape for four of them."""
    for line in lines:
        if line.startswith(b"=yend"):
            return
        if line.startswith(b"=ypart"):
            break  # one of several parts
        first, *escaped = line.rstrip(b"\r\n").split(b"=")
        yield first.translate(_PLAIN) + b"".join(
            each[:1].translate(_ESCAPED) + each[1:].translate(_PLAIN) for each in escaped
        )
    raise Incomplete


def _block(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The further lines of a block of base64; its last one is shorter."""
    for line in lines:
        is_full = _BASE64.fullmatch(line)
        if is_full or _LAST.fullmatch(line):
            yield line
        if not is_full:
            return
