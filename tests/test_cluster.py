"""Workers in processes of their own make the clips that threads make, and nothing is believed."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.clip_scene import opened, task_of
from support.command_scene import CommandScene, begin, config, in_chunks, make
from support.waiting import HANG_S, still_running

from pipeline import judge, publishing
from pipeline.config import load
from pipeline.console import Console, Verbosity
from pipeline.correspondence import Payer
from pipeline.engine import Ended, Work
from pipeline.engine.threads import ThreadEngine
from pipeline.errors import StageError, Stopping
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Permissions
from pipeline.jobs import handout, remote
from pipeline.jobs.build import build
from pipeline.jobs.handout import Dispatcher, Handout
from pipeline.jobs.wire import JobAnswer
from pipeline.model import ClipResult, Status, Wait
from pipeline.places import MASK
from pipeline.process import night, recipe
from pipeline.process.belief import ClipRules
from pipeline.process.night import NightBudget, NightLimits
from pipeline.process.wire import ClipTask
from pipeline.protection import FoundFaces
from pipeline.run import Run
from pipeline.store import files_of, original, still_of
from pipeline.texts import Detail
from pipeline.workspace import Workspace

OUTPUT = '[[output]]\nname = "wide"\nsize = "160x90"\nfps = 30\nquality = "draft"\n'
SETTINGS = "[process]\nstill_seconds = 0.3\n[review]\nrequired = false\n"
FILM = "[montage]\nautomatic = true\ntransition_seconds = 0.1\nclosing_card = false\n"


def files(folder: Path) -> dict[str, bytes]:
    film = make(
        folder,
        "film.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=160x120:r=15:d=2", "-f", "lavfi", "-i", "sine=d=2"),
        *("-preset", "ultrafast", "-c:a", "aac", "-metadata", "location=+48.2082+016.3738/"),
    )
    photo = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(photo, "PNG")
    broken = film[: len(film) // 3].replace(b"mdat", b"mdaT")
    return {"film.mp4": film, "photo.png": photo.getvalue(), "broken.mp4": broken}


def scene(folder: Path, given: dict[str, bytes], cluster: str = "") -> CommandScene:
    folder.mkdir()
    return begin(folder, {"a": given}, config(SETTINGS + cluster, outputs=OUTPUT))


def made_files(folder: Path) -> dict[str, str]:
    paths = [*folder.rglob("*.mp4"), *folder.rglob("*.jpg")]
    return {str(path.relative_to(folder)): publishing.sha256_of(path) for path in paths}


def outcome(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    fields = ("status", "reason", "outputs", "warnings", "source", "metadata", "caption")
    return {name: [row[field] for field in fields] for name, row in rows.items()}


def test_workers_of_this_machine_make_the_same_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_chunks(1, monkeypatch.setattr)
    given = files(tmp_path)
    one = scene(tmp_path / "one", given, FILM)
    two = scene(tmp_path / "two", given, FILM + '[cluster]\nscheduler = "local:1"\n')

    assert one.footage("run").code == 0
    said = two.footage("run")
    assert said.code == 0, said.err

    assert outcome(two.rows) == outcome(one.rows)
    assert {row["status"] for row in two.rows.values()} == {"accepted", "rejected"}
    programs = {event["purpose"]: event.get("worker", "")[:16] for event in two.programs()}
    done = dict.fromkeys(("encode", "card", "seam"), "tls://127.0.0.1:")
    assert done.items() <= programs.items()
    (output,) = two.rows["film.mp4"]["outputs"]
    facts = judge.judge_mp4(two.work / output["path"], judge.Mp4Kind.CLIP)
    assert 30 in facts.video.keyframes, "it was made in chunks"
    for kept in ("montage", "cache"):
        assert made_files(two.work / kept) == made_files(one.work / kept)
    assert list(two.work.rglob("*.part")) == []
    assert still_running(two.folder) == []


# -- what a worker answers is checked --------------------------------------------------------

Answer = dict[str, Any]


class OneWorker(ThreadEngine):
    """An engine whose only worker is a thread; it is gone when it was refused."""

    def __init__(self, work: Work) -> None:
        super().__init__(work, 1)
        self.refused: list[str] = []

    def ended(self) -> list[Ended]:
        return [
            Ended(each.key, each.answer, each.error, lost=each.answer == "lost", worker="ada")
            for each in super().ended()
        ]

    def refuse(self, worker: str, why: str) -> None:
        self.refused.append(f"{worker}: {why}")


@dataclass(frozen=True)
class Coordinator:
    """A run with one original, the task for it, and what a worker answers and delivers."""

    run: Run
    task: ClipTask
    answer: str
    delivered: Path

    @property
    def rules(self) -> ClipRules:
        """How the run judges an answer."""
        return ClipRules(self.run, night.unlimited())

    @property
    def folder(self) -> Path:
        """Where the worker leaves its files."""
        return self.run.workspace.clips / self.task.sha256

    def outcome(
        self, work: Work, kind: type[OneWorker] = OneWorker
    ) -> tuple[ClipResult, OneWorker]:
        """What becomes of the task with a worker that does *work*."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.delivered, self.folder)
        engine = kind(work)
        try:
            (result,) = Handout(self.run, engine, self.rules).results([self.task])
        finally:
            engine.close()
        self.run.ledger.clips.forget([self.task.sha256])
        assert isinstance(result, ClipResult)
        return result, engine


