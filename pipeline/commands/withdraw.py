"""``footage withdraw``: somebody takes footage back.

The originals, their clips and everything made of them are deleted, and the montages that still
hold them are marked stale.  The ledger keeps the SHA-256 and the kinds of what was found, so that
the same bytes are recognised if they come again.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pipeline import clip_order, publishing
from pipeline.commands.deleting import Deletion, all_files, stored_name
from pipeline.commands.ending import Facts
from pipeline.commands.letters import SENT, copies_of
from pipeline.commands.stages import back_up, write_report
from pipeline.errors import ConfigError, UsageError
from pipeline.ledger import Ledger
from pipeline.ledger.heads import is_ledger_older
from pipeline.model import Kind, OriginalState, Row, Status
from pipeline.render import stage as render
from pipeline.render.interchange import TimelineFormat
from pipeline.review import alike, packs
from pipeline.run import Run
from pipeline.store import PIECES, film_copies, keys_of
from pipeline.wording import counted
from pipeline.workspace import MEDIA

_BY = "footage withdraw"
_NEWER = (
    "It knows what this ledger has forgotten, and it still holds the words of the mails that were "
    "taken back. Put it in the place of ledger.db, run footage verify, and repeat this withdrawal. "
    "If you do not put it back, it is deleted by the first footage run after you have moved the "
    "files in logs/ and heads/; see docs/custody.md"
)


@dataclass(frozen=True)
class Selection:
    """What is taken back: one clip by a SHA-256 prefix, one submission, all of a sender, or a case.

    ``case``: the code of a receipt.  ``also_kept``: also what is kept for a case.
    """

    clip: str | None = None
    submission: str | None = None
    sender: str | None = None
    case: str | None = None
    also_kept: bool = False


@dataclass(frozen=True)
class _Withdrawal:
    """The originals that are taken back, the files that go, and the montages that are stale.

    ``kept``: those of the originals that are kept for a case.  ``entries``: lines of the order
    file, as written, with their SHA-256.  ``elsewhere``: places out of reach that still have it.
    ``copies``: of the ledger, which hold the words of the mails.  ``newer``: those that stay, since
    they may know what this ledger has forgotten.  ``stored``: the keys of what goes in a store
    beyond the workspace; copies of the montages are among them.  ``answered``: the mails of which
    no footage is left and that got a letter.  ``alike``: clips that stay and look like what goes.
    """

    shas: list[str]
    files: list[Path]
    stored: list[str]
    copies: list[Path]
    newer: list[Path]
    stale: list[str]
    kept: list[str]
    entries: dict[str, str]
    elsewhere: list[str]
    answered: list[str]
    alike: list[Row]
    also_kept: bool


def take_back(run: Run, selection: Selection, *, dry_run: bool = False) -> Facts:
    """Delete the originals that *selection* names and their clips, and write the report again.

    :param dry_run: only list what would be deleted.
    :raises UsageError: the selection names nothing, is not exactly one of the four, or names
        what is kept for a case.
    :raises StageError: some of the files can't be deleted; all others are.
    """
    try:
        plan = _planned(run, selection)
    except UsageError:
        _name_other_addresses(run, selection)
        raise
    deleted = [run.workspace.relative(path) for path in plan.files]
    deleted += [stored_name(run, key) for key in plan.stored]
    copies = [run.workspace.relative(path) for path in plan.copies]
    newer = [run.workspace.relative(path) for path in plan.newer]
    originals = counted(len(plan.shas), "original")
    if dry_run:
        for line in _preview(run, plan, [*deleted, *copies]):
            run.console.say(line)
        run.console.say(f"withdraw: {originals} would be taken back; nothing was changed")
        _name_other_addresses(run, selection)
        return _facts(run, plan, deleted, copies)
    states = run.ledger.custody.states()
    before = sum(states.get(sha256) is OriginalState.WITHDRAWN for sha256 in plan.shas)
    deletion = _delete(run, plan)
    render.forget(run)
    deleted = [path for path in deleted if path not in deletion.failed]
    for path in (*deleted, *copies):
        run.console.say(f"deleted {path}")
    if deletion.failed:
        files = counted(len(deletion.failed), "file or folder", "files or folders")
        run.console.warn(f"withdraw: {originals} taken back, but {files} could not be deleted")
    else:
        run.console.say(f"withdraw: {_done(len(plan.shas), before)}")
    for path in plan.stale:
        what = "it" if len(plan.shas) == 1 else "them"
        run.console.warn(f"{path} still holds {what}: delete it, or run footage render")
    for place in plan.elsewhere:
        run.console.say(f"not deleted, because the program can't: {place}")
    for path in newer:
        run.console.warn(f"not deleted: {path}. {_NEWER}")
    for row in plan.alike:
        run.console.warn(_alike(row))
    _take_out_of_order(run, plan)
    _name_other_addresses(run, selection)
    facts = {**_facts(run, plan, deleted, copies), **write_report(run)}
    deletion.raise_for_failures(facts)
    # those of before the withdrawal are deleted, so the workspace has none of this ledger now
    return {**facts, **back_up(run)}


def _name_other_addresses(run: Run, selection: Selection) -> None:
    """Say which other addresses of the same mailbox have footage, and how to take that back too.

    They may be those of several people, so a person decides.  The log does not keep these lines,
    since they have addresses.
    """
    for address in run.ledger.custody.other_addresses(selection.sender or ""):
        command = shlex.join(["footage", "withdraw", "--sender", address])
        run.console.say(
            f"not taken back: footage of {address}, maybe of the same person: {command}"
        )


def _done(count: int, before: int) -> str:
    """What was deleted now, and what was withdrawn *before*."""
    earlier = f"{counted(before, 'original')} {'was' if before == 1 else 'were'} withdrawn before"
    if before == count:
        what = "it" if before == 1 else "them"
        return f"{earlier}; all that was made of {what} is deleted"
    what = "it" if count - before == 1 else "them"
    now = f"{counted(count - before, 'original')} and all that was made of {what}: deleted"
    return f"{now}; {earlier}" if before else now


def _alike(row: Row) -> str:
    """Name a clip that may show the same people, and that nobody has taken back."""
    name = f"{row.attachment.filename} ({row.sha256[:12]})"
    return (
        f"{name} looks like what is taken back, and it stays: see whether it shows the same people"
    )


def _facts(run: Run, plan: _Withdrawal, deleted: list[str], copies: list[str]) -> Facts:
    """What ``--json`` gives."""
    return {
        "withdraw": {
            "withdrawn": plan.shas,
            "stale": plan.stale,
            "deleted": deleted,
            "backups": copies,
            "backups_not_deleted": [run.workspace.relative(path) for path in plan.newer],
            "kept_for_case": plan.kept,
            "not_reached": plan.elsewhere,
            "alike": [row.sha256 for row in plan.alike],
        }
    }


def _planned(run: Run, selection: Selection) -> _Withdrawal:
    shas = _selected(run.ledger, selection)
    wanted = set(shas)
    stale = run.ledger.custody.montages_with(shas)
    rows = run.ledger.clips.rows()
    mails = {row.submission for row in rows if row.sha256 in wanted}
    backups = run.ledger.backups
    newer = backups.newer() if is_ledger_older(run.workspace, run.ledger) else []
    letters = {
        mail: copies_of(run.workspace.letters, mail)
        for mail in mails - {row.submission for row in rows if _is_left(row, wanted)}
    }
    files = {*_files(run, shas, mails), *_beside(run, stale), *chain(*letters.values())}
    return _Withdrawal(
        shas=shas,
        files=sorted(files),
        stored=sorted({*_stored(run, shas, stale)}),
        copies=[path for path in backups.all_copies() if path not in newer],
        newer=newer,
        stale=stale,
        kept=[sha256 for sha256 in run.ledger.custody.case_holds() if sha256 in wanted],
        entries=_order_entries(run, wanted),
        elsewhere=[*places_of_mails(run, mails), *_packs(run, wanted)],
        answered=sorted(
            mail for mail, paths in letters.items() if SENT in (it.parent.name for it in paths)
        ),
        alike=alike.like(rows, wanted),
        also_kept=selection.also_kept,
    )


def _is_left(row: Row, withdrawn: set[str]) -> bool:
    """Whether there is footage in a row that is not taken back."""
    is_footage = row.attachment.refusal is None and row.attachment.kind is not Kind.ARCHIVE
    is_gone = row.status is Status.WITHDRAWN or row.sha256 in withdrawn
    return bool(row.sha256) and is_footage and not is_gone


def _preview(run: Run, plan: _Withdrawal, deleted: list[str]) -> Iterator[str]:
    """What a dry run says."""
    yield from (f"would delete {path}" for path in deleted)
    if plan.entries:
        path, entries = (
            clip_order.path_of(run.config),
            counted(len(plan.entries), "entry", "entries"),
        )
        yield f"{path}: {entries} would be taken out"
    yield from (f"{path} holds them: it would be marked stale" for path in plan.stale)
    yield from (f"would not be deleted, because the program can't: {it}" for it in plan.elsewhere)
    newer = map(run.workspace.relative, plan.newer)
    yield from (f"would not be deleted: {path}. {_NEWER}" for path in newer)
    yield from map(_alike, plan.alike)
    yield from (f"{sha256[:12]} is kept for a case: this needs --also-kept" for sha256 in plan.kept)


def _files(run: Run, shas: list[str], mails: set[str]) -> Iterator[Path]:
    """The files that hold something of these originals."""
    workspace = run.workspace
    for sha256 in shas:
        yield from filter(Path.exists, [workspace.original(sha256)])
        yield from workspace.changed.glob(f"{sha256}-*")
        yield from all_files(workspace.clips / sha256)
        yield from (workspace.report / "thumbs").glob(f"{sha256}*")
    yield from filter(Path.exists, (workspace.letters / f"{mail}.eml" for mail in mails))
    # a cached piece may belong to several clips, so the whole cache goes: it can be made again
    yield from all_files(workspace.cache)


def _stored(run: Run, shas: list[str], stale: list[str]) -> Iterator[str]:
    """What a store beyond the workspace has of these originals, and the films that hold them."""
    if not run.store.is_beyond:
        return
    for sha256 in shas:
        yield from keys_of(run.store, sha256)
    # as in the cache: a piece may belong to several clips, and can be made again
    yield from (each.key for each in run.store.beyond(f"{PIECES}/"))
    yield from film_copies(run.store, stale)


def _beside(run: Run, stale: list[str]) -> Iterator[Path]:
    """What was made with the montages that hold them, without the montages themselves.

    Previews and timelines are not in the ledger, and can be made again: all of them go.
    """
    for path in stale:
        yield from render.files_beside(run.workspace.root / path)
    yield from run.workspace.montage.glob("*-preview.*")
    for kind in TimelineFormat:
        yield from run.workspace.montage.glob(f"*.{kind}")
    for folder in run.workspace.montage.glob(f"*{MEDIA}"):
        yield from all_files(folder)


def places_of_mails(run: Run, mails: set[str]) -> list[str]:
    """Where the mails themselves are: the program changes no inbox."""
    places = []
    for (account, mailbox), identities in run.ledger.intake.places_of(mails).items():
        count = len(identities)
        if account == "added":
            places.append(f"{counted(count, 'file')} that came by footage add")
        elif "@" in account:
            uids = ", ".join(identity.uid for identity in identities)
            places.append(f"{counted(count, 'mail')} in {mailbox} of {account}, UID {uids}")
        else:
            places.append(
                f"{counted(count, 'mail or file', 'mails or files')} in {account}:{mailbox}"
            )
    return sorted(places)


def _packs(run: Run, shas: set[str]) -> Iterator[str]:
    """The packs of the report that hold them; where these are now, the program can't know."""
    for at in packs.made_with(run.ledger, shas):
        yield f"a pack of the report that was made at {at}, with all copies of it"


