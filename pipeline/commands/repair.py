"""``footage doctor --repair``: ledger and disk agree again, and no footage is removed for it.

An original that the ledger does not know is taken in.  Only what its sender took back, copies of
bytes that are kept, and clips that can be made again are deleted.  What needs a person is named.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from pipeline import publishing, texts
from pipeline.commands import comparison
from pipeline.commands.comparison import CHANGED, Compared
from pipeline.commands.difference import Difference, DifferenceKind, shown_path
from pipeline.commands.ending import Facts
from pipeline.commands.stages import hand_over, write_report
from pipeline.commands.withdraw import places_of_mails
from pipeline.errors import RowUnreadable, StageError
from pipeline.history import EventKind
from pipeline.ingest.add import add
from pipeline.model import OriginalState
from pipeline.run import Run
from pipeline.store import FootageFile, still_of
from pipeline.wording import counted
from pipeline.workspace import Workspace


class Remedy(StrEnum):
    """What is done about a difference, in the order in which it is done."""

    SET_ASIDE = "set-aside"
    RETURN = "return"
    ADOPT = "adopt"
    DELETE_COPY = "delete-copy"
    DELETE_WITHDRAWN = "delete-withdrawn"
    RECORD_LOST = "record-lost"
    REMAKE = "remake"
    RECORD_CLIP_LOST = "record-clip-lost"
    DELETE_CLIP = "delete-clip"
    DELETE_FILM = "delete-film"
    MARK_STALE = "mark-stale"
    DELETE_BACKUP = "delete-backup"


_MOVED = (Remedy.SET_ASIDE, Remedy.RETURN, Remedy.ADOPT, Remedy.RECORD_CLIP_LOST)


@dataclass(frozen=True)
class Repair:
    """One thing to do: with which file, and for which original."""

    remedy: Remedy
    path: str
    sha256: str = ""

    @property
    def sentence(self) -> str:
        """What becomes of the file, for a person."""
        return f"{shown_path(self.path)}: {texts.repair(self.remedy)}"

    def table(self) -> dict[str, object]:
        """What ``--json`` and the ledger hold."""
        return {**asdict(self), "path": shown_path(self.path)}


def repair(run: Run, *, dry_run: bool = False) -> Facts:
    """Make ledger and disk agree, and list what was done.

    :param dry_run: only list it.
    :raises RowUnreadable: a row can't be read; nothing is repaired then.
    :raises StageError: some differences need a person; all others are repaired.
    """
    compared = comparison.look(run)
    if compared.unreadable:
        raise RowUnreadable
    found = comparison.differences(run.workspace, compared)
    repairs, left = plan(run.workspace, compared, found)
    facts: Facts = {
        "repair": {
            "repaired": [each.table() for each in repairs],
            "left": [each.table() for each in left],
            "dry_run": dry_run,
        }
    }
    made = counted(len(repairs), "repair")
    if _is_older(found):
        run.console.warn(
            "the ledger is older than the logs say, or its chain was made again. What is missing "
            "may have been taken back by its sender: it is left as it is. Do not add it, and do "
            "not ask for it, before you know. See docs/custody.md"
        )
    for each in repairs:
        run.console.say(f"{'would: ' if dry_run else ''}{each.sentence}")
    for difference in left:
        run.console.warn(difference.sentence)
    if dry_run:
        _raise_for(left, f"{made} would be made, nothing was changed", facts)
        run.console.say(f"repair: {made} would be made; nothing was changed")
        return facts
    if repairs:
        _apply(run, compared, repairs)
        hand_over(run)
        facts |= write_report(run)
    for each in repairs:
        if each.remedy is Remedy.RECORD_LOST:
            run.console.warn(_where_it_came_from(run, each.sha256))
    _raise_for(left, f"{made} made", facts)
    run.console.say(f"repair: {made} made; ledger and disk agree")
    return facts


def _raise_for(left: Sequence[Difference], done: str, facts: Facts) -> None:
    """End with an error if differences need a person.

    :raises StageError: some do; a dry run ends alike, so a script can ask before it repairs.
    """
    if left:
        error = StageError(f"repair: {done}; {counted(len(left), 'difference')} left to a person")
        error.facts = facts
        raise error


def plan(
    workspace: Workspace, compared: Compared, found: Iterable[Difference]
) -> tuple[list[Repair], list[Difference]]:
    """Choose what is done about each difference.

    :returns: the repairs in order, and the differences that need a person.
    """
    found = list(found)
    repairs: list[Repair] = []
    left: list[Difference] = []
    # a withdrawal may be what the ledger has forgotten
    is_older = _is_older(found)
    missing = DifferenceKind.ORIGINAL_MISSING
    originals = [
        each
        for each in found
        if each.kind in _OF_ORIGINALS and not (is_older and each.kind is missing)
    ]
    for each in originals:
        repairs += _of_original(workspace, compared, each)
    there = _available(workspace, compared, repairs)
    repairs = [
        each
        for each in repairs
        if each.remedy is not Remedy.RECORD_LOST or each.sha256 not in there
    ]
    for each in found:
        remedy = _of_the_rest(compared, each, there)
        if is_older and remedy is Remedy.RECORD_CLIP_LOST:
            remedy = None
        if remedy is not None:
            repairs.append(Repair(remedy, each.path, each.sha256))
        elif each not in originals:
            left.append(each)
    order = list(Remedy)
    return sorted(repairs, key=lambda each: order.index(each.remedy)), left


def _is_older(found: Iterable[Difference]) -> bool:
    """Whether the ledger may have forgotten events that the logs of runs know."""
    forgotten = (
        *(DifferenceKind.LOG_NEWER, DifferenceKind.LOG_DIFFERS),
        *(DifferenceKind.ACT_FORGOTTEN, DifferenceKind.ACT_UNKNOWN),
    )
    return any(each.kind in forgotten for each in found)


_OF_ORIGINALS = (
    DifferenceKind.ORIGINAL_MISSING,
    DifferenceKind.ORIGINAL_CHANGED,
    DifferenceKind.ORIGINAL_UNKNOWN,
    DifferenceKind.ORIGINAL_LEFT,
)


def _of_original(
    workspace: Workspace, compared: Compared, difference: Difference
) -> Iterator[Repair]:
    """What is done about an original."""
    path, sha256 = difference.path, difference.sha256
    file = compared.files.get(path)
    match difference.kind:
        case DifferenceKind.ORIGINAL_MISSING:
            yield Repair(Remedy.RECORD_LOST, path, sha256)
        case DifferenceKind.ORIGINAL_CHANGED:
            yield Repair(_for_changed(compared, path), path, sha256)
            yield Repair(Remedy.RECORD_LOST, path, sha256)
        case DifferenceKind.ORIGINAL_LEFT:
            if compared.states[sha256] is OriginalState.WITHDRAWN:
                yield Repair(Remedy.DELETE_WITHDRAWN, path, sha256)
            elif file is not None and file.sha256 == sha256:
                yield Repair(Remedy.RETURN, path, sha256)
            else:
                yield Repair(_for_changed(compared, path), path, sha256)
        case _:
            # sha256 is that of the bytes, which the file's name need not say
            state = compared.states.get(sha256)
            own = workspace.relative(workspace.original(sha256))
            kept = compared.files.get(own)
            if state is None:
                yield Repair(Remedy.ADOPT, path, sha256)
            elif state is OriginalState.WITHDRAWN:
                yield Repair(Remedy.DELETE_WITHDRAWN, path, sha256)
            elif kept is not None and kept.sha256 == sha256:
                yield Repair(Remedy.DELETE_COPY, path, sha256)
            else:
                yield Repair(Remedy.RETURN, path, sha256)


def _for_changed(compared: Compared, path: str) -> Remedy:
    """A changed file is set aside, unless its bytes are those of withdrawn footage."""
    digest = compared.files[path].sha256 or ""
    if compared.states.get(digest) is OriginalState.WITHDRAWN:
        return Remedy.DELETE_WITHDRAWN
    return Remedy.SET_ASIDE


def _available(workspace: Workspace, compared: Compared, repairs: Iterable[Repair]) -> set[str]:
    """The originals that are there after these repairs, so that clips can be made of them."""
    kept = {
        sha256
        for sha256, state in compared.states.items()
        if state is OriginalState.KEPT
        and (file := compared.files.get(workspace.relative(workspace.original(sha256))))
        and file.sha256 == sha256
    }
    returning = (Remedy.ADOPT, Remedy.RETURN)
    return kept | {each.sha256 for each in repairs if each.remedy in returning}


def _of_the_rest(compared: Compared, difference: Difference, there: set[str]) -> Remedy | None:
    """What is done about a clip, a film or a backup; None if a person is needed."""
    sha256 = difference.sha256
    match difference.kind:
        case DifferenceKind.STILL_CHANGED if sha256 not in there:
            return None  # the clip itself is whole, and its still can't be made again
        case (
            DifferenceKind.CLIP_MISSING | DifferenceKind.CLIP_CHANGED | DifferenceKind.STILL_CHANGED
        ):
            return Remedy.REMAKE if sha256 in there else Remedy.RECORD_CLIP_LOST
        case DifferenceKind.CLIP_UNKNOWN:
            if compared.states.get(sha256) is OriginalState.WITHDRAWN:
                return Remedy.DELETE_WITHDRAWN
            # without an original it may be the only copy of footage
            return Remedy.DELETE_CLIP if sha256 in there else None
        case DifferenceKind.FILM_CHANGED:
            return Remedy.MARK_STALE
        case DifferenceKind.FILM_UNKNOWN:
            # an older version of a film that was made here; anything else a person has to look at
            is_ours = compared.files[difference.path].sha256 in compared.proved.films
            return Remedy.DELETE_FILM if is_ours else None
        case DifferenceKind.BACKUP_OUTDATED:
            return Remedy.DELETE_BACKUP
    return None


def _apply(run: Run, compared: Compared, repairs: Sequence[Repair]) -> None:
    """Make the repairs; if this is interrupted, the rest is found again."""
    for each in repairs if run.store.is_beyond else ():
        _take_out(run, compared, each)
    adopted = [each for each in repairs if each.remedy is Remedy.ADOPT]
    for each in repairs:
        if each.remedy is Remedy.ADOPT:
            if adopted:
                _adopt(run, adopted)
                adopted = []
        else:
            _apply_one(run, each)
    counts = {
        remedy.value: number
        for remedy in Remedy
        if (number := sum(each.remedy is remedy for each in repairs))
    }
    run.ledger.chain.append(EventKind.REPAIRED, repairs=counts)


def _apply_one(run: Run, wanted: Repair) -> None:
    path, sha256 = run.workspace.root / wanted.path, wanted.sha256
    match wanted.remedy:
        case Remedy.SET_ASIDE:
            actual = publishing.sha256_of(path)[:12]
            publishing.move(path, run.workspace.changed / f"{sha256}-{actual}")
        case Remedy.RETURN:
            publishing.move(path, run.workspace.original(sha256))
            run.ledger.custody.set_state(sha256, OriginalState.KEPT)
        case Remedy.RECORD_LOST:
            run.ledger.custody.set_state(sha256, OriginalState.LOST)
        case Remedy.REMAKE:
            run.ledger.clips.forget([sha256])
            for file in (path, _still(path)):
                file.unlink(missing_ok=True)
        case Remedy.RECORD_CLIP_LOST:
            _lose_clip(run, wanted)
        case Remedy.MARK_STALE:
            run.ledger.runs.mark_stale(wanted.path)
        case _:
            path.unlink(missing_ok=True)
            if path.parent.parent == run.workspace.clips:
                with suppress(OSError):  # there is something else in it, or it is not there
                    path.parent.rmdir()


def _take_out(run: Run, compared: Compared, wanted: Repair) -> None:
    """Take what a repair is about out of the store: into the workspace folder, or for good.

    The repair itself works in that folder, and what stays is sent to the store again.
    """
    file = compared.files.get(wanted.path)
    if wanted.remedy in (Remedy.RECORD_LOST, Remedy.MARK_STALE, Remedy.DELETE_BACKUP):
        return
    keys = {file.key: wanted.path} if file and file.key else {}
    clip = FootageFile(wanted.path, "")
    if wanted.remedy in (Remedy.REMAKE, Remedy.RECORD_CLIP_LOST):
        still = still_of(clip)
        beside = run.store.beyond(clip.folder)
        keys |= {each.key: still.path for each in beside if still.is_version(each.key)}
    is_kept = wanted.remedy in _MOVED
    for key, path in keys.items():
        if is_kept:
            with publishing.new_file(run.workspace.root / path) as copy:
                for piece in run.store.pieces_of(key):
                    copy.write(piece)
        run.store.delete(key)


def _where_it_came_from(run: Run, sha256: str) -> str:
    """Where a lost original may still be had."""
    mails = {row.submission for row in run.ledger.clips.rows() if row.sha256 == sha256}
    places = "; ".join(places_of_mails(run, mails))
    return (
        f"{sha256[:12]} is lost. It came in {places or 'a mail that is not known'}. If the file is "
        "still there, save it and take it in again: footage add FILE"
    )


def _still(clip: Path) -> Path:
    """The still that was made with a clip."""
    return clip.with_suffix(".jpg")


def _adopt(run: Run, repairs: Sequence[Repair]) -> None:
    """Take in originals that no row knows, each as a file that came without a mail."""
    add(run, [run.workspace.root / each.path for each in repairs])
    for each in repairs:
        path, own = run.workspace.root / each.path, run.workspace.original(each.sha256)
        is_taken = run.ledger.custody.state(each.sha256) is OriginalState.KEPT and own.is_file()
        if path != own and is_taken and own.stat().st_size == path.stat().st_size:
            path.unlink()


def _lose_clip(run: Run, wanted: Repair) -> None:
    """Take one file out of the outcome of a clip that can't be made again; nobody uses it then."""
    path = run.workspace.root / wanted.path
    for file in filter(Path.exists, (path, _still(path))):
        publishing.move(file, file.with_name(file.name + CHANGED))
    result = run.ledger.clips.results().get(wanted.sha256)
    if result is None:
        return
    kept = tuple(output for output in result.outputs if output.path != wanted.path)
    if kept:
        run.ledger.clips.record(replace(result, outputs=kept))
    else:
        run.ledger.clips.forget([wanted.sha256])
