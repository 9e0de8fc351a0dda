"""``footage purge``: delete the originals that are past their days, if their clips are made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline import clock
from pipeline.model import OriginalState
from pipeline.run import Run


@dataclass(frozen=True)
class PurgeSummary:
    """Originals that were deleted, and those past their days that wait for a clip."""

    deleted: int
    waiting: int


def purge(run: Run) -> dict[str, Any]:
    """``footage purge``."""
    days = run.config.workspace.retain_originals_days
    done = _delete(run, days)
    run.console.say(
        f"purge: {done.deleted} originals older than {days} days deleted; {done.waiting} kept, "
        "which wait for a clip"
    )
    return {"purge": asdict(done)}


def _delete(run: Run, days: int) -> PurgeSummary:
    """Delete the originals that were stored more than *days* days ago.

    One that is pending or has failed is kept whatever its age: it is the only copy of footage
    that nobody will send again.
    """
    moment = clock.stamp(datetime.now(UTC) - timedelta(days=days))
    old = run.ledger.custody.stored_by(moment)
    done = [sha256 for sha256, finished in old if finished]
    for sha256 in done:
        # the file first: what is killed between the two is done again by the next purge
        run.workspace.original(sha256).unlink(missing_ok=True)
        run.ledger.custody.set_state(sha256, OriginalState.PURGED)
    return PurgeSummary(len(done), len(old) - len(done))
