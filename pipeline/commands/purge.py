"""``footage purge``: originals that were kept long enough are deleted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from pipeline import clock
from pipeline.commands.ending import Facts
from pipeline.model import OriginalState
from pipeline.run import Run


@dataclass(frozen=True)
class PurgeSummary:
    """How many originals were deleted, and how many old ones still wait for a clip."""

    deleted: int
    waiting: int


def delete_old_originals(run: Run) -> Facts:
    """Delete the originals older than ``retain_originals_days`` whose clips are made."""
    days = run.config.workspace.retain_originals_days
    done = _delete(run, days)
    run.console.say(
        f"purge: {done.deleted} originals older than {days} days deleted; {done.waiting} kept, "
        "which wait for a clip"
    )
    return {"purge": asdict(done)}


def _delete(run: Run, days: int) -> PurgeSummary:
    """Delete the originals that were stored more than *days* days ago.

    An original that is pending or has failed is always kept, because it is the only copy.
    """
    moment = clock.stamp(datetime.now(UTC) - timedelta(days=days))
    old = run.ledger.custody.stored_by(moment)
    done = [sha256 for sha256, finished in old if finished]
    for sha256 in done:
        # the file first: if the run is killed between the two, the next purge repeats both
        run.workspace.original(sha256).unlink(missing_ok=True)
        run.ledger.custody.set_state(sha256, OriginalState.PURGED)
    return PurgeSummary(len(done), len(old) - len(done))
