"""The work of a worker on this machine or another one: one job at a time in each slot.

A worker has no ledger and no password of the inbox.  It makes files in a folder of its own, in the
same sandbox, and hands them to the store.  Its events go back with the answer.
"""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from pipeline.config import Config, place
from pipeline.console import Console, Verbosity
from pipeline.engine import worker
from pipeline.engine.access import ClusterAccess
from pipeline.engine.local import die_with
from pipeline.engine.worker import WorkerCalls, WorkerSetup
from pipeline.errors import (
    DiskFull,
    FootageError,
    NotClean,
    SandboxUnavailable,
    StageError,
    Stopping,
    StoreError,
    named,
)
from pipeline.ffmpeg import sandbox
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.jobs import kinds, scratch
from pipeline.jobs.build import build, difference
from pipeline.jobs.wire import JobAnswer, Trouble
from pipeline.store import FootageStore
from pipeline.store.delivery import DeliveryFolder
from pipeline.store.opening import open_bucket
from pipeline.store.remote import BucketStore
from pipeline.wording import counted
from pipeline.workspace import Workspace, hold


@dataclass(frozen=True)
class WorkerTools:
    """What one job is done with on a worker."""

    config: Config
    workspace: Workspace
    ffmpeg: FfmpegRunner
    console: Console
    store: FootageStore


@dataclass(frozen=True)
class WorkerSite:
    """A worker: its configuration, its own folder, the store, and the programs of each job.

    ``changes`` guards ``running``, and tells of each job that ends.  ``is_ending``: no job is begun
    any more.
    """

    config: Config
    workspace: Workspace
    store: BucketStore | DeliveryFolder
    console: Console
    running: dict[str, FfmpegRunner] = field(default_factory=dict)
    changes: threading.Condition = field(default_factory=threading.Condition)
    is_ending: threading.Event = field(default_factory=threading.Event)


_END_S = 10.0  # for the threads of jobs whose programs were ended
_sites: list[WorkerSite] = []


def serve(site: WorkerSite, access: ClusterAccess, slots: int, *, is_local: bool = False) -> None:
    """Run a worker until it is stopped; one process has one worker.

    :param is_local: the run that started it deletes its folder.
    :raises SandboxUnavailable: no sandbox works here.
    :raises UsageError: its folder may have files of somebody; nothing was changed there.
    :raises StageError: it can't write into its folder or the store, the scheduler can't be reached,
        or the coordinator refused this worker.
    """
    sandbox.choose(site.config.process.sandbox)
    scratch.check(site.workspace)
    with hold(site.workspace):
        scratch.empty(site.workspace)
        scratch.try_writing(site.workspace)
        site.store.try_writing()
        with nullcontext() if is_local else scratch.kept(site.workspace):
            _sites.append(site)
            try:
                folder = str(site.workspace.cache / "dask")
                calls = WorkerCalls(drop, partial(_stop, site), partial(_begun, site, slots))
                worker.serve(access, WorkerSetup(slots, folder, calls, site.console.say))
            finally:
                _sites.remove(site)
                _stop(site)
                try:
                    scratch.empty(site.workspace)
                except StageError as fault:
                    site.console.warn(str(fault))


def _stop(site: WorkerSite) -> None:
    """End all jobs; wait until their threads have seen it, so that they write nothing any more."""
    site.is_ending.set()
    site.store.stop()
    with site.changes:
        for runner in site.running.values():
            runner.close()
        site.changes.wait_for(lambda: not site.running, _END_S)


def do(key: str, text: str) -> str:
    """Do a task; Dask calls this in a thread of the worker.

    :param key: names the job, see :func:`drop`.
    :param text: a task of ``jobs/wire`` as JSON.
    :returns: an answer as JSON, whatever happens.
    """
    return make(_sites[0], key, text) if _sites else _answer("not-a-worker")


