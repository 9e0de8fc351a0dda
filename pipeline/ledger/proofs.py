"""What the chain of custody says how things are now: the sum of its events, to compare with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from pipeline.history import CustodyEvent, EventKind
from pipeline.model import OriginalState

Outcome = tuple[str, Mapping[str, str]]
"""The recipe of a clip, and the SHA-256 of the file of each output."""

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
    """The state of each original, its clip, the films, and the entries of the trail, by the chain.

    ``trail``: the digest of each entry by its number.  ``trail_from``: entries up to this number
    are older than the chain.  ``consents``: the digest of each entry of the consents, by submission
    and number.
    """

    states: dict[str, OriginalState] = field(default_factory=dict)
    clips: dict[str, Outcome] = field(default_factory=dict)
    films: set[str] = field(default_factory=set)
    trail: dict[int, str] = field(default_factory=dict)
    trail_from: int = 0
    consents: dict[str, dict[int, str]] = field(default_factory=dict)


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
        _add(proved, event)
    return replace(proved, trail_from=begun)


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
