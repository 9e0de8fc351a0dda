"""The work of a worker that makes a clip."""

from __future__ import annotations

from pipeline.jobs.kinds import JobWork
from pipeline.media import caption
from pipeline.media.caption import Strip
from pipeline.process import clip, searching
from pipeline.process.clip import Job
from pipeline.process.recipe import Recipe
from pipeline.process.wire import ClipAnswer, ClipTask
from pipeline.run import Tools
from pipeline.workspace import Workspace


def do(task: ClipTask, tools: Tools) -> ClipAnswer:
    """Make the clip of a task, or look for faces in the original of a finished one.

    :raises DiskFull: the disk is full; nothing about the clip is known then.
    :raises Stopping: the run is being stopped.
    """
    job = _job(task, tools.workspace)
    if task.made is None:
        return ClipAnswer(result=clip.make(job, tools))
    return ClipAnswer(result=searching.search(job, tools, task.made))


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
