"""Kills a render at twenty instants: the old montage is whole or the new one, nothing is left.

They are spread evenly from its start to where it is no more to be killed, since it has ended.

.venv/bin/python -m bench.kills [INSTANTS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

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
