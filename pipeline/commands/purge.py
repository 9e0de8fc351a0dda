"""``footage purge``: originals that were kept long enough are deleted."""

from datetime import UTC, datetime, timedelta

from pipeline import clock
from pipeline.commands.ending import Facts
from pipeline.model import OriginalState
from pipeline.run import Run


def delete_old_originals(run: Run) -> Facts:
    """Delete the originals older than ``retain_originals_days`` whose clips are made.

    An original that is pending or has failed is always kept, because it is the only copy.  One
    that is kept for a case stays until the case is ended.
    """
    days = run.config.workspace.retain_originals_days
    moment = clock.stamp(datetime.now(UTC) - timedelta(days=days))
    old = run.ledger.custody.stored_by(moment)
    done = [sha256 for sha256, finished in old if finished and _purge(run, sha256)]
    kept = sorted(run.ledger.custody.case_holds().keys() & {sha256 for sha256, _ in old})
    waiting = sum(not finished for sha256, finished in old if sha256 not in kept)
    run.console.say(
        f"purge: {len(done)} originals older than {days} days deleted; {waiting} kept, "
        "which wait for a clip"
    )
    for sha256 in kept:
        run.console.say(f"purge: {sha256[:12]} is kept for a case")
    return {"purge": {"deleted": len(done), "waiting": waiting, "kept_for_case": kept}}


def _purge(run: Run, sha256: str) -> bool:
    """Delete an original, unless it is kept for a case.

    Nobody can begin a case between the question and the deletion.
    """
    with run.ledger.transaction():
        if sha256 in run.ledger.custody.case_holds():
            return False
        # the file first: if the run is killed between the two, the next purge repeats both
        run.workspace.original(sha256).unlink(missing_ok=True)
        run.ledger.custody.set_state(sha256, OriginalState.PURGED)
    return True
