"""Where work is done: in threads of this process, or by workers on other machines.

An :class:`Engine` takes jobs and gives back how they ended, as they end.  Job and answer are texts
(JSON), so an engine knows nothing of clips, and no object of the program travels between machines.
It holds no more jobs than its workers can begin now and a few more: the ledger is the queue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Work = Callable[[str], str]
"""What is done with a job: a text in, a text out."""


@dataclass(frozen=True)
class Ended:
    """How a job ended: the answer, or the error that ends the run.

    ``lost``: there is neither, because the worker died or can't be reached any more.
    ``worker``: the name of the worker, empty for a thread of this process.
    """

    key: str
    answer: str = ""
    error: BaseException | None = None
    lost: bool = False
    worker: str = ""


class Engine(Protocol):
    """A place where jobs are done."""

    @property
    def room(self) -> int:
        """How many more jobs it takes now."""

    def submit(self, key: str, job: str) -> None:
        """Hand out a job.

        :param key: names the job in what :meth:`ended` gives back.
        """

    def ended(self) -> list[Ended]:
        """Wait until at least one job ended, and return those that did.

        Without any job it waits until there is room for one.

        :raises StageError: there is nobody left who could do the jobs.
        """

    def refuse(self, worker: str, why: str) -> None:
        """Give a worker no more jobs, and have it end and say *why* it was refused."""

    def close(self) -> None:
        """Drop the jobs that have not ended; wait until no thread of this process works on one."""
