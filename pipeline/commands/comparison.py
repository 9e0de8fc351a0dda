"""Compare the ledger with the disk and with its own chain of custody; nothing is changed here.

Reading (:func:`look`) and comparing (:func:`differences`) are apart.  Every file is hashed once.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import publishing
from pipeline.commands.difference import Difference, DifferenceKind
from pipeline.commands.forgotten import forgotten_acts
from pipeline.errors import BytesChanged, FileMissing
from pipeline.history import ChainHead, MontageRecord
from pipeline.ledger import Ledger, acts
from pipeline.ledger.chain import ChainBreak
from pipeline.ledger.checks import ChangedRow
from pipeline.ledger.heads import KeptHead, in_logs
from pipeline.ledger.proofs import AttachmentBytes, AttachmentKey, Proved, add_up
from pipeline.model import ClipResult, OriginalState
from pipeline.run import Run
from pipeline.store import FILMS, FOLDERS, FootageFile, StoredObject, files_of, still_of
from pipeline.workspace import Workspace

CHANGED = ".changed"
"""The end of the name of a clip that has changed and can't be made again; nobody uses it."""


@dataclass(frozen=True)
class FileFound:
    """A file: its size, and the SHA-256 of its bytes, None if it can't be read.

    ``key``: that of the object, if the file is in a store beyond the workspace.
    """

    size: int
    sha256: str | None
    key: str = ""


@dataclass(frozen=True)
class Compared:
    """All that is compared.  Files are by their path from the workspace.

    ``broken``: where the chain does not hold; ``trail``: the digest of each entry of the trail;
    ``consents``: of each entry of the consents.  ``attachments``: SHA-256 and size by place.
    ``holds``: the digest of the reason of each case; ``handled``: the mails that are marked so.
    ``logs``: where the chain does not fit the logs of runs.  ``triggers``: those that are gone or
    changed.  ``changed_rows``: what the ledger itself finds.  ``forgotten``: acts of people that
    the files beside the ledger have.
    """

    files: Mapping[str, FileFound]
    states: Mapping[str, OriginalState]
    clips: Mapping[str, ClipResult]
    films: tuple[MontageRecord, ...]
    trail: Mapping[int, str]
    proved: Proved
    broken: tuple[ChainBreak, ...] = ()
    damaged: bool = False
    outdated_backups: tuple[str, ...] = ()
    newer_backups: tuple[str, ...] = ()
    consents: Mapping[int, str] = field(default_factory=dict)
    attachments: Mapping[AttachmentKey, AttachmentBytes] = field(default_factory=dict)
    holds: Mapping[str, str] = field(default_factory=dict)
    handled: frozenset[str] = frozenset()
    logs: tuple[Difference, ...] = ()
    forgotten: tuple[Difference, ...] = ()
    triggers: tuple[str, ...] = ()
    unreadable: tuple[ChangedRow, ...] = ()
    changed_rows: tuple[ChangedRow, ...] = ()

    @property
    def lost(self) -> list[str]:
        """The originals that are known to be lost."""
        return [sha for sha, state in self.states.items() if state is OriginalState.LOST]

    @property
    def films_gone(self) -> list[str]:
        """Films that are not there any more; they can be made again."""
        return [film.path for film in self.films if film.path not in self.files]


