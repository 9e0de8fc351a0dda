"""A long film is made in chunks, side by side, and is what it would be in one piece."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from support.clip_scene import Clip, ClipScene, end_from_outside, opened
from support.marked_pictures import numbered
from test_cluster import OneWorker
from test_engine import settings, task_for

from pipeline import judge
from pipeline.config import Output, Process
from pipeline.console import Console, Verbosity
from pipeline.jobs import remote
from pipeline.jobs.handout import Following
from pipeline.media import encode
from pipeline.model import Reason, Refusal, Wait
from pipeline.process import belief, chunk_plan, clip
from pipeline.process.chunk_plan import ChunkPlan
from pipeline.process.long_clips import LongClip, LongClips
from pipeline.process.night import NightBudget, NightLimits
from pipeline.process.wire import ClipTask
from pipeline.protection import Mask, MaskFill, MaskPoint, SoundChange, SoundChangeKind
from pipeline.run import Run
from pipeline.store import files_of, still_of
from pipeline.store.shared import SharedFolder
from pipeline.texts import Detail
from pipeline.workspace import Workspace

OUTPUT = Output(name="wide", size="160x90", fps=30, quality="draft")
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p")
SOUND = "aevalsrc='0.5*sin(2*PI*t*(300+200*t))':s=44100:d=4"
AREA = MaskPoint(0.0, 0.1, 0.1, 0.2, 0.3)
MASKS = (
    Mask((AREA, replace(AREA, at_s=2.5, x=0.6))),
    Mask((replace(AREA, y=0.5),), fill=MaskFill.BLUR, from_s=0.5, to_s=1.6),
)


def phone(scene: ClipScene) -> Path:
    """A film that lies on its side, with open groups of pictures, cut by an edit list."""
    film = scene.painted(
        "film.mp4", [numbered(n) for n in range(93)], "30000/1001", *X264,
        *("-x264-params", "open-gop=1:keyint=14:bframes=3:b-pyramid=1"),
    )  # fmt: skip
    turned = scene.film(
        "turned.mp4",
        *("-display_rotation", "90", "-i", str(film), "-f", "lavfi", "-i", SOUND),
        *("-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "aac", "-t", "3"),
    )
    return scene.film("phone.mp4", "-ss", "0.4", "-i", str(turned), "-c", "copy")


def varying(scene: ClipScene) -> Path:
    """A film of 50 pictures a second that begins late, and misses some of its pictures."""
    film = scene.painted("film.mp4", [numbered(n) for n in range(130)], "50", *X264, "-g", "20")
    dropped = "noise=drop='gt(mod(n\\,11)\\,8)*not(key)'"
    options = ("-itsoffset", "0.45", "-i", str(film), "-c", "copy", "-bsf:v", dropped)
    return scene.film("varying.mkv", *options, "-avoid_negative_ts", "disabled")


def equal(whole: Clip, cut: Clip) -> bool:
    """Whether two clips show the same pictures at the same times, and have the same sound."""
    pairs = list(zip(whole.pictures, cut.pictures, strict=True))
    away = [np.abs(one.astype(int) - other).mean() for one, other in pairs]
    return (
        max(away) < 4
        and whole.times == cut.times
        and np.array_equal(whole.sound(), cut.sound())
        and np.array_equal(whole.sound(0), cut.sound(0))
    )


@pytest.mark.parametrize("source", [phone, varying])
def test_chunks_give_what_one_piece_gives(
    tmp_path: Path, source: Callable[[ClipScene], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the program of a chunk is ended from outside once."""
    scene = ClipScene(tmp_path).to(OUTPUT, text="#RiverWeek")
    if source is varying:
        changes = (SoundChange(SoundChangeKind.MUTE, 0.8, 1.6),)
        scene = replace(scene, masks=MASKS, sounds=changes)
    film = source(scene)
    whole = scene.clip(film)
    kept = replace(whole, path=whole.path.rename(tmp_path / "whole.mp4"))
    ended = ["encode"] if source is varying else []
    end_from_outside(ended, monkeypatch.setattr)
    cut = replace(scene, chunk_s=1).clip(film)
    assert ended == []
    assert judge.judge_mp4(cut.path, judge.Mp4Kind.CLIP).video.keyframes == (0, 30, 60)
    assert equal(kept, cut)
    told = ("warnings", "source", "findings")
    assert [getattr(cut.result, name) for name in told] == [
        getattr(whole.result, name) for name in told
    ]
    (one,), (other,) = whole.result.outputs, cut.result.outputs
    assert replace(other, sha256=one.sha256) == one
    assert list((tmp_path / "work").rglob("*.part")) == []


def test_a_chunk_has_exact_durations(tmp_path: Path) -> None:
    """In thousandths of a second, FFmpeg rounds the two durations of this one differently."""
    options = encode.picture_arguments(Output(name="wide", size="160x90", fps=30))
    words = [word for name, value in options.items() for word in (f"-{name}", str(value))]
    pictures = [numbered(n) for n in range(24, 55)]
    film = ClipScene(tmp_path).painted("film.mp4", pictures, "30", "-pix_fmt", "yuv420p", *words)
    assert judge.judge_mp4(film, judge.Mp4Kind.PIECE).video.frames == 31


