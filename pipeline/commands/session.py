"""What every command that works on the workspace shares: the lock, the log, the exit code."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from pipeline import __version__
from pipeline.commands.ending import Ending, Facts
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import InternalError, LedgerError, named
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.model import Status
from pipeline.run import Run
from pipeline.workspace import Workspace, hold, sweep

EXIT_CLIP_FAILED = 3

Step = Callable[[Run], Facts]


def execute(config: Config, console: Console, command: str, step: Step) -> Ending:
    """Run one command while this process holds the workspace.

    :raises FootageError: the command could not finish; the log and the ledger hold the sentence.
    """
    workspace = Workspace(config.root)
    with hold(workspace), Ledger(workspace.ledger) as ledger, _log(console, workspace) as run_id:
        swept = sweep(workspace)
        console.event("run-begun", run=run_id, command=command, version=__version__)
        if swept:
            console.event("swept", files=swept)
        ledger.runs.start(run_id, command)
        runner = FfmpegRunner(config.process.sandbox, console)
        try:
            facts = step(Run(config, ledger, workspace, runner, console))
            clips = sum(row.status is Status.FAILED for row in ledger.clips.rows())
        except BaseException as error:
            fault = named(error)
            # the disk may be full, or the ledger may be what failed: the first error counts
            with contextlib.suppress(OSError, LedgerError):
                if isinstance(fault, InternalError):
                    console.event("internal", trace=fault.trace)
                console.event("run-ended", exit_code=fault.exit_code, error=str(fault))
            with contextlib.suppress(OSError, LedgerError):
                ledger.runs.end(run_id, fault.exit_code, {"error": str(fault)})
            raise fault from error
        finally:
            runner.close()
            # a program whose run was killed just as it started may have written since
            sweep(workspace)
        code = EXIT_CLIP_FAILED if clips else 0
        ledger.runs.end(run_id, code, facts)
        said = None
        if clips:
            said = f"{clips} clips failed; see the report, then: footage retry"
            console.warn(said)
        console.event("run-ended", exit_code=code, error=said)
        return Ending(code, facts)


@contextmanager
def _log(console: Console, workspace: Workspace) -> Iterator[str]:
    """Open the run's log, and give the name of the run."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    run_id = f"{moment}-{secrets.token_hex(3)}"
    console.open_log(workspace.logs / f"{run_id}.jsonl")
    try:
        yield run_id
    finally:
        console.close()
