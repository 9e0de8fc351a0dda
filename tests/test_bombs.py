"""Mails that are made to cost much: each has its row or note, and the mail beside it comes in."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bombs import BOMBS
from support.ingest_scene import IngestScene, jpeg, mail, sha

from pipeline.ledger import Ledger

SMALL = 400  # repetitions: the work is bounded by counts, so a small bomb takes the same way


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_its_neighbour_nothing(tmp_path: Path, name: str) -> None:
    bomb, count = BOMBS[name]
    (tmp_path / "mails").mkdir()
    with (tmp_path / "mails" / "1.eml").open("wb") as file:
        file.writelines(bomb(min(count, SMALL if count > 3_000 else 50)))
    (tmp_path / "mails" / "2.eml").write_bytes(mail(("a.jpg", jpeg())).as_bytes())
    scene = IngestScene.at(tmp_path, "eml:mails")
    scene.ingest()
    with Ledger(scene.workspace.ledger) as ledger:
        assert len(ledger.intake.submissions()) == 2
    assert sha(jpeg()) in {item.sha256 for item in scene.attachments()}
    assert not list(scene.workspace.root.rglob("*.part"))
