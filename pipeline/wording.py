"""What senders wrote, made safe to store and to show.

Nothing that a sender wrote becomes a path, markup or a direction override, and coordinates
are masked before a text reaches the ledger: a location's value stands nowhere but in the
originals.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Literal

from pipeline import places, texts

SenderStyle = Literal["masked", "full", "none"]

_READ = 1 << 16
# Everything that reorders, hides or breaks text: C0/C1 controls, format characters (among
# them the direction overrides), private use, surrogates, line and paragraph separators.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}  # needed to write Persian, Hindi and emoji
_STACK = 3  # combining marks in a row that a script may need; more is "zalgo"
_RESERVED = '<>:"/\\|?*'


def plain(text: str, limit: int, *, lines: bool = False) -> str:
    """*text* with nothing in it that reorders, hides or stacks; at most *limit* characters.

    Of a text longer than 65,536 characters only the beginning is read.  Marks are counted before
    the text is normalized, because sorting a long run of them takes quadratic time.

    :param lines: keep line breaks (for the text of a mail).
    """
    kept: list[str] = []
    stack = 0
    for char in text[:_READ]:
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
    clean = unicodedata.normalize("NFC", "".join(kept))
    clean = re.sub(r"[ \t]+", " ", clean).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def storable(text: str, limit: int, *, lines: bool = False) -> str:
    """*text* plain, with all places masked, and cut to *limit* characters, in this order.

    Places are masked before the text is cut, so that the cut can't save a part of one.  If lines
    are not kept, a text in which a place can't be masked cleanly is masked as a whole.
    """
    read = min(max(limit * 10, 4096), places.LIMIT)
    text = text[: read + 1] if lines else " ".join(text[: read + 1].splitlines())
    return places.masked(plain(places.masked(text, read), limit, lines=lines))


def display_name(name: str) -> str:
    """A file name to show: no folder, nothing invisible, places masked, 120 characters."""
    name = storable(name, places.LIMIT)
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join("_" if char in _RESERVED else char for char in name).strip(" .")
    if len(name) > 120:
        _stem, dot, suffix = name.rpartition(".")
        keep = len(suffix) + 1 if dot and len(suffix) <= 8 else 0
        name = f"{name[: 119 - keep]}…{name[len(name) - keep :] if keep else ''}"
    return places.masked(name) or "unnamed"


def counted(number: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: "1 clip", "2 clips".

    :param nouns: the plural, if it is not the noun with an s.
    """
    return f"{number} {noun if number == 1 else nouns or f'{noun}s'}"


def amount(number: float, noun: str = "") -> str:
    """A number as people write it, never as "1e-07", with its noun: "1 hour", "1.5 hours"."""
    said = f"{Decimal(f'{number:g}'):,f}"
    return f"{said} {noun if said == '1' else f'{noun}s'}" if noun else said


def masked_sender(address: str) -> str:
    """An address in a form that hides the person and is the same in each mail: ``a…@e….org``."""
    local, at, domain = address.rpartition("@")
    if not at:
        return f"{address[:1]}…" if address else ""
    host, dot, top = domain.rpartition(".")
    first = local.lstrip('"')[:1]
    return f"{first}…@{host[:1]}…{dot}{top}"


def shown_sender(address: str, style: SenderStyle, number: int | None = None) -> str:
    """Write a sender in the style that ``[report] sender`` asks for; "none" gives "".

    A place in an address is masked, or it would keep the montage from being published.

    :param number: that of the sender; masked addresses of two people may look alike.
    """
    if style == "none":
        return ""
    if style == "full":
        return places.masked(plain(address, 254))
    masked = places.masked(plain(masked_sender(address), 254))
    if not masked or number is None:
        return masked
    return texts.montage_words("sender", number=number, address=masked)
