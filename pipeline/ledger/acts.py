"""The acts of people beside the ledger: an older ledger that was put back does not have them.

After each transaction its acts are added to a file of the day, beside the heads of the chain.  A
line holds the hash of its event, the subject and what was decided: hashes, codes and times, and
never a word of a sender, an address or the name of a reviewer.
"""

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
_SUBJECT = re.compile(r"[0-9A-Za-z]{1,64}")
_LONGEST = 1 << 12  # of a line
_LARGEST = 1 << 28  # of a file: its first bytes are read


@dataclass(frozen=True)
class KeptAct:
    """What somebody did, as the file of its day has it.

    ``path`` is that of the file; ``subject`` the SHA-256 of an original, or the id of a mail;
    ``value`` what was decided, as ``footage`` takes it, "" if the kind says all.
    """

    path: Path
    head: ChainHead
    kind: EventKind
    subject: str
    value: str


def line_of(event: CustodyEvent) -> str:
    """An act as a line of JSON."""
    name = _DECIDED.get(EventKind(event.kind), "")
    fact = {name: event.facts[name]} if name in event.facts else {}
    head = str(ChainHead(event.number, event.hash))
    return json.dumps(
        {"event": head, "at": event.at, "act": event.kind, "subject": event.subject, **fact}
    )


def newest(folder: Path) -> dict[tuple[str, str], KeptAct]:
    """The newest act of each sort on each subject, in the files of *folder* that still exist.

    What is not whole is passed over.
    """
    found: dict[tuple[str, str], KeptAct] = {}
    for path in sorted(folder.glob("*.jsonl")):
        with contextlib.suppress(OSError), publishing.open_regular(path) as file:
            while file.tell() < _LARGEST and (line := file.readline(_LONGEST)):
                with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
                    act = _read(path, json.loads(line))
                    is_case = act.kind in (EventKind.CASE_OPENED, EventKind.CASE_CLOSED)
                    found["case" if is_case else act.kind, act.subject] = act
    return found


def _read(path: Path, line: Mapping[str, object]) -> KeptAct:
    kind, subject = EventKind(str(line["act"])), str(line["subject"])
    if kind not in KINDS or not _SUBJECT.fullmatch(subject):
        raise ValueError
    value = line[_DECIDED[kind]] if kind in _DECIDED else ""
    return KeptAct(path, parse_head(str(line["event"])), kind, subject, str(value))
