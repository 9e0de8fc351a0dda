"""What the chain of custody says how things are now: the sum of its events, to compare with."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from pipeline.history import CustodyEvent, EventKind
from pipeline.model import OriginalState

MadeFiles = tuple[str, Mapping[str, str]]
"""The recipe of a clip, and the SHA-256 of the file of each output."""

AttachmentKey = tuple[str, int]
"""A submission, and the position of an attachment in it."""

AttachmentBytes = tuple[str, int]
"""The SHA-256 of an attachment, and its size."""

RefusalCode = tuple[str, str]
"""Why the clip was not made: the reason and its code; both are empty if it was made."""

Delivery = tuple[str, str]
"""A submission, and the digest of the mail that brought it."""

_STATES = {
    EventKind.STORED: OriginalState.KEPT,
    EventKind.RETURNED: OriginalState.KEPT,
    EventKind.PURGED: OriginalState.PURGED,
    EventKind.WITHDRAWN: OriginalState.WITHDRAWN,
    EventKind.LOST: OriginalState.LOST,
}

_NAMES = set(OriginalState)  # somebody may have written another one into the table


@dataclass(frozen=True)
class FilmProof:
    """What the chain says of a montage, in the event with this number."""

    number: int
    key: str
    clips: tuple[str, ...]


@dataclass(frozen=True)
class Proved:
    """What the chain says of originals, attachments, clips, films, decisions, consents and marks.

    ``trail``: the digest of each entry by its number.  ``trail_from``: entries up to this number
    are older than the chain.  ``consents``: the digest of each entry of the consents, by submission
    and number.  ``older``: originals that are older than the chain; ``received``: submissions that
    are not.  ``holds``: the digest of the reason of each case; ``handled``: whether a mail is
    marked as dealt with, if that changed since the chain began.

    ``verdicts``: why there is a clip or none.  ``films``: by the SHA-256 of the montage.
    ``film_paths``: the SHA-256 of the newest film at each path, by the digest of the path;
    ``pathless``: films with an event that does not say where.
    ``decided``: the newest entry of the trail, of originals that have a decision.
    ``withdrawn``: the number of the event of the newest withdrawal.  ``sizes`` and ``stored_at``
    are those of originals.  ``mails``: how often a mail came.  ``receipts``: the submissions and
    the state of each, by the hash of its code; ``has_all_receipts``: no receipt is older than these
    events.
    """

    states: dict[str, OriginalState] = field(default_factory=dict)
    clips: dict[str, MadeFiles] = field(default_factory=dict)
    films: dict[str, FilmProof] = field(default_factory=dict)
    film_paths: dict[str, str] = field(default_factory=dict)
    pathless: set[str] = field(default_factory=set)
    trail: dict[int, str] = field(default_factory=dict)
    trail_from: int = 0
    consents: dict[str, dict[int, str]] = field(default_factory=dict)
    attachments: dict[AttachmentKey, AttachmentBytes] = field(default_factory=dict)
    older: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    holds: dict[str, str] = field(default_factory=dict)
    handled: dict[str, bool] = field(default_factory=dict)
    verdicts: dict[str, RefusalCode] = field(default_factory=dict)
    decided: dict[str, int] = field(default_factory=dict)
    withdrawn: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    stored_at: dict[str, str] = field(default_factory=dict)
    mails: Counter[Delivery] = field(default_factory=Counter)
    receipts: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    has_all_receipts: bool = False

    def is_older(self, place: AttachmentKey, sha256: str) -> bool:
        """Whether an attachment may be older than the chain, so that no event names its place."""
        return sha256 in self.older and place[0] not in self.received


def add_up(events: Iterable[CustodyEvent]) -> Proved:
    """Go through all events in order."""
    proved = Proved()
    begun, has_all = 0, False
    for event in events:
        if event.kind in _STATES:
            proved.states[event.subject] = _STATES[EventKind(event.kind)]
        if event.kind == EventKind.BEGUN:
            begun = _number(event.facts.get("trail"))
            has_all = "receipts" in event.facts
        elif event.kind == EventKind.CARRIED_OVER and event.facts.get("state") in _NAMES:
            proved.states[event.subject] = OriginalState(str(event.facts["state"]))
            proved.older.add(event.subject)
        _add_original(proved, event)
        _add_mail(proved, event)
        _add(proved, event)
    return replace(proved, trail_from=begun, has_all_receipts=has_all)


def _add_original(proved: Proved, event: CustodyEvent) -> None:
    """Add what an event says of the size of an original, when it came, and when it went."""
    subject, facts = event.subject, event.facts
    match event.kind:
        case EventKind.STORED:
            proved.sizes[subject] = _number(facts.get("size"))
            proved.stored_at[subject] = event.at
        case EventKind.CARRIED_OVER if "size" in facts:
            proved.sizes[subject] = _number(facts["size"])
        case EventKind.RETURNED:
            proved.stored_at[subject] = event.at
        case EventKind.WITHDRAWN:
            proved.withdrawn[subject] = event.number
            proved.decided.pop(subject, None)


def _add_mail(proved: Proved, event: CustodyEvent) -> None:
    """Add what an event says of a mail, of what was in it, or of a case."""
    subject, facts = event.subject, event.facts
    match event.kind:
        case EventKind.RECEIVED:
            proved.received.add(subject)
            proved.mails[subject, str(facts.get("content"))] += 1
        case EventKind.RECEIVED_AGAIN:
            proved.mails[subject, str(facts.get("content"))] += 1
        case EventKind.RECEIPT:
            submissions = _strings(facts.get("submissions"))
            proved.receipts[str(facts.get("code"))] = submissions, str(facts.get("state"))
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
            proved.verdicts[subject] = str(facts.get("reason", "")), str(facts.get("code", ""))
        case EventKind.FORGOTTEN | EventKind.WITHDRAWN:
            proved.clips.pop(subject, None)
            proved.verdicts.pop(subject, None)
        case EventKind.CARRIED_OVER if "outputs" in facts:
            proved.clips[subject] = _outcome(facts)
        case EventKind.CARRIED_OVER | EventKind.RENDERED if "key" in facts:
            path = str(facts.get("path", ""))
            clips = _strings(facts.get("clips"))
            proved.films[subject] = FilmProof(event.number, str(facts["key"]), clips)
            if path:
                proved.film_paths[path] = subject
            else:
                proved.pathless.add(subject)
        case EventKind.CONSENT if "number" in facts:
            entries = proved.consents.setdefault(subject, {})
            entries[_number(facts["number"])] = str(facts.get("entry"))
        case EventKind.CONSENT:  # a withdrawal deletes the entries
            proved.consents.pop(subject, None)
        case EventKind.DECIDED:
            number = _number(facts.get("trail"))
            proved.trail[number] = str(facts.get("entry"))
            proved.decided[subject] = number


def _outcome(facts: Mapping[str, object]) -> MadeFiles:
    outputs = facts.get("outputs")
    hashes = cast("Mapping[str, str]", outputs) if isinstance(outputs, dict) else {}
    return str(facts.get("recipe")), hashes


def _strings(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
