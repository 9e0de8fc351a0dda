"""The engine of a cluster, as the configuration names it."""

from __future__ import annotations

from contextlib import ExitStack

from pipeline import publishing
from pipeline.config import ClusterSection
from pipeline.engine import Engine
from pipeline.engine.access import ClusterAccess
from pipeline.engine.dask import DaskEngine
from pipeline.engine.local import LocalWorkers, WorkerProgram
from pipeline.process import remote
from pipeline.run import Run


def access(cluster: ClusterSection) -> ClusterAccess:
    """How the scheduler of the configuration is reached."""
    files = (cluster.ca, cluster.certificate, cluster.key)
    ca, certificate, key = (str(cluster.resolve(path)) if path else "" for path in files)
    lost_after_s = cluster.lost_after_minutes * 60
    return ClusterAccess(cluster.scheduler, ca, certificate, key, lost_after_s)


def engine(run: Run) -> Engine:
    """Connect to the workers of the configuration, or start some on this machine.

    :raises StageError: the scheduler can't be reached, or no worker came.
    """
    cluster = run.config.cluster
    patience_s = cluster.patience_minutes * 60
    with ExitStack() as opened:
        reached: ClusterAccess | LocalWorkers = access(cluster)
        if cluster.local_workers:
            folder = publishing.part_path(run.workspace.cache / "workers")
            program = WorkerProgram("pipeline.process.remote", remote.settings(run.config))
            reached = LocalWorkers(program, cluster.local_workers, folder)
            opened.callback(reached.close)
        made = DaskEngine(remote.do, reached, patience_s)
        opened.callback(made.close)
        made.wait_for_workers()
        opened.pop_all()
    return made
