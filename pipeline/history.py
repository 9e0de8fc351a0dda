"""Records of what was done: reviews, mails dealt with, montages, runs, custody, inboxes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.model import Review

RUN_ID = "%Y%m%dT%H%M%S.%fZ"
"""The form of the name of a run: its first moment in UTC, so that names sort by time."""

_DIGITS = 18  # of the number of an event, as SQLite can hold it


class EventKind(StrEnum):
    """What happened to footage.  The chain stores it, so a kind is never renamed."""

    BEGUN = "begun"
    CARRIED_OVER = "carried-over"
    RUN = "run"
    PROGRAM = "program"
    RECEIVED = "received"
    RECEIVED_AGAIN = "received-again"
    STORED = "stored"
    REPEATED = "repeated"
    MOVED = "moved"
    MADE = "made"
    REFUSED = "refused"
    FORGOTTEN = "forgotten"
    DECIDED = "decided"
    HANDLED = "handled"
    CONSENT = "consent"
    RECEIPT = "receipt"
    RENDERED = "rendered"
    EXPORTED = "exported"
    PURGED = "purged"
    WITHDRAWN = "withdrawn"
    LOST = "lost"
    RETURNED = "returned"
    CASE_OPENED = "case-opened"
    CASE_CLOSED = "case-closed"
    VERIFIED = "verified"
    REPAIRED = "repaired"


@dataclass(frozen=True)
class CustodyEvent:
    """One event of the chain of custody.

    ``subject`` is what it tells of: the SHA-256 of an original or of a film, the id of a
    submission, or empty.  ``facts`` are hashes, codes and numbers; never words of a sender, an
    address or a place.  ``before`` is the ``hash`` of the event before.
    """

    number: int
    at: str
    kind: str
    subject: str
    facts: dict[str, object] = field(hash=False)
    before: str
    hash: str


@dataclass(frozen=True)
class ChainHead:
    """The newest event of the chain.  Kept elsewhere, it shows if events were cut off the end."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


def parse_head(text: str) -> ChainHead:
    """Read a head of the chain as ``NUMBER:HASH``.

    :raises ValueError: it has another form.
    """
    number, _, digest = text.strip().partition(":")
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS and len(digest) == 64):
        raise ValueError("the event is not given as NUMBER:HASH")
    return ChainHead(int(number), digest.lower())


@dataclass(frozen=True)
class TrailEntry:
    """One event of the audit trail: the review of a clip before it and after it.

    ``act`` is the number of the first event of the same act; the events of an act are undone
    together.  ``undoes`` is the number of the event that this one took back, if it did.
    """

    id: int
    sha256: str
    at: str
    by: str
    before: Review
    after: Review
    act: int
    undoes: int | None = None


@dataclass(frozen=True)
class Handled:
    """A person has read a mail and dealt with it; ``at`` is RFC 3339 in UTC."""

    submission: str
    at: str
    by: str


@dataclass(frozen=True)
class CaseHold:
    """An original that is kept for a case, whatever its age: since when, who asked for it, why."""

    sha256: str
    at: str
    by: str
    why: str


@dataclass(frozen=True)
class MontageRecord:
    """A finished montage: its path from the workspace, and the originals that it holds.

    ``key`` is a hash of all that went in, in order.  ``stale`` means that it holds withdrawn
    footage, or a clip whose masks were changed since, and must be rendered again.
    """

    path: str
    key: str
    sha256: str
    clips: tuple[str, ...]
    made_at: str
    stale: bool = False


@dataclass(frozen=True)
class RunRecord:
    """One command that ran; ``ended_at`` and ``exit_code`` are None while it runs."""

    id: str
    command: str
    started_at: str
    ended_at: str | None
    exit_code: int | None
    summary: dict[str, object]


class Stay(StrEnum):
    """Why a mail or file is still in its inbox after a run.  The ledger stores it."""

    SENDER_QUOTA = "sender-quota"
    DISK = "disk"
    NOT_GIVEN = "not-given"
    MACHINE = "machine"
    NOT_COMPLETE = "not-complete"
    NOT_READ = "not-read"
    UNKNOWN = "unknown"  # in records of before there were reasons


@dataclass(frozen=True)
class MailInInbox:
    """A mail or file that a run left in an inbox for the next one.

    ``received_at`` is empty and ``size`` 0 if not known.  ``uid``: of a file, its name as shown.
    ``same_sender_as``: a submission of the same sender, so that no address is stored; empty if
    the sender is not known.  ``tries``: in how many runs the machine kept it from being taken
    apart.
    """

    uid: str
    received_at: str
    size: int
    inbox: str = ""
    why: Stay = Stay.UNKNOWN
    same_sender_as: str = ""
    tries: int = 0


@dataclass(frozen=True)
class InboxFailed:
    """An inbox that could not be read to its end, and why."""

    inbox: str
    error: str


@dataclass(frozen=True)
class InboxRemark:
    """What was found in an inbox and left alone, such as a link in a drop folder."""

    inbox: str
    text: str


@dataclass(frozen=True)
class InboxRemains:
    """What the newest reading of each inbox did not take in."""

    left: tuple[MailInInbox, ...] = ()
    inboxes_failed: tuple[InboxFailed, ...] = ()
    inbox_remarks: tuple[InboxRemark, ...] = ()

    def of(self, names: Collection[str]) -> "InboxRemains":
        """Only what is in the inboxes of these names."""
        return InboxRemains(
            tuple(each for each in self.left if each.inbox in names),
            tuple(each for each in self.inboxes_failed if each.inbox in names),
            tuple(each for each in self.inbox_remarks if each.inbox in names),
        )

    def __add__(self, other: "InboxRemains") -> "InboxRemains":
        """What two inboxes hold together."""
        return InboxRemains(
            self.left + other.left,
            self.inboxes_failed + other.inboxes_failed,
            self.inbox_remarks + other.inbox_remarks,
        )


@dataclass(frozen=True)
class HeadsSeen:
    """Up to where the heads that are kept beside the ledger were found in its chain.

    ``days``: the newest files in ``heads/`` by name, each with the bytes that were read; older ones
    were read to their end.  ``before``: so were the logs whose names are lower.
    """

    days: Mapping[str, int] = field(default_factory=dict, hash=False)
    before: str = ""


@dataclass(frozen=True)
class WordsRead:
    """By which rules all mails were read for words of taking back, when the rules had changed.

    ``rules``: their digest.  ``held``: the mails that were found then.  ``cut``: how many mails the
    ledger has only the beginning of, so that the new rules could not read them whole.  ``before``:
    the time of the newest of these, RFC 3339.
    """

    rules: str = ""
    held: tuple[str, ...] = ()
    cut: int = 0
    before: str = ""
