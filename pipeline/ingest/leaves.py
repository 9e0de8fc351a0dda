"""The leaves of a mail: the role of each, its bytes, its words, and the files in its text."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from pipeline.ingest import contents, embedded, markup
from pipeline.ingest.charsets import decoded, stream
from pipeline.ingest.contents import Role
from pipeline.ingest.decode import (
    ENCODERS,
    Incomplete,
    base64,
    decoder,
    identity,
    quoted_printable,
    sniffed,
    unix_lines,
    uuencode,
)
from pipeline.ingest.html_words import html_text
from pipeline.ingest.mime import Part
from pipeline.ingest.rows import Incoming, Rows
from pipeline.ingest.spool import Readable, stretch

_LINES = (identity, quoted_printable)  # decoders that keep the lines of a text
_UUENCODED = ("application/x-uuencode", "application/uuencode", "application/x-uue")
_LONGEST_HTML = 8 << 20  # that is searched for pictures, in bytes
_DATA = re.compile(rb"data:(?:image|video)/[\w.+-]{1,60};base64,")
_EMPTY_LINES = re.compile(r"\n\s*\n")  # a tag and a line break beside each other
_LAST = 20  # characters of the end of a text that are compared
_TAIL = 200
_BLANK = 100  # bytes that tell whether a part is empty


@dataclass(frozen=True)
class Leaf:
    """A leaf of the mail in ``file``; ``is_shown``: an HTML part shows it by its Content-ID."""

    part: Part
    above: tuple[Part, ...]
    file: Readable
    is_shown: bool = False


def role(part: Part, file: Readable) -> Role:
    """The role of a leaf, by its header and by its bytes."""
    declared = contents.role(part)
    if declared is Role.LOST or part.end == part.start:
        return declared
    return contents.role_of_bytes(part, declared, head(part, file))


def is_emptied(part: Part, file: Readable, role: Role) -> bool:
    """Whether a leaf names a file whose bytes were taken out of the mail."""
    return contents.emptied(part, role, head(part, file, _BLANK))


def take_embedded(part: Part, file: Readable, rows: Rows, role: Role) -> None:
    """Take in the files that stand in a text."""
    first = head(part, file)
    if b"-----BEGIN PGP MESSAGE-----" in first:
        rows.missing("mail", contents.ENCRYPTED)
    if role is Role.TEXT and not _DATA.search(first):
        if contents.says_taken_out(decoded(first)):
            rows.missing("mail", contents.TAKEN_OUT)
        if b"(This file must be converted with BinHex" in first:
            rows.file(Incoming("", body(part, file)))
        _take_files(body(part, file), rows)
        if b"<~" in first:
            _take_found(embedded.ascii85(decoded(head(part, file, _LONGEST_HTML))), rows)
    else:
        for pieces in embedded.pictures(decoded(head(part, file, _LONGEST_HTML))):
            if rows.is_full:
                break
            rows.file(Incoming("", pieces))
        if role is Role.HTML and (len(first) == contents.TEXT_READ or embedded.is_hinted(first)):
            _take_files(_html_lines(part, file), rows)


def _html_lines(part: Part, file: Readable) -> Iterator[bytes]:
    """The lines of HTML as they are, if a file in it was written without tags, or without them."""
    with suppress(Incomplete):
        if embedded.is_bare(body(part, file)):
            return body(part, file)
    return markup.lines(all_text(part, file))


def _take_files(lines: Iterator[bytes], rows: Rows) -> None:
    with suppress(Incomplete):  # which is said of the part
        _take_found(embedded.files(lines), rows)


def _take_found(files: Iterator[embedded.Found], rows: Rows) -> None:
    for found in files:
        if rows.is_full:
            break
        if found.refusal is not None:
            rows.missing(decoded(found.name), found.refusal)
        else:
            rows.file(Incoming(decoded(found.name), found.pieces))


def head(part: Part, file: Readable, size: int = contents.TEXT_READ) -> bytes:
    """The first bytes of a leaf, decoded."""
    data = b""
    try:
        for piece in body(part, file):
            data += piece
            if len(data) >= size:
                break
    except Incomplete:
        pass
    return data[:size]


def body(part: Part, file: Readable) -> Iterator[bytes]:
    """Decode the bytes of a leaf.

    :raises Incomplete: the mail or the part ends too early.
    """
    pieces = _Counted(stretch(file, part.start, part.end))
    all_pieces = iter(pieces)
    first = next(all_pieces, b"")
    encoding = part.headers.encoding
    is_text = part.content_type.startswith("text/")
    is_plain = encoding not in ENCODERS
    decode = sniffed(first) if is_plain and not is_text else decoder(encoding)
    if is_plain and part.content_type in _UUENCODED:
        decode = uuencode
    decoded_pieces = decode(chain([first], all_pieces))
    # any program on the way may change line ends, but one file must have one SHA-256
    has_lines = is_text and encoding in ("8bit", "quoted-printable")
    has_lines = has_lines or (encoding == "7bit" and first.isascii() and b"\0" not in first)
    yield from unix_lines(decoded_pieces) if has_lines and decode in _LINES else decoded_pieces
    # base64 that ends with its own mark is whole, even if the mail is not
    if part.broken_off and pieces.exhausted and not (decode is base64 and pieces.is_marked):
        raise Incomplete


class _Counted:
    """Passes pieces on; ``exhausted`` says whether the last one was reached."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._tail = b""
        self.exhausted = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._tail = piece[-_TAIL:]
            yield piece
        self.exhausted = True

    @property
    def is_marked(self) -> bool:
        """Whether the last piece ends with the padding of base64, and at most a line behind it."""
        return re.search(rb"=\s*(?:--[^\n]*)?\Z", self._tail) is not None


def text(part: Part, file: Readable) -> tuple[str, bool]:
    """The first 256 KiB of a text part, with the files in it, and whether that is not all."""
    data = head(part, file, contents.TEXT_READ + 1)
    charset = part.headers.parameter("content-type", "charset")
    return decoded(data[: contents.TEXT_READ], charset), len(data) > contents.TEXT_READ


def words(text: str, role: Role) -> tuple[str, bool]:
    """The words of a text without the files in it, and whether a file goes on at its end."""
    if role is not Role.HTML:
        cleaned = embedded.words(text)
        return cleaned, _ends_in_file(text, cleaned)
    if embedded.is_bare([text.encode("utf-8", "replace")]):
        text = embedded.words(text)
    shown = html_text(text)
    if not embedded.is_hinted(text.encode("utf-8", "replace")):
        return shown, False
    by_line = html_text(text, keep_lines=True).replace("\xa0", " ")
    by_line = _EMPTY_LINES.sub("\n", by_line)
    cleaned = embedded.words(by_line)
    return (shown, False) if cleaned == by_line else (cleaned, _ends_in_file(by_line, cleaned))


def _ends_in_file(text: str, cleaned: str) -> bool:
    return not cleaned.rstrip().endswith(text[-_LAST:].strip())


def all_text(part: Part, file: Readable) -> Iterator[str]:
    """A text part of any size in pieces."""
    with suppress(Incomplete):  # which is said of the part
        charset = part.headers.parameter("content-type", "charset")
        yield from stream(body(part, file), charset)
