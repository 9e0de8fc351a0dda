"""The stills beside the report: those of the clips, under the names that the page uses.

They are hard links where the file system has them, so ten thousand stills take no space.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from pipeline import publishing
from pipeline.model import Row, Status
from pipeline.workspace import Workspace

FOLDER = "thumbs"


def bring_up_to_date(workspace: Workspace, rows: Iterable[Row]) -> None:
    """Put a still of each clip that is shown into ``report/thumbs/``, and remove all others."""
    folder = workspace.report / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = {
        f"{row.result.sha256}.jpg": (workspace.root / row.result.outputs[0].path).with_suffix(
            ".jpg"
        )
        for row in rows
        if row.result and row.result.outputs and row.status is Status.ACCEPTED
    }
    present = {entry.name for entry in os.scandir(folder)}
    stale = [name for name in present if not (name in wanted and wanted[name].exists())]
    for name in stale:
        (folder / name).unlink()
    linked = [name for name, source in wanted.items() if _link(source, folder / name)]
    if stale or linked:
        publishing.flush_folder(folder)


def _link(source: Path, final: Path) -> bool:
    """Make *final* the same still as *source*.

    :returns: whether there was anything to do.
    """
    if not source.exists():
        return False
    if final.exists():
        new, old = source.stat(), final.stat()
        is_copy = (old.st_size, old.st_mtime_ns) == (new.st_size, new.st_mtime_ns)
        if is_copy or os.path.samestat(old, new):  # a copy keeps the time of the source
            return False
    part = publishing.part_path(final)
    try:
        try:
            os.link(source, part)
        except OSError:  # another file system, or one without links
            shutil.copy2(source, part)
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)
    return True
