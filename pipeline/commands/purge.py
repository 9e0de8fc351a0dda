"""``footage purge``: originals that were kept long enough are deleted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pipeline import clock
from pipeline.commands import older_ledger
from pipeline.commands.deleting import Deletion
from pipeline.commands.ending import Facts
from pipeline.model import OriginalState
from pipeline.run import Run
from pipeline.store import ORIGINALS, original
from pipeline.store.leftovers import delete_leftovers
from pipeline.wording import counted


def purge_by_hand(run: Run, *, dry_run: bool = False) -> Facts:
    """Delete the originals that were kept long enough, and name each.

    :param dry_run: only name what would be deleted.
    :raises StageError: an original can't be deleted, or the ledger is older than its logs, so it
        may not know what is kept for a case.
    """
    if dry_run:
        return _preview(run)
    older_ledger.refuse_if_older(run, "purge")
    if left := delete_leftovers(run.store, run.ledger):
        run.console.say(f"purge: {counted(left, 'leftover file')} deleted in the store")
    return delete_old_originals(run, run.console.say)


def delete_old_originals(run: Run, name_each: Callable[[str], None]) -> Facts:
    """Delete the originals older than ``retain_originals_days`` whose clips are made.

    An original that is pending or has failed is always kept, because it is the only copy.  One
    that is kept for a case stays until the case is ended.  Bytes of a changed original, which
    ``footage doctor --repair`` set aside, go after as many days.

    :param name_each: takes a line for each original that is deleted.
    :raises StageError: an original can't be deleted; the others are.
    """
    old, deletion = _Old(run), Deletion(run)
    done = []
    for sha256 in old.finished:
        if _purge(run, deletion, sha256):
            name_each(f"purge: deleted {old.label(sha256)}")
            done.append(sha256)
    for path in old.changed:
        deletion.delete(path)
    for key in old.left:
        deletion.delete_stored(key)
    run.console.say(
        f"purge: {counted(len(done), 'original')} older than {counted(old.days, 'day')} deleted; "
        f"{old.waiting} kept until there is a clip"
    )
    facts = old.facts(len(done), done)
    deletion.raise_for_failures(facts)
    return facts


def _preview(run: Run) -> Facts:
    old = _Old(run)
    due = [sha256 for sha256 in old.finished if sha256 not in old.kept]
    for sha256 in due:
        run.console.say(f"would delete {old.label(sha256)}")
    for path in old.changed:
        run.console.say(f"would delete {run.workspace.relative(path)}")
    run.console.say(
        f"purge: {counted(len(due), 'original')} older than {counted(old.days, 'day')} would be "
        f"deleted, {old.waiting} kept until there is a clip; nothing was changed"
    )
    return old.facts(0, due)


class _Old:
    """The originals whose days are over."""

    def __init__(self, run: Run) -> None:
        self.days = run.config.workspace.retain_originals_days
        moment = datetime.now(UTC) - timedelta(days=self.days)
        old = run.ledger.custody.stored_by(clock.stamp(moment))
        # a photo that is hidden with its film has no clip until it may be shown again
        hidden = run.ledger.clips.hidden_with_films()
        self.finished = [sha256 for sha256, finished in old if finished and sha256 not in hidden]
        holds = run.ledger.custody.case_holds()
        self.kept = sorted(holds.keys() & {sha256 for sha256, _ in old})
        self.changed = [
            path
            for path in run.workspace.changed.glob("*")
            if path.lstat().st_mtime < moment.timestamp()
            and path.name.partition("-")[0] not in holds
        ]
        gone = {OriginalState.PURGED, OriginalState.WITHDRAWN}
        states = run.ledger.custody.states() if run.store.is_beyond else {}
        # a purge that was cut has left these in the store
        self.left = [
            each.key
            for each in run.store.beyond(f"{ORIGINALS}/")
            if states.get(each.key.rpartition("/")[2]) in gone
        ]
        self.waiting = len({sha256 for sha256, _ in old} - {*self.finished, *self.kept})
        self._names = {row.sha256: row.attachment.filename for row in run.ledger.clips.rows()}
        for sha256 in self.kept:
            run.console.say(f"purge: {self.label(sha256)} is kept for a case")

    def label(self, sha256: str) -> str:
        """How a line names an original."""
        return f"{sha256[:12]} {self._names.get(sha256, '')}".rstrip()

    def facts(self, deleted: int, originals: list[str]) -> Facts:
        """What ``--json`` gives."""
        return {
            "purge": {
                "deleted": deleted,
                "originals": originals,
                "waiting": self.waiting,
                "kept_for_case": self.kept,
            }
        }


def _purge(run: Run, deletion: Deletion, sha256: str) -> bool:
    """Delete an original, unless it is kept for a case.

    Nobody can begin a case between the question and the deletion.
    """
    with run.ledger.transaction():
        if sha256 in run.ledger.custody.case_holds():
            return False
        # the file first: if the run is killed between the two, the next purge repeats both
        if not deletion.delete(run.workspace.original(sha256)):
            return False
        run.ledger.custody.set_state(sha256, OriginalState.PURGED)
    # not in the transaction, since a store may take long; the next purge repeats it, see _Old
    deletion.delete_stored(original(sha256).key)
    return True
