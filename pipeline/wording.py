"""What senders wrote, made safe to store and to show.

Nothing that a sender wrote becomes a path, markup or a direction override, and coordinates
are masked before a text reaches the ledger: a location's value stands nowhere but in the
originals.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

SenderStyle = Literal["masked", "full", "none"]

MASK = "[location removed]"

# No run in these patterns is unbounded next to another that takes the same characters: a mail
# of nothing but blanks must cost no more than one of words.
_GAP = r"\s{0,3}"
_DECIMAL = rf"[-+\u2212]?\d{{1,3}}[.,]\d{{3,12}}+(?:{_GAP}°)?(?:{_GAP}[NSEWnsew]\b)?"
_DMS = (
    rf"\d{{1,3}}{_GAP}[°º:d]{_GAP}\d{{1,2}}{_GAP}['\u2032\u2019:m]{_GAP}"
    rf"(?:\d{{1,2}}(?:[.,]\d{{1,8}})?)?{_GAP}(?:[\"\u2033\u201ds]|'')?{_GAP}[NSEWOnsew]\b"
)
_COORDINATES = tuple(
    re.compile(pattern)
    for pattern in (
        # ISO 6709, also glued to a name: +59.1968-041.5558+12.3CRSWGS_84/
        r"[-+\u2212]\d{2,6}\.\d+[-+\u2212]\d{3,7}\.\d+(?:[-+\u2212]\d+(?:\.\d+)?)?(?:CRS\w*)?/?",
        # the same in whole degrees or minutes, which only stands alone
        r"(?<!\w)[-+\u2212]\d{2,6}[-+\u2212]\d{3,7}(?:[-+\u2212]\d+)?(?:CRS\w*)?/",
        # a pair of decimal degrees, however it is parted
        rf"(?i)(?:lat(?:itude)?{_GAP}[:=]?{_GAP})?{_DECIMAL}{_GAP}[,;_/|&\s]{_GAP}"
        rf"(?:lo?ng?(?:itude)?{_GAP}[:=]?{_GAP})?{_DECIMAL}",
        # one of the two, named
        rf"(?i)\b(?:lat|latitude|lon|lng|long|longitude){_GAP}[:=]?{_GAP}{_DECIMAL}",
        # degrees, minutes, seconds
        rf"{_DMS}(?:{_GAP}[,;/]?{_GAP}{_DMS})?",
        # geo: URI (RFC 5870), Plus Codes, what3words, links to map services
        r"(?i)geo:[-+\d.,;=a-z]+",
        r"\b[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}\b",
        r"///\w+\.\w+\.\w+",
        r"(?i)https?://(?:www\.)?(?:maps\.(?:app\.goo\.gl|google\.[a-z.]+|apple\.com)"
        r"|goo\.gl/maps|google\.[a-z.]+/maps|openstreetmap\.org|osm\.org|what3words\.com"
        r"|w3w\.co|waze\.com|bing\.com/maps|yandex\.[a-z]+/maps|2gis\.[a-z]+)\S*",
    )
)

# Everything that reorders, hides or breaks text: C0/C1 controls, format characters (among
# them the direction overrides), private use, surrogates, line and paragraph separators.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}  # needed to write Persian, Hindi and emoji
_STACK = 3  # combining marks in a row that a script may need; more is "zalgo"
_RESERVED = '<>:"/\\|?*'


def mask_locations(text: str) -> str:
    """*text* with everything that looks like coordinates or a link to a map replaced."""
    for pattern in _COORDINATES:
        text = pattern.sub(MASK, text)
    return text


def plain(text: str, limit: int, *, lines: bool = False) -> str:
    """*text* with nothing in it that reorders, hides or stacks; at most *limit* characters.

    :param lines: keep line breaks (for the text of a mail).
    """
    kept: list[str] = []
    stack = 0
    for char in unicodedata.normalize("NFC", text):
        if lines and char == "\n":
            kept.append(char)
            continue
        if char.isspace():
            kept.append(" ")
            continue
        category = unicodedata.category(char)
        if category in _INVISIBLE and char not in _JOINERS:
            continue
        stack = stack + 1 if category in {"Mn", "Me"} else 0
        if stack <= _STACK:
            kept.append(char)
    clean = "".join(kept)
    clean = re.sub(r"[ \t]+", " ", clean).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def display_name(name: str) -> str:
    """A file name to show: no folder, nothing invisible, coordinates masked, 120 characters."""
    name = mask_locations(plain(name, len(name)))
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join("_" if char in _RESERVED else char for char in name).strip(" .")
    if len(name) > 120:
        _stem, dot, suffix = name.rpartition(".")
        keep = len(suffix) + 1 if dot and len(suffix) <= 8 else 0
        name = f"{name[: 119 - keep]}…{name[len(name) - keep :] if keep else ''}"
    return name or "unnamed"


def masked_sender(address: str) -> str:
    """An address that two mails of one person can be told by, and nobody else: ``a…@e….org``."""
    local, at, domain = address.rpartition("@")
    if not at:
        return f"{address[:1]}…" if address else ""
    host, dot, top = domain.rpartition(".")
    return f"{local[:1]}…@{host[:1]}…{dot}{top}"


def shown_sender(address: str, style: SenderStyle) -> str:
    """Write a sender in the style that ``[report] sender`` asks for; "none" gives ""."""
    if style == "none":
        return ""
    return plain(address if style == "full" else masked_sender(address), 254)
