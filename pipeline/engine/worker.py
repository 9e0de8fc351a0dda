"""A worker and a scheduler of Dask, as programs that run until they are stopped."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.engine.access import ClusterAccess, distributed
from pipeline.engine.reach import reach
from pipeline.errors import StageError, reason_of

if TYPE_CHECKING:
    from distributed import Worker

_CONNECT_S = 60
_LEAVE_S = 5.0  # for the coordinator to fetch the last answers
_LOOK_S = 0.02
_TRIM_S = 60.0
_MOST_SAID = 100  # lines about strangers
# what OpenSSL says of a machine whose certificate is not accepted
_STRANGERS = {
    "DID_NOT_RETURN": "it has no certificate",
    "has expired": "its certificate has expired",
    "VERIFY_FAILED": "its certificate is not signed by the authority of the cluster",
    "ALERT": "it does not accept our certificate",
}
_INSIDE = "127.0.0.1:0"  # where the pages of Dask are, which nobody needs


@dataclass(frozen=True)
class WorkerCalls:
    """What a worker calls.

    ``dropped`` gets the key of a job that nobody waits for any more.  ``stop`` ends all jobs, and
    waits for them; it may be called twice.  ``ready`` gets the address.
    """

    dropped: Callable[[str], None]
    stop: Callable[[], None]
    ready: Callable[[str], None]


@dataclass(frozen=True)
class WorkerSetup:
    """How a worker runs.

    ``slots``: how many jobs it does at once.  ``folder``: for Dask's own files.  ``say`` is called
    with sentences for people.
    """

    slots: int
    folder: str
    calls: WorkerCalls
    say: Callable[[str], None]


@dataclass
class _Leaving:
    """Whether this program is to end, and the sentence that says why."""

    loop: asyncio.AbstractEventLoop
    event: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""

    def stop(self) -> None:
        """End the program, as a signal asks; a second signal while it ends changes nothing.

        The handlers of ``asyncio`` are gone when its loop is closed: a second SIGTERM killed the
        program then.
        """
        with suppress(RuntimeError):  # the loop is closed already
            self.loop.call_soon_threadsafe(self.event.set)


_leaving: list[_Leaving] = []


def leave(why: str) -> None:
    """End the worker that runs in this process, with a sentence; any thread may call it."""
    for each in _leaving:
        each.why = each.why or why
        each.loop.call_soon_threadsafe(each.event.set)


def serve(access: ClusterAccess, setup: WorkerSetup) -> None:
    """Run a worker until it is stopped.

    :raises StageError: the scheduler can't be reached or has ended, or the coordinator refused this
        worker.
    """
    distributed(access)
    reach(access, _CONNECT_S, setup.say)
    _tell_refusals(setup.say)
    asyncio.run(_until_stopped(lambda: _serve(access, setup)))


def schedule(access: ClusterAccess, say: Callable[[str], None]) -> None:
    """Run a scheduler until it is stopped.

    :param say: called with sentences for people.
    :raises StageError: it can't listen at its address.
    """
    distributed(access)
    _tell_refusals(say)
    asyncio.run(_until_stopped(lambda: _schedule(access, say)))


async def _until_stopped(program: Callable[[], Awaitable[None]]) -> None:
    """Run a program until it ends, a signal comes, or somebody calls ``leave``."""
    leaving = _Leaving(asyncio.get_running_loop())
    _leaving.append(leaving)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: leaving.stop())
    task = asyncio.ensure_future(program())
    stop = asyncio.ensure_future(leaving.event.wait())
    await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not task.done():
        task.cancel()
    try:
        await task
    except (asyncio.CancelledError, StageError) as end:
        if leaving.why:
            raise StageError(leaving.why) from None
        if isinstance(end, StageError):
            raise
    finally:
        _leaving.remove(leaving)


async def _serve(access: ClusterAccess, setup: WorkerSetup) -> None:
    loaded = distributed()
    plugin = _drop_plugin(setup.calls.dropped)
    worker = loaded.Worker(
        access.address,
        nthreads=setup.slots,
        memory_limit=0,
        host="127.0.0.1" if access.security() is None else None,
        dashboard=False,
        dashboard_address=_INSIDE,
        security=access.security(),
        local_directory=setup.folder,
        death_timeout=_CONNECT_S,
        plugins=[plugin],
    )
    try:
        await worker
    except (OSError, TimeoutError, RuntimeError) as error:
        raise StageError(
            f"the scheduler {access.address} can't be reached: {_reason(error)}"
        ) from error
    try:
        setup.calls.ready(worker.address)
        await worker.finished()
        raise StageError(
            f"the connection to the scheduler {access.address} was lost; start this worker again"
        )
    except asyncio.CancelledError:
        await _give_back(worker, setup.calls.stop)
        raise
    finally:
        await worker.close(timeout=5, executor_wait=False, reason="stopped")


async def _give_back(worker: Worker, stop: Callable[[], None]) -> None:
    """End the jobs of a worker that leaves, and wait until their answers were fetched.

    A job that has no answer would count as lost with its worker.
    """
    worker.status = distributed().Status.closing_gracefully  # it gets no more jobs
    await asyncio.to_thread(stop)
    until = time.monotonic() + _LEAVE_S
    while (worker.state.executing_count or worker.data) and time.monotonic() < until:
        await asyncio.sleep(_LOOK_S)


async def _schedule(access: ClusterAccess, say: Callable[[str], None]) -> None:
    loaded = distributed()
    at = urlsplit(access.address)
    scheduler = loaded.Scheduler(
        host=at.hostname,
        port=at.port or 0,
        protocol=f"{at.scheme}://",
        security=access.security(),
        dashboard=False,
        dashboard_address=_INSIDE,
    )
    try:
        await scheduler
    except (OSError, RuntimeError) as error:
        raise StageError(
            f"no scheduler can listen at {access.address}: {_reason(error)}"
        ) from error
    trims = asyncio.ensure_future(_give_back_memory())
    try:
        say(f"scheduler {scheduler.address} is ready")
        await scheduler.finished()
    finally:
        trims.cancel()
        await scheduler.close()


async def _give_back_memory() -> None:
    """Give freed memory back to the system, again and again.

    Messages of many sizes leave gaps, so a scheduler grew by 6 MB in 10,000 jobs with nothing more
    to remember.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
    while trim is not None:
        trim(0)
        await asyncio.sleep(_TRIM_S)