def look(run: Run) -> Compared:
    """Read the ledger, and hash all originals, clips and films.

    Rows that can't be read are named in ``unreadable``, and passed over besides.
    """
    ledger, workspace = run.ledger, run.workspace
    films = tuple(ledger.runs.montages(skips=True))
    paths = [*_files(workspace.originals), *_files(workspace.clips)]
    paths += [path for film in films if (path := workspace.root / film.path).exists()]
    found: dict[str, FileFound] = {}
    beyond = _beyond(run, films)
    sizes = {path: path.lstat().st_size for path in paths}
    size_of_all = sum(sizes.values()) + sum(stored.size for stored in beyond.values())
    with run.console.task("Comparing", size_of_all, "B") as task:
        for path, size in sizes.items():
            found[workspace.relative(path)] = FileFound(size, _sha256(path))
            task.advance(size)
        for name, stored in beyond.items():
            if name not in found:
                digest = _stored_sha256(run, stored.key)
                found[name] = FileFound(stored.size, digest, stored.key)
            task.advance(stored.size)
    # before the chain, which grows meanwhile
    heads, kept_acts = in_logs(workspace), acts.newest(workspace.heads)
    # one moment of the ledger: a decision in between would look like a changed row
    with ledger.transaction():
        proved = add_up(ledger.chain.events())
        logs = tuple(_unlike_logs(ledger, heads))
        # while nobody has looked at an older ledger, they may be all that has what it forgot
        newer = {*ledger.backups.newer()} if logs else set[Path]()
        outdated = [path for path in ledger.backups.outdated() if path not in newer]
        return Compared(
            files=found,
            states=ledger.custody.states(skips=True),
            clips=ledger.clips.results(skips=True),
            films=films,
            trail=ledger.reviews.trail_digests(),
            proved=proved,
            broken=tuple(ledger.chain.breaks()),
            damaged=bool(ledger.faults()),
            outdated_backups=tuple(map(workspace.relative, outdated)),
            newer_backups=tuple(map(workspace.relative, sorted(newer))),
            consents=ledger.consents.digests(),
            attachments=ledger.intake.kept_attachments(),
            holds=ledger.custody.case_digests(),
            handled=frozenset(ledger.reviews.handled()),
            logs=logs,
            forgotten=tuple(forgotten_acts(workspace.root, ledger, kept_acts)),
            triggers=tuple(ledger.chain.changed_triggers()),
            unreadable=tuple(ledger.checks.unreadable_rows()),
            changed_rows=tuple(ledger.checks.changed_rows(proved)),
        )


def differences(workspace: Workspace, compared: Compared) -> list[Difference]:
    """What is not as the ledger says: of the ledger itself, originals, clips, films, backups."""
    found = [Difference(DifferenceKind.LEDGER_DAMAGED, "ledger.db")] if compared.damaged else []
    found += [
        Difference(DifferenceKind.CHAIN_BROKEN, number=each.number) for each in compared.broken
    ]
    found += (*compared.logs, *compared.forgotten)
    found += [
        Difference(DifferenceKind.TRIGGER_MISSING, f"trigger {name}") for name in compared.triggers
    ]
    found += [Difference(DifferenceKind.ROW_CHANGED, row, sha) for row, sha in _rows(compared)]
    unreadable = {path for path, file in compared.files.items() if file.sha256 is None}
    found += [Difference(DifferenceKind.UNREADABLE, path) for path in sorted(unreadable)]
    rest = [*_originals(workspace, compared), *_clips(workspace, compared), *_films(compared)]
    found += [each for each in rest if each.path not in unreadable]
    backups = (
        (DifferenceKind.BACKUP_OUTDATED, compared.outdated_backups),
        (DifferenceKind.BACKUP_NEWER, compared.newer_backups),
    )
    return found + [Difference(kind, path) for kind, paths in backups for path in paths]


def was_cut(ledger: Ledger, head: ChainHead) -> list[Difference]:
    """The difference if the chain does not have an event whose hash was kept elsewhere."""
    return [] if ledger.chain.holds(head) else [without_event(ledger, head.number)]


def without_event(ledger: Ledger, number: int) -> Difference:
    """What is wrong if the chain does not have a kept event: it ends before, or has another."""
    is_cut = ledger.chain.ended_before(number)
    kind = DifferenceKind.CHAIN_CUT if is_cut else DifferenceKind.CHAIN_REPLACED
    return Difference(kind, number=number)


