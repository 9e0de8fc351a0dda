"""Mails that a mail program sent in several parts (message/partial, RFC 2046, section 5.2.2).

Each part is kept as an original, as it came, and refused with a reason that says which part it is.
When all parts of a mail are there, whatever night they came, they are joined, and what was in the
mail is recorded with the part that came last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING

from pipeline.ingest import mime
from pipeline.ingest.decode import decoder
from pipeline.ingest.inbox import NewMail
from pipeline.ingest.mime import Part
from pipeline.ingest.spool import FilePart, Readable, stretch
from pipeline.model import MailIdentity, Reason, Refusal
from pipeline.store.files import original
from pipeline.texts import Detail

if TYPE_CHECKING:  # the process that takes mails apart has no ledger
    from pipeline.ledger import Ledger
    from pipeline.ledger.intake import Fragment
    from pipeline.store import FootageStore

TYPE = "message/partial"
_MOST_PARTS = 500
_UNKNOWN = "?"
# Fields of the first part's own header that are not those of the whole mail (5.2.2.1).
_OF_PART = (b"content-", b"subject:", b"message-id:", b"encrypted:", b"mime-version:")
_LONGEST_HEADER = 1 << 20


def refusal(part: Part, above: tuple[Part, ...]) -> Refusal | None:
    """The refusal that says which part of which mail a leaf is, None if it does not tell.

    Parts belong together if their sender and their ``id`` are the same.
    """
    fields = part.headers
    number = _number(fields.parameter("content-type", "number"))
    total = _number(fields.parameter("content-type", "total"))
    name = fields.parameter("content-type", "id")
    if not name or not number:
        return None
    outer = above[0] if above else part
    sender = "".join(outer.headers.addresses("from")[:1])
    mail = hashlib.sha256(f"{sender}\0{name}".encode()).hexdigest()[:12]
    return Refusal(
        Reason.UNSUPPORTED,
        Detail.MAIL_IN_PARTS,
        {"number": number, "total": total or _UNKNOWN, "mail": mail},
    )


def _number(text: str) -> int:
    """A number that a mail may have as a part; 0 for any other."""
    valid = text.isascii() and text.isdigit() and len(text) < 5
    return int(text) if valid and int(text) <= _MOST_PARTS else 0


@dataclass(frozen=True)
class SplitMail:
    """A mail of which all parts have come, in order."""

    mail: str
    parts: tuple[Fragment, ...]

    @property
    def arrival(self) -> NewMail:
        """The whole mail, as if it came now."""
        return NewMail(
            MailIdentity("", TYPE, 0, self.mail),
            sum(part.size for part in self.parts),
            datetime.fromisoformat(self.last.received_at),
        )

    @property
    def last(self) -> Fragment:
        """The part that came last: what was in the mail belongs to it."""
        return max(self.parts, key=lambda part: part.row)

    def copy(self, file: IO[bytes], store: FootageStore) -> list[int]:
        """Write the parts one behind the other, as they came.

        :returns: the size of each, for :func:`joined`.
        :raises OSError: the disk is full, or fails.
        """
        sizes = []
        for part in self.parts:
            begun = file.tell()
            for piece in store.pieces(original(part.sha256)):
                file.write(piece)
            sizes.append(file.tell() - begun)
        return sizes


def joined(file: Readable, sizes: Sequence[int]) -> Iterator[bytes]:
    """The bytes of a mail whose parts, of these *sizes*, lie in a file one behind the other."""
    start = 0
    for size in sizes:
        yield from _content(FilePart(file, start, start + size), first=start == 0)
        start += size


def whole_mails(ledger: Ledger, store: FootageStore) -> list[SplitMail]:
    """The split mails of which all parts are there, and which were not joined yet."""
    return [
        SplitMail(mail, tuple(parts))
        for mail, found in ledger.intake.fragments().items()
        if (parts := _all_parts(found))
        and all(store.holds(original(part.sha256)) for part in parts)
    ]


def _all_parts(found: Sequence[Fragment]) -> list[Fragment]:
    """The parts of a mail in order, empty if one is missing; of two with one number, the first."""
    by_number: dict[int, Fragment] = {}
    for part in found:
        by_number.setdefault(part.number, part)
    total = max(part.total for part in found)
    if total < 1 or not all(number in by_number for number in range(1, total + 1)):
        return []
    return [by_number[number] for number in range(1, total + 1)]


def _content(file: Readable, *, first: bool) -> Iterator[bytes]:
    """The bytes of a part; before those of the *first* one, the fields of the mail around it."""
    root = mime.split(file).root
    part = next((leaf for leaf, _ in root.walk() if leaf.content_type == TYPE), root)
    if first:
        file.seek(0)
        yield _kept_fields(file.read(min(part.start, _LONGEST_HEADER)))
    last = b""
    for piece in decoder(part.headers.encoding)(stretch(file, part.start, part.end)):
        yield piece
        last = piece or last
    if not last.endswith(b"\n"):
        yield b"\r\n"


def _kept_fields(header: bytes) -> bytes:
    """The fields of a part's header that are those of the whole mail."""
    kept: list[bytes] = []
    keeps = False
    for line in header.splitlines(keepends=True):
        if line[:1] not in (b" ", b"\t"):
            keeps = b":" in line and not line.lower().startswith(_OF_PART)
        if keeps:
            kept.append(line)
    return b"".join(kept)
