"""Who made the decision that a clip has, and when.

A review names who changed it last, if only by a star.  Who decided is in the audit trail.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.history import TrailEntry
from pipeline.model import Decision, Review
from pipeline.review import rules


@dataclass(frozen=True)
class DecisionMade:
    """A decision, by whom, and the time of it (RFC 3339), which is None if nobody knows it."""

    decision: Decision
    by: str
    at: str | None


def decisions_made(trail: Iterable[TrailEntry]) -> dict[str, DecisionMade]:
    """Find the decision of each clip, by the SHA-256 of its original.

    A further approval is a decision too.  An undo gives the decision back to whom it had before.

    :param trail: all entries, in the order of events.
    """
    made: dict[str, DecisionMade] = {}
    earlier: dict[int, DecisionMade | None] = {}
    for event in trail:
        earlier[event.id] = made.get(event.sha256)
        before, after = event.before, event.after
        is_other = before.decision is not after.decision
        if event.undoes is not None and (is_other or before.agreed_by != after.agreed_by):
            given_back = earlier.get(event.undoes)
            if given_back:
                made[event.sha256] = given_back
        elif is_other or set(after.agreed_by) - set(before.agreed_by):
            made[event.sha256] = DecisionMade(after.decision, event.by, after.at or event.at)
    return made


def deciders(review: Review, made: DecisionMade | None) -> tuple[list[str], str | None]:
    """Name who decided on a clip as its review is now, and the time of the last of them.

    Of an approved clip these are the people who approved it as it is now.  Where the trail does not
    say it, as in a ledger of an older version, it is who changed the review last.

    :returns: no name and no time for a clip without a decision.
    """
    if review.decision is Decision.UNDECIDED:
        return [], None
    if made is None or made.decision is not review.decision:
        made = DecisionMade(review.decision, review.by, review.at)
    agreed = rules.people(review.agreed_by) if review.decision is Decision.APPROVED else []
    names = agreed or [made.by]
    return [name for name in names if name], made.at
