"""Look for faces in the originals of clips that are finished.

Whether masks are proposed changes nothing in a clip.  So a clip that was made before somebody asked
for faces is not made again: only its original is looked at.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pipeline.errors import BytesChanged, Refused, place_of_fault
from pipeline.ffmpeg import made
from pipeline.ffmpeg.faults import ProgramFault, once_more
from pipeline.media import identify
from pipeline.media.survey import FilmSource
from pipeline.model import ClipResult
from pipeline.process import cautions, clip, face_search
from pipeline.process.clip_files import Job
from pipeline.process.recipe import Recipe
from pipeline.protection import FoundFaces
from pipeline.run import Tools
from pipeline.store import original


def search(job: Job, run: Tools, known: ClipResult) -> ClipResult:
    """Look for faces in the original of a finished clip; return its outcome with what was found.

    :raises DiskFull: the disk is full.
    :raises StoreError: the store does not answer.
    :raises Stopping: the run is being stopped.
    """
    nothing = nothing_found(job.recipe)
    try:
        search = partial(_found, job, run)
        found = once_more(search, partial(run.ffmpeg.note_again, "faces")) or nothing
    except (Refused, ProgramFault, BytesChanged):
        found = nothing
    except Exception as error:  # noqa: BLE001 - as for a clip
        where = place_of_fault(error)
        run.console.event("internal", sha256=job.sha256, where=where)
        found = nothing
    return described(known, found)


def nothing_found(recipe: Recipe) -> FoundFaces:
    """Return what is known of the faces of an original after a search that failed."""
    return FoundFaces(recipe.detector, is_partial=True)


def described(known: ClipResult, found: FoundFaces) -> ClipResult:
    """Return the outcome of a finished clip with the faces of its original."""
    assert known.source is not None, "a finished clip has a source"
    before = set(cautions.of_faces(known.source.faces))
    others = [warning for warning in known.warnings if warning not in before]
    warnings = tuple(dict.fromkeys([*cautions.of_faces(found), *others]))
    return replace(known, source=replace(known.source, faces=found), warnings=warnings)


def _found(job: Job, run: Tools) -> FoundFaces | None:
    with (
        run.store.at_hand([original(job.sha256)]),
        made.scratch(run.workspace.clips / job.sha256) as scratch,
    ):
        footage = identify.identify(job.original).format
        if footage is None:
            return None
        seen, _ = clip.examined(job, run, footage, scratch)
        film = FilmSource(job.original, seen, scratch, job.recipe.max_source_seconds + 1)
        return face_search.found(run, film, job.recipe, None)
