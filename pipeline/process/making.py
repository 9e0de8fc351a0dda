"""The work of a worker that makes a clip, or a piece of one."""

from __future__ import annotations

from functools import partial

from pipeline.errors import (
    BytesChanged,
    FileMissing,
    NotClean,
    Refused,
    place_of,
    place_of_fault,
)
from pipeline.ffmpeg.faults import ProgramFault, once_more
from pipeline.jobs.kinds import JobWork
from pipeline.media import caption
from pipeline.media.caption import Strip
from pipeline.model import ClipResult
from pipeline.process import chunks, clip, searching
from pipeline.process.chunk_plan import ChunkPlan, ClipPiece, InOnePiece
from pipeline.process.clip_files import Job
from pipeline.process.recipe import Recipe
from pipeline.process.wire import ClipAnswer, ClipTask
from pipeline.run import Tools
from pipeline.workspace import Workspace


def do(task: ClipTask, tools: Tools) -> ClipAnswer:
    """Make the clip of a task, or a piece of it, or look for faces in the original of a clip.

    :raises DiskFull: the disk is full; nothing about the clip is known then.
    :raises Stopping: the run is being stopped.
    """
    job = _job(task, tools.workspace)
    if task.made is not None:
        return ClipAnswer(result=searching.search(job, tools, task.made))
    if task.plan is None:
        return ClipAnswer(result=clip.begin(job, tools, task.chunk_s))
    try:
        piece = partial(_piece, task, task.plan, job, tools)
        return ClipAnswer(result=once_more(piece, partial(tools.ffmpeg.note_again, "encode")))
    except (Refused, ProgramFault, NotClean, BytesChanged, FileMissing) as fault:
        where = place_of(fault)
    except Exception as error:  # noqa: BLE001 - as for a whole clip
        where = place_of_fault(error)
    # whatever is wrong, making the clip in one piece finds out what it is
    tools.console.event("in-one-piece", sha256=job.sha256, part=task.part, where=where)
    return ClipAnswer(result=InOnePiece(where=where[:100]))


def _piece(task: ClipTask, plan: ChunkPlan, job: Job, tools: Tools) -> ClipPiece | ClipResult:
    """Make a piece of a long clip, or join its pieces."""
    if task.part == "chunk":
        return chunks.chunk(job, tools, plan, task.number)
    if task.part == "sound":
        return chunks.sound(job, tools, plan)
    return chunks.join(job, tools, plan, task.pieces)


def _difference(task: ClipTask) -> str:
    if task.recipe.key == task.key:
        return ""
    return "the coordinator has another key for the same recipe"


WORK = JobWork(ClipTask, do, _difference)


def strips(workspace: Workspace, wanted: Recipe) -> tuple[Strip | None, ...]:
    """Return the caption for each output of a clip, drawn if the workspace has none.

    :raises ConfigError: a character has no glyph, or the text is too long.
    """
    appearance = (wanted.caption_position, wanted.caption_style)
    return tuple(
        caption.strip(workspace.cache, wanted.caption, (output.width, output.height), appearance)
        for output in wanted.outputs
    )


def _job(task: ClipTask, workspace: Workspace) -> Job:
    drawn = strips(workspace, task.recipe)
    original = workspace.original(task.sha256)
    return Job(task.sha256, original, task.recipe, drawn, task.configurations, task.found)
