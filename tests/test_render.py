"""A montage by copy: exact at any size, the same twice, whole whatever happens."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from support import render_scene
from support.command_scene import watch
from support.render_scene import Drawn, RenderScene, hashes, samples, sha
from support.resource_use import size, taken

from pipeline import publishing
from pipeline.ledger import Ledger
from pipeline.media import timebase
from pipeline.model import OriginalState

HERE = Path(__file__).parent
THREE = {"a": Drawn(0, 40, 300), "b": Drawn(1, 3, 500), "c": Drawn(2, 33, 700)}


def begin(folder: Path, montage: str = "", clips: dict[str, Drawn] | None = None) -> RenderScene:
    return render_scene.begin(folder, clips or THREE, montage)


def test_every_picture_is_its_clips(tmp_path: Path) -> None:
    scene = begin(tmp_path)
    told = scene.render()
    shown: list[str] = []
    for segment in scene.contents["segments"]:
        shown += hashes(scene.work / segment["path"])
    assert hashes(scene.film) == shown
    seen = watch(scene.film)
    assert (seen.frames, seen.even) == (told["frames"], True)
    assert told["frames"] == 90 + 40 + 3 + 33 + 90
    # the last frame of AAC is full
    assert 0 <= seen.samples - timebase.samples_of(told["frames"], 30) < 1024


def test_the_sound_is_that_of_the_clips_and_where_theirs_is(tmp_path: Path) -> None:
    scene = begin(tmp_path, 'opening_card = ""\nclosing_card = false\n')
    scene.render()
    heard = b""
    for segment in scene.contents["segments"]:
        heard += samples(scene.work / segment["path"], "0:a:1")
    assert len(heard) == 4 * timebase.samples_of(76, 30)
    wanted = np.frombuffer(heard, np.int16).astype(float)
    got = np.frombuffer(samples(scene.film, "0:a:0"), np.int16).astype(float)[: len(wanted)]
    # AAC is not exact, but it neither moves nor loses anything
    noise = np.sqrt(np.mean((wanted - got) ** 2)) / np.sqrt(np.mean(wanted**2))
    assert noise < 0.1
    shifted = np.sqrt(np.mean((wanted[:-4] - got[4:]) ** 2)) / np.sqrt(np.mean(wanted**2))
    assert shifted > noise * 1.5


def test_the_same_clips_give_the_same_bytes(tmp_path: Path) -> None:
    rooms = [begin(tmp_path / name, "transition_seconds = 0.3\n") for name in "ab"]
    for scene in rooms:
        scene.render()
    first, second = (scene.work / "montage" for scene in rooms)
    for path in sorted(first.iterdir()):
        assert publishing.sha256_of(path) == publishing.sha256_of(second / path.name), path.name


def test_rendering_again_starts_no_program(tmp_path: Path) -> None:
    scene = begin(tmp_path, "transition_seconds = 0.3\n")
    assert scene.render()["cached"] is False
    programs = len(scene.programs())
    assert scene.render()["cached"] is True
    assert len(scene.programs()) == programs


def test_a_missing_clip_is_named_and_the_old_montage_stays(tmp_path: Path) -> None:
    scene = begin(tmp_path)
    scene.render()
    before = {path.name: path.read_bytes() for path in (scene.work / "montage").iterdir()}
    scene.workspace.clip(sha("b"), "small").unlink()
    said = scene.footage("render")
    assert said.code == 1
    assert sha("b")[:12] in said.err
    assert "The old montage stays" in said.err
    after = {path.name: path.read_bytes() for path in (scene.work / "montage").iterdir()}
    assert after == before


def test_a_withdrawn_clip_that_the_order_names_is_left_out(tmp_path: Path) -> None:
    scene = begin(tmp_path, 'order = "order.txt"\n')
    (tmp_path / "order.txt").write_text(f"{sha('c')}\n{sha('a')[:9]}\n")
    scene.render()
    assert [s["sha256"] for s in scene.contents["segments"][1:-1]] == [sha("c"), sha("a")]
    with Ledger(scene.workspace.ledger) as ledger:
        ledger.custody.set_state(sha("c"), OriginalState.WITHDRAWN)
    said = scene.footage("render")
    assert said.code == 0
    assert "clips that the order file does not name: 1" in said.err
    assert [s["sha256"] for s in scene.contents["segments"][1:-1]] == [sha("a")]


def test_a_clip_that_was_cut_short_on_the_disk_is_noticed(tmp_path: Path) -> None:
    scene = begin(tmp_path)
    scene.render()
    before = scene.film.read_bytes()
    path = scene.workspace.clip(sha("a"), "small")
    data = path.read_bytes()
    path.unlink()  # a link to what other tests use
    path.write_bytes(data[: len(data) * 2 // 3])
    scene.configure('opening_card = "Another"\n')
    assert scene.footage("render").code == 1
    assert scene.film.read_bytes() == before
    assert list(scene.work.rglob("*.part")) == []


def test_a_thousand_clips_are_exact_and_take_little(tmp_path: Path) -> None:
    clips = {f"clip {n}": Drawn(n % 4, 2 + n % 2, 300 + 20 * (n % 7)) for n in range(1000)}
    scene = begin(tmp_path, clips=clips)
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "render",
        "--config",
        str(tmp_path / "config.toml"),
    ]
    montage, cache = scene.work / "montage", scene.work / "cache"
    took = taken([*command, "--quiet"], (montage, cache))
    assert took.code == 0, took.err
    seen = watch(scene.film)
    wanted = sum(drawn.frames for drawn in clips.values()) + 180
    assert (seen.frames, seen.even) == (wanted, True)
    assert 0 <= seen.samples - timebase.samples_of(wanted, 30) < 1024
    shown: list[str] = []
    for segment in scene.contents["segments"]:
        shown += _known(scene.work / segment["path"], segment["file_sha256"])
    assert hashes(scene.film) == shown
    assert took.memory <= 200_000_000
    assert took.disk <= 2 * (size(montage) + size(cache))


_hashes: dict[str, list[str]] = {}


def _known(path: Path, content: str) -> list[str]:
    if content not in _hashes:
        _hashes[content] = hashes(path)
    return _hashes[content]


@dataclass(frozen=True)
class Change:
    """A campaign with a montage, whose configuration asks for another, and what that is."""

    scene: RenderScene
    old: bytes
    new: bytes
    names: frozenset[str]


CHANGED = 'transition_seconds = 0.3\nopening_card = "Changed"\nclosing_card = false\n'


def changed(folder: Path) -> Change:
    """The montage has hard cuts and shall have crossfades, for which its clips are made."""
    reference = begin(folder / "reference", CHANGED)
    reference.render()
    scene = begin(folder / "scene", CHANGED)
    scene.configure('opening_card = ""\nclosing_card = false\n')
    scene.render()
    old, new = scene.film.read_bytes(), reference.film.read_bytes()
    assert old != new
    scene.configure(CHANGED)
    return Change(scene, old, new, frozenset(_names(reference)))


def killed(change: Change, folder: Path, where: str, nth: int) -> bool:
    """Kill a render in a copy; the old montage is whole or the new one is, and nothing is left.

    :returns: whether it was still at work; at a step it always is.
    """
    shutil.copytree(change.scene.folder, folder)
    scene = RenderScene(folder)
    ended = subprocess.run(
        [sys.executable, "-m", "support.kill_render", folder / "config.toml", where, str(nth)],
        cwd=HERE,
        check=False,
        capture_output=True,
        text=True,
    )
    dead = (-signal.SIGALRM, 0) if where == "at" else (-signal.SIGKILL,)
    assert ended.returncode in dead, ended.stderr
    assert scene.film.read_bytes() in (change.old, change.new)
    scene.render()
    assert scene.film.read_bytes() == change.new
    assert frozenset(_names(scene)) ^ change.names == frozenset(), sorted(_names(scene))
    return ended.returncode != 0


def _names(scene: RenderScene) -> Iterator[str]:
    for folder in ("montage", "cache"):
        for path in (scene.work / folder).rglob("*"):
            yield str(path.relative_to(scene.work))


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> Change:
    return changed(tmp_path_factory.mktemp("change"))


@pytest.mark.parametrize(
    ("where", "nth"),
    [
        ("before-program", 1),  # nothing is made yet
        ("after-publish", 2),  # the card and one crossfade are
        ("after-join", 1),  # the montage is whole and has no name yet
        ("after-publish", 5),  # it has its name, and the texts beside it are the old ones
        ("before-record", 1),
    ],
)
def test_killed_while_it_renders(change: Change, tmp_path: Path, where: str, nth: int) -> None:
    assert killed(change, tmp_path / "copy", where, nth)
