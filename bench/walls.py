"""What the sandbox and the judge cost, as a share of the CPU of `footage process`.

    .venv/bin/python -m bench.walls

The workload is the sample inbox.  The share of the sandbox is the extra cost of starting a
program inside it, multiplied by the number of programs that were started.  The shares of the
judge and of the readers are measured by running them again over the same clips and originals.
The whole is measured with Landlock, because the kernel does not count what runs inside
bubblewrap's process namespace for its parent; for the same reason the start of bubblewrap is
given in wall time too, as an upper bound.  Prints one JSON object.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench._cpu import children, footage
from pipeline import carriers, formats, judge
from pipeline.console import Console
from pipeline.demo import sample
from pipeline.ffmpeg.sandbox import Permissions, choose, spawn

_STARTS = 40
_PROGRAM = "/bin/true"


def start(begin: Callable[[], subprocess.Popen[bytes]]) -> tuple[float, float]:
    """CPU seconds and wall seconds of starting a program that does nothing."""
    before, clock = children(), time.perf_counter()
    for _ in range(_STARTS):
        with begin() as process:
            process.wait()
    return (children() - before) / _STARTS, (time.perf_counter() - clock) / _STARTS


def starts(reads: tuple[Path, ...]) -> dict[str, Any]:
    """The extra cost of a start in each sandbox, in milliseconds."""
    bare_cpu, bare_clock = start(lambda: subprocess.Popen([_PROGRAM]))
    figures = {}
    for wall in ("landlock", "bubblewrap"):
        command, program = choose(wall).command([_PROGRAM], Permissions(reads=reads))
        cpu, clock = start(lambda c=command, p=program: spawn(c, p))  # type: ignore[misc]
        figures[wall] = {
            "cpu_ms": round(1000 * (cpu - bare_cpu), 2),
            "clock_ms": round(1000 * (clock - bare_clock), 2),
        }
    return figures


def programs(folder: Path) -> Counter[str]:
    """The number of programs that were started, by purpose."""
    events = [
        json.loads(line)
        for log in (folder / "work" / "logs").iterdir()
        for line in log.read_text("utf-8").splitlines()
    ]
    return Counter(event["purpose"] for event in events if event["event"] == "program")


def judging(folder: Path) -> float:
    """CPU seconds of the judge over all clips and their stills."""
    before = time.process_time()
    for path in (folder / "work" / "clips").rglob("*.mp4"):
        judge.judge_mp4(path, judge.Mp4Kind.CLIP)
        judge.judge_still(path.with_suffix(".jpg"))
    return time.process_time() - before


def finding(folder: Path) -> float:
    """CPU seconds of the readers over all originals."""
    before = time.process_time()
    for path in (folder / "work" / "originals").rglob("*"):
        if path.is_file():
            carriers.find(path, formats.reader_of)
    return time.process_time() - before


def measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample.make(folder, Console())
        config = folder / "config.toml"
        config.write_text(config.read_text("utf-8") + '\n[process]\nsandbox = "landlock"\n')
        footage(folder, "ingest")
        whole = footage(folder, "process").cpu
        started = programs(folder)
        cost = starts((config,))
        judge, finder = judging(folder), finding(folder)
    walls = sum(started.values()) * cost["landlock"]["cpu_ms"] / 1000
    tight = sum(started.values()) * cost["bubblewrap"]["clock_ms"] / 1000
    return {
        "process_cpu_s": round(whole, 1),
        "programs": dict(started),
        "start": cost,
        "landlock_cpu_s": round(walls, 2),
        "bubblewrap_at_most_s": round(tight, 2),
        "judge_cpu_s": round(judge, 2),
        "finder_cpu_s": round(finder, 2),
        "share_walls_and_judge": round((max(walls, tight) + judge) / whole, 4),
        "share_with_finder": round((max(walls, tight) + judge + finder) / whole, 4),
    }


def main() -> None:
    print(json.dumps(measured(), indent=1))


if __name__ == "__main__":
    main()
