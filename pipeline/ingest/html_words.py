"""The words of HTML as a plain text: with marks of what is quoted, and of what is struck out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape

STRUCK = "[struck out]"
"""Stands before a line in which the sender struck words out."""

_TAG = re.compile(r"<(!--|/?[a-zA-Z][a-zA-Z0-9]{0,20}|[!?/])")
_SILENT = ("script", "style", "title")
_CLOSING = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in _SILENT}
_BREAKS = frozenset(
    (
        *("br", "p", "div", "tr", "li", "h1", "h2", "h3", "blockquote", "pre"),
        *("/p", "/div", "/blockquote", "/pre"),
    )
)
# Elements of a table or a form stand apart from each other; all other tags stand inside of words.
_APART = frozenset(
    (
        *("td", "th", "dt", "dd", "hr", "ul", "ol", "table", "h4", "h5", "h6", "section"),
        *("option", "article", "header", "footer", "button", "center", "figure", "caption"),
    )
)
_BLANKS = re.compile(r"\s+")
_BLANKS_OF_LINES = re.compile(r"[^\S\n]{2,}|[^\S\n ]")  # two blanks may be a part of uuencode
_STRUCK_TAGS = frozenset(("s", "strike", "del"))
_STRUCK_STYLE = re.compile(r"line-through", re.IGNORECASE)
# Mail programs write what a person indents as a quote without a line beside it.
_INDENTED = re.compile(r"border(?:-width)?\s{0,9}:\s{0,9}(?:none|0)", re.IGNORECASE)
_CITED = re.compile(r"cite|quote", re.IGNORECASE)
_SIGNS = ("\x0e", "\x0f", "\x10", "\x11")  # which no HTML has: they are taken out before
_QUOTE, _INDENT, _END, _STRUCK = _SIGNS
_NO_SIGNS = dict.fromkeys(map(ord, _SIGNS))
_PIECE = re.compile(rf"([{''.join(_SIGNS)}\n])")
_DEEPEST = 5  # marks of a line


def html_text(html: str, *, keep_lines: bool = False) -> str:
    """The words of HTML, without its tags, comments, scripts and styles.

    A line in a ``<blockquote>`` begins with ``>``.  Words on both sides of an inline tag (``<b>``,
    ``<wbr>``) are one word, as a browser shows them.

    The scan never goes back, because the standard library's parser takes quadratic time on markup
    that is made to be slow.

    :param keep_lines: line breaks are kept as in ``<pre>``, so that a file in it is recognised.
    """
    html = html.translate(_NO_SIGNS)
    words: list[str] = []
    blanks = _BLANKS_OF_LINES if keep_lines else _BLANKS
    at = 0
    while True:
        opening = html.find("<", at)
        words.append(blanks.sub(" ", html[at : opening if opening >= 0 else None]))
        if opening < 0:
            break
        tag = _TAG.match(html, opening)
        name = tag.group(1).lower() if tag else ""
        if name == "!--":
            end, length = html.find("-->", opening), 3
        elif name in _SILENT:
            closing = _CLOSING[name].search(html, opening)
            end, length = (html.find(">", closing.start()), 1) if closing else (-1, 0)
        elif tag:
            end, length = html.find(">", opening), 1
        else:  # a lone character
            words.append("<")
            end, length = opening, 1
        if end < 0:
            break
        words += _between(name, html[opening:end])
        at = end + length
    text = unescape("".join(words))
    return _with_marks(text) if any(sign in text for sign in _SIGNS) else text


def _between(name: str, tag: str) -> Iterator[str]:
    """What a tag puts between the words."""
    bare = name.lstrip("/")
    if name == "/blockquote":
        yield _END
    if name in _BREAKS:
        yield "\n"
    elif bare in _APART:
        yield " "
    if name == "blockquote":
        is_indent = _INDENTED.search(tag) and not _CITED.search(tag, len(name) + 1)
        yield _INDENT if is_indent else _QUOTE
    if name in _STRUCK_TAGS or (bare == name and name[:1].isalpha() and _STRUCK_STYLE.search(tag)):
        yield _STRUCK


def _with_marks(text: str) -> str:
    """Write ``>`` before each line of a quote, and :data:`STRUCK` before one with struck words.

    A quote counts only if the HTML says where it ends.  A mark is at the beginning of a line only:
    inside of a line it would part the digits of a place that has to be masked.
    """
    pieces = _PIECE.split(text)
    ended = _ended(pieces)
    written: list[str] = []
    line: list[str] = []
    depth = depth_of_line = 0
    for at, piece in enumerate((*pieces, "\n")):
        if piece == "\n":
            marks = "> " * min(depth_of_line, _DEEPEST) if any(map(str.strip, line)) else ""
            struck = f"{STRUCK} " if _STRUCK in line else ""
            written.append(f"{marks}{struck}{''.join(line).replace(_STRUCK, '')}")
            line, depth_of_line = [], depth
        elif piece in _SIGNS:
            depth += ended.get(at, 0)
            line += [piece] * (piece == _STRUCK)
        elif piece:
            depth_of_line = depth if not line else depth_of_line
            line.append(piece)
    return "\n".join(written)


def _ended(pieces: Sequence[str]) -> dict[int, int]:
    """By how much the signs of quotes with an end change the depth, by their place."""
    opened: list[int] = []
    ended: dict[int, int] = {}
    for at, piece in enumerate(pieces):
        if piece in (_QUOTE, _INDENT):
            opened.append(at)
        elif piece == _END and opened:
            begin = opened.pop()
            ended[begin] = 1 if pieces[begin] == _QUOTE else 0
            ended[at] = -ended[begin]
    return ended
