"""Backups of the ledger: one for each day on which there was a night, beside it in ``backups/``.

A backup is a whole ledger that SQLite writes from one moment, also while others write (``VACUUM
INTO``).  It holds the words of senders, so none that is older than a withdrawal may stay.
"""

from collections.abc import Collection
from pathlib import Path

from pipeline import clock, publishing
from pipeline.history import EventKind
from pipeline.ledger import connection
from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection

_PREFIX = "ledger-"
_SUFFIX = ".db"
_RESTORED = f"-restored{_SUFFIX}"


class Backups:
    """The backups of a workspace's ledger, and the copies of its former versions."""

    def __init__(self, db: Connection, chain: Chain) -> None:
        self._db, self._chain = db, chain
        self._folder = db.path.with_name("backups")

    def make(self, keep: int, *, is_older: bool = False) -> Path | None:
        """Write today's backup, and delete those that are too old.

        :param keep: how many backups stay; 0 makes none and deletes all.
        :param is_older: the ledger is older than its logs.  A backup from before it was put back
            may be the only one that knows all.  So this one gets another name, and only such
            backups are deleted.
        :returns: its path, None if none is made.
        :raises DiskFull: there is no room for it; the others stay as they are.
        :raises LedgerError: the ledger can't be read.
        """
        made = None
        if keep:
            end = _RESTORED if is_older else _SUFFIX
            made = self._folder / f"{_PREFIX}{clock.now()[:10]}{end}"
            self._db.copy_to(made)
        if is_older:
            stored = [path for path in self.stored() if path.name.endswith(_RESTORED)]
        else:
            self.delete_outdated()
            stored = self.stored()
            for path in self._db.former_versions()[:-1]:
                path.unlink(missing_ok=True)
        for path in stored[: max(0, len(stored) - keep)]:
            path.unlink(missing_ok=True)
        return made

    def stored(self) -> list[Path]:
        """The backups, the oldest first."""
        return sorted(self._folder.glob(f"{_PREFIX}*{_SUFFIX}"))

    def all_copies(self) -> list[Path]:
        """The backups, and the copies of former versions."""
        return [*self.stored(), *self._db.former_versions()]

    def outdated(self) -> list[Path]:
        """The backups and copies that do not have the last withdrawal.

        They were made before it, or of a ledger in whose place an older one was put.
        """
        last = self._chain.last(EventKind.WITHDRAWN)
        found = [(path, connection.event_in(path, last)) for path in self.all_copies() if last]
        return [path for path, event in found if event is None or not self._chain.holds(event)]

    def newer(self) -> list[Path]:
        """The backups and copies that know an event which the ledger does not have."""
        found = [(path, connection.event_in(path)) for path in self.all_copies()]
        return [path for path, newest in found if newest and not self._chain.holds(newest)]

    def delete_outdated(self) -> None:
        """Delete what a withdrawal left, because the program was killed in it or it was newer."""
        for path in self.outdated():
            path.unlink(missing_ok=True)

    def delete_all(self, kept: Collection[Path] = ()) -> None:
        """Delete all backups but those that are *kept*, and the copies from before migrations."""
        for path in self.all_copies():
            if path not in kept:
                path.unlink(missing_ok=True)
        for folder in (self._folder, self._folder.parent):
            if folder.is_dir():
                publishing.flush_folder(folder)
