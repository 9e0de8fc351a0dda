"""Memory, disk and time of a command, with everything that it starts."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Taken:
    """Peaks of memory and disk in bytes, sampled while it ran; times in seconds."""

    code: int
    memory: int
    disk: int
    cpu_s: float
    wall_s: float
    err: str


def taken(command: list[str], folders: tuple[Path, ...] = (), every_s: float = 0.03) -> Taken:
    """Run a command to its end and measure it.

    :param folders: their files count as disk.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = os.times().elapsed
    peaks = [0, 0]
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(every_s):
            peaks[0] = max(peaks[0], sum(map(_resident, _family(process.pid))))
            peaks[1] = max(peaks[1], sum(map(size, folders)))

    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        watcher = threading.Thread(target=sample)
        watcher.start()
        _, err = process.communicate()
        ended.set()
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(process.returncode, peaks[0], peaks[1], cpu, os.times().elapsed - begun, err)


def size(folder: Path) -> int:
    """The bytes of all files below a folder that may change meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += Path(place, name).lstat().st_size
    return total


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _family(int(child))
    except (FileNotFoundError, ProcessLookupError):
        return


def _resident(pid: int) -> int:
    """Memory that is its own; pages of a file do not count, they can be read again."""
    try:
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return 0
    return (resident - shared) * resource.getpagesize()
