"""The addresses in a mail at which files lie.

They are kept for people, who fetch what is there themselves; the program never does.  A text is
scanned in pieces: memory is bounded, and time is linear, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from pipeline import places, wording
from pipeline.ingest import hosting, markup, redirects
from pipeline.ingest.headers import Headers

MOST = 50  # of a mail
LONGEST = 2000  # characters of one
_LONGEST_READ = 4000
_BUDGET = 1 << 20  # characters of addresses that are looked at for one mail
_OVERLAP = 3 * _LONGEST_READ
_WINDOW = 1 << 16
_ROUNDS = 4
_STOP = '\\s<>"“”«»„…\u3000-\u9fff\uac00-\ud7a3\uff00-\uffef'
_COLON, _SLASH = "(?::|%(?:25){0,3}3a)", "(?:/|%(?:25){0,3}2f)"
_ADDRESS = re.compile(
    rf"(?:h(?:tt|xx)ps?|ftp){_COLON}{_SLASH}{{2}}[^{_STOP}]{{1,{_LONGEST_READ}}}"
    r"|(?<![A-Za-z0-9_@.\\/-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
    rf"[A-Za-z]{{2,24}}(?::\d{{1,5}})?/[^{_STOP}]{{1,{_LONGEST_READ}}}",
    re.IGNORECASE,
)
# What every address has; a search for single signs is many times faster.
_ANCHOR = re.compile(r"://|%(?:25){0,3}3a%|\.[a-z]{2,24}(?::\d{1,5})?/", re.IGNORECASE)
_SCHEME_BEFORE = re.compile(r"(?:h(?:tt|xx)ps?|ftp)\Z", re.IGNORECASE)
_HOST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
_LONGEST_HOST = 260
_HAS_SCHEME = re.compile(rf"(?:h(?:tt|xx)ps?|ftp){_COLON}{_SLASH}{{2}}", re.IGNORECASE)
_ENCLOSED = re.compile(r"(?:[^<>\"\s]{1,2000}|[ \t]?\r?\n[>| \t]{0,8}){0,60}>")
_BREAK = re.compile(r"=?[ \t]?\r?\n[>| \t]{0,8}")
_NEXT = re.compile(rf"[^{_STOP}]{{1,{_LONGEST_READ}}}")
_GOES_ON = re.compile(r"[/%=&?_~#]|(?=.{8,})(?=.*\d)(?=.*[A-Za-z])")
_FOLDED_AT = 58  # mail programs fold lines that are longer
_MOST_FOLDS = 60
_TRAILING = ".,;:!?'*|`´’‘"


class Links:
    """Collects the links of a mail: each once, in order, masked of places."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}
        self._short: dict[str, None] = {}
        self._seen: set[str] = set()
        self._budget = _BUDGET

    @property
    def addresses(self) -> tuple[str, ...]:
        """What was found."""
        return tuple(self._found)

    def read(self, pieces: Iterable[str], *, html: bool = False) -> None:
        """Scan a text that comes in pieces."""
        for found in _of_html(pieces) if html else _of_text(pieces):
            self.add(found)

    def add(self, text: str) -> None:
        """Take an address that leads to a place for files, or to another one that does."""
        if len(self._found) >= MOST or text in self._seen or self._budget < len(text):
            return
        self._seen.add(text)
        self._budget -= len(text)
        place = redirects.place_of(_decoded(text))
        if place:
            self._keep(place)
        elif len(self._short) < MOST and (short := redirects.short_of(_decoded(text))):
            self._short[short] = None

    def keep_short(self, lines: Iterable[str] | None = None) -> None:
        """Take the short links, of which nobody can see where they lead.

        :param lines: only those that stand in one of these lines.
        """
        text = None if lines is None else "\n".join(lines)
        for address in self._short:
            if len(self._found) < MOST and (text is None or address.partition("://")[2] in text):
                self._keep(address)

    def add_known(self, text: str) -> None:
        """Take the address of a file, whatever it looks like."""
        if text and len(self._found) < MOST:
            address = None if text.startswith("mailto:") else hosting.parse(text)
            self._keep(redirects.place_of(text) or str(address or text))

    def _keep(self, address: str) -> None:
        kept = wording.storable(address.strip(), LONGEST)
        if kept == places.MASK and (parsed := hosting.parse(address)):
            kept = f"{parsed.scheme}://{parsed.host}/{places.MASK}"
        self._found[kept] = None


def elsewhere(fields: Headers) -> str:
    """Where the bytes of a message/external-body are (RFC 2046, 5.2.3; RFC 2017); empty if unsaid.

    A long address may be broken by blanks.
    """

    def value(name: str) -> str:
        return re.sub(r"\s+", "", fields.parameter("content-type", name))

    if value("url"):
        return value("url")
    path = "/".join(filter(None, (value("directory").strip("/"), value("name"))))
    if value("site"):
        return f"ftp://{value('site')}/{path}"
    return f"mailto:{value('server')}" if value("server") else path


