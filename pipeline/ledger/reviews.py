"""The ledger's part that reviewers write: what is decided on each clip, and the trail of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from pipeline import clock
from pipeline.ledger import records
from pipeline.ledger.connection import Connection
from pipeline.model import Review

Change = Callable[[Review], Review | None]


@dataclass(frozen=True)
class Amended:
    """What stood there before an event, and what stands there now."""

    before: Review
    after: Review


class Reviews(Connection):
    """Decisions bind to the SHA-256 of an original and outlive its clip."""

    def reviews(self) -> dict[str, Review]:
        """All decisions, by the original's SHA-256."""
        rows = self._db.execute("SELECT * FROM decision")
        return {row["sha256"]: records.to_review(row) for row in rows}

    def decide(self, sha256: str, review: Review) -> Review:
        """Record a decision, and in the trail what stood there before.

        :returns: what stood there before.
        """
        before, _after = self.amend(sha256, lambda _: review)
        return before

    def amend(self, sha256: str, change: Change) -> tuple[Review, Review]:
        """Record a decision that is made from the one before, with nobody in between.

        :param change: from what stands there to what shall stand there; None leaves it.
        :returns: what stood there before, and what stands there now.
        """
        done = self.amend_all({sha256: change})[sha256]
        return done.before, done.after

    def amend_all(
        self,
        changes: Mapping[str, Change],
        *,
        by: str | None = None,
        undoes: Mapping[str, int] | None = None,
    ) -> dict[str, Amended]:
        """Record decisions on several clips as one act, which is undone as one.

        Nothing of it is recorded if a change raises.

        :param changes: by the original's SHA-256, as :meth:`amend` takes them.
        :param by: who does it, where that is not the one whose decision then stands.
        :param undoes: by SHA-256, the entry of the trail that is taken back.
        """
        done: dict[str, Amended] = {}
        act: int | None = None
        with self.transaction():
            for sha256, change in changes.items():
                before = self._review(sha256)
                changed = change(before)
                if changed is None:
                    done[sha256] = Amended(before, before)
                    continue
                after = replace(changed, at=changed.at or clock.now())
                marks = {"undoes": (undoes or {}).get(sha256), "act": act}
                number = self._write(sha256, before, after, after.by if by is None else by, marks)
                act = act or number
                done[sha256] = Amended(before, after)
        return done

    def _review(self, sha256: str) -> Review:
        row = self._db.execute("SELECT * FROM decision WHERE sha256 = ?", (sha256,)).fetchone()
        return records.to_review(row) if row else Review()

    def _write(
        self, sha256: str, before: Review, after: Review, by: str, marks: dict[str, int | None]
    ) -> int:
        self._db.execute(
            "INSERT OR REPLACE INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sha256,
                after.decision,
                after.note,
                after.by,
                after.at,
                after.caption,
                after.category,
                after.in_s,
                after.out_s,
            ),
        )
        told = asdict(after) | {name: number for name, number in marks.items() if number}
        cursor = self._db.execute(
            "INSERT INTO decision_trail (sha256, at, by, before, after) VALUES (?, ?, ?, ?, ?)",
            (sha256, clock.now(), by, json.dumps(asdict(before)), json.dumps(told)),
        )
        return int(cursor.lastrowid or 0)

    def trail(self, after: int = 0) -> list[records.TrailEntry]:
        """What was decided since the entry numbered *after*, in the order of events."""
        rows = self._db.execute("SELECT * FROM decision_trail WHERE id > ? ORDER BY id", (after,))
        return [records.to_trail(row) for row in rows]

    def trail_end(self) -> int:
        """The number of the newest entry of the trail; 0 if there is none."""
        (number,) = self._db.execute("SELECT coalesce(max(id), 0) FROM decision_trail").fetchone()
        return int(number)
