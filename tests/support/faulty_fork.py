"""Runs ``footage`` many times in forked processes, each with a fault of its own.

``python -m support.faulty_fork`` imports the program once and then forks for each line of its
standard input, so that a run costs little.  What a run leaves behind becomes a child of this
process, which so sees whether a program outlives its run.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from pipeline import (
    __main__,  # noqa: F401 - it holds signals back, as the command does
    cli,
    config,
)
from pipeline.commands import announcing, nightly, render, repair, session, verify
from pipeline.errors import FootageError
from pipeline.ffmpeg import runner, sandbox
from pipeline.notices import deliver
from pipeline.process import batch
from support import command_scene, faulty_doors
from support.faulty_doors import Fault
from support.faulty_run import Kill, Plan, RunEnd
from support.waiting import HANG_S, below

# loaded before the forks
LOADED = (announcing, batch, deliver, nightly, render, repair, session, verify)
LONGEST_LIFE_S = 1.0  # of a program whose run was killed
_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Fork for each plan, and say how its run ended."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with suppress(FootageError):
        sandbox.choose("auto")  # tried once, and not in each run
    runner.build()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        values = json.loads(line)
        fault, kill = Fault(**values["fault"]), Kill(**values["kill"])
        others = values["trace"], values["chunk_s"]
        plan = Plan(tuple(values["arguments"]), fault, kill, *others)
        child = os.fork()
        if child == 0:
            _run(plan)
        sys.stdout.write(json.dumps(asdict(_attend(child, plan.kill))) + "\n")
        sys.stdout.flush()


def _run(plan: Plan) -> NoReturn:
    """Do the plan's run in this process, which ends with it."""
    code = 70
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1):
            os.dup2(null, number)
        os.setsid()
        path = Path(plan.arguments[-1])
        if plan.fault.door or plan.trace:
            config.load(path)  # what it reads is no point
            faulty_doors.wrap(plan.fault, f"{path.parent}/", plan.trace)
        if plan.chunk_s:
            command_scene.in_chunks(plan.chunk_s)
        sys.argv = ["footage", *plan.arguments]
        cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 70
    finally:
        os._exit(code)


def _attend(run: int, kill: Kill) -> RunEnd:
    """Wait for a run, and kill it or one of its programs when it is time."""
    begun = killed = time.monotonic()
    struck = False
    handle = os.pidfd_open(run)
    try:
        if kill.victim and not select.select([handle], [], [], kill.at_ms / 1000)[0]:
            killed = time.monotonic()
            struck = _strike(run, kill)
        if not select.select([handle], [], [], HANG_S)[0]:
            _strike(run, Kill(victim="group"))
        ended = time.monotonic()
    finally:
        os.close(handle)
    _, status = os.waitpid(run, 0)
    return RunEnd(
        os.waitstatus_to_exitcode(status), ended - begun, ended - killed, _outlived(), struck
    )


def _strike(run: int, kill: Kill) -> bool:
    """Send the signal; whether there was anything to send it to."""
    programs = below(run)
    if kill.victim == "program":
        victims = [programs[kill.at_ms % len(programs)]] if programs else []
    else:
        victims = [*programs, run] if kill.victim == "group" else [run]
    number = signal.SIGTERM if kill.victim == "stop" else signal.SIGKILL
    for victim in victims:
        with suppress(ProcessLookupError):
            os.kill(victim, number)
    return bool(victims)


def _outlived() -> int:
    """Wait for all that a run left behind; how much of it did not end in time."""
    until = time.monotonic() + LONGEST_LIFE_S
    left = 0
    while children := below(os.getpid()):
        with suppress(OSError):
            handle = os.pidfd_open(children[0])
            try:
                seconds = max(0.0, until - time.monotonic())
                if not select.select([handle], [], [], seconds)[0]:
                    left += 1
                    os.kill(children[0], signal.SIGKILL)
            finally:
                os.close(handle)
        with suppress(ChildProcessError):
            os.waitpid(children[0], 0)
    return left


if __name__ == "__main__":
    main()
