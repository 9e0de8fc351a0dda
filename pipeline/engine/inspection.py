"""Look at a cluster without giving it work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.engine.access import ClusterAccess
from pipeline.engine.dask import connected
from pipeline.errors import StageError

_PATIENCE_S = 10.0
_LONGEST = 64  # characters of what a worker says
_MOST = 32  # things that it says


@dataclass(frozen=True)
class SeenWorker:
    """A worker: its address, how many jobs it does at once, and its versions by name."""

    address: str
    slots: int
    build: dict[str, str]


def workers(access: ClusterAccess, build: Callable[[], dict[str, str]]) -> tuple[SeenWorker, ...]:
    """Connect to a scheduler, and ask all of its workers for their versions.

    :param build: what a worker calls to know them; it imports this function.
    :raises StageError: the scheduler can't be reached in some seconds, does not accept the
        certificate, or a worker does not answer.
    """
    client = connected(access, _PATIENCE_S)
    # the thread ends when the client is closed, so that is done first
    pool = ThreadPoolExecutor(1, thread_name_prefix="inspection")
    try:
        slots = client.nthreads()
        asked = pool.submit(client.run, build, on_error="ignore")
        said = asked.result(_PATIENCE_S) if slots else {}
    except (OSError, TimeoutError) as error:
        raise StageError(f"a worker of {access.address} does not answer; restart it") from error
    finally:
        client.close(timeout=_PATIENCE_S)
        pool.shutdown(wait=False)
    return tuple(
        SeenWorker(address, slots[address], _words(said.get(address))) for address in sorted(slots)
    )


def _words(said: object) -> dict[str, str]:
    """The versions that a worker answers with, each cut to a possible length."""
    if not isinstance(said, dict) or len(said) > _MOST:
        return {}
    return {str(name)[:_LONGEST]: str(value)[:_LONGEST] for name, value in said.items()}
