"""Mails that wait in an inbox because the disk has too little room for them.

Nobody knows their words, and by these a sender may take footage back.  So nothing is shown or sent
to others before the mails are read.
"""

from pipeline.errors import StageError
from pipeline.history import Stay
from pipeline.ledger import Ledger
from pipeline.run import Run
from pipeline.wording import counted


def refuse_if_unread(run: Run, what: str) -> None:
    """Refuse what is published or sent while mails wait because of the disk.

    :param what: what is left out.
    :raises StageError: mails wait; the text says what a person has to do.
    """
    if fault := waits_for_room(run.ledger, what):
        raise fault


def waits_for_room(ledger: Ledger, what: str) -> StageError | None:
    """The error that says what was left out, and why; None if no mail waits because of the disk."""
    count = sum(each.why is Stay.DISK for each in ledger.runs.remains().left)
    if not count:
        return None
    mails = counted(count, "mail or file waits", "mails or files wait")
    return StageError(
        f"{mails} in an inbox, because the disk had too little room, and may take footage back. "
        f"Left out until they are read: {what}. Make room, then run footage ingest"
    )
