"""``footage move``: all footage goes into another store, or back into the workspace folder.

Everything is copied and compared first.  Then the note of the workspace names the new place, and
only then the old store is emptied.  A move that was killed goes on when it is called again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline import publishing
from pipeline.commands.ending import Facts
from pipeline.errors import StageError, UsageError
from pipeline.ledger import heads
from pipeline.model import OriginalState
from pipeline.run import Run
from pipeline.store import (
    FILMS,
    FOLDERS,
    ORIGINALS,
    PIECES,
    FootageFile,
    StoredObject,
    files_of,
    still_of,
)
from pipeline.store.leftovers import delete_leftovers
from pipeline.store.opening import note_copied, note_moved, open_move
from pipeline.store.remote import BucketStore
from pipeline.wording import counted

_TRIES = 3  # to get the right bytes from a store


@dataclass(frozen=True)
class _Known:
    """The files that the ledger knows, by the names of their objects."""

    files: Mapping[str, FootageFile]

    def path(self, key: str) -> str:
        """Where an object is in the workspace; nobody knows it if its name has its digest there."""
        return self.files[key].path if key in self.files else key

    def digest(self, key: str) -> str:
        """The SHA-256 that the bytes of an object must have; empty if it is not known."""
        if key in self.files:
            return self.files[key].digest
        name = PurePosixPath(key).name
        return name if len(name) == 64 else ""


@dataclass(frozen=True)
class _Folder:
    """The workspace folder as the new place."""

    root: Path
    known: _Known

    def has(self, stored: StoredObject, sha256: str) -> bool:
        """Whether an object is there, with these bytes."""
        path = self.root / self.known.path(stored.key)
        if not path.is_file():
            return False
        if stored.key.startswith(f"{FILMS}/"):
            return True  # each film is made there, and the store has a copy
        return path.stat().st_size == stored.size and publishing.sha256_of(path) == sha256

    def put(self, key: str, part: Path) -> None:
        """Take a file that has the bytes of an object."""
        final = self.root / self.known.path(key)
        final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        publishing.publish(part, final)


@dataclass(frozen=True)
class _Beyond:
    """Another store as the new place."""

    store: BucketStore

    def has(self, stored: StoredObject, sha256: str) -> bool:
        """Whether an object is there, with these bytes."""
        return self.store.bucket.size(stored.key) == stored.size and (
            self.store.digest(stored.key) == sha256
        )

    def put(self, key: str, part: Path) -> None:
        """Take a file that has the bytes of an object.

        :raises BytesChanged: the store gives other bytes back.
        """
        self.store.put(key, part)


def move(run: Run) -> Facts:
    """Move all footage to the store that the configuration names.

    :raises UsageError: it is there already.
    :raises StageError: the disk has no room for it.
    :raises StoreError: a store does not answer, or breaks a promise; call it again to go on.
    """
    found = open_move(run.config, run.workspace)
    if found is None:
        raise UsageError(
            'nothing is to be moved: set [workspace] store to the new place first, or to "" for '
            "the workspace folder. A workspace without a store moves into one with the next run"
        )
    known = _known(run)
    target: _Folder | _Beyond = _Folder(run.workspace.root, known)
    if found.target is not None:
        target = _Beyond(BucketStore(run.workspace, found.target))
    # an older ledger may not know the newest clips
    if not found.is_copied and not heads.is_ledger_older(run.workspace, run.ledger):
        delete_leftovers(run.store, run.ledger)
    objects = _objects(found.source)
    size = sum(each.size for each in objects)
    copied: set[str] = set()
    if not found.is_copied:
        if found.target is None:
            _require_room(run, objects, known)
        with run.console.task("move", size, "B") as task:
            for number, stored in enumerate(objects, 1):
                _copy(run, found.source, target, (stored, known.digest(stored.key)))
                copied.add(stored.key)
                task.advance(stored.size, f"{number} of {len(objects)} files")
        note_copied(run.config, run.workspace, found.target)
    states = run.ledger.custody.states()
    for stored in _objects(found.source):
        # a move that was killed, or a worker that was late
        if stored.key not in copied and not _is_gone(states, stored.key):
            _copy(run, found.source, target, (stored, known.digest(stored.key)))
        found.source.bucket.delete(stored.key)
    # what films are made of is not moved, because it can be made again
    for stored in [*found.source.bucket.listed(f"{PIECES}/")]:
        found.source.bucket.delete(stored.key)
    note_moved(run.workspace, found.source.bucket)
    place = run.config.workspace.store or str(run.workspace.root)
    files = counted(len(objects), "file")
    run.console.say(f"move: {files}, {size:,} bytes, are in {place}; next: footage verify")
    return {"move": {"files": len(objects), "bytes": size, "to": place}}


def _known(run: Run) -> _Known:
    clips = [clip for result in run.ledger.clips.results().values() for clip in files_of(result)]
    known = [file for clip in clips for file in (clip, still_of(clip))]
    known += [FootageFile(film.path, film.sha256) for film in run.ledger.runs.montages()]
    return _Known({file.key: file for file in known})


def _objects(source: BucketStore) -> list[StoredObject]:
    return [each for folder in FOLDERS for each in source.bucket.listed(f"{folder}/")]


def _copy(
    run: Run, source: BucketStore, target: _Folder | _Beyond, wanted: tuple[StoredObject, str]
) -> None:
    """Copy an object, unless it is there already.

    What the old store has with wrong bytes is copied as it is, so that nothing is lost.
    """
    stored, digest = wanted
    if digest and target.has(stored, digest):
        return
    part = publishing.part_path(run.workspace.cache / "move")
    try:
        for attempt in range(1, _TRIES + 1):
            sha256 = _fetched(source, stored.key, part)
            if sha256 == digest or not digest:
                break
            if attempt == _TRIES:
                run.console.warn(
                    f"{stored.key} does not have the bytes that it was stored with; it is moved as "
                    "it is, see: footage verify"
                )
        target.put(stored.key, part)
    finally:
        part.unlink(missing_ok=True)


def _fetched(source: BucketStore, key: str, part: Path) -> str:
    """Fetch an object into a file; return the SHA-256 of what was written there."""
    with part.open("wb") as copy:
        for piece in source.pieces_of(key):
            copy.write(piece)
    return publishing.sha256_of(part)


def _is_gone(states: Mapping[str, OriginalState], key: str) -> bool:
    """Whether an object is of an original that was taken back, or is one that was purged."""
    folder, *rest = key.split("/")
    state = states.get(rest[-1] if folder == ORIGINALS else rest[0])
    gone = (OriginalState.WITHDRAWN, OriginalState.PURGED)
    return state in (gone if folder == ORIGINALS else gone[:1])


def _require_room(run: Run, objects: list[StoredObject], known: _Known) -> None:
    """Do nothing if the disk has room for what is not here yet, and for ``min_free_gb``.

    :raises StageError: it has not.
    """
    root = run.workspace.root
    needed = sum(each.size for each in objects if not (root / known.path(each.key)).exists())
    free = run.workspace.free_bytes() - int(run.config.workspace.min_free_gb * 1e9)
    if needed > free:
        raise StageError(
            f"the footage needs {needed / 1e9:.1f} GB in {root}; beside [workspace] min_free_gb "
            f"{max(free, 0) / 1e9:.1f} GB are free: make room and call it again. Nothing was moved"
        )
