"""What senders agreed to: an entry for each time that somebody records it.

The newest entry of a submission counts.  A withdrawal deletes the entries, because they hold a
name.  The chain of custody has a digest of each, and a random salt in the entry keeps anybody from
finding the name by trying names.
"""

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace

from pipeline import clock
from pipeline.consent import Consent, ConsentCourse, ConsentRecord
from pipeline.history import EventKind
from pipeline.ledger import records
from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection
from pipeline.ledger.hashing import digest_of_row

_PROVED = ("submission", "consent", "name", "place", "by", "at", "question", "salt")

ConsentChange = Callable[[ConsentRecord], ConsentRecord | None]


class Consents:
    """The consents of a workspace."""

    def __init__(self, connection: Connection, chain: Chain) -> None:
        self._db, self._chain = connection, chain

    def current(self) -> dict[str, ConsentRecord]:
        """The consent of each submission for which one was recorded, by its id."""
        rows = self._db.rows(
            "SELECT * FROM consent WHERE id IN (SELECT max(id) FROM consent GROUP BY submission)"
        )
        return {row["submission"]: records.read_row(ConsentRecord, row) for row in rows}

    def courses(self) -> dict[str, ConsentCourse]:
        """How each submission came to its consent, by its id."""
        entered = self._chain.newest_of(EventKind.CONSENT)
        found: dict[str, ConsentCourse] = {}
        for row in self._db.rows("SELECT * FROM consent ORDER BY id"):
            record = records.read_row(ConsentRecord, row)
            before = found.get(record.submission, ConsentCourse(record))
            if record.consent is not Consent.ASKED:
                before = replace(before, answered_at=record.at or "", questions=frozenset())
            asked = before.questions | ({row["question"]} if row["question"] else set())
            number, at = entered.get(record.submission, (0, ""))
            found[record.submission] = replace(
                before, record=record, entered=number, entered_at=at, questions=asked
            )
        return found

    def amend(
        self, submission: str, change: ConsentChange, *, question: str = ""
    ) -> tuple[ConsentRecord, ConsentRecord]:
        """Change the consent of a submission; nobody else can write between reading and writing.

        :param change: maps the current consent to the new one; None leaves it as it is.
        :param question: the Message-ID of the letter that asks for it.
        :returns: the consent before and after.
        """
        with self._db.transaction():
            before = self._consent(submission)
            changed = change(before)
            if changed is None:
                return before, before
            after = replace(changed, submission=submission, at=changed.at or clock.now())
            if after.consent is not Consent.YES_WITH_NAME:
                after = replace(after, name="", place="")
            entry = {
                **records.columns(after),
                "question": question,
                "salt": secrets.token_hex(16),
            }
            number = self._db.insert("consent", entry)
            self._chain.append(
                *(EventKind.CONSENT, submission),
                consent=after.consent,
                number=number,
                entry=digest_of_row([entry[name] for name in _PROVED]),
            )
        return before, after

    def entries(self, *, skips: bool = False) -> dict[int, ConsentRecord]:
        """All entries by their numbers, also those that a newer one replaced.

        :param skips: leave out rows that can't be read.
        """
        rows = self._db.rows("SELECT * FROM consent ORDER BY id")
        return {row["id"]: entry for row, entry in records.readable(rows, _read_entry, skips=skips)}

    def newest(self) -> int:
        """The number of the newest entry; 0 if there is none."""
        row = self._db.row("SELECT max(id) AS id FROM consent")
        return int(row["id"] or 0) if row else 0

    def digests(self) -> dict[int, str]:
        """The digest of each entry, by its number; the chain has them too."""
        rows = self._db.rows("SELECT * FROM consent ORDER BY id")
        return {row["id"]: digest_of_row([row[name] for name in _PROVED]) for row in rows}

    def questions(self) -> dict[str, str]:
        """The submission that each question was about, by the Message-ID of the letter."""
        rows = self._db.rows("SELECT question, submission FROM consent WHERE question != ''")
        return {row["question"]: row["submission"] for row in rows}

    def forget(self, shas: Iterable[str]) -> None:
        """Delete the entries of the mails that brought these originals and no other footage."""
        submissions = self._db.column(
            "SELECT DISTINCT c.submission FROM consent c"
            " JOIN attachment t ON t.submission = c.submission"
            " WHERE t.sha256 IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM attachment a JOIN original o ON o.sha256 = a.sha256"
            "  WHERE a.submission = c.submission AND o.state != 'withdrawn'"
            "  AND a.reason IS NULL AND a.kind != 'archive')",
            json.dumps(list(shas)),
        )
        for submission in submissions:
            self._db.change("DELETE FROM consent WHERE submission = ?", submission)
            self._chain.append(EventKind.CONSENT, submission, consent="deleted")

    def _consent(self, submission: str) -> ConsentRecord:
        row = self._db.row(
            "SELECT * FROM consent WHERE submission = ? ORDER BY id DESC LIMIT 1", submission
        )
        return records.read_row(ConsentRecord, row) if row else ConsentRecord(submission)


def _read_entry(row: sqlite3.Row) -> ConsentRecord:
    return records.read_row(ConsentRecord, row)
