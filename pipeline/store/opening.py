"""Open the store that the configuration names, and keep a workspace and its store together.

The workspace keeps a note of its store, and the store one of its workspace.  Otherwise another
address in the configuration would make all footage look lost, and two workspaces in one place
would take each other's files for leftovers.
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
from pipeline.store.files import FOLDERS, FootageStore
from pipeline.store.folder import WorkspaceFolder
from pipeline.store.remote import BucketStore
from pipeline.workspace import Workspace

_NOTE = "store.json"  # in the workspace
_OWNER = "workspace.json"  # in the store


@dataclass(frozen=True)
class _Note:
    """The store of a workspace; ``workspace`` is the name under which the store knows it."""

    url: str
    workspace: str
    is_confirmed: bool = False


class _Away(StoreError):
    """The store does not answer, so whose it is can't be known."""


def open_store(config: Config, workspace: Workspace) -> FootageStore:
    """Open the store of a workspace; a new one is tried first, see :mod:`promises`.

    :raises ConfigError: the footage of this workspace is in another store.
    :raises StoreError: a new store does not answer or breaks a promise, or a store is that of
        another workspace.
    """
    url, noted = config.workspace.store, _noted(workspace)
    if noted and noted.is_confirmed and noted.url != url:
        raise ConfigError(
            [
                f"[workspace] store is {url!r}, but the footage of this workspace is in "
                f"{noted.url}: set it to that"
            ]
        )
    if not url:
        return WorkspaceFolder(workspace)
    bucket = _apart(url, workspace)
    if noted is None or not noted.is_confirmed:
        _begin(workspace, bucket)
    else:
        # mail can be taken in while the store is away; what needs it says so
        with suppress(_Away):
            _require_owner(bucket, noted)
    return BucketStore(workspace, bucket)


def open_bucket(url: str) -> Bucket:
    """Open the place that an address names.

    :raises ConfigError: it names none.
    """
    kind = kind_of(url)
    if kind is None:
        raise ConfigError([f"{url!r} is not the address of a store"])
    return kind.opened(url)


def examine(config: Config, workspace: Workspace) -> str:
    """Try whether the store keeps its promises, and whose it is.

    :returns: what was found, for people.
    :raises StoreError: it breaks one; all of them are named.
    :raises ConfigError: it is in the workspace.
    """
    url = config.workspace.store
    bucket, noted = _apart(url, workspace), _noted(workspace)
    if noted and noted.is_confirmed and noted.url == url:
        _require_owner(bucket, noted)
    _refuse(bucket)
    owner = _owner(bucket)
    if owner and (noted is None or owner != noted.workspace):
        raise _taken(bucket)
    said = f"{url} keeps its promises"
    if url.startswith(("gs:", "az:")):
        said += "; whether deleted objects stay for some days (soft delete) can't be seen from here"
    return said


def _begin(workspace: Workspace, bucket: Bucket) -> None:
    """Try a store, and note on both sides that it belongs to this workspace."""
    _refuse(bucket)
    noted = _noted(workspace)
    if noted is None or noted.url != bucket.url:
        noted = _Note(bucket.url, uuid.uuid4().hex)
        _write(workspace, noted)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / _OWNER
        file.write_text(json.dumps({"workspace": noted.workspace}), "utf-8")
        # a note, but no footage, may be that of a run of ours that was killed here
        if not _owner(bucket) and any(True for each in FOLDERS for _ in bucket.listed(f"{each}/")):
            raise StoreError(
                f"the store {bucket.url} has footage, but no note {_OWNER!r} of whose it is: give "
                "this workspace its own prefix, or another folder. See docs/stores.md"
            )
        if not bucket.put(_OWNER, file) and _owner(bucket) != noted.workspace:
            raise _taken(bucket)
    _write(workspace, replace(noted, is_confirmed=True))


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


def _require_owner(bucket: Bucket, noted: _Note) -> None:
    """Ask whether the store is still that of this workspace, or a mount that is not there."""
    try:
        owner = _owner(bucket)
    except StoreError as error:
        raise _Away(str(error)) from error
    if not owner:
        raise StoreError(
            f"the store {bucket.url} does not have its note {_OWNER!r}: is the folder mounted, and "
            "is this the right bucket? Nothing is changed"
        )
    if owner != noted.workspace:
        raise _taken(bucket)


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
        return _Note(str(note["url"]), str(note["workspace"]), note["is_confirmed"] is True)
    return None


def _write(workspace: Workspace, note: _Note) -> None:
    publishing.write_text(workspace.root / _NOTE, json.dumps(asdict(note)))


def _owner(bucket: Bucket) -> str:
    """The workspace that a store belongs to; empty if it has no note that can be read."""
    size = bucket.size(_OWNER)
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(bucket.read(_OWNER, 0, size))["workspace"]) if size else ""
    return ""
