"""Each night leaves a backup of the ledger, and none keeps what was taken back."""

from __future__ import annotations

import io
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from PIL import Image
from support.command_scene import begin, config
from support.ledger_scene import LedgerScene, attachment, opened, result, settings, sha
from support.one_day import one_day
from support.warm_taking import quick_taking

from pipeline import clock
from pipeline.commands import comparison
from pipeline.commands.stages import back_up
from pipeline.commands.withdraw import Selection, take_back
from pipeline.console import Verbosity
from pipeline.errors import UsageError
from pipeline.ledger import Ledger

__all__ = ["one_day", "quick_taking"]  # fixtures

QUICK = '[process]\nstill_seconds = 0.2\nstill_motion = "none"\n'
OUTPUT = '[[output]]\nname = "small"\nsize = "64x64"\nfps = 25\n'


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[LedgerScene]:
    with opened(tmp_path / "work") as scene:
        scene.mail(attachment("one"), text="I am Zora.")
        scene.mail(attachment("two"), text="I am Yuri.")
        scene.clip(result("one"))
        yield scene


def backups(workspace: Path) -> list[str]:
    return sorted(path.name for path in (workspace / "backups").iterdir())


def today() -> str:
    return f"ledger-{clock.now()[:10]}.db"


def words(path: Path) -> bytes:
    """All bytes of the ledger and of the files of the same name beside it."""
    return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))


def test_a_backup_is_the_whole_ledger(campaign: LedgerScene, tmp_path: Path) -> None:
    made = campaign.ledger.backups.make(3)
    assert made is not None
    assert made.name == today()
    assert made.stat().st_mode & 0o777 == 0o600
    copy = shutil.copy(made, tmp_path / "ledger.db")
    with Ledger(Path(copy)) as ledger:
        assert ledger.clips.rows() == campaign.ledger.clips.rows()
        assert ledger.chain.breaks() == []
        assert ledger.chain.head() == campaign.ledger.chain.head()


def test_old_backups_are_thinned_and_a_day_has_one(campaign: LedgerScene) -> None:
    work, store = campaign.workspace.root, campaign.ledger.backups
    made = store.make(3)
    assert made is not None
    for day in range(1, 6):
        shutil.copy(made, made.with_name(f"ledger-2026-01-{day:02}.db"))
    for version in (2, 10, 9):
        shutil.copy(made, work / f"ledger.db.v{version}.bak")
    assert store.make(3) == made
    assert backups(work) == ["ledger-2026-01-04.db", "ledger-2026-01-05.db", today()]
    assert [path.name for path in work.glob("*.bak")] == ["ledger.db.v10.bak"]
    assert store.make(9) == made
    assert len(backups(work)) == 3
    assert store.make(0) is None
    assert backups(work) == []


def test_an_older_ledger_pushes_no_backup_out(campaign: LedgerScene) -> None:
    """One from before it was put back may be the only one that knows all, also that of today."""
    work = campaign.workspace.root
    true = [f"ledger-2026-01-{day:02}.db" for day in range(1, 6)] + [today()]
    for path in (*(work / "backups" / name for name in true), work / "ledger.db.v2.bak"):
        path.write_bytes(b"true")
    shutil.copy(work / "ledger.db.v2.bak", work / "ledger.db.v3.bak")
    for name in ("ledger-2026-01-06-restored.db", "ledger-2026-01-07-restored.db"):
        (work / "backups" / name).touch()
    (work / "heads").mkdir(exist_ok=True)
    (work / "heads" / "29990101.txt").write_text(f"999999:{'0' * 64}\n")
    loaded = settings(work.parent)
    few = loaded.workspace.model_copy(update={"keep_backups": 2})
    run = campaign.run(loaded.model_copy(update={"workspace": few}))
    made = today().replace(".db", "-restored.db")
    assert back_up(run) == {"backup": f"backups/{made}"}
    assert backups(work) == sorted([*true, "ledger-2026-01-07-restored.db", made])
    assert (work / "backups" / today()).read_bytes() == b"true"
    assert len([*work.glob("*.bak")]) == 2
    (work / "heads" / "29990101.txt").unlink()  # a person has looked
    assert back_up(run) == {"backup": f"backups/{today()}"}
    assert len(backups(work)) == 2