def make(site: WorkerSite, key: str, text: str) -> str:
    """Do a task on a worker; see :func:`do`."""
    try:
        task, work = kinds.read(text)
        other = difference(task.build, build()) or work.difference(task)
    except ValueError:
        other = "the coordinator sent a task that this version does not know"
    if other:
        site.console.warn(f"a task was refused: {other}")
        return _answer("version")
    console = Console(Verbosity.QUIET)
    events = io.StringIO()
    console.log_to(events)
    with _programs(site, key, console) as ffmpeg:
        process = site.config.process.model_copy(update={"timeout_factor": task.timeout_factor})
        config = site.config.model_copy(update={"process": process})
        tools = WorkerTools(config, site.workspace, ffmpeg, console, site.store)
        if site.is_ending.is_set():
            return _answer("stopped", events)
        try:
            made = kinds.done(task, work, tools)
        except Stopping:
            return _answer("stopped", events)
        except Exception as fault:  # noqa: BLE001 - anything else would look like a lost worker
            said = fault if isinstance(fault, NotClean) else named(fault)
            if isinstance(said, DiskFull):
                worker.leave(str(said))
                return _answer("disk-full", events)
            site.console.warn(f"{task.subject[:40]}: {said}")
            return _answer("failed" if _is_of_job(fault) else "broken", events)
    site.console.say(f"run {task.run}: {task.kind} {task.subject[:40]} in {made.seconds:.1f} s")
    return made.model_copy(update={"events": _lines(events), "build": build()}).model_dump_json()


def _is_of_job(fault: Exception) -> bool:
    """Whether the job can't be done, or its program has a fault; else this worker can't work."""
    if isinstance(fault, StoreError | SandboxUnavailable | OSError):
        return False
    return isinstance(fault, StageError | NotClean) or not isinstance(fault, FootageError)


def drop(key: str) -> None:
    """End the programs of a job that nobody waits for any more."""
    for site in _sites:
        with site.changes:
            runner = site.running.get(key)
        if runner is not None:
            runner.close()


@contextmanager
def _programs(site: WorkerSite, key: str, console: Console) -> Iterator[FfmpegRunner]:
    """Give the programs of a job, which ``drop`` can end."""
    runner = FfmpegRunner(site.config.process.sandbox, console)
    with site.changes:
        site.running[key] = runner
        if site.is_ending.is_set():
            runner.close()
    try:
        yield runner
    finally:
        runner.close()
        with site.changes:
            site.running.pop(key, None)
            site.changes.notify_all()


def _begun(site: WorkerSite, slots: int, address: str) -> None:
    site.console.say(f"worker {address} is ready; {counted(slots, 'slot')}")


def _answer(trouble: Trouble, events: io.StringIO | None = None) -> str:
    lines = _lines(events) if events else ()
    return JobAnswer[None](trouble=trouble, events=lines, build=build()).model_dump_json()


def _lines(events: io.StringIO) -> tuple[dict[str, JsonValue], ...]:
    lines = events.getvalue().splitlines()
    return tuple(cast("dict[str, JsonValue]", json.loads(line)) for line in lines)


def site_of(config: Config, folder: Path, console: Console) -> WorkerSite:
    """A worker with its own folder; footage is where the configuration keeps it."""
    workspace = Workspace(folder)
    url = config.workspace.store
    store: BucketStore | DeliveryFolder
    if url:
        store = BucketStore(workspace, open_bucket(url))
    else:
        store = DeliveryFolder(workspace, config.root)
    return WorkerSite(config, workspace, store, console)


def settings(config: Config) -> dict[str, object]:
    """What :func:`main` needs of a configuration, as JSON can hold it."""
    return {"config": config.model_dump_json(), "folder": str(config.resolve("."))}


def main() -> None:
    """Run a worker of one slot for the run that started it, see ``engine/local``."""
    given = json.load(sys.stdin)
    die_with(given.pop("parent"))
    config = Config.model_validate_json(given.pop("config"), strict=False)
    place(config, Path(given.pop("folder")))
    folder = Path(given.pop("scratch"))
    console = Console(Verbosity.QUIET)
    try:
        serve(site_of(config, folder, console), ClusterAccess(**given), 1, is_local=True)
    except FootageError as fault:
        console.warn(f"footage: {fault}")
        sys.exit(fault.exit_code)


if __name__ == "__main__":
    # Dask imports this module under its own name, not as __main__
    from pipeline.jobs.remote import main as begin

    begin()