def test_workers_make_chunks_and_leave_nothing_in_the_store(tmp_path: Path) -> None:
    """The first chunk is lost with its worker once; then a worker lies about its pictures."""

    def far(run: Run) -> OneWorker:
        scratch = Workspace(tmp_path / "scratch")
        scratch.create()
        site = remote.site_of(run.config, scratch.root, Console(Verbosity.QUIET))
        return OneWorker(lambda job: spoiled(remote.make(site, "key", job)))

    def spoiled(answer: str) -> str:
        data: dict[str, Any] = json.loads(answer)
        made = data["result"]
        names = {"chunks": "plan", "files": "piece", "where": "refusal", "status": "clip"}
        parts.append(next(what for name, what in names.items() if name in made))
        if made.get("prints") and spoil:
            how = spoil.pop()
            if how == "lost":
                return "lost"
            made["prints"][0] = [f"{len(parts):032x}"] * 16
        return json.dumps(data)

    def there() -> set[str]:
        return {each.key for each in SharedFolder(f"file://{store}").listed("clips/")}

    spoil, parts = ["lost"], list[str]()
    store = tmp_path / "store"
    scene = ClipScene(tmp_path, store=f"file://{store}", engine=far, is_far=True, chunk_s=1)
    scene = scene.to(OUTPUT)
    film = varying(scene)
    result = scene.make(film)
    assert parts == ["plan", *["piece"] * 5, "clip"]
    (clip,) = files_of(result)
    assert there() == {clip.key, still_of(clip).key}
    spoil.append("lie")
    # the joints can't be right, so the film is made in one piece
    (whole,) = files_of(scene.make(film))
    assert judge.judge_mp4(store / whole.key, judge.Mp4Kind.CLIP).video.keyframes == (0, 60)
    assert parts[-2:] == ["refusal", "clip"]
    assert there() == {each.key for file in (clip, whole) for each in (file, still_of(file))}
    assert [path for path in tmp_path.rglob("*") if path.name.endswith(".part")] == []


PLAN: dict[str, Any] = {
    "facts": {
        "width": 160,
        "height": 90,
        "over": 16,
        "under": 9,
        "start_s": 0.0,
        "latest_s": 2.9,
        "end_s": 3.0,
        "packets": 90,
        "sound": None,
        "sound_s": 0.0,
    },
    "chunks": [
        {"begin_s": 0, "end_s": 60, "seek_s": 0, "from_s": 0.0},
        {"begin_s": 60, "end_s": None, "seek_s": 58, "from_s": 59.9},
    ],
    "before": None,
}
LIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "length": lambda plan: plan["facts"].update(end_s=1e5),
    "size": lambda plan: plan["facts"].update(width=1 << 30),
    "other chunks": lambda plan: plan["chunks"][1].update(begin_s=59),
    "a gap": lambda plan: plan["chunks"][0].update(end_s=59),
    "a seek behind": lambda plan: plan["chunks"][1].update(seek_s=61),
    "one chunk": lambda plan: plan["chunks"].pop(),
    "shape": lambda plan: plan["facts"].update(under=0),
    "field": lambda plan: plan.update(command="id"),
}


def is_possible(plan: dict[str, Any]) -> bool:
    try:
        read = ChunkPlan.model_validate_json(json.dumps(plan))
    except ValidationError:
        return False
    return all(belief.possible_plan(read, task_for(Process())).values())


@pytest.mark.parametrize("lie", LIES)
def test_impossible_plan_is_not_believed(lie: str) -> None:
    plan = json.loads(json.dumps(PLAN))
    plan["facts"].update(end_s=125.0)
    assert is_possible(plan)
    LIES[lie](plan)
    assert not is_possible(plan)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (119.9, [0]),
        (120, [0, 60]),
        (149.9, [0, 60]),
        (150, [0, 60, 120]),
        (1800, [*range(0, 1800, 60)]),
    ],
)
def test_no_chunk_is_short(length: float, expected: list[int]) -> None:
    assert [*chunk_plan.begins(length, chunk_plan.SECONDS)] == expected


def test_a_long_clip_is_held_back_until_the_disk_has_room(tmp_path: Path) -> None:
    """It takes about twice its room: for its pieces, and for itself."""

    def parts(following: Following[ClipTask]) -> list[tuple[str, str]]:
        return [(task.sha256[0], task.part) for task in following.tasks]

    plan = ChunkPlan.model_validate_json(json.dumps(PLAN))
    tasks = [task_for(Process()).model_copy(update={"sha256": char * 64}) for char in "abc"]
    needed = LongClip(tasks[0], plan).room
    room = round(needed * 1.9)
    budget = NightBudget(NightLimits(free=1), {}, lambda: datetime.now(UTC), lambda: room)
    with opened(settings(Process(), tmp_path)) as run:
        long = LongClips(run, budget)
        begun = long.follow(tasks[0], plan)
        assert parts(begun) == [("a", "sound"), ("a", "chunk"), ("a", "chunk")]
        assert [parts(long.follow(task, plan)) for task in tasks[1:]] == [[], []]
        room = needed - 1
        assert not budget.begin("d" * 64)  # what is kept for the first counts as taken
        (sound, *_) = begun.tasks
        failed = clip.refused(
            sound.sha256, sound.recipe, Refusal(Reason.INTERNAL, Detail.JOB_FAILED), ()
        )
        room = needed + 1
        ended = long.follow(sound, failed)
        assert (ended.is_end, parts(ended)[0]) == (True, ("b", "sound"))
        room = 1
        (sound, *_) = ended.tasks
        assert parts(long.follow(sound, replace(failed, sha256="b" * 64))) == []
    assert budget.waits == {"d" * 64: Wait.DISK, "c" * 64: Wait.DISK}
