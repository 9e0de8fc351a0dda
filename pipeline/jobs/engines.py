"""The engine that the configuration names: threads of this process, or workers of a cluster."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial

from pipeline import publishing
from pipeline.config import ClusterSection
from pipeline.engine import Engine
from pipeline.engine.access import ClusterAccess, distributed
from pipeline.engine.threads import ThreadEngine
from pipeline.errors import StageError
from pipeline.jobs import kinds
from pipeline.jobs.build import build, difference
from pipeline.run import Run
from pipeline.wording import counted

_CONNECT_S = 30.0  # for a scheduler that does not run yet


def access(cluster: ClusterSection) -> ClusterAccess:
    """How the scheduler of the configuration is reached."""
    files = (cluster.ca, cluster.certificate, cluster.key)
    ca, certificate, key = (str(cluster.resolve(path)) if path else "" for path in files)
    lost_after_s = cluster.lost_after_minutes * 60
    return ClusterAccess(cluster.scheduler, ca, certificate, key, lost_after_s)


def opened(run: Run) -> Engine:
    """Open the engine of a run: workers if the configuration names a scheduler, else threads.

    :raises StageError: the scheduler can't be reached, or no worker came.
    """
    if run.config.cluster.scheduler:
        return _cluster(run)
    return ThreadEngine(partial(kinds.do, tools=run), slots(run))


def slots(run: Run) -> int:
    """How many jobs this machine does at once."""
    return run.config.process.workers or len(os.sched_getaffinity(0))


def examine(cluster: ClusterSection) -> str:
    """Try whether a run would find its workers; return what was found, for people.

    :raises StageError: the scheduler can't be reached, one side refuses the other, or a worker is
        of another version.
    """
    from pipeline.engine import inspection, reach  # noqa: PLC0415 - only where a cluster is used

    if cluster.local_workers:
        distributed()
        return f"each run starts {counted(cluster.local_workers, 'worker')} on this machine"
    reached = access(cluster)
    validity = reach.examine(reached)
    reach.reach(reached, 0, lambda _: None)
    found = inspection.workers(reached, build)
    for worker in found:
        if why := difference(build(), worker.build):
            raise StageError(
                f"the worker {worker.address} is of another version: {why}; install the same "
                "version on all machines"
            )
    said = "no worker is connected now"
    if found:
        places = counted(sum(worker.slots for worker in found), "slot")
        said = f"{counted(len(found), 'worker')} of this version with {places}"
    return f"the scheduler {cluster.scheduler} answers; {said}; {validity}"


def _cluster(run: Run) -> Engine:
    """Connect to the workers of the configuration, or start some on this machine.

    :raises StageError: the scheduler can't be reached, or no worker came.
    """
    # nothing of a cluster is loaded where none is used
    from pipeline.engine.dask import DaskEngine  # noqa: PLC0415
    from pipeline.engine.local import LocalWorkers, WorkerProgram  # noqa: PLC0415
    from pipeline.engine.reach import reach  # noqa: PLC0415
    from pipeline.jobs import remote  # noqa: PLC0415

    cluster = run.config.cluster
    patience_s = cluster.patience_minutes * 60
    with ExitStack() as opened:
        there = access(cluster)
        reached: ClusterAccess | LocalWorkers = there
        if cluster.local_workers:
            folder = publishing.part_path(run.workspace.cache / "workers")
            program = WorkerProgram("pipeline.jobs.remote", remote.settings(run.config))
            reached = LocalWorkers(program, cluster.local_workers, folder)
            opened.callback(reached.close)
        else:
            reach(there, _CONNECT_S, run.console.say)
        made = DaskEngine(remote.do, reached, patience_s)
        opened.callback(made.close)
        made.wait_for_workers(run.console.say)
        opened.pop_all()
    return made
