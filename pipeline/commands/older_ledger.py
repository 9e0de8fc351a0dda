"""What commands do if the ledger is older than the heads of its chain beside it.

An older ledger that was put back may have forgotten what was decided or taken back since.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import StageError
from pipeline.ledger import Ledger
from pipeline.ledger.heads import is_ledger_older
from pipeline.run import Run
from pipeline.workspace import Workspace

OLDER = (
    "the ledger is older than its logs, or its chain was made again: it may have forgotten what "
    "was decided or taken back since. Run footage verify, and see docs/custody.md"
)
_LEFT_OUT = (
    "the ledger is older than its logs, or its chain was made again: a film may show what was "
    "taken back since, a letter may be sent twice, and what is kept for a case may be deleted. "
    "Left out until a person has looked: {what}. Run footage verify, repeat the acts that it "
    "lists, then move the files that it names to another folder; see docs/custody.md"
)


@contextmanager
def opened_ledger(config: Config, console: Console) -> Iterator[Ledger]:
    """Open the ledger of a workspace for a command that takes no lock, and warn if it is older.

    :raises UsageError: there is no workspace.
    """
    workspace = Workspace.existing(config.root)
    with Ledger(workspace.ledger) as ledger:
        warn_if_older(workspace, ledger, console)
        yield ledger


def warn_if_older(workspace: Workspace, ledger: Ledger, console: Console) -> None:
    """Say that the ledger is older, before a command shows footage or decides on it."""
    if is_ledger_older(workspace, ledger):
        console.warn(OLDER)


def refuse_if_older(run: Run, what: str) -> None:
    """Refuse what is published or sent, because the ledger may have forgotten a withdrawal.

    :param what: what is left out.
    :raises StageError: the ledger is older; the text says what a person has to do.
    """
    if is_ledger_older(run.workspace, run.ledger):
        raise left_out(what)


def left_out(what: str) -> StageError:
    """The error that says what was left out because the ledger is older, and what to do."""
    return StageError(_LEFT_OUT.format(what=what))
