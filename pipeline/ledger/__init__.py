"""The ledger: what came in, what became of it, what was decided.  Only this package uses SQL.

A :class:`Ledger` has one connection and a part for each topic: ``intake`` (mails and what was
in them), ``clips`` (what became of them, and the rows of the report), ``reviews`` (decisions
and their audit trail), ``custody`` (what is kept, deleted and withdrawn), ``runs`` (commands
and the montages that they made), ``chain`` (the events of custody, which the other parts add),
``receipts`` (answers that were sent), ``consents`` (what senders agreed to), ``checks`` (rows that
are not as the chain says) and ``backups``.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from pipeline.ledger.backups import Backups
from pipeline.ledger.chain import Chain
from pipeline.ledger.checks import Checks
from pipeline.ledger.clips import Clips
from pipeline.ledger.connection import Connection
from pipeline.ledger.consents import Consents
from pipeline.ledger.custody import Custody
from pipeline.ledger.intake import Intake
from pipeline.ledger.receipts import Receipts
from pipeline.ledger.reviews import Reviews
from pipeline.ledger.runs import Runs


class Ledger:
    """A workspace's ledger; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open the ledger; make it or migrate it if needed.

        :raises LedgerError: a newer version of the program made it, or it can't be opened.
        """
        self._connection = Connection(path)
        self.chain = Chain(self._connection)
        self.backups = Backups(self._connection, self.chain)
        self.intake = Intake(self._connection, self.chain)
        self.clips = Clips(self._connection, self.chain)
        self.reviews = Reviews(self._connection, self.chain)
        self.receipts = Receipts(self._connection, self.chain)
        self.consents = Consents(self._connection, self.chain)
        self.custody = Custody(self._connection, self.chain, self.backups)
        self.checks = Checks(self._connection, self.chain)
        self.runs = Runs(self._connection, self.chain)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def faults(self) -> list[str]:
        """What SQLite finds damaged in the file; empty if nothing is."""
        return self._connection.faults()

    def transaction(self) -> AbstractContextManager[None]:
        """Keep all changes of a block, or none of them if it raises."""
        return self._connection.transaction()
