"""What `footage process` costs beyond the encodes themselves.

The workload is the sample inbox.  The floor is bare FFmpeg, doing the very same encodes with
the same arguments, outside the sandbox and with nothing before or after.  CPU seconds, user
and system, of the program and all that it starts; the sandbox is Landlock here, because what
runs inside bubblewrap's process namespace is not counted for its parent.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.console import Console
from pipeline.demo import sample
from pipeline.media.ffmpeg import Door


def cpu_of(command: Sequence[str], folder: Path) -> float:
    """The CPU seconds that a command and its children take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def footage(folder: Path, *arguments: str) -> float:
    """The CPU seconds of a command of ours."""
    return cpu_of([sys.executable, "-m", "pipeline", "-q", *arguments], folder)


def encodes(folder: Path) -> list[list[str]]:
    """The encodes that the logs speak of, writing into the bench's own folder."""
    found = []
    for log in sorted((folder / "work" / "logs").iterdir()):
        for line in log.read_text("utf-8").splitlines():
            event = json.loads(line)
            if event["event"] == "program" and event["purpose"] == "encode" and not event["code"]:
                argv = event["argv"]
                found.append([f"{word}.bench" if word.endswith(".part") else word for word in argv])
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        door = Door("auto", Console())
        sample.make(folder, door, Console())
        config = folder / "config.toml"
        config.write_text(config.read_text("utf-8") + '\n[process]\nsandbox = "landlock"\n')
        footage(folder, "ingest")
        ours = footage(folder, "process")
        commands = encodes(folder)
        floor = sum(cpu_of(command, folder) for command in commands)
    print(f"process: {len(commands)} clips")
    print(f"  footage process      {ours:7.1f} s CPU")
    print(f"  bare FFmpeg          {floor:7.1f} s CPU, the same encodes")
    print(f"  ratio                {ours / floor:7.2f}")


if __name__ == "__main__":
    main()
