"""Files that are no part of a mail but stand in one of its texts: uuencode, yEnc, base64, data:."""

from __future__ import annotations

import binascii
import re
from base64 import a85decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from pipeline.ingest import decode
from pipeline.ingest.decode import Incomplete
from pipeline.media.identify import identify_head
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_UU = re.compile(rb"begin [0-7]{3,4} (.{1,250}?)\r?\n")
_YENC = re.compile(rb"=ybegin .*?name=(.{1,250}?)\r?\n")
_YENC_PART = re.compile(rb"=ybegin (?:.{0,200} )?part=(\d{1,5})(?: .{0,40}?total=(\d{1,5}))?")
_YENC_SIZE = re.compile(rb" size=(\d{1,15})\b")
_YENC_RANGE = re.compile(rb"=ypart begin=1 end=(\d{1,15})\b")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}\r?\n?")
_HEX = re.compile(rb"[0-9A-Fa-f]{40,}\r?\n?")
_LONG_LINE = 1000  # characters; a file may be one line
_UU_LINE = re.compile(rb"M[ -`]{56,60}\r?\n")
_LAST = re.compile(rb"(?:[A-Za-z0-9+/]{4}){0,9}[A-Za-z0-9+/]{2}[A-Za-z0-9+/=]=\r?\n?")
# The last line of every third file has no padding.  A word such as "Anna" does not count.
_LAST_BARE = re.compile(rb"(?![A-Z]?[a-z]*\r?$)(?:[A-Za-z0-9+/]{4}){1,9}\r?\n?")
_DATA = re.compile(r"data:(?:image|video)/[\w.+-]{1,60};base64,([A-Za-z0-9+/\s]*)(=*)([\"')]?)")
_QUOTE = re.compile(rb"(?:> ?){0,20}")
_HINT = re.compile(
    rb"begin(?: |\xa0|\xc2\xa0|&(?:nbsp|#160|#32|#[xX][aA]0);)[0-7]{3,4}|=ybegin "
    rb"|converted with BinHex|[A-Za-z0-9+/]{56}"
)
_BARE_LINES = 20
_ENOUGH = 4  # lines in a row
_SHORTEST = 11  # bytes of a line that begins a file or an armor: "begin 644 a"
_ESCAPED = bytes((each - 106) % 256 for each in range(256))
_PLAIN = bytes((each - 42) % 256 for each in range(256))
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_PIECE = Refusal(Reason.UNSUPPORTED, Detail.PIECE_OF_A_FILE)

_ARMOR = re.compile(
    r"(?s)-----BEGIN (?!PGP SIGNED)[A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)"
)
_FILE = re.compile(
    r"(?ms)^[> ]{0,40}(?:begin [0-7]{3,4} \S[^\n]*\n(?:\r?\n){0,2}(?=[> ]{0,40}[ -`]+\r?$)"
    r"|=ybegin |"
    r"\(This file must be converted with BinHex).*?"
    r"(?:^[> ]{0,40}(?:end\r?$|=yend[^\n]*|:[^\n]*:\r?$)|\Z)"
)
# Lines of base64 (RFC 2045, section 6.8) or uuencode (POSIX), as mailers break them.
_ENCODED = re.compile(
    r"(?m)^[> ]{0,40}(?:[A-Za-z0-9+/]{56,1000}={0,2}|M[ -`]{56,60})\r?\n"
    r"(?:^[> ]{0,40}(?:[A-Za-z0-9+/]{56,1000}={0,2}|M[ -`]{56,60})(?:\r?\n|\Z))+"
    r"(?:[> ]{0,40}[!-z]{1,100}={0,2}\r?$)?(?:\n[> ]{0,40}`?\r?)?(?:\n[> ]{0,40}end\r?$)?"
)
# A long run that no language has: small and large letters and digits.
_LONG = re.compile(
    r"(?<![A-Za-z0-9+/])(?=[a-z+/]{0,200}[A-Z0-9])(?=[A-Z0-9+/]{0,200}[a-z])"
    r"(?=[A-Za-z]{0,200}[0-9+/])[A-Za-z0-9+/]{60,}={0,2}"
)
_WORD = re.compile(r"\S{60,}")
_ADDRESS = re.compile(r"(?i)://|www\.|^[\w.-]{1,100}\.[a-z]{2,20}/")


