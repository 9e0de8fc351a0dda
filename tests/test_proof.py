"""A clip's way from its mail to the film and the withdrawal can be proved, on real files.

And a ledger that lost a clip, has an orphan and a changed original is put right.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from support.command_scene import CommandScene, begin, config

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
    assert kinds(said.data) == ["chain-cut"]


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
    assert [each["number"] for each in said.data["verify"]["differences"]] == numbers
    said = scene.footage("doctor", "--repair")
    assert said.code == 1
    assert "need a person" in said.err
