"""How much room the workspace takes, how fast it grows, and how many nights are left."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.commands.deleting import all_files
from pipeline.commands.ending import Facts
from pipeline.history import RunRecord
from pipeline.run import Run
from pipeline.store import PIECES, FootageStore, versions_of
from pipeline.workspace import Workspace

_UNUSED_DAYS = 60  # after which a file of the cache is deleted


@dataclass(frozen=True)
class DiskRoom:
    """Bytes that are free and that the workspace takes.

    ``growth`` is how much more that is each night, None if fewer than two nights are known.
    """

    free: int
    used: int | None
    growth: float | None

    @property
    def nights_left(self) -> int | None:
        """How many more such nights there is room for; None if it is not known or does not grow."""
        return int(self.free / self.growth) if self.growth and self.growth > 0 else None


def measured(run: Run) -> Facts:
    """What the workspace takes now, for the record of a night."""
    return {"disk": {"used": _size(run.workspace.root)}}


def trim_cache(workspace: Workspace, store: FootageStore) -> int:
    """Delete what nobody has used for long from the cache; return how many files.

    Their copies in a store beyond the workspace folder are deleted too.

    A bridge between two clips, for example, is of no use when another clip was put between them.
    """
    before = datetime.now(UTC).timestamp() - timedelta(days=_UNUSED_DAYS).total_seconds()
    unused = [path for path in all_files(workspace.cache) if path.lstat().st_mtime < before]
    for path in unused:
        path.unlink(missing_ok=True)
    paths = {workspace.relative(path) for path in unused}
    stored = store.beyond(f"{PIECES}/") if paths else ()
    for file in versions_of(each.key for each in stored).values():
        if file.path in paths:
            store.delete(file.key)
    return len(unused)


def room(root: Path, nights: Sequence[RunRecord]) -> DiskRoom:
    """How much room there is.

    :param nights: the nights, the newest first; each says what the workspace took at its end.
    """
    sizes = [size for night in nights if (size := _recorded(night)) is not None]
    growth = (sizes[0] - sizes[-1]) / (len(sizes) - 1) if len(sizes) > 1 else None
    return DiskRoom(shutil.disk_usage(root).free, sizes[0] if sizes else None, growth)


def _recorded(night: RunRecord) -> int | None:
    disk = night.summary.get("disk")
    used = disk.get("used") if isinstance(disk, dict) else None
    return used if isinstance(used, int) else None


def _size(folder: Path) -> int:
    """The bytes that the files below a folder take on the disk; links are not followed.

    What another program deletes meanwhile, such as a temporary file of the review, does not count.
    """
    total, folders = 0, [str(folder)]
    while folders:
        with suppress(FileNotFoundError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                    continue
                with suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