# A line of encoded bytes of any length: one word with a digit or a sign, or with capitals inside.
_REST = re.compile(
    r"[> ]{0,40}(?=\S{0,1000}[0-9+/=]|\S{1,1000}[A-Z])[A-Za-z0-9+/]{1,1000}={0,2}\r?"
)
# Signs that are not stored either; between encoded bytes they would hide a file.
_INVISIBLE = dict.fromkeys(
    each
    for each in (*range(0xA0), 0xAD, *range(0x200B, 0x2010), *range(0x2060, 0x2070), 0xFEFF)
    if not 0x20 <= each < 0x7F and chr(each) not in "\t\n\r\f"
)
# ASCII85 with the marks around it that programs write (Adobe; also Python's base64.a85encode).
_ASCII85 = re.compile(r"<~(?=[!-uz]{40})[!-uz\s]{60,}(?:~>|\Z)")
_REMOVED = "\0"  # where a file was


@dataclass(frozen=True)
class Found:
    """A file in a text; ``refusal``: only a piece of it is there."""

    name: bytes
    pieces: Iterable[bytes]
    refusal: Refusal | None = None


def words(text: str) -> str:
    """A text without the files in it, which can be decoded to what was removed."""
    text = text.translate(_INVISIBLE)
    for pattern in (_ARMOR, _FILE, _ASCII85, _ENCODED):
        text = pattern.sub(_REMOVED, text)
    text = _WORD.sub(_without_long, text)
    return _without_rests(text).replace(_REMOVED, "") if _REMOVED in text else text


def _without_long(word: re.Match[str]) -> str:
    """A word without a long run of encoded bytes; an address is left as it is."""
    return word[0] if _ADDRESS.search(word[0][:500]) else _LONG.sub(_REMOVED, word[0])


def _without_rests(text: str) -> str:
    """Remove the lines around a file that are a rest of it, such as its broken last line."""
    lines = text.split("\n")
    rests = [_REST.fullmatch(line) is not None for line in lines]
    for order in (range(len(lines)), range(len(lines) - 1, -1, -1)):
        is_beside = False
        for at in order:
            if _REMOVED in lines[at]:
                is_beside = True
            elif lines[at].strip("> \r"):
                is_beside = is_beside and rests[at]
                if is_beside:
                    lines[at] = ""
    return "\n".join(lines)


def is_hinted(data: bytes) -> bool:
    """Whether HTML may hold a file that is not a part of the mail."""
    return _HINT.search(data) is not None


def is_bare(pieces: Iterable[bytes]) -> bool:
    """Whether the lines of a file in HTML stand there without tags and entities."""
    following = _BARE_LINES
    for block in decode.whole_lines(pieces):
        if following == _BARE_LINES and not _HINT.search(block):
            continue
        for line in block.splitlines(keepends=True):
            if _YENC.fullmatch(line):
                return True
            if following < _BARE_LINES:
                if line.strip() in (b"end", b"`"):
                    return True
                if not _is_uu(line):
                    return False
                following -= 1
                if not following:
                    return True
            elif _UU.fullmatch(line):
                following -= 1
    return False


def _is_uu(line: bytes) -> bool:
    """Whether a line has as many characters as its first one says."""
    bare = line.rstrip(b"\r\n")
    size = (bare[0] - 32) & 63 if bare else 0
    return all(32 <= each <= 96 for each in bare) and len(bare) == 1 + (size + 2) // 3 * 4


def files(pieces: Iterable[bytes]) -> Iterator[Found]:
    """The files in a text, each of which must be read before the next one."""
    lines = _lines(pieces)
    run: list[bytes] = []
    in_armor = told = False
    for quoted in lines:
        if len(quoted) < _SHORTEST:  # millions of empty lines cost seconds
            if quoted.strip():  # some programs put an empty line after each line
                run = []
            continue
        quote = _QUOTE.match(quoted) if quoted[:1] == b">" else None
        line = quoted[quote.end() :] if quote else quoted
        in_armor = (in_armor or line.startswith(b"-----BEGIN ")) and b"-----END " not in line
        named = _UU.fullmatch(line) or _YENC.fullmatch(line)
        if named:
            yield _named(named[1], line, _unquoted(lines, quote[0] if quote else b""))
            run = []
        elif in_armor or not (_BASE64.fullmatch(line) or _UU_LINE.fullmatch(line)):
            run = []
        else:
            run.append(line)
            if len(run) == _ENOUGH or len(line) > _LONG_LINE:
                for found in _encoded(run, lines):
                    if found.refusal is None or not told:
                        yield found
                    told = told or found.refusal is not None
                run = []


