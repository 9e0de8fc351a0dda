"""Headers of a mail or of a part: fields, parameters, addresses, dates, file names.

The email package is not used: it loses raw 8-bit names and raises on malformed ones.  Here any
bytes give an answer, and nothing raises.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from pipeline.ingest.addresses import mailboxes
from pipeline.ingest.charsets import decoded, is_unclear, unworded

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_NUMBERED = re.compile(r"(.+?)\*(\d{1,3})(\*?)")
_TYPE = re.compile(r"[\s\"]*([\w!#$&^.+-]+)\s*/\s*([\w!#$&^.+-]+)")
_KNOWN = re.compile(
    rb"(?:content-(?:type|transfer-encoding|disposition)|mime-version)[ \t]*:"
    rb"|((?:subject|date|message-id|from|to|received|return-path)[ \t]*:)",
    re.IGNORECASE,
)
_MOST_ADDRESSES = 50
PLAIN = ("7bit", "8bit", "binary")  # encodings that change no byte


@dataclass(frozen=True)
class Headers:
    """The fields of a header block, in order, as lower-case name and unfolded value."""

    fields: tuple[tuple[str, str], ...] = ()
    unclear: tuple[tuple[int, bytes], ...] = ()  # the raw values of those in an unnamed charset

    def in_charset(self, charset: str) -> "Headers":
        """The same, with values in raw bytes read by a charset that another part names."""
        fields = list(self.fields)
        for at, raw in self.unclear:
            fields[at] = (fields[at][0], decoded(raw, charset).strip())
        return Headers(tuple(fields))

    def get(self, name: str) -> str:
        """The first value of a field, empty if there is none."""
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name: str) -> list[str]:
        """All values of a field, topmost first."""
        return [value for key, value in self.fields if key == name]

    def text(self, name: str) -> str:
        """The first value of a field with its encoded words decoded."""
        return unworded(self.get(name))

    @property
    def content_type(self) -> str:
        """``type/subtype`` in lower case; text/plain if it is missing or malformed.

        What follows the subtype is not part of it: a comment, or a parameter without semicolon.
        """
        found = _TYPE.match(self._structured("content-type"))
        if found:
            return f"{found[1]}/{found[2]}".lower()
        return "multipart/mixed" if self.parameter("content-type", "boundary") else "text/plain"

    def _structured(self, field: str) -> str:
        """The value of a field; of two types, a multipart, because a text has no parts."""
        values = self.all(field)
        return next((value for value in values if "boundary" in value.lower()), self.get(field))

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline`` or another word; empty if there is none."""
        return self.get("content-disposition").split(";", 1)[0].strip().lower()

    @property
    def encoding(self) -> str:
        """The content transfer encoding in lower case; of two, the one that encodes."""
        words = [value.split(";", 1)[0].split() for value in self.all("content-transfer-encoding")]
        found = [word[0].strip('"').lower() for word in words if word] or ["7bit"]
        return next((word for word in found if word not in PLAIN), found[0])

    def parameter(self, field: str, name: str) -> str:
        """A parameter of a structured field; see :func:`parameters`."""
        return parameters(self._structured(field)).get(name, "")

    @property
    def filename(self) -> str:
        """The name that the sender gave a part, decoded; empty if there is none.

        Content-Disposition before Content-Type (RFC 2183, section 2.3); both may hold
        RFC 2231 or, against RFC 2047, section 5, encoded words.
        """
        for field, name in (("content-disposition", "filename"), ("content-type", "name")):
            value = self.parameter(field, name)
            if value:
                return unworded(value)
        return ""

    @property
    def content_id(self) -> str:
        """The Content-ID without its angle brackets."""
        return self.get("content-id").strip().strip("<>")

    def addresses(self, *names: str) -> tuple[str, ...]:
        """The addresses in some fields in lower case, each once, at most fifty."""
        found: dict[str, None] = {}
        for name in names:
            for value in self.all(name):
                for mailbox in mailboxes(value):
                    found[mailbox.address] = None
                    if len(found) == _MOST_ADDRESSES:
                        return tuple(found)
        return tuple(found)

    @property
    def received_at(self) -> datetime | None:
        """The date of the topmost Received field (RFC 5321, section 4.4), if it has one."""
        value = self.get("received")
        if ";" not in value:
            return None
        return date(value.rsplit(";", 1)[1])


