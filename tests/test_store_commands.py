"""Every command does with a store what it does without one."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from support.command_scene import CommandScene, begin, config, make
from support.object_store import BUCKET, ObjectServer
from support.review_server import Client, serving
from support.warm_taking import quick_taking

from pipeline import config as configuration
from pipeline import publishing
from pipeline.errors import StoreError
from pipeline.ledger import Ledger
from pipeline.store import FOLDERS, FootageFile, original, still_of
from pipeline.store.cloud import CloudBucket
from pipeline.store.files import OWNER

__all__ = ["quick_taking"]  # a fixture

Mails = dict[str, dict[str, bytes]]

_OUTPUT = '[[output]]\nname = "small"\nsize = "160x90"\nfps = 30\nquality = "draft"\n'
_SETTINGS = (
    '[process]\nstill_seconds = 0.2\nstill_motion = "none"\nworkers = 1\n'
    '[review]\nrequired = false\n[montage]\nopening_card = ""\nclosing_card = false\n'
)


@dataclass(frozen=True)
class StoredScene(CommandScene):
    """A campaign whose footage is in a store."""

    @property
    def shared(self) -> Path:
        """The store, if it is a shared folder."""
        return self.folder / "shared"

    @property
    def keys(self) -> set[str]:
        """The objects of the shared folder."""
        paths = (path for path in self.shared.rglob("*") if path.is_file())
        return {path.relative_to(self.shared).as_posix() for path in paths}

    @property
    def here(self) -> set[str]:
        """The footage that is in the workspace."""
        paths = [*(self.work / "originals").rglob("*"), *(self.work / "clips").rglob("*")]
        return {path.relative_to(self.work).as_posix() for path in paths if path.is_file()}

    def clip(self, name: str) -> FootageFile:
        """The clip of an attachment."""
        (output,) = self.rows[name]["outputs"]
        return FootageFile(output["path"], output["sha256"])

    def copied(self, folder: Path) -> StoredScene:
        """The same campaign with a shared folder of its own."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        for path in (folder / "config.toml", folder / "work" / "store.json"):
            path.write_text(path.read_text().replace(str(self.folder), str(folder)))
        return StoredScene(folder)


def photo(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "PNG")
    return data.getvalue()


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Mails:
    """Two mails: a film, and a photo with a text."""
    film = make(
        tmp_path_factory.mktemp("film"),
        "film.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=30:d=0.5"),
        *("-f", "lavfi", "-i", "sine=d=0.5", "-preset", "ultrafast", "-c:a", "aac"),
    )
    return {"film": {"film.mp4": film}, "photo": {"red.png": photo("red"), "note.txt": b"hello"}}


def started(folder: Path, mails: Mails, store: str) -> StoredScene:
    """A campaign in *folder* whose inbox has the mails."""
    text = config(f'[workspace]\nstore = "{store}"\n{_SETTINGS}', outputs=_OUTPUT)
    return StoredScene(begin(folder, mails, text).folder)


