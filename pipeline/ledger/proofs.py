"""What the chain of custody says how things are now: the sum of its events, to compare with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from pipeline.history import CustodyEvent, EventKind
from pipeline.model import OriginalState

Outcome = tuple[str, Mapping[str, str]]
"""The recipe of a clip, and the SHA-256 of the file of each output."""

Place = tuple[str, int]
"""A submission, and the position of an attachment in it."""

Bytes = tuple[str, int]
"""The SHA-256 of an attachment, and its size."""

_STATES = {
    EventKind.STORED: OriginalState.KEPT,
    EventKind.RETURNED: OriginalState.KEPT,
    EventKind.PURGED: OriginalState.PURGED,
    EventKind.WITHDRAWN: OriginalState.WITHDRAWN,
    EventKind.LOST: OriginalState.LOST,
}

_NAMES = set(OriginalState)  # somebody may have written another one into the table


@dataclass(frozen=True)
class Proved:
    """What the chain says of originals, attachments, clips, films, decisions, consents and marks.

    ``trail``: the digest of each entry by its number.  ``trail_from``: entries up to this number
    are older than the chain.  ``consents``: the digest of each entry of the consents, by submission
    and number.  ``older``: originals that are older than the chain; ``received``: submissions that
    are not.  ``holds``: the digest of the reason of each case; ``handled``: whether a mail is
    marked as dealt with, if that changed since the chain began.
    """

    states: dict[str, OriginalState] = field(default_factory=dict)
    clips: dict[str, Outcome] = field(default_factory=dict)
    films: set[str] = field(default_factory=set)
    trail: dict[int, str] = field(default_factory=dict)
    trail_from: int = 0
    consents: dict[str, dict[int, str]] = field(default_factory=dict)
    attachments: dict[Place, Bytes] = field(default_factory=dict)
    older: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    holds: dict[str, str] = field(default_factory=dict)
    handled: dict[str, bool] = field(default_factory=dict)

    def is_older(self, place: Place, sha256: str) -> bool:
        """Whether an attachment may be older than the chain, so that no event names its place."""
        return sha256 in self.older and place[0] not in self.received


def add_up(events: Iterable[CustodyEvent]) -> Proved:
    """Go through all events in order."""
    proved = Proved()
    begun = 0
    for event in events:
        if event.kind in _STATES:
            proved.states[event.subject] = _STATES[EventKind(event.kind)]
        if event.kind == EventKind.BEGUN:
            begun = _number(event.facts.get("trail"))
        elif event.kind == EventKind.CARRIED_OVER and event.facts.get("state") in _NAMES:
            proved.states[event.subject] = OriginalState(str(event.facts["state"]))
            proved.older.add(event.subject)
        _add_mail(proved, event)
        _add(proved, event)
    return replace(proved, trail_from=begun)


def _add_mail(proved: Proved, event: CustodyEvent) -> None:
    """Add what an event says of a mail, of what was in it, or of a case."""
    subject, facts = event.subject, event.facts
    match event.kind:
        case EventKind.RECEIVED:
            proved.received.add(subject)
        case EventKind.STORED | EventKind.REPEATED:
            place = str(facts.get("submission")), _number(facts.get("position"))
            proved.attachments[place] = subject, _number(facts.get("size"))
        case EventKind.CASE_OPENED:
            proved.holds[subject] = str(facts.get("why"))
        case EventKind.CASE_CLOSED:
            proved.holds.pop(subject, None)
        case EventKind.HANDLED:
            proved.handled[subject] = facts.get("handled") is True


def _add(proved: Proved, event: CustodyEvent) -> None:
    """Add what an event says of a clip, a film or a decision."""
    subject, facts = event.subject, event.facts
    match event.kind:
        case EventKind.MADE | EventKind.REFUSED:
            proved.clips[subject] = _outcome(facts)
        case EventKind.FORGOTTEN | EventKind.WITHDRAWN:
            proved.clips.pop(subject, None)
        case EventKind.CARRIED_OVER if "outputs" in facts:
            proved.clips[subject] = _outcome(facts)
        case EventKind.CARRIED_OVER | EventKind.RENDERED:
            proved.films.add(subject)
        case EventKind.CONSENT if "number" in facts:
            entries = proved.consents.setdefault(subject, {})
            entries[_number(facts["number"])] = str(facts.get("entry"))
        case EventKind.CONSENT:  # a withdrawal deletes the entries
            proved.consents.pop(subject, None)
        case EventKind.DECIDED:
            proved.trail[_number(facts.get("trail"))] = str(facts.get("entry"))


def _outcome(facts: Mapping[str, object]) -> Outcome:
    outputs = facts.get("outputs")
    hashes = cast("Mapping[str, str]", outputs) if isinstance(outputs, dict) else {}
    return str(facts.get("recipe")), hashes


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
