"""Cards and seams are made by workers as by threads, kept in the store, and nothing is believed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import render_scene
from support.render_scene import Drawn, RenderScene
from test_cluster import OneWorker, made_files
from test_music import tune

from pipeline import publishing
from pipeline.commands.render import admitted_rows
from pipeline.console import Console, Verbosity
from pipeline.engine import Engine
from pipeline.errors import FileMissing, StageError, Stopping, StoreError
from pipeline.ffmpeg.faults import ProgramResult
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.jobs import engines, remote
from pipeline.jobs.build import build
from pipeline.jobs.handout import Dispatcher
from pipeline.ledger import Ledger
from pipeline.protection import Mask, MaskPoint
from pipeline.render import join, publish, seams, stage, streaming
from pipeline.render.streaming import ClipWindow, Feeder
from pipeline.run import Run
from pipeline.store import FootageFile, outbox
from pipeline.store.opening import open_store
from pipeline.workspace import Workspace

# The first is larger than a pipe, and one of its pictures than what FFmpeg keeps of a stream.
CLIPS = {"a": Drawn(render_scene.NOISE, 20), "b": Drawn(1, 20)}
FILM = "transition_seconds = 0.2\nclosing_card = false\n"
HARD = 'opening_card = ""\nclosing_card = false\n'
CLUSTER = '[cluster]\nscheduler = "local:1"\nattempts = 2\n'


@contextmanager
def running(folder: Path, more: str = "", film: str = FILM) -> Iterator[Run]:
    """A run that is to make a film of two clips."""
    if not folder.exists():
        render_scene.begin(folder, CLIPS, film + more, size="320x180")
    scene = RenderScene(folder)
    console = Console(Verbosity.QUIET)
    with Ledger(scene.workspace.ledger) as ledger:
        ffmpeg = FfmpegRunner("auto", console)
        store = open_store(scene.config, scene.workspace)
        outbox.send(store, ledger, scene.workspace)
        yield Run(scene.config, ledger, scene.workspace, ffmpeg, console, store)


def pieces(run: Run, opened: Callable[[Run], Engine] = engines.opened) -> dict[str, str]:
    """Make the cards and seams of the film; what they are."""
    with Dispatcher(run, opened) as jobs:
        films = stage.films(run, jobs, run.config.output, admitted_rows(run))
        seams.make(run, jobs, [join.planned(run, film) for film in films])
    return made_files(run.workspace.cache)


def film_of(run: Run) -> str:
    """Make the film; its digest."""
    (made,) = stage.run(run, admitted_rows(run), run.config.output)
    return publishing.sha256_of(run.workspace.root / made.path)


def test_workers_make_the_same_cards_and_seams_and_the_store_keeps_them(tmp_path: Path) -> None:
    with running(tmp_path / "threads") as run:
        film = film_of(run)
        by_threads = made_files(run.workspace.cache)
    assert sorted(Path(name).parts[0][:4] for name in by_threads) == ["card", "seam", "seam"]
    store = f'[workspace]\nstore = "file://{tmp_path}/store"\n'
    with running(tmp_path / "scene", CLUSTER + store) as run:
        scratch = Workspace(tmp_path / "worker")
        scratch.create()
        site = remote.site_of(run.config, scratch.root, run.console)
        sent: list[str] = []

        def work(job: str) -> str:
            sent.append(job)
            return remote.make(site, "key", job)

        assert pieces(run, lambda _: OneWorker(work)) == by_threads
        assert {json.loads(job)["kind"] for job in sent} == {"card", "seam"}
        assert "@example.org" not in str(sent)  # who sent the clips is no business of a worker
        left = [path for path in scratch.root.rglob("*.mp4") if path.is_file()]
        assert left == list(run.workspace.root.rglob("*.part")) == []
    # the coordinator lost its cache, and has no worker
    shutil.rmtree(tmp_path / "scene/work/cache")
    with running(tmp_path / "scene") as run:
        run.workspace.create()
        assert pieces(run, lambda _: OneWorker(lambda _: "nobody is asked")) == by_threads
        assert film_of(run) == film  # its clips come through pipes, cut where the fades begin
        assert not any(path.is_file() for path in run.workspace.clips.rglob("*"))
        seam = next((tmp_path / "store/cache/seams").iterdir())
        shutil.rmtree(run.workspace.cache)
        run.workspace.create()
        seam.write_bytes(seam.read_bytes()[:-1])  # the store gives other bytes
        with pytest.raises(StageError, match="a seam of the montage could not be made"):
            pieces(run, lambda _: OneWorker(lambda _: "lost"))
        assert not seam.exists()


def other_file(run: Run, path: str) -> str:
    """Put another film of ours into the store under the name of a card."""
    other = next(run.workspace.root.parent.parent.glob("store/clips/*/*.mp4"))
    final = run.workspace.root / path
    shutil.copy(other, final)
    sha256 = publishing.sha256_of(final)
    run.store.publish([FootageFile(path, sha256)])
    final.unlink()
    return sha256


LIES: dict[str, Callable[[Run, str], object]] = {
    "bytes": lambda run, path: [{"path": path, "sha256": other_file(run, path)}],
    "no file": lambda _, path: [{"path": path, "sha256": "0" * 64}],
    "path": lambda _, path: [{"path": f"../{path}", "sha256": "0" * 64}],
    "nothing": lambda *_: [],
    "digest": lambda _, path: [{"path": path, "sha256": "../" * 21 + "a"}],
}


@pytest.mark.parametrize("lie", LIES)
def test_lying_answer_is_refused(tmp_path: Path, lie: str) -> None:
    store = f'[workspace]\nstore = "file://{tmp_path}/store"\n'
    with running(tmp_path / "scene", CLUSTER + store) as run:

        def work(job: str) -> str:
            result = LIES[lie](run, json.loads(job)["path"])
            return json.dumps({"result": result, "build": build()})

        engine = OneWorker(work)
        with pytest.raises(StageError, match="a card of the montage could not be made"):
            pieces(run, lambda _: engine)
        assert len(engine.refused) == 2
        assert made_files(run.workspace.cache) == {}
        assert not [*(tmp_path / "store").rglob("card-*")]


def test_each_program_of_a_film_may_be_killed_once_and_a_mask_may_be_set_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a program that reads pipes, while the store has more clips than may be on the disk."""
    monkeypatch.setattr(streaming, "_MOST_CLIPS", 3)
    left = {"card", "seam", "music", "sound", "join", "loudness", "still", "sheet"}
    run_usually, attend, running_now = FfmpegRunner.run, FfmpegRunner._attend, threading.local()

    def noted(self: FfmpegRunner, purpose: str, *rest: Any, **options: Any) -> ProgramResult:
        running_now.purpose = purpose
        return run_usually(self, purpose, *rest, **options)

    def killed(self: FfmpegRunner, process: subprocess.Popen[bytes], *rest: Any) -> ProgramResult:
        if running_now.purpose in left:
            left.remove(running_now.purpose)
            process.kill()
        return attend(self, process, *rest)

    monkeypatch.setattr(FfmpegRunner, "run", noted)
    monkeypatch.setattr(FfmpegRunner, "_attend", killed)
    drawn = {name: Drawn(1, 20) for name in "abcde"}
    montage = f'{FILM}music = "tune.mp3"\n[workspace]\nstore = "file://{tmp_path}/store"\n'
    scene = render_scene.begin(tmp_path / "scene", drawn, montage)
    tune(scene.folder / "tune.mp3", 1)
    with running(scene.folder) as run:
        film = film_of(run)
        assert left == set()
        assert not run.ledger.runs.montages()[0].stale
        join_usually = publish.publish

        def masked_meanwhile(*rest: Any) -> str:
            scene.review("a", masks=(Mask((MaskPoint(0, 0.2, 0.2, 0.5, 0.5),)),))
            return join_usually(*rest)

        monkeypatch.setattr(publish, "publish", masked_meanwhile)
        scene.film.unlink()
        assert film_of(run) == film
        assert run.ledger.runs.montages()[0].stale
        assert [*tmp_path.glob("store/montage/*")] == []
        assert [*run.workspace.root.rglob("*.part")] == []