@pytest.fixture(scope="module")
def local(mails: Mails, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The campaign without a store, after a run and a render."""
    scene = started(tmp_path_factory.mktemp("local"), mails, "")
    assert scene.footage("run").code == 0
    assert scene.footage("render").code == 0
    return scene.folder


@pytest.fixture(scope="module")
def stored(mails: Mails, tmp_path_factory: pytest.TempPathFactory) -> StoredScene:
    """The campaign with a shared folder; copy it to change it."""
    folder = tmp_path_factory.mktemp("stored")
    scene = started(folder, mails, f"file://{folder}/shared")
    assert scene.footage("run").code == 0
    assert scene.footage("render").code == 0
    return scene


def test_a_store_changes_no_byte_of_clips_and_films(
    local: Path,
    stored: StoredScene,
    object_server: ObjectServer,
    mails: Mails,
    tmp_path: Path,
) -> None:
    prefix = tmp_path.name
    scene = started(tmp_path, mails, f"s3://{BUCKET}/{prefix}")
    said = scene.footage("run")
    assert said.code == 0, said.err
    assert scene.footage("render").code == 0
    assert scene.here == stored.here == set()
    there = object_server.objects(prefix)
    shared = {key: (stored.shared / key).read_bytes() for key in stored.keys}
    for bytes_by_key in (there, shared):
        bytes_by_key.pop("workspace.json")
    assert there == shared
    alone = CommandScene(local)
    assert scene.rows.keys() == alone.rows.keys()
    for name, row in alone.rows.items():
        assert scene.rows[name]["outputs"] == row["outputs"]
        assert scene.rows[name]["metadata"] == row["metadata"]
    film = Path("montage", "montage-small.mp4")
    assert (scene.work / film).read_bytes() == (alone.work / film).read_bytes()
    digests = {hashlib.sha256(data).hexdigest() for data in there.values()}
    assert hashlib.sha256((scene.work / film).read_bytes()).hexdigest() in digests
    said = scene.footage("doctor", "--json")
    assert {"name": "store", "ok": True, "text": f"s3://{BUCKET}/{prefix} keeps its promises"} in (
        said.data["checks"]
    )
    said = scene.footage("verify")
    assert said.code == 0, said.err


def test_a_second_run_makes_nothing_again(stored: StoredScene, tmp_path: Path) -> None:
    scene = stored.copied(tmp_path)
    keys, programs = scene.keys, len(scene.programs())
    assert scene.footage("run").code == 0
    assert scene.footage("status", "--json").data["outdated"] == []
    assert (scene.keys, len(scene.programs()), scene.here) == (keys, programs, set())


def test_the_review_streams_from_the_store(stored: StoredScene) -> None:
    clip = stored.clip("film.mp4")
    data = (stored.shared / clip.key).read_bytes()
    with serving(configuration.load(stored.folder / "config.toml")) as server:
        client = Client(server)
        assert client.ask("GET", f"/{clip.path}")[::2] == (200, data)
        part = client.ask("GET", f"/{clip.path}", Range="bytes=10-19")
        assert part[::2] == (206, data[10:20])
        status, _, still = client.ask("GET", f"/{still_of(clip).path}")
        assert (status, still) == (200, (stored.shared / still_of(clip).key).read_bytes())
        assert client.ask("GET", f"/clips/{'0' * 64}/small.mp4")[0] == 404
    thumb = stored.work / "report" / "thumbs" / f"{stored.rows['film.mp4']['sha256']}.jpg"
    assert thumb.read_bytes() == still


def test_what_goes_out_has_the_clips_in_it(stored: StoredScene, tmp_path: Path) -> None:
    """A pack for a reviewer, and a timeline for an editing program, which can't open a store."""
    scene = stored.copied(tmp_path / "campaign")
    clip = scene.clip("film.mp4")
    data = (scene.shared / clip.key).read_bytes()
    said = scene.footage("report", "--pack", str(tmp_path / "pack.zip"))
    assert said.code == 0, said.err
    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        assert pack.read(f"pack/{clip.path}") == data
        assert f"pack/{still_of(clip).path}" in pack.namelist()
    said = scene.footage("export", "--format", "edl")
    assert said.code == 0, said.err
    edl = (scene.work / "montage" / "montage-small.edl").read_text()
    paths = [Path(url) for url in re.findall(r"file://(\S+)", edl)]
    assert data in [path.read_bytes() for path in paths]
    assert scene.here == set()
    # a worker that was believed changes a still afterwards, to one that is a picture too
    (scene.shared / still_of(clip).key).write_bytes(
        (scene.shared / still_of(scene.clip("red.png")).key).read_bytes()
    )
    said = scene.footage("report", "--pack", str(tmp_path / "other.zip"))
    assert said.code == 1
    assert f"other bytes than it was given for {still_of(clip).key}" in said.err
    assert not (tmp_path / "other.zip").exists()
    found = scene.footage("verify", "--json").data["verify"]["differences"]
    assert [(each["kind"], each["path"]) for each in found] == [("still-changed", clip.path)]
    assert scene.footage("doctor", "--repair").code == 0
    assert scene.keys.isdisjoint({clip.key, still_of(clip).key})


def test_a_lost_still_is_said_and_made_again(stored: StoredScene, tmp_path: Path) -> None:
    """As a lost clip is: by the night itself, and by a render."""
    scene = stored.copied(tmp_path)
    film, red = (scene.shared / still_of(scene.clip(name)).key for name in ("film.mp4", "red.png"))
    right = (film.read_bytes(), red.read_bytes())
    film.unlink()
    red.write_bytes(right[0])
    (scene.work / "stills.json").unlink()
    said = scene.footage("run")
    assert said.code == 0, said.err
    assert "process: the film or the still of 1 finished clip is gone; made again" in said.err
    assert "is gone or was changed; its clip is made again" in said.err
    assert (film.read_bytes(), red.read_bytes()) == right
    red.unlink()
    film.write_bytes(right[1])
    (scene.work / "montage" / "montage-small.mp4").unlink()
    said = scene.footage("render")
    assert said.code == 0, said.err
    assert (film.read_bytes(), red.read_bytes()) == right
    assert scene.footage("verify").code == 0
    # without the original it is said, and nothing is deleted
    red.write_bytes(right[0])
    sha256 = scene.rows["red.png"]["sha256"]
    (scene.shared / original(sha256).key).unlink()
    (scene.work / "stills.json").unlink()
    said = scene.footage("report")
    assert said.code == 0, said.err
    assert f"the still of {sha256[:12]} is gone or was changed; it can't be made" in said.err
    assert red.read_bytes() == right[0]


def test_taking_back_leaves_nothing_in_the_store(stored: StoredScene, tmp_path: Path) -> None:
    scene = stored.copied(tmp_path)
    assert scene.footage("export", "--format", "edl").code == 0
    sha256 = scene.rows["film.mp4"]["sha256"]
    would = scene.footage("withdraw", "--clip", sha256, "--dry-run", "--json").data["withdraw"]
    assert f"file://{scene.shared}/{original(sha256).key}" in would["deleted"]
    film = (scene.work / "montage" / "montage-small.mp4").read_bytes()
    assert film in [(scene.shared / key).read_bytes() for key in scene.keys]
    said = scene.footage("withdraw", "--clip", sha256)
    assert said.code == 0, said.err
    assert not [key for key in scene.keys if sha256 in key or key.startswith("montage/")]
    left = [path for path in scene.work.rglob("*") if sha256 in path.name]
    assert left == []
    assert not list((scene.work / "montage").glob("*-media/**/*.mp4"))
    kept = scene.keys
    (scene.shared / "montage").mkdir(exist_ok=True)
    (scene.shared / "montage" / f"montage-small-{'0' * 64}.mp4").write_bytes(b"refused to go")
    said = scene.footage("purge")
    assert (said.code, scene.keys) == (0, kept), said.err
    assert "purge: 1 leftover file deleted in the store" in said.err
    assert scene.footage("verify").code == 0
    assert scene.footage("render").code == 0
    assert len([key for key in scene.keys if key.startswith("montage/")]) == 1
    # workers of a killed run that were late, with that clip, a piece and a crossfade of it, and
    # with a clip and a crossfade as they were before the clip got a mask
    before, seam = scene.keys, f"cache/seams/{'0' * 16}-{sha256[:16]}-{'1' * 32}"
    other = scene.rows["red.png"]["sha256"]
    late = [f"clips/{sha256}/small", f"clips/{sha256}/.0-movie", seam, f"clips/{other}/small"]
    late += [f"cache/seams/{other[:16]}-{'0' * 16}-card-{'1' * 32}"]
    for name in late:
        path = scene.shared / f"{name}-{'0' * 64}.mp4"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"late")
    back = scene.shared / original(sha256).key
    back.parent.mkdir(exist_ok=True)
    back.write_bytes(b"of a withdrawal that was cut")
    said = scene.footage("run")
    assert (said.code, scene.keys) == (0, before), said.err
    assert "process: 5 files deleted in the store: of footage that was taken back" in said.err


