"""What surrounds every command that works: the lock, the log, the exit code."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import FootageError
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.model import Status
from pipeline.run import Run
from pipeline.workspace import Workspace, hold, sweep

EXIT_CLIP_FAILED = 3

Step = Callable[[Run], dict[str, Any]]


def execute(
    config: Config, console: Console, command: str, step: Step
) -> tuple[int, dict[str, Any]]:
    """Run one command with the workspace in hand; the exit code and its facts.

    :raises FootageError: what ended the command early; it stands in the ledger already.
    """
    workspace = Workspace(config.root)
    with (
        hold(workspace),
        Ledger(workspace.ledger) as ledger,
        _logged(console, workspace) as run_id,
    ):
        swept = sweep(workspace)
        if swept:
            console.event("swept", files=swept)
        ledger.runs.start(run_id, command)
        runner = FfmpegRunner(config.process.sandbox, console)
        run = Run(config, ledger, workspace, runner, console)
        try:
            facts = step(run)
        except BaseException as error:
            code = error.exit_code if isinstance(error, FootageError) else 1
            ledger.runs.end(run_id, code, {"error": type(error).__name__})
            raise
        finally:
            runner.close()
            # a program whose run was killed just as it started may have written since
            sweep(workspace)
        failed = sum(row.status is Status.FAILED for row in ledger.clips.rows())
        code = EXIT_CLIP_FAILED if failed else 0
        ledger.runs.end(run_id, code, facts)
        if failed:
            console.warn(f"{failed} clips failed; see the report, then: footage retry")
        return code, facts


@contextmanager
def _logged(console: Console, workspace: Workspace) -> Iterator[str]:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    run = f"{moment}-{secrets.token_hex(3)}"
    console.open_log(workspace.logs / f"{run}.jsonl")
    try:
        yield run
    finally:
        console.close()
