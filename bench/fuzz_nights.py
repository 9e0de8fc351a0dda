"""Nights of mutated media: `footage run` on files that were damaged at random.

    .venv/bin/python -m bench.fuzz_nights [NIGHTS [SEED]] [--files DIR]

Each night brings a hundred new files into one drop folder (``bench.fuzz.mutated``).  They come
from the corpus of carriers and from the files below 1 MB in DIR.  After each night every file must
have its row, no row may be ``failed``, and no temporary file may be left.  A night that takes more
than an hour ends the bench.  Prints one JSON object; exits 1 if there were faults.  A fault names
its seed, which makes the file again.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from support.planted import corpus
from support.planted.place import Place

from bench._campaign import DROP
from bench.fuzz import mutated

CONFIG = (
    DROP
    + """\
[process]
still_seconds = 0.5
still_motion = "none"
[review]
required = false
[[output]]
name = "small"
size = "320x180"
fps = 25
quality = "draft"
"""
)
_FILES = 100
_HOUR = 3600


@dataclass
class Nights:
    """What became of the files, counted, and what went wrong."""

    files: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    slowest_seed: int = -1
    faults: list[str] = field(default_factory=list)


def seconds_of(log: Path) -> Iterator[tuple[str, float]]:
    """The file that each program of a night worked on, and its seconds."""
    for line in log.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "program":
            for word in event["argv"]:
                parts = Path(word.removeprefix("file:")).parts
                if "originals" in parts:
                    yield parts[-1], float(event["seconds"])
                    break


def night(folder: Path, files: list[bytes], seeds: range, nights: Nights) -> None:
    """Run one night of new files, and look at what it left."""
    drop = folder / "drop"
    seed_of: dict[str, int] = {}
    for old in drop.iterdir():
        old.unlink()
    for seed in seeds:
        data = mutated(files, Random(seed))
        seed_of.setdefault(hashlib.sha256(data).hexdigest(), seed)
        (drop / f"mutated-{seed}.bin").write_bytes(data)
    command = [sys.executable, "-m", "pipeline", "-q", "run"]
    ended = subprocess.run(
        command, cwd=folder, timeout=_HOUR, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        nights.faults.append(f"{seeds}: exit {ended.returncode}: {ended.stderr[-500:]}")
    rows = json.loads((folder / "work/report/report.json").read_text())["clips"]
    fresh = [row for row in rows if row["sha256"] in seed_of]
    missing = seed_of.keys() - {row["sha256"] for row in fresh}
    nights.faults += [f"seed {seed_of[sha]}: no row" for sha in missing]
    for row in fresh:
        code = row["reason"]["code"] if row["reason"] else row["status"]
        nights.ends[code] += 1
        if row["status"] in ("failed", "pending"):
            nights.faults.append(f"seed {seed_of[row['sha256']]}: {row['status']}, {code}")
    left = [str(path) for path in (folder / "work").rglob("*.part")]
    nights.faults += [f"{seeds}: left behind: {path}" for path in left]
    spent: dict[str, float] = {}
    for sha, seconds in seconds_of(max((folder / "work/logs").iterdir())):
        spent[sha] = spent.get(sha, 0.0) + seconds
    for sha, seconds in spent.items():
        if seconds > nights.slowest_s and sha in seed_of:
            nights.slowest_s, nights.slowest_seed = round(seconds, 2), seed_of[sha]
    nights.files += len(seeds)


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    files = [planted.plant(Place.number(index)) for index, planted in enumerate(corpus())]
    if "--files" in sys.argv:
        more = Path(words.pop())
        files += [
            path.read_bytes()
            for path in sorted(more.rglob("*"))
            if path.is_file() and 0 < path.stat().st_size < 1_000_000
        ]
    numbers = [int(word) for word in words]
    count, seed = (*numbers, *(1, 0)[len(numbers) :])
    nights = Nights()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "drop").mkdir()
        (folder / "config.toml").write_text(CONFIG)
        for number in range(count):
            begin = seed + number * _FILES
            night(folder, files, range(begin, begin + _FILES), nights)
            print(f"night {number + 1}: {dict(nights.ends)}", file=sys.stderr, flush=True)
    print(
        json.dumps(
            {
                "nights": count,
                "files": nights.files,
                "ends": dict(nights.ends),
                "slowest_s": nights.slowest_s,
                "slowest_seed": nights.slowest_seed,
                "faults": nights.faults,
            },
            indent=1,
        )
    )
    if nights.faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
