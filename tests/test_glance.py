"""What a reviewer is warned of, and by what the same footage is known again."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from support.clip_scene import WIDE, ClipScene
from support.command_scene import begin, config
from support.marked_pictures import Pixels

from pipeline.caution import Caution
from pipeline.config import Output
from pipeline.process import glance, lookalikes
from pipeline.process.lookalikes import ClipMarks
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
