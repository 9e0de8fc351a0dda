"""Bytes that senders wrote as text, in whatever charset they named, misnamed or left out.

Nothing here raises: a mail is taken in also when its words can't be read.
"""

from __future__ import annotations

import binascii
import codecs
import re

# What is announced, and what mail programs really mean by it (WHATWG Encoding, 4.2).
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-8-i": "iso8859-8",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
# Codecs of Python that are no charset of a mail.
_NEVER = frozenset(
    ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem")
)
# RFC 2047, section 2; spaces inside are wrong and common.
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*)\?=")


def decoded(data: bytes, charset: str = "") -> str:
    """*data* as text, by the announced charset, UTF-8, or Windows Latin.

    UTF-8 goes before an announced Latin, because only true UTF-8 looks like UTF-8.
    """
    announced = _codec(charset)
    latin = announced is None or announced.startswith(("cp125", "iso8859"))
    for codec in ("utf-8", announced) if latin else (announced, "utf-8"):
        if codec is None:
            continue
        try:
            return data.decode(codec)
        except ValueError:
            continue
    return data.decode("cp1252" if latin else announced or "cp1252", "replace")


def _codec(charset: str) -> str | None:
    name = charset.strip().strip("\"'").split("*", 1)[0].lower()
    if not name or not name.isascii():
        return None
    try:
        known = codecs.lookup(name).name
        known = _MEANT.get(known, known)
        if known.replace("_", "-") in _NEVER:
            return None
        b"\0\0\0\0".decode(known)  # refuses the codecs that give no text
    except (LookupError, ValueError):
        return None
    return known


def unworded(value: str) -> str:
    """A header's value with its encoded words decoded (RFC 2047, section 6.2).

    Neighbours of one charset are joined before they are decoded, because mailers cut
    letters in two.
    """
    pieces: list[str] = []
    pending: tuple[str, bytes] | None = None
    at = 0
    for match in _WORD.finditer(value):
        between = value[at : match.start()]
        charset, way, text = match.group(1), match.group(2).lower(), match.group(3)
        data = _base64(text) if way == "b" else _q(text)
        if between.strip() or at == 0:
            if pending is not None:
                pieces.append(decoded(pending[1], pending[0]))
                pending = None
            pieces.append(between)
        if pending is not None and pending[0].lower() == charset.lower():
            pending = (charset, pending[1] + data)
        else:
            if pending is not None:
                pieces.append(decoded(pending[1], pending[0]))
            pending = (charset, data)
        at = match.end()
    if pending is not None:
        pieces.append(decoded(pending[1], pending[0]))
    pieces.append(value[at:])
    return "".join(pieces)


def _base64(text: str) -> bytes:
    clean = re.sub(r"[^A-Za-z0-9+/]", "", text)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + "=" * (-len(clean) % 4))


def _q(text: str) -> bytes:
    return binascii.a2b_qp(text.encode("utf-8", "replace"), header=True)
