"""A night without new footage: nothing is started, and it is over at once."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from synthetic import Campaign, attachment, result, settings

from pipeline.files import Workspace
from pipeline.ledger import Ledger
from pipeline.model import Review
from pipeline.process import recipe, stage

CLIPS = 1000
ALLOWED_CPU_S = 1.0


def finished(folder: Path, count: int) -> Workspace:
    """A workspace with *count* clips that are as they must be."""
    config = settings(folder)
    workspace = Workspace(config.root)
    workspace.create()
    with Ledger(workspace.ledger) as ledger:
        campaign = Campaign(ledger, workspace)
        ledger._db.execute("PRAGMA synchronous = OFF")  # the test's own disk may be lazy
        names = [f"clip {number}" for number in range(count)]
        for at in range(0, count, 5):
            campaign.mail(*(attachment(n, p) for p, n in enumerate(names[at : at + 5])))
        items = {item.sha256: (item, mail) for item, mail in ledger.firsts()}
        for number, name in enumerate(names):
            made = result(name)
            item, mail = items[made.sha256]
            wanted = recipe.choose(config, item, mail, Review())
            marks = " ".join(
                f"{number * 0x9E3779B97F4A7C15 * n % (1 << 64):016x}" for n in (1, 2, 3, 5)
            )
            outputs = (replace(made.outputs[0], marks=marks),)
            ledger.record_clip(replace(made, recipe=wanted.key, outputs=outputs))
            clip = workspace.clip(made.sha256, "landscape")
            clip.parent.mkdir(parents=True)
            clip.touch()
            workspace.original(made.sha256).parent.mkdir(parents=True, exist_ok=True)
            workspace.original(made.sha256).touch()
        assert stage.plan(config, ledger, workspace).missing == ()
    return workspace


def test_a_thousand_finished_clips_cost_less_than_a_second(tmp_path: Path) -> None:
    workspace = finished(tmp_path, CLIPS)
    command = [sys.executable, "-m", "pipeline", "process", "--config"]
    command += [str(tmp_path / "config.toml")]
    used = []
    for _ in range(2):  # the first may compile what it imports
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = subprocess.run(
            command, check=True, capture_output=True, text=True, env=os.environ | {"PWD": "/"}
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert "0 clips made, 0 refused, 0 failed" in said.stderr
    logged = "".join(path.read_text() for path in workspace.logs.iterdir())
    assert '"event": "program"' not in logged
    assert min(used) <= ALLOWED_CPU_S, used
