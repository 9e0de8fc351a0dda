"""The ledger's part that ingest writes: mails, what was in them, and the originals."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pipeline import clock
from pipeline.ledger import records
from pipeline.ledger.connection import Connection
from pipeline.model import Attachment, MailIdentity, Submission


class Intake(Connection):
    """A mail is written down once, with all that was in it, when its files are safe."""

    def known_uids(self, account: str, mailbox: str, uidvalidity: int) -> set[str]:
        """The mails of a mailbox that were taken in already."""
        rows = self._db.execute(
            "SELECT uid FROM mail WHERE account = ? AND mailbox = ? AND uidvalidity = ?",
            (account, mailbox, uidvalidity),
        )
        return {row["uid"] for row in rows}

    def submission_of_digest(self, digest: str) -> str | None:
        """The submission that a mail of the same bytes made, whatever its UID was."""
        row = self._db.execute(
            "SELECT submission FROM mail WHERE digest = ? LIMIT 1", (digest,)
        ).fetchone()
        return row["submission"] if row else None

    def record_mail(
        self,
        identity: MailIdentity,
        digest: str,
        submission: Submission,
        attachments: Iterable[Attachment],
    ) -> None:
        """Take in a mail with all that was in it, in one transaction.

        The files must be published before: a row that names a file is never ahead of it.
        """
        with self.transaction():
            self._db.execute(
                "INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    submission.id,
                    submission.message_id,
                    submission.sender,
                    submission.subject,
                    submission.text,
                    submission.received_at,
                    json.dumps(submission.notes),
                    json.dumps(submission.recipients),
                ),
            )
            self._db.execute(
                "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, 'no')",
                (*records.identity_key(identity), submission.id, digest),
            )
            for item in attachments:
                self._record_attachment(submission.id, item)

    def record_seen_again(self, identity: MailIdentity, digest: str, submission: str) -> None:
        """Note that a mail known by its bytes stands under another UID too."""
        with self.transaction():
            self._db.execute(
                "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, 'no')",
                (*records.identity_key(identity), submission, digest),
            )

    def _record_attachment(self, submission: str, item: Attachment) -> None:
        reason, detail = records.refusal_columns(item.refusal)
        self._db.execute(
            "INSERT INTO attachment (submission, position, parent, filename, kind, sha256, size,"
            " reason, detail, findings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                submission,
                item.position,
                item.parent,
                item.filename,
                item.kind,
                item.sha256,
                item.size,
                reason,
                detail,
                records.findings_json(item.findings),
            ),
        )
        if item.sha256 is not None:
            self._db.execute(
                "INSERT INTO original (sha256, size, stored_at) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (item.sha256, item.size, clock.now()),
            )

    def mails_filed(self, account: str, mailbox: str, uidvalidity: int, filed: str) -> list[str]:
        """UIDs of taken-in mails whose move on the server is at *filed*: no, asked or yes."""
        rows = self._db.execute(
            "SELECT uid FROM mail WHERE account = ? AND mailbox = ? AND uidvalidity = ?"
            " AND filed = ?",
            (account, mailbox, uidvalidity, filed),
        )
        return [row["uid"] for row in rows]

    def mails_to_file(self, account: str, mailbox: str, uidvalidity: int) -> list[str]:
        """UIDs of mails that may be moved on the server: all that came in them is on the disk."""
        rows = self._db.execute(
            "SELECT uid FROM mail WHERE account = ? AND mailbox = ? AND uidvalidity = ?"
            " AND filed = 'no' AND NOT EXISTS (SELECT 1 FROM attachment a"
            " WHERE a.submission = mail.submission AND a.parent IS NULL AND a.sha256 IS NULL)",
            (account, mailbox, uidvalidity),
        )
        return [row["uid"] for row in rows]

    def set_filed(self, identities: Iterable[MailIdentity], filed: str) -> None:
        """Note how far the move of mails on the server has come: no, asked or yes."""
        with self.transaction():
            self._db.executemany(
                "UPDATE mail SET filed = ? WHERE account = ? AND mailbox = ?"
                " AND uidvalidity = ? AND uid = ?",
                [(filed, *records.identity_key(identity)) for identity in identities],
            )

    def original_state(self, sha256: str) -> str | None:
        """kept, purged or withdrawn; None if these bytes never came."""
        row = self._db.execute("SELECT state FROM original WHERE sha256 = ?", (sha256,)).fetchone()
        return row["state"] if row else None

    def set_original_state(self, sha256: str, state: str) -> None:
        """Note that an original was deleted (purged, withdrawn) or came back (kept, from now)."""
        with self.transaction():
            self._db.execute(
                "UPDATE original SET stored_at = CASE WHEN ?1 = 'kept' AND state != 'kept'"
                " THEN ?2 ELSE stored_at END, state = ?1 WHERE sha256 = ?3",
                (state, clock.now(), sha256),
            )
