"""A night without new footage: nothing is started, nothing made; ``bench.idle`` has the cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support.command_scene import footage
from support.ledger_scene import LedgerScene, attachment, result, settings

from pipeline.ledger import Ledger
from pipeline.model import Review
from pipeline.process import recipe, stage
from pipeline.store import WorkspaceFolder
from pipeline.workspace import Workspace

CLIPS = 1000


def finished(folder: Path, count: int) -> Workspace:
    """A workspace with *count* clips that are as they must be."""
    config = settings(folder)
    workspace = Workspace(config.root)
    workspace.create()
    with Ledger(workspace.ledger) as ledger, ledger.transaction():
        campaign = LedgerScene(ledger, workspace)
        names = [f"clip {number}" for number in range(count)]
        for at in range(0, count, 5):
            campaign.mail(*(attachment(n, p) for p, n in enumerate(names[at : at + 5])))
        items = {item.sha256: (item, mail) for item, mail in ledger.clips.candidates()}
        for number, name in enumerate(names):
            made = result(name)
            item, mail = items[made.sha256]
            wanted = recipe.choose(config, item, mail, Review())
            marks = " ".join(
                f"{number * 0x9E3779B97F4A7C15 * n % (1 << 64):016x}" for n in (1, 2, 3, 5)
            )
            outputs = (replace(made.outputs[0], marks=marks),)
            ledger.clips.record(replace(made, recipe=wanted.key, outputs=outputs))
            clip = workspace.clip(made.sha256, "landscape")
            clip.parent.mkdir(parents=True)
            clip.touch()
            workspace.original(made.sha256).parent.mkdir(parents=True, exist_ok=True)
            workspace.original(made.sha256).touch()
        assert stage.plan(config, ledger, WorkspaceFolder(workspace).holds).missing == ()
    return workspace


def test_nothing_is_started_for_a_thousand_finished_clips(tmp_path: Path) -> None:
    workspace = finished(tmp_path, CLIPS)
    said = footage("process", "--config", str(tmp_path / "config.toml"))
    assert said.code == 0
    assert "0 clips made, 0 refused, 0 failed" in said.err
    (log,) = workspace.logs.iterdir()
    assert '"event": "program"' not in log.read_text()
