"""Open the store that the configuration names, and keep a workspace and its store together.

The workspace keeps a note of its store, and the store one of its workspace.  Otherwise another
address in the configuration would make all footage look lost, and two workspaces in one place
would take each other's files for leftovers.  So would two copies of one workspace.  Therefore each
command that changes something takes a new turn, which both notes have; a copy that was made before
does not have it.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline import publishing
from pipeline.config import Config
from pipeline.errors import ConfigError, StoreError
from pipeline.store import promises
from pipeline.store.bucket import Bucket, kind_of
from pipeline.store.files import FOLDERS, OWNER, FootageStore
from pipeline.store.folder import WorkspaceFolder
from pipeline.store.remote import BucketStore
from pipeline.workspace import Workspace

_NOTE = "store.json"  # in the workspace


@dataclass(frozen=True)
class _Note:
    """The store of a workspace; ``workspace`` is the name under which the store knows it.

    ``turn`` is that of the last command which changed something, and ``next`` that of the one
    which runs now: if it is killed, the store may have either.  ``left``: the store that the
    footage was moved from, as long as something is there; ``is_left_empty``: at most its note is.
    With ``left``, an empty ``url`` is the workspace folder.
    """

    url: str
    workspace: str
    is_confirmed: bool = False
    turn: str = ""
    next: str = ""
    left: str = ""
    is_left_empty: bool = False


@dataclass(frozen=True)
class _Owner:
    """The workspace that a store belongs to, and the turn of the last command there.

    Both are empty if the store has no note that can be read.
    """

    workspace: str = ""
    turn: str = ""


class _Away(StoreError):
    """The store does not answer, so whose it is can't be known."""


def open_store(
    config: Config, workspace: Workspace, *, is_read: bool = False, is_move: bool = False
) -> FootageStore:
    """Open the store of a workspace; a new one is tried first, see :mod:`promises`.

    :param is_read: nothing is changed there, so it may be open while a run changes something.
    :param is_move: open the store that the footage is in, whatever the configuration names.
    :raises ConfigError: the footage of this workspace is in another store, or was not moved to its
        end.
    :raises StoreError: a new store does not answer or breaks a promise, or a store is that of
        another workspace, or another copy of this workspace has used it.
    """
    url, noted = config.workspace.store, _noted(workspace)
    if noted and noted.is_confirmed and is_move:
        url = noted.url
    elif noted and noted.is_confirmed:
        _require_place(noted, url)
    if not url:
        return WorkspaceFolder(workspace)
    bucket = _apart(url, workspace)
    if noted is None or not noted.is_confirmed:
        _begin(workspace, bucket)
    else:
        # mail can be taken in while the store is away; what needs it says so
        with suppress(_Away):
            owner = _required_owner(bucket, noted)
            if not is_read:
                _take_turn(workspace, bucket, noted, owner)
    return BucketStore(workspace, bucket)


@dataclass(frozen=True)
class StoreMove:
    """A move of all footage: the store that is left, and the new one; None is the workspace folder.

    ``is_copied``: all of it was copied and compared, and only has to be deleted in the old store.
    """

    source: BucketStore
    target: Bucket | None
    is_copied: bool


def open_move(config: Config, workspace: Workspace) -> StoreMove | None:
    """Open both places of a move to the store that the configuration names.

    :returns: None if the footage is there already.
    :raises ConfigError: an earlier move had another goal.
    :raises StoreError: the new store breaks a promise, or is that of another workspace.
    """
    url, noted = config.workspace.store, _noted(workspace)
    if noted is None or not noted.is_confirmed or (noted.url == url and not noted.left):
        return None
    if noted.left and noted.url != url:
        _require_place(noted, url)
    source = open_bucket(noted.left or noted.url)
    if noted.left and not noted.is_left_empty:
        _required_owner(source, noted)
    target = _apart(url, workspace) if url else None
    if target is not None and not noted.left:
        _claim(target, noted.workspace)
    return StoreMove(BucketStore(workspace, source), target, bool(noted.left))


