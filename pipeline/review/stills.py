"""The stills beside the report: those of the clips, under the names that the page uses.

They are hard links where the file system has them, so ten thousand stills take no space.  Those
that are in a store beyond the workspace are fetched once.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pipeline import judge, publishing
from pipeline.errors import NotClean
from pipeline.model import Row
from pipeline.review import rules
from pipeline.store import FootageFile, FootageStore, files_of, still_of
from pipeline.store.stills import stills_at_hand
from pipeline.workspace import Workspace

FOLDER = "thumbs"
_FETCHED = "stills.json"  # in the workspace: of which clip each fetched still is


def bring_up_to_date(
    workspace: Workspace, store: FootageStore, rows: Iterable[Row]
) -> dict[str, FootageFile]:
    """Put a still of each clip that is shown into ``report/thumbs/``, and remove all others.

    :returns: the stills that a store beyond the workspace has lost, by their originals.
    :raises StoreError: the store does not answer.
    """
    folder = workspace.report / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = {
        f"{row.result.sha256}.jpg": still_of(files_of(row.result)[0])
        for row in rows
        if row.result and rules.is_shown(row)
    }
    present = {entry.name for entry in os.scandir(folder)}
    known = (
        present
        if store.is_beyond
        else {
            name
            for name in present & wanted.keys()
            if (workspace.root / wanted[name].path).exists()
        }
    )
    stale = present - (known & wanted.keys())
    for name in stale:
        (folder / name).unlink()
    lost: dict[str, FootageFile] = {}
    if store.is_beyond:
        changed, lost = _fetch(workspace, store, wanted)
    else:
        changed = [
            name
            for name, still in wanted.items()
            if _link(workspace.root / still.path, folder / name)
        ]
    if stale or changed:
        publishing.flush_folder(folder)
    return {Path(name).stem: still for name, still in lost.items()}


def _fetch(
    workspace: Workspace, store: FootageStore, wanted: Mapping[str, FootageFile]
) -> tuple[list[str], dict[str, FootageFile]]:
    """Fetch the stills of clips that are new or were made anew.

    :returns: the names of those that are here now, and what is lost, by name.
    """
    note, folder = workspace.root / _FETCHED, workspace.report / FOLDER
    fetched: dict[str, str] = {}
    with suppress(FileNotFoundError, ValueError):
        fetched = json.loads(note.read_text("utf-8"))
    missing = {
        name: still
        for name, still in wanted.items()
        if fetched.get(name) != still.sha256 or not (folder / name).exists()
    }
    # an older version may have made no still
    missing = {name: still for name, still in missing.items() if still.digest or store.holds(still)}
    lost = {}
    with stills_at_hand(store, [*missing.values()]) as gone:
        for name, still in missing.items():
            if still in gone or not _put(workspace.root / still.path, folder / name):
                lost[name] = still
                (folder / name).unlink(missing_ok=True)
    now = {name: still.sha256 for name, still in wanted.items() if (folder / name).exists()}
    if now != fetched:
        publishing.write_text(note, json.dumps(now))
    return [name for name in missing if name not in lost], lost


def _put(source: Path, final: Path) -> bool:
    """Put a fetched still beside the report; False if it is not there, or is not clean."""
    try:
        with source.open("rb") as file:
            judge.judge_still(file)  # another machine may have put it there
    except (FileNotFoundError, NotClean):
        return False
    _link(source, final)
    return True


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
