"""What process writes and the report reads: outcomes, and a row for each attachment."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline import clock, correspondence
from pipeline.consent import Consent, ConsentRecord, combined
from pipeline.history import EventKind
from pipeline.ledger import records
from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection
from pipeline.ledger.consents import Consents
from pipeline.ledger.intake import Intake
from pipeline.ledger.reviews import MONTAGES_WITH_ARE_STALE, Reviews, read_review
from pipeline.model import (
    Attachment,
    ClipResult,
    Note,
    OriginalState,
    Review,
    Row,
    Status,
    Submission,
)
from pipeline.texts import Detail

# Refusals by which an original broke a program or kept it busy.
_TROUBLE = [
    Detail.TOO_SLOW,
    Detail.STUCK,
    Detail.STARVED,
    Detail.OUT_OF_MEMORY,
    Detail.LIMIT_REACHED,
    Detail.KILLED,
    Detail.DECODER_CRASHED,
    Detail.DECODER_MISUSED,
    Detail.WORKERS_LOST,
]


class Clips:
    """An outcome for each original, a row for each attachment."""

    def __init__(self, connection: Connection, chain: Chain) -> None:
        self._db, self._chain = connection, chain

    def candidates(self) -> list[tuple[Attachment, Submission]]:
        """Each distinct original that may become a clip, as it came in first, in order."""
        mails = {row["id"]: row for row in self._db.rows("SELECT * FROM submission")}
        rows = self._db.rows(
            "SELECT * FROM attachment WHERE id IN (SELECT min(id) FROM attachment"
            " WHERE sha256 IS NOT NULL AND reason IS NULL GROUP BY sha256)"
            " AND kind != 'archive' ORDER BY id"
        )
        with records.reading():
            return [
                (records.read(Attachment, row), records.read(Submission, mails[row["submission"]]))
                for row in rows
            ]

    def results(self, *, skips: bool = False) -> dict[str, ClipResult]:
        """The known outcomes, by the original's SHA-256.

        :param skips: leave out rows that can't be read.
        """
        rows = self._db.rows("SELECT * FROM clip")
        return {
            row["sha256"]: result for row, result in records.readable(rows, _result, skips=skips)
        }

    def result(self, sha256: str) -> ClipResult | None:
        """The outcome for one original, None if there is none."""
        row = self._db.row("SELECT * FROM clip WHERE sha256 = ?", sha256)
        return _result(row) if row else None

    def record(self, result: ClipResult) -> None:
        """Record what became of an original; its files must be published before."""
        refusal = result.refusal
        with self._db.transaction():
            if self.hides_anew(result):
                self._db.change(MONTAGES_WITH_ARE_STALE, result.sha256)
            self._write(result)
            if refusal and refusal.may_pass:
                self._count_attempt(result.sha256)
            self._chain.append(
                *(EventKind.REFUSED if refusal else EventKind.MADE, result.sha256),
                recipe=result.recipe,
                reason=refusal.reason if refusal else None,
                code=refusal.code if refusal else None,
                outputs={output.name: output.sha256 for output in result.outputs},
            )

    def hides_anew(self, result: ClipResult) -> bool:
        """Whether an outcome replaces a clip that hides something else."""
        row = self._db.row("SELECT outputs FROM clip WHERE sha256 = ?", result.sha256)
        with records.reading():
            outputs = json.loads(row["outputs"]) if row else ()
            before = {output.get("hides", "") for output in outputs}
        return bool(before) and before != {output.hides for output in result.outputs}

    def describe(self, result: ClipResult) -> None:
        """Record what is known of a clip whose files stay the same."""
        with self._db.transaction():
            self._write(result)

    def _write(self, result: ClipResult) -> None:
        if not (result.refusal and result.refusal.may_pass):
            self._db.change("DELETE FROM attempt WHERE sha256 = ?", result.sha256)
        self._db.insert("clip", {**records.columns(result), "done_at": clock.now()}, replace=True)

    def count_attempt(self, sha256: str) -> int:
        """Count that a worker was lost while it made a clip; return how often that was.

        A failure that may pass counts too, see ``record``.  The count ends with another outcome,
        and when somebody has the clip made again.
        """
        with self._db.transaction():
            return self._count_attempt(sha256)

    def _count_attempt(self, sha256: str) -> int:
        self._db.change(
            "INSERT INTO attempt (sha256, count) VALUES (?, 1)"
            " ON CONFLICT (sha256) DO UPDATE SET count = count + 1",
            sha256,
        )
        row = self._db.row("SELECT count FROM attempt WHERE sha256 = ?", sha256)
        return int(row["count"]) if row else 1

    def attempts(self) -> dict[str, int]:
        """How many attempts came to nothing, by the original's SHA-256."""
        return {row["sha256"]: row["count"] for row in self._db.rows("SELECT * FROM attempt")}

    def troubled(self) -> set[str]:
        """The originals, by SHA-256, that once broke a program or took too long."""
        rows = self._db.rows(
            "SELECT DISTINCT subject FROM event WHERE kind = ?1"
            " AND json_extract(facts, '$.code') IN (SELECT value FROM json_each(?2))",
            *(EventKind.REFUSED, json.dumps(_TROUBLE)),
        )
        return {row["subject"] for row in rows}

    def forget(self, shas: Iterable[str]) -> None:
        """Delete the outcomes of originals, so that process makes their clips again."""
        with self._db.transaction():
            for sha256 in shas:
                self._db.change("DELETE FROM attempt WHERE sha256 = ?", sha256)
                if self._db.change("DELETE FROM clip WHERE sha256 = ?", sha256):
                    self._chain.append(EventKind.FORGOTTEN, sha256)

    def counts(self) -> dict[str, int]:
        """How many attachments were received, and how many clips are finished."""
        row = self._db.row(
            "SELECT (SELECT count(*) FROM attachment) AS attachments,"
            " (SELECT count(*) FROM clip WHERE status = ?) AS clips",
            Status.ACCEPTED,
        )
        return {name: row[name] for name in ("attachments", "clips")} if row else {}

    def rows(self) -> list[Row]:
        """A row for each attachment that was ever received, in the order of receipt."""
        clips = self.results()
        reviews = Reviews(self._db, self._chain).current()
        states = {
            row["sha256"]: records.state(row)
            for row in self._db.rows("SELECT sha256, state FROM original")
        }
        listed = self._db.rows(
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
            item = records.read_row(Attachment, line)
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
                    has_original=states.get(sha256, OriginalState.KEPT) is OriginalState.KEPT,
                )
            )
        consents = Consents(self._db, self._chain).current()
        return self._with_holds(_with_consents(_hidden_with_films(_with_films(rows)), consents))

    def hidden_with_films(self) -> set[str]:
        """The photos, by SHA-256, that are shown nowhere; see :class:`~pipeline.model.Row`."""
        if not self._db.row("SELECT 1 FROM attachment WHERE pair IS NOT NULL LIMIT 1"):
            return set()
        return {row.sha256 for row in self.rows() if row.is_hidden_with_film}

    def is_hidden_with_film(self, sha256: str) -> bool:
        """Whether a photo is shown nowhere; reads little where it has no film that hides a part."""
        reviews = self._db.rows(
            "SELECT d.* FROM attachment p JOIN attachment f"
            " ON f.submission = p.submission AND f.position = p.pair"
            " JOIN decision d ON d.sha256 = f.sha256 WHERE p.sha256 = ?",
            sha256,
        )
        return any(read_review(row).hides_picture for row in reviews) and (
            sha256 in self.hidden_with_films()
        )

    def _with_holds(self, rows: list[Row]) -> list[Row]:
        """Give each row the mails that take its bytes back, by whichever mail they came."""
        holding = [f'%"{note}"%' for note in (Note.TAKES_BACK, Note.AFTER_CONSENT, Note.AFTER_NO)]
        if not self._db.row(
            "SELECT 1 FROM submission WHERE notes LIKE ? OR notes LIKE ? OR notes LIKE ? LIMIT 1",
            *holding,
        ):
            return rows  # reading ten thousand mails costs a quarter of a second
        mails = Intake(self._db, self._chain).submissions()
        handled = Reviews(self._db, self._chain).handled().keys()
        letters = Consents(self._db, self._chain).questions()
        held = correspondence.holds(mails, handled, letters=letters)
        by_bytes: dict[str, dict[str, None]] = {}
        for row in rows:
            if row.sha256 and row.submission in held:
                by_bytes.setdefault(row.sha256, {}).update(dict.fromkeys(held[row.submission]))
        return [
            replace(row, held_by=tuple(by_bytes[row.sha256])) if row.sha256 in by_bytes else row
            for row in rows
        ]


