"""Kills a render at twenty instants: the old montage is whole or the new one, nothing is left.

.venv/bin/python -m bench.kills [INSTANTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from test_render import changed, killed


def main() -> None:
    instants = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        change = changed(Path(name) / "change")
        begun = time.monotonic()
        killed(change, Path(name) / "whole", "before-record", 1)
        # two starts of Python and two renders lie in it; half of one is the render itself
        most = (time.monotonic() - begun) / 3 * 1000
        died = 0
        for number in range(instants):
            at = round(most * (number + 1) / (instants + 1))
            died += killed(change, Path(name) / f"{number:02}", "at", at)
    print(f"kills: {instants} instants up to {most:.0f} ms, {died} while it ran; each time the")
    print("  montage was the old one or the new one whole, and nothing was left behind")


if __name__ == "__main__":
    main()
