"""Record what became of an original, and delete what shows another version of its clip."""

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipeline.model import ClipResult
from pipeline.publishing import PART
from pipeline.removal import removed
from pipeline.run import Run
from pipeline.store import files_of, film_copies, pieces_with, still_of


def record(run: Run, result: ClipResult) -> None:
    """Record an outcome, after the files of earlier versions are deleted.

    A clip that looked like another one still does when it is made anew, with masks too.
    """
    _tidy(run, result)
    before = run.ledger.clips.result(result.sha256)
    if result.looks_like is None and before is not None and before.looks_like and result.outputs:
        result = replace(result, looks_like=before.looks_like)
    if run.ledger.clips.hides_anew(result):
        delete_shown(run, result.sha256)
    run.ledger.clips.record(result)


def put_away(run: Run, hidden: Iterable[ClipResult]) -> tuple[str, ...]:
    """Delete the files of photos that are shown nowhere, and record that they have none.

    Without a recipe each is made again as soon as it may be shown.

    :returns: their originals, by SHA-256.
    """
    done = [replace(result, recipe="", outputs=(), looks_like="") for result in hidden]
    for result in done:
        record(run, result)
    return tuple(result.sha256 for result in done)


def delete_shown(run: Run, sha256: str) -> None:
    """Delete what shows a clip as it was before other things of it were hidden.

    Films that show it stay in the workspace, as editors may need them; the ledger has them as
    stale.  What is beside them and can show it goes, and so do their copies in a store.
    """
    films = run.ledger.custody.montages_with([sha256])
    beside = [Path(path).with_suffix(suffix) for path in films for suffix in (".jpg", ".sheet.jpg")]
    for shown in (*run.workspace.shows(sha256), *(run.workspace.root / path for path in beside)):
        removed(shown)
    for key in (*pieces_with(run.store, [sha256]), *film_copies(run.store, films)):
        run.store.delete(key)


def _tidy(run: Run, result: ClipResult) -> None:
    """Remove what an earlier recipe left in the clip's folder, and beyond it in the store."""
    workspace = run.workspace
    folder = workspace.clips / result.sha256
    files = files_of(result)
    known = {file.key for clip in files for file in (clip, still_of(clip))}
    for stored in run.store.beyond(f"{workspace.relative(folder)}/"):
        if stored.key not in known:
            run.store.delete(stored.key)
    finals = {workspace.root / clip.path for clip in files}
    keep = finals | {path.with_suffix(".jpg") for path in finals}
    if folder.is_dir():
        # what can't be deleted is left to the sweep
        for path in {*folder.iterdir()} - keep:
            if path.suffix != PART:
                removed(path)
        if not keep or run.store.is_beyond:
            with contextlib.suppress(OSError):
                folder.rmdir()