def test_new_masks_leave_no_older_picture_in_the_store(stored: StoredScene, tmp_path: Path) -> None:
    scene = stored.copied(tmp_path)
    clip, film = scene.clip("red.png"), scene.work / "montage" / "montage-small.mp4"
    sha256 = scene.rows["red.png"]["sha256"]
    mask = {"points": [{"at_s": 0, "x": 0.2, "y": 0.2, "width": 0.5, "height": 0.5}]}
    entry = {"sha256": sha256, "decision": "approved", "masks": [mask]}
    wanted = {"schema": 1, "campaign": "River Week 2026", "decisions": [entry]}
    (tmp_path / "decisions.json").write_text(json.dumps(wanted))
    assert scene.footage("decide", str(tmp_path / "decisions.json"), "--by", "Ada").code == 0
    # the store gives wrong bytes for the original: the only clip of it must not be deleted
    path = scene.shared / original(sha256).key
    path.write_bytes(b"damaged" + (data := path.read_bytes()))
    said = scene.footage("run")
    assert f"{sha256[:12]} does not have the bytes any more that were received, so" in said.err
    assert {clip.key, still_of(clip).key} <= scene.keys
    assert scene.rows["red.png"]["status"] == "accepted"
    # what shows the clip without its mask goes all the same
    assert f"montage/{film.name} is out of date: it may show" in said.err
    assert not [key for key in scene.keys if key.startswith("montage/")]
    assert {path.suffix for path in film.parent.iterdir()} & {".jpg"} == set()
    path.write_bytes(data)
    said = scene.footage("run")
    assert said.code == 0, said.err
    assert scene.clip("red.png").sha256 != clip.sha256
    assert scene.keys.isdisjoint({clip.key, still_of(clip).key})
    assert scene.footage("render").code == 0
    assert film.with_suffix(".sheet.jpg").exists()
    assert len([key for key in scene.keys if key.startswith("montage/")]) == 1


