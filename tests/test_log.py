"""The logs of runs can be read, and old ones go; status knows how fast the workspace grows."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.command_scene import CommandScene, begin
from support.warm_taking import quick_taking

from pipeline import console, publishing
from pipeline.commands import disk, log
from pipeline.console import Console, Verbosity
from pipeline.history import RunRecord
from pipeline.ledger import acts
from pipeline.store import WorkspaceFolder
from pipeline.workspace import Workspace

__all__ = ["quick_taking"]  # a fixture

NIGHT = RunRecord("1", "run", "2026-11-01T02:00:00Z", "2026-11-01T03:00:00Z", 0, {})


def scene(folder: Path) -> CommandScene:
    made = begin(folder, {"Words": {}})
    assert made.footage("run").code == 0
    return made


def test_the_runs_and_the_log_of_one(tmp_path: Path) -> None:
    campaign = scene(tmp_path)
    (campaign.folder / "inbox").rename(campaign.folder / "elsewhere")
    assert campaign.footage("run").code == 1
    runs = campaign.footage("log", "--json").data["runs"]
    assert [(run["command"], run["exit_code"]) for run in runs] == [("run", 0), ("run", 1)]
    lines = campaign.footage("log").out.splitlines()
    assert "footage run, exit 0, 0 clips, 0 programs, 0 warnings" in lines[0]
    assert "footage run, exit 1" in lines[1]
    shown = campaign.footage("log", "last")
    assert shown.code == 0
    assert "run-begun: run " in shown.out.splitlines()[0]
    assert "run-ended: exit_code 1, error " in shown.out.splitlines()[-1]
    whole = campaign.footage("log", runs[0]["run"], "--json").data
    stored = (campaign.work / "logs" / f"{runs[0]['run']}.jsonl").read_text().splitlines()
    assert whole["events"] == [json.loads(line) for line in stored]


def test_the_time_that_is_left_is_said_when_it_can_be_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(console, "_LINE_EVERY_S", -1.0)
    said = io.StringIO()
    with Console(Verbosity.NORMAL, said).task("process", 1000, "B") as task:
        for size in (1, 2, 3, 500, 494):
            task.advance(size, "more")
    few = ["process: more"] * 3
    left = ["process: more, about 1 s left", "process: more"]
    assert said.getvalue().splitlines() == [*few, *left]


def test_a_log_that_there_is_not(tmp_path: Path) -> None:
    campaign = scene(tmp_path)
    assert campaign.footage("ingest").code == 0
    for prefix, words in (("1999", "no log begins with '1999'"), ("20", "more than one log")):
        said = campaign.footage("log", prefix)
        assert (said.code, words in said.err) == (2, True)


def test_a_log_without_an_end_is_of_a_killed_run(tmp_path: Path) -> None:
    campaign = scene(tmp_path)
    (path,) = (campaign.work / "logs").iterdir()
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + b'{"at": "2026-')
    said = campaign.footage("log")
    assert (said.code, "footage run, has no end" in said.out) == (0, True)


def test_old_logs_go_and_other_files_stay(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.create()
    now = datetime.now(UTC)
    for days in (1, 89, 91, 400):
        name = (now - timedelta(days=days)).strftime("%Y%m%dT%H%M%S.%fZ")
        (workspace.logs / f"{name}.jsonl").write_text("{}\n")
        for end in (".txt", ".jsonl"):
            (workspace.heads / f"{name[:8]}{end}").write_text("1:ab\n")
    (workspace.logs / "notes.jsonl").write_text("mine\n")
    assert log.thin_out(workspace, 90) == 2
    assert len(list(workspace.logs.iterdir())) == 3
    assert len(list(workspace.heads.iterdir())) == 4, "acts are kept as long as heads"
    # acts that the oldest backup does not know stay: it may be put back
    backup = workspace.root / "backups" / f"ledger-{now - timedelta(days=400):%Y-%m-%d}.db"
    backup.parent.mkdir(exist_ok=True)
    backup.touch()
    for days in (399, 400, 401):
        (workspace.heads / f"{now - timedelta(days=days):%Y%m%d}.jsonl").touch()
    log.thin_out(workspace, 90)
    assert len(list(workspace.heads.iterdir())) == 6


def test_of_two_acts_the_one_with_the_later_event_is_newer(tmp_path: Path) -> None:
    def newest(*lines: tuple[int, str, str]) -> str:
        acts_file = tmp_path / "20260901.jsonl"
        with acts_file.open("w") as file:
            for number, at, decision in lines:
                act = {"event": f"{number}:{'ab' * 32}", "at": at, "act": "decided"}
                print(json.dumps(act | {"subject": "a1", "decision": decision}), file=file)
        return acts.newest(tmp_path)["decided", "a1"].value

    first, second = "2026-09-01T10:00:00Z", "2026-09-01T10:00:01Z"
    assert newest((5, first, "held"), (6, second, "rejected")) == "rejected"
    # two programs wrote at the same time
    assert newest((6, second, "rejected"), (5, first, "held")) == "rejected"
    assert newest((6, first, "rejected"), (5, first, "held")) == "rejected"
    # the clock was put back
    assert newest((5, second, "held"), (6, first, "rejected")) == "rejected"
    # an older ledger was put back, and the chain went on from there
    assert newest((6, first, "rejected"), (3, second, "held")) == "held"


def test_a_line_that_a_full_disk_has_cut_off_does_not_change_the_next(tmp_path: Path) -> None:
    path = tmp_path / "heads.txt"
    path.write_text("9:a\n1")
    publishing.add_line(path, "11:b")
    publishing.add_line(path, "12:c")
    assert path.read_text() == "9:a\n1\n11:b\n12:c\n"


def test_what_nobody_used_for_long_goes_out_of_the_cache(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.create()
    (workspace.cache / "seams").mkdir()
    used, unused, young = (
        workspace.cache / name for name in ("card-1.mp4", "seams/a-b-1.mp4", "seams/b-c-2.mp4")
    )
    for path, days in ((used, 61), (unused, 61), (young, 59)):
        path.touch()
        long_ago = (datetime.now(UTC) - timedelta(days=days)).timestamp()
        os.utime(path, (long_ago, long_ago))
    assert publishing.is_cached(used)
    assert not publishing.is_cached(workspace.cache / "card-2.mp4")
    assert disk.trim_cache(workspace, WorkspaceFolder(workspace)) == 1
    assert (used.exists(), unused.exists(), young.exists()) == (True, False, True)


def test_status_says_how_many_nights_are_left(tmp_path: Path) -> None:
    campaign = scene(tmp_path)
    (campaign.work / "originals/more").write_bytes(b"x" * 9_000_000)
    assert campaign.footage("run").code == 0
    found = campaign.footage("status", "--json").data["disk"]
    assert found["growth_a_night"] > 8_000_000  # the log of the ledger may have become shorter
    assert found["nights_left"] == int(found["free"] / found["growth_a_night"])
    assert " a night: room for " in campaign.footage("status").out


def test_growth_is_the_mean_of_the_nights_that_are_known(tmp_path: Path) -> None:
    def night(used: object) -> RunRecord:
        return replace(NIGHT, summary={"disk": {"used": used}})

    nights = [night(900), night(500), replace(NIGHT, summary={"disk": None}), NIGHT, night(300)]
    assert disk.room(tmp_path, nights).growth == 300
    assert disk.room(tmp_path, nights).used == 900
    assert disk.room(tmp_path, [night(900)]).growth is None
    shrinking = disk.room(tmp_path, [night(300), night(900)])
    assert (shrinking.growth, shrinking.nights_left) == (-600, None)
    assert disk.room(tmp_path, []).used is None
