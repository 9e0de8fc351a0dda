"""The parts of a mail, as places in its file (RFC 2045, RFC 2046).

One pass over the bytes keeps a stack of the open boundaries.  No part's body is held in memory, so
a mail may have any size.  Any bytes give a tree: missing end boundaries, missing blank lines,
boundaries that begin alike and mails that are cut are common.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipeline.ingest import headers
from pipeline.ingest.headers import Headers
from pipeline.ingest.spool import Readable

MAX_PARTS = 1000
MAX_DEPTH = 60
_CHUNK = 1 << 18
_LONGEST_LINE = 1 << 16
_LONGEST_HEADER = 1 << 20
_LOOK_AHEAD = 20  # lines
# What qmail, sendmail and Exim write between a report and the mail that came back.
_COPY = re.compile(
    rb"-{3,} (?:Below this line is a copy of the message|Unsent message below"
    rb"|This is a copy of (?:the|your) message[^\n]{0,60}?)[ .:]*-{0,10}\s*$"
)
_LONGEST_BOUNDARY = 1000  # RFC 2046 says 70; nobody checks


@dataclass(frozen=True)
class Part:
    """A node of the mail: its body is from ``start`` to before ``end``.

    ``broken_off``: the mail, or a multipart around it, ended before the boundary that closes this
    leaf.
    ``opaque``: a composite that was not split, because it is nested too deep.
    """

    headers: Headers
    content_type: str
    start: int
    end: int
    broken_off: bool = False
    opaque: bool = False
    children: tuple[Part, ...] = ()

    def walk(self, above: tuple[Part, ...] = ()) -> Iterator[tuple[Part, tuple[Part, ...]]]:
        """Each leaf in order, with the composites around it, outermost first."""
        if not self.children:
            yield self, above
        for child in self.children:
            yield from child.walk((*above, self))


@dataclass(frozen=True)
class Mail:
    """A mail that was split.  ``overflow``: it has more than MAX_PARTS, and the rest is missing."""

    file: Readable
    root: Part
    overflow: bool


@dataclass
class _Node:
    headers: Headers
    content_type: str
    start: int
    end: int = -1
    broken_off: bool = False
    opaque: bool = False
    children: list[_Node] = field(default_factory=list)

    def frozen(self) -> Part:
        children = tuple(child.frozen() for child in self.children)
        return Part(self.headers, self.content_type, self.start, self.end,
                    self.broken_off, self.opaque, children)  # fmt: skip


@dataclass
class _Open:
    """A composite that is not finished: a multipart has a boundary, a mail in a mail has none."""

    node: _Node
    boundary: bytes | None
    closed: bool = False  # its end boundary was seen; the epilogue follows

    @property
    def goes_on(self) -> bool:
        """Whether one of its boundaries may follow."""
        return self.boundary is not None and not self.closed


def _ends_in_mail(inner: list[_Open]) -> bool:
    """Whether composites that are closed from outside end in a mail whose own end never came.

    Many mailers forget the end of an inner multipart, so that one alone says nothing.
    """
    mails = [at for at, opened in enumerate(inner) if opened.boundary is None]
    return bool(mails) and any(opened.goes_on for opened in inner[mails[0] :])


class _Reader:
    """Reads lines of a file and searches in it, with bounded memory."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        self._base, self._data = 0, b""

    def at(self, position: int, length: int) -> bytes:
        """The *length* bytes from *position*, fewer if the file ends."""
        offset = position - self._base
        if offset < 0 or offset + length > len(self._data):
            self._file.seek(position)
            self._base, self._data = position, self._file.read(_CHUNK + length)
            offset = 0
        return self._data[offset : offset + length]

    def line(self, position: int) -> bytes:
        """The line at *position* with its line break, at most 64 KiB of it."""
        data = self.at(position, 1024)
        cut = data.find(b"\n")
        if cut < 0 and len(data) == 1024:
            data = self.at(position, _LONGEST_LINE)
            cut = data.find(b"\n")
        return data if cut < 0 else data[: cut + 1]

    def dashes(self, position: int) -> int:
        """The start of the next line that begins with two dashes; the size if there is none.

        :param position: the start of a line.
        """
        if self.at(position, 2) == b"--":
            return position
        while position < self.size:
            self.at(position, 3)
            # a search for one character is several times faster, and base64 has no dash
            dash = self._data.find(b"-", position - self._base)
            found = self._data.find(b"\n--", position - self._base) if dash >= 0 else -1
            if found >= 0:
                return self._base + found + 1
            reached = self._base + len(self._data)
            if reached >= self.size:
                break
            position = max(reached - 2, position + 1)
        return self.size


