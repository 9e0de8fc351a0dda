"""Jobs done by workers of Dask, on this machine or on others.

These rules come from measurements of Dask.  A finished job is done again if its worker dies while
its future is held, so the answer is taken and the future is released at once.  A queued job costs
the scheduler memory and time, so there are only a few more than can be begun.  If a worker dies,
its jobs come back as lost, and the ledger counts the attempts.
"""

from __future__ import annotations

import itertools
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from pipeline.engine import Ended
from pipeline.engine.access import ClusterAccess, distributed
from pipeline.engine.local import LocalWorkers
from pipeline.engine.reach import not_a_scheduler
from pipeline.engine.worker import leave
from pipeline.errors import StageError, reason_of

if TYPE_CHECKING:
    from distributed import Client, Future

RemoteWork = Callable[[str, str], str]
"""What a worker does: the key of a job and the job in, the answer out.  Workers import it."""

_CHECK_S = 60.0  # after so long without an event, in case that one was lost
_LOOK_S = 1.0  # between two looks whether the connection is still there
_CLOSE_S = 5.0
_FETCH_S = 20.0  # for an answer; after it, the future is waited for again as a job
_LONGEST = 4 << 20  # characters of an answer
_CONNECT_S = 30.0


class DaskEngine:
    """Hands out jobs through a scheduler of Dask."""

    def __init__(
        self, work: RemoteWork, access: ClusterAccess | LocalWorkers, patience_s: float
    ) -> None:
        """Connect.

        :param patience_s: how long to wait for a worker while there is none.
        :raises StageError: the scheduler can't be reached, or does not accept the certificate.
        """
        self._local = access if isinstance(access, LocalWorkers) else None
        if isinstance(access, LocalWorkers):
            access = access.access
        self._work, self._address, self._patience_s = work, access.address, patience_s
        self._begun: dict[Future[str], str] = {}
        # futures that ended; None: workers came or went
        self._events: queue.SimpleQueue[Future[str] | None] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._group = f"job-{time.time_ns():x}"
        self._slots, self._seen_at = 0, time.monotonic()
        self._client = connected(access)
        self._client.subscribe_topic("all", self._note)
        if self._local is not None:
            self._local.call_when_one_ends(lambda: self._events.put(None))
        self._count()

    @property
    def room(self) -> int:
        """How many more jobs are wanted: one for each slot of a worker, and a few."""
        few = 1 + self._slots // 10 if self._slots else 0
        return self._slots + few - len(self._begun)

    def submit(self, key: str, job: str) -> None:
        """Hand out a job."""
        number = next(self._numbers)
        # one group for all, so that the scheduler keeps those that no worker can begin
        future = self._client.submit(
            self._work, f"{self._group}-{number}", job, key=(self._group, number), pure=False
        )
        self._begun[future] = key
        future.add_done_callback(self._events.put)

    def ended(self) -> list[Ended]:
        """Wait until at least one job ended, and return those that did.

        Without any job it waits until there is a worker.

        :raises StageError: the scheduler is gone, or there was no worker for too long.
        """
        while True:
            found = [self._ended(future) for future in self._wait() if future in self._begun]
            if ended := [each for each in found if each is not None]:
                return ended
            if self.room > 0 and not self._begun:
                return []

    @property
    def slots(self) -> int:
        """How many jobs the workers do at once, when they were last counted."""
        return self._slots

    def wait_for_workers(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Wait until there is a worker.

        :param say: called once if there is none yet.
        :raises StageError: there was none for too long.
        """
        if not self._slots and self._local is None:
            say(f"no worker is connected to {self._address} yet; waiting for one (footage worker)")
        while not self._slots:
            self._wait()

    def refuse(self, worker: str, why: str) -> None:
        """Give a worker no more jobs, and have it end and say why it was refused.

        :raises StageError: no other worker is left.
        """
        # a worker that is gone already needs no refusal
        with suppress(OSError, ValueError, TimeoutError):
            self._client.run(
                leave, f"this worker was refused: {why}", workers=[worker], on_error="ignore"
            )
            self._client.retire_workers([worker])
        self._count()
        if not self._slots:
            raise StageError(f"no worker is left; the last one was refused: {why}")

    def close(self) -> None:
        """Drop the jobs that have not ended; their workers stop their programs."""
        for future in self._begun:
            future.release()
        self._begun.clear()
        self._client.close(timeout=_CLOSE_S)
        if self._local is not None:
            self._local.close()

    def _wait(self) -> list[Future[str]]:
        """Wait for an event; return the futures that ended.

        :raises StageError: the scheduler is gone, or there was no worker for too long.
        """
        if self._local is not None:
            self._local.tend()
        left_s = self._seen_at + self._patience_s - time.monotonic()
        events = []
        with suppress(queue.Empty):
            # also without a worker: the scheduler itself may be gone
            is_patient = self._slots or left_s > _CHECK_S
            events.append(self._event(_CHECK_S if is_patient else max(left_s, 0)))
            while True:
                events.append(self._events.get_nowait())
        if not events or None in events:
            self._count()
            self._check_patience()
        return [future for future in events if future is not None]

    def _event(self, patience_s: float) -> Future[str] | None:
        """Wait for an event.

        :raises queue.Empty: none came for so long.
        :raises StageError: the scheduler is gone.  Without a job that ends, no event tells of it.
        """
        until = time.monotonic() + patience_s
        while True:
            left_s = until - time.monotonic()
            try:
                return self._events.get(timeout=max(min(left_s, _LOOK_S), 0))
            except queue.Empty:
                self._require_connection()
                if left_s <= _LOOK_S:
                    raise

    def _require_connection(self) -> None:
        """Dask connects again, but a new scheduler knows nothing of the jobs."""
        if self._client.status != "running":
            raise self._gone()

    def _note(self, event: tuple[float, object]) -> None:
        """Take what the scheduler says of its workers."""
        said = event[1]
        if isinstance(said, dict) and said.get("action") in ("add-worker", "remove-worker"):
            self._events.put(None)

    def _ended(self, future: Future[str]) -> Ended | None:
        """How a job ended; None if its answer was lost, and it is done again."""
        if future.status == "cancelled":
            raise self._gone()
        key = self._begun[future]
        if future.status == "finished":
            try:
                holders = self._client.who_has([future])
                answer = future.result(timeout=_FETCH_S)
            except TimeoutError:
                future.add_done_callback(self._events.put)
                return None
            except (OSError, distributed().KilledWorker):
                holders, answer = {}, None
            worker = next((name for names in holders.values() for name in names), "")
            text = answer if isinstance(answer, str) and len(answer) <= _LONGEST else ""
            ended = Ended(key, text, lost=answer is None, worker=worker)
        else:
            last = getattr(future.exception(), "last_worker", None)
            ended = Ended(key, lost=True, worker=getattr(last, "address", ""))
        del self._begun[future]
        future.release()
        return ended

    def _count(self) -> None:
        """Ask how many slots there are."""
        self._require_connection()
        try:
            self._slots = sum(self._client.nthreads().values())
        except (OSError, TimeoutError) as error:
            raise self._gone() from error
        if self._slots:
            self._seen_at = time.monotonic()

    def _check_patience(self) -> None:
        if not self._slots and time.monotonic() - self._seen_at >= self._patience_s:
            raise StageError(
                f"no worker is connected to {self._address}; start some with: footage worker. "
                "What was made is kept; run again to go on"
            )

    def _gone(self) -> StageError:
        return StageError(
            f"the scheduler {self._address} is gone; what was made is kept. Start it again with: "
            "footage scheduler, and run again"
        )


def connected(access: ClusterAccess, patience_s: float = _CONNECT_S) -> Client:
    """Connect to a scheduler.

    :raises StageError: it can't be reached, does not accept the certificate, or is something else.
    """
    loaded = distributed(access)
    try:
        client: Client = loaded.Client(
            access.address,
            security=access.security(),
            set_as_default=False,
            name="footage",
            timeout=patience_s,
            direct_to_workers=False,
        )
    except (OSError, TimeoutError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "it does not answer"
        raise StageError(
            f"the scheduler {access.address} can't be reached: {reason}. Start one with: footage "
            "scheduler"
        ) from error
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        # a worker, for example, which does not know what a scheduler is asked
        raise not_a_scheduler(access) from error
    return client
