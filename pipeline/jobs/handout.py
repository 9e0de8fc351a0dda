"""Hand tasks out to an engine, and take what comes back, until each has a result.

A task whose worker is lost is handed out again, but not for ever: its attempts are counted.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from pydantic import ValidationError

from pipeline.engine import Ended, Engine
from pipeline.errors import NotClean, StageError
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.jobs import engines, events
from pipeline.jobs.build import build, difference
from pipeline.jobs.wire import JobAnswer, JobTask, Trouble
from pipeline.model import Reason, Refusal
from pipeline.run import Run
from pipeline.texts import Detail

TaskT = TypeVar("TaskT", bound=JobTask)
ResultT = TypeVar("ResultT")

_MOST_TROUBLES = 3  # of one worker in a row
_MOST_STOPS = 256  # of one worker in a row: it gives back one job for each of its slots
# With no result between them, and no other job under way, in case that bad workers come again and
# again.  A worker that is started anew after each refusal has so many in a minute, and the others
# may be at work on long films meanwhile.
_MOST_OF_ALL = 300
_SENTENCES: Mapping[Trouble, str] = {
    "disk-full": "its disk is full",
    "stopped": "it was stopped",
    "broken": "it could not work; it says why itself",
    "not-a-worker": "it was not started by footage worker",
}


@dataclass(frozen=True)
class Following(Generic[TaskT]):
    """What a result calls for.

    ``tasks`` are handed out before all that wait.  ``is_end``: the result is the end of a job.
    """

    tasks: Sequence[TaskT] = ()
    is_end: bool = False


class JobRules(Protocol[TaskT, ResultT]):
    """What the coordinator does with the jobs of a kind."""

    @property
    def answer(self) -> type[JobAnswer[ResultT]]:
        """The type of an answer."""

    def begin(self, task: TaskT) -> bool:
        """Whether the run has room for it now; otherwise it is left out."""

    def end(self, task: TaskT) -> None:
        """Note that a worker has given it back, whatever became of it."""

    def possible(self, task: TaskT, result: ResultT) -> Mapping[str, bool]:
        """Whether each part of a worker's result is possible, by its name."""

    def take(self, task: TaskT, result: ResultT) -> None:
        """Judge and hash the files that a worker made, and give them their names.

        :raises ProgramLied: they are not what the answer says.
        :raises NotClean: they hold something that is not on the allow-list.
        """

    def follow(self, task: TaskT, result: ResultT) -> Following[TaskT]:
        """Return the tasks that a result calls for, and whether it is the end of a job."""

    def attempts(self, task: TaskT, lost: str) -> int:
        """Count an attempt that came to nothing; return how many there were.

        :param lost: the worker that was lost with the task; empty if none was, or none is known.
        """

    def failed(self, task: TaskT, refusal: Refusal) -> ResultT:
        """The result of a task that had no more attempts.

        :raises StageError: without it there is nothing to go on with.
        """


