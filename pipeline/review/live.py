"""Decisions that are made while others review too, and their undo.

Every change names the review that the reviewer saw.  Where somebody else decided in between, the
change is not written, and the reviewer is shown the current review.  What is decided in one act is
undone in one act.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pipeline import clock
from pipeline.ledger import Ledger
from pipeline.model import OriginalState, Review, TrailEntry
from pipeline.review import entries
from pipeline.review.entries import InvalidEntry
from pipeline.review.presenting import JsonObject, review_data, reviews_data


@dataclass
class ActOutcome:
    """The result of one act: the reviews that were written, and those that others made in between.

    Both are by SHA-256, as the ledger has them now.
    """

    written: dict[str, Review] = field(default_factory=dict)
    overtaken: dict[str, Review] = field(default_factory=dict)

    def as_data(self) -> JsonObject:
        """Give it as the page takes it."""
        return {"changes": reviews_data(self.written), "overtaken": reviews_data(self.overtaken)}


def decide(ledger: Ledger, wanted: object, by: str) -> ActOutcome:
    """Write decisions as one act.

    :param wanted: ``[{"entry", "seen"}…]``: an entry as in a decisions file, and the review
        that the reviewer saw, as the report has it.
    :raises InvalidEntry: an entry is malformed, or its clip is unknown or withdrawn.  Then nothing
        is written.
    """
    outcome = ActOutcome()
    if not isinstance(wanted, list) or not wanted:
        raise InvalidEntry("entries is not a list of decisions")
    changes = {}
    for item in wanted:
        if not isinstance(item, dict):
            raise InvalidEntry("is not a JSON object")
        sha256, values = entries.parse(item.get("entry"))
        match ledger.custody.state(sha256):
            case None:
                raise InvalidEntry("no clip has this SHA-256")
            case OriginalState.WITHDRAWN:
                raise InvalidEntry("the clip is withdrawn")
        changes[sha256] = _change(sha256, values | {"by": by}, item.get("seen"), outcome)
    done = ledger.reviews.amend_all(changes)
    outcome.written = {sha: it.after for sha, it in done.items() if sha not in outcome.overtaken}
    return outcome


def _change(
    sha256: str, values: JsonObject, seen: object, outcome: ActOutcome
) -> Callable[[Review], Review | None]:
    def change(before: Review) -> Review | None:
        if review_data(before) != seen:
            outcome.overtaken[sha256] = before
            return None
        return replace(before, **values | {"at": clock.now()})

    return change


def undo(ledger: Ledger, by: str) -> ActOutcome:
    """Undo the newest act of *by* that is not undone yet, if there is one.

    A clip on which somebody else decided since is left as it is.
    """
    own = [event for event in ledger.reviews.trail() if event.by == by]
    undone = {event.undoes for event in own}
    left = [event for event in own if event.undoes is None and event.id not in undone]
    act = {event.sha256: event for event in left if event.act == left[-1].act}
    outcome = ActOutcome()
    done = ledger.reviews.amend_all(
        {sha256: _back(event, outcome) for sha256, event in act.items()},
        by=by,
        undoes={sha256: event.id for sha256, event in act.items()},
    )
    outcome.written = {sha: it.after for sha, it in done.items() if sha not in outcome.overtaken}
    return outcome


def _back(event: TrailEntry, outcome: ActOutcome) -> Callable[[Review], Review | None]:
    def change(now: Review) -> Review | None:
        # the time is not compared: an undo of a later decision changes it
        if replace(now, at=None) != replace(event.after, at=None):
            outcome.overtaken[event.sha256] = now
            return None
        # the time is that of the undo, so that others see that something changed
        return replace(event.before, at=clock.now())

    return change
