"""``footage status``: how many clips are in which state, what failed, and who has to act."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from pipeline.commands.ending import Ending, Facts
from pipeline.config import Config
from pipeline.ledger import Ledger
from pipeline.model import MontageRecord, Row, RunRecord, Status
from pipeline.review import rules
from pipeline.workspace import Workspace

_NIGHTLY = "run"


@dataclass(frozen=True)
class _Standing:
    """What the ledger says: the rows, the newest runs, the montages."""

    config: Config
    rows: list[Row]
    last_run: RunRecord | None
    last_night: RunRecord | None
    montages: list[MontageRecord]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are in each state."""
        counted = Counter(row.status.value for row in self.rows)
        return {status.value: counted[status.value] for status in Status}

    @property
    def failed(self) -> list[Row]:
        """The rows whose clip failed."""
        return [row for row in self.rows if row.status is Status.FAILED]

    @property
    def waiting(self) -> int:
        """How many clips wait for a reviewer."""
        return len(rules.waiting(self.rows)) if self.config.review.required else 0

    @property
    def admitted(self) -> int:
        """How many clips the montage takes."""
        return len(rules.admitted(self.rows, required=self.config.review.required))


def tell(config: Config) -> Ending:
    """Read the ledger, and say how things are, with the next step for each who has to act.

    :raises UsageError: nothing was ever taken in.
    """
    with Ledger(Workspace.existing(config.root).ledger) as ledger:
        standing = _Standing(
            config,
            ledger.clips.rows(),
            ledger.runs.last(),
            ledger.runs.last(_NIGHTLY),
            ledger.runs.montages(),
        )
    return Ending(facts=_facts(standing), lines=tuple(_lines(standing)))


def _facts(standing: _Standing) -> Facts:
    return {
        "campaign": standing.config.campaign.name,
        "totals": standing.counts,
        "last_run": asdict(standing.last_run) if standing.last_run else None,
        "last_night": asdict(standing.last_night) if standing.last_night else None,
        "failed": [_failure(row) for row in standing.failed],
        "waiting_for_review": standing.waiting,
        "waiting_for_process": standing.counts[Status.PENDING],
        "admitted": standing.admitted,
        "montages": [
            {"path": it.path, "made_at": it.made_at, "stale": it.stale, "clips": len(it.clips)}
            for it in standing.montages
        ],
    }


def _failure(row: Row) -> Facts:
    return {
        "sha256": row.attachment.sha256,
        "filename": row.attachment.filename,
        "reason": row.refusal.reason.value if row.refusal else None,
        "detail": row.refusal.detail if row.refusal else "",
    }


def _lines(standing: _Standing) -> Iterator[str]:
    yield standing.config.campaign.name
    counts = [f"{count} {name}" for name, count in standing.counts.items() if count]
    yield f"  {', '.join(counts) or 'nothing has come in yet'}"
    night, last = standing.last_night, standing.last_run
    if night:
        yield f"Last night: {_run(night)}"
    if last and last != night:
        yield f"Last command: {_run(last)}"
    for row in standing.failed:
        failure = _failure(row)
        name = f"{(row.attachment.sha256 or '')[:12]} {row.attachment.filename}"
        yield f"Failed: {name}: {failure['reason']} ({failure['detail']})"
    if standing.failed:
        yield "  next, for the media team: footage retry, then footage process"
    if standing.counts[Status.PENDING]:
        yield f"{standing.counts[Status.PENDING]} wait for the media team: footage process"
    if standing.waiting:
        yield f"{standing.waiting} wait for a reviewer: open the report"
    yield f"{standing.admitted} clips are admitted to the montage"
    for film in standing.montages:
        stale = ", stale: render again" if film.stale else ""
        yield f"Montage: {film.path}, {len(film.clips)} clips, {film.made_at}{stale}"


def _run(run: RunRecord) -> str:
    begun = f"footage {run.command}, began {run.started_at}"
    if run.ended_at is None:
        return f"{begun}, is running or was killed"
    error = run.summary.get("error")
    said = f": {error}" if error else ""
    return f"{begun}, ended {run.ended_at}, exit {run.exit_code}{said}"