def _delete(run: Run, plan: _Withdrawal) -> Deletion:
    """Delete originals with everything that was made of them.

    The ledger is written first: even if this is interrupted, nothing is made of them again.
    """
    run.ledger.custody.withdraw(plan.shas, also_kept=plan.also_kept, backups=plan.newer)
    # before their letters are deleted, so that nobody gets a second one
    run.ledger.reviews.set_handled(plan.answered, _BY)
    deletion = Deletion(run)
    for path in plan.files:
        deletion.delete(path)
    for key in plan.stored:
        deletion.delete_stored(key)
    for sha256 in plan.shas:
        deletion.delete_folder(run.workspace.clips / sha256)
    for folder in (*run.workspace.montage.glob(f"*{MEDIA}"), run.workspace.cache):
        deletion.delete_folder(folder)
    run.workspace.create()
    return deletion


def _order_entries(run: Run, shas: set[str]) -> dict[str, str]:
    """The lines of the order file that name one of *shas*, as written."""
    path = clip_order.path_of(run.config)
    if path is None:
        return {}
    try:
        order = clip_order.read(path)
    except (ConfigError, OSError):
        return {}
    known = [row.sha256 for row in run.ledger.clips.rows()]
    named = {
        line.sha256: sha256
        for line, sha256 in order.clips(known)
        if sha256 is not None and sha256 in shas
    }
    return named | {sha256: sha256 for sha256 in order.left_out if sha256 in shas}