def _unlike_logs(ledger: Ledger, heads: Iterable[KeptHead]) -> Iterator[Difference]:
    """Name each log with a head that the chain does not have, once."""
    named = set[str]()
    for kept in heads:
        if kept.path not in named and not ledger.chain.holds(kept.head):
            named.add(kept.path)
            is_newer = ledger.chain.ended_before(kept.head.number)
            kind = DifferenceKind.LOG_NEWER if is_newer else DifferenceKind.LOG_DIFFERS
            yield Difference(kind, kept.path, number=kept.head.number)


def _files(folder: Path) -> Iterator[Path]:
    """All that is in a folder and is not a folder; not what is being written (``.part``)."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.endswith(publishing.PART))
        for name in sorted(names):
            if not name.endswith(publishing.PART):
                yield Path(place, name)


def _sha256(path: Path) -> str | None:
    """The SHA-256 of a file; None if it is not a file of ours or can't be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            return publishing.sha256_of(file)
    except OSError:
        return None


def _beyond(run: Run, films: Iterable[MontageRecord]) -> dict[str, StoredObject]:
    """What is in a store beyond the workspace, by its path, or by its key if nobody knows it."""
    if not run.store.is_beyond:
        return {}
    known_clips = run.ledger.clips.results(skips=True)
    known = [file for result in known_clips.values() for file in files_of(result)]
    known += [still_of(file) for file in known]
    known += [FootageFile(film.path, film.sha256) for film in films]
    paths = {file.key: file.path for file in known}
    stored = [each for folder in FOLDERS for each in run.store.beyond(f"{folder}/")]
    return {paths.get(each.key, each.key): each for each in stored}


def _stored_sha256(run: Run, key: str) -> str | None:
    digest = hashlib.sha256()
    try:
        for piece in run.store.pieces_of(key):
            digest.update(piece)
    except (FileMissing, BytesChanged):
        return None
    return digest.hexdigest()


def _originals(workspace: Workspace, compared: Compared) -> Iterator[Difference]:
    folders = (workspace.originals, workspace.changed)
    folder, changed = (f"{workspace.relative(each)}/" for each in folders)
    unreadable = {sha256 for _, sha256 in compared.unreadable}
    for path, file in compared.files.items():
        sha256 = path.rpartition("/")[2]
        state = compared.states.get(sha256)
        is_named = state is None and sha256 in unreadable
        if is_named or not path.startswith(folder) or path.startswith(changed):
            continue
        if state is None or path != workspace.relative(workspace.original(sha256)):
            yield Difference(DifferenceKind.ORIGINAL_UNKNOWN, path, file.sha256 or "")
        elif state is not OriginalState.KEPT:
            yield Difference(DifferenceKind.ORIGINAL_LEFT, path, sha256)
        elif file.sha256 != sha256:
            yield Difference(DifferenceKind.ORIGINAL_CHANGED, path, sha256)
    for sha256, state in compared.states.items():
        path = workspace.relative(workspace.original(sha256))
        if state is OriginalState.KEPT and path not in compared.files:
            yield Difference(DifferenceKind.ORIGINAL_MISSING, path, sha256)


def _clips(workspace: Workspace, compared: Compared) -> Iterator[Difference]:
    wanted = {
        output.path: (sha256, output)
        for sha256, result in compared.clips.items()
        if compared.states.get(sha256) is not OriginalState.WITHDRAWN
        for output in result.outputs
    }
    stills = {path: str(Path(path).with_suffix(".jpg")) for path in wanted}
    for path, (sha256, output) in wanted.items():
        file, still = compared.files.get(path), compared.files.get(stills[path])
        if file is None:
            yield Difference(DifferenceKind.CLIP_MISSING, path, sha256)
        elif file.sha256 != output.sha256:
            yield Difference(DifferenceKind.CLIP_CHANGED, path, sha256)
        # a still that is missing is made again with its clip; another one could show anything
        elif output.still and still is not None and still.sha256 != output.still:
            yield Difference(DifferenceKind.STILL_CHANGED, path, sha256)
    unreadable = {sha256 for _, sha256 in compared.unreadable}
    folder, own_stills = f"{workspace.relative(workspace.clips)}/", {*stills.values()}
    for path in compared.files:
        known = path in wanted or path in own_stills or path.endswith(CHANGED)
        sha256 = path.removeprefix(folder).partition("/")[0]
        if path.startswith(folder) and not known and sha256 not in unreadable:
            yield Difference(DifferenceKind.CLIP_UNKNOWN, path, sha256)