@contextmanager
def one_photo(folder: Path, store: str = "") -> Iterator[Coordinator]:
    """A coordinator whose worker has made a clip of one photo."""
    lines = f'[cluster]\nattempts = 2\n[workspace]\npath = "work"\nstore = "{store}"\n'
    (folder / "config.toml").write_text(config(SETTINGS + lines, outputs=OUTPUT))
    settings = load(folder / "config.toml")
    workspace = Workspace(settings.root)
    Image.new("RGB", (64, 48), "teal").save(folder / "photo.png")
    sha256 = publishing.sha256_of(folder / "photo.png")
    publishing.move(folder / "photo.png", workspace.original(sha256))
    with opened(settings) as run:
        run.store.publish([original(sha256)])
        far = {"run": "20261127T000000.000000Z", "build": build()}
        task = task_of(run, sha256, recipe.of(settings, "#RiverWeek")).model_copy(update=far)
        scratch = Workspace(folder / "scratch")
        scratch.create()
        site = remote.site_of(settings, scratch.root, run.console)
        answer = remote.make(site, "key", task.model_dump_json())
        delivered = folder / "delivered"
        if (workspace.clips / sha256).exists():
            shutil.copytree(workspace.clips / sha256, delivered)
        yield Coordinator(run, task, answer, delivered)


@pytest.fixture(scope="module")
def coordinator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coordinator]:
    with one_photo(tmp_path_factory.mktemp("coordinator")) as made:
        yield made


def test_worker_without_a_common_folder_uses_the_store(tmp_path: Path) -> None:
    with one_photo(tmp_path, f"file://{tmp_path}/store") as made:
        assert json.loads(made.answer)["trouble"] == ""
        engine = OneWorker(lambda _: made.answer)
        (result,) = Handout(made.run, engine, made.rules).results([made.task])
        engine.close()
        assert isinstance(result, ClipResult)
        assert result.status is Status.ACCEPTED, result.refusal
        clip = files_of(result)[0]
        assert made.run.store.holds(clip)
        assert made.run.store.holds(still_of(clip))
        kept = [path for path in made.run.workspace.root.rglob("*.*") if "clips" in path.parts]
        assert kept == []
        assert not any(path.is_file() for path in (tmp_path / "scratch" / "originals").rglob("*"))


