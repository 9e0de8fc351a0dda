"""``footage purge``: originals that were kept long enough are deleted."""

from datetime import UTC, datetime, timedelta

from pipeline import clock
from pipeline.commands.ending import Facts
from pipeline.model import OriginalState
from pipeline.run import Run


def delete_old_originals(run: Run) -> Facts:
    """Delete the originals older than ``retain_originals_days`` whose clips are made.

    An original that is pending or has failed is always kept, because it is the only copy.
    """
    days = run.config.workspace.retain_originals_days
    moment = clock.stamp(datetime.now(UTC) - timedelta(days=days))
    old = run.ledger.custody.stored_by(moment)
    done = [sha256 for sha256, finished in old if finished]
    for sha256 in done:
        # the file first: if the run is killed between the two, the next purge repeats both
        run.workspace.original(sha256).unlink(missing_ok=True)
        run.ledger.custody.set_state(sha256, OriginalState.PURGED)
    waiting = len(old) - len(done)
    run.console.say(
        f"purge: {len(done)} originals older than {days} days deleted; {waiting} kept, "
        "which wait for a clip"
    )
    return {"purge": {"deleted": len(done), "waiting": waiting}}
