"""The connection to the ledger: opened, migrated, and written to in whole transactions.

SQLite in WAL mode with ``synchronous=FULL``, so that what a transaction says is on the disk
when it returns; ``secure_delete`` on, so that what is deleted is gone.  Of a run the
coordinating process alone writes; decisions are short transactions beside it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Self

from pipeline.errors import StageError

_VERSION = 1


class Connection:
    """A connection to a workspace's ledger; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open the ledger, making it if need be.

        :raises StageError: it was made by a newer version of the program.
        """
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            self._db.execute(f"PRAGMA {pragma}")
        self._migrate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise StageError(
                f"the ledger is of version {version}, this program knows {_VERSION}: update it"
            )
        if version < _VERSION:
            schema = resources.files("pipeline.ledger").joinpath("schema.sql").read_text("utf-8")
            with self.transaction():
                # asked again inside the lock: another process may have been faster
                (version,) = self._db.execute("PRAGMA user_version").fetchone()
                if version < _VERSION:
                    for statement in schema.split(";\n"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
