"""What commands say about their work: names, sums, and what a person has to know."""

from __future__ import annotations

import fcntl
import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.command_scene import CommandScene, begin, config
from test_custody import QUICK, picture
from test_leaks import PLANTED

from pipeline.cli import cli
from pipeline.cli_help import ORDER
from pipeline.ingest.inbox import Arrival, Inbox
from pipeline.ingest.reading import InboxReading
from pipeline.ingest.spool import Readable
from pipeline.ingest.take import Taken
from pipeline.ingest.taking import Taking
from pipeline.ledger import Ledger
from pipeline.wording import counted
from pipeline.workspace import Workspace, hold, is_held

OUTPUT = '[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    mails = {"A walk": {"red.png": picture("red")}, "Nothing": {}}
    scene = begin(tmp_path_factory.mktemp("made"), mails, config(QUICK, outputs=OUTPUT))
    assert scene.footage("run").code == 0
    return scene


@pytest.fixture
def campaign(made: CommandScene, tmp_path: Path) -> CommandScene:
    return made.copy(tmp_path)


# -- ingest --dry-run ---------------------------------------------------------------------------


def test_a_dry_run_says_who_sent_what(tmp_path: Path) -> None:
    mails = {
        "At 47.318264, 18.951372": {"photo.jpg": PLANTED["jpeg-exif.jpg"]},
        "Words": {},
        "Two": {"one.png": picture("red"), "two.png": picture("blue")},
    }
    scene = begin(tmp_path, mails, config(QUICK, outputs=OUTPUT))
    said = scene.footage("ingest", "--dry-run", "--json")
    lines = said.err.splitlines()
    size = len(PLANTED["jpeg-exif.jpg"])
    assert re.fullmatch(
        r"would take in 000\.eml: \d+ bytes, received 2026-09-01T10:00:00Z from s…@e…\.org "
        rf'"At \[location removed\]": photo\.jpg \({size:,} bytes\)',
        lines[0],
    )
    assert lines[1].endswith('"Words": no attachment')
    assert "one.png (" in lines[2]
    assert ", two.png (" in lines[2]
    total = sum(path.stat().st_size for path in (tmp_path / "inbox").iterdir())
    assert lines[3] == (
        f"ingest: 3 new mails with 3 attachments, {total:,} bytes, would come in; "
        "nothing was changed"
    )
    assert [mail["subject"] for mail in said.data["ingest"]["coming"]][1:] == ["Words", "Two"]
    assert "sender0" not in said.out + said.err
    assert list((scene.work / "originals").iterdir()) == []
    assert scene.footage("status", "--json").data["totals"]["pending"] == 0
    assert scene.footage("ingest", "--json").data["ingest"]["mails"] == 3
    assert "ingest: 0 new mails with 0 attachments" in scene.footage("ingest", "--dry-run").err


# -- add --------------------------------------------------------------------------------------


def test_add_counts_what_is_known(campaign: CommandScene) -> None:
    files = {"came by mail.png": "red", "new.png": "blue", "new again.png": "blue"}
    paths = []
    for name, colour in files.items():
        paths.append(str(campaign.folder / name))
        Path(paths[-1]).write_bytes(picture(colour))
    # a file counts once, by whatever paths it is named
    link, hard = campaign.folder / "link.png", campaign.folder / "hard link.png"
    link.symlink_to("new.png")
    hard.hardlink_to(campaign.folder / "new.png")
    again = (f"{campaign.folder}/../{campaign.folder.name}/new.png", str(link), str(hard))
    said = campaign.footage("add", *paths, paths[1], *again, "--json")
    assert "add: 1 file taken in, 2 known already" in said.err
    assert said.data["add"]["mails"] == 3
    assert (said.data["add"]["taken_in"], said.data["add"]["known"]) == (1, 2)
    said = campaign.footage("add", *paths)
    assert "add: 0 files taken in, 3 known already" in said.err
    # what was withdrawn comes back, so it counts as taken in
    sha256 = campaign.rows["red.png"]["sha256"]
    assert campaign.footage("withdraw", "--clip", sha256).code == 0
    assert "add: 1 file taken in, 0 known already" in campaign.footage("add", paths[0]).err