def _films(compared: Compared) -> Iterable[Difference]:
    for film in compared.films:
        file = compared.files.get(film.path)
        if file is not None and file.sha256 != film.sha256 and not film.stale:
            yield Difference(DifferenceKind.FILM_CHANGED, film.path)
    known = {film.path for film in compared.films}
    for path, file in compared.files.items():
        # in the workspace folder editors may keep what they like beside a film
        if file.key.startswith(f"{FILMS}/") and path not in known:
            yield Difference(DifferenceKind.FILM_UNKNOWN, path)


def _rows(compared: Compared) -> Iterator[tuple[str, str]]:
    """The rows of the ledger that are not as the chain says, each with the original's SHA-256."""
    found = [*compared.unreadable, *_outcomes(compared), *compared.changed_rows]
    found += [*_mails(compared), *((name, "") for name in _entries(compared))]
    by_name: dict[str, str] = {}
    for name, sha256 in found:
        by_name.setdefault(name, sha256)
    yield from by_name.items()


def _outcomes(compared: Compared) -> Iterator[tuple[str, str]]:
    """The rows of originals, clips and montages that are not as the chain says."""
    proved = compared.proved
    for sha256 in sorted(compared.states.keys() | proved.states.keys()):
        if compared.states.get(sha256) is not proved.states.get(sha256):
            yield f"row of the original {sha256[:12]}", sha256
    clips = {
        sha256: (result.recipe, {output.name: output.sha256 for output in result.outputs})
        for sha256, result in compared.clips.items()
    }
    # a clip whose original the ledger does not know was never carried over
    known = clips.keys() & proved.states.keys() | proved.clips.keys()
    for sha256 in sorted(known):
        if clips.get(sha256) != proved.clips.get(sha256):
            yield f"row of the clip {sha256[:12]}", sha256
    for film in compared.films:
        if film.sha256 not in proved.films:
            yield f"row of the montage {film.path}", ""


def _mails(compared: Compared) -> Iterator[tuple[str, str]]:
    """The rows of attachments, cases and handled mails that are not as the chain says.

    What is older than the chain has no event and is not compared.
    """
    proved = compared.proved
    for place in sorted(compared.attachments.keys() | proved.attachments.keys()):
        stored, by_chain = compared.attachments.get(place), proved.attachments.get(place)
        sha256, _ = stored or by_chain or ("", 0)
        is_older = by_chain is None and proved.is_older(place, sha256)
        if stored != by_chain and not is_older:
            yield f"row of the attachment {place[1]} of the mail {place[0]}", sha256
    for sha256 in sorted(compared.holds.keys() | proved.holds.keys()):
        if compared.holds.get(sha256) != proved.holds.get(sha256):
            yield f"row of the case of {sha256[:12]}", sha256
    later = {mail for mail in compared.handled if mail in proved.received or not proved.older}
    for mail in sorted(later | proved.handled.keys()):
        if (mail in compared.handled) is not proved.handled.get(mail, False):
            yield f"row of the handled mail {mail}", ""


def _entries(compared: Compared) -> Iterator[str]:
    """The entries of decisions and consents that are not as the chain says."""
    proved = compared.proved
    later = {number: each for number, each in compared.trail.items() if number > proved.trail_from}
    consents = {number: it for own in proved.consents.values() for number, it in own.items()}
    for name, stored, by_chain in (
        ("decisions", later, proved.trail),
        ("consents", compared.consents, consents),
    ):
        for number in sorted(stored.keys() | by_chain.keys()):
            if stored.get(number) != by_chain.get(number):
                yield f"entry {number} of the {name}"
