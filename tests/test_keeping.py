"""What is kept for a case stays whatever its age, and is deleted only by somebody who means it."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.command_scene import CommandScene, begin, config

from pipeline.history import EventKind
from pipeline.ledger import Ledger

WHY = "case 17/2026: request of Maria"
TEXTS = {"one": b"the words of one", "two": b"other words"}
ONE, TWO = (hashlib.sha256(data).hexdigest() for data in TEXTS.values())


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """Two mails, whose files are not media, so nothing has to be made of them; they are old."""
    mails = {name: {f"{name}.txt": data} for name, data in TEXTS.items()}
    made = begin(tmp_path_factory.mktemp("scene"), mails, config())
    assert made.footage("ingest").code == 0
    with closing(sqlite3.connect(made.work / "ledger.db")) as database, database:
        database.execute("UPDATE original SET stored_at = '2026-01-01T00:00:00Z'")
    return made


@pytest.fixture
def scene(taken_in: CommandScene, tmp_path: Path) -> CommandScene:
    shutil.copytree(taken_in.folder, tmp_path, dirs_exist_ok=True)
    return CommandScene(tmp_path)


def originals(scene: CommandScene) -> set[str]:
    return {path.name for path in (scene.work / "originals").rglob("*") if path.is_file()}


def test_a_purge_leaves_what_is_kept_and_says_so(scene: CommandScene) -> None:
    assert scene.footage("keep", ONE[:8], "--why", WHY, "--by", "Ana").code == 0
    (listed,) = scene.footage("keep").out.splitlines()
    assert listed.startswith(f"{ONE[:12]} since 20")
    assert listed.endswith(f"asked for by Ana: {WHY}")
    said = scene.footage("purge", "--json")
    assert said.data["purge"] == {
        "deleted": 1,
        "originals": [TWO],
        "waiting": 0,
        "kept_for_case": [ONE],
    }
    assert f"{ONE[:12]} one.txt is kept for a case" in said.err
    assert originals(scene) == {ONE}
    assert scene.footage("keep", "--end", ONE[:8]).code == 0
    assert scene.footage("keep").out == "nothing is kept for a case\n"
    assert scene.footage("purge", "--json").data["purge"]["deleted"] == 1
    assert originals(scene) == set()
    with Ledger(scene.work / "ledger.db") as ledger:
        kinds = [event.kind for event in ledger.chain.events_of([ONE])]
        (opened,) = ledger.chain.events(EventKind.CASE_OPENED)
    assert kinds == ["stored", "case-opened", "case-closed", "purged"]
    assert opened.facts["why"] == hashlib.sha256(WHY.encode()).hexdigest()


@pytest.mark.parametrize("how", [("--clip", ONE), ("--sender", "sender0@example.org")])
def test_a_withdrawal_names_what_is_kept_and_changes_nothing(
    scene: CommandScene, how: tuple[str, str]
) -> None:
    scene.footage("keep", ONE, "--why", WHY)
    said = scene.footage("withdraw", *how)
    assert said.code == 2
    assert f"{ONE[:12]} is kept for a case" in said.err
    assert "--also-kept" in said.err
    assert originals(scene) == {ONE, TWO}
    with Ledger(scene.work / "ledger.db") as ledger:
        assert ledger.custody.withdrawn() == []
    said = scene.footage("withdraw", *how, "--dry-run", "--json")
    assert said.code == 0
    assert said.data["withdraw"]["kept_for_case"] == [ONE]
    assert "needs --also-kept" in said.err


def test_a_withdrawal_that_means_it_deletes_all_of_it(scene: CommandScene) -> None:
    scene.footage("keep", ONE, "--why", WHY)
    assert scene.footage("withdraw", "--clip", ONE, "--also-kept").code == 0
    assert originals(scene) == {TWO}
    assert scene.footage("keep", "--json").data["kept_for_case"] == []
    for path in scene.work.rglob("ledger*"):
        assert WHY.encode() not in path.read_bytes()
    with Ledger(scene.work / "ledger.db") as ledger:
        assert [event.kind for event in ledger.chain.events_of([ONE])][-2:] == [
            "case-closed",
            "withdrawn",
        ]


def test_wrong_usage_keeps_nothing(scene: CommandScene) -> None:
    for arguments in (
        (ONE,),
        (ONE, "--why", " "),
        (ONE, "--why", WHY, "--end"),
        (ONE, "--end"),
        ("ffff", "--why", WHY),
        ("--why", WHY),
        ("--end",),
        (TWO, "ffff", "--why", WHY),
    ):
        assert scene.footage("keep", *arguments).code == 2, arguments
        assert scene.footage("keep", "--json").data["kept_for_case"] == []


def test_what_is_gone_cannot_be_kept(scene: CommandScene) -> None:
    scene.footage("purge")
    said = scene.footage("keep", ONE, "--why", WHY)
    assert said.code == 2
    assert "not there any more" in said.err