def test_add_names_what_changes_or_goes_while_it_is_read(
    campaign: CommandScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = {name: campaign.folder / f"{name}.png" for name in ("a", "b", "c", "d", "e")}
    for name, path in paths.items():
        path.write_bytes(picture("red" if name == "e" else "blue") + name.encode() * (name != "e"))
    assert campaign.footage("add", str(paths["e"])).code == 0
    take, begun = Taking.take, InboxReading.take_in

    def grown(
        taking: Taking, arrival: Arrival, file: Readable, *, is_last_try: bool = False
    ) -> Taken:
        if arrival.name == "b.png":
            paths["b"].write_bytes(b"more")
        return take(taking, arrival, file, is_last_try=is_last_try)

    def gone(work: InboxReading, inbox: Inbox, arrivals: Sequence[Arrival]) -> None:
        paths["c"].unlink()
        paths["d"].write_bytes(picture("green"))
        paths["e"].write_bytes(picture("white"))
        begun(work, inbox, arrivals)

    monkeypatch.setattr(Taking, "take", grown)
    monkeypatch.setattr(InboxReading, "take_in", gone)
    said = campaign.footage("add", *map(str, paths.values()))
    assert said.code == 1
    assert said.err.endswith(
        "not taken in: b.png (it changed while it was read), c.png (it is not there any more), "
        "d.png (it changed while it was read), e.png (it changed while it was read); add it again\n"
    )
    monkeypatch.undo()
    assert campaign.footage("report").code == 0
    assert {"a.png", "e.png"} <= campaign.rows.keys()
    assert not {"b.png", "c.png", "d.png"} & campaign.rows.keys()
    assert campaign.footage("verify").code == 0


# -- process ----------------------------------------------------------------------------------


def test_a_clip_that_can_not_be_made_anew_is_named(campaign: CommandScene) -> None:
    sha256 = campaign.rows["red.png"]["sha256"]
    (campaign.work / "originals" / sha256[:2] / sha256).unlink()
    said = campaign.footage("process", "--json")
    assert said.data["process"]["outdated"] == [], "it is as it must be"
    path = campaign.folder / "config.toml"
    path.write_text(path.read_text().replace("#RiverWeek", "#OtherWeek"))
    said = campaign.footage("process", "--json")
    assert said.data["process"]["outdated"] == [sha256]
    assert (
        "process: 1 clip is out of date and can't be made anew, because the originals were "
        f"deleted ({sha256[:12]})"
    ) in said.err
    status = campaign.footage("status", "--json").data
    assert status["outdated"] == [sha256]
    assert "1 clip is out of date and can't be made anew" in campaign.footage("status").out


# -- run and status ---------------------------------------------------------------------------


def test_a_night_without_its_inbox_says_what_was_done_all_the_same(campaign: CommandScene) -> None:
    (campaign.folder / "inbox").rename(campaign.folder / "elsewhere")
    path = campaign.folder / "config.toml"
    path.write_text(path.read_text().replace("#RiverWeek", "#OtherWeek"))
    said = campaign.footage("run", "--json")
    assert said.code == 1
    assert said.data["process"]["accepted"] == 1
    assert {"error", "ingest", "process", "report", "backup"} <= said.data.keys()
    assert campaign.footage("status", "--json").data["last_night"]["summary"]["process"]


def test_a_night_that_fails_later_says_what_was_done_before(campaign: CommandScene) -> None:
    page = campaign.work / "report" / "index.html"
    page.unlink()
    page.mkdir()
    (campaign.work / "report" / "report.json").write_text("old")
    said = campaign.footage("run", "--json")
    assert said.code == 1
    assert said.data["process"]["accepted"] == 0
    assert "ingest" in said.data


def test_a_run_that_goes_on_is_not_one_that_was_killed(campaign: CommandScene) -> None:
    workspace = Workspace(campaign.work)
    with Ledger(workspace.ledger) as ledger:
        ledger.runs.start("20990101T000000.000000Z", "run")
    assert not is_held(workspace)
    said = campaign.footage("status", "--json").data
    assert said["last_night"]["state"] == said["last_run"]["state"] == "killed"
    assert "was killed" in campaign.footage("status").out
    with hold(workspace):
        assert is_held(workspace)
        said = campaign.footage("status", "--json").data
        assert said["last_night"]["state"] == "running"
        assert "is running now" in campaign.footage("status").out
        with Ledger(workspace.ledger) as ledger:
            ledger.runs.start("20990102T000000.000000Z", "process")
        said = campaign.footage("status", "--json").data
        assert (said["last_night"]["state"], said["last_run"]["state"]) == ("killed", "running")
    assert campaign.footage("report").code == 0
    data = campaign.footage("status", "--json").data
    assert data["last_night"]["state"] == "killed"


def test_a_look_at_the_lock_keeps_no_run_out(campaign: CommandScene) -> None:
    """A run that begins while others look gets the lock at its first try."""
    workspace = Workspace(campaign.work)
    looks, over = [0], threading.Event()

    def look() -> None:
        while not over.is_set():
            is_held(workspace)
            looks[0] += 1

    watchers = [threading.Thread(target=look) for _ in range(2)]
    try:
        for watcher in watchers:
            watcher.start()
        seen = -1
        for _ in range(200):
            with hold(workspace):
                assert is_held(workspace)
        seen = looks[0]
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()
    assert seen > 0
    assert not is_held(workspace)


def test_a_run_of_an_older_version_keeps_others_out(campaign: CommandScene) -> None:
    with (campaign.work / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert campaign.footage("report").code == 75


# -- words ------------------------------------------------------------------------------------


def test_one_is_no_plural(made: CommandScene) -> None:
    assert [counted(number, "clip") for number in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]
    assert counted(2, "entry", "entries") == "2 entries"
    said = made.footage("status").out + made.footage("render").err + made.footage("retry").err
    logs = "".join(path.read_text() for path in (made.work / "logs").iterdir())
    assert re.findall(r"\b1 (?:clips|originals|mails|files|nights|attachments) .*", said) == []
    assert json.loads(logs.splitlines()[0])["event"] == "run-begun"


def test_help_lists_the_commands_in_the_order_of_work_with_whole_sentences(
    made: CommandScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = made.footage("--help").out
    listed = [name for names in ORDER.values() for name in names]
    assert len(set(listed)) == len(listed)
    shown = {name for name, command in cli.commands.items() if not command.hidden}
    assert shown <= set(listed), "each command has a place in pipeline/cli_help.py"
    listed = [name for name in listed if name in shown]
    places = [re.search(rf"^  {name} ", text, re.MULTILINE) for name in listed]
    starts = [place.start() for place in places if place]
    assert len(starts) == len(listed)
    assert starts == sorted(starts)
    assert "..." not in text.partition("To begin:")[2]
    words = " ".join(text.split())
    for name in listed:
        help_text = cli.commands[name].help or ""
        assert " ".join(help_text.split("\n\n")[0].split()) in words
        assert help_text.split("\n\n")[0].rstrip().endswith("."), name
