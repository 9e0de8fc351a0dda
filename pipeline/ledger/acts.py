"""The acts of people beside the ledger: an older ledger that was put back does not have them.

After each transaction its acts are added to a file of the day, beside the heads of the chain.  A
line holds the hash of its event, the subject and what was decided: hashes, codes and times, and
never a word of a sender, an address or the name of a reviewer.
"""

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import publishing
from pipeline.history import ChainHead, CustodyEvent, EventKind, parse_head

KINDS = (
    *(EventKind.WITHDRAWN, EventKind.CONSENT, EventKind.DECIDED, EventKind.HANDLED),
    *(EventKind.CASE_OPENED, EventKind.CASE_CLOSED),
)
"""The events that are acts of people."""

# what was decided, by the kind of the event; the kind says it all in the others
_DECIDED = {
    EventKind.CONSENT: "consent",
    EventKind.DECIDED: "decision",
    EventKind.HANDLED: "handled",
}
# what else a decision may have changed, see ``reviews.facts_of``
_CHANGED = ("masks", "cut", "caption", "protect", "needs")
_SUBJECT = re.compile(r"[0-9A-Za-z]{1,64}")
_LONGEST = 1 << 12  # of a line
_LARGEST = 1 << 28  # of a file: its first bytes are read


@dataclass(frozen=True)
class KeptAct:
    """What somebody did, as the file of its day has it.

    ``path`` is that of the file; ``subject`` the SHA-256 of an original, or the id of a mail;
    ``value`` what was decided, as ``footage`` takes it, "" if the kind says all.  ``changed`` names
    what else of a review was changed; ``value`` is then a hash of it, or codes.  ``at``: RFC 3339.
    """

    path: Path
    head: ChainHead
    kind: EventKind
    subject: str
    value: str
    changed: str = ""
    at: str = ""

    @property
    def sort(self) -> tuple[str, str]:
        """Acts of one sort on one subject replace each other."""
        is_case = self.kind in (EventKind.CASE_OPENED, EventKind.CASE_CLOSED)
        return self.changed or ("case" if is_case else self.kind), self.subject


def line_of(event: CustodyEvent) -> str:
    """An act as a line of JSON."""
    names = (_DECIDED.get(EventKind(event.kind), ""), *_CHANGED)
    facts = {name: event.facts[name] for name in names if name in event.facts}
    head = str(ChainHead(event.number, event.hash))
    return json.dumps(
        {"event": head, "at": event.at, "act": event.kind, "subject": event.subject, **facts}
    )


def newest(folder: Path) -> dict[tuple[str, str], KeptAct]:
    """The newest act of each sort on each subject, in the files of *folder* that still exist.

    A later line is newer unless both its number and its time say that it is not: two programs that
    write at the same time may add their lines in the other order.  After an older ledger was put
    back, numbers begin again from a lower one.  What is not whole is passed over.
    """
    found: dict[tuple[str, str], KeptAct] = {}
    for path in sorted(folder.glob("*.jsonl")):
        with contextlib.suppress(OSError), publishing.open_regular(path) as file:
            while file.tell() < _LARGEST and (line := file.readline(_LONGEST)):
                with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
                    for act in _read(path, json.loads(line)):
                        if not _is_older(act, found.get(act.sort)):
                            found[act.sort] = act
    return found


def _is_older(act: KeptAct, other: KeptAct | None) -> bool:
    return other is not None and act.head.number < other.head.number and act.at <= other.at


def _read(path: Path, line: Mapping[str, object]) -> list[KeptAct]:
    """The acts of a line: what was decided, and what else was changed with it."""
    kind, subject = EventKind(str(line["act"])), str(line["subject"])
    if kind not in KINDS or not _SUBJECT.fullmatch(subject):
        raise ValueError
    value = line[_DECIDED[kind]] if kind in _DECIDED else ""
    head, at = parse_head(str(line["event"])), str(line.get("at", ""))
    act = KeptAct(path, head, kind, subject, str(value), at=at)
    changed = [name for name in _CHANGED if name in line and kind is EventKind.DECIDED]
    return [act, *(replace(act, value=str(line[name]), changed=name) for name in changed)]