def test_worker_that_does_not_see_the_originals_fails_no_clip(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    there = load(coordinator.run.config.resolve("config.toml"))
    there.place_at(tmp_path)
    scratch = Workspace(tmp_path / "scratch")
    scratch.create()
    site = remote.site_of(there, scratch.root, Console(Verbosity.QUIET))
    answer = json.loads(remote.make(site, "key", coordinator.task.model_dump_json()))
    assert (answer["trouble"], answer["result"]) == ("broken", None)


def test_worker_that_can_not_write_into_the_shared_folder_fails_no_clip(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    """As with another user number: nothing can be written, so it is not the fault of the clip."""
    shared = load(coordinator.run.config.resolve("config.toml"))
    work = tmp_path / "work"
    shutil.copytree(coordinator.run.workspace.originals, work / "originals")
    (work / "clips").write_text("no folder")
    shared.place_at(tmp_path)
    scratch = Workspace(tmp_path / "scratch")
    scratch.create()
    site = remote.site_of(shared, scratch.root, Console(Verbosity.QUIET))
    answer = json.loads(remote.make(site, "key", coordinator.task.model_dump_json()))
    assert (answer["trouble"], answer["result"]) == ("broken", None)


def test_true_answer_becomes_a_clip(coordinator: Coordinator) -> None:
    result, engine = coordinator.outcome(lambda _: coordinator.answer)
    assert result.status is Status.ACCEPTED
    assert engine.refused == []
    (output,) = result.outputs
    assert publishing.sha256_of(coordinator.run.workspace.root / output.path) == output.sha256
    assert {path.name for path in coordinator.folder.iterdir()} == {"wide.mp4", "wide.jpg"}


def output_of(answer: Answer) -> Answer:
    output: Answer = answer["result"]["outputs"][0]
    return output


LIES: dict[str, Callable[[Answer], object]] = {
    "original": lambda a: a["result"].update(sha256="0" * 64),
    "path": lambda a: output_of(a).update(path="../../outside.mp4"),
    "sha256": lambda a: output_of(a).update(sha256="0" * 64),
    "still": lambda a: output_of(a).update(still="0" * 64),
    "no still": lambda a: output_of(a).update(still=""),
    "sha256-as-path": lambda a: output_of(a).update(sha256="../" * 21 + "a"),
    "frames": lambda a: output_of(a).update(frames=8, duration_s=round(8 / 30, 3)),
    "endless": lambda a: output_of(a).update(frames=10**9, duration_s=round(10**9 / 30, 3)),
    "size": lambda a: output_of(a).update(width=1920),
    "no output": lambda a: a["result"].update(outputs=[]),
    "status": lambda a: a["result"].update(status="rejected"),
    "withdrawn": lambda a: a["result"].update(status="withdrawn"),
    "recipe": lambda a: a["result"].update(recipe="0" * 32),
    "caption": lambda a: a["result"].update(caption="#Other"),
    "likeness": lambda a: a["result"].update(looks_like="0" * 12),
    "warning": lambda a: a["result"].update(warnings=["48.2082, 16.3738"]),
    "codec": lambda a: a["result"]["source"].update(video_codec="in Vienna, at 48.2°"),
    "container": lambda a: a["result"]["source"].update(container="52.52, 13.41"),
    "number": lambda a: a["result"]["source"].update(duration_s=1e300),
    "marks": lambda a: output_of(a).update(marks="<script>"),
    "field": lambda a: a.update(command="id"),
    "hidden": lambda a: output_of(a).update(hides="48.2082, 16.3738"),
    "always": lambda a: output_of(a).update(faces="48.2082, 16.3738"),
    "faces": lambda a: a["result"]["source"].update(faces={"by": "48.2082, 16.3738"}),
    "nothing": lambda a: a.update(result=None),
    "place": lambda a: a["result"].update(
        status="failed", outputs=[], clean=None, source=None, caption="", warnings=[],
        refusal={"reason": "internal", "code": "program-failed",
                 "values": {"place": "48.2082, 16.3738"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_lying_answer_is_refused(coordinator: Coordinator, lie: str) -> None:
    def work(_: str) -> str:
        answer = json.loads(coordinator.answer)
        LIES[lie](answer)
        return json.dumps(answer)

    result, engine = coordinator.outcome(work)

    assert result.status is Status.FAILED
    assert result.refusal is not None
    assert result.refusal.code is Detail.UNTRUE_RESULT
    assert len(engine.refused) == 2
    assert all("ada: its answer can't be right: a" in it for it in engine.refused)
    assert not (coordinator.folder / "wide.mp4").exists()


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0\0\0\x10free48.2082N")


def lead_away(path: Path) -> None:
    other = path.with_suffix(".other")
    path.rename(other)
    path.symlink_to(other)


@pytest.mark.parametrize("change", [grow, lead_away, Path.unlink], ids=lambda each: each.__name__)
@pytest.mark.parametrize("suffix", [".mp4.part", ".jpg.part"])
def test_other_file_than_the_answer_says_is_refused(
    coordinator: Coordinator, change: Callable[[Path], None], suffix: str
) -> None:
    def work(_: str) -> str:
        for path in coordinator.folder.glob(f".*{suffix}"):
            change(path)
        return coordinator.answer

    result, engine = coordinator.outcome(work)

    assert result.status is Status.FAILED
    assert len(engine.refused) == 2
    assert not (coordinator.folder / "wide.mp4").exists()


def test_original_whose_workers_are_lost_fails_after_the_attempts(
    coordinator: Coordinator,
) -> None:
    asked: list[str] = []

    def work(job: str) -> str:
        asked.append(job)
        return "lost"

    result, engine = coordinator.outcome(work)
    assert result.refusal is not None
    assert (result.refusal.code, result.refusal.values) == (Detail.WORKERS_LOST, {"attempts": 2})
    assert "2 times" in result.refusal.detail
    assert (len(asked), engine.refused) == (2, [])
    lost_once = iter(["lost", coordinator.answer])
    result, _ = coordinator.outcome(lambda _: next(lost_once))
    assert result.status is Status.ACCEPTED


class WorkerThatComesAgain(OneWorker):
    """An engine whose worker is another one after it was refused."""

    def ended(self) -> list[Ended]:
        return [replace(each, worker=f"ada {len(self.refused)}") for each in super().ended()]


def test_a_worker_that_can_not_work_is_left_out_and_the_others_go_on(
    coordinator: Coordinator,
) -> None:
    broken = JobAnswer[None](trouble="broken", build=build()).model_dump_json()
    answers = [*[broken] * 36, coordinator.answer]
    result, engine = coordinator.outcome(lambda _: answers.pop(0), WorkerThatComesAgain)
    assert result.status is Status.ACCEPTED
    said = "it could not work 3 times in a row"
    assert engine.refused == [f"ada {number}: {said}" for number in range(12)]


@pytest.mark.parametrize(("times", "refused"), [(256, 0), (257, 1)])
def test_a_worker_that_only_says_that_it_was_stopped_is_refused(
    coordinator: Coordinator, times: int, refused: int
) -> None:
    """One that leaves says it once for each of its slots, which are 256 at most."""
    stopped = JobAnswer[None](trouble="stopped", build=build()).model_dump_json()
    answers = [*[stopped] * times, coordinator.answer]
    result, engine = coordinator.outcome(lambda _: answers.pop(0))
    assert result.status is Status.ACCEPTED
    assert len(engine.refused) == refused


class WorkerBesideAnother(WorkerThatComesAgain):
    """An engine with a second worker."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self.close()
        ThreadEngine.__init__(self, work, 2)


def test_a_worker_that_fails_again_and_again_ends_no_night_in_which_others_are_at_work(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 40
    monkeypatch.setattr(handout, "_MOST_OF_ALL", most)
    broken = JobAnswer[None](trouble="broken", build=build()).model_dump_json()
    other = coordinator.task.model_copy(update={"sha256": "5c" * 32})
    asked, many = itertools.count(1), threading.Event()

    def work(job: str) -> str:
        if json.loads(job)["sha256"] == coordinator.task.sha256:
            assert many.wait(HANG_S)
            return coordinator.answer
        if next(asked) == most + 10:
            many.set()
        return broken

    shutil.rmtree(coordinator.folder, ignore_errors=True)
    shutil.copytree(coordinator.delivered, coordinator.folder)
    engine = WorkerBesideAnother(work)
    results = Handout(coordinator.run, engine, coordinator.rules).results([coordinator.task, other])
    made = next(results)
    assert isinstance(made, ClipResult)
    assert made.status is Status.ACCEPTED
    with pytest.raises(StageError, match="the workers can't work"):
        next(results)
    engine.close()
    assert next(asked) > most + 10 + most


class LastWorker(OneWorker):
    """It is lost with its first job; another one comes if somebody waits for it."""

    is_there, times_asked = True, 0

    @property
    def room(self) -> int:
        self.times_asked += 1
        assert self.times_asked < 100, "nobody waits for a worker"
        return super().room if self.is_there else 0

    def ended(self) -> list[Ended]:
        if not self.is_there:
            self.is_there = True
            return []
        found = super().ended()
        self.is_there = not any(each.lost for each in found)
        return found


def test_if_the_last_worker_is_lost_the_run_waits_for_another(coordinator: Coordinator) -> None:
    lost_once = iter(["lost", coordinator.answer])
    result, _ = coordinator.outcome(lambda _: next(lost_once), LastWorker)
    assert result.status is Status.ACCEPTED


def test_a_worker_that_is_lost_with_several_pieces_is_one_attempt(coordinator: Coordinator) -> None:
    rules = coordinator.rules
    pieces = [coordinator.task.model_copy(update={"part": "chunk", "number": n}) for n in (0, 1)]
    lost = ["ada", "ada", "bob", "", ""]
    counts = [rules.attempts(pieces[at % 2], each) for at, each in enumerate(lost)]
    assert counts == [1, 1, 2, 3, 4]
    assert rules.attempts(pieces[1], "ada") == 5  # the same piece again is another attempt
    coordinator.run.ledger.clips.forget([coordinator.task.sha256])


def test_a_finished_clip_stays_if_its_faces_can_not_be_looked_for(coordinator: Coordinator) -> None:
    made, _ = coordinator.outcome(lambda _: coordinator.answer)
    wanted = replace(coordinator.task.recipe, faces="propose", detector="a" * 16)
    task = coordinator.task.model_copy(update={"made": made, "recipe": wanted})
    engine = OneWorker(lambda _: "lost")
    (result,) = Handout(coordinator.run, engine, coordinator.rules).results([task])
    engine.close()
    assert isinstance(result, ClipResult)
    assert (result.status, result.outputs) == (Status.ACCEPTED, made.outputs)
    assert result.source is not None
    assert result.source.faces == FoundFaces("a" * 16, is_partial=True)
    coordinator.run.ledger.clips.describe(result)
    assert coordinator.run.ledger.clips.count_attempt(task.sha256) == 1
    coordinator.run.ledger.clips.forget([task.sha256])


def test_events_of_a_worker_reach_the_log_as_far_as_they_are_known(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    sha256, known = coordinator.task.sha256, json.loads(coordinator.answer)["events"]
    told = ["48.2082", "16.3738"]

    def work(_: str) -> str:
        answer = json.loads(coordinator.answer)
        answer["events"] += [
            {"event": "run-ended", "exit_code": 0},
            {"event": "program", "purpose": "a" * 100_000},
            {"event": "program", "purpose": "in Vienna"},
            {"event": "program", "code": 482082, "seconds": 48.20821},
            {"event": "internal", "sha256": "4" * 64, "where": "ValueError"},
            {"event": "not-clean", "sha256": sha256, "problems": ["box 48.2082, 16.3738"]},
            {"event": "again", "sha256": sha256, "where": "Vienna"},
            {"event": "internal", "sha256": sha256, "where": "ValueError in mp4_tags.py:12"},
            {"event": "internal", "sha256": sha256, "where": "48.2082, 16.3738"},
            {"event": "program", "purpose": "probe", "home": "Vienna", "said": ["in Vienna"]},
            {"event": "program", "purpose": "probe", "argv": told},
            {"event": "program", "purpose": "probe", "argv": ["-i", ", ".join(told)]},
            {"event": "program", "purpose": "probe", "argv": ["two\nlines"]},
        ]
        return json.dumps(answer)

    with (tmp_path / "log").open("w") as log:
        coordinator.run.console.log_to(log)
        coordinator.outcome(work)
        coordinator.run.console.log_to(io.StringIO())
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {line.pop("worker") for line in lines} == {"ada"}
    probes: list[Answer] = [{}, {"argv": [MASK]}, {"argv": ["-i", MASK]}, {}]
    expected = [
        *known,
        {"event": "not-clean", "sha256": sha256},
        {"event": "again", "sha256": sha256},
        {"event": "internal", "sha256": sha256, "where": "ValueError in mp4_tags.py:12"},
        {"event": "internal", "sha256": sha256},
        *({"event": "program", "purpose": "probe", **each} for each in probes),
    ]
    for line in (*lines, *expected):
        line.pop("at", None)
    assert lines == expected
    assert "Vienna" not in str(lines)
    assert "48.2082" not in str(lines)


# -- the limits of a night hold for workers too -----------------------------------------------


PAST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (NightLimits(ends=PAST), Wait.NIGHT_OVER),
        (NightLimits(free=1001), Wait.DISK),
        (NightLimits(sender_s=1e-9), Wait.SENDER_HOURS),
    ],
    ids=["until", "min_free_gb", "max_hours_per_sender"],
)
def test_what_a_night_has_no_room_for_reaches_no_worker(
    coordinator: Coordinator, limits: NightLimits, why: Wait
) -> None:
    """The second original of a sender waits when the first has used the hours."""
    other = coordinator.task.model_copy(update={"sha256": "5c" * 32})
    senders = dict.fromkeys((coordinator.task.sha256, other.sha256), Payer("ada@example.org"))
    budget = NightBudget(limits, senders, lambda: datetime.now(UTC), lambda: 1000)
    sent: list[str] = []

    def work(job: str) -> str:
        sent.append(json.loads(job)["sha256"])
        return coordinator.answer

    shutil.rmtree(coordinator.folder, ignore_errors=True)
    shutil.copytree(coordinator.delivered, coordinator.folder)
    engine = OneWorker(work)
    rules = ClipRules(coordinator.run, budget)
    results = [*Handout(coordinator.run, engine, rules).results([coordinator.task, other])]
    engine.close()
    clips = [result for result in results if isinstance(result, ClipResult)]
    first = [coordinator.task.sha256] if why is Wait.SENDER_HOURS else []
    assert sent == [clip.sha256 for clip in clips] == first
    assert budget.waits == dict.fromkeys([*senders][len(first) :], why)


def test_a_stop_costs_no_attempt_and_waits_for_no_worker(coordinator: Coordinator) -> None:
    released = threading.Event()

    class Stopped(OneWorker):
        def close(self) -> None:
            released.set()
            super().close()

    def work(_: str) -> str:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        released.wait(60)
        return "lost"

    run = replace(coordinator.run, ffmpeg=FfmpegRunner("auto", Console(Verbosity.QUIET)))
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), Dispatcher(run, lambda _: Stopped(work)) as jobs:
            list(jobs.results(ClipRules(run, night.unlimited()), [coordinator.task]))
    finally:
        signal.signal(signal.SIGTERM, before)
    with pytest.raises(Stopping):
        run.ffmpeg.run("after", ["true"], Permissions())
    assert run.ledger.clips.count_attempt(coordinator.task.sha256) == 1  # the first one
    run.ledger.clips.forget([coordinator.task.sha256])
    result, _ = coordinator.outcome(lambda _: coordinator.answer)
    assert result.status is Status.ACCEPTED
