"""The folder of a worker, where originals and clips lie only while the worker uses them.

``python -m pipeline.jobs.scratch FOLDER`` waits until the worker that started it is gone.  If the
worker was killed, it deletes the footage in the folder.
"""

from __future__ import annotations

import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline import publishing
from pipeline.engine.keeper import Keeper
from pipeline.errors import FootageError, StageError, UsageError, WorkspaceBusy, reason_of
from pipeline.removal import removed
from pipeline.store import FOLDERS
from pipeline.workspace import Workspace, hold, sweep

_MARK = "scratch"  # an empty file in each such folder
_OF_DISK = "lost+found"  # each ext4 file system has it
_TRIAL = 1 << 16  # bytes
_BUSY_S, _LOOK_S = 10.0, 0.05


def mark(folder: Path) -> None:
    """Note that a folder is that of a worker, so all footage in it may be deleted."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / _MARK).touch(mode=0o600)


def check(folder: Workspace) -> None:
    """Refuse a folder that is not that of a worker, such as a home folder or a workspace.

    Only a marked folder, or one with nothing but our own empty folders in it, is taken.  So it
    must be called before the folder is held, because that changes the folder.

    :raises UsageError: it may have files of somebody.
    :raises StageError: it can't be read.
    """
    try:
        # a marked folder may have become a workspace since
        if folder.ledger.exists():
            foreign = folder.ledger.name
        elif not folder.root.exists() or _is_empty_file(folder.root / _MARK):
            return
        else:
            foreign = next(
                (it.name for it in sorted(folder.root.iterdir()) if not _is_ours(it)), ""
            )
    except OSError as error:
        raise StageError(
            f"the scratch folder {folder.root} can't be read: {reason_of(error)}; name another "
            "one with --scratch"
        ) from error
    if foreign:
        raise UsageError(
            f"{folder.root} has {foreign!r} in it, and is not the scratch folder of a worker: "
            "nothing was deleted. Name an empty folder with --scratch"
        )


def _is_ours(path: Path) -> bool:
    """Whether a worker made it before its folder had the mark, or the system did."""
    ours = Workspace(path.parent)
    if path.name == _OF_DISK:
        return True
    if path == ours.lock:
        return _is_empty_file(path)
    is_folder = path in ours.folders and stat.S_ISDIR(path.lstat().st_mode)
    return is_folder and not any(path.iterdir())


def _is_empty_file(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def empty(folder: Workspace) -> None:
    """Delete the footage that a worker has, or that one had which was killed.

    The folders are named by the place of the worker's folder, because the originals of a shared
    workspace are elsewhere.  Nothing else in the worker's folder is touched.

    :raises UsageError: it may have files of somebody; nothing is deleted then.
    :raises StageError: something can't be deleted.
    """
    check(folder)
    kept = [folder.root / name for name in FOLDERS]
    mark(folder.root)
    sweep(folder, folder.folders)
    stuck = [path for path in (*kept, folder.cache) if not removed(path)]
    folder.create()
    if stuck:
        raise StageError(
            f"{stuck[0]} can't be deleted, and may have footage with its places: delete it by hand"
        )


def try_writing(folder: Workspace) -> None:
    """Write a file into the folder.

    :raises StageError: it can't be written.
    """
    trial = publishing.part_path(folder.cache / "trial")
    try:
        trial.write_bytes(bytes(_TRIAL))
    except OSError as error:
        raise StageError(
            f"the scratch folder {folder.root} can't be written: {reason_of(error)}; name another "
            "one with --scratch"
        ) from error
    finally:
        removed(trial)


@contextmanager
def kept(folder: Workspace) -> Iterator[None]:
    """Have the folder emptied if this process is killed in the block.

    What is not caught: that the machine stops, and that all processes of a worker are killed at
    once, as a batch system does (docs/cluster.md).
    """
    keeper = Keeper("pipeline.jobs.scratch", folder.root)
    try:
        yield
    finally:
        keeper.close()


def main() -> None:
    """Wait for the end of the worker that started this program; if it was killed, empty its folder.

    The lock of a killed worker may be released a moment after its pipe.  If another worker has the
    folder, that one has emptied it.
    """
    folder = Workspace(Path(sys.argv[1]))
    if sys.stdin.buffer.read():
        return
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            with hold(folder):
                empty(folder)
        except WorkspaceBusy:
            if time.monotonic() < until:
                time.sleep(_LOOK_S)
                continue
        except FootageError as fault:
            sys.exit(f"footage: {fault}")
        return


if __name__ == "__main__":
    main()
