"""``footage withdraw``: somebody takes footage back.

The originals, their clips and everything made of them are deleted, and the montages that still
hold them are marked stale.  The ledger keeps the SHA-256 and the kinds of what was found, so that
the same bytes are recognised if they come again.
"""

import shutil
from dataclasses import asdict, dataclass

from pipeline.commands.ending import Facts
from pipeline.commands.stages import write_report
from pipeline.errors import UsageError
from pipeline.ledger import Ledger
from pipeline.render import stage as render
from pipeline.run import Run


@dataclass(frozen=True)
class Selection:
    """What is taken back: one clip by a SHA-256 prefix, one submission, or all of a sender."""

    clip: str | None
    submission: str | None
    sender: str | None


def take_back(run: Run, selection: Selection) -> Facts:
    """Delete the originals that *selection* names and their clips, and write the report again.

    :raises UsageError: the selection names nothing, or is not exactly one of the three.
    """
    shas = _selected(run.ledger, selection)
    stale = _delete(run, shas)
    render.forget(run)
    run.console.say(f"withdraw: {len(shas)} originals and their clips are deleted")
    for path in stale:
        run.console.warn(f"{path} still holds them: delete it, or run footage render")
    return {"withdraw": {"withdrawn": shas, "stale": stale}, **write_report(run)}


def _delete(run: Run, shas: list[str]) -> list[str]:
    """Delete originals with everything that was made of them.

    The ledger is written first: even if this is interrupted, nothing is made of them again.

    :returns: the paths of the montages that still hold them.
    """
    stale = run.ledger.custody.withdraw(shas)
    for sha256 in shas:
        run.workspace.original(sha256).unlink(missing_ok=True)
        shutil.rmtree(run.workspace.clips / sha256, ignore_errors=True)
        for still in (run.workspace.report / "thumbs").glob(f"{sha256}*"):
            still.unlink()
    # a cached piece may belong to several clips, so the whole cache goes: it can be made again
    if shas:
        shutil.rmtree(run.workspace.cache, ignore_errors=True)
        run.workspace.create()
    return stale


def _selected(ledger: Ledger, selection: Selection) -> list[str]:
    """The originals that *selection* names.

    An archive holds copies of its members, so it is deleted with each of them, and they with it.
    """
    given = [name for name, value in asdict(selection).items() if value]
    if len(given) != 1:
        raise UsageError("name what is taken back by one of --clip, --submission or --sender")
    if selection.clip:
        found = ledger.custody.matching(selection.clip.lower())
        if len(found) > 1:
            raise UsageError(f"more than one clip begins with {selection.clip!r}: give more digits")
    else:
        found = ledger.custody.received(submission=selection.submission, sender=selection.sender)
    if not found:
        # without the value: the log and the ledger keep this sentence, and it may be an address
        raise UsageError(f"nothing came in that this --{given[0]} names")
    return ledger.custody.archives_and_members(found)
