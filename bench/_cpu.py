"""CPU and wall time of commands."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = str(Path(__file__).parents[1])


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU, user and system, with all children, and of wall time."""

    cpu: float
    wall: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cpu + other.cpu, self.wall + other.wall)


def children() -> float:
    """CPU seconds, user and system, of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cost_of(command: Sequence[str | Path], folder: Path) -> Cost:
    """Run a command; the cost includes everything that it starts."""
    before, begun = children(), time.monotonic()
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": _HERE},
    )
    return Cost(children() - before, time.monotonic() - begun)


def footage(folder: Path, *arguments: str) -> Cost:
    """Run one of our commands."""
    return cost_of([sys.executable, "-m", "pipeline", "-q", *arguments], folder)


def side_by_side(commands: Sequence[Sequence[str]]) -> float:
    """Seconds of wall time in which programs that start together have all ended."""
    begun = time.monotonic()
    for program in [subprocess.Popen(command) for command in commands]:
        if program.wait():
            raise subprocess.CalledProcessError(program.returncode, program.args)
    return time.monotonic() - begun
