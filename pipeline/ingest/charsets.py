"""Decoding of senders' texts, whose charset may be named, wrong or missing.

Nothing here raises: a mail is taken in even if its words can't be read.
"""

import binascii
import codecs
import re
from collections.abc import Iterable, Iterator

# The announced charset, and the one that mail programs mean by it (WHATWG Encoding, 4.2).
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
# Codecs of Python that are not charsets of mails.
_NEVER = frozenset(
    ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem")
)
# RFC 2047, section 2; spaces inside are wrong and common.
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*)\?=")


def decoded(data: bytes, charset: str = "") -> str:
    """Decode *data* by the announced charset, as UTF-8, or as Windows Latin.

    UTF-8 is tried before an announced Latin charset, because other text is hardly ever valid UTF-8.
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


def is_unclear(data: bytes) -> bool:
    """Whether bytes are text in a charset that must be named: neither ASCII nor UTF-8."""
    if b"\x1b" in data:  # ISO-2022
        return True
    if data.isascii():
        return False
    try:
        data.decode("utf-8")
    except ValueError:
        return True
    return False


def stream(pieces: Iterable[bytes], charset: str = "") -> Iterator[str]:
    """Decode a text that comes in pieces; a letter that can't be read becomes a sign."""
    decoder = codecs.getincrementaldecoder(_codec(charset) or "utf-8")("replace")
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _codec(charset: str) -> str | None:
    name = charset.strip().strip("\"'").split("*", 1)[0].lower()
    if not name or not name.isascii():
        return None
    try:
        known = codecs.lookup(name).name
        known = _MEANT.get(known, known)
        if known.replace("_", "-") in _NEVER:
            return None
        b"\0\0\0\0".decode(known)  # raises for codecs that do not give text
    except (LookupError, ValueError):
        return None
    return known


def unworded(value: str) -> str:
    """Decode the encoded words of a header's value (RFC 2047, section 6.2).

    Adjacent words of one charset are joined before they are decoded, because mail programs cut
    inside of a letter.
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
