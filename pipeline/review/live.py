"""Decisions of a review that is going on: one at a time, seen by all, taken back again.

Every change names what the reviewer saw; where somebody else was faster it is refused, and
the reviewer is shown what stands there now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pipeline import clock
from pipeline.ledger import Ledger
from pipeline.model import Review
from pipeline.review import entries
from pipeline.review.entries import Misfit
from pipeline.review.report import review_as_data


class Overtaken(Exception):
    """Somebody else decided since; ``review`` is what stands there now."""

    def __init__(self, review: Review) -> None:
        super().__init__("somebody else decided on it meanwhile")
        self.review = review


@dataclass(frozen=True)
class Change:
    """What stands on a clip after an event."""

    sha256: str
    review: Review

    def as_data(self) -> dict[str, Any]:
        """As the page takes it."""
        return {"sha256": self.sha256, "review": review_as_data(self.review)}


def decide(ledger: Ledger, entry: Any, seen: Any, by: str) -> Change:
    """Write down one decision.

    :param entry: of the shape of a decisions file's entries.
    :param seen: the review that the reviewer saw, as the report has it.
    :raises Misfit: the entry is malformed, or its clip is unknown or withdrawn.
    :raises Overtaken: something else stands there than what the reviewer saw.
    """
    sha256, values = entries.parse(entry)
    if ledger.matching(sha256) != [sha256]:
        raise Misfit("no clip has this SHA-256")
    if ledger.original_state(sha256) == "withdrawn":
        raise Misfit("the clip is withdrawn")

    def change(before: Review) -> Review:
        if review_as_data(before) != seen:
            raise Overtaken(before)
        return replace(before, **values | {"by": by, "at": clock.now()})

    _before, after = ledger.amend(sha256, change)
    return Change(sha256, after)


def undo(ledger: Ledger, by: str) -> Change | None:
    """Take back the newest decision of *by* that was not taken back yet, if there is one.

    :raises Overtaken: somebody else decided on that clip since.
    """
    own = [event for event in ledger.trail() if event.by == by]
    undone = {event.undoes for event in own}
    last = next((e for e in reversed(own) if e.undoes is None and e.id not in undone), None)
    if last is None:
        return None

    def change(now: Review) -> Review:
        # but for the time, which an undo of a later decision has moved
        if replace(now, at=None) != replace(last.after, at=None):
            raise Overtaken(now)
        # the time is that of this event, so that others see that something happened
        return replace(last.before, at=clock.now())

    _before, after = ledger.amend(last.sha256, change, by=by, undoes=last.id)
    return Change(last.sha256, after)


def changes(ledger: Ledger, after: int) -> tuple[int, list[Change]]:
    """What others (and this reviewer) decided since the entry numbered *after*.

    :returns: the number to ask with next, and what stands on each clip that changed.
    """
    events = ledger.trail(after)
    newest = {event.sha256: event.after for event in events}
    end = events[-1].id if events else after
    return end, [Change(sha256, review) for sha256, review in newest.items()]