def test_old_originals_leave_the_store_too(stored: StoredScene, tmp_path: Path) -> None:
    scene = stored.copied(tmp_path)
    text = (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(
        text.replace("[workspace]\n", "[workspace]\nretain_originals_days = 0\n")
    )
    sha256 = scene.rows["red.png"]["sha256"]
    scene.footage("keep", sha256[:12], "--why", "asked for by a court")
    said = scene.footage("purge")
    assert said.code == 0, said.err
    assert [key for key in scene.keys if key.startswith("originals/")] == [original(sha256).key]
    # a purge that was cut between the ledger and the store
    purged = original(scene.rows["film.mp4"]["sha256"])
    (scene.shared / purged.key).write_bytes(b"left")
    assert scene.footage("purge").code == 0
    assert purged.key not in scene.keys
    assert scene.footage("verify").code == 0


def test_differences_are_found_and_repaired(stored: StoredScene, tmp_path: Path) -> None:
    scene = stored.copied(tmp_path)
    clip, other = scene.clip("film.mp4"), scene.clip("red.png")
    film = (scene.shared / clip.key).read_bytes()
    (scene.shared / clip.key).write_bytes(b"changed")
    (scene.shared / other.key).unlink()
    stray = scene.shared / other.folder / f"small-{'0' * 64}.mp4"
    stray.write_bytes(b"stray")
    adopted = photo("green")
    unknown = original(hashlib.sha256(adopted).hexdigest())
    (scene.shared / unknown.folder).mkdir(exist_ok=True)
    (scene.shared / unknown.key).write_bytes(adopted)
    (copy,) = scene.shared.glob("montage/montage-small-*.mp4")
    older = copy.rename(copy.with_name("montage-older-" + copy.name[-68:]))
    said = scene.footage("verify", "--json")
    assert sorted(each["kind"] for each in said.data["verify"]["differences"]) == [
        *("clip-changed", "clip-missing", "clip-unknown", "film-unknown", "original-unknown")
    ]
    said = scene.footage("doctor", "--repair")
    assert said.code == 0, said.err
    assert not stray.exists()
    assert not older.exists()
    assert scene.footage("run").code == 0
    said = scene.footage("verify")
    assert said.code == 0, said.err
    assert (scene.shared / clip.key).read_bytes() == film
    assert (scene.shared / unknown.key).read_bytes() == adopted
    assert scene.here == set()


def test_a_changed_original_is_set_aside_and_not_lost(stored: StoredScene, tmp_path: Path) -> None:
    scene = stored.copied(tmp_path)
    sha256 = scene.rows["film.mp4"]["sha256"]
    (scene.shared / original(sha256).key).write_bytes(b"changed")
    states = {each["path"]: each["state"] for each in _files(scene, sha256)}
    assert states == {original(sha256).path: "changed", scene.clip("film.mp4").path: "as recorded"}
    said = scene.footage("doctor", "--repair")
    assert said.code == 0, said.err
    (aside,) = (scene.work / "originals" / "changed").iterdir()
    assert aside.read_bytes() == b"changed"
    assert original(sha256).key not in scene.keys
    states = {each["path"]: each["state"] for each in _files(scene, sha256)}
    assert states[original(sha256).path] == "not there"


def test_what_is_not_sent_to_the_store_is_said(stored: StoredScene, tmp_path: Path) -> None:
    scene = stored.copied(tmp_path)
    sha256 = scene.rows["film.mp4"]["sha256"]
    path = scene.work / original(sha256).path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"of somebody else")
    said = scene.footage("ingest")
    sentence = f"{original(sha256).path} does not have the bytes that came in"
    assert (said.code, sentence in said.err) == (0, True)
    assert scene.footage("status", "--json").data["not_stored"] == [original(sha256).path]
    assert sentence in scene.footage("status").out
    assert scene.footage("report").code == 0
    report = json.loads((scene.work / "report" / "report.json").read_text())
    assert report["not_stored"] == [original(sha256).path]
    path.unlink()
    assert scene.footage("ingest").code == 0
    assert scene.footage("status", "--json").data["not_stored"] == []


