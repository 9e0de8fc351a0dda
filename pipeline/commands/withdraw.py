"""``footage withdraw``: somebody takes footage back.

The original, its clips and all that was made of them are deleted, and the montages that still
hold them are marked stale.  The ledger keeps the SHA-256 and the kinds of what was found, so that
the same bytes are known again.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.commands.nightly import write_report
from pipeline.errors import UsageError
from pipeline.ledger import Ledger
from pipeline.render import stage as render
from pipeline.run import Run


@dataclass(frozen=True)
class WithdrawSummary:
    """The originals that are gone, and the montages (paths) that still hold them."""

    withdrawn: tuple[str, ...]
    stale: tuple[str, ...]


def withdraw(
    run: Run, clip: str | None, submission: str | None, sender: str | None
) -> dict[str, Any]:
    """``footage withdraw``; the report no longer shows what is gone."""
    shas = _chosen(run.ledger, clip, submission, sender)
    done = _delete(run, shas)
    render.forget(run)
    run.console.say(f"withdraw: {len(done.withdrawn)} originals and their clips are deleted")
    for path in done.stale:
        run.console.warn(f"{path} still holds them: delete it, or run footage render")
    return {"withdraw": asdict(done), **write_report(run)}


def _delete(run: Run, shas: list[str]) -> WithdrawSummary:
    """Delete originals with all that was made of them.

    The ledger is told first: from then on nothing is made of them, wherever this ends.
    """
    stale = run.ledger.custody.withdraw(shas)
    for sha256 in shas:
        run.workspace.original(sha256).unlink(missing_ok=True)
        shutil.rmtree(run.workspace.clips / sha256, ignore_errors=True)
        for still in (run.workspace.report / "thumbs").glob(f"{sha256}*"):
            still.unlink()
    # pieces of clips may be kept there under the hash of more than one: all can be made again
    if shas:
        shutil.rmtree(run.workspace.cache, ignore_errors=True)
        run.workspace.create()
    return WithdrawSummary(tuple(shas), tuple(stale))


def _chosen(
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
        found = ledger.custody.matching(clip.lower())
        if len(found) > 1:
            raise UsageError(f"more than one clip begins with {clip!r}: name more of it")
    else:
        found = ledger.custody.received(submission=submission, sender=sender)
    if not found:
        raise UsageError(f"nothing came in that {ways[0]!r} names")
    return ledger.custody.archives_and_members(found)