def _result(row: sqlite3.Row) -> ClipResult:
    return records.read_row(ClipResult, row)


def _with_consents(rows: list[Row], consents: Mapping[str, ConsentRecord]) -> list[Row]:
    """Give each row what was agreed to for its bytes, by whichever mails they came."""
    if not consents:
        return rows
    by_bytes: dict[str, list[ConsentRecord]] = {}
    for at, row in enumerate(rows):
        if row.sha256:
            record = consents.get(row.submission, ConsentRecord(row.submission))
            by_bytes.setdefault(row.sha256, []).append(record)
            rows[at] = replace(row, own_consent=record.consent)
    return [_with_consent(row, by_bytes[row.sha256]) if row.sha256 else row for row in rows]


def _with_consent(row: Row, records: Sequence[ConsentRecord]) -> Row:
    consent = combined(record.consent for record in records)
    if consent is not Consent.YES_WITH_NAME:
        return replace(row, consent=consent)
    return replace(
        row, consent=consent, credit=next(filter(None, (it.credit for it in records)), "")
    )


def _with_films(rows: list[Row]) -> list[Row]:
    """Give each photo of a Live Photo the film that stands for it."""
    if all(row.attachment.pair is None for row in rows):
        return rows
    films = {
        (row.submission, row.attachment.position): row.sha256
        for row in rows
        # a film that was taken back takes its photo with it, as one of which a part is hidden
        if row.status in (Status.ACCEPTED, Status.PENDING, Status.WITHDRAWN)
        or (row.status is Status.DUPLICATE and row.refusal is None)
        or row.review.hides_picture
    }
    return [
        row
        if row.attachment.pair is None
        else replace(row, pair=films.get((row.submission, row.attachment.pair)))
        for row in rows
    ]


def _hidden_with_films(rows: list[Row]) -> list[Row]:
    """Note which photos are shown nowhere, because a part of a film with them may not be seen.

    A photo that came first without a film is a clip of its own, on which a person decides.
    """
    films = {row.sha256 for row in rows if row.review.hides_picture}
    hidden = {row.sha256 for row in rows if row.pair in films}
    hidden -= {row.sha256 for row in rows if row.pair is None and row.duplicate_of is None}
    return [replace(row, is_hidden_with_film=True) if row.sha256 in hidden else row for row in rows]
