"""What stands beside a montage, its cards, and its preview."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from support import render_scene
from support.command_scene import watch
from support.render_scene import Drawn, RenderScene, sha

from pipeline.config import Output
from pipeline.console import Console, Verbosity
from pipeline.ffmpeg import made
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.render import cards, lettering, sheet, timeline
from pipeline.render.lettering import Words
from pipeline.run import Run
from pipeline.store import WorkspaceFolder
from pipeline.workspace import Workspace

CLIPS = {"a": Drawn(0, 60), "b": Drawn(1, 45), "c": Drawn(3, 33)}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> RenderScene:
    scene = render_scene.begin(
        tmp_path_factory.mktemp("beside"),
        CLIPS,
        "transition_seconds = 0.2\nchapter_cards = true\n",
        senders={"a": "ann@example.org", "b": "bob@example.org", "c": "ann@example.org"},
        categories={"a": "photo-action", "c": "photo-action", "b": "boats"},
    )
    for name, colour in zip("abc", ("red", "green", "blue"), strict=True):
        still = scene.workspace.clip(sha(name), "small", ".jpg")
        Image.new("RGB", (160, 90), colour).save(still)
    scene.render()
    return scene


def beside(scene: RenderScene, suffix: str) -> Path:
    return scene.film.with_suffix(suffix)


def test_chapters_stand_before_the_clips_of_a_category(scene: RenderScene) -> None:
    segments = scene.contents["segments"]
    titles = [segment["title"] for segment in segments]
    assert titles == ["Opening", "Photo action", "Clip 1", "Clip 2", "Boats", "Clip 3", "Closing"]
    shas = [segment["sha256"] for segment in segments if segment["kind"] == "clip"]
    assert shas == [sha("a"), sha("c"), sha("b")]
    assert watch(scene.film).frames == 90 + 60 + 60 + 33 + 60 + 45 + 90 - 6 * 6
    chapters = beside(scene, ".chapters.txt").read_text().splitlines()
    assert chapters[:3] == ["00:00 Opening", "00:02 Photo action", "00:04 Clip 1"]


def test_the_checksums_are_those_of_the_files(scene: RenderScene) -> None:
    lines = beside(scene, ".sha256").read_text().splitlines()
    named = dict(line.split("  ")[::-1] for line in lines)
    there = {path.name for path in (scene.work / "montage").iterdir()}
    assert set(named) == there - {"montage-small.sha256"}
    for name, wanted in named.items():
        data = (scene.work / "montage" / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == wanted


def test_the_credits_name_senders_as_the_report_does(scene: RenderScene) -> None:
    lines = beside(scene, ".credits.txt").read_text().splitlines()
    assert lines[0] == f"00:04 Clip 1 · sender 1 (a…@e….org) · photo-action · {sha('a')[:12]}"
    assert [line.split(" · ")[1] for line in lines] == [
        "sender 1 (a…@e….org)",
        "sender 1 (a…@e….org)",
        "sender 2 (b…@e….org)",
    ]
    assert "ann@example.org" not in beside(scene, ".json").read_text()


def test_the_contact_sheet_shows_each_clip_in_its_place(scene: RenderScene) -> None:
    with Image.open(beside(scene, ".sheet.jpg")) as image:
        assert image.width == 800
        # in the order of the film: a, c, b
        for place, wanted in (((200, 110), "red"), ((600, 110), "blue"), ((200, 370), "green")):
            pixel = image.convert("RGB").getpixel(place)
            assert isinstance(pixel, tuple)
            strongest = max(range(3), key=lambda channel: pixel[channel])
            assert ("red", "green", "blue")[strongest] == wanted


def test_a_contact_sheet_of_thousands_is_still_a_picture(tmp_path: Path) -> None:
    scene = render_scene.begin(tmp_path, {})
    segment = timeline.Segment("Clip", "clips/none.mp4", "0", 5, "x", 0, 5, sha256="0")
    film = timeline.Timeline(scene.config.output[0], (segment,) * 3000, (0,) * 2999, "fade")
    width, height = sheet.layout(film).size
    assert width <= 2400
    assert height <= 3000


def test_a_still_that_is_gone_or_broken_moves_no_other(tmp_path: Path) -> None:
    """Nor does one of another size: the stills are put together by FFmpeg, one after the other."""
    scene = render_scene.begin(tmp_path, {})
    workspace = Workspace(scene.work)
    workspace.create()
    colours = {"0": "red", "1": None, "2": "lime", "3": "broken", "4": "blue"}
    for name, colour in colours.items():
        path = workspace.clip(name, "small", ".jpg")
        path.parent.mkdir()
        if colour == "broken":
            path.write_bytes(path.parent.with_name("2").joinpath("small.jpg").read_bytes()[:300])
        elif colour is not None:
            size = (128, 128) if colour == "lime" else (160, 90)
            Image.new("RGB", size, colour).save(path, "JPEG", subsampling=2)
    segments = [
        timeline.Segment("Clip", f"clips/{name}/small.mp4", "0", 5, "x", 0, 5, sha256=name)
        for name in colours
    ]
    film = timeline.Timeline(scene.config.output[0], tuple(segments), (0,) * 4, "fade")
    console = Console(Verbosity.QUIET)
    with Ledger(workspace.ledger) as ledger, made.scratch(workspace.cache) as scratch:
        runner = FfmpegRunner("auto", console)
        run = Run(scene.config, ledger, workspace, runner, console, WorkspaceFolder(workspace))
        part = sheet.make(run, film, scratch)
        with Image.open(part.file) as image:
            width, height = sheet.layout(film).cell
            places = ((n % 3 * width + width // 2, n // 3 * height + 50) for n in range(5))
            seen = [image.convert("RGB").getpixel(place) for place in places]
    wanted = [(255, 0, 0), (48, 54, 60), (0, 255, 0), (48, 54, 60), (0, 0, 255)]
    assert np.abs(np.array(seen) - np.array(wanted)).max() < 8


def test_a_lie_of_any_program_withholds_the_montage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each program in turn says that it has done its work, and left a FIFO."""
    settings = 'closing_card = false\n[process]\nsandbox = "none"\n'
    scene = render_scene.begin(tmp_path, {"a": Drawn(0, 30)}, settings)
    real = FfmpegRunner.run
    lying: list[str] = []

    def run(self: FfmpegRunner, purpose: str, argv: list[str], *rest: Any, **more: Any) -> Any:
        if purpose in lying:
            code = "import os, sys; os.unlink(sys.argv[1]); os.mkfifo(sys.argv[1])"
            argv = [sys.executable, "-I", "-S", "-c", code, str(rest[0].writes[0])]
        return real(self, purpose, argv, *rest, **more)

    monkeypatch.setattr(FfmpegRunner, "run", run)
    for purpose in ("card", "join", "still", "sheet"):
        lying[:] = [purpose]
        said = scene.footage("render")
        assert said.code == 1
        assert "gave a result that can't be right" in said.err
        assert list((scene.work / "montage").iterdir()) == []
    lying.clear()
    assert scene.footage("render").code == 0
    assert scene.film.is_file()
    assert list(scene.work.rglob("*.part")) == []


