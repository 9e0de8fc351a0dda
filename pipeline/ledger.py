"""The ledger: what came in, what became of it, what was decided.  The one door for SQL.

SQLite in WAL mode with ``synchronous=FULL``, so that what a transaction says is on the disk
when it returns; ``secure_delete`` on, so that what is deleted is gone.  Of a run the
coordinating process alone writes; decisions are short transactions beside it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any, Self

from pipeline import clock, records
from pipeline.errors import StageError
from pipeline.model import Attachment, ClipResult, MailIdentity, Review, Row, Submission
from pipeline.reviews import Reviews

_VERSION = 1


class Ledger(Reviews):
    """A connection to a workspace's ledger; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open the ledger, making it if need be.

        :raises StageError: it was made by a newer version of the program.
        """
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            self._db.execute(f"PRAGMA {pragma}")
        self._migrate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise StageError(
                f"the ledger is of version {version}, this program knows {_VERSION}: update it"
            )
        if version < _VERSION:
            schema = resources.files("pipeline").joinpath("schema.sql").read_text("utf-8")
            with self.transaction():
                # asked again inside the lock: another process may have been faster
                (version,) = self._db.execute("PRAGMA user_version").fetchone()
                if version < _VERSION:
                    for statement in schema.split(";\n"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # -- ingest ---------------------------------------------------------------------------

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

    # -- custody --------------------------------------------------------------------------

    def originals_stored_by(self, moment: str) -> list[tuple[str, bool]]:
        """Kept originals stored by *moment*, each with whether nothing is left to make."""
        rows = self._db.execute(
            "SELECT o.sha256, EXISTS (SELECT 1 FROM clip c WHERE c.sha256 = o.sha256"
            "  AND c.status IN ('accepted', 'rejected'))"
            " OR NOT EXISTS (SELECT 1 FROM attachment a WHERE a.sha256 = o.sha256"
            "  AND a.reason IS NULL AND a.kind != 'archive') AS finished"
            " FROM original o WHERE o.state = 'kept' AND o.stored_at <= ? ORDER BY o.stored_at",
            (moment,),
        )
        return [(row["sha256"], bool(row["finished"])) for row in rows]

    def originals_of(self, *, submission: str | None, sender: str | None) -> list[str]:
        """The originals that came in a submission, or from a sender's address."""
        rows = self._db.execute(
            "SELECT DISTINCT a.sha256 FROM attachment a JOIN submission s ON s.id = a.submission"
            " WHERE a.sha256 IS NOT NULL AND (s.id = ? OR lower(s.sender) = lower(?))",
            (submission, sender),
        )
        return [row["sha256"] for row in rows]

    def archives_and_members(self, shas: Iterable[str]) -> list[str]:
        """*shas*, the archives that hold them, and what came in those among them."""
        wanted = dict.fromkeys(shas)
        for sha256 in list(wanted):
            rows = self._db.execute(
                "SELECT other.sha256 FROM attachment a JOIN attachment other"
                " ON other.submission = a.submission"
                " AND (other.position = a.parent OR other.parent = a.position)"
                " WHERE a.sha256 = ? AND other.sha256 IS NOT NULL",
                (sha256,),
            )
            wanted |= dict.fromkeys(row["sha256"] for row in rows)
        return list(wanted)

    def withdraw(self, shas: list[str]) -> list[str]:
        """Note that footage was taken back: what was made of it and decided on it is forgotten.

        :returns: the paths of the montages that hold it; they are stale now.
        """
        with self.transaction():
            for sha256 in shas:
                self._db.execute(
                    "UPDATE original SET state = 'withdrawn' WHERE sha256 = ?", (sha256,)
                )
                self._db.execute("DELETE FROM clip WHERE sha256 = ?", (sha256,))
                self._db.execute("DELETE FROM decision WHERE sha256 = ?", (sha256,))
            stale = [film["path"] for film in self.montages() if set(film["clips"]) & set(shas)]
            self._db.executemany(
                "UPDATE montage SET stale = 1 WHERE path = ?", [(path,) for path in stale]
            )
        return stale

    # -- process --------------------------------------------------------------------------

    def firsts(self) -> list[tuple[Attachment, Submission]]:
        """Each distinct original that may become a clip, as it came in first, in order."""
        rows = self._db.execute(
            "SELECT a.*, s.*, a.rowid FROM attachment a JOIN submission s ON s.id = a.submission"
            " WHERE a.id IN (SELECT min(id) FROM attachment WHERE sha256 IS NOT NULL"
            " AND reason IS NULL GROUP BY sha256) AND a.kind != 'archive' ORDER BY a.id"
        )
        return [
            (records.to_attachment(row), records.to_submission(row, row["submission"]))
            for row in rows
        ]

    def clips(self) -> dict[str, ClipResult]:
        """The outcomes that are known, by the original's SHA-256."""
        rows = self._db.execute("SELECT * FROM clip")
        return {row["sha256"]: records.to_clip(row) for row in rows}

    def record_clip(self, result: ClipResult) -> None:
        """Write down what became of an original; its files are published already."""
        reason, detail = records.refusal_columns(result.refusal)
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO clip VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    result.sha256,
                    result.recipe,
                    result.status,
                    reason,
                    detail,
                    records.findings_json(result.findings),
                    None if result.clean is None else int(result.clean),
                    json.dumps(asdict(result.source)) if result.source else None,
                    result.caption,
                    result.category,
                    json.dumps(result.warnings),
                    json.dumps([asdict(output) for output in result.outputs]),
                    clock.now(),
                ),
            )

    def forget_clips(self, shas: Iterable[str]) -> None:
        """Put clips back in line: their outcomes are forgotten."""
        with self.transaction():
            self._db.executemany("DELETE FROM clip WHERE sha256 = ?", [(sha,) for sha in shas])

    # -- report ---------------------------------------------------------------------------

    def submissions(self) -> list[Submission]:
        """All submissions, in the order in which they were received."""
        rows = self._db.execute("SELECT * FROM submission ORDER BY received_at, rowid")
        return [records.to_submission(row, row["id"]) for row in rows]

    def rows(self) -> list[Row]:
        """A row for each attachment that was ever received, in the order of receipt."""
        clips = self.clips()
        reviews = self.reviews()
        states = {row["sha256"]: row["state"] for row in self._db.execute("SELECT * FROM original")}
        listed = self._db.execute(
            "SELECT a.*, p.sha256 AS parent_sha256,"
            " (SELECT f.id FROM attachment f WHERE f.sha256 = a.sha256"
            "  ORDER BY f.reason IS NOT NULL, f.id LIMIT 1) AS first"
            " FROM attachment a JOIN submission s ON s.id = a.submission"
            " LEFT JOIN attachment p ON p.submission = a.submission AND p.position = a.parent"
            " ORDER BY s.received_at, s.rowid, a.position"
        )
        rows = []
        for line in listed:
            sha256 = line["sha256"]
            repeated = sha256 is not None and line["first"] != line["id"]
            result = clips.get(sha256)
            item = records.to_attachment(line)
            status, refusal = records.outcome(item, states.get(sha256), result, repeated=repeated)
            rows.append(
                Row(
                    submission=line["submission"],
                    attachment=item,
                    parent_sha256=line["parent_sha256"],
                    status=status,
                    refusal=refusal,
                    duplicate_of=sha256 if repeated else None,
                    result=result,
                    review=reviews.get(sha256, Review()),
                )
            )
        return rows

    def new_originals(self) -> set[str]:
        """The originals that the last run which brought any brought."""
        rows = self._db.execute(
            "SELECT sha256 FROM original WHERE stored_at >= (SELECT max(started_at) FROM run"
            " WHERE started_at <= (SELECT max(stored_at) FROM original))"
        )
        return {row["sha256"] for row in rows}

    def matching(self, prefix: str) -> list[str]:
        """The originals whose SHA-256 begins with *prefix* (hex digits), two at most."""
        rows = self._db.execute(
            "SELECT DISTINCT sha256 FROM attachment WHERE substr(sha256, 1, ?) = ? LIMIT 2",
            (len(prefix), prefix),
        )
        return [row["sha256"] for row in rows]

    # -- runs and montages ----------------------------------------------------------------

    def start_run(self, run_id: str, command: str) -> None:
        """Note that a command began."""
        with self.transaction():
            self._db.execute(
                "INSERT INTO run (id, command, started_at) VALUES (?, ?, ?)",
                (run_id, command, clock.now()),
            )

    def end_run(self, run_id: str, exit_code: int, summary: dict[str, Any]) -> None:
        """Note how a command ended."""
        with self.transaction():
            self._db.execute(
                "UPDATE run SET ended_at = ?, exit_code = ?, summary = ? WHERE id = ?",
                (clock.now(), exit_code, json.dumps(summary, default=str), run_id),
            )

    def last_run(self) -> dict[str, Any] | None:
        """The newest run: id, command, started_at, ended_at, exit_code, summary."""
        row = self._db.execute("SELECT * FROM run ORDER BY started_at DESC, id DESC").fetchone()
        if row is None:
            return None
        return dict(row) | {"summary": json.loads(row["summary"] or "{}")}

    def montage_key(self, path: str) -> str | None:
        """The key of the montage that stands at *path*, None if there is none or it is stale."""
        row = self._db.execute(
            "SELECT key FROM montage WHERE path = ? AND NOT stale", (path,)
        ).fetchone()
        return row["key"] if row else None

    def record_montage(self, path: str, key: str, sha256: str, clips: list[str]) -> None:
        """Note what went into a montage."""
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO montage VALUES (?, ?, ?, ?, ?, 0)",
                (path, key, sha256, json.dumps(clips), clock.now()),
            )

    def montages(self) -> list[dict[str, Any]]:
        """All montages: path, key, sha256, clips (list of SHA-256), made_at, stale."""
        rows = self._db.execute("SELECT * FROM montage ORDER BY path")
        return [
            dict(row) | {"clips": json.loads(row["clips"]), "stale": bool(row["stale"])}
            for row in rows
        ]
