"""What is behind an address that leads on to another one.

Mail servers rewrite the links in a mail, so that a click passes by a filter first.  Most write the
true address into theirs.  Nothing is fetched: what can't be read from the address stays unread.
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from urllib.parse import unquote

from pipeline.ingest import hosting
from pipeline.ingest.hosting import Address

_MOST = 12  # addresses that are looked at for one
_ROUNDS = 5  # an encoding inside an encoding, so many times
# Filters of which some addresses say only the host that they lead to.
_HOST_ONLY = ("mimecast", "sophos")
_LONGEST_QUERY = 4000
_SCHEME = re.compile(r"h(?:tt|xx)ps?:/{1,3}|ftp://", re.IGNORECASE)
_BASE64 = re.compile(r"aHR0c[A-Za-z0-9+/_-]{8,4000}")  # of "http"
_V3 = re.compile(r"/v[23]/(?:r\d\d/)?_{2,3}(?P<url>.+?)_{2,3}[;.](?P<signs>[\w-]*)", re.DOTALL)
_RUN = re.compile(r"\*(\*.)?", re.DOTALL)
_LENGTHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def place_of(text: str) -> str:
    """The address of a place for files that *text* is, or leads to; empty if there is none.

    A known place takes precedence; then the innermost address that looks like a share.
    """
    chain = _chain(text)
    if not chain:
        return ""
    if hosting.is_known(chain[-1]):
        return str(chain[-1])
    # an address with another one inside is judged by its path alone
    first = chain[0] if len(chain) == 1 else chain[0].without_query()
    found = next((each for each in reversed(chain[1:]) if hosting.is_share(each)), None)
    if found is None and (hosting.is_share(first) or _names_a_place(chain[0])):
        found = chain[0]
    return str(found or "")


def short_of(text: str) -> str:
    """The short link that *text* is, or leads to; empty if there is none."""
    return next((str(each) for each in _chain(text) if hosting.is_short(each)), "")


def _chain(text: str) -> list[Address]:
    """An address and those in it, up to one that leads to a known place."""
    chain: list[Address] = []
    waiting, seen = [text], {text}
    while waiting and len(chain) < _MOST:
        address = hosting.parse(waiting.pop(0))
        if address is None:
            continue
        chain.append(address)
        if hosting.is_known(address):
            break
        inner = [each for each in _inner(address) if each not in seen]
        seen.update(inner)
        waiting += inner[:_MOST]
    return chain


def _names_a_place(address: Address) -> bool:
    """Whether a filter says only the host, and leads to what people put there."""
    if not any(filter_name in address.host for filter_name in _HOST_ONLY):
        return False
    named = re.findall(r"[?&]d(?:omain)?=([\w.-]{4,253})", address.rest[:_LONGEST_QUERY])
    return any(hosting.is_known_host(host) for host in named)


def _inner(address: Address) -> Iterator[str]:
    """The addresses in an address, decoded once."""
    rest = address.rest
    if "urldefense" in address.host or "avanan" in address.host:
        yield from _of_proofpoint(rest)
    if raw := _SCHEME.search(address.path):  # not encoded: all that follows belongs to it
        yield rest[raw.start() :]
    at = 0
    for segment in address.path.split("/")[:20]:
        if "." in segment and hosting.is_known_host(segment):
            yield rest[at:]
            break
        at += len(segment) + 1
    for piece in _pieces(rest):
        yield from _in_piece(piece)


def _pieces(rest: str) -> Iterator[str]:
    """Segments of the path, values of the query, and the fragment."""
    path, _, query = rest.partition("?")
    for piece in path.replace("#", "/").split("/")[:40]:
        yield piece.split("=", 1)[-1] if "=" in piece else piece
    for pair in re.split("[&;#]", query)[:60]:
        yield pair.partition("=")[2] or pair


def _in_piece(piece: str) -> Iterator[str]:
    if encoded := _BASE64.search(piece):
        yield _of_base64(encoded[0].replace("+", "-").replace("/", "_"))
    for _ in range(_ROUNDS):
        if found := _SCHEME.search(piece):
            yield piece[found.start() :]
            return
        if "." in piece and "/" in piece:
            address = hosting.parse(piece.lstrip("/"))
            if address is not None and hosting.is_known(address):
                yield piece.lstrip("/")
                return
        before, piece = piece, unquote(piece)
        if piece == before:
            return


def _of_proofpoint(rest: str) -> Iterator[str]:
    """URL Defense: version 2 has its own signs for ``%`` and ``/``; 3 keeps signs apart."""
    version, _, query = rest.partition("?")
    if version in ("/v1/url", "/v2/url"):
        for value in (pair[2:] for pair in query.split("&") if pair.startswith("u=")):
            signs = value if "1" in version else value.replace("-", "%").replace("_", "/")
            yield unquote(signs)
    elif found := _V3.match(rest):
        yield _with_signs(found["url"], found["signs"])


def _with_signs(url: str, signs: str) -> str:
    """Put the signs back that ``*`` and ``**X`` stand for."""
    left = iter(_of_base64(signs))

    def put(match: re.Match[str]) -> str:
        length = 1 if match[1] is None else _LENGTHS.find(match[1][1]) + 2
        return "".join(next(left, "") for _ in range(length)) or match[0]

    return _RUN.sub(put, url)


def _of_base64(data: str) -> str:
    """A text in the alphabet for addresses (RFC 4648, section 5), also if it is cut."""
    data = data[: len(data) - (len(data) % 4 == 1)]
    try:
        return urlsafe_b64decode(data + "=" * (-len(data) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
