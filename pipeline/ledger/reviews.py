"""What reviewers write: decisions on clips, their audit trail, and which mails are dealt with."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from pipeline import clock, protection
from pipeline.history import EventKind, Handled, TrailEntry
from pipeline.ledger import records
from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection
from pipeline.ledger.hashing import digest_of_row
from pipeline.model import Review

Change = Callable[[Review], Review | None]

_SHORT = 16  # digits of a hash that is only compared for being the same
_PROVED = ("sha256", "at", "by", "before", "after")  # columns of an entry of the trail
# fields of a review that have a column of their own; the newer ones share the column ``more``
_COLUMNS = ("decision", "note", "by", "at", "caption", "category", "in_s", "out_s")
# montages that show a clip from before its masks were changed
MONTAGES_WITH_ARE_STALE = (
    "UPDATE montage SET stale = 1"
    " WHERE EXISTS (SELECT 1 FROM json_each(montage.clips) WHERE value = ?)"
)


@dataclass(frozen=True)
class Amendment:
    """The review of a clip before an event and after it."""

    sha256: str
    before: Review
    after: Review


class Reviews:
    """Decisions bind to the SHA-256 of an original and outlive its clip."""

    def __init__(self, connection: Connection, chain: Chain) -> None:
        self._db, self._chain = connection, chain

    def current(self, *, skips: bool = False) -> dict[str, Review]:
        """The current review of each original that has one, by its SHA-256.

        :param skips: leave out rows that can't be read.
        """
        rows = self._db.rows("SELECT * FROM decision")
        return {
            row["sha256"]: review
            for row, review in records.readable(rows, read_review, skips=skips)
        }

    def amend(self, sha256: str, change: Change) -> Amendment:
        """Change the review of one clip; nobody else can write between reading and writing.

        :param change: maps the current review to the new one; None leaves it as it is.
        """
        return self.amend_all({sha256: change})[sha256]

    def amend_all(
        self,
        changes: Mapping[str, Change],
        *,
        by: str | None = None,
        undoes: Mapping[str, int] | None = None,
    ) -> dict[str, Amendment]:
        """Change the reviews of several clips as one act, which is undone as one.

        If a change raises, nothing is recorded.

        :param changes: by the original's SHA-256, each as in :meth:`amend`.
        :param by: who acts, if that is not the author of the new review.
        :param undoes: by SHA-256, the entry of the trail that is taken back.
        """
        done: dict[str, Amendment] = {}
        act = None  # NULL in the first event
        with self._db.transaction():
            for sha256, change in changes.items():
                before = self._review(sha256)
                changed = change(before)
                if changed is None:
                    done[sha256] = Amendment(sha256, before, before)
                    continue
                after = replace(changed, at=changed.at or clock.now())
                done[sha256] = Amendment(sha256, before, after)
                review = {"sha256": sha256, **_written(after)}
                self._db.insert("decision", review, replace=True)
                event = {
                    "sha256": sha256,
                    "at": clock.now(),
                    "by": after.by if by is None else by,
                    "before": json.dumps(stored(before)),
                    "after": json.dumps(stored(after)),
                    "act": act,
                    "undoes": (undoes or {}).get(sha256),
                }
                number = self._db.insert("decision_trail", event)
                if _hides(before) != _hides(after):
                    self._db.change(MONTAGES_WITH_ARE_STALE, sha256)
                shown, shown_before = facts_of(sha256, after), facts_of(sha256, before)
                self._chain.append(
                    *(EventKind.DECIDED, sha256),
                    decision=after.decision,
                    trail=number,
                    entry=digest_of_row([event[name] for name in _PROVED]),
                    **{name: fact for name, fact in shown.items() if fact != shown_before[name]},
                )
                act = act or number
        return done

    def trail(self, after: int = 0, *, skips: bool = False) -> list[TrailEntry]:
        """The entries of the trail behind the one numbered *after*, in the order of events.

        :param skips: leave out rows that can't be read.
        """
        rows = self._db.rows(
            "SELECT id, sha256, at, by, before, after, coalesce(act, id) AS act, undoes"
            " FROM decision_trail WHERE id > ? ORDER BY id",
            after,
        )
        return [entry for _, entry in records.readable(rows, read_entry, skips=skips)]

    def trail_digests(self) -> dict[int, str]:
        """The digest of each entry of the trail, by its number; the chain has them too."""
        rows = self._db.rows(f"SELECT id, {', '.join(_PROVED)} FROM decision_trail")  # noqa: S608 - our own names
        return {row["id"]: digest_of_row([row[name] for name in _PROVED]) for row in rows}

    def trail_end(self) -> int:
        """The number of the newest entry of the trail; 0 if there is none."""
        row = self._db.row("SELECT max(id) AS id FROM decision_trail")
        return int(row["id"] or 0) if row else 0

    def handled(self) -> dict[str, Handled]:
        """The mails that a person has dealt with, by the id of the submission."""
        rows = self._db.rows("SELECT * FROM handled")
        return {row["submission"]: records.read_row(Handled, row) for row in rows}

    def set_handled(self, submissions: Iterable[str], by: str, *, handled: bool = True) -> int:
        """Record that a person has dealt with these mails, or take that back.

        A mail that is marked already keeps its first mark.

        :returns: for how many mails that changed something.
        """
        count = 0
        with self._db.transaction():
            for submission in submissions:
                if handled:
                    changed = self._db.change(
                        "INSERT INTO handled (submission, at, by) VALUES (?, ?, ?)"
                        " ON CONFLICT DO NOTHING",
                        *(submission, clock.now(), by),
                    )
                else:
                    changed = self._db.change(
                        "DELETE FROM handled WHERE submission = ?", submission
                    )
                if changed:
                    count += 1
                    self._chain.append(EventKind.HANDLED, submission, handled=handled)
        return count

    def _review(self, sha256: str) -> Review:
        row = self._db.row("SELECT * FROM decision WHERE sha256 = ?", sha256)
        return read_review(row) if row else Review()


def facts_of(sha256: str, review: Review) -> dict[str, str]:
    """What a review says of how a clip is shown, beside the decision, as hashes and codes.

    Each is empty where the review says nothing.  The event of a decision has those that changed.
    """
    cut = (review.in_s, review.out_s)
    return {
        "masks": _hides(review),
        "cut": "" if cut == (None, None) else digest_of_row([sha256, *cut])[:_SHORT],
        "caption": digest_of_row([sha256, review.caption])[:_SHORT] if review.caption else "",
        "protect": "" if review.protect is protection.Protect.NONE else review.protect,
        "needs": " ".join(review.needs),
    }


def stored(review: Review) -> dict[str, object]:
    """Return the fields of a review by name; of the newer ones only those that say something."""
    values = asdict(review)
    usual = asdict(Review())
    return {
        name: values[name] for name in values if name in _COLUMNS or values[name] != usual[name]
    }


def _written(review: Review) -> records.Columns:
    values = stored(review)
    more = {name: values.pop(name) for name in [*values] if name not in _COLUMNS}
    return {**values, "more": json.dumps(more)}


def read_review(row: sqlite3.Row) -> Review:
    """Read a row of decisions.

    :raises RowUnreadable: it can't be read.
    """
    with records.reading():
        return records.read_row(Review, {**dict(row), **json.loads(row["more"])})


def read_entry(row: sqlite3.Row) -> TrailEntry:
    """Read a row of the trail.

    :raises RowUnreadable: it can't be read.
    """
    return records.read_row(TrailEntry, row)


def _hides(review: Review) -> str:
    return protection.hidden(review.masks, review.sounds)