class Handout(Generic[TaskT, ResultT]):
    """The tasks of one run, and where they are done."""

    def __init__(self, run: Run, engine: Engine, rules: JobRules[TaskT, ResultT]) -> None:
        self._run, self._engine, self._rules = run, engine, rules
        self._begun: dict[str, TaskT] = {}
        self._next: deque[TaskT] = deque()
        self._waiting: deque[TaskT] = deque()
        self._again: deque[TaskT] = deque()
        # of each worker, and of all, since the last result
        self._troubles: Counter[str] = Counter()
        self._stops: Counter[str] = Counter()
        self._of_all = 0
        # the tasks, by subject, that were under way at the first of these troubles and still are
        self._elsewhere: set[str] = set()

    def results(self, tasks: Sequence[TaskT]) -> Iterator[ResultT]:
        """Hand out what the run has room for, and yield the results as they come.

        :raises StageError: there is nobody left who could do them.
        :raises DiskFull: the disk is full.
        """
        self._waiting.extend(tasks)
        ended: list[tuple[TaskT, Ended]] = []
        while self._queue or self._begun or ended:
            # before what ended is recorded, so that the workers go on meanwhile
            self._fill()
            for task, each in ended:
                # one after the other: a trouble ends no run while a result is in the same answers
                self._elsewhere.discard(each.key)
                result = self._result(task, each)
                if result is not None:
                    self._troubles[each.worker], self._of_all = 0, 0
                    self._stops[each.worker] = 0
                    following = self._rules.follow(task, result)
                    self._next.extend(following.tasks)
                    if following.is_end:
                        yield result
            # what follows a result, or has to be repeated, waits for no other job
            self._fill()
            # with tasks, and no room for any, the engine waits for a worker, or ends the run
            is_stuck = bool(self._queue) and self._engine.room <= 0
            ended = (
                [self._end(it) for it in self._engine.ended()] if self._begun or is_stuck else []
            )

    def _fill(self) -> None:
        """Hand out tasks as long as there is room for them."""
        while self._queue and self._engine.room > 0:
            self._begin(self._queue.popleft())

    @property
    def _queue(self) -> deque[TaskT]:
        """The tasks that come next: what follows a result, then new ones, then those to repeat."""
        return self._next or self._waiting or self._again

    def _begin(self, task: TaskT) -> None:
        if self._rules.begin(task):
            self._engine.submit(task.subject, task.model_dump_json())
            self._begun[task.subject] = task

    def _end(self, ended: Ended) -> tuple[TaskT, Ended]:
        task = self._begun.pop(ended.key)
        self._rules.end(task)
        return task, ended

    def _result(self, task: TaskT, ended: Ended) -> ResultT | None:
        """What became of a task; None if it is handed out again."""
        if ended.error is not None:
            raise ended.error
        if not task.build:  # a thread of this process
            return self._rules.answer.model_validate_json(ended.answer).result
        if ended.lost:
            facts = {"kind": task.kind, "job": task.subject}
            self._run.console.event("worker-lost", worker=ended.worker, **facts)
            workers = Refusal(Reason.INTERNAL, Detail.WORKERS_LOST, {"attempts": self._most})
            return self._failed(task, workers, ended.worker)
        try:
            return self._believed(task, ended)
        except (ProgramLied, NotClean) as fault:
            why = fault.what if isinstance(fault, ProgramLied) else str(fault)
            self._refuse(ended.worker, f"its answer can't be right: {why}")
            what = "its worker gave an answer that can't be right"
            untrue = Refusal(Reason.INTERNAL, Detail.UNTRUE_RESULT, {"what": what})
            return self._failed(task, untrue)

    def _believed(self, task: TaskT, ended: Ended) -> ResultT | None:
        """Check an answer; None if its worker could not work.

        :raises ProgramLied: it can't be right.
        :raises NotClean: a file holds something that is not on the allow-list.
        """
        try:
            answer = self._rules.answer.model_validate_json(ended.answer)
        except ValidationError as error:
            raise ProgramLied("an answer that has other fields") from error
        if not answer.trouble:
            if answer.result is None:
                raise ProgramLied("an answer with no outcome")
            for name, is_possible in self._rules.possible(task, answer.result).items():
                if not is_possible:
                    raise ProgramLied(f"an answer with an impossible {name}")
        self._log(answer, ended.worker, task)
        if answer.trouble == "failed":
            return self._failed(task, Refusal(Reason.INTERNAL, Detail.JOB_FAILED))
        if answer.result is None or answer.trouble:
            self._suffer(answer, ended.worker, task)
            return None
        self._rules.take(task, answer.result)
        return answer.result

    def _suffer(self, answer: JobAnswer[ResultT], worker: str, task: TaskT) -> None:
        """Put a task back in line whose worker could not work; it is not the task's fault.

        A worker that can't work again and again is refused, so the others go on without it.

        :raises StageError: no other worker is left.
        """
        self._again.append(task)
        if answer.trouble == "stopped":  # it leaves
            self._run.console.warn(f"worker {worker}: {_SENTENCES[answer.trouble]}")
            self._stops[worker] += 1
            if self._stops[worker] % (_MOST_STOPS + 1) == 0:
                self._refuse(worker, "it says again and again that it was stopped, and goes on")
            return
        if self._of_all == 0:
            self._elsewhere = {*self._begun}
        self._troubles[worker] += 1
        self._of_all += 1
        if answer.trouble == "version":
            why = difference(task.build, answer.build) or "it reads tasks in another way"
            self._refuse(worker, f"{why}; install the same version on all machines")
        elif answer.trouble == "not-a-worker":
            self._refuse(worker, _SENTENCES[answer.trouble])
        else:
            self._run.console.warn(f"worker {worker}: {_SENTENCES[answer.trouble]}")
            if self._troubles[worker] % _MOST_TROUBLES == 0:
                self._refuse(worker, f"it could not work {_MOST_TROUBLES} times in a row")
        if self._of_all > _MOST_OF_ALL and not self._elsewhere:
            raise StageError(
                "the workers can't work; what was made is kept. See what they say, then run again"
            )

    def _refuse(self, worker: str, why: str) -> None:
        self._run.console.warn(f"the worker {worker} was refused: {why}")
        self._engine.refuse(worker, why)

    @property
    def _most(self) -> int:
        return self._run.config.cluster.attempts

    def _failed(self, task: TaskT, refusal: Refusal, lost: str = "") -> ResultT | None:
        """Count an attempt; the result if it was the last one."""
        if self._rules.attempts(task, lost) < self._most:
            self._again.append(task)
            return None
        return self._rules.failed(task, refusal)

    def _log(self, answer: JobAnswer[ResultT], worker: str, task: TaskT) -> None:
        """Write what a worker did into the log of this run, as far as that can be ours."""
        for event in answer.events:
            name, facts = events.possible(event, task.subject)
            if name:
                self._run.console.event(name, worker=worker, **facts)


class Dispatcher:
    """Hands out the jobs of a run; its engine is opened when the first job comes."""

    def __init__(self, run: Run, opened: Callable[[Run], Engine] = engines.opened) -> None:
        """*opened* opens the engine; by default it is that of the configuration."""
        self._run, self._opened = run, opened
        self._engine: Engine | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._engine is not None:
            self._engine.close()

    def results(self, rules: JobRules[TaskT, ResultT], tasks: Sequence[TaskT]) -> Iterator[ResultT]:
        """Yield the results as they come; if anything ends the run, end every program first.

        :raises StageError: there is nobody left who could do the jobs.
        :raises DiskFull: the disk is full.
        """
        if not tasks:
            return
        if self._engine is None:
            self._engine = self._opened(self._run)
        try:
            handout = Handout(self._run, self._engine, rules)
            yield from handout.results(_addressed(self._run, tasks))
        except BaseException:
            self._run.ffmpeg.close()
            self._run.store.stop()
            raise


def _addressed(run: Run, tasks: Sequence[TaskT]) -> list[TaskT]:
    """Return tasks for other machines, where there is a cluster; else as they are."""
    if not run.config.cluster.scheduler:
        return [*tasks]
    last = run.ledger.runs.last()
    far = {"run": last.id if last else "", "build": build()}
    return [task.model_copy(update=far) for task in tasks]
