"""Jobs done by threads of this process.  This is the default."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from pipeline.engine import Ended, Work


class ThreadEngine:
    """One thread a job, and no more jobs than threads.

    A thread lives as long as the engine.  A program that it starts dies with the thread (see
    ``ffmpeg/launcher``), so a thread may not end before the program.
    """

    def __init__(self, work: Work, slots: int) -> None:
        self._work, self._slots = work, slots
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="job")
        self._begun: dict[Future[str], str] = {}

    @property
    def room(self) -> int:
        """How many threads have no job."""
        return self._slots - len(self._begun)

    def submit(self, key: str, job: str) -> None:
        """Give a job to a thread."""
        self._begun[self._pool.submit(self._work, job)] = key

    def ended(self) -> list[Ended]:
        """Wait until at least one job ended, and return those that did."""
        done = wait(self._begun, return_when=FIRST_COMPLETED).done
        return [self._ended(future) for future in done]

    def refuse(self, worker: str, why: str) -> None:
        """Do nothing: a thread is this program itself."""

    def close(self) -> None:
        """Drop the jobs that no thread began, and wait for the others."""
        self._pool.shutdown(cancel_futures=True)

    def _ended(self, future: Future[str]) -> Ended:
        key, error = self._begun.pop(future), future.exception()
        return Ended(key, "" if error else future.result(), error)
