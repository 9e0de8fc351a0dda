"""CPU seconds of commands."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def children() -> float:
    """CPU seconds, user and system, of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_of(command: Sequence[str], folder: Path) -> float:
    """The CPU seconds that a command and its children take."""
    before = children()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return children() - before


def footage(folder: Path, *arguments: str) -> float:
    """The CPU seconds of a command of ours."""
    return cpu_of([sys.executable, "-m", "pipeline", "-q", *arguments], folder)
