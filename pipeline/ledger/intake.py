"""What ingest writes: mails, what was in them, and the originals."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline import addressees, clock
from pipeline.history import EventKind
from pipeline.ledger import records
from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection
from pipeline.model import Attachment, Filed, MailIdentity, Note, Submission
from pipeline.texts import Detail

_IN_PARTS = Detail.MAIL_IN_PARTS
UNREAD = frozenset({Detail.UNREADABLE_MAIL, Detail.MAIL_FAILED_MACHINE, Detail.MAIL_READ_AGAIN})
"""Refusals of mails of which at most the header was read.  They are still in their inbox."""
# notes on the mail that brought the last part, which stay when the parts are joined
_STAYING = frozenset(
    (
        *(Note.NOT_AUTHENTIC, Note.NO_RECEIPT, Note.BOUNCE, Note.AUTOMATIC, Note.TAKES_BACK),
        Note.AFTER_CONSENT,
        Note.AFTER_NO,
    )
)


@dataclass(frozen=True)
class MailSums:
    """Hashes of a mail.

    ``content`` is the same under any UID and identifies it (see ``ingest.fingerprint``); ``raw``
    is the SHA-256 of its bytes as the inbox gave them, which anybody who has the mail can compute.
    """

    content: str
    raw: str


@dataclass(frozen=True)
class Fragment:
    """A part of a mail that was sent in several, and its place in the ledger.

    ``row`` rises in the order of receipt.  ``rows_of_mail``: how many rows came with the part.
    ``total`` is 0 where the part does not tell.
    """

    row: int
    submission: str
    position: int
    rows_of_mail: int
    sha256: str
    size: int
    number: int
    total: int
    received_at: str


class Intake:
    """A mail is recorded once, with all that was in it, after its files are on the disk."""

    def __init__(self, connection: Connection, chain: Chain) -> None:
        self._db, self._chain = connection, chain

    def known_uids(self, account: str, mailbox: str, uidvalidity: int) -> set[str]:
        """The mails of a mailbox that were taken in already, and are not to be read again."""
        known = (
            "NOT EXISTS (SELECT 1 FROM attachment a"
            " WHERE a.submission = mail.submission AND a.detail_code = 'mail-read-again')"
        )
        return set(self._uids(known, account, mailbox, uidvalidity))

    def unread(self) -> list[str]:
        """The submissions of mails of which at most the header was read."""
        return self._db.column(
            "SELECT DISTINCT submission FROM attachment WHERE sha256 IS NULL"
            " AND detail_code IN (SELECT value FROM json_each(?)) ORDER BY id",
            json.dumps([*UNREAD]),
        )

    def read_again(self, submissions: Iterable[str]) -> None:
        """Have the next run read mails again of which at most the header was read."""
        with self._db.transaction():
            for submission in submissions:
                self._db.change(
                    "UPDATE attachment SET detail_code = ?, detail_values = '{}'"
                    " WHERE submission = ? AND sha256 IS NULL"
                    " AND detail_code IN (SELECT value FROM json_each(?))",
                    *(Detail.MAIL_READ_AGAIN, submission, json.dumps([*UNREAD])),
                )

    def is_to_be_read_again(self, submission: str) -> bool:
        """Whether the next run reads a mail again."""
        found = self._db.row(
            "SELECT 1 FROM attachment WHERE submission = ? AND detail_code = ?",
            *(submission, Detail.MAIL_READ_AGAIN),
        )
        return found is not None

    def record_read_again(self, whole: Submission, attachments: Iterable[Attachment]) -> None:
        """Record what was in a mail that was read again, in one transaction.

        Its row keeps what made it doubtful, or takes footage back.
        """
        with self._db.transaction():
            row = self._db.row("SELECT notes FROM submission WHERE id = ?", whole.id)
            own = records.strings(row["notes"]) if row else ()
            notes = dict.fromkeys((*whole.notes, *(each for each in own if each in _STAYING)))
            columns = {**records.columns(whole), "notes": json.dumps([*notes])}
            names = ", ".join(f"{name} = ?" for name in columns)
            self._db.change(
                f"UPDATE submission SET {names} WHERE id = ?",  # noqa: S608 - our own names
                *(*columns.values(), whole.id),
            )
            self._db.change(
                "DELETE FROM attachment WHERE submission = ? AND detail_code = ?",
                *(whole.id, Detail.MAIL_READ_AGAIN),
            )
            self._insert(whole.id, attachments)

    def submission_of_digest(self, digest: str) -> str | None:
        """The submission that a mail of the same bytes made, whatever its UID was."""
        row = self._db.row("SELECT submission FROM mail WHERE digest = ? LIMIT 1", digest)
        return row["submission"] if row else None

    def record_mail(
        self,
        identity: MailIdentity,
        sums: MailSums,
        submission: Submission,
        attachments: Iterable[Attachment],
    ) -> None:
        """Record a mail with all that was in it, in one transaction.

        Its files must be published before, so that no row names a file that is missing.
        """
        items = list(attachments)
        with self._db.transaction():
            self._db.insert("submission", records.columns(submission))
            self._db.insert("mail", _mail(identity, submission.id, sums.content))
            self._chain.append(
                *(EventKind.RECEIVED, submission.id),
                raw=sums.raw,
                content=sums.content,
                attachments=len(items),
                not_kept=sum(item.sha256 is None for item in items),
            )
            self._insert(submission.id, items)

    def record_seen_again(self, identity: MailIdentity, sums: MailSums, submission: str) -> None:
        """Record that a mail that is known by its bytes has another UID too."""
        with self._db.transaction():
            self._db.insert("mail", _mail(identity, submission, sums.content))
            self._chain.append(
                EventKind.RECEIVED_AGAIN, submission, raw=sums.raw, content=sums.content
            )

    def uids_filed(self, account: str, mailbox: str, uidvalidity: int, filed: Filed) -> list[str]:
        """UIDs of the mails of a mailbox whose move on the server has come to *filed*."""
        return self._uids("filed = ?", account, mailbox, uidvalidity, filed)

    def uids_to_file(self, account: str, mailbox: str, uidvalidity: int) -> list[str]:
        """UIDs of mails that may be moved on the server: all that came in them is on the disk."""
        return self._uids(
            "filed = 'no' AND NOT EXISTS (SELECT 1 FROM attachment a"
            " WHERE a.submission = mail.submission AND a.parent IS NULL AND a.sha256 IS NULL)",
            *(account, mailbox, uidvalidity),
        )

    def _uids(self, condition: str, *values: object) -> list[str]:
        """UIDs of a mailbox's mails; *values* are the mailbox, then those of the condition."""
        mails = "SELECT uid FROM mail WHERE account = ? AND mailbox = ? AND uidvalidity = ?"
        return self._db.column(f"{mails} AND {condition}", *values)

    def set_filed(self, identities: Iterable[MailIdentity], filed: Filed) -> None:
        """Record how far the move of mails on the server has come."""
        with self._db.transaction():
            for identity in identities:
                self._db.change(
                    "UPDATE mail SET filed = ? WHERE account = ? AND mailbox = ?"
                    " AND uidvalidity = ? AND uid = ?",
                    *(filed, identity.account, identity.mailbox),
                    *(identity.uidvalidity, identity.uid),
                )
                if filed is Filed.YES:
                    self._chain.append(EventKind.MOVED, self._submission_of(identity))

    def _submission_of(self, identity: MailIdentity) -> str:
        """The submission that a mail made; empty if the mail is not known."""
        found = self._db.row(
            "SELECT submission FROM mail WHERE account = ? AND mailbox = ? AND uidvalidity = ?"
            " AND uid = ?",
            *(identity.account, identity.mailbox, identity.uidvalidity, identity.uid),
        )
        return found["submission"] if found else ""

    def places_of(self, submissions: Iterable[str]) -> dict[tuple[str, str], list[MailIdentity]]:
        """Where the mails that made these submissions were found, by account and mailbox."""
        found: dict[tuple[str, str], list[MailIdentity]] = {}
        for submission in submissions:
            rows = self._db.rows(
                "SELECT account, mailbox, uidvalidity, uid FROM mail WHERE submission = ?"
                " ORDER BY account, mailbox, uidvalidity, uid",
                submission,
            )
            for row in rows:
                place = found.setdefault((row["account"], row["mailbox"]), [])
                place.append(records.read_row(MailIdentity, row))
        return found

    def fragments(self) -> dict[str, list[Fragment]]:
        """The parts of mails that were sent in several and are not joined, by mail."""
        found: dict[str, list[Fragment]] = {}
        rows = self._db.rows(
            "SELECT a.id AS row, a.submission, a.position, a.sha256, a.size, a.detail_values,"
            " s.received_at, (SELECT max(o.position) + 1 FROM attachment o"
            "  WHERE o.submission = a.submission) AS rows_of_mail"
            " FROM attachment a JOIN submission s ON s.id = a.submission"
            " JOIN original o ON o.sha256 = a.sha256"
            " WHERE a.detail_code = ? AND o.state = 'kept' ORDER BY a.id",
            _IN_PARTS,
        )
        for row in rows:
            with records.reading():
                values = json.loads(row["detail_values"])
                total = values["total"] if isinstance(values["total"], int) else 0
                part = records.read_row(
                    Fragment, {**row, "number": values["number"], "total": total}
                )
                found.setdefault(values["mail"], []).append(part)
        return found

    def record_joined(
        self,
        parts: Iterable[Fragment],
        home: Fragment,
        whole: Submission,
        attachments: Iterable[Attachment],
    ) -> None:
        """Record what was in a mail that came in several *parts*, in one transaction.

        It belongs to the mail that brought *home*; its words and links are those of the *whole*
        mail.  What made one of the two doubtful, or takes footage back, holds for what is joined.
        """
        base = home.rows_of_mail
        with self._db.transaction():
            row = self._db.row("SELECT notes FROM submission WHERE id = ?", home.submission)
            own = records.strings(row["notes"]) if row else ()
            notes = dict.fromkeys((*whole.notes, *(each for each in own if each in _STAYING)))
            self._insert(
                home.submission,
                [
                    replace(
                        item,
                        position=base + item.position,
                        parent=home.position if item.parent is None else base + item.parent,
                        pair=None if item.pair is None else base + item.pair,
                    )
                    for item in attachments
                ],
            )
            self._db.change(
                "UPDATE submission SET subject = coalesce(nullif(?, ''), subject), text = ?,"
                " notes = ?, links = ? WHERE id = ?",
                *(whole.subject, whole.text, json.dumps([*notes])),
                *(json.dumps(whole.links), home.submission),
            )
            for part in parts:
                self._db.change(
                    "UPDATE attachment SET kind = 'archive', reason = NULL, detail_code = NULL,"
                    " detail_values = NULL WHERE sha256 = ? AND detail_code = ?",
                    *(part.sha256, _IN_PARTS),
                )

    def _insert(self, submission: str, items: Iterable[Attachment]) -> None:
        """Insert the rows of one submission, and add an event for each whose bytes were read."""
        shas: dict[int, str | None] = {}
        for item in items:
            self._db.insert("attachment", {"submission": submission, **records.columns(item)})
            shas[item.position] = item.sha256
            if item.sha256 is None:
                continue
            is_new = self._db.change(
                "INSERT INTO original (sha256, size, stored_at) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                *(item.sha256, item.size, clock.now()),
            )
            head = self._chain.append(
                *(EventKind.STORED if is_new else EventKind.REPEATED, item.sha256),
                submission=submission,
                position=item.position,
                size=item.size,
                kind=item.kind,
                container=None if item.parent is None else shas.get(item.parent),
                reason=item.refusal.reason if item.refusal else None,
                code=item.refusal.code if item.refusal else None,
            )
            if is_new:
                self._chain.time_original(item.sha256, head)

    def kept_attachments(self) -> dict[tuple[str, int], tuple[str, int]]:
        """SHA-256 and size of each attachment whose bytes were read, by submission and position."""
        rows = self._db.rows(
            "SELECT submission, position, sha256, size FROM attachment WHERE sha256 IS NOT NULL"
        )
        return {(row["submission"], row["position"]): (row["sha256"], row["size"]) for row in rows}

    def sender_numbers(self) -> dict[str, int]:
        """A number for each sender, by the address as :func:`addressees.person` has it.

        They are counted in the order in which their first mails were taken in, so a number stays
        the same whatever comes later.
        """
        senders = self._db.column(
            "SELECT sender FROM submission WHERE sender != '' GROUP BY sender ORDER BY min(rowid)"
        )
        people = dict.fromkeys(map(addressees.person, senders))
        return {person: number for number, person in enumerate(people, 1)}

    def add_note(self, submissions: Iterable[str], note: Note) -> None:
        """Add a note to mails that do not have it."""
        with self._db.transaction():
            for submission in submissions:
                self._db.change(
                    "UPDATE submission SET notes = json_insert(notes, '$[#]', ?) WHERE id = ?"
                    " AND NOT EXISTS (SELECT 1 FROM json_each(notes) WHERE value = ?)",
                    *(note.value, submission, note.value),
                )

    def ids(self) -> list[str]:
        """The ids of all submissions, also of those whose rows can't be read."""
        return self._db.column("SELECT id FROM submission")

    def emptied(self) -> list[str]:
        """The ids of the mails whose words are not in the ledger: each withdrawn mail is one."""
        return self._db.column(
            "SELECT id FROM submission WHERE subject = '' AND text = '' AND name = ''"
            " AND links = '[]'"
        )

    def submissions(self) -> list[Submission]:
        """All submissions, in the order in which they were received."""
        rows = self._db.rows("SELECT * FROM submission ORDER BY received_at, rowid")
        return [records.read_row(Submission, row) for row in rows]


def _mail(identity: MailIdentity, submission: str, digest: str) -> records.Columns:
    return {**records.columns(identity), "submission": submission, "digest": digest}