class _Refusals(logging.Handler):
    """Says once who was not let in, and why.

    Dask writes it into its log, which nobody reads otherwise.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._say, self._said = say, set[str]()

    def emit(self, record: logging.LogRecord) -> None:
        """Take the line of a handshake that failed; drop all others."""
        if "TLS handshake failed" not in record.msg or not isinstance(record.args, tuple):
            return
        _, remote, error = record.args
        reasons = (text for word, text in _STRANGERS.items() if word in str(error))
        host, why = urlsplit(str(remote)).hostname, next(reasons, "it speaks no TLS")
        line = f"a connection from {host} was refused: {why}"
        if line not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(line)
            self._say(line)


def _tell_refusals(say: Callable[[str], None]) -> None:
    log = logging.getLogger("distributed.comm.tcp")
    log.handlers, log.propagate = [_Refusals(say)], False
    log.setLevel(logging.WARNING)


def _reason(error: BaseException) -> str:
    """Why a server of Dask did not start; Dask puts some errors into one of its own."""
    cause = error.__cause__ or error
    return reason_of(cause) if isinstance(cause, OSError) else "it does not answer"


def _drop_plugin(dropped: Callable[[str], None]) -> object:
    """What Dask calls when a job changes its state on this worker."""

    class DroppedJobs(distributed().WorkerPlugin):  # type: ignore[misc] # a class of Dask
        name = "footage-dropped-jobs"

        def transition(self, key: object, start: str, finish: str, **_: object) -> None:
            if start == "executing" and finish in ("released", "cancelled"):
                number = key[-1] if isinstance(key, tuple) else key
                dropped(f"{key[0]}-{number}" if isinstance(key, tuple) else str(key))

    return DroppedJobs()
