"""The command line: options anywhere, one JSON object, exit codes that a script can trust."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.command_scene import CommandScene, begin, config, footage

from pipeline import publishing
from pipeline.ledger import Ledger
from pipeline.model import ClipResult, Reason, Refusal, Status
from pipeline.texts import Detail
from pipeline.workspace import Workspace, hold


@pytest.fixture
def campaign(tmp_path: Path) -> CommandScene:
    """A mail with a text file and a playlist: nothing that needs an encode."""
    junk = {"notes.txt": b"just words", "story.mp4": b"ffconcat version 1.0\nfile /etc/passwd\n"}
    return begin(tmp_path, {"hello": junk})


def test_options_stand_before_or_behind(campaign: CommandScene) -> None:
    path = str(campaign.folder / "config.toml")
    behind = footage("run", "--json", "--config", path)
    before = footage("--json", "--config", path, "status")
    assert behind.code == before.code == 0
    assert behind.data["ingest"]["attachments"] == 2
    assert before.data["totals"]["rejected"] == 2
    assert behind.err != ""


def test_refusals_are_a_normal_outcome(campaign: CommandScene) -> None:
    assert campaign.footage("run").code == 0
    reasons = {name: row["reason"]["code"] for name, row in campaign.rows.items()}
    assert reasons == {"notes.txt": "not-media", "story.mp4": "unsafe"}


def test_quiet_says_nothing(campaign: CommandScene) -> None:
    said = campaign.footage("run", "-q")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_a_faulty_config_is_exit_2(campaign: CommandScene) -> None:
    path = campaign.folder / "config.toml"
    path.write_text(path.read_text() + "[nonsense]\n")
    said = campaign.footage("run")
    assert said.code == 2
    assert f"{path}: nonsense: there is no such key" in said.err
    said = campaign.footage("run", "--json")
    assert said.data["exit_code"] == 2
    assert not campaign.work.exists()


@pytest.mark.parametrize("arguments", [["nonsense"], ["run", "--nonsense"], ["approve"]])
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    assert footage(*arguments).code == 2


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["run", "-h"], ["decide", "--help"]])
def test_help_has_two_names(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: footage")


def test_nothing_to_render_is_exit_1(campaign: CommandScene) -> None:
    campaign.footage("run")
    said = campaign.footage("render")
    assert said.code == 1
    assert said.err.splitlines()[-1].endswith("none waits for a decision")
    assert campaign.footage("render", "portrait").code == 2


def test_a_held_workspace_is_exit_75(campaign: CommandScene) -> None:
    campaign.footage("run")
    before = campaign.footage("status").out
    with hold(Workspace(campaign.work)):
        for command in ("run", "ingest", "process", "render", "report", "retry"):
            said = campaign.footage(command)
            assert said.code == 75
            assert "another run holds the workspace" in said.err
        assert campaign.footage("status").out == before
    assert campaign.footage("run").code == 0


def test_failed_clips_are_exit_3_until_they_are_retried(campaign: CommandScene) -> None:
    campaign.footage("run")
    sha256 = campaign.rows["notes.txt"]["sha256"]
    refusal = Refusal(Reason.TIMEOUT, Detail.TOO_SLOW, {"seconds": 120})
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as db, db:
        db.execute("UPDATE attachment SET reason = NULL WHERE sha256 = ?", (sha256,))
    with Ledger(campaign.work / "ledger.db") as ledger:
        ledger.clips.record(ClipResult(sha256, "", Status.FAILED, refusal))
    said = campaign.footage("report")
    assert said.code == 3
    assert "footage retry" in said.err
    assert "timeout" in campaign.footage("status").out
    assert "; 1 failed (footage retry" in campaign.footage("render").err
    assert campaign.footage("retry", "ffff").code == 2
    assert campaign.footage("retry", sha256[:6]).code == 0
    assert "; 1 still to be made (footage process)" in campaign.footage("render").err
    assert campaign.footage("process").code == 0
    campaign.footage("report")
    assert campaign.rows["notes.txt"]["reason"]["code"] == "not-media"


def test_an_inbox_out_of_reach_does_not_stop_the_night(campaign: CommandScene) -> None:
    campaign.footage("ingest")
    (campaign.folder / "inbox").rename(campaign.folder / "elsewhere")
    said = campaign.footage("run")
    assert said.code == 1
    assert "inbox" in said.err
    assert campaign.rows["story.mp4"]["reason"]["code"] == "unsafe"


def test_a_ledger_that_is_none_is_one_sentence(campaign: CommandScene) -> None:
    campaign.footage("run")
    for path in campaign.work.glob("ledger.db*"):
        path.unlink()
    (campaign.work / "ledger.db").write_bytes(b"no database at all, but long enough" * 100)
    said = campaign.footage("status")
    assert said.code == 1
    assert said.err.startswith("footage: the ledger can't be read or written: ")
    assert "Traceback" not in said.err


def test_a_killed_run_leaves_nothing_behind_the_next(campaign: CommandScene) -> None:
    campaign.footage("run")
    left = campaign.work / "clips" / "ab" / f".landscape-1{publishing.PART}"
    left.parent.mkdir()
    left.write_bytes(b"half")
    campaign.footage("report")
    assert list(campaign.work.rglob("*.part")) == []


def test_the_module_is_the_command(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(config())
    said = subprocess.run(
        [sys.executable, "-m", "pipeline", "status", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 2
    assert json.loads(said.stdout)["error"].startswith("there is no workspace at")


def test_a_place_in_a_files_name_stays_outside(campaign: CommandScene) -> None:
    """The names of mails on disk are no different from what is in them."""
    mail = campaign.folder / "inbox" / "000.eml"
    mail.rename(mail.with_name("mill -31.4159_+89.7932.eml"))
    drop = campaign.folder / "at 31.4159, 89.7932.txt"
    drop.write_text("words")
    said = [campaign.footage(*words) for words in (["ingest", "--dry-run"], ["run"])]
    said.append(campaign.footage("add", str(drop)))
    assert [end.code for end in said] == [0, 0, 0]
    texts = [end.out + end.err for end in said]
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as database, database:
        texts.append("\n".join(database.iterdump()))
    texts += [path.read_text() for path in (campaign.work / "logs").iterdir()]
    # with the point: the digests of a ledger have any four digits
    assert [text for text in texts if "1.4159" in text or "9.7932" in text] == []
