"""How long footage is kept, and what happens when somebody takes it back.

``footage purge`` deletes originals past their days, once there is nothing left to make of
them.  ``footage withdraw`` deletes an original, its clips and all that was made of them, and
marks the montages that still hold it.  The ledger keeps the SHA-256 and the kinds of what
was found, so that the same bytes are known again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline import clock
from pipeline.errors import UsageError
from pipeline.files import Workspace
from pipeline.ledger import Ledger


@dataclass(frozen=True)
class PurgeSummary:
    """Originals that were deleted, and those past their days that wait for a clip."""

    deleted: int
    waiting: int


@dataclass(frozen=True)
class WithdrawSummary:
    """The originals that are gone, and the montages (paths) that still hold them."""

    withdrawn: tuple[str, ...]
    stale: tuple[str, ...]


def purge(ledger: Ledger, workspace: Workspace, days: int) -> PurgeSummary:
    """Delete the originals that were stored more than *days* days ago.

    One that is pending or has failed is kept whatever its age: it is the only copy of footage
    that nobody will send again.
    """
    moment = clock.stamp(datetime.now(UTC) - timedelta(days=days))
    old = ledger.originals_stored_by(moment)
    done = [sha256 for sha256, finished in old if finished]
    for sha256 in done:
        # the file first: what is killed between the two is done again by the next purge
        workspace.original(sha256).unlink(missing_ok=True)
        ledger.set_original_state(sha256, "purged")
    return PurgeSummary(len(done), len(old) - len(done))


def withdraw(ledger: Ledger, workspace: Workspace, shas: list[str]) -> WithdrawSummary:
    """Delete originals with all that was made of them.

    The ledger is told first: from then on nothing is made of them, wherever this ends.
    """
    stale = ledger.withdraw(shas)
    for sha256 in shas:
        workspace.original(sha256).unlink(missing_ok=True)
        shutil.rmtree(workspace.clips / sha256, ignore_errors=True)
        for still in (workspace.report / "thumbs").glob(f"{sha256}*"):
            still.unlink()
    # pieces of clips may be kept there under the hash of more than one: all can be made again
    if shas:
        shutil.rmtree(workspace.cache, ignore_errors=True)
        workspace.create()
    return WithdrawSummary(tuple(shas), tuple(stale))


def chosen(
    ledger: Ledger, clip: str | None, submission: str | None, sender: str | None
) -> list[str]:
    """The originals that a withdrawal names, by exactly one of three ways.

    An archive holds copies of its members: it goes with each of them, and they with it.

    :raises UsageError: none or more than one way is used, or it names nothing.
    """
    ways = [way for way in (clip, submission, sender) if way]
    if len(ways) != 1:
        raise UsageError("name what is taken back by one of --clip, --submission or --sender")
    if clip:
        found = ledger.matching(clip.lower())
        if len(found) > 1:
            raise UsageError(f"more than one clip begins with {clip!r}: name more of it")
    else:
        found = ledger.originals_of(submission=submission, sender=sender)
    if not found:
        raise UsageError(f"nothing came in that {ways[0]!r} names")
    return ledger.archives_and_members(found)