def _of_html(pieces: Iterable[str]) -> Iterator[str]:
    """Addresses in tags, and then those that stand in the text."""
    scanner = _Scanner(folded=False)
    for piece in markup.pieces(pieces):
        if piece.is_address:
            address = f"https:{piece.text}" if piece.text.startswith("//") else piece.text
            if match := _ADDRESS.match(address):
                yield address[match.start() :][:_LONGEST_READ]
        else:
            yield from scanner.read(piece.text)
    yield from scanner.end()


def _of_text(pieces: Iterable[str]) -> Iterator[str]:
    scanner = _Scanner(folded=True)
    for piece in pieces:
        yield from scanner.read(piece)
    yield from scanner.end()


class _Scanner:
    """Finds addresses in a text; what its end may cut is looked at again with what follows.

    ``folded``: an address may go on behind a line break.
    """

    def __init__(self, *, folded: bool) -> None:
        self._folded = folded
        self._waiting: list[str] = []
        self._size = 0
        self._done = 0  # up to here the first waiting text was scanned

    def read(self, text: str) -> Iterator[str]:
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= _WINDOW + _OVERLAP:
            whole = "".join(self._waiting)
            yield from self._scan(whole, len(whole) - _OVERLAP)

    def end(self) -> Iterator[str]:
        whole = "".join(self._waiting)
        yield from self._scan(whole, len(whole))

    def _scan(self, text: str, limit: int) -> Iterator[str]:
        """The addresses that begin before *limit*."""
        at = self._done
        while anchor := _ANCHOR.search(text, at):
            begin = _before(text, at, anchor)
            if min(begin, anchor.start()) >= limit:
                break
            match = _ADDRESS.match(text, begin)
            if match is None or match.end() < anchor.end():
                at = anchor.end()
                continue
            at = match.end()
            name = match[0].split("/", 1)[0].lower()
            if not _HAS_SCHEME.match(match[0]) and hosting.is_file_name(name):
                continue
            whole, at = self._whole(text, match)
            yield _trimmed(whole)
        keep = max(min(limit, len(text)) - _LONGEST_HOST, 0)  # with what may stand before an anchor
        self._done = max(at, limit) - keep
        self._waiting = [text[keep:]]
        self._size = len(text) - keep

    def _whole(self, text: str, match: re.Match[str]) -> tuple[str, int]:
        """The address that *match* begins, with its rest in the next lines, and its end."""
        start, end = match.span()
        if not self._folded or text[end : end + 1] in ("", ">"):
            return match[0], end
        if text[start - 1 : start] == "<" and (enclosed := _ENCLOSED.match(text, end)):
            # RFC 3986, appendix C
            lines = re.split(r"\r?\n[>| \t]{0,8}", enclosed[0][:-1].rstrip())
            return match[0] + "".join(line.strip() for line in lines), enclosed.end()
        return _unfolded(text, match)


def _before(text: str, at: int, anchor: re.Match[str]) -> int:
    """Where an address may begin that has *anchor*: with its scheme, or with its host."""
    before = text[max(at, anchor.start() - _LONGEST_HOST) : anchor.start()]
    if anchor[0][0] == ".":
        return anchor.start() - len(before) + len(before.rstrip(_HOST))
    scheme = _SCHEME_BEFORE.search(before[-5:])
    return anchor.start() - (len(scheme[0]) if scheme else 0)


def _unfolded(text: str, match: re.Match[str]) -> tuple[str, int]:
    """Join an address that a mail program broke at the end of a line."""
    pieces, end = [match[0]], match.end()
    line_start = max(text.rfind("\n", max(0, match.start() - 200), match.start()) + 1, 0)
    is_encoded = False
    for _ in range(_MOST_FOLDS):
        soft = pieces[-1].endswith("=")
        line = _BREAK.match(text, end)
        following = _NEXT.match(text, line.end()) if line else None
        if line is None or following is None or _HAS_SCHEME.match(following[0]):
            break
        is_long = end - line_start >= _FOLDED_AT
        if soft and end - line_start in (75, 76, 77):  # quoted-printable (RFC 2045, 6.7)
            is_encoded = True
            pieces[-1] = pieces[-1][:-1]
        elif not is_long or not (pieces[-1][-1] in "/?&=%" or _GOES_ON.search(following[0])):
            break
        pieces.append(following[0])
        line_start, end = following.start(), following.end()
    whole = "".join(pieces)
    if is_encoded:
        whole = re.sub("=([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), whole)
    return whole, end


def _trimmed(address: str) -> str:
    """An address without the signs of the sentence around it."""
    address = address[:_LONGEST_READ]
    for opening, closing in (("(", ")"), ("[", "]"), ("{", "}")):
        surplus = address.count(closing) - address.count(opening)
        if surplus > 0:
            cut = address.find(closing) if opening not in address else address.rfind(closing)
            address = (
                address[:cut] if len(address) - cut < 80 or opening not in address else address
            )
    while address and address[-1] in _TRAILING:
        address = address[:-1]
    return address


def _decoded(text: str) -> str:
    """An address of which even the scheme may be percent-encoded, or an entity."""
    text = markup.with_entities(text)
    for _ in range(_ROUNDS):
        if "://" in text[:9] or "%" not in text[:14]:
            break
        text = unquote(text)
    return text
