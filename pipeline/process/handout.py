"""Hand tasks out to an engine, and take what comes back, until each has an outcome.

A task whose worker is lost is handed out again; the ledger counts the attempts, so that an original
that ends workers fails at last and the night goes on.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from pipeline.engine import Ended, Engine
from pipeline.errors import NotClean, StageError
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.model import ClipResult, Reason, Refusal
from pipeline.process import belief, clip
from pipeline.process.build import difference
from pipeline.process.night import NightBudget
from pipeline.process.wire import ClipAnswer, ClipTask, Trouble
from pipeline.run import Run
from pipeline.texts import Detail

# what a worker may add to the log of a run, and what of it
_EVENTS: Mapping[str, tuple[str, ...]] = {
    "program": ("purpose", "argv", "code", "said", "timed_out", "stuck", "seconds"),
    "not-clean": ("sha256", "problems"),
    "internal": ("sha256", "where"),
}
_LONGEST_EVENT = 20_000  # characters
_MOST_TROUBLES = 30  # in a row, with no clip between them
_SENTENCES: Mapping[Trouble, str] = {
    "disk-full": "its disk is full",
    "stopped": "it was stopped",
    "broken": "it could not work; it says why itself",
    "not-a-worker": "it was not started by footage worker",
}


class Handout:
    """The tasks of one run, and where they are done."""

    def __init__(self, run: Run, engine: Engine, night: NightBudget) -> None:
        self._run, self._engine, self._night = run, engine, night
        self._begun: dict[str, ClipTask] = {}
        self._again: deque[ClipTask] = deque()
        self._troubles = 0

    def results(self, tasks: Sequence[ClipTask]) -> Iterator[ClipResult]:
        """Hand out what the night has room for, and yield the outcomes as they come.

        :raises StageError: there is nobody left who could do them.
        :raises DiskFull: the disk is full.
        """
        waiting = deque(tasks)
        ended: list[tuple[ClipTask, Ended]] = []
        while waiting or self._again or self._begun or ended:
            while (waiting or self._again) and self._engine.room > 0:
                self._begin((waiting or self._again).popleft())
            # the workers go on while what ended is recorded
            for task, each in ended:
                result = self._outcome(task, each)
                if result is not None:
                    self._troubles = 0
                    yield result
            ended = [self._end(each) for each in self._engine.ended()] if self._begun else []

    def _begin(self, task: ClipTask) -> None:
        if self._night.begin(task.sha256):
            self._engine.submit(task.sha256, task.model_dump_json())
            self._begun[task.sha256] = task

    def _end(self, ended: Ended) -> tuple[ClipTask, Ended]:
        self._night.end(ended.key)
        return self._begun.pop(ended.key), ended

    def _outcome(self, task: ClipTask, ended: Ended) -> ClipResult | None:
        """What became of a task; None if it is handed out again."""
        if ended.error is not None:
            raise ended.error
        if not task.build:  # a thread of this process
            return ClipAnswer.model_validate_json(ended.answer).result
        if ended.lost:
            self._run.console.event("worker-lost", sha256=task.sha256, worker=ended.worker)
            workers = Refusal(Reason.INTERNAL, Detail.WORKERS_LOST, {"attempts": self._most})
            return self._failed(task, workers)
        try:
            return self._believed(task, ended)
        except (ProgramLied, NotClean) as fault:
            self._refuse(ended.worker, f"its answer can't be right: {fault}")
            what = "its worker gave an answer that can't be right"
            untrue = Refusal(Reason.INTERNAL, Detail.UNTRUE_RESULT, {"what": what})
            return self._failed(task, untrue)

    def _believed(self, task: ClipTask, ended: Ended) -> ClipResult | None:
        answer = belief.read(ended.answer, task)
        self._log(answer, ended.worker)
        result = answer.result
        if result is None:
            self._suffer(answer, ended.worker, task)
            return None
        if result.outputs and task.made is None:
            belief.take(self._run, task, result)
        return result

    def _suffer(self, answer: ClipAnswer, worker: str, task: ClipTask) -> None:
        """Put a task back in line whose worker could not work; it is not the task's fault."""
        self._again.append(task)
        self._troubles += 1
        if answer.trouble == "version":
            why = difference(task.build, answer.build) or "it reads tasks in another way"
            self._refuse(worker, f"{why}; install the same version on all machines")
        elif answer.trouble == "not-a-worker":
            self._refuse(worker, _SENTENCES[answer.trouble])
        else:
            self._run.console.warn(f"worker {worker}: {_SENTENCES[answer.trouble]}")
        if self._troubles > _MOST_TROUBLES:
            raise StageError(
                "the workers can't work; what was made is kept. See what they say, then run again"
            )

    def _refuse(self, worker: str, why: str) -> None:
        self._run.console.warn(f"the worker {worker} was refused: {why}")
        self._engine.refuse(worker, f"this worker was refused: {why}")

    @property
    def _most(self) -> int:
        return self._run.config.cluster.attempts

    def _failed(self, task: ClipTask, refusal: Refusal) -> ClipResult | None:
        """Count an attempt; the outcome if it was the last one."""
        if self._run.ledger.clips.count_attempt(task.sha256) < self._most:
            self._again.append(task)
            return None
        return clip.refused(task.sha256, task.recipe, refusal, ())

    def _log(self, answer: ClipAnswer, worker: str) -> None:
        """Write what a worker did into the log of this run."""
        for event in answer.events:
            name = event.get("event")
            if not isinstance(name, str) or name not in _EVENTS:
                continue
            facts: dict[str, JsonValue] = {
                fact: event[fact] for fact in _EVENTS[name] if fact in event
            }
            if len(json.dumps(facts)) <= _LONGEST_EVENT:
                self._run.console.event(name, worker=worker, **facts)