def note_copied(config: Config, workspace: Workspace, target: Bucket | None) -> None:
    """Note that the footage is in the store of the configuration from now on."""
    noted = _noted(workspace)
    assert noted is not None, "a move begins with a note"
    turn = _owner(target).turn if target else ""
    url = config.workspace.store
    _write(workspace, _Note(url, noted.workspace, is_confirmed=True, turn=turn, left=noted.url))


def note_moved(workspace: Workspace, source: Bucket) -> None:
    """Note that no footage is left in the old store, and delete the note there.

    A move that ends before the last of these steps goes on when it is called again.
    """
    noted = _noted(workspace)
    assert noted is not None, "a move begins with a note"
    _write(workspace, replace(noted, is_left_empty=True))
    source.delete(OWNER)
    if noted.url:
        _write(workspace, replace(noted, left="", is_left_empty=False))
    else:
        (workspace.root / _NOTE).unlink()


def _require_place(noted: _Note, url: str) -> None:
    """Refuse another store than that of the note, and a move that has not come to its end.

    :raises ConfigError: it is so.
    """
    if noted.url != url:
        place = noted.url or "the workspace folder"
        raise ConfigError(
            [
                f"[workspace] store is {url!r}, but the footage of this workspace is in {place}: "
                f'set it to "{noted.url}", or move the footage with: footage move'
            ]
        )
    if noted.left:
        raise ConfigError(
            [f"the footage was moved from {noted.left}, and not all is deleted there: footage move"]
        )


def open_bucket(url: str) -> Bucket:
    """Open the place that an address names.

    :raises ConfigError: it names none.
    """
    kind = kind_of(url)
    if kind is None:
        raise ConfigError([f"{url!r} is not the address of a store"])
    return kind.opened(url)


def is_used(config: Config, workspace: Workspace) -> bool:
    """Whether the configuration names a store, or the footage is in one, or that can't be read."""
    try:
        return bool(config.workspace.store) or _noted(workspace) is not None
    except OSError:
        return True


def examine(config: Config, workspace: Workspace) -> str:
    """Try whether the store keeps its promises, and whose it is.

    :returns: what was found, for people.
    :raises StoreError: it breaks one; all of them are named.
    :raises ConfigError: it is in the workspace, or the footage is elsewhere.
    """
    url = config.workspace.store
    noted = _noted(workspace)
    if noted and noted.is_confirmed:
        _require_place(noted, url)
    bucket = _apart(url, workspace)
    if noted and noted.is_confirmed:
        _require_turn(bucket, noted, _required_owner(bucket, noted))
    _refuse(bucket)
    owner = _owner(bucket).workspace
    if owner and (noted is None or owner != noted.workspace):
        raise _taken(bucket)
    said = f"{url} keeps its promises"
    if url.startswith(("gs:", "az:")):
        said += "; whether deleted objects stay for some days (soft delete) can't be seen from here"
    return said


def _begin(workspace: Workspace, bucket: Bucket) -> None:
    """Try a store, and note on both sides that it belongs to this workspace."""
    noted = _noted(workspace)
    if noted is None or noted.url != bucket.url:
        noted = _Note(bucket.url, uuid.uuid4().hex)
        _write(workspace, noted)
    owner = _claim(bucket, noted.workspace)
    _write(workspace, replace(noted, is_confirmed=True, turn=owner.turn))


def _claim(bucket: Bucket, workspace: str) -> _Owner:
    """Try a store, and note in it that it belongs to a workspace.

    :raises StoreError: it breaks a promise, or belongs to another one.
    """
    bucket.begin()
    if (owner := _owner(bucket)).workspace == workspace:
        return owner  # it was tried before
    _refuse(bucket)
    # a note, but no footage, may be that of a run of ours that was killed here
    has_footage = any(True for each in FOLDERS for _ in bucket.listed(f"{each}/"))
    if not _owner(bucket).workspace and has_footage:
        raise StoreError(
            f"the store {bucket.url} has footage, but no note {OWNER!r} of whose it is: give "
            "this workspace its own prefix, or another folder. See docs/stores.md"
        )
    is_new = _put_owner(bucket, _Owner(workspace, uuid.uuid4().hex))
    owner = _owner(bucket)
    if not is_new and owner.workspace != workspace:
        raise _taken(bucket)
    return owner


