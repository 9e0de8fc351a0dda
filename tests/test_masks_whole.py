"""From a decision with a moving mask, a muted stretch and a cut to the film, and back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from support.clip_scene import pictures, samples
from support.command_scene import CommandScene, begin, config, make
from support.review_server import Client, serving

from pipeline import config as configuration

SETTINGS = (
    '[review]\nrequired = true\n[montage]\nopening_card = ""\nclosing_card = false\n'
    "transition_seconds = 0.2\n"
)
OUTPUT = '[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\nquality = "draft"\n'
MASKS = [
    {
        "points": [
            {"at_s": 0, "x": 0.1, "y": 0.4, "width": 0.2, "height": 0.3},
            {"at_s": 2, "x": 0.7, "y": 0.4, "width": 0.2, "height": 0.3},
        ]
    }
]
HIDDEN: dict[str, Any] = {
    "masks": MASKS,
    "sounds": [{"kind": "mute", "from_s": 0.8, "to_s": 1.2}],
    "in_s": 0.4,
    "out_s": 1.6,
}

OUT_OF_DATE = "montage/montage-small.mp4 is out of date: it may show"


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """Two films of gray with a magenta square that moves, and a tone; both in a montage."""
    folder = tmp_path_factory.mktemp("masked")
    films = {}
    for name, hz in (("one", 500), ("two", 600)):
        moving = "color=gray:s=128x72:r=25:d=2,format=yuv444p[g];color=magenta:s=20x16:r=25:d=2[m]"
        picture = f"{moving};[g][m]overlay=x='16+t*38.4':y=30:format=yuv444,format=yuv420p"
        inputs = ("-filter_complex", picture, "-f", "lavfi", "-i", f"sine=f={hz}:d=2")
        films[f"{name}.mp4"] = make(folder, f"{name}.mp4", *inputs, "-c:v", "libx264")
    scene = begin(folder, {"films": films}, config(SETTINGS, outputs=OUTPUT))
    assert scene.footage("run").code == 0
    shas = [scene.rows[name]["sha256"] for name in films]
    assert scene.footage("approve", *shas, "--by", "Ada").code == 0
    assert scene.footage("render").code == 0
    assert scene.footage("render", "--preview", "--seconds", "1").code == 0
    return scene


@pytest.fixture
def scene(processed: CommandScene, tmp_path: Path) -> CommandScene:
    return processed.copy(tmp_path)


def decide(scene: CommandScene, name: str, by: str, **fields: Any) -> dict[str, Any]:
    """Take a decisions file with one entry; returns what was said of it."""
    entry = {"sha256": scene.rows[name]["sha256"], "decision": "approved", "by": by, **fields}
    path = scene.folder / "decisions.json"
    data = {"schema": 1, "campaign": "River Week 2026", "decisions": [entry]}
    path.write_text(json.dumps(data))
    said = scene.footage("decide", str(path), "--json")
    assert scene.footage("report").code == 0
    return said.data


def automate(scene: CommandScene) -> None:
    """Let each night make the film."""
    path = scene.folder / "config.toml"
    path.write_text(path.read_text().replace("[montage]", "[montage]\nautomatic = true"))


def admitted(scene: CommandScene) -> int:
    """How many clips go into the film."""
    return int(scene.footage("status", "--json").data["admitted"])


def magenta(picture: Any) -> int:
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    return int((np.minimum(red, blue) - green).max())


def shown(path: Path) -> list[int]:
    """How magenta each picture of a file is."""
    if path.suffix == ".mp4":
        return [magenta(picture) for picture in pictures(path)]
    with av.open(str(path)) as container:
        return [magenta(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def hides_it(path: Path) -> bool:
    return max(shown(path)) < 40


def test_what_is_hidden_is_in_no_file_but_originals(scene: CommandScene) -> None:
    film = scene.work / "montage" / "montage-small.mp4"
    one, two = (scene.rows[name]["sha256"] for name in ("one.mp4", "two.mp4"))
    assert not hides_it(film)
    decide(scene, "one.mp4", "Ada", **HIDDEN)
    decide(scene, "two.mp4", "Ada", masks=MASKS)
    status = scene.footage("status").out
    assert "stale: render again" in status

    # a night makes the film by itself, but this command does not
    automate(scene)
    before = len(scene.programs())
    said = scene.footage("process")
    assert said.code == 0
    assert OUT_OF_DATE in said.err
    encodes = [each for each in scene.programs()[before:] if each["purpose"] == "encode"]
    assert len(encodes) == 2
    files = [
        *scene.work.glob("clips/*/*"),
        *scene.work.rglob("thumbs/*"),
        *scene.work.rglob("seams/*"),
    ]
    assert {path.suffix for path in files} == {".mp4", ".jpg"}
    assert all(map(hides_it, files))
    assert not list(film.parent.glob("*-preview*"))

    said = scene.footage("render")
    assert (said.code, OUT_OF_DATE in said.err) == (0, False)
    assert "stale" not in scene.footage("status").out
    media = {".mp4", ".jpg", ".png"}
    made = [path for path in scene.work.rglob("*") if path.suffix in media]
    assert {path.name for path in made} >= {"montage-small.mp4", "montage-small.jpg"}
    assert all(hides_it(path) for path in made if "cache/captions" not in str(path))

    # 1.2 s of the first, 2 s of the second, and 0.2 s that they share
    assert len(pictures(film)) == 75
    sound = abs(samples(film)).max(1)
    assert sound[int(0.42 * 48000) : int(0.78 * 48000)].max() < 0.01
    assert sound[int(0.1 * 48000) : int(0.35 * 48000)].max() > 0.05

    said = scene.footage("withdraw", "--clip", one)
    assert said.code == 0
    assert not [path for path in scene.work.rglob("*") if one in str(path)]
    assert two in str(list(scene.work.glob("clips/*")))


def test_a_mask_that_comes_after_the_film_leaves_no_old_clip_in_a_store(
    scene: CommandScene, tmp_path: Path
) -> None:
    """The review, a pack and the copies beside a timeline show the new clips only."""
    store, pack = tmp_path / "shared", tmp_path / "pack"
    text = config(f'[workspace]\nstore = "file://{store}"\n{SETTINGS}', outputs=OUTPUT)
    (scene.folder / "config.toml").write_text(text)
    assert scene.footage("run").code == 0
    assert scene.footage("export", "--format", "edl").code == 0

    def bare() -> set[str]:
        """What shows what is hidden, by the folder and the name that it begins with."""
        places = [path for top in (scene.work, store, pack) for path in top.rglob("*.[mj]p[4g]")]
        return {f"{path.parts[-2]}/{path.name[:13]}" for path in places if not hides_it(path)}

    shas = [scene.rows[name]["sha256"] for name in ("one.mp4", "two.mp4")]
    assert bare() >= {f"{sha256}/small.mp4" for sha256 in shas}, "the copies beside the timeline"
    for name in ("one.mp4", "two.mp4"):
        decide(scene, name, "Ada", masks=MASKS)
    assert scene.footage("process").code == 0
    assert scene.footage("report", "--pack", str(pack)).code == 0
    assert len(list(pack.rglob("*.mp4"))) == 2
    assert bare() == {"montage/montage-small"}
    (film,) = scene.footage("status", "--json").data["montages"]
    assert film["stale"]
    with serving(configuration.load(scene.folder / "config.toml")) as server:
        client = Client(server)
        for sha256 in shas:
            (new,) = store.glob(f"clips/{sha256}/*.mp4")
            path = f"/clips/{sha256}/small.mp4"
            assert client.ask("GET", path, Range="bytes=100-")[2] == new.read_bytes()[100:]
            still = client.ask("GET", path.replace("mp4", "jpg"))[2]
            assert still == new.with_suffix(".jpg").read_bytes()
    assert scene.footage("render").code == 0
    assert bare() == set()


def test_a_clip_that_can_not_get_its_masks_stays_out(scene: CommandScene) -> None:
    sha256, two = (scene.rows[name]["sha256"] for name in ("one.mp4", "two.mp4"))
    decide(scene, "one.mp4", "Ada", masks=MASKS)
    (scene.work / "originals" / sha256[:2] / sha256).unlink()
    with closing(sqlite3.connect(scene.work / "ledger.db")) as db, db:
        db.execute("UPDATE original SET state = 'purged' WHERE sha256 = ?", (sha256,))
        db.execute("UPDATE clip SET looks_like = ? WHERE sha256 = ?", (sha256[:12], two))
    said = scene.footage("render", "--json")
    assert said.data["render"][0]["clips"] == 1
    assert f"new masks, left out: 1 ({sha256[:12]})" in said.err
    status = scene.footage("status").out
    assert "1 clip approved, but without the new masks, and can't be made anew: the orig" in status
    assert "(footage process)" not in status
    assert f"1 of them hides less than a clip that looks the same ({two[:12]})" in status
    assert f"hide less than a clip that looks the same: 1 ({two[:12]})" in said.err
    said = scene.footage("approve", two, "--by", "Ben")
    assert f"{two[:12]} hides less than {sha256[:12]}, which looks the same" in said.err
    assert scene.footage("report").code == 0
    assert scene.rows["one.mp4"]["original_deleted"]
    assert f"bare-lookalike:{sha256[:12]}" in scene.rows["two.mp4"]["warnings"]
    assert hides_it(scene.work / "clips" / sha256 / "small.mp4") is False

    automate(scene)
    with closing(sqlite3.connect(scene.work / "ledger.db")) as db, db:
        db.execute("UPDATE clip SET looks_like = ? WHERE sha256 = ?", (sha256[:12], two))
    said = scene.footage("process")
    assert f"hide less than a clip that looks the same: 1 ({two[:12]})" in said.err
    assert OUT_OF_DATE not in said.err
    decide(scene, "two.mp4", "Ada", masks=MASKS)
    assert scene.footage("hold", sha256, two, "--by", "Ada").code == 0
    said = scene.footage("run")
    assert OUT_OF_DATE in said.err, "no clip is admitted, so the film was not made again"


def test_two_people_agree_where_people_know_the_person(scene: CommandScene) -> None:
    said = decide(scene, "one.mp4", "Ada", masks=[MASKS[0] | {"fill": "blur"}], protect="known")
    assert "only solid masks" in json.dumps(said)
    decide(scene, "one.mp4", "Ada", masks=MASKS, protect="known", watched=True)
    review = scene.rows["one.mp4"]["review"]
    assert review["agreed_by"] == ["Ada"]
    assert "seen_by" not in review, "nobody has seen it with its masks"
    assert review["masks"][0]["by"] == "Ada"
    sha256 = scene.rows["one.mp4"]["sha256"]
    assert admitted(scene) == 1
    assert "1 clip approved, but without the new masks yet" in scene.footage("status").out
    assert scene.footage("process").code == 0
    assert "1 clip approved, but a second person must" in scene.footage("status").out
    assert scene.footage("approve", sha256, "--by", "Ada").code == 0
    assert admitted(scene) == 1
    assert scene.footage("approve", sha256, "--by", "Ben").code == 0
    assert admitted(scene) == 2
    decide(scene, "one.mp4", "Cleo", needs=["ask-the-sender"])
    assert scene.rows["one.mp4"]["review"]["agreed_by"] == ["Ada", "Ben", "Cleo"]
    assert admitted(scene) == 1
    decide(scene, "one.mp4", "Cleo", needs=[], masks=[])
    assert scene.rows["one.mp4"]["review"]["agreed_by"] == ["Cleo"]
