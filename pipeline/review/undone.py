"""What the program could not do, and a person has to know of: for the status and the page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.config import Config
from pipeline.ledger import Ledger
from pipeline.review.receivers import RECEIPT_DAYS, missed_receipts
from pipeline.wording import counted

NOT_STORED = (
    "does not have the bytes that came in, so it is not sent to the store; see: footage verify"
)
_MOST_NAMED = 5


@dataclass(frozen=True)
class Undone:
    """What was not done.

    ``missed_receipts``: the mails whose receipt was held until it was too old to be sent.
    ``not_stored``: the files, by their paths, that were not sent to the store.
    """

    missed_receipts: tuple[str, ...]
    not_stored: tuple[str, ...]


def undone(config: Config, ledger: Ledger) -> Undone:
    """Find what was not done."""
    missed = missed_receipts(config, ledger, datetime.now(UTC).date())
    return Undone(tuple(missed), not_stored(config, ledger))


def not_stored(config: Config, ledger: Ledger) -> tuple[str, ...]:
    """The files, by their paths, that the last run did not send to the store."""
    return ledger.runs.not_stored() if config.workspace.store else ()


def lines(found: Undone) -> Iterator[str]:
    """Say what was not done, and what to do next."""
    if missed := found.missed_receipts:
        names = ", ".join(missed[:_MOST_NAMED]) + (", …" if len(missed) > _MOST_NAMED else "")
        waited, is_one = counted(len(missed), "receipt"), len(missed) == 1
        yield (
            f"{waited} waited more than {RECEIPT_DAYS} days and {'is' if is_one else 'are'} never "
            f"sent ({names})"
        )
        yield "  next, for the media team: write to the senders; then: footage handled ID"
    for path in found.not_stored:
        yield f"{path} {NOT_STORED}"
