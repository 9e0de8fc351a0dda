"""``footage worker``, ``scheduler`` and ``certificates``: the other machines of a cluster."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.commands.ending import Ending
from pipeline.config import Config
from pipeline.console import Console
from pipeline.engine import certificates, reach
from pipeline.engine.access import ClusterAccess
from pipeline.engine.worker import schedule
from pipeline.errors import StageError, UsageError, WorkspaceBusy
from pipeline.jobs import engines, remote, scratch
from pipeline.workspace import Workspace, hold

_MOST = 256  # workers of one user on one machine


@dataclass(frozen=True)
class WorkerCall:
    """What ``footage worker`` was called with; ``slots``: 0 for one for each processor core."""

    slots: int
    scratch: Path | None


def work(config: Config, console: Console, call: WorkerCall) -> Ending:
    """Make clips for a coordinator until Ctrl-C.

    :raises UsageError: the configuration names no scheduler, or the scratch folder is not one.
    :raises StageError: the scheduler can't be reached, or the coordinator refused this worker.
    """
    access = _access(config)
    if not config.workspace.store and not (config.root / "originals").is_dir():
        raise StageError(
            f"the folder {config.root} has no originals: share the workspace of the coordinator "
            "with this machine, or keep the footage in a store ([workspace] store). In a new "
            "workspace, begin with: footage ingest"
        )
    slots = call.slots or config.process.workers or len(os.sched_getaffinity(0))
    if call.scratch is not None:
        remote.serve(remote.site_of(config, call.scratch, console), access, slots)
        return Ending()
    base = _scratch()
    _clear_others(base, console)
    for number in range(_MOST):
        # another worker of this user has the folder
        with suppress(WorkspaceBusy):
            scratch.mark(base / str(number))
            remote.serve(remote.site_of(config, base / str(number), console), access, slots)
            return Ending()
    raise StageError(f"{_MOST} workers run here already; name a folder with --scratch")


def run_scheduler(config: Config, console: Console, host: str) -> Ending:
    """Run a scheduler until Ctrl-C.

    :param host: the address to listen at; empty for that of the configuration.
    :raises UsageError: the configuration names no scheduler.
    :raises StageError: it can't listen there.
    """
    access = _access(config)
    if host:
        at = urlsplit(access.address)
        named = f"[{host}]" if ":" in host else host
        access = replace(access, address=f"{at.scheme}://{named}:{at.port}")
    schedule(access, console.say)
    return Ending()


def make_certificates(folder: Path) -> Ending:
    """Write a certificate for the machines of a cluster, and its authority where there is none.

    :raises UsageError: the folder has one already.
    """
    paths = certificates.write(folder)
    names = dict(zip(("ca", "certificate", "key"), map(str, paths), strict=True))
    lines = (
        *(f'{name} = "{path}"' for name, path in names.items()),
        f"Copy these three files to each machine. Keep {folder / certificates.CA_KEY} away from "
        "them: it can make more certificates.",
    )
    return Ending(0, {"certificates": names}, lines)


def _access(config: Config) -> ClusterAccess:
    if "://" not in config.cluster.scheduler:
        raise UsageError('set [cluster] scheduler to the address of one, as "tls://host:8786"')
    access = engines.access(config.cluster)
    reach.examine(access)
    return access


def _clear_others(base: Path, console: Console) -> None:
    """Delete what other workers of this user left that were killed."""
    for folder in base.iterdir():
        with suppress(WorkspaceBusy):
            scratch.mark(folder)
            left = Workspace(folder)
            try:
                with hold(left):
                    scratch.empty(left)
            except StageError as fault:
                console.warn(str(fault))


def _scratch() -> Path:
    """A folder of this user for the folders of its workers."""
    base = Path(tempfile.gettempdir()) / f"footage-workers-{os.geteuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StageError(f"{base} is not ours alone; name another folder with --scratch")
    return base
