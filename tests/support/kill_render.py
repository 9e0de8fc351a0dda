"""Renders in its own process, which dies midway: ``-m support.kill_render CONFIG WHERE NTH``.

*WHERE* names a step of the work and whether to die before or after it; or it is "at", and
*NTH* the moment in milliseconds after the start of the work.

It dies by SIGKILL, so nothing is cleaned up.
"""

from __future__ import annotations

import sys
from typing import Any

from pipeline import cli, publishing
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger.runs import Runs
from pipeline.render import join
from support.kill_ingest import arm

STEPS: dict[str, tuple[Any, str]] = {
    "publish": (publishing, "publish"),
    "program": (FfmpegRunner, "run"),
    "join": (join, "_join"),
    "record": (Runs, "record_montage"),
}


def main() -> None:
    path = arm(STEPS)
    sys.argv = ["footage", "render", "--quiet", "--config", str(path)]
    cli.main()


if __name__ == "__main__":
    main()
