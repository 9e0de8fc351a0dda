"""The kinds of jobs: a row of :data:`KINDS` each, and a module with its ``WORK``.

A worker does no job of another kind.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Generic, TypeVar, cast

from pipeline.jobs.wire import JobAnswer, JobTask
from pipeline.run import Tools

TaskT = TypeVar("TaskT", bound=JobTask)

KINDS: Mapping[str, str] = {
    "clip": "pipeline.process.making",
    "card": "pipeline.render.cards",
    "seam": "pipeline.render.seams",
}
"""The module of each kind; it is loaded when the first such job is done."""


@dataclass(frozen=True)
class JobWork(Generic[TaskT]):
    """How a job of a kind is done.

    ``task``: its type.  ``do`` returns what became of it.  ``difference`` says why this version
    can't do a task of another machine; empty if it can.
    """

    task: type[TaskT]
    do: Callable[[TaskT, Tools], JobAnswer[object]]
    difference: Callable[[TaskT], str] = lambda _: ""


def read(text: str) -> tuple[JobTask, JobWork[JobTask]]:
    """Read a task of any kind; return it, and how it is done.

    :raises ValueError: it has other fields, or its kind is not known.
    """
    found = json.loads(text)
    module = KINDS.get(str(found.get("kind"))) if isinstance(found, dict) else None
    if module is None:
        raise ValueError("a task of a kind that is not known")
    work = cast("JobWork[JobTask]", import_module(module).WORK)
    return work.task.model_validate_json(text), work


def do(text: str, tools: Tools) -> str:
    """Do a task as a thread of this process gets it.

    :param text: a :class:`JobTask` as JSON.
    :returns: a :class:`JobAnswer` as JSON.
    :raises DiskFull: the disk is full; nothing about the job is known then.
    :raises Stopping: the run is being stopped.
    """
    task, work = read(text)
    return done(task, work, tools).model_dump_json()


def done(task: JobTask, work: JobWork[JobTask], tools: Tools) -> JobAnswer[object]:
    """Do a task, and say how long it took; see :func:`do`."""
    begun = time.monotonic()
    answer = work.do(task, tools)
    return answer.model_copy(update={"seconds": time.monotonic() - begun})
