"""Any rate becomes the output's: no judder, the first picture at 0, the last one kept, exact."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal

import av
import pytest
from support.clip_scene import WIDE, Clip, ClipScene
from support.marked_pictures import number, numbered

from pipeline import judge
from pipeline.config import Output

Rate = Literal[24, 25, 30, 50, 60]
CODEC = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p")
SMALL = Output(name="small", size="64x64", fps=30, quality="draft")


@pytest.fixture
def scene(tmp_path: Path) -> ClipScene:
    return ClipScene(tmp_path).to(WIDE)


def numbers(clip: Clip) -> list[int]:
    return [number(picture) for picture in clip.pictures]


@pytest.mark.parametrize("fps", [24, 30, 50])
@pytest.mark.parametrize("rate", ["24", "25", "30000/1001", "30", "50", "60000/1001", "15"])
def test_every_rate_runs_evenly(scene: ClipScene, rate: str, fps: Rate) -> None:
    given = Fraction(rate)
    count = math.ceil(given * 2 / 3)
    film = scene.painted("film.mp4", [numbered(n) for n in range(count)], rate, *CODEC)
    made = scene.to(Output(name="wide", size="160x90", fps=fps, quality="draft"))
    clip = made.clip(film)
    seen = numbers(clip)
    assert clip.times == [Fraction(at, fps) for at in range(len(seen))]
    assert abs(len(seen) - count * fps / given) <= 0.5
    assert seen[0] == 0
    step = float(given) / fps
    # each is the one of its moment, and one step is never more than a picture off the other
    assert all(abs(n - at * step) <= 1 for at, n in enumerate(seen))
    assert {after - before for before, after in pairwise(seen)} <= {
        math.floor(step),
        math.ceil(step),
    }
    assert count - 1 - seen[-1] < max(1.0, step)


def test_a_varying_rate_keeps_its_times(scene: ClipScene) -> None:
    times = [n / 20 + 0.02 * math.sin(n) for n in range(30)]
    times[15:] = [time + 0.8 for time in times[15:]]  # a phone that stops for breath
    times = [time - times[0] for time in times]
    film = scene.folder / "film.mkv"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=1000, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for n, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(numbered(n), format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    seen = numbers(scene.clip(film))
    for at, n in enumerate(seen):
        assert times[n] <= (at + 0.27) / 30
        assert n + 1 == len(times) or times[n + 1] >= (at + 0.23) / 30
    assert seen[-1] == 29
    assert sorted(seen) == seen


def test_a_picture_that_begins_late_is_there_from_the_start(scene: ClipScene) -> None:
    late = scene.painted("late.mkv", [numbered(n) for n in range(10)], "30", *CODEC)
    film = scene.film(
        "film.mkv",
        *("-f", "lavfi", "-i", "sine=d=1.1:r=48000", "-itsoffset", "0.5", "-i", str(late)),
        *("-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "pcm_s16le"),
    )
    seen = numbers(scene.clip(film))
    assert seen[:15] == [0] * 15
    assert seen[15:25] == list(range(10))


def exact(scene: ClipScene, length: int) -> None:
    """A film of *length* pictures, with sound that ends soon after, is exactly as long."""
    frames = [numbered(n, 64, 36) for n in range(length)]
    silent = scene.painted(f"silent{length}.mp4", frames, "30", *CODEC)
    film = scene.film(
        f"film{length}.mp4",
        *("-i", str(silent), "-f", "lavfi", "-i", f"sine=r=44100:d={length / 30 + 0.05:.3f}"),
        *("-c:v", "copy", "-c:a", "aac", "-ac", "1"),
    )
    clip = scene.clip(film)
    facts = judge.judge_mp4(clip.path, judge.Mp4Kind.CLIP)
    assert facts.video.frames == clip.result.outputs[0].frames == length
    assert facts.video.ticks_per_frame == 1000
    assert facts.video.timescale == 30 * 1000
    assert len(clip.sound()) == length * 48000 // 30
    assert number(clip.pictures[0][14:50], 0, 64) == 0
    assert number(clip.pictures[-1][14:50], 0, 64) == length - 1


def test_lengths_are_exact_to_the_picture_and_the_sample(scene: ClipScene) -> None:
    lengths = [*range(1, 9), 11, 15, 16, 24, 29, 30, 31, 47, 59, 60, 61, 70]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda length: exact(scene.to(SMALL), length), lengths))


def test_outputs_of_one_size_share_their_caption(scene: ClipScene) -> None:
    film = scene.painted("film.mp4", [numbered(n) for n in range(10)], "30", *CODEC)
    quick = Output(name="quick", size="160x90", fps=60)
    made = scene.to(WIDE, quick, text="#RiverWeek").clips(film)
    assert [len(made[name].pictures) for name in ("wide", "quick")] == [10, 20]


def test_the_same_original_gives_the_same_bytes(scene: ClipScene, tmp_path: Path) -> None:
    film = scene.film(
        "film.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=160x120:d=0.7", "-f", "lavfi", "-i", "sine=d=0.7"),
        *("-c:a", "aac", *CODEC),
    )
    first = scene.to(WIDE, text="#RiverWeek").clip(film)
    kept = first.path.read_bytes()
    again = ClipScene(tmp_path / "elsewhere").to(WIDE, text="#RiverWeek")
    again.folder.mkdir()
    assert again.clip(film).path.read_bytes() == kept


def test_all_clips_of_an_output_can_be_joined(scene: ClipScene) -> None:
    """Equal decoder configuration, closed groups that begin with an IDR, equal clocks."""
    sources = [
        scene.film("a.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x240:d=0.3:r=25", *CODEC),
        scene.film("b.mkv", "-f", "lavfi", "-i", "testsrc2=s=90x160:d=2.4:r=60", *CODEC),
        scene.film("c.png", "-f", "lavfi", "-i", "color=red:s=33x77:d=0.1", "-frames:v", "1"),
        scene.film("d.webm", "-f", "lavfi", "-i", "mandelbrot=s=64x64:r=15", "-t", "0.5"),
    ]
    facts = [judge.judge_mp4(scene.clip(source).path, judge.Mp4Kind.CLIP) for source in sources]
    for read in (
        [fact.video.extradata for fact in facts],
        [fact.video.timescale for fact in facts],
        [fact.video.ticks_per_frame for fact in facts],
        [fact.video.keyframes[0] for fact in facts],
        [[(a.codec, a.sample_rate, a.channels) for a in fact.audio] for fact in facts],
    ):
        assert all(value == read[0] for value in read)
    assert max(after - before for f in facts for before, after in pairwise(f.video.keyframes)) <= 60
