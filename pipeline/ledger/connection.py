"""The connection to the ledger: opening it, transactions, and the one place for SQLite's errors.

SQLite runs in WAL mode with ``synchronous=FULL``, so a transaction is on the disk when it
returns.  ``secure_delete`` overwrites what is deleted.  During a run only the coordinating
process writes; decisions are short transactions beside it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from pipeline import publishing
from pipeline.errors import DiskFull, LedgerError
from pipeline.history import ChainHead
from pipeline.ledger.migrations import MIGRATIONS

TRIGGERS = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"

_MAGIC = b"SQLite format 3\0"
_HEADER = 100  # bytes; the version of the schema is at offset 60 (sqlite.org/fileformat2)
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")


class Connection:
    """A connection to a workspace's ledger.

    All its methods raise LedgerError where SQLite can't read or write, and DiskFull where there
    is no room.
    """

    def __init__(self, path: Path) -> None:
        """Open the ledger; make it or migrate it if needed.

        :raises LedgerError: a newer version of the program made it, or SQLite can't use it.
        """
        self.path = path
        self.after_commit: Callable[[], None] = _nothing
        """What is done each time that a transaction was committed."""
        with _own_errors():
            _refuse_newer(path)
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            try:
                for pragma in _PRAGMAS:
                    self._db.execute(f"PRAGMA {pragma}")
                self._migrate()
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close it; SQLite then moves the write-ahead log into the file."""
        with _own_errors():
            self._db.close()

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a query."""
        with _own_errors():
            return self._db.execute(sql, values).fetchall()

    def column(self, sql: str, *values: object) -> list[str]:
        """The texts in the first column of a query."""
        return [row[0] for row in self.rows(sql, *values)]

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query, None if it has none."""
        return next(iter(self.rows(sql, *values)), None)

    def change(self, sql: str, *values: object) -> int:
        """Run a statement that changes rows; return how many it changed."""
        with _own_errors():
            return self._db.execute(sql, values).rowcount

    def insert(self, table: str, columns: Mapping[str, object], *, replace: bool = False) -> int:
        """Insert a row, each value under the name of its column.

        :param replace: a row with the same key is replaced.
        :returns: the number of the row, in a table that counts its rows.
        """
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        sql = f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        with _own_errors():
            return int(self._db.execute(sql, tuple(columns.values())).lastrowid or 0)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes of the block, or none of them if it raises.

        A transaction inside another one is a part of it.
        """
        inner = self._db.in_transaction
        begin = "SAVEPOINT inner" if inner else "BEGIN IMMEDIATE"
        undo = ("ROLLBACK TO inner", "RELEASE inner") if inner else ("ROLLBACK",)
        self.change(begin)
        try:
            yield
            self.change("RELEASE inner" if inner else "COMMIT")
        except BaseException:
            # also after a COMMIT that failed: all later changes would be part of this transaction,
            # and lost.  SQLite has ended it itself if, for example, the disk is full.
            for statement in undo if self._db.in_transaction else ():
                self.change(statement)
            raise
        if not inner:
            self.after_commit()

    def erase_deleted(self) -> None:
        """Remove deleted words from the log beside the ledger.

        In the ledger itself ``secure_delete`` has overwritten them.
        """
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy_to(self, final: Path) -> None:
        """Write the ledger as it is now, without a transaction that is going on, to a new file.

        :raises DiskFull: there is no room for it; nothing appears then.
        """
        part = publishing.part_path(final)
        try:
            with _own_errors():
                os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
                # by a second connection: SQLite copies nothing for one that is in a transaction
                with closing(sqlite3.connect(self.path, timeout=30)) as reader:
                    reader.execute("VACUUM INTO ?", (str(part),))
            publishing.publish(part, final)
        finally:
            part.unlink(missing_ok=True)

    def former_versions(self) -> list[Path]:
        """The copies that were made before migrations, the oldest version first."""
        copies = self.path.parent.glob(f"{self.path.name}.v*.bak")
        return sorted(copies, key=lambda path: (len(path.name), path.name))

    def faults(self) -> list[str]:
        """What SQLite finds damaged in the file; empty if nothing is."""
        found = self.column("PRAGMA integrity_check(20)")
        return [] if found == ["ok"] else found

    def _migrate(self) -> None:
        if _version(self._db) == len(MIGRATIONS):
            return
        # one transaction for all: a program that is killed here leaves the old version
        with self.transaction():
            # asked again inside the lock: another process may have been faster
            version = _version(self._db)
            if 0 < version < len(MIGRATIONS):
                self.copy_to(self.path.with_name(f"{self.path.name}.v{version}.bak"))
            for number, migration in enumerate(MIGRATIONS[version:], version + 1):
                migration(self._db)
                self._db.execute(f"PRAGMA user_version = {number}")


def _nothing() -> None:
    pass


@cache
def made_triggers() -> dict[str, str]:
    """The statement of each trigger, by its name, as the migrations make them."""
    with closing(sqlite3.connect(":memory:")) as db:
        for migration in MIGRATIONS:
            migration(db)
        return dict(db.execute(TRIGGERS))


def event_in(path: Path, number: int | None = None) -> ChainHead | None:
    """The event of a number in a copy of the ledger; the newest one if no number is given.

    It is None if there is none, if the copy is older than the chain of custody, or if it can't be
    read.
    """
    try:
        # immutable: SQLite makes no files beside it
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as db:
            found = db.execute(
                "SELECT number, hash FROM event WHERE number = coalesce(?,"
                " (SELECT max(number) FROM event))",
                [number],
            ).fetchone()
    except sqlite3.Error:
        return None
    return ChainHead(int(found[0]), str(found[1])) if found else None


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _refuse_newer(path: Path) -> None:
    """Look at a ledger's version in a way that changes none of its files.

    :raises LedgerError: a newer version of the program made it.
    """
    version = _stored_version(path) if path.exists() else 0
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"the ledger has version {version} and this program knows versions up to "
            f"{len(MIGRATIONS)}: update the program; the ledger was not changed"
        )


def _stored_version(path: Path) -> int:
    version = _header_version(path)
    if version > len(MIGRATIONS):
        return version
    log = path.with_name(f"{path.name}-wal")
    try:
        if log.stat().st_size:
            # the newest version may still be in the log, which only SQLite can read
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                return _version(db)
    except FileNotFoundError:
        pass
    except sqlite3.OperationalError:
        if log.exists():
            raise
    # there is no log, or another process has moved it into the file just now
    return _header_version(path)


def _header_version(path: Path) -> int:
    with path.open("rb") as file:
        header = file.read(_HEADER)
    return int.from_bytes(header[60:64]) if header.startswith(_MAGIC) else 0


@contextmanager
def _own_errors() -> Iterator[None]:
    """Raise SQLite's errors as ours; this is the only place where they are caught."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise DiskFull from error
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            # no such table or column, or text that is not JSON
            raise LedgerError(
                f"the ledger can't be read or written: {error}. It is not as this program made "
                "it, so it was changed or is damaged. See what footage verify names, or put a "
                "backup back: docs/custody.md"
            ) from error
        raise LedgerError(f"the ledger can't be read or written: {error}") from error
