"""HTML in pieces of any size: its text, and the addresses in its tags.

At most one tag is held in memory.  The scan never goes back, so its time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape

_TAG = re.compile(r"<(!--|/?[a-zA-Z][a-zA-Z0-9:]{0,20}|[!?/])")
_LONGEST_TAG = 1 << 15
_LONGEST_ENTITY = 12
_LONGEST_END = 20
_SHORTEST = 4
_COMMENT_END, _TAG_END = re.compile("-->"), re.compile(">")
_SILENT = {
    name: re.compile(rf"</{name}[^>]{{0,10}}>", re.IGNORECASE)
    for name in ("script", "style", "title")
}
# An image of a mail is its layout; these also name what a page is made of.
_NO_LINKS = frozenset(("img", "link", "base", "body", "table", "td", "th", "html", "meta"))
# Tags at which a line ends.
_BREAKS = frozenset(
    ("br", "p", "div", "pre", "tr", "li", "td", "blockquote", "h1", "h2", "h3", "h4", "table")
)
# Tags inside of words; at all others a word ends.
_INLINE = frozenset(
    ("b", "i", "u", "s", "em", "strong", "span", "font", "wbr", "small", "big", "sub", "sup",
     "code", "mark", "tt", "kbd", "del", "ins", "abbr", "bdi", "bdo")
)  # fmt: skip
_ATTRIBUTE = re.compile(
    r"(?<![\w-])(?:href|src|data|action|originalsrc|data-saferedirecturl|xlink:href|cite)\s{0,20}="
    r"\s{0,20}(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))",
    re.IGNORECASE,
)
# With its semicolon: ``&copy=1`` in an address is not a sign.
_ENTITY = re.compile(r"&(?:#x?[0-9a-fA-F]{1,7}|[a-zA-Z]{2,8}[0-9]{0,2});")


@dataclass(frozen=True)
class MarkupPiece:
    """A stretch of text, or the address in a tag."""

    text: str
    is_address: bool = False


def pieces(source: Iterable[str]) -> Iterator[MarkupPiece]:
    """Split HTML; comments, scripts and styles are left out."""
    reader = _Reader()
    for text in source:
        yield from reader.read(text)
    yield from reader.end()


def lines(source: Iterable[str]) -> Iterator[bytes]:
    """The text of HTML in pieces, with the lines that its tags make, for files that stand in it."""
    for piece in pieces(source):
        if not piece.is_address and not _TAG.match(piece.text):  # a tag without an end
            yield piece.text.replace("\xa0", " ").encode("utf-8", "replace")


def with_entities(text: str) -> str:
    """The text with its entities replaced."""
    return _ENTITY.sub(lambda match: unescape(match[0]), text) if "&" in text else text


class _Reader:
    """Where the scan is: in text, or before the end of something that is passed over."""

    def __init__(self) -> None:
        self._left = ""
        self._until: re.Pattern[str] | None = None

    def read(self, more: str) -> Iterator[MarkupPiece]:
        """The pieces up to where more must be known."""
        raw, at = self._left + more, 0
        while at < len(raw):
            if self._until is not None:
                found = self._until.search(raw, at)
                if found is None:
                    at = max(at, len(raw) - _LONGEST_END)
                    break
                at, self._until = found.end(), None
            opening = _opening(raw, at)
            stop = opening if opening >= 0 else _before_entity(raw, at)
            if stop > at:
                yield MarkupPiece(with_entities(raw[at:stop]))
            if opening < 0:
                at = stop
                break
            if len(raw) - opening < _SHORTEST and ">" not in raw[opening:]:
                at = opening
                break
            kept, at = self._markup(raw, opening)
            yield from kept
            if at == opening and self._until is None:
                break
        self._left = raw[at:]

    def end(self) -> Iterator[MarkupPiece]:
        """What is left when nothing follows."""
        if self._until is None:
            yield MarkupPiece(with_entities(self._left))

    def _markup(self, raw: str, at: int) -> tuple[list[MarkupPiece], int]:
        """Read what begins with ``<``; *at* comes back if more must be known."""
        tag = _TAG.match(raw, at)
        if tag is None:
            return [MarkupPiece("<")], at + 1
        name = tag[1].lower()
        if name == "!--":
            self._until = _COMMENT_END
            return [], at + 2
        end = raw.find(">", at)
        if end < 0:
            self._until = _TAG_END if len(raw) - at > _LONGEST_TAG else None
            return [], at
        self._until = _SILENT.get(name)
        return list(_tag(name, raw[at:end])), end + 1


def _opening(raw: str, at: int) -> int:
    """Where the next tag begins, or may begin at the end of *raw*; -1 if nowhere.

    A lone ``<`` is text: a mail of nothing else would be millions of pieces.
    """
    tag = _TAG.search(raw, at)
    return tag.start() if tag else raw.find("<", max(at, len(raw) - _SHORTEST + 1))


def _before_entity(raw: str, at: int) -> int:
    """Where an entity begins that the end of *raw* may cut."""
    entity = raw.rfind("&", max(at, len(raw) - _LONGEST_ENTITY))
    return entity if entity >= 0 else len(raw)


def _tag(name: str, tag: str) -> Iterator[MarkupPiece]:
    if name.lstrip("/") not in _INLINE:
        yield MarkupPiece("\n" if name.lstrip("/") in _BREAKS else " ")
    if name in _NO_LINKS or "=" not in tag:
        return
    for found in _ATTRIBUTE.finditer(tag):
        value = with_entities(found[1] or found[2] or found[3] or "").strip()
        if not value[:5].lower().startswith(("data:", "cid:")):
            yield MarkupPiece(re.sub(r"\s+", "", value), is_address=True)
