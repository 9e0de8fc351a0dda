"""All benches, one after the other: ``make bench``.

Each is a process of its own.  All of them run, also after one that failed.  The names of those that
failed come last, and the exit code is 1.
"""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections.abc import Iterable

import bench

MODES = {"faults": ("walk", "kills", "full")}  # benches that do one of several things in a run


def commands() -> list[tuple[str, ...]]:
    """The words of each bench: a module of this package, and its mode where it has several."""
    names = sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if m.name[0] != "_")
    names.append("attacks.deputies")
    return [
        (f"bench.{name}", *mode)
        for name in names
        for mode in ([(each,) for each in MODES[name]] if name in MODES else [()])
    ]


def failed(benches: Iterable[tuple[str, ...]]) -> list[str]:
    """Run benches; return those that did not exit with 0."""
    return [
        f"{' '.join(words)} (exit code {code})"
        for words in benches
        if (code := subprocess.call([sys.executable, "-m", *words]))
    ]


def main() -> int:
    names = failed(commands())
    for name in names:
        print(f"FAILED: {name}", file=sys.stderr)
    return int(bool(names))


if __name__ == "__main__":
    sys.exit(main())