def _files(scene: StoredScene, sha256: str) -> list[dict[str, str]]:
    said = scene.footage("custody", "--clip", sha256, "--json")
    assert said.code == 0, said.err
    files: list[dict[str, str]] = said.data["custody"]["files"]
    return files


def test_a_store_that_stays_away_costs_nothing(
    mails: Mails,
    object_server: ObjectServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The night ends in good order, and the next one goes on."""
    monkeypatch.setattr("pipeline.store.cloud._PATIENCE_S", 0.3)
    scene = started(tmp_path, mails, f"s3://{BUCKET}/{tmp_path.name}")
    assert scene.footage("ingest").code == 0
    kept = object_server.objects(f"{tmp_path.name}/originals")
    (scene.folder / "inbox" / "002.eml").write_bytes(
        (scene.folder / "inbox" / "001.eml").read_bytes().replace(b"<1@", b"<2@")
    )
    late = begin(tmp_path / "late", {"late": {"blue.png": photo("blue")}}).folder / "inbox"
    shutil.copy(late / "000.eml", scene.folder / "inbox" / "003.eml")
    object_server.refuses = lambda _: True
    try:
        said = scene.footage("run")
    finally:
        object_server.refuses = None
    assert said.code == 1
    assert "nothing is lost, run again" in said.err
    blue = hashlib.sha256(photo("blue")).hexdigest()
    assert original(blue).path in scene.here
    assert object_server.objects(f"{tmp_path.name}/originals") == kept
    said = scene.footage("run")
    assert said.code == 0, said.err
    assert scene.here == set()
    assert original(blue).key in object_server.objects(tmp_path.name)
    assert scene.rows["blue.png"]["status"] == "accepted"
    assert scene.footage("verify").code == 0


def test_a_run_that_was_killed_leaves_no_object_that_nobody_knows(
    stored: StoredScene, tmp_path: Path
) -> None:
    scene = stored.copied(tmp_path)
    keys, clip = scene.keys, scene.clip("film.mp4")
    sha256 = scene.rows["film.mp4"]["sha256"]
    with Ledger(scene.work / "ledger.db") as ledger:
        ledger.clips.forget([sha256])  # killed between publishing and recording
    # killed while an original was made into a clip, and while another clip was sent
    shutil.copy(scene.shared / original(sha256).key, scene.work / original(sha256).folder)
    other = scene.clip("red.png")
    (scene.work / other.folder).mkdir()
    shutil.copy(scene.shared / other.key, scene.work / other.path)
    (scene.shared / other.key).unlink()
    old = scene.shared / clip.folder / f"small-{'0' * 64}.mp4"
    old.write_bytes(b"of an older recipe")
    said = scene.footage("run")
    assert said.code == 0, said.err
    assert (scene.keys, scene.here) == (keys, set())


def test_a_workspace_stays_with_its_store(stored: StoredScene, tmp_path: Path) -> None:
    """Another address in the configuration would make all footage look lost."""
    scene = stored.copied(tmp_path)
    path = scene.folder / "config.toml"
    text = path.read_text()
    for other in ("", f"file://{tmp_path}/elsewhere"):
        path.write_text(text.replace(f"file://{scene.shared}", other))
        said = scene.footage("run")
        assert (said.code, "the footage of this workspace is in" in said.err) == (2, True)
    path.write_text(text)
    (scene.work / "store.json").unlink()
    said = scene.footage("run")
    assert (said.code, "belongs to another workspace" in said.err) == (1, True)
    last = next(line for line in scene.footage("status").out.splitlines() if "Last night" in line)
    assert f"exit 1: the store file://{scene.shared} belongs to another workspace" in last


def test_two_copies_of_a_workspace_do_not_use_one_store(
    stored: StoredScene, tmp_path: Path
) -> None:
    """Each would delete clips of the other as those of an older recipe."""
    scene = stored.copied(tmp_path / "one")
    copy = StoredScene(tmp_path / "two")
    shutil.copytree(scene.work, copy.work)
    shutil.copy(scene.folder / "config.toml", copy.folder)
    assert scene.footage("report").code == 0
    keys = {key: (scene.shared / key).read_bytes() for key in scene.keys}
    for command in (("run",), ("verify",), ("doctor",)):
        said = copy.footage(*command)
        assert said.code == 1
        assert "another copy of this workspace has used the store" in said.err + said.out
    assert {key: (scene.shared / key).read_bytes() for key in scene.keys} == keys
    assert copy.footage("custody", "--clip", scene.rows["red.png"]["sha256"]).code == 0
    # the first machine is gone for good
    turn = json.loads((scene.shared / "workspace.json").read_text())["turn"]
    note = json.loads((copy.work / "store.json").read_text())
    (copy.work / "store.json").write_text(json.dumps(note | {"turn": turn}))
    assert copy.footage("report").code == 0
    assert scene.footage("report").code == 1
    # a command that was killed between the two notes
    (scene.shared / "workspace.json").write_text(
        json.dumps({"workspace": note["workspace"], "turn": turn})
    )
    assert copy.footage("report").code == 0


def test_an_empty_folder_in_place_of_the_store_is_no_store(
    stored: StoredScene, tmp_path: Path
) -> None:
    """The shared folder is not mounted: nothing is written into the empty one, or called lost."""
    scene = stored.copied(tmp_path)
    away = scene.shared.rename(tmp_path / "away")
    scene.shared.mkdir(mode=0o700)
    withdraw = ("withdraw", "--clip", scene.rows["film.mp4"]["sha256"])
    for command in (("run",), ("verify",), ("doctor", "--repair"), withdraw, ("doctor",)):
        said = scene.footage(*command)
        assert said.code == 1, command
        assert "is it mounted?" in said.err + said.out
    assert list(scene.shared.iterdir()) == []
    scene.shared.rmdir()
    away.rename(scene.shared)
    assert scene.footage("verify").code == 0


@pytest.mark.parametrize("place", ["work", "work/originals", ".", "link"])
def test_a_store_in_its_own_workspace_is_refused(local: Path, tmp_path: Path, place: str) -> None:
    """Each file would be deleted as a copy of itself."""
    CommandScene(local).copy(tmp_path)
    path = tmp_path / "config.toml"
    (tmp_path / "link").symlink_to("work")
    path.write_text(path.read_text().replace('store = ""', f'store = "file://{tmp_path}/{place}"'))
    before = sorted(each.name for each in (tmp_path / "work" / "originals").rglob("*"))
    for command in ("doctor", "run"):
        said = StoredScene(tmp_path).footage(command)
        assert said.code != 0
        assert "choose a folder elsewhere" in said.err + said.out
    assert sorted(each.name for each in (tmp_path / "work" / "originals").rglob("*")) == before


def test_a_withdrawn_original_that_is_back_on_the_disk_gives_no_clip(
    local: Path, tmp_path: Path
) -> None:
    """A clip that an older version made of it is found and deleted."""
    scene = CommandScene(local).copy(tmp_path)
    original_of = next((tmp_path / "work" / "originals").glob("??/*"))
    data = original_of.read_bytes()
    with Ledger(scene.work / "ledger.db") as ledger:
        known = ledger.clips.results()
    assert scene.footage("withdraw", "--clip", original_of.name).code == 0
    original_of.parent.mkdir(exist_ok=True)
    original_of.write_bytes(data)
    assert scene.footage("run").code == 0
    made = tmp_path / "work" / "clips" / original_of.name
    assert not made.exists()
    with Ledger(scene.work / "ledger.db") as ledger:
        ledger.clips.record(known[original_of.name])
    made.mkdir()
    (made / "small.mp4").write_bytes(b"of a withdrawn person")
    said = scene.footage("doctor", "--repair")
    assert (made.exists(), original_of.exists()) == (False, False), said.err


def test_a_workspace_can_move_into_a_store(local: Path, tmp_path: Path) -> None:
    """Footage that lies in the workspace is sent with the next run."""
    CommandScene(local).copy(tmp_path)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace('store = ""', f'store = "file://{tmp_path}/shared"'))
    scene = StoredScene(tmp_path)
    programs = len(scene.programs())
    said = scene.footage("run")
    assert said.code == 0, said.err
    assert (scene.here, len(scene.programs())) == (set(), programs)
    assert scene.clip("film.mp4").key in scene.keys
    assert still_of(scene.clip("film.mp4")).key in scene.keys
    assert scene.footage("verify").code == 0


def refused_once(patch: pytest.MonkeyPatch, wanted: str) -> list[str]:
    """Have a bucket refuse to delete an object once; what was refused."""
    usual, refused = CloudBucket.delete, list[str]()

    def delete(bucket: CloudBucket, key: str) -> None:
        if key == wanted and not refused:
            refused.append(key)
            raise StoreError("refused; nothing is lost, run again")
        usual(bucket, key)

    patch.setattr(CloudBucket, "delete", delete)
    return refused


def test_footage_moves_to_another_store_and_back_to_the_disk(
    stored: StoredScene,
    object_server: ObjectServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A move that is cut off goes on, and nothing is left behind, or lost, or made again."""
    monkeypatch.setattr("pipeline.store.cloud._PATIENCE_S", 0.1)
    scene = stored.copied(tmp_path)
    path, programs = scene.folder / "config.toml", len(scene.programs())
    # an older ledger may not know the newest clips, so nothing is deleted by it
    newer = f"{scene.clip('red.png').folder}small-{'0' * 64}.mp4"
    (scene.shared / newer).write_bytes(b"of a newer ledger")
    head = scene.work / "heads" / "20990101.txt"
    head.write_text(f"999999:{'0' * 64}\n")
    kept = {key: (scene.shared / key).read_bytes() for key in scene.keys}
    footage = {key: data for key, data in kept.items() if key.split("/")[0] in FOLDERS}

    def moves_to(store: str) -> int:
        """Move while the store goes away after some requests; return how often it had to go on."""
        path.write_text(re.sub('store = ".*"', f'store = "{store}"', path.read_text()))
        for command in ("run", "doctor"):
            said = scene.footage(command)
            assert said.code != 0
            assert "or move the footage with: footage move" in said.err + said.out
        times = 0
        while True:
            most = object_server.requests + 15 * (times + 1)
            object_server.refuses = most.__lt__
            said = scene.footage("move")
            object_server.refuses = None
            if said.code == 0:
                return times
            assert "nothing is lost, run again" in said.err
            assert scene.footage("run").code == 2
            times += 1
            assert times < 9, said.err

    beyond = f"s3://{BUCKET}/{tmp_path.name}"
    assert moves_to(beyond) > 0
    assert scene.keys == set()
    there = object_server.objects(tmp_path.name)
    assert {key: there[key] for key in there.keys() & footage.keys()} == footage
    assert there.keys() - footage.keys() == {"workspace.json"}
    head.unlink()
    assert scene.footage("purge").code == 0
    del footage[newer]
    assert scene.footage("verify").code == 0
    assert scene.footage("move").code == 2

    refused = refused_once(monkeypatch, OWNER)  # the last request of all
    assert moves_to("") > 0
    assert refused == [OWNER]
    assert object_server.objects(tmp_path.name) == {}
    assert not (scene.work / "store.json").exists()
    here = {publishing.sha256_of(each) for each in scene.work.rglob("*") if each.is_file()}
    assert {hashlib.sha256(data).hexdigest() for data in footage.values()} <= here
    assert scene.footage("verify").code == 0
    said = scene.footage("run")
    assert (said.code, len(scene.programs())) == (0, programs), said.err
    assert scene.footage("move").code == 2


def test_the_workspace_has_no_secret(stored: StoredScene) -> None:
    """Credentials come from the environment and go nowhere."""
    for path in stored.work.rglob("*"):
        if path.is_file():
            assert b"secret-for-the-tests" not in path.read_bytes()
    assert set(json.loads((stored.work / "store.json").read_text())) == {
        *("url", "workspace", "is_confirmed", "turn", "next", "left", "is_left_empty")
    }
