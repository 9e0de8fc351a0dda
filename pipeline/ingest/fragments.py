"""Mails that a mail program sent in several parts (message/partial, RFC 2046, section 5.2.2).

Each part is kept as an original, as it came, and refused with a reason that says which part it is.
When all parts of a mail are there, whatever night they came, they are joined and taken in as a mail
of its own.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipeline.ingest import mime, spool
from pipeline.ingest.decode import decoder
from pipeline.ingest.inbox import Advance, Arrival, Inbox, Known, NewMail
from pipeline.ingest.mime import Part
from pipeline.ingest.spool import Readable, stretch
from pipeline.ledger import Ledger
from pipeline.ledger.intake import Fragment
from pipeline.model import MailIdentity, Reason, Refusal
from pipeline.texts import Detail
from pipeline.workspace import Workspace

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


class JoinedMails(Inbox):
    """The mails of which all parts have come."""

    def __init__(self, ledger: Ledger, workspace: Workspace) -> None:
        self._ledger, self._workspace = ledger, workspace
        self._parts = {
            mail: whole
            for mail, found in ledger.intake.fragments().items()
            if (whole := _all_parts(found))
        }

    def new(self, known: Known) -> Sequence[Arrival]:
        """The mails that are whole and were not joined yet."""
        done = known("", TYPE, 0)
        return [
            NewMail(
                MailIdentity("", TYPE, 0, mail),
                sum(part.size for part in parts),
                max(datetime.fromisoformat(part.received_at) for part in parts),
            )
            for mail, parts in self._parts.items()
            if mail not in done and all(self._path(part).is_file() for part in parts)
        ]

    @contextmanager
    def open_raw(self, arrival: Arrival, advance: Advance) -> Iterator[Readable]:
        """Give the joined mail."""
        with spool.spool(self._workspace.originals) as whole:
            for place, part in enumerate(self._parts[arrival.identity.uid]):
                with self._path(part).open("rb") as file:
                    for piece in _content(file, first=place == 0):
                        whole.write(piece)
                        advance(len(piece))
            yield whole

    def settle(self, ledger: Ledger) -> int:
        """Record that the parts of joined mails are containers of what was taken in."""
        done = ledger.intake.known_uids("", TYPE, 0)
        for mail, parts in self._parts.items():
            if mail in done:
                ledger.intake.set_joined([part.sha256 for part in parts])
        return 0

    def _path(self, part: Fragment) -> Path:
        return self._workspace.original(part.sha256)


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
