"""Footage that is taken back is gone; originals go when their days are over, and not before."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from support.command_scene import CommandScene, begin, config, mail

QUICK = (
    '[process]\nstill_seconds = 0.2\nstill_motion = "none"\n[review]\nrequired = false\n'
    '[montage]\nopening_card = ""\nclosing_card = false\n'
)
OUTPUT = '[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\n'


def picture(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "PNG")
    return data.getvalue()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """Two senders; the first sent a red and a green picture, the second a blue one."""
    mails = {
        "one": {"red.png": picture("red"), "green.png": picture("green")},
        "two": {"blue.png": picture("blue"), "broken.png": picture("white")[:60]},
    }
    made = begin(tmp_path_factory.mktemp("made"), mails, config(QUICK, outputs=OUTPUT))
    assert made.footage("run").code == 0
    assert made.footage("render").code == 0
    return made


@pytest.fixture
def campaign(rendered: CommandScene, tmp_path: Path) -> CommandScene:
    return rendered.copy(tmp_path)


def files_of(campaign: CommandScene, sha256: str) -> list[Path]:
    return [path for path in campaign.work.rglob("*") if sha256 in str(path)]


def test_a_clip_that_is_taken_back_is_gone(campaign: CommandScene) -> None:
    sha256 = campaign.rows["red.png"]["sha256"]
    assert len(files_of(campaign, sha256)) > 2
    said = campaign.footage("withdraw", "--clip", sha256[:10], "--json")
    assert said.code == 0
    withdrawal = said.data["withdraw"]
    assert withdrawal["withdrawn"] == [sha256]
    assert withdrawal["stale"] == ["montage/montage-small.mp4"]
    assert not [path for path in withdrawal["deleted"] if (campaign.work / path).exists()]
    assert files_of(campaign, sha256) == []
    assert campaign.rows["red.png"]["status"] == "withdrawn"
    assert campaign.rows["red.png"]["outputs"] == []
    assert "stale" in campaign.footage("status").out

    said = campaign.footage("render", "--json")
    assert said.data["render"][0]["clips"] == 2
    assert "stale" not in campaign.footage("status").out


def test_a_withdrawal_takes_what_was_made_of_the_clip(campaign: CommandScene) -> None:
    path = campaign.folder / "config.toml"
    path.write_text(path.read_text().replace("[montage]\n", '[montage]\norder = "order.txt"\n'))
    shas = [campaign.rows[name]["sha256"] for name in ("red.png", "green.png", "blue.png")]
    order = campaign.folder / "order.txt"
    lines = [f"{shas[2]}  # pinned; blue", f"{shas[0]}  # red by Ana", "# mine", shas[1][:8]]
    order.write_text("".join(f"{line}\n" for line in lines))
    assert campaign.footage("render").code == 0
    assert campaign.footage("render", "--preview", "--seconds", "0.3").code == 0
    assert campaign.footage("export", "--format", "edl").code == 0
    assert campaign.footage("withdraw", "--clip", shas[0]).code == 0
    left = sorted(path.name for path in (campaign.work / "montage").iterdir())
    assert left == ["montage-small.mp4"]
    lines[1] = f"# withdrawn: {shas[0][:12]}"
    assert order.read_text() == "".join(f"{line}\n" for line in lines)
    said = campaign.footage("render", "--json")
    assert said.code == 0
    assert said.data["render"][0]["clips"] == 2


def test_the_same_bytes_are_not_taken_again_unless_by_hand(campaign: CommandScene) -> None:
    sha256 = campaign.rows["red.png"]["sha256"]
    campaign.footage("withdraw", "--clip", sha256)
    again = mail(7, "again", {"red again.png": picture("red")})
    (campaign.folder / "inbox" / "007.eml").write_bytes(again.as_bytes())
    assert campaign.footage("run").code == 0
    assert campaign.rows["red again.png"]["status"] == "withdrawn"
    assert files_of(campaign, sha256) == []

    path = campaign.folder / "by hand.png"
    path.write_bytes(picture("red"))
    assert campaign.footage("add", str(path)).code == 0
    assert campaign.footage("process").code == 0
    campaign.footage("report")
    assert campaign.rows["red.png"]["status"] == "accepted"


def test_the_name_and_links_of_a_sender_go_with_the_last_clip(campaign: CommandScene) -> None:
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as database, database:
        database.execute(
            """UPDATE submission SET name = 'Zora', links = '["https://we.tl/zora"]'"""
        )
    submission = campaign.rows["red.png"]["submission"]
    assert campaign.footage("withdraw", "--submission", submission).code == 0
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as database:
        left = dict(database.execute("SELECT id, name || links FROM submission"))
    assert left.pop(submission) == "[]"
    assert list(left.values()) == ['Zora["https://we.tl/zora"]']


def test_all_of_a_sender_is_taken_back(campaign: CommandScene) -> None:
    said = campaign.footage("withdraw", "--sender", "SENDER0@example.org", "--json")
    assert len(said.data["withdraw"]["withdrawn"]) == 2
    assert campaign.rows["green.png"]["status"] == "withdrawn"
    assert campaign.rows["blue.png"]["status"] == "accepted"
    submission = campaign.rows["blue.png"]["submission"]
    assert campaign.footage("withdraw", "--submission", submission).code == 0
    assert campaign.rows["blue.png"]["status"] == "withdrawn"
    said = campaign.footage("render")
    assert said.code == 1


def test_an_archive_goes_with_what_was_in_it(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("red.png", picture("red"))
        archive.writestr("green.png", picture("green"))
    made = begin(tmp_path, {"one": {"both.zip": data.getvalue()}}, config(QUICK, outputs=OUTPUT))
    assert made.footage("run").code == 0
    assert made.footage("withdraw", "--clip", made.rows["red.png"]["sha256"]).code == 0
    statuses = {name: row["status"] for name, row in made.rows.items()}
    assert statuses == {"both.zip": "withdrawn", "red.png": "withdrawn", "green.png": "accepted"}
    (left,) = [path for path in (made.work / "originals").rglob("*") if path.is_file()]
    assert left.name == made.rows["green.png"]["sha256"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["--clip", "ffff"], ["--sender", "nobody@example.org"], ["--clip", "a", "--sender", "b"]],
)
def test_a_withdrawal_that_names_nothing_is_wrong_usage(
    campaign: CommandScene, arguments: list[str]
) -> None:
    before = campaign.footage("status", "--json").data["totals"]
    assert campaign.footage("withdraw", *arguments).code == 2
    assert campaign.footage("status", "--json").data["totals"] == before


def test_originals_go_when_their_days_are_over(campaign: CommandScene) -> None:
    originals = [path for path in (campaign.work / "originals").rglob("*") if path.is_file()]
    assert len(originals) == 4
    assert campaign.footage("purge", "--json").data["purge"] == {
        "deleted": 0,
        "originals": [],
        "waiting": 0,
        "kept_for_case": [],
    }

    blue = campaign.rows["blue.png"]["sha256"]
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as database, database:
        database.execute("UPDATE original SET stored_at = '2026-01-01T00:00:00Z'")
        database.execute("DELETE FROM clip WHERE sha256 = ?", (blue,))
    said = campaign.footage("purge", "--json").data["purge"]
    assert blue not in said.pop("originals")
    assert said == {"deleted": 3, "waiting": 1, "kept_for_case": []}
    left = [path.name for path in (campaign.work / "originals").rglob("*") if path.is_file()]
    assert left == [blue]

    # what waited for a clip gets it; what is gone stays as it was made
    assert campaign.footage("process", "--json").data["process"]["accepted"] == 1
    assert campaign.footage("render", "--json").data["render"][0]["clips"] == 3


def test_zero_days_keep_no_original_longer_than_its_clip_takes(tmp_path: Path) -> None:
    text = config(QUICK + "[workspace]\nretain_originals_days = 0\n", outputs=OUTPUT)
    made = begin(tmp_path, {"one": {"red.png": picture("red"), "notes.txt": b"words"}}, text)
    assert made.footage("run").code == 0
    assert [p for p in (made.work / "originals").rglob("*") if p.is_file()] == []
    assert made.rows["red.png"]["status"] == "accepted"
    assert made.footage("run").code == 0
    assert made.footage("render").code == 0
