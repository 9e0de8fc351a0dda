"""How much one sender may bring in during a run (``[workspace] max_gb_per_sender``).

What is over stays in the inbox and is not recorded, so the next run takes it in.
"""

from __future__ import annotations

from collections import Counter

from pipeline import correspondence
from pipeline.config import Config
from pipeline.correspondence import Payer
from pipeline.ingest.take import Taken
from pipeline.ledger import Ledger
from pipeline.model import Note
from pipeline.wording import amount, counted, shown_sender

_GB = 1_000_000_000


class OverQuota(Exception):
    """A mail has to wait, because its sender has brought in too much in this run.

    ``same_sender_as``: a submission of the sender.
    """

    def __init__(self, same_sender_as: str) -> None:
        super().__init__()
        self.same_sender_as = same_sender_as


class SenderQuota:
    """Counts the bytes of each sender in all inboxes of a run."""

    def __init__(self, config: Config) -> None:
        self._most_gb, self._style = config.workspace.max_gb_per_sender, config.report.sender
        self._bytes, self._waiting = Counter[Payer](), Counter[Payer]()
        self._first: dict[Payer, str] = {}  # submission of each sender
        self._holding: set[tuple[Payer, Note]] = set()  # whose mail with files holds clips, and why

    def is_urgent(self, taken: Taken) -> bool:
        """Whether a mail must not wait: it has words only, or it holds clips of its sender.

        Of the mails with files that take footage back, the first one of a sender in a run is
        urgent.  It holds all clips of the sender, so a second one adds nothing that is urgent.  The
        same is true of mails that may limit a consent.
        """
        return not taken.bytes or not self._holding.issuperset(_holding(taken))

    def check(self, taken: Taken) -> None:
        """Look whether a mail may come in.

        The first mail of a sender always may: if it is too large, it would wait in each run.  So
        may what is urgent: somebody has to read it soon.  All mails without an address count as
        those of one sender.  A file that came by another way than mail has no sender.

        :raises OverQuota: it has to wait.
        """
        sender = correspondence.payer(taken.submission)
        before = self._bytes[sender]
        if not (before and self._most_gb) or self.is_urgent(taken):
            return
        if before + taken.bytes > self._most_gb * _GB:
            self._waiting[sender] += 1
            raise OverQuota(self._first[sender])

    def add(self, taken: Taken) -> None:
        """Count a mail that came in."""
        sender = correspondence.payer(taken.submission)
        self._first.setdefault(sender, taken.submission.id)
        self._bytes[sender] += taken.bytes
        if taken.bytes:
            self._holding |= _holding(taken)

    def sentence(self, ledger: Ledger) -> str:
        """Say whose mails wait since this was said last; "" if none do."""
        numbers = ledger.intake.sender_numbers()
        said = []
        for sender, count in self._waiting.items():
            address = sender.address
            shown = shown_sender(address, self._style, numbers.get(address))
            shown = shown if address else "senders without an address"
            forged = " (perhaps forged)" if sender.is_forged and address else ""
            said.append(f"{counted(count, 'mail')} of {shown}{forged}")
        self._waiting.clear()
        why = f"over the {amount(self._most_gb)} GB that a sender may bring in during a run"
        return f"{', '.join(said)}: {why}." if said else ""


def _holding(taken: Taken) -> set[tuple[Payer, Note]]:
    """The notes by which a mail holds clips of its sender."""
    sender = correspondence.payer(taken.submission)
    return {(sender, note) for note in correspondence.HOLDING.intersection(taken.submission.notes)}
