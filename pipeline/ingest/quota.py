"""How much one sender may bring in during a run (``[workspace] max_gb_per_sender``).

What is over stays in the inbox and is not recorded, so the next run takes it in.
"""

from __future__ import annotations

from collections import Counter

from pipeline.config import Config
from pipeline.ingest.take import Taken
from pipeline.ledger import Ledger
from pipeline.wording import amount, counted, lower_ascii, shown_sender

_GB = 1_000_000_000


class OverQuota(Exception):
    """A mail has to wait, because its sender has brought in too much in this run."""


class SenderQuota:
    """Counts the bytes of each sender in all inboxes of a run."""

    def __init__(self, config: Config) -> None:
        self._most_gb, self._style = config.workspace.max_gb_per_sender, config.report.sender
        self._bytes, self._waiting = Counter[str](), Counter[str]()

    def check(self, taken: Taken) -> None:
        """Look whether a mail may come in.

        The first mail of a sender always may: if it is too large, it would wait in each run.

        :raises OverQuota: it has to wait.
        """
        sender = lower_ascii(taken.submission.sender)
        before = self._bytes[sender]
        if sender and before and self._most_gb and before + taken.bytes > self._most_gb * _GB:
            self._waiting[sender] += 1
            raise OverQuota

    def add(self, taken: Taken) -> None:
        """Count a mail that came in."""
        self._bytes[lower_ascii(taken.submission.sender)] += taken.bytes

    @property
    def waiting(self) -> int:
        """How many mails wait, those that were said already not counted."""
        return self._waiting.total()

    def sentence(self, ledger: Ledger) -> str:
        """Say whose mails wait since this was said last; "" if none do."""
        numbers = ledger.intake.sender_numbers()
        said = [
            f"{counted(count, 'mail')} of {shown_sender(sender, self._style, numbers.get(sender))}"
            for sender, count in self._waiting.items()
        ]
        self._waiting.clear()
        why = f"over the {amount(self._most_gb)} GB that a sender may bring in during a run"
        return f"{', '.join(said)}: {why}." if said else ""
