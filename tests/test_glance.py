"""What a reviewer is warned of, and by what the same footage is known again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from support import ledger_scene
from support.clip_scene import WIDE, ClipScene
from support.command_scene import begin, config
from support.marked_pictures import Pixels

from pipeline.caution import Caution
from pipeline.config import Output
from pipeline.process import batch, glance, lookalikes, recording
from pipeline.process.lookalikes import ClipMarks
from pipeline.protection import Mask, MaskPoint
from pipeline.review import page

CODEC = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", "-pix_fmt", "yuv420p")
SEEN = {
    Caution.BLACK,
    Caution.DARK,
    Caution.FROZEN,
    Caution.SHAKY,
    Caution.BLURRED,
    Caution.UPSCALED,
    Caution.VERY_SHORT,
}


def landscape(seed: int, width: int = 480, height: int = 270) -> Pixels:
    """A picture with large shapes and fine detail, as any footage has."""
    generator = np.random.default_rng(seed)
    picture = np.zeros((height, width))
    for cells in (3, 8, 24, 70, 200):
        grid = generator.random((max(2, cells * 9 // 16), cells)) * 255
        layer = Image.fromarray(grid.astype(np.uint8)).resize((width, height), 3)
        picture += np.asarray(layer, float) / 5
    spread = (picture - picture.min()) / np.ptp(picture) * 235 + 10
    tints = [spread, spread[::-1, ::-1] * 0.5 + spread * 0.5, 255 - spread * 0.7]
    return np.stack(tints, -1).astype(np.uint8)


def panned(seed: int, count: int, way: tuple[float, float] = (2.0, 0.0)) -> list[Pixels]:
    """A camera that moves evenly over a large scene."""
    large = landscape(seed, 640, 360)
    return [
        large[(y := round(20 + n * way[1])) : y + 180, (x := round(20 + n * way[0])) : x + 320]
        for n in range(count)
    ]


@pytest.fixture
def scene(tmp_path: Path) -> ClipScene:
    return ClipScene(tmp_path).to(WIDE)


def warned(scene: ClipScene, frames: list[Pixels], rate: str = "24") -> set[str]:
    """What is said of the pictures of a film."""
    film = scene.painted("film.mp4", frames, rate, *CODEC)
    return set(scene.make(film).warnings) & SEEN


def test_good_footage_is_warned_of_nothing(scene: ClipScene) -> None:
    assert warned(scene, panned(1, 60)) == set()


def test_black(scene: ClipScene) -> None:
    black = [np.zeros((180, 320, 3), np.uint8)] * 60
    assert Caution.BLACK in warned(scene, black)
    assert warned(scene, panned(2, 48) + black[:52] + panned(2, 96)) == {Caution.BLACK}
    assert warned(scene, panned(2, 70) + black[:6]) == set()  # a blink


def test_very_dark(scene: ClipScene) -> None:
    night = [(frame * 0.25).astype(np.uint8) for frame in panned(3, 60)]
    assert warned(scene, night) == {Caution.DARK}


def test_frozen(scene: ClipScene) -> None:
    assert warned(scene, panned(4, 1) * 72) == {Caution.FROZEN}
    assert warned(scene, panned(4, 72) + panned(4, 73)[-1:] * 24) == set()  # a second's rest


def test_shaky(scene: ClipScene) -> None:
    large = landscape(5, 640, 360)
    generator = np.random.default_rng(5)
    frames = []
    for _ in range(72):
        x, y = generator.integers(0, 26, 2)
        frames.append(large[y : y + 180, x : x + 320])
    assert warned(scene, frames) == {Caution.SHAKY}


def test_blurred(scene: ClipScene) -> None:
    blurred = [
        np.asarray(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(7)))
        for frame in panned(6, 60)
    ]
    assert warned(scene, blurred) == {Caution.BLURRED}


def test_a_photo_is_judged_without_its_fill(scene: ClipScene) -> None:
    sharp, soft = scene.folder / "sharp.png", scene.folder / "soft.png"
    portrait = Image.fromarray(landscape(7)[:, 100:250])
    portrait.save(sharp)
    portrait.filter(ImageFilter.GaussianBlur(8)).save(soft)
    large = Output(name="large", size="640x360", fps=30, quality="draft")
    captioned = scene.to(large, text="#RiverWeek")
    assert captioned.make(sharp).warnings == ()
    assert captioned.make(soft).warnings == (Caution.BLURRED,)


def test_size_and_length(scene: ClipScene) -> None:
    small = [frame[:40, :70] for frame in panned(8, 12)]
    assert warned(scene, small) >= {Caution.UPSCALED, Caution.VERY_SHORT}


def test_a_long_film_is_looked_at_less_often() -> None:
    assert glance.rate_for(2.0) == 4.0
    assert glance.rate_for(3600.0) * 3600 <= 1200


def test_every_warning_has_words_in_the_report() -> None:
    texts = json.loads((Path(page.__file__).parent / "assets" / "texts.en.json").read_text("utf-8"))
    said = {key.removeprefix("warning.") for key in texts if key.startswith("warning.")}
    assert said == set(Caution)


def test_footage_is_known_again_after_a_messenger(scene: ClipScene) -> None:
    """Smaller, at another rate, squeezed until it falls apart: the same; other films: not."""
    known = []
    for seed in (11, 12, 13):
        film = scene.painted(f"{seed}.mp4", panned(seed, 60), "25", *CODEC)
        squeezed = scene.film(
            f"{seed}s.mp4",
            *("-i", str(film), "-vf", "scale=160:-2,fps=15", "-c:v", "libx264", "-crf", "38"),
        )
        for path in (film, squeezed):
            result = scene.make(path)
            assert result.source is not None
            known.append(ClipMarks(path.name, result.outputs[0].marks, result.source.duration_s))
    assert lookalikes.find(known) == {
        "11s.mp4": "11.mp4",
        "12s.mp4": "12.mp4",
        "13s.mp4": "13.mp4",
    }


def test_photos_are_known_again(scene: ClipScene) -> None:
    photo, again = scene.folder / "a.png", scene.folder / "a.jpg"
    image = Image.fromarray(landscape(14))
    image.save(photo)
    image.resize((160, 90)).save(again, quality=40)
    other = scene.folder / "b.png"
    Image.fromarray(landscape(15)).save(other)
    known = [ClipMarks(p.name, scene.make(p).outputs[0].marks, None) for p in (photo, again, other)]
    assert lookalikes.find(known) == {"a.jpg": "a.png"}


def test_a_likeness_goes_with_the_clip_that_is_taken_back(tmp_path: Path) -> None:
    image = Image.fromarray(landscape(14))
    first, again = io.BytesIO(), io.BytesIO()
    image.save(first, "PNG")
    image.resize((160, 90)).save(again, "JPEG", quality=40)
    output = '[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\n'
    still = '[process]\nstill_seconds = 0.2\nstill_motion = "none"\n'
    mails = {"one": {"a.png": first.getvalue()}, "two": {"a.jpg": again.getvalue()}}
    made = begin(tmp_path, mails, config(still, outputs=output))
    assert made.footage("run").code == 0
    (sender,) = (n for n, row in made.rows.items() if row["warnings"] and "looks-like" in str(row))
    other = next(row for name, row in made.rows.items() if name != sender)
    assert f"looks-like:{other['sha256'][:12]}" in made.rows[sender]["warnings"]
    assert made.footage("withdraw", "--clip", other["sha256"]).code == 0
    assert made.footage("process").code == 0
    assert made.footage("report").code == 0
    assert "looks-like" not in str(made.rows[sender]["warnings"])


def test_a_likeness_outlives_the_masks_of_a_clip(tmp_path: Path) -> None:
    """The footage is the same.  What was drawn over it may make its marks unlike."""
    with ledger_scene.opened(tmp_path / "work") as scene:
        run = scene.run(ledger_scene.settings(tmp_path))
        scene.mail(ledger_scene.attachment("one"), ledger_scene.attachment("two", 1))
        for name, alike in (("one", None), ("two", ledger_scene.sha("one")[:12])):
            recording.record(run, ledger_scene.result(name, looks_like=alike))
        made = ledger_scene.result("two")
        masked = replace(made.outputs[0], marks="ffffffffffffffff", hides="0123456789abcdef")
        recording.record(run, replace(made, outputs=(masked,)))
        batch.note_lookalikes(scene.ledger)
        found = scene.ledger.clips.results()[made.sha256]
        assert found.looks_like == ledger_scene.sha("one")[:12]


def event(path: list[tuple[float, float]], room: int = 21) -> glance.Glance:
    """Somebody moves in a room: a dark figure at each of these places, four of them a second."""
    ground = np.asarray(Image.fromarray(landscape(room)).convert("L").resize((160, 160)))
    pictures = []
    for x, y in path:
        picture = ground.copy()
        picture[round(y) : round(y) + 50, round(x) : round(x) + 36] = 12
        pictures.append(picture)
    return glance.Glance(np.stack(pictures), 4.0)


STEPS = np.arange(0, 6, 0.25)
WAVES = [(60 + 50 * np.sin(2.1 * t), 60 + 10 * np.cos(1.3 * t)) for t in STEPS]
WALKS = [(10 + 18 * t, 50 + 4 * t) for t in STEPS]
BENDS = [(60 + 15 * np.cos(1.1 * t), 60 + 45 * np.sin(1.7 * t + 1)) for t in STEPS]


def likeness(*films: tuple[glance.Glance, float]) -> dict[str, str]:
    names = "abcdefgh"
    return lookalikes.find(
        [
            ClipMarks(n, lookalikes.marks_of(seen), s)
            for n, (seen, s) in zip(names, films, strict=False)
        ]
    )


def changed(seen: glance.Glance, change: Callable[[Any], Any]) -> tuple[glance.Glance, float]:
    pictures = np.ascontiguousarray(change(seen.pictures), np.uint8)
    return glance.Glance(pictures, seen.rate), len(pictures) / 4


def captioned(pictures: Any) -> Any:
    made = pictures.copy()
    made[:, 128:150, 10:150] = 0
    made[:, 134:144, 20:120] = 250
    return made


def recorded(pictures: Any) -> Any:
    """The film on the screen of a phone, with black bars."""
    made = np.zeros_like(pictures)
    made[:, 50:110, 4:156] = pictures[:, np.arange(60) * 160 // 60, 4:156]
    return made


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p[3:-2],
        lambda p: p[:, :, ::-1],
        lambda p: np.clip(p * 1.2 + 8, 0, 255),
        captioned,
        recorded,
        lambda p: np.stack(
            [np.asarray(Image.fromarray(q[5:155, 5:155]).resize((160, 160))) for q in p]
        ),
    ],
    ids=["cut", "mirrored", "brighter", "caption", "screen", "cropped"],
)
def test_a_film_is_known_again_by_what_moves(change: Callable[[Any], Any]) -> None:
    film = event(WAVES)
    assert likeness((film, 6.0), changed(film, change)) == {"b": "a"}


def test_a_masked_film_is_known_again_by_what_its_masks_leave() -> None:
    """The copy may come after the masks, and be mirrored.  Another event is another film."""
    mask = Mask((MaskPoint(0.0, 0.3, 0.3, 0.4, 0.5), MaskPoint(3.0, 0.31, 0.3, 0.39, 0.5)))
    film = event(WAVES)
    shown, _ = changed(film, lambda pictures: pictures.copy())
    shown.pictures[:, 48:128, 48:112] = 16
    masked = ClipMarks("a", lookalikes.marks_of(shown), 6.0, "", (mask,))
    for change in (lambda p: p, lambda p: p[2:, :, ::-1]):
        copy, seconds = changed(film, change)
        found = lookalikes.find([masked, ClipMarks("b", lookalikes.marks_of(copy), seconds)])
        assert found == {"b": "a"}
    for path in (WALKS, BENDS):
        other = ClipMarks("b", lookalikes.marks_of(event(path)), 6.0)
        assert lookalikes.find([masked, other]) == {}
    everything = replace(mask, points=(MaskPoint(0.0, 0.0, 0.0, 1.0, 0.7),))
    bare = ClipMarks("b", lookalikes.marks_of(film), 6.0)
    assert lookalikes.find([replace(masked, masks=(everything,)), bare]) == {}


def test_a_masked_photo_is_known_again_by_what_its_masks_leave() -> None:
    """The middle of a photo is looked at, from 15 % of its height to 85 %."""
    mask = Mask((MaskPoint(0.0, 0.4, 0.3, 0.2, 0.28),))

    def marks(name: str, seed: int, side: int = 160, masks: tuple[Mask, ...] = ()) -> ClipMarks:
        image = Image.fromarray(landscape(seed)).convert("L").resize((side, side))
        picture = np.array(image.resize((160, 160)))
        if masks:
            picture[34:99, 64:96] = 16
        seen = glance.Glance(picture[np.newaxis], None)
        return ClipMarks(name, lookalikes.marks_of(seen), None, None, masks)

    masked, copy, other = marks("a", 14, 160, (mask,)), marks("b", 14, 90), marks("c", 15)
    assert lookalikes.find([masked, copy, other]) == {"b": "a"}
    assert lookalikes.find([other, copy, masked]) == {"a": "b"}
    assert lookalikes.find([replace(masked, masks=()), copy]) == {}, "by their pictures they differ"


def test_another_event_in_the_same_room_is_another_film() -> None:
    events = [(event(path), 6.0) for path in (WAVES, WALKS, BENDS)]
    parts = (event(WAVES[12:] + WALKS[:12]), 6.0)
    assert likeness(*events, parts) == {}


def test_marks_of_an_older_program_are_compared_by_pictures() -> None:
    seen = event(WAVES)
    old, new = glance.marks(seen), lookalikes.marks_of(seen)
    assert new.startswith(f"{old}.")
    assert lookalikes.find([ClipMarks("a", old, 6.0), ClipMarks("b", new, 6.0)]) == {"b": "a"}
    for broken in (".", ".AAAA", ".!", f".{'A' * 2000}"):
        assert lookalikes.find([ClipMarks("a", old + broken, 6.0), ClipMarks("b", old, 6.0)]) == {
            "b": "a"
        }


def test_clips_that_were_compared_are_not_compared_again() -> None:
    """What is new is compared with all, and so is a clip that looked like one that is gone."""
    marks = lookalikes.marks_of(event(WAVES))
    judged = [ClipMarks("a", marks, 6.0, ""), ClipMarks("b", marks, 6.0, "")]
    assert lookalikes.find(judged) == {}
    assert lookalikes.find([*judged, ClipMarks("c", marks, 6.0)]) == {"c": "a"}
    assert lookalikes.find([ClipMarks("a", marks, 6.0), *judged[1:]]) == {"b": "a"}
    kept = [judged[0], ClipMarks("b", marks, 6.0, "a"), ClipMarks("c", marks, 6.0, "gone")]
    assert lookalikes.find(kept) == {"b": "a", "c": "a"}


def test_a_long_film_has_longer_steps() -> None:
    turns = np.random.default_rng(3).normal(size=(2, 360)).cumsum(1)
    turns = 50 * np.tanh(turns / 6) + 55
    path = list(zip(*turns, strict=True))
    film = event(path)
    assert len(lookalikes.marks_of(film)) < 2300
    cut = changed(film, lambda pictures: pictures[37:])
    assert likeness((film, 90.0), cut) == {"b": "a"}
    assert likeness((film, 90.0), (event(path[::-1]), 90.0)) == {}


def test_a_film_of_nothing_is_like_no_other() -> None:
    flat = glance.Glance(np.full((8, glance.SIDE, glance.SIDE), 90, np.uint8), 4.0)
    assert glance.marks(flat) == ""
    assert lookalikes.find([ClipMarks("a", "", 2.0), ClipMarks("b", "", 2.0)]) == {}


def test_only_clips_of_a_kind_and_a_length_are_compared() -> None:
    marks = "0123456789abcdef " * 4
    film, photo = marks.strip(), marks[:16]
    assert lookalikes.find([ClipMarks("a", film, 2.0), ClipMarks("b", film, 2.4)]) == {"b": "a"}
    assert lookalikes.find([ClipMarks("a", film, 2.0), ClipMarks("b", film, 20.0)]) == {}
    assert lookalikes.find([ClipMarks("a", photo, None), ClipMarks("b", photo, 2.0)]) == {}
