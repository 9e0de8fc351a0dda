"""``footage handled``: a person has read mails and dealt with them.

It takes no lock of the workspace: it is one short transaction, so it works while a run goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.commands.ending import Ending
from pipeline.commands.older_ledger import opened_ledger
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import UsageError


@dataclass(frozen=True)
class Marking:
    """The mails, by the beginning of their ids; who has dealt with them; or take the mark back."""

    ids: Sequence[str]
    by: str
    undo: bool = False


def mark(config: Config, console: Console, wanted: Marking) -> Ending:
    """Mark mails as dealt with, or take the mark back.

    Clips that were held because of such a mail are admitted again, as far as they are approved.

    :raises UsageError: there is no workspace, or a prefix does not name exactly one mail.
    """
    with opened_ledger(config, console) as ledger:
        known = [mail.id for mail in ledger.intake.submissions()]
        ids = [_found(known, prefix) for prefix in wanted.ids]
        ledger.reviews.set_handled(ids, wanted.by, handled=not wanted.undo)
    for each in ids:
        console.say(f"{each} {'waits for an answer again' if wanted.undo else 'is dealt with'}")
    return Ending(facts={"handled": ids, "undo": wanted.undo})


def _found(known: Sequence[str], prefix: str) -> str:
    found = [each for each in known if each.startswith(prefix)]
    if len(found) != 1:
        raise UsageError(f"{len(found)} mails have an id that begins with {prefix!r}")
    return found[0]
