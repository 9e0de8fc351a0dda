"""What one run has room for: how late it may begin a clip, the disk, the hours of each sender.

A clip that is not begun waits: it is neither refused nor lost, and the next run begins it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline import correspondence
from pipeline.correspondence import Payer
from pipeline.model import Wait
from pipeline.run import Run

_GB = 1_000_000_000
_SHA256 = 64  # digits


@dataclass(frozen=True)
class NightLimits:
    """The limits of a run.

    ``ends``: no clip is begun after it; None if there is no end.  ``sender_s``: seconds of work for
    the files of one sender; 0 if there is no limit.  ``free``: bytes of the disk that are not used.
    """

    ends: datetime | None = None
    sender_s: float = 0.0
    free: int = 0


@dataclass
class NightBudget:
    """What is done and spent in a run, and whether a clip may still be begun.

    ``senders``: who sent each original, by its SHA-256; no entry where that is not known, and then
    there is no limit of hours.
    """

    limits: NightLimits
    senders: Mapping[str, Payer]
    now: Callable[[], datetime]
    free: Callable[[], int]
    waits: dict[str, Wait] = field(default_factory=dict)
    _spent: defaultdict[Payer, float] = field(default_factory=lambda: defaultdict(float))
    _begun: dict[str, float] = field(default_factory=dict)
    _kept: dict[str, int] = field(default_factory=dict)

    def begin(self, sha256: str) -> bool:
        """Begin with a clip, or note why it waits; return whether it was begun."""
        why = self._why_not(sha256)
        if why is None:
            self._begun[sha256] = time.monotonic()
        else:
            self.waits[sha256] = why
        return why is None

    def go_on(self, name: str) -> None:
        """Begin with a piece of a clip that was begun.

        :param name: begins with the SHA-256 of the original.
        """
        self._begun[name] = time.monotonic()

    def end(self, name: str) -> None:
        """Count what a clip, or a piece of it, cost its sender."""
        seconds = time.monotonic() - self._begun.pop(name)
        if sender := self.senders.get(name[:_SHA256]):
            self._spent[sender] += seconds

    def is_over(self) -> bool:
        """Whether no clip is begun any more, because of the time."""
        return self.limits.ends is not None and self.now() >= self.limits.ends

    def has_room(self, size: int = 0) -> bool:
        """Whether the disk has room for *size* bytes more than what is kept for others."""
        least = self.limits.free
        return not least or self.free() - sum(self._kept.values()) - size >= least

    def keep_room(self, sha256: str, size: int) -> None:
        """Keep room for what is still to be written for a clip.

        :param size: in bytes, instead of what was kept for it before.
        """
        self._kept[sha256] = size

    def release(self, sha256: str) -> None:
        """Keep no more room for a clip."""
        self._kept.pop(sha256, None)

    def _why_not(self, sha256: str) -> Wait | None:
        limits = self.limits
        if self.is_over():
            return Wait.NIGHT_OVER
        if not self.has_room():
            return Wait.DISK
        sender = self.senders.get(sha256)
        if limits.sender_s and sender and self._cost_of(sender) >= limits.sender_s:
            return Wait.SENDER_HOURS
        return None

    def _cost_of(self, sender: Payer) -> float:
        """The seconds of a sender's clips, those that are being made included."""
        now = time.monotonic()
        begun = (
            at for name, at in self._begun.items() if self.senders.get(name[:_SHA256]) == sender
        )
        return self._spent[sender] + sum(now - at for at in begun)


def unlimited() -> NightBudget:
    """A run that begins whatever there is: an editor waits for it."""
    return NightBudget(NightLimits(), {}, _now, lambda: 0)


def of(run: Run) -> NightBudget:
    """The limits that the configuration gives to this run.

    The disk keeps half of ``min_free_gb``, because taking in mail stops at the whole.
    """
    process = run.config.process
    begun = run.ledger.runs.last()
    since = datetime.fromisoformat(begun.started_at).astimezone() if begun else _now()
    limits = NightLimits(
        ends=end_after(since, process.until) if process.until else None,
        sender_s=process.max_hours_per_sender * 3600,
        free=int(run.config.workspace.min_free_gb * _GB / 2),
    )
    senders = {
        item.sha256: correspondence.payer(submission)
        for item, submission in run.ledger.clips.candidates()
        if item.sha256 and submission.sender
    }
    return NightBudget(limits, senders, _now, run.workspace.free_bytes)


def end_after(since: datetime, until: str) -> datetime:
    """Return the first moment after *since* at which the clock shows *until* ("06:00").

    A night that begins after that time, because the machine was off, still makes its clips.
    """
    hour, minute = map(int, until.split(":"))
    # without a zone, so that a day on which the clocks are changed counts as the clocks show it
    today = since.replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None)
    at = today.astimezone()
    return at if at > since else (today + timedelta(days=1)).astimezone()


def _now() -> datetime:
    return datetime.now().astimezone()
