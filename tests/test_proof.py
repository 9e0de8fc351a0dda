"""A clip's way from its mail to the film and the withdrawal can be proved, on real files.

And a ledger that lost a clip, has an orphan and a changed original is put right.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import sqlite3
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.browser import Reader, browser, overflow, reader, violations
from support.command_scene import CommandScene, begin, config, mail
from support.one_day import one_day

from pipeline.ffmpeg import runner

__all__ = ["browser", "one_day", "reader"]

QUICK = (
    '[process]\nstill_seconds = 0.2\nstill_motion = "none"\n'
    '[montage]\nopening_card = ""\nclosing_card = false\n'
)
OUTPUT = '[[output]]\nname = "small"\nsize = "64x64"\nfps = 25\n'


def picture(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "PNG")
    return data.getvalue()


RED, GREEN, BLUE = (
    hashlib.sha256(picture(colour)).hexdigest() for colour in ("red", "green", "blue")
)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """Three pictures in two mails, two of them approved and in the film."""
    mails = {
        "one": {"red.png": picture("red"), "green.png": picture("green")},
        "two": {"blue.png": picture("blue")},
    }
    made = begin(tmp_path_factory.mktemp("scene"), mails, config(QUICK, outputs=OUTPUT))
    assert made.footage("run").code == 0
    assert made.footage("approve", RED, GREEN, "--by", "Ana", "--note", "good").code == 0
    assert made.footage("render").code == 0
    return made


@pytest.fixture
def scene(rendered: CommandScene, tmp_path: Path) -> CommandScene:
    shutil.copytree(rendered.folder, tmp_path, dirs_exist_ok=True)
    return CommandScene(tmp_path)


def original(scene: CommandScene, sha256: str) -> Path:
    return scene.work / "originals" / sha256[:2] / sha256


def flip(path: Path, place: int = 100) -> None:
    """Change one byte of a file."""
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 1]))


def kinds(said: dict[str, object]) -> list[str]:
    verified = said["verify"]
    assert isinstance(verified, dict)
    return [each["kind"] for each in verified["differences"]]


def test_a_changed_byte_is_found_in_each_file(scene: CommandScene) -> None:
    said = scene.footage("verify", "--json")
    assert said.code == 0
    assert kinds(said.data) == []
    assert said.data["verify"]["checked"]["originals"] == 3
    head = said.data["verify"]["chain"]["head"]
    files = {
        original(scene, RED): "original-changed",
        scene.work / "clips" / GREEN / "small.mp4": "clip-changed",
        scene.work / "montage" / "montage-small.mp4": "film-changed",
    }
    for path, kind in files.items():
        flip(path)
        said = scene.footage("verify", "--json")
        assert said.code == 1
        assert kinds(said.data) == [kind]
        assert path.name in said.err
        flip(path)
    said = scene.footage("verify", "--head", head, "--json")
    assert said.code == 0
    number, digest = head.split(":")
    said = scene.footage("verify", "--head", f"{number}:{digest[::-1]}", "--json")
    assert said.code == 1
    assert kinds(said.data) == ["chain-replaced"]
    said = scene.footage("verify", "--head", f"9{number}:{digest}", "--json")
    assert said.code == 1
    assert kinds(said.data) == ["chain-cut"]


def test_a_chain_that_was_made_again_does_not_fit_the_logs(scene: CommandScene) -> None:
    head = scene.footage("verify", "--json").data["verify"]["chain"]["head"]
    with closing(sqlite3.connect(scene.work / "ledger.db")) as db, db:
        triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        stored = triggers.fetchall()
        for name, _ in stored:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE event SET at = '2020-01-01T00:00:00Z' WHERE number = 3")
        before = "0" * 64
        for *link, _ in db.execute("SELECT * FROM event ORDER BY number").fetchall():
            text = json.dumps([*link[:-1], before], separators=(",", ":"))
            digest = hashlib.sha256(text.encode()).hexdigest()
            changed = "UPDATE event SET before = ?, hash = ? WHERE number = ?"
            db.execute(changed, (before, digest, link[0]))
            before = digest
        for _, sql in stored:
            db.execute(sql)
    said = scene.footage("verify", "--head", head, "--json")
    assert said.code == 1
    # the backup of the night has the chain as it was
    assert set(kinds(said.data)) == {"log-differs", "chain-replaced", "backup-newer"}
    (log, *_) = sorted((scene.work / "logs").iterdir())
    assert f"logs/{log.name}: the chain of custody has another hash" in said.err
    assert "Next: put the newer backup back" in said.err


def test_a_ledger_that_has_forgotten_a_withdrawal_asks_nobody_again(scene: CommandScene) -> None:
    before = (scene.work / "ledger.db").read_bytes()
    assert scene.footage("withdraw", "--clip", RED).code == 0
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (scene.work / name).unlink(missing_ok=True)
    (scene.work / "ledger.db").write_bytes(before)
    for backup in (scene.work / "backups").iterdir():
        backup.unlink()
    said = scene.footage("verify", "--json")
    assert kinds(said.data).count("act-forgotten") == 1
    assert "log-newer" in kinds(said.data)
    assert f"repeat it: footage withdraw --clip {RED}\n" in said.err
    assert "Next: repeat the acts that are listed" in said.err
    (kept,) = (scene.work / "heads").glob("*.jsonl")
    assert {*json.loads(kept.read_text().splitlines()[-1])} == {"event", "at", "act", "subject"}
    said = scene.footage("doctor", "--repair")
    assert said.code == 1
    assert "may have been taken back" in said.err.splitlines()[0]
    assert "footage add" not in said.err
    assert scene.rows["red.png"]["status"] != "lost"
    assert "the ledger is older than its logs" in scene.footage("status").out
    night = scene.footage("run", "--json")
    assert night.data["ledger_is_older"] is True
    assert "the ledger is older than its logs" in night.err
    said = scene.footage("render", "--preview")
    assert "run `footage verify`. The old montage stays" in said.err
    for call in (("letters",), ("approve", RED), ("consent",)):
        assert "the ledger is older than its logs" in scene.footage(*call).err, call
    letters = [path.read_text() for path in (scene.work / "letters").glob("*.eml")]
    assert not [text for text in letters if "damaged" in text]


def test_an_older_ledger_publishes_and_sends_nothing_until_a_person_has_looked(
    scene: CommandScene,
) -> None:
    before = (scene.work / "ledger.db").read_bytes()
    assert scene.footage("reject", GREEN).code == 0
    assert scene.footage("render", "--json").data["render"][0]["clips"] == 1
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (scene.work / name).unlink(missing_ok=True)
    (scene.work / "ledger.db").write_bytes(before)
    settings = scene.folder / "config.toml"
    more = "closing_card = false\nautomatic = true\n[receipts]\nsend = true\n"
    more += '[smtp]\nurl = "smtp://localhost"\nfrom = "river@example.org"\n'
    settings.write_text(settings.read_text().replace("closing_card = false\n", more))
    film = scene.work / "montage" / "montage-small.mp4"
    shown = film.read_bytes()

    three = mail(3, "three", {"white.png": picture("white")})
    (scene.folder / "inbox" / "three.eml").write_bytes(three.as_bytes())
    old_log = scene.work / "logs" / "20200101T000000.000000Z.jsonl"
    old_log.touch()
    night = scene.footage("run", "--json")
    assert night.code == 1
    assert old_log.exists()
    assert "Left out until a person has looked: films and receipts." in night.err
    assert night.data["ingest"]["attachments"] == 1
    assert night.data["process"]["accepted"] == 1
    assert "backup" in night.data
    assert not night.data.keys() & {"render", "receipts"}
    for call in (("render",), ("export", "--format", "edl"), ("letters", "--send"), ("purge",)):
        said = scene.footage(*call)
        assert said.code == 1, call
        assert "Left out until a person has looked" in said.err, call
        assert "docs/custody.md" in said.err, call
    assert scene.footage("render", "--preview", "--seconds", "0.1").code == 0
    for call in (("log",), ("custody", "--clip", GREEN), ("letters",)):
        said = scene.footage(*call)
        assert said.code == 0, call
        assert "the ledger is older than its logs" in said.err, call
    told = scene.footage("custody", "--clip", GREEN, "--json").data["custody"]
    assert told["chain"]["ledger_is_older"] is True
    assert "events may be missing from this chronology" in Path(told["written"][1]).read_text()
    assert "FAULT  ledger: the ledger is older" in scene.footage("doctor").out
    assert film.read_bytes() == shown

    for name in ("logs", "heads"):
        (scene.work / name).rename(scene.folder / name)
    assert "FAULT  ledger" not in scene.footage("doctor").out
    said = scene.footage("render")  # the film that is there is not that of the record
    assert said.code == 0
    assert " made: 2 clips" in said.err
    assert film.read_bytes() != shown
    assert " unchanged: 2 clips" in scene.footage("render").err


def test_a_ledger_with_a_lost_clip_an_orphan_and_a_changed_original(scene: CommandScene) -> None:
    shutil.rmtree(scene.work / "clips" / RED)
    flip(original(scene, GREEN))
    orphan = hashlib.sha256(picture("white")).hexdigest()
    original(scene, orphan).parent.mkdir(exist_ok=True)
    original(scene, orphan).write_bytes(picture("white"))
    said = scene.footage("verify", "--json")
    assert said.code == 1
    assert sorted(kinds(said.data)) == ["clip-missing", "original-changed", "original-unknown"]

    said = scene.footage("doctor", "--repair", "--dry-run", "--json")
    assert said.code == 0
    wanted = said.data["repair"]["repaired"]
    assert [each["remedy"] for each in wanted] == ["set-aside", "adopt", "record-lost", "remake"]
    assert said.err.count("would: ") == 4
    assert scene.footage("verify").code == 1

    said = scene.footage("doctor", "--repair", "--json")
    assert said.code == 0
    assert said.data["repair"]["repaired"] == wanted
    assert re.search(rf"{GREEN[:12]} is lost. It came in 1 mail or file in eml:\S+inbox", said.err)
    assert scene.rows["red.png"]["status"] == "pending"
    assert scene.rows["green.png"]["status"] == "accepted"
    assert original(scene, orphan).exists()
    assert not original(scene, GREEN).exists()
    said = scene.footage("verify", "--json")
    assert said.code == 0
    assert said.data["verify"]["lost"] == [GREEN]

    # the clip is made again, the orphan becomes one, and the film is made of what is approved
    assert scene.footage("run").code == 0
    assert scene.rows["red.png"]["status"] == "accepted"
    assert scene.rows[orphan]["status"] == "accepted"
    assert scene.footage("render", "--json").data["render"][0]["clips"] == 2
    assert scene.footage("verify").code == 0


def test_a_changed_byte_of_the_table_is_found(scene: CommandScene) -> None:
    database = scene.work / "ledger.db"
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("DROP TRIGGER event_is_not_changed")
        db.execute("UPDATE event SET at = replace(at, '20', '19') WHERE kind = 'made'")
        numbers = [number for (number,) in db.execute("SELECT number FROM event WHERE kind='made'")]
    said = scene.footage("verify", "--json")
    assert said.code == 1
    assert kinds(said.data) == [*["chain-broken"] * len(numbers), "trigger-missing"]
    assert [each["number"] for each in said.data["verify"]["differences"]] == [*numbers, None]
    said = scene.footage("doctor", "--repair")
    assert said.code == 1
    assert "left to a person" in said.err


def told(scene: CommandScene, sha256: str) -> dict[str, Any]:
    """The chronology of a clip, from the file."""
    scene.footage("custody", "--clip", sha256[:10])
    loaded: dict[str, Any] = json.loads(chronology(scene, sha256).read_text("utf-8"))
    return loaded


def chronology(scene: CommandScene, sha256: str, suffix: str = ".json") -> Path:
    return scene.work / "custody" / f"custody-{sha256[:12]}{suffix}"


def test_the_custody_of_a_clip_from_its_mail_to_its_withdrawal(scene: CommandScene) -> None:
    film = hashlib.sha256((scene.work / "montage" / "montage-small.mp4").read_bytes()).hexdigest()
    clip = hashlib.sha256((scene.work / "clips" / RED / "small.mp4").read_bytes()).hexdigest()
    mail = hashlib.sha256((scene.folder / "inbox" / "000.eml").read_bytes()).hexdigest()
    scene.footage("export", "--format", "edl")
    assert scene.footage("verify").code == 0
    assert [file["state"] for file in told(scene, RED)["files"]] == ["as recorded"] * 2
    assert scene.footage("withdraw", "--clip", RED).code == 0

    said = scene.footage("custody", "--clip", RED[:8])
    assert said.code == 0
    assert "The chain of custody holds" in said.out
    found = told(scene, RED)
    events = {event["kind"]: event for event in found["events"]}
    assert list(events) == [
        *("begun", "received", "stored", "made", "decided", "rendered", "exported"),
        *("verified", "withdrawn"),
    ]
    assert events["received"]["facts"]["raw"] == mail
    assert events["made"]["facts"]["outputs"] == {"small": clip}
    assert events["rendered"]["subject"] == film
    assert events["decided"]["text"] == "Ana decided: approved."
    version = metadata.version("footage-pipeline")
    assert events["stored"]["made_with"] == [f"footage {version}"]
    ffmpeg = hashlib.sha256(Path(runner.program()).read_bytes()).hexdigest()
    for kind in ("made", "rendered"):
        (own, other) = events[kind]["made_with"]
        assert own == f"footage {version}"
        assert re.fullmatch(rf"ffmpeg \d[\d.]+, SHA-256 {ffmpeg}", other)
    assert found["state"] == "withdrawn"
    assert [file["state"] for file in found["files"]] == ["not there"]
    # each event of the file can be checked with nothing but the file
    for event in found["events"]:
        facts = json.dumps(event["facts"], sort_keys=True, separators=(",", ":"))
        link = [event[name] for name in ("number", "at", "kind", "subject")]
        text = json.dumps([*link, facts, event["before"]], separators=(",", ":"))
        assert hashlib.sha256(text.encode()).hexdigest() == event["hash"]
    # it holds nothing that a sender wrote
    for path in (chronology(scene, RED), chronology(scene, RED, ".html")):
        text = path.read_text("utf-8")
        assert path.stat().st_mode & 0o777 == 0o600
        for word in ("red.png", "sender0", "example.org", "Here it is", ">one<"):
            assert word not in text


def test_the_page_of_a_chronology_is_readable_by_everyone(
    scene: CommandScene, reader: Reader
) -> None:
    told(scene, RED)
    page_of = chronology(scene, RED, ".html")
    for size, scheme in (("laptop", "light"), ("narrow", "dark")):
        page, watch = reader.open(page_of, size=size, scheme=scheme)
        for details in page.locator("summary").all():
            details.click()
        assert violations(page) == []
        assert overflow(page) <= 0
        assert watch.abroad == []
        assert watch.errors == []
        assert page.locator("h1").inner_text().endswith(RED[:12])
        assert page.get_by_text("Ana decided: approved.").count() == 1


def test_a_changed_event_shows_in_the_chronology(scene: CommandScene) -> None:
    with closing(sqlite3.connect(scene.work / "ledger.db")) as db, db:
        db.execute("DROP TRIGGER event_is_not_changed")
        db.execute(
            "UPDATE event SET facts = replace(facts, 'recipe', 'recipf')"
            " WHERE kind = 'made' AND subject = ?",
            (RED,),
        )
        (number,) = db.execute(
            "SELECT number FROM event WHERE kind = 'made' AND subject = ?", (RED,)
        ).fetchone()
        db.execute("UPDATE decision_trail SET by = '<b>Mallory</b>' WHERE sha256 = ?", (RED,))
    said = scene.footage("custody", "--clip", RED, "--to", str(scene.folder / "proof"))
    assert said.code == 1
    assert f"does not hold. Event {number}" in said.out
    (page,) = (scene.folder / "proof").glob("*.html")
    text = page.read_text("utf-8")
    assert text.count("This event was changed") == 1
    assert "The entry of the trail is not as it was recorded" in text
    assert "Mallory" not in text


def test_a_chronology_of_nothing_is_wrong_usage(scene: CommandScene) -> None:
    assert scene.footage("custody", "--clip", "ffff").code == 2
    assert scene.footage("custody", "--clip", "").code == 2
    assert not (scene.work / "custody").exists()
