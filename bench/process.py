"""What `footage process` costs, compared with bare encodes and with MoviePy.

    FOOTAGE=DIR .venv/bin/python -m bench.process [SIZE [FOLDER]] [--moviepy]

Mixed films and photos (``bench._footage``), one output at "standard".  The baseline is bare
FFmpeg with commands written by hand (``bench._bare``): one after the other, outside the sandbox,
with no check before or after.  CPU is user and system time of a program and of all that it
starts.  The sandbox is Landlock here, because the kernel does not count what runs inside
bubblewrap's process namespace for its parent.  Allowed: 1.10 times the CPU of the baseline; 1.8
times less wall time than one worker on one core (FFmpeg uses more threads than it is told to,
so one worker alone is not one thread); MoviePy takes at least 2.5 times our CPU.  FOLDER is kept
and used again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from bench import _bare, _footage
from bench._cpu import Cost, cost_of, footage
from pipeline.config import Config, load
from pipeline.ledger import Ledger
from pipeline.media import caption
from pipeline.model import ClipResult
from pipeline.workspace import Workspace

CONFIG = """
[campaign]
name = "River Week 2026"
hashtags = ["#RiverWeek", "#HoldASign"]
[inbox]
url = "folder:drop"
[process]
sandbox = "landlock"
workers = {workers}
[review]
required = false
[[output]]
name = "bench"
size = "{size}"
fps = 30
"""


def processed(
    folder: Path, size: str, workers: int, cores: Collection[int] = ()
) -> tuple[Cost, Config]:
    """Measure `footage process` for all files in ``drop``, in a fresh workspace.

    :param cores: the cores that it may use; empty for all.
    """
    (folder / "config.toml").write_text(CONFIG.format(size=size, workers=workers))
    subprocess.run(["rm", "-rf", str(folder / "work")], check=True)
    footage(folder, "ingest")
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores or mine)
    try:
        cost = footage(folder, "process")
    finally:
        os.sched_setaffinity(0, mine)
    return cost, load(folder / "config.toml")


def made(config: Config) -> list[tuple[Path, ClipResult]]:
    """The originals that became clips, with their outcomes."""
    workspace = Workspace(config.root)
    with Ledger(workspace.ledger) as ledger:
        clips = ledger.clips.results().values()
        return [(workspace.original(c.sha256), c) for c in clips if c.outputs]


def floor(folder: Path, config: Config, clips: Sequence[tuple[Path, ClipResult]]) -> Cost:
    """Measure bare FFmpeg for the same clips."""
    output = config.output[0]
    total = Cost(0.0, 0.0)
    for original, result in clips:
        source = result.source
        strip = caption.strip(folder, result.caption, (output.width, output.height))
        assert source is not None
        assert strip is not None
        bare = _bare.BareClip(
            source=original,
            width=source.width,
            height=source.height,
            sound=source.audio_codec is not None,
            photo=source.duration_s is None,
            frames=result.outputs[0].frames,
            strip=strip.path,
            at=(strip.x, strip.y),
        )
        command = _bare.command(bare, (output.width, output.height), output.fps, folder / "f.mp4")
        total += cost_of(command, folder)
    return total


def row(name: str, cost: Cost, note: str = "") -> None:
    print(f"  {name:28} {cost.cpu:8.1f} s CPU {cost.wall:8.1f} s wall  {note}")


def main() -> None:
    arguments = [word for word in sys.argv[1:] if not word.startswith("--")]
    size = arguments[0] if arguments and "x" in arguments[0] else "1920x1080"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(arguments[1] if len(arguments) > 1 else name)
        _footage.make(folder / "drop")
        slow, _ = processed(folder, size, 1, [min(os.sched_getaffinity(0))])
        alone, _ = processed(folder, size, 1)
        ours, config = processed(folder, size, 0)
        clips = made(config)
        seconds = sum(result.outputs[0].duration_s for _, result in clips)
        print(f"process: {len(clips)} clips, {seconds:.0f} s at {size}")
        bare = floor(folder, config, clips)
        row("bare FFmpeg", bare, "one after the other")
        row("footage process", ours, f"{ours.cpu / bare.cpu:.3f} of bare FFmpeg (1.10)")
        row("one worker", alone, f"{alone.wall / ours.wall:.2f} times the wall time")
        row("one worker, one core", slow, f"{slow.wall / ours.wall:.2f} times the wall time (1.8)")
        if "--moviepy" in sys.argv:
            whole = ours + footage(folder, "render")
            theirs = cost_of([sys.executable, "-m", "bench._moviepy", str(folder), size], folder)
            row("footage process and render", whole)
            row("MoviePy", theirs, f"{theirs.cpu / whole.cpu:.2f} times our CPU (2.5)")


if __name__ == "__main__":
    main()
