"""Do a task as a worker gets it: one clip, and answer with what became of it."""

from __future__ import annotations

import time

from pipeline.media import caption
from pipeline.media.caption import Strip
from pipeline.process import clip, searching
from pipeline.process.clip import Job
from pipeline.process.recipe import Recipe
from pipeline.process.wire import ClipAnswer, ClipTask
from pipeline.run import Tools
from pipeline.workspace import Workspace


def do(task: str, tools: Tools) -> str:
    """Make the clip of a task, or look for faces in the original of a finished one.

    :param task: a :class:`ClipTask` as JSON.
    :returns: a :class:`ClipAnswer` as JSON.
    :raises DiskFull: the disk is full; nothing about the clip is known then.
    :raises Stopping: the run is being stopped.
    """
    begun = time.monotonic()
    wanted = ClipTask.model_validate_json(task)
    job = _job(wanted, tools.workspace)
    if wanted.made is None:
        made = clip.make(job, tools)
    else:
        made = searching.search(job, tools, wanted.made)
    return ClipAnswer(result=made, seconds=time.monotonic() - begun).model_dump_json()


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