def _take_turn(workspace: Workspace, bucket: Bucket, noted: _Note, owner: _Owner) -> None:
    """Note on both sides that this copy of the workspace goes on from here.

    :raises StoreError: another copy of it did so before.
    """
    _require_turn(bucket, noted, owner)
    turn = uuid.uuid4().hex
    _write(workspace, replace(noted, turn=owner.turn, next=turn))
    try:
        _put_owner(bucket, replace(owner, turn=turn), replaces=True)
    except StoreError as error:
        raise _Away(str(error)) from error


def _require_turn(bucket: Bucket, noted: _Note, owner: _Owner) -> None:
    if owner.turn and owner.turn not in (noted.turn, noted.next):
        raise StoreError(
            f"another copy of this workspace has used the store {bucket.url} since. Two copies may "
            "not use one store, because each would delete clips of the other. Go on with the other "
            f'copy; if that is gone for good, set "turn" in {_NOTE} here to "{owner.turn}"'
        )


def _put_owner(bucket: Bucket, owner: _Owner, *, replaces: bool = False) -> bool:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / OWNER
        file.write_text(json.dumps(asdict(owner)), "utf-8")
        return bucket.put(OWNER, file, replace=replaces)


def _apart(url: str, workspace: Workspace) -> Bucket:
    """Open a store, which must not be in the workspace: a copy there would be the file itself."""
    bucket = open_bucket(url)
    if bucket.overlaps(workspace.root):
        raise ConfigError(
            [
                f"[workspace] store is {url!r}, but neither of that folder and the workspace "
                f"{workspace.root} may be in the other: choose a folder elsewhere"
            ]
        )
    return bucket


def _required_owner(bucket: Bucket, noted: _Note) -> _Owner:
    """Ask whether the store is still that of this workspace, or a mount that is not there."""
    try:
        owner = _owner(bucket)
    except StoreError as error:
        raise _Away(str(error)) from error
    if not owner.workspace:
        raise StoreError(
            f"the store {bucket.url} does not have its note {OWNER!r}: is the folder mounted, and "
            "is this the right bucket? Nothing is changed"
        )
    if owner.workspace != noted.workspace:
        raise _taken(bucket)
    return owner


def _refuse(bucket: Bucket) -> None:
    if found := promises.broken(bucket):
        raise StoreError(f"the store {bucket.url} can't be used: {'; '.join(found)}")


def _taken(bucket: Bucket) -> StoreError:
    return StoreError(
        f"the store {bucket.url} belongs to another workspace; give each its own prefix. If that "
        f"workspace is gone for good, copy its {_NOTE} here"
    )


def _noted(workspace: Workspace) -> _Note | None:
    with suppress(FileNotFoundError):
        note = json.loads((workspace.root / _NOTE).read_text("utf-8"))
        turn, following, left = (str(note.get(name, "")) for name in ("turn", "next", "left"))
        known = (str(note["url"]), str(note["workspace"]), note["is_confirmed"] is True)
        return _Note(*known, turn, following, left, note.get("is_left_empty") is True)
    return None


def _write(workspace: Workspace, note: _Note) -> None:
    publishing.write_text(workspace.root / _NOTE, json.dumps(asdict(note)))


def _owner(bucket: Bucket) -> _Owner:
    size = bucket.size(OWNER)
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        if size:
            note = json.loads(bucket.read(OWNER, 0, size))
            return _Owner(str(note["workspace"]), str(note.get("turn", "")))
    return _Owner()