# -- the clips of a film are on the disk for a while -----------------------------------------------


def clips_of(run: Run) -> list[FootageFile]:
    outputs = [row.result.outputs[0] for row in admitted_rows(run) if row.result]
    return [FootageFile(output.path, output.sha256) for output in outputs]


def test_a_clip_is_fetched_once_for_two_readers_and_deleted_behind_them(tmp_path: Path) -> None:
    with running(tmp_path / "scene", f'[workspace]\nstore = "file://{tmp_path}/store"\n') as run:
        first, second = clips_of(run)
        paths = [run.workspace.root / file.path for file in (first, second)]
        both = {first: 2, second: 2}
        with ClipWindow(run.store, (first, second), both) as window:
            with window.at_hand(first) as one, window.at_hand(first) as again:
                assert one == again == paths[0]
                assert publishing.sha256_of(one) == first.sha256
            assert not paths[0].exists()
            with window.at_hand(second):
                assert paths[1].exists()
            assert paths[1].exists()  # the other reader has not come yet
        assert not paths[1].exists()
        gone = replace(first, sha256="0" * 64)
        with ClipWindow(run.store, [gone], {gone: 1}) as window:
            with pytest.raises(Stopping), window.at_hand(gone):
                pass
            assert isinstance(window.error, FileMissing)


def test_whole_clips_of_large_pictures_come_through_pipes(tmp_path: Path) -> None:
    with running(tmp_path / "disk", film=HARD) as run:
        film = film_of(run)
    store = f'[workspace]\nstore = "file://{tmp_path}/store"\n'
    with running(tmp_path / "away", store, HARD) as run:
        assert film_of(run) == film


def test_a_pipe_that_nobody_reads_any_more_does_not_hold_a_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "scene", f'[workspace]\nstore = "file://{tmp_path}/store"\n') as run:
        large, _ = clips_of(run)
        pipe = tmp_path / "pipe"
        with ClipWindow(run.store, [large], {large: 1}) as window, Feeder(window, {large: pipe}):
            program = os.open(pipe, os.O_RDONLY)
            assert os.read(program, 1)  # the pipe is full now, and the clip is larger
            joined = threading.Thread.join

            def late(thread: threading.Thread, timeout: float | None = None) -> None:
                """The program is gone only when its pipe has been opened once more."""
                if thread.name == "clip-feeder":
                    os.close(program)
                joined(thread, timeout)

            monkeypatch.setattr(threading.Thread, "join", late)
        assert not [each for each in threading.enumerate() if each.name.startswith("clip-")]


def test_a_store_that_gives_other_bytes_ends_the_film(tmp_path: Path) -> None:
    store = f'[workspace]\nstore = "file://{tmp_path}/store"\n'
    with running(tmp_path / "scene", store, HARD) as run:
        clip = tmp_path / "store" / clips_of(run)[1].key
        clip.write_bytes(clip.read_bytes()[:-1] + b"x")
        with pytest.raises(StoreError, match="the store gave other bytes than it was given"):
            stage.run(run, admitted_rows(run), run.config.output)
        assert not [each for each in threading.enumerate() if each.name.startswith("clip-")]
        assert [*run.workspace.root.rglob("*.part")] == []
        assert [*run.workspace.montage.iterdir()] == []
