"""Runs ingest in its own process, which dies midway: ``kill_ingest.py CONFIG WHERE NTH``.

*WHERE* names a step of the work and whether to die before or after it; or it is "at", and
*NTH* the moment in milliseconds.  It dies by SIGKILL, so nothing is cleaned up.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import config as configuration
from pipeline import publishing
from pipeline.console import Console, Verbosity
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ingest import imap, stage, wire
from pipeline.ingest.session import Session
from pipeline.ingest.taking import Taking
from pipeline.ledger import Ledger
from pipeline.ledger.connection import Connection
from pipeline.ledger.intake import Intake
from pipeline.run import Run
from pipeline.store import WorkspaceFolder
from pipeline.workspace import Workspace, hold, sweep

STEPS: dict[str, tuple[Any, str]] = {
    "piece": (Session, "piece"),
    "asked": (wire, "send"),  # of the process that takes mails apart
    "taken": (Taking, "take"),
    "publish": (publishing, "publish_open"),
    "record": (Intake, "record_mail"),
    "row": (Connection, "insert"),
    "filed": (Intake, "set_filed"),
    "move": (Session, "move"),
    "copy": (Session, "_copy"),
    "mark": (Session, "_mark_deleted"),
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wrap(owner: Any, name: str, when: str, nth: int) -> None:
    inner: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def wrapped(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and when == "before":
            die()
        result = inner(*args, **options)
        if calls == nth and when == "after":
            die()
        return result

    setattr(owner, name, wrapped)


def arm(steps: dict[str, tuple[Any, str]]) -> Path:
    """Prepare the death that the arguments name; return the path of the config."""
    path, where, nth = sys.argv[1:]
    if where == "at":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, int(nth) / 1000)
    else:
        when, step = where.split("-")
        wrap(*steps[step], when, int(nth))
    return Path(path)


def main() -> None:
    path = arm(STEPS)
    imap.PIECE = 5000
    config = configuration.load(path)
    workspace = Workspace(config.root)
    with hold(workspace), Ledger(workspace.ledger) as ledger:
        sweep(workspace)
        console = Console(Verbosity.QUIET)
        store = WorkspaceFolder(workspace)
        stage.run(Run(config, ledger, workspace, FfmpegRunner("none", console), console, store))


if __name__ == "__main__":
    main()
