"""The ledger's part that process writes and the report reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from pipeline import clock
from pipeline.ledger import records
from pipeline.ledger.reviews import Reviews
from pipeline.model import Attachment, ClipResult, Review, Row, Submission


class Clips(Reviews):
    """An outcome for each original, a row for each attachment."""

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
