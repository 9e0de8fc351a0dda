"""``footage withdraw``: somebody takes footage back.

The originals, their clips and everything made of them are deleted, and the montages that still
hold them are marked stale.  The ledger keeps the SHA-256 and the kinds of what was found, so that
the same bytes are recognised if they come again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import clip_order, publishing
from pipeline.commands.ending import Facts
from pipeline.commands.stages import back_up, write_report
from pipeline.errors import ConfigError, UsageError
from pipeline.ledger import Ledger
from pipeline.removal import removed
from pipeline.render import stage as render
from pipeline.run import Run


@dataclass(frozen=True)
class Selection:
    """What is taken back: one clip by a SHA-256 prefix, one submission, or all of a sender.

    ``also_kept``: also what is kept for a case.
    """

    clip: str | None
    submission: str | None
    sender: str | None
    also_kept: bool = False


@dataclass(frozen=True)
class _Withdrawal:
    """The originals that are taken back, the files that go, and the montages that are stale.

    ``kept``: those of the originals that are kept for a case.
    """

    shas: list[str]
    files: list[Path]
    stale: list[str]
    kept: list[str]
    also_kept: bool


def take_back(run: Run, selection: Selection, *, dry_run: bool = False) -> Facts:
    """Delete the originals that *selection* names and their clips, and write the report again.

    :param dry_run: only list what would be deleted.
    :raises UsageError: the selection names nothing, is not exactly one of the three, or names
        what is kept for a case.
    """
    shas = _selected(run.ledger, selection)
    stale = run.ledger.custody.montages_with(shas)
    kept = [sha256 for sha256 in run.ledger.custody.case_holds() if sha256 in set(shas)]
    files = sorted(_files(run, shas, stale))
    plan = _Withdrawal(shas, files, stale, kept, selection.also_kept)
    deleted = [run.workspace.relative(path) for path in plan.files]
    facts: Facts = {
        "withdraw": {"withdrawn": shas, "stale": stale, "deleted": deleted, "kept_for_case": kept}
    }
    if dry_run:
        for path in deleted:
            run.console.say(f"would delete {path}")
        for path in stale:
            run.console.say(f"{path} holds them: it would be marked stale")
        for sha256 in kept:
            run.console.say(f"{sha256[:12]} is kept for a case: this needs --also-kept")
        run.console.say(f"withdraw: {len(shas)} originals would be taken back; nothing was changed")
        return facts
    _delete(run, plan)
    render.forget(run)
    run.console.say(f"withdraw: {len(shas)} originals and all that was made of them are deleted")
    for path in stale:
        run.console.warn(f"{path} still holds them: delete it, or run footage render")
    _take_out_of_order(run, shas)
    facts |= write_report(run)
    # those of before the withdrawal are deleted, so the workspace has none now
    return {**facts, **back_up(run)}


def _files(run: Run, shas: list[str], stale: list[str]) -> Iterator[Path]:
    """The files that hold something of these originals, without the montages themselves."""
    for sha256 in shas:
        yield from filter(Path.exists, [run.workspace.original(sha256)])
        yield from (run.workspace.clips / sha256).glob("*")
        yield from (run.workspace.report / "thumbs").glob(f"{sha256}*")
    mails = {row.submission for row in run.ledger.clips.rows() if row.sha256 in set(shas)}
    yield from filter(Path.exists, (run.workspace.letters / f"{mail}.eml" for mail in mails))
    # a preview is not in the ledger and can be made again, so every preview goes
    yield from run.workspace.montage.glob("*-preview.*")
    for path in stale:
        yield from render.files_beside(run.workspace.root / path)


def _delete(run: Run, plan: _Withdrawal) -> None:
    """Delete originals with everything that was made of them.

    The ledger is written first: even if this is interrupted, nothing is made of them again.
    """
    run.ledger.custody.withdraw(plan.shas, also_kept=plan.also_kept)
    for path in plan.files:
        path.unlink(missing_ok=True)
    for sha256 in plan.shas:
        removed(run.workspace.clips / sha256)
    # a cached piece may belong to several clips, so the whole cache goes: it can be made again
    if plan.shas:
        removed(run.workspace.cache)
        run.workspace.create()


def _take_out_of_order(run: Run, shas: list[str]) -> None:
    """Take withdrawn clips out of the order file, which may name their senders."""
    path = clip_order.path_of(run.config)
    if path is None:
        return
    try:
        order = clip_order.read(path)
        known = [row.sha256 for row in run.ledger.clips.rows()]
        gone = {
            line.sha256: sha256
            for line, sha256 in order.clips(known)
            if sha256 is not None and sha256 in shas
        }
        gone |= {sha256: sha256 for sha256 in order.left_out if sha256 in shas}
        if gone:
            text = path.read_text("utf-8-sig")
            publishing.write_text(path, clip_order.without(text, gone), path.stat().st_mode & 0o777)
            run.console.say(f"{path}: {len(gone)} entries are taken out")
    except (ConfigError, OSError) as error:
        run.console.warn(f"{path} may still name them: take them out by hand ({error})")


def _selected(ledger: Ledger, selection: Selection) -> list[str]:
    """The originals that *selection* names.

    An archive holds copies of its members, so it is deleted with each of them, and they with it.
    """
    given = [name for name in ("clip", "submission", "sender") if getattr(selection, name)]
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
