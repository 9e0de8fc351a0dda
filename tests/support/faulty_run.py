"""Runs ``footage`` many times, each with a fault of its own: the plans, and who has them done.

:mod:`support.faulty_fork` does them in another process, so that nothing here is wrapped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from support.faulty_doors import Fault

_MOUNT = 'mount -t tmpfs -o size={size} tmpfs "$1"; shift; exec "$@"'


@dataclass(frozen=True)
class Kill:
    """A signal from outside after ``at_ms``.

    ``victim``: "alone" or "group", the coordinator without or with its programs; "program", one of
    those; "stop", SIGTERM to the coordinator.
    """

    at_ms: int = 0
    victim: str = ""


@dataclass(frozen=True)
class Plan:
    """One run: the arguments of ``footage``, the last of them the config, and what goes wrong.

    ``trace`` is a file that gets a line for each use of a door.  ``chunk_s``: how long the chunks
    of a long film are in seconds; 0: as they are by default.
    """

    arguments: tuple[str, ...]
    fault: Fault = field(default_factory=Fault)
    kill: Kill = field(default_factory=Kill)
    trace: str = ""
    chunk_s: int = 0


@dataclass(frozen=True)
class RunEnd:
    """How a run ended: its exit code or minus the signal, its seconds, those after the signal.

    ``left``: programs that outlived it by more than a second.  ``struck``: whether the kill came
    before its end.
    """

    code: int
    seconds: float
    after_s: float
    left: int
    struck: bool


class FaultyRuns:
    """The process that forks, from construction to :meth:`stop`."""

    def __init__(self, log: Path, disk: Path | None = None, size: int = 0) -> None:
        """*disk*: a folder that is a disk of its own for the runs, with *size* bytes."""
        command = [sys.executable, "-m", "support.faulty_fork"]
        if disk is not None:
            apart = ("unshare", "--user", "--map-root-user", "--mount")
            command = [*apart, "sh", "-ec", _MOUNT.format(size=size), "sh", str(disk), *command]
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", log.read_text()

    def seen(self, path: Path) -> Path:
        """Where this process finds what the runs have at *path*."""
        return Path(f"/proc/{self._process.pid}/root{path}")

    def run(self, plan: Plan) -> RunEnd:
        """Run the plan, and say how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(plan)) + "\n")
        self._process.stdin.flush()
        return RunEnd(**json.loads(self._process.stdout.readline()))

    def stop(self) -> None:
        """End it."""
        self._process.communicate()
        self._log.close()