def test_a_preview_is_small_and_leaves_the_montage(scene: RenderScene) -> None:
    before = {path: path.read_bytes() for path in (scene.work / "montage").iterdir()}
    told = scene.render("--preview", "--seconds", "1.5", "--from", sha("c")[:10])
    path = scene.work / told["path"]
    assert path.name == "montage-small-preview.mp4"
    assert told["frames"] == 45 == watch(path).frames
    assert told["clips"] == 1
    path.unlink()
    assert {path: path.read_bytes() for path in (scene.work / "montage").iterdir()} == before
    whole = scene.render("--preview", "--seconds", "3600")
    assert whole["frames"] == scene.contents["frames"]
    (scene.work / whole["path"]).unlink()
    for wrong in (("--preview", "--from", "ffff"), ("--from", sha("c"))):
        assert scene.footage("render", *wrong).code == 2


def test_a_preview_of_a_large_film_is_scaled_down(tmp_path: Path) -> None:
    scene = render_scene.begin(
        tmp_path, {"a": Drawn(0, 3)}, 'opening_card = ""\nclosing_card = false\n'
    )
    text = (tmp_path / "config.toml").read_text().replace("160x90", "720x1280")
    (tmp_path / "config.toml").write_text(text)
    output = scene.config.output[0]
    made, (content, extradata) = render_scene.draw(Drawn(0, 3), output, 0)
    clip = scene.workspace.clip(sha("a"), "small")
    clip.unlink()
    clip.hardlink_to(made)
    render_scene.record(scene, "a", Drawn(0, 3), (content, extradata))
    path = scene.work / scene.render("--preview", "--seconds", "0.5")["path"]
    with av.open(str(path)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (360, 640)


def test_a_card_of_another_style_is_another_card(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 30), (255, 0, 0, 255)).save(tmp_path / "logo.png")
    style = '[montage.style]\nlogo = "logo.png"\nground = "#FFFFFF"\nground_below = "#FFFFFF"\n'
    scene = render_scene.begin(tmp_path, {"a": Drawn(0, 5)}, f"closing_card = false\n{style}")
    first = scene.render()
    look = lettering.card_style(scene.config)
    drawn = lettering.letters(Words("River"), scene.config.output[0], look)
    pixels = np.asarray(drawn).reshape(-1, 4)
    red = pixels[(pixels == (255, 0, 0, 255)).all(axis=1)]
    # no larger than 24 % of the height allows
    assert 300 < len(red) <= 30 * 22
    assert lettering.ground(scene.config.output[0], look.ground, look.ground_below).min() == 255
    Image.new("RGBA", (40, 30), (0, 0, 255, 255)).save(tmp_path / "logo.png")
    assert scene.render()["cached"] is False
    assert first["cached"] is False


@pytest.mark.parametrize("key", ["logo", "font"])
@pytest.mark.parametrize("content", [None, b"something else"])
def test_a_logo_or_font_that_can_not_be_read_is_named(
    tmp_path: Path, key: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    style = f'[montage.style]\n{key} = "file"\n'
    scene = render_scene.begin(tmp_path, {"a": Drawn(0, 5)}, style)
    said = scene.footage("render")
    assert said.code == 2
    assert f"montage.style.{key}" in said.err


def test_words_stay_on_their_card(tmp_path: Path) -> None:
    scene = render_scene.begin(tmp_path, {})
    look, output = lettering.card_style(scene.config), Output(size="640x360")
    for words in (
        Words("River Week " * 36, ("#RiverWeek",)),
        Words("Donaudampfschifffahrtsgesellschaftskapitän"),
        cards.chapter("photo-action"),
    ):
        box = lettering.letters(words, output, look).getbbox()
        assert box is not None
        assert box[0] >= 0.06 * output.width
        assert box[2] <= 0.94 * output.width
        assert box[1] >= 0.05 * output.height
        assert box[3] <= 0.95 * output.height
    assert cards.chapter("photo_action-two").title == "Photo action two"
