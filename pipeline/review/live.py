"""Decisions of a review that is going on: seen by all, and taken back again as they were made.

Every change names what the reviewer saw; where somebody else was faster it is left out, and
the reviewer is shown what stands there now.  What is decided at once is taken back at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline import clock
from pipeline.ledger import Ledger
from pipeline.model import OriginalState, Review, TrailEntry
from pipeline.review import entries
from pipeline.review.entries import Misfit
from pipeline.review.report import review_as_data


@dataclass
class Outcome:
    """What came of one act: the reviews that were written, and those that stood in its way.

    Both by SHA-256, as they stand now.
    """

    written: dict[str, Review] = field(default_factory=dict)
    overtaken: dict[str, Review] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """As the page takes it."""
        return {"changes": listed(self.written), "overtaken": listed(self.overtaken)}


def listed(reviews: dict[str, Review]) -> list[dict[str, Any]]:
    """Reviews as the page takes them."""
    return [
        {"sha256": sha256, "review": review_as_data(review)} for sha256, review in reviews.items()
    ]


def decide(ledger: Ledger, wanted: Any, by: str) -> Outcome:
    """Write down decisions as one act.

    :param wanted: ``[{"entry", "seen"}…]``: an entry as in a decisions file, and the review
        that the reviewer saw, as the report has it.
    :raises Misfit: an entry is malformed, or its clip is unknown or withdrawn; nothing is
        written then.
    """
    outcome = Outcome()
    if not isinstance(wanted, list) or not wanted:
        raise Misfit("entries is no list of decisions")
    changes = {}
    for item in wanted:
        if not isinstance(item, dict):
            raise Misfit("is no JSON object")
        sha256, values = entries.parse(item.get("entry"))
        match ledger.custody.state(sha256):
            case None:
                raise Misfit("no clip has this SHA-256")
            case OriginalState.WITHDRAWN:
                raise Misfit("the clip is withdrawn")
        changes[sha256] = _change(sha256, values | {"by": by}, item.get("seen"), outcome)
    done = ledger.reviews.amend_all(changes)
    outcome.written = {sha: it.after for sha, it in done.items() if sha not in outcome.overtaken}
    return outcome


def _change(
    sha256: str, values: dict[str, Any], seen: Any, outcome: Outcome
) -> Callable[[Review], Review | None]:
    def change(before: Review) -> Review | None:
        if review_as_data(before) != seen:
            outcome.overtaken[sha256] = before
            return None
        return replace(before, **values | {"at": clock.now()})

    return change


def undo(ledger: Ledger, by: str) -> Outcome:
    """Take back the newest act of *by* that was not taken back yet, if there is one.

    What somebody else decided since stays.
    """
    own = [event for event in ledger.reviews.trail() if event.by == by]
    undone = {event.undoes for event in own}
    left = [event for event in own if event.undoes is None and event.id not in undone]
    act = {event.sha256: event for event in left if event.act == left[-1].act}
    outcome = Outcome()
    done = ledger.reviews.amend_all(
        {sha256: _back(event, outcome) for sha256, event in act.items()},
        by=by,
        undoes={sha256: event.id for sha256, event in act.items()},
    )
    outcome.written = {sha: it.after for sha, it in done.items() if sha not in outcome.overtaken}
    return outcome


def _back(event: TrailEntry, outcome: Outcome) -> Callable[[Review], Review | None]:
    def change(now: Review) -> Review | None:
        # but for the time, which an undo of a later decision has moved
        if replace(now, at=None) != replace(event.after, at=None):
            outcome.overtaken[event.sha256] = now
            return None
        # the time is that of this event, so that others see that something happened
        return replace(event.before, at=clock.now())

    return change


def changes(ledger: Ledger, after: int) -> tuple[list[TrailEntry], dict[str, Review]]:
    """What others (and this reviewer) decided since the entry numbered *after*.

    :returns: the events, and what stands on each clip that they are of.
    """
    events = ledger.reviews.trail(after)
    return events, {event.sha256: event.after for event in events}
