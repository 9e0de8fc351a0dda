"""Records of what was done: reviews that changed, mails dealt with, montages, runs."""

from dataclasses import dataclass

from pipeline.model import Review


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
class MontageRecord:
    """A finished montage: its path from the workspace, and the originals that it holds.

    ``key`` is a hash of all that went in, in order.  ``stale`` means that it holds withdrawn
    footage and must be rendered again.
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