def date(value: str) -> datetime | None:
    """Read a date of RFC 5322, section 3.3; None if it is malformed."""
    try:
        moment = parsedate_to_datetime(value.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def parse(block: bytes) -> Headers:
    """Split a header block into fields; other lines are left out."""
    pieces: list[tuple[str, list[bytes]]] = []
    for raw in block.split(b"\n"):
        line = raw.rstrip(b"\r")
        if line[:1] in (b" ", b"\t"):
            if pieces:
                pieces[-1][1].append(line)
            continue
        match = _FIELD.match(line)
        if match:
            pieces.append((match.group(1).decode("ascii").lower(), [match.group(2)]))
    fields = [(name, b"".join(lines)) for name, lines in pieces]
    unclear = tuple((at, raw) for at, (_, raw) in enumerate(fields) if is_unclear(raw))
    return Headers(tuple((name, decoded(value).strip()) for name, value in fields), unclear)


def is_field(line: bytes) -> bool:
    """Whether a line begins or continues a header field."""
    return line[:1] in (b" ", b"\t") or _FIELD.match(line) is not None


def is_known(line: bytes, *, of_mail: bool) -> bool:
    """Whether a line begins a field that tells how to read a part, or with *of_mail* a mail."""
    found = _KNOWN.match(line)
    return found is not None and (of_mail or found[1] is None)


def parameters(value: str) -> dict[str, str]:
    """Read the parameters of a structured field, by lower-case name (RFC 2045, section 5.1).

    Continuations of RFC 2231 are joined, and their charset is used; the extended form of a name
    takes precedence over the plain one.  Unquoted spaces, missing quotes, extra semicolons and a
    missing one before the first parameter are accepted.
    """
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for key, text in _pairs(value):
        numbered = _NUMBERED.fullmatch(key)
        if numbered:
            name, number, star = numbered.groups()
            pieces.setdefault(name, {}).setdefault(int(number), (text, star == "*"))
        elif key.endswith("*"):
            pieces.setdefault(key[:-1], {}).setdefault(0, (text, True))
        else:
            plain.setdefault(key, text)
    return plain | {name: _joined(parts) for name, parts in pieces.items()}


def _joined(parts: dict[int, tuple[str, bool]]) -> str:
    """Join RFC 2231, sections 3 and 4: charset and language precede the first piece."""
    charset, data = "", b""
    for place, number in enumerate(sorted(parts)):
        text, encoded = parts[number]
        if place == 0 and encoded and text.count("'") >= 2:
            charset, _language, text = text.split("'", 2)
        raw = text.encode("utf-8", "surrogatepass")
        data += unquote_to_bytes(raw) if encoded else raw
    return decoded(data, charset)


def _pairs(value: str) -> Iterable[tuple[str, str]]:
    first, *items = _split(value)
    for item in (*first.strip().split(None, 1)[1:], *items):
        key, equals, text = item.partition("=")
        text = text.strip()
        if not equals:
            continue
        if text.startswith('"'):
            text = re.sub(r'\\(["\\])', r"\1", text[1:].removesuffix('"'))
        yield re.sub(r"\s", "", key).lower(), text


def _split(value: str) -> list[str]:
    """Split at semicolons outside of quotes."""
    items, start, quoted, at = [], 0, False, 0
    while at < len(value):
        char = value[at]
        if quoted and char == "\\" and value[at + 1 : at + 2] in ('"', "\\"):
            at += 1
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            items.append(value[start:at])
            start = at + 1
        at += 1
    items.append(value[start:])
    return items
