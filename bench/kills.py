"""Kills a render at twenty instants: the old or the new montage is whole, and nothing is left.

The instants are spread evenly from the start of a render to its end.

.venv/bin/python -m bench.kills [INSTANTS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from test_render import changed, killed


def main() -> None:
    instants = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        change = changed(Path(name) / "change")
        most, tries = 400.0, 0
        while killed(change, Path(name) / f"span-{tries}", "at", round(most)):
            most, tries = most * 1.15, tries + 1
        died = 0
        for number in range(instants):
            at = round(most * (number + 1) / (instants + 1))
            died += killed(change, Path(name) / f"{number:02}", "at", at)
    print(f"kills: {instants} instants up to {most:.0f} ms, {died} while it ran; each time the")
    print("  montage was the old one or the new one whole, and nothing was left behind")


if __name__ == "__main__":
    main()