def _take_out_of_order(run: Run, plan: _Withdrawal) -> None:
    """Take withdrawn clips out of the order file, which may name their senders."""
    path = clip_order.path_of(run.config)
    if path is None:
        return
    try:
        text = path.read_text("utf-8-sig") if plan.entries else ""
        clip_order.read(path)
        if plan.entries:
            text = clip_order.without(text, plan.entries)
            publishing.write_text(path, text, path.stat().st_mode & 0o777)
            entries = counted(len(plan.entries), "entry is", "entries are")
            run.console.say(f"{path}: {entries} taken out")
    except (ConfigError, OSError) as error:
        run.console.warn(f"{path} may still name them: take them out by hand ({error})")


def _selected(ledger: Ledger, selection: Selection) -> list[str]:
    """The originals that *selection* names.

    An archive holds copies of its members, so it is deleted with each of them, and they with it.
    """
    names = ("clip", "submission", "sender", "case")
    given = [name for name in names if getattr(selection, name)]
    if len(given) != 1:
        raise UsageError("name what is taken back by one of --clip, --submission, --sender, --case")
    if selection.clip:
        found = ledger.custody.matching(selection.clip.lower())
        if len(found) > 1:
            raise UsageError(f"more than one clip begins with {selection.clip!r}: give more digits")
    elif selection.case:
        mails = ledger.receipts.submissions_of(selection.case)
        each = (ledger.custody.received(submission=mail, sender=None) for mail in mails)
        found = list(dict.fromkeys(chain.from_iterable(each)))
    else:
        found = ledger.custody.received(submission=selection.submission, sender=selection.sender)
    if not found:
        # without the value: the log and the ledger keep this sentence, and it may be an address
        raise UsageError(f"nothing came in that this --{given[0]} names")
    return ledger.custody.archives_and_members(found)