def _named(name: bytes, line: bytes, lines: Iterator[bytes]) -> Found:
    """The file behind a line that names it."""
    if line.startswith(b"b"):
        return Found(name, _uu(lines))
    part = _YENC_PART.match(line)
    total = int(part[2] or 0) if part else 0
    if part and total > 1:
        for each in lines:
            if each.startswith(b"=yend"):
                break
        number = int(part[1])
        refusal = Refusal(
            Reason.UNSUPPORTED, Detail.FILE_IN_PARTS, {"number": number, "total": total}
        )
        return Found(name, (), refusal)
    size = _YENC_SIZE.search(line)
    return Found(name, _yenc(lines, int(size[1]) if size else -1))


def _encoded(run: list[bytes], lines: Iterator[bytes]) -> Iterator[Found]:
    """A file that begins with *run*, lines of base64, or a piece of one without its beginning."""
    if not all(_BASE64.fullmatch(line) for line in run):
        yield Found(b"", (), _PIECE)
        return
    block = chain(run, _block(lines))
    joined = b"".join(line.rstrip() for line in run)
    head = binascii.a2b_base64(joined[: len(joined) // 4 * 4])
    identity = identify_head(head)
    if identity.format is not None or identity.archive is not None:
        yield Found(b"", decode.base64(block))
    elif not _is_text(head) or all(_HEX.fullmatch(line) for line in run):
        yield Found(b"", (), identity.refusal if _is_told(identity.refusal) else _PIECE)
    for _ in block:
        continue


def _is_told(refusal: Refusal | None) -> bool:
    return refusal is not None and refusal.code is not Detail.UNKNOWN_FORMAT


def _is_text(data: bytes) -> bool:
    """Whether encoded lines are words, as in a returned mail that is shown as it was sent."""
    return data == data.translate(None, _CONTROLS)


def ascii85(text: str) -> Iterator[Found]:
    """The files that stand in a text as ASCII85."""
    for found in _ASCII85.finditer(text):
        try:
            data = a85decode(found[0].removesuffix("~>").removeprefix("<~"))
        except ValueError:
            data = b""
        is_known = identify_head(data).format is not None and found[0].endswith("~>")
        yield Found(b"", [data]) if is_known else Found(b"", (), _PIECE)


def pictures(html: str) -> Iterator[Iterable[bytes]]:
    """The bytes of each picture or film that HTML holds in an address (RFC 2397)."""
    for found in _DATA.finditer(html):
        whole = bool(found[2] or found[3])
        yield _data(found[1].encode() + found[2].encode(), whole=whole)


def _data(text: bytes, *, whole: bool) -> Iterator[bytes]:
    yield from decode.base64([text])
    if not whole:
        raise Incomplete


def _unquoted(lines: Iterator[bytes], quote: bytes) -> Iterator[bytes]:
    return (line.removeprefix(quote) for line in lines)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for block in decode.whole_lines(pieces):
        yield from block.splitlines(keepends=True)


def _uu(lines: Iterator[bytes]) -> Iterator[bytes]:
    return decode.uuencode(chain([b"begin \n"], lines))


def _yenc(lines: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Decode yEnc (yenc.org, draft 1.3): each byte plus 42, with an escape for four of them.

    :param size: of the whole file; a part that holds less is not whole.
    """
    for line in lines:
        if line.startswith(b"=yend"):
            return
        if line.startswith(b"=ypart"):
            covered = _YENC_RANGE.match(line)
            if covered is None or int(covered[1]) < size:
                break
            continue
        first, *escaped = line.rstrip(b"\r\n").split(b"=")
        yield first.translate(_PLAIN) + b"".join(
            each[:1].translate(_ESCAPED) + each[1:].translate(_PLAIN) for each in escaped
        )
    raise Incomplete


def _block(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The further lines of a block of base64; its last one is shorter."""
    empty = 0
    for quoted in lines:
        line = quoted.lstrip(b"> ")
        if not line.strip() and not empty:
            empty = 1
            continue
        empty = 0
        is_full = _BASE64.fullmatch(line)
        if is_full or _LAST.fullmatch(line) or _LAST_BARE.fullmatch(line):
            yield line
        if not is_full:
            return