def split(file: Readable) -> Mail:
    """Find the parts of the mail in a file.

    :raises OSError: the file can't be read; no content raises anything.
    """
    root, overflow = _Splitter(_Reader(file)).run()
    charset = _charset(root)
    return Mail(file, _in_charset(root, charset) if charset else root, overflow)


def _charset(root: Part) -> str:
    """The charset that the first text of a mail names."""
    named = (
        leaf.headers.parameter("content-type", "charset")
        for leaf, _above in root.walk()
        if leaf.content_type.startswith("text/")
    )
    return next(filter(None, named), "")


def _in_charset(part: Part, charset: str) -> Part:
    """Read names and subjects in raw bytes by the charset of the text."""
    children = tuple(_in_charset(child, charset) for child in part.children)
    fields = part.headers.in_charset(charset) if part.headers.unclear else part.headers
    return replace(part, headers=fields, children=children)


class _Splitter:
    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._stack: list[_Open] = []
        self._leaf: _Node | None = None
        self._parts = 0
        self._overflow = False

    def run(self) -> tuple[Part, bool]:
        root, position = self._entity(self._skip_envelope(), "text/plain", of_mail=True)
        while not self._overflow:
            position = self._reader.dashes(position)
            if position >= self._reader.size:
                break
            line = self._reader.line(position)
            found = self._delimiter(line) or self._added(line, position + len(line))
            if found is None:
                if not self._stack and _COPY.match(line):
                    position = self._returned(position, position + len(line))
                    continue
                position += len(line)
                if not line.endswith(b"\n"):
                    position = self._line_end(position)
                continue
            level, closes = found
            self._close(level, self._before_break(position))
            position += len(line)
            if closes:
                self._stack[level].closed = True
            else:
                position = self._child(self._stack[level], position)
        self._finish(self._reader.size)
        return root.frozen(), self._overflow

    def _child(self, parent: _Open, position: int) -> int:
        if self._parts >= MAX_PARTS:
            self._overflow = True
            return position
        digest = parent.node.content_type == "multipart/digest"
        node, position = self._entity(position, "message/rfc822" if digest else "text/plain")
        parent.node.children.append(node)
        return position

    def _returned(self, position: int, following: int) -> int:
        """Split a report without parts from the mail below it, which begins at *following*."""
        while self._reader.line(following) in (b"\n", b"\r\n"):
            following += len(self._reader.line(following))
        report = self._leaf
        if report is None or not headers.is_known(self._reader.line(following), of_mail=True):
            return following
        words = replace(report, end=max(self._before_break(position), report.start))
        copy = _Node(Headers(), "message/rfc822", following)
        report.content_type, report.children = "multipart/mixed", [words, copy]
        self._stack += [_Open(report, None), _Open(copy, None)]
        inner, following = self._entity(following, "text/plain", of_mail=True)
        copy.children.append(inner)
        return following

    def _entity(self, position: int, default: str, *, of_mail: bool = False) -> tuple[_Node, int]:
        """Read a header block; put a composite on the stack, open a leaf."""
        self._parts += 1
        # in a digest a mail follows the blank line, and its fields are not those of the part
        block, start = self._header_block(position, of_mail, blank_ends=default != "text/plain")
        fields = headers.parse(block)
        kind = fields.content_type if fields.get("content-type") else default
        boundary = fields.parameter("content-type", "boundary").encode("utf-8", "replace")
        if not boundary and (of_mail or kind.startswith("multipart/")):
            boundary = self._first_boundary(start)
            kind = "multipart/mixed" if boundary and kind == "text/plain" else kind
        elif (
            boundary
            and not kind.startswith(("multipart/", "message/"))
            and self._begins_with(start, b"--" + boundary.rstrip())
        ):
            kind = "multipart/mixed"  # whatever its type says
        node = _Node(fields, kind, start)
        multipart = kind.startswith("multipart/") and 0 < len(boundary) <= _LONGEST_BOUNDARY
        message = kind in ("message/rfc822", "message/global") and fields.encoding in (
            "7bit", "8bit", "binary"
        )  # fmt: skip
        if (multipart or message) and len(self._stack) >= MAX_DEPTH:
            node.opaque = True
        elif multipart:
            self._stack.append(_Open(node, boundary.rstrip()))
            self._leaf = None
            return node, start
        elif message:
            self._stack.append(_Open(node, None))
            inner, start = self._entity(start, "text/plain", of_mail=True)
            node.children.append(inner)
            return node, start
        self._leaf = node
        return node, start

    def _header_block(self, position: int, of_mail: bool, *, blank_ends: bool) -> tuple[bytes, int]:
        """The header lines at *position*, and the start of the body.

        A blank line before the type, and a line that is not a field, do not end the header if
        fields follow that say how to read the rest.
        """
        lines: list[bytes] = []
        length, is_typed = 0, blank_ends
        while position < self._reader.size and length < _LONGEST_HEADER:
            line = self._reader.line(position)
            following = position + len(line)
            if line in (b"\n", b"\r\n"):
                if is_typed or not self._field_follows(following, of_mail and not lines, near=True):
                    return b"".join(lines), following
            elif not headers.is_field(line) or (not lines and line[:1] in b" \t"):
                if not self._field_follows(following, of_mail):
                    break  # no blank line before the body, or before the next boundary
            else:
                is_typed = is_typed or line[:13].lower() == b"content-type:"
                lines.append(line if line.endswith(b"\n") else line + b"\n")
            length += len(line)
            position = following
            if not line.endswith(b"\n"):
                position = self._line_end(position)
        return b"".join(lines), position

    def _field_follows(self, position: int, of_mail: bool, *, near: bool = False) -> bool:
        """Whether a known field comes before the next blank line, or *near*: after blank lines."""
        for _ in range(_LOOK_AHEAD):
            line = self._reader.line(position)
            if headers.is_known(line, of_mail=of_mail):
                return True
            if not line or line.startswith(b"--") or bool(line.strip()) == near:
                return False
            position += len(line)
        return False

    def _first_boundary(self, position: int) -> bytes:
        """The boundary with which a body begins whose header names none; empty if it has none."""
        for _ in range(_LOOK_AHEAD):
            line = self._reader.line(position)
            position += len(line)
            if line.startswith(b"--") and len(line.strip()) > 2 and not self._delimiter(line):
                following = self._reader.line(position)
                return line[2:].strip() if headers.is_known(following, of_mail=False) else b""
            if not line or line.strip():
                break
        return b""

    def _begins_with(self, position: int, delimiter: bytes) -> bool:
        """Whether a body begins with a delimiter and a field, maybe after a few lines of words."""
        for _ in range(_LOOK_AHEAD):
            line = self._reader.line(position)
            position += len(line)
            if line.rstrip() == delimiter:
                return headers.is_known(self._reader.line(position), of_mail=False)
            if not line or len(line) == _LONGEST_LINE:
                break
        return False

    def _skip_envelope(self) -> int:
        """The offset after a byte order mark, blank lines, and what mailbox files put first."""
        position = 3 if self._reader.at(0, 3) == b"\xef\xbb\xbf" else 0
        for _ in range(_LOOK_AHEAD):
            line = self._reader.line(position)
            if not line.startswith((b"From ", b">From ")) and (line.strip() or not line):
                break
            position += len(line)
        return position

    def _line_end(self, position: int) -> int:
        """The start of the line after *position*."""
        while position < self._reader.size:
            line = self._reader.line(position)
            position += len(line)
            if line.endswith(b"\n"):
                break
        return position

    def _delimiter(self, line: bytes) -> tuple[int, bool] | None:
        """The level of the boundary that a line is (RFC 2046, 5.1.1), and whether it closes."""
        text = line.rstrip(b" \t\r\n")
        for level in range(len(self._stack) - 1, -1, -1):
            boundary = self._stack[level].boundary
            if boundary is None or self._stack[level].closed:
                continue
            if text == b"--" + boundary:
                return level, False
            if text == b"--" + boundary + b"--":
                return level, True
        return None

    def _added(self, line: bytes, following: int) -> tuple[int, bool] | None:
        """The level of a multipart to whose end some mailer added a part, with its fields."""
        text = line.rstrip(b" \t\r\n")[2:]
        for level in range(len(self._stack) - 1, -1, -1):
            if text and text == self._stack[level].boundary:
                is_part = headers.is_known(self._reader.line(following), of_mail=False)
                return (level, False) if is_part else None
        return None

    def _before_break(self, position: int) -> int:
        """The offset before the line break at *position*, which belongs to the delimiter."""
        before = self._reader.at(max(0, position - 2), min(2, position))
        if before.endswith(b"\r\n"):
            return position - 2
        return position - 1 if before.endswith(b"\n") else position

    def _close(self, level: int, end: int) -> None:
        """End everything inside the multipart at *level*."""
        if self._leaf is not None:
            self._leaf.end = max(end, self._leaf.start)
            self._leaf.broken_off = _ends_in_mail(self._stack[level + 1 :])
            self._leaf = None
        for inner in self._stack[level + 1 :]:
            inner.node.end = max(end, inner.node.start)
        del self._stack[level + 1 :]

    def _finish(self, end: int) -> None:
        if self._leaf is not None:
            self._leaf.end = max(end, self._leaf.start)
            self._leaf.broken_off = any(opened.goes_on for opened in self._stack)
        for level in self._stack:
            level.node.end = max(end, level.node.start)
