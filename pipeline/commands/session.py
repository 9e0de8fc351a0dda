"""What every command that works on the workspace shares: the lock, the log, the exit code."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from pipeline import __version__, places
from pipeline.commands import older_ledger, shown
from pipeline.commands.ending import Ending, Facts
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import DiskFull, FootageError, InternalError, LedgerError, named
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.history import RUN_ID
from pipeline.ledger import Ledger, heads
from pipeline.model import Status
from pipeline.run import Run
from pipeline.store.opening import open_store
from pipeline.store.remote import BucketStore
from pipeline.workspace import Workspace, hold, sweep

EXIT_CLIP_FAILED = 3
# they name each kept event that the chain does not have
_FIND_OLDER_LEDGER = ("verify", "doctor")
# they make clips and films, so films that they leave as they were may be out of date
_MAKE_FILMS = ("run", "process", "render")

CommandStep = Callable[[Run], Facts]


def execute(config: Config, console: Console, command: str, step: CommandStep) -> Ending:
    """Run one command while this process holds the workspace.

    :raises FootageError: the command could not finish; the log and the ledger hold the sentence.
    """
    workspace = Workspace(config.root)
    with hold(workspace), _log(console, workspace) as run_id:
        console.event("run-begun", run=run_id, command=command, version=__version__)
        try:
            with (
                Ledger(workspace.ledger) as ledger,
                _programs(config, console, workspace) as ffmpeg,
            ):
                if command not in _FIND_OLDER_LEDGER:
                    older_ledger.warn_if_older(workspace, ledger, console)
                # recorded before the store is opened: that may fail, or take its time
                with (
                    contextlib.ExitStack() as at_end,
                    _recorded(workspace, ledger, run_id, command),
                ):
                    store = open_store(config, workspace, is_move=command == "move")
                    run = Run(config, ledger, workspace, ffmpeg, console, store)
                    if command in _MAKE_FILMS:
                        at_end.callback(_warn_of_films, run)
                    ending = _do(run, run_id, step)
        except BaseException as error:
            fault = named(error)
            with contextlib.suppress(OSError):  # the disk may be full: the first error counts
                if isinstance(fault, InternalError):
                    console.event("internal", trace=fault.trace)
                console.event("run-ended", exit_code=fault.exit_code, error=_sentence(fault))
            raise fault from error
        warning = None
        if ending.exit_code == EXIT_CLIP_FAILED:
            warning = "some clips failed; see the report, then: footage retry"
            console.warn(warning)
        console.event("run-ended", exit_code=ending.exit_code, error=warning)
        return ending


@contextmanager
def _recorded(workspace: Workspace, ledger: Ledger, run_id: str, command: str) -> Iterator[None]:
    """Write the beginning of a run into the ledger, and its ending if it can't finish."""
    ledger.runs.start(run_id, command)
    try:
        yield
    except BaseException as error:
        fault = named(error)
        facts = {"error": _sentence(fault), **fault.facts}
        with contextlib.suppress(LedgerError, DiskFull):  # the first error counts
            _note_seen(workspace, ledger, run_id)
            ledger.runs.end(run_id, fault.exit_code, facts)
        raise fault from error


def _do(run: Run, run_id: str, step: CommandStep) -> Ending:
    """Do the step, and write its ending into the ledger."""
    facts = step(run)
    failed = any(row.status is Status.FAILED for row in run.ledger.clips.rows())
    if isinstance(run.store, BucketStore):
        run.console.event("store", **asdict(run.store.traffic))
    run.console.event("custody", head=str(run.ledger.chain.head()))
    ending = Ending(EXIT_CLIP_FAILED if failed else 0, facts)
    _note_seen(run.workspace, run.ledger, run_id)
    run.ledger.runs.end(run_id, ending.exit_code, facts)
    return ending


def _warn_of_films(run: Run) -> None:
    """Name the films that are out of date, also after a run that failed."""
    with contextlib.suppress(FootageError, OSError):  # the first error counts
        shown.warn(run)


def _note_seen(workspace: Workspace, ledger: Ledger, run_id: str) -> None:
    """Record which kept heads are in the chain, if the records of other runs can be read."""
    with contextlib.suppress(LedgerError, DiskFull):  # all logs are read again then
        heads.note_seen(workspace, ledger, run_id)


def _sentence(fault: FootageError) -> str:
    """An error's sentence as the log and the ledger keep it: it may name a file of a sender."""
    return places.masked(str(fault))


@contextmanager
def _programs(config: Config, console: Console, workspace: Workspace) -> Iterator[FfmpegRunner]:
    """Give the runner of programs, and sweep up what programs of killed runs left behind."""
    swept = sweep(workspace)
    if swept.count:
        console.event("swept", files=swept.count)
    _warn(console, swept.stuck)
    runner = FfmpegRunner(config.process.sandbox, console)
    try:
        yield runner
    finally:
        runner.close()
        # a program whose run was killed just as it started may have written since
        _warn(console, set(sweep(workspace).stuck) - set(swept.stuck))


def _warn(console: Console, stuck: Iterable[Path]) -> None:
    """Name what can't be deleted."""
    for path in stuck:
        console.warn(f"what a program left can't be deleted: {path}; please delete it")


@contextmanager
def _log(console: Console, workspace: Workspace) -> Iterator[str]:
    """Open the run's log, and give the run's name: its first moment, so that names sort by time."""
    run_id = datetime.now(UTC).strftime(RUN_ID)
    console.open_log(workspace.logs / f"{run_id}.jsonl")
    try:
        yield run_id
    finally:
        console.close()
