"""What withdraw and purge delete is named before and after; what can't be deleted is named too."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.command_scene import CommandScene, begin, config
from support.one_day import one_day
from test_custody import QUICK, picture

__all__ = ["one_day"]  # a fixture

FILM = "transition_seconds = 0.2\nclosing_card = false\n"
OUTPUT = '[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\n'


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """Two senders and everything that can be made of what they sent."""
    folder = tmp_path_factory.mktemp("whole")
    mails = {
        "please delete my video": {"red.png": picture("red"), "green.png": picture("green")},
        "two": {"blue.png": picture("blue")},
    }
    text = config(QUICK.replace("closing_card = false\n", FILM), outputs=OUTPUT)
    made = begin(folder, mails, text)
    path = folder / "config.toml"
    path.write_text(path.read_text().replace("[montage]\n", '[montage]\norder = "order.txt"\n'))
    assert made.footage("run").code == 0
    order = [made.rows[name]["sha256"] for name in ("red.png", "blue.png")]
    (folder / "order.txt").write_text("".join(f"{sha256}\n" for sha256 in order))
    assert made.footage("handled", made.rows["red.png"]["submission"]).code == 0
    assert made.footage("render").code == 0
    assert made.footage("render", "--preview", "--seconds", "0.3").code == 0
    for kind in ("otio", "fcpxml", "edl", "mlt"):
        assert made.footage("export", "--format", kind).code == 0
    assert made.footage("handled", made.rows["red.png"]["submission"], "--undo").code == 0
    assert made.footage("letters").code == 0
    assert made.footage("report").code == 0
    return made


@pytest.fixture
def campaign(whole: CommandScene, tmp_path: Path) -> CommandScene:
    """A copy of it, to delete in."""
    shutil.copytree(whole.folder, tmp_path, dirs_exist_ok=True)
    return CommandScene(tmp_path)


def files(campaign: CommandScene) -> dict[str, str]:
    """Each file of the workspace with its digest, without what every command writes."""
    return {
        str(path.relative_to(campaign.work)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in campaign.work.rglob("*")
        if path.is_file()
        and path.parent.name not in ("logs", "heads")
        and not path.name.startswith(("ledger.db", ".lock"))
    }


def test_a_dry_run_names_all_that_a_withdrawal_deletes(campaign: CommandScene) -> None:
    red = campaign.rows["red.png"]
    before, order = files(campaign), (campaign.folder / "order.txt").read_text()
    said = campaign.footage("withdraw", "--submission", red["submission"], "--dry-run", "--json")
    assert said.code == 0
    named, copies = said.data["withdraw"]["deleted"], said.data["withdraw"]["backups"]
    assert files(campaign) == before
    assert (campaign.folder / "order.txt").read_text() == order
    for path in (*named, *copies):
        assert f"would delete {path}\n" in said.err
    assert "order.txt: 1 entry would be taken out" in said.err
    assert "montage/montage-small.mp4 holds them: it would be marked stale" in said.err
    kinds = {Path(path).parts[0] for path in named}
    assert kinds == {"originals", "clips", "report", "letters", "cache", "montage"}
    assert any(path.startswith("cache/seams/") for path in named)

    done = campaign.footage("withdraw", "--submission", red["submission"], "--json")
    assert done.code == 0
    assert done.data["withdraw"]["deleted"] == named
    after = files(campaign)
    assert before.keys() - after.keys() == set(named)
    # a new backup is written under the name of the old one, without the words of the mail
    assert copies == done.data["withdraw"]["backups"] == [done.data["backup"]]
    assert after[done.data["backup"]] != before[done.data["backup"]]
    left = sorted(path.name for path in (campaign.work / "montage").iterdir())
    assert left == ["montage-small.mp4"]


def test_letters_that_were_sent_or_approved_go_with_the_last_clip(campaign: CommandScene) -> None:
    red, letters = campaign.rows["red.png"], campaign.work / "letters"
    for folder in ("approved", "sent"):
        (letters / folder).mkdir()
    name = f"{red['submission']}.eml"
    sent = letters / "sent" / name
    shutil.copy(letters / name, sent)
    (letters / name).rename(letters / "approved" / name)
    assert campaign.footage("withdraw", "--clip", red["sha256"]).code == 0
    assert sent.exists()
    assert campaign.footage("withdraw", "--submission", red["submission"]).code == 0
    assert [*letters.rglob("*.eml")] == []
    # it got its letter, and what it asks for is done
    assert campaign.footage("letters", "--json").data["letters"]["drafts"] == []


def test_a_timeline_that_was_exported_without_a_montage_goes_too(campaign: CommandScene) -> None:
    montage = campaign.work / "montage"
    timelines = {f"montage-small.{kind}" for kind in ("otio", "fcpxml", "edl", "mlt")}
    for path in montage.iterdir():
        if path.name not in timelines:
            path.unlink()
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as database, database:
        database.execute("DELETE FROM montage")
    assert campaign.footage("withdraw", "--clip", campaign.rows["red.png"]["sha256"]).code == 0
    assert list(montage.iterdir()) == []


def test_a_lookalike_that_stays_is_named(campaign: CommandScene) -> None:
    red, blue = (campaign.rows[name]["sha256"] for name in ("red.png", "blue.png"))
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as db, db:
        db.execute("UPDATE clip SET looks_like = ? WHERE sha256 = ?", (red[:12], blue))
    said = campaign.footage("withdraw", "--clip", red, "--dry-run", "--json")
    assert blue in said.data["withdraw"]["alike"]
    assert f"blue.png ({blue[:12]}) looks like what is taken back, and it stays" in said.err
    said = campaign.footage("withdraw", "--clip", blue)
    assert f"red.png ({red[:12]}) looks like what is taken back, and it stays" in said.err


def test_what_is_out_of_reach_is_named(whole: CommandScene, campaign: CommandScene) -> None:
    by_hand = campaign.folder / "by hand.png"
    by_hand.write_bytes(picture("red"))
    assert campaign.footage("add", str(by_hand)).code == 0
    said = campaign.footage("withdraw", "--clip", campaign.rows["red.png"]["sha256"], "--json")
    assert said.data["withdraw"]["not_reached"] == [
        "1 file that came by footage add",
        f"1 mail or file in eml:{whole.folder / 'inbox'}",
    ]
    assert said.err.count("not deleted, because the program can't: ") == 2


def test_what_can_not_be_deleted_is_named_and_the_rest_is_gone(campaign: CommandScene) -> None:
    red = campaign.rows["red.png"]["sha256"]
    preview = campaign.work / "montage" / "montage-small-preview.mp4"
    preview.unlink()
    preview.mkdir()  # so that nobody can delete it as a file, not even root
    said = campaign.footage("withdraw", "--clip", red, "--json")
    assert said.code == 1
    assert list(said.data["not_deleted"]) == ["montage/montage-small-preview.mp4"]
    assert "can't delete montage/montage-small-preview.mp4: " in said.err
    assert "call the same command again" in said.err
    assert "deleted montage/montage-small-preview.mp4" not in said.err
    assert "withdraw: 1 original taken back, but 1 file or folder could not be deleted" in said.err
    assert "all that was made of it: deleted" not in said.err
    assert "montage/montage-small-preview.mp4" not in said.data["withdraw"]["deleted"]
    assert list(campaign.work.rglob(f"*{red}*")) == []
    assert campaign.rows["red.png"]["status"] == "withdrawn"
    preview.rmdir()
    said = campaign.footage("withdraw", "--clip", red)
    assert said.code == 0
    done = "withdraw: 1 original was withdrawn before; all that was made of it is deleted"
    assert done in said.err


def test_purge_names_what_it_deletes(campaign: CommandScene) -> None:
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as database, database:
        database.execute("UPDATE original SET stored_at = '2026-01-01T00:00:00Z'")
    before = files(campaign)
    shas = {campaign.rows[name]["sha256"]: name for name in ("red.png", "green.png", "blue.png")}
    said = campaign.footage("purge", "--dry-run", "--json")
    assert (said.code, said.data["purge"]["deleted"]) == (0, 0)
    assert set(said.data["purge"]["originals"]) == shas.keys()
    for sha256, name in shas.items():
        assert f"would delete {sha256[:12]} {name}\n" in said.err
    assert "nothing was changed" in said.err
    assert files(campaign) == before

    stays, *_ = shas
    original = campaign.work / "originals" / stays[:2] / stays
    kept = original.rename(campaign.folder / "kept")
    original.mkdir()
    said = campaign.footage("purge", "--json")
    assert (said.code, said.data["purge"]["deleted"]) == (1, 2)
    assert list(said.data["not_deleted"]) == [f"originals/{stays[:2]}/{stays}"]
    assert said.err.count("purge: deleted ") == 2
    original.rmdir()
    kept.rename(original)
    said = campaign.footage("purge", "--json")
    assert (said.code, said.data["purge"]["originals"]) == (0, [stays])
    assert "purge: 1 original older than 30 days deleted" in said.err