def test_an_older_ledger_takes_footage_back_and_keeps_what_only_a_newer_backup_knows(
    campaign: LedgerScene,
) -> None:
    work, store = campaign.workspace.root, campaign.ledger.backups
    (work / "heads").mkdir(exist_ok=True)
    folder = work / "backups"
    (store.make(9) or work).rename(folder / "ledger-2026-01-01.db")
    with (
        closing(sqlite3.connect(campaign.workspace.ledger)) as ledger,
        closing(sqlite3.connect(":memory:")) as older,
    ):
        ledger.backup(older)
        campaign.ledger.reviews.set_handled(["s00001"], "Ana")
        (store.make(9) or work).rename(folder / "ledger-2026-01-02.db")
        older.backup(ledger)
    run = campaign.run(settings(work.parent))
    facts = take_back(run, Selection(clip=sha("two")))["withdraw"]
    assert isinstance(facts, dict)
    assert facts["backups_not_deleted"] == ["backups/ledger-2026-01-02.db"]
    assert facts["backups"] == ["backups/ledger-2026-01-01.db"]
    restored = today().replace(".db", "-restored.db")
    assert backups(work) == sorted(["ledger-2026-01-02.db", restored])
    found = comparison.differences(campaign.workspace, comparison.look(run))
    told = [(each.kind, each.path) for each in found if each.path.startswith("backups/")]
    assert told == [("backup-newer", "backups/ledger-2026-01-02.db")]
    for path in (work / "heads").iterdir():  # a person has looked
        path.unlink()
    back_up(run)
    assert backups(work) == sorted([today(), restored])
    assert [name for name in backups(work) if b"Yuri" in words(folder / name)] == []


def test_other_spellings_of_a_mailbox_are_named_and_stay(campaign: LedgerScene) -> None:
    for number, sender in enumerate(
        ("z.ora@gmail.com", "zora+film@googlemail.com", "Zora@gmail.com")
    ):
        campaign.mail(attachment(f"z{number}"), sender=sender)
    run = campaign.run(settings(campaign.workspace.root.parent))
    run.console.verbosity, run.console.stream = Verbosity.NORMAL, (shown := io.StringIO())

    def said(sender: str, *, dry_run: bool = False) -> list[str]:
        begin = shown.tell()
        with suppress(UsageError):
            take_back(run, Selection(sender=sender), dry_run=dry_run)
        lines = shown.getvalue()[begin:].splitlines()
        return [line.partition("--sender ")[2] for line in lines if "--sender" in line]

    both = ["z.ora@gmail.com", "zora+film@googlemail.com"]
    assert said("zora+x@gmail.com") == ["Zora@gmail.com", *both], "nothing came from this one"
    assert said("zora@gmail.com", dry_run=True) == both
    assert said("zora@gmail.com") == both
    assert said(both[0]) == both[1:]
    assert said("somebody@gmail.com") == []


def test_no_backup_keeps_what_was_taken_back(campaign: LedgerScene) -> None:
    work, store = campaign.workspace.root, campaign.ledger.backups
    made = store.make(3)
    assert made is not None
    assert b"Zora" in words(made)
    shutil.copy(made, made.with_name("ledger-2026-01-01.db"))
    shutil.copy(made, work / "ledger.db.v4.bak")
    campaign.ledger.custody.withdraw([sha("one")])
    assert backups(work) == []
    assert list(work.glob("*.bak")) == []
    store.make(3)
    for path in (made, campaign.workspace.ledger):
        assert b"Zora" not in words(path)
        assert b"Yuri" in words(path)


@pytest.mark.parametrize("name", ["backups/ledger-2026-01-01.db", "ledger.db.v4.bak"])
def test_a_backup_that_outlived_a_withdrawal_goes_with_the_next_one(
    campaign: LedgerScene, tmp_path: Path, name: str
) -> None:
    """The program was killed between the withdrawal and the deletion of the backups."""
    work, store = campaign.workspace.root, campaign.ledger.backups
    before = shutil.copy(store.make(3) or "", tmp_path / "kept")
    campaign.ledger.custody.withdraw([sha("one")])
    shutil.copy(before, work / name)
    (work / "backups" / "ledger-2026-01-02.db").write_bytes(b"no ledger")
    store.make(3)
    assert backups(work) == [today()]
    assert not (work / name).exists()


def test_a_night_and_a_withdrawal_leave_a_backup(tmp_path: Path) -> None:
    red = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(red, "PNG")
    mails = {"Zora": {"red.png": red.getvalue()}, "words": {}}
    scene = begin(tmp_path, mails, config(QUICK, outputs=OUTPUT))
    path = tmp_path / "config.toml"
    good = path.read_text()
    # a night that goes wrong needs it most
    path.write_text(good.replace("#RiverWeek", "#River\uf8ff"))
    assert scene.footage("run").code == 2
    assert backups(scene.work) == [today()]
    (scene.work / "backups" / today()).unlink()
    path.write_text(good)
    assert scene.footage("run", "--json").data["backup"] == f"backups/{today()}"
    made = scene.work / "backups" / today()
    assert b"Zora" in words(made)
    assert scene.footage("withdraw", "--clip", scene.rows["red.png"]["sha256"]).code == 0
    assert backups(scene.work) == [today()]
    assert b"Zora" not in words(made)
