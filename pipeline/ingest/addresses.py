"""Mailboxes in header fields (RFC 5322, section 3.4), read in linear time from any text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.ingest.charsets import unworded

_LONGEST = 20_000  # characters of a field
MOST = 50  # mailboxes of a field
# A quoted string, a comment's signs, a word, or a single sign.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\\.|\s+|[()<>,;:@]|[^\s()<>,;:@"\\]+|.', re.DOTALL)
_PLAIN = re.compile(r"[^\s\"(),:;<>@\[\]\\]+")
_ADDRESS = re.compile(
    r"(?P<local>\"(?:[^\"\\]|\\.)+\"|[^\s\"(),:;<>@\[\]\\]+)@(?P<domain>\[[^\s\[\]]+\]|[^\s\"(),:;<>@\[\]\\]+)",
    re.DOTALL,
)
_ROUTE = re.compile(r"@[^:<>]{1,500}:")


@dataclass(frozen=True)
class Mailbox:
    """An address in lower case, and the name before it."""

    address: str
    name: str = ""


def mailboxes(value: str) -> list[Mailbox]:
    """The mailboxes in a field, also of groups; what is not a mailbox is left out."""
    found: list[Mailbox] = []
    for tokens in _split(value[:_LONGEST]):
        mailbox = _mailbox(tokens)
        if mailbox is not None:
            found.append(mailbox)
        if len(found) == MOST:
            break
    return found


def canonical(text: str) -> str:
    """An address in lower case, without needless quotes; empty if it is not an address."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return ""
    local = found["local"]
    if local.startswith('"'):
        bare = re.sub(r"\\(.)", r"\1", local[1:-1], flags=re.DOTALL)
        local = bare if _PLAIN.fullmatch(bare) else local
    return f"{local}@{found['domain'].rstrip('.')}".lower()


def _split(value: str) -> Iterator[list[str]]:
    """The tokens of each mailbox, without comments and without the names of groups."""
    tokens: list[str] = []
    depth, inside = 0, False
    for match in _TOKEN.finditer(value):
        sign = match[0]
        if sign == "(" and not inside:
            depth += 1
        elif sign == ")" and depth:
            depth -= 1
        elif depth:
            continue
        elif sign in (",", ";") and not inside:
            yield tokens
            tokens = []
        elif sign == ":" and not inside:
            tokens = []  # the name of a group
        else:
            inside = sign == "<" or (inside and sign != ">")
            tokens.append(" " if sign.isspace() else sign)
    if inside and "," in tokens:  # no end of the brackets: what follows is read alone
        yield tokens[: tokens.index(",")]
        return
    yield tokens


def _mailbox(tokens: list[str]) -> Mailbox | None:
    if "<" in tokens:
        at = len(tokens) - 1 - tokens[::-1].index("<")
        inside = "".join(tokens[at + 1 :]).split(">", 1)[0]
        inside = inside.strip() if '"' in inside else re.sub(r"\s+", "", _ROUTE.sub("", inside))
        if address := canonical(inside):
            return Mailbox(address, _name("".join(tokens[:at])))
    text = "".join(tokens).strip()
    if "<" not in tokens:
        bare = text if '"' in text else re.sub(r"\s*([@.])\s*", r"\1", text)
        if address := canonical(bare):
            return Mailbox(address)
    # words around an address that has no brackets
    words = (word for word in re.split(r"[\s<>]+", text) if "@" in word and '"' not in word)
    return next((Mailbox(each) for word in words if (each := canonical(word))), None)


def _name(text: str) -> str:
    """The words of a name, without their quotes, decoded."""
    words = re.sub(r'"((?:[^"\\]|\\.)*)"', lambda found: re.sub(r"\\(.)", r"\1", found[1]), text)
    return " ".join(unworded(words).split()).strip("'\"<> ")
