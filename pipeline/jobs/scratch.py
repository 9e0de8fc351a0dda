"""The folder of a worker, where originals and clips lie only while the worker uses them.

``python -m pipeline.jobs.scratch FOLDER`` waits until the worker that started it is gone.  If the
worker was killed, it deletes the footage in the folder.
"""

from __future__ import annotations

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
_TRIAL = 1 << 16  # bytes
_BUSY_S, _LOOK_S = 10.0, 0.05


def mark(folder: Path) -> None:
    """Note that a folder is that of a worker, so all footage in it may be deleted."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / _MARK).touch(mode=0o600)


def empty(folder: Workspace) -> None:
    """Delete the footage that a worker has, or that one had which was killed.

    The folders are named by the place of the worker's folder, because the originals of a shared
    workspace are elsewhere.

    :raises UsageError: it may be a workspace or a store; nothing is deleted then.
    :raises StageError: something can't be deleted.
    """
    kept = [folder.root / name for name in FOLDERS]
    is_marked = (folder.root / _MARK).exists()
    has_footage = any(path.is_dir() and any(path.iterdir()) for path in kept)
    # a marked folder may have become a workspace since
    if folder.ledger.exists() or (has_footage and not is_marked):
        raise UsageError(
            f"{folder.root} has footage, and is not the scratch folder of a worker: nothing "
            "was deleted. Name an empty folder with --scratch"
        )
    mark(folder.root)
    sweep(folder)
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
