"""A clip is refused for what its file did, never for what was done to the machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.clip_scene import ClipScene, end_from_outside, opened
from support.ledger_scene import settings
from support.waiting import below

from pipeline.caution import Caution
from pipeline.config import Output
from pipeline.console import Console, Verbosity
from pipeline.ffmpeg import faults, launcher
from pipeline.ffmpeg.faults import NO_MEMORY, NO_SPACE, ProgramFailed, ProgramResult
from pipeline.ffmpeg.graph import Graph, read, write
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.model import Reason, Status
from pipeline.process import graph, reference
from pipeline.process.graph import ClipSource
from pipeline.texts import Detail


def ended(code: int, *said: str, timed_out: bool = False) -> ProgramResult:
    return ProgramResult(code=code, stdout=b"", said=said, timed_out=timed_out, seconds=1)


def failed(result: ProgramResult, purpose: str = "encode") -> ProgramFailed:
    with pytest.raises(ProgramFailed) as caught:
        faults.check(result, purpose, Permissions())
    return caught.value


def refused(result: ProgramResult) -> Reason:
    return failed(result).refusal.reason


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock", "none"])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import ctypes; ctypes.string_at(8)", Reason.CORRUPT),
        ("import os; os.abort()", Reason.CORRUPT),
    ],
)
def test_what_a_file_did_to_its_decoder(wall: str, code: str, reason: Reason) -> None:
    """A segmentation fault, and an abort."""
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    argv = [sys.executable, "-I", "-S", "-c", code]
    result = runner.run("canary", argv, Permissions(limits=Limits(wall_s=30, cpu_s=1)))
    assert refused(result) is reason


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock", "none"])
def test_a_heavy_film_at_the_limit_of_cpu_time_can_be_tried_again(wall: str) -> None:
    """FFmpeg catches the signal of the limit, and would report an error in its place."""
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    argv = [program(), "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360"]
    permissions = Permissions(limits=Limits(wall_s=30, cpu_s=1))
    result = runner.run("encode", [*argv, "-c:v", "mjpeg", "-f", "null", "-"], permissions)
    with pytest.raises(ProgramFailed) as caught:
        faults.check(result, "encode", permissions)
    assert caught.value.refusal.code is Detail.LIMIT_REACHED
    assert caught.value.refusal.reason.status is Status.FAILED


@pytest.mark.parametrize(
    ("code", "cpu_s", "detail"),
    [
        (123, 600, Detail.LIMIT_REACHED),
        (255, 600, Detail.LIMIT_REACHED),
        (-signal.SIGKILL, 601, Detail.LIMIT_REACHED),
        (-signal.SIGKILL, 300, Detail.KILLED),
        (1, 600, Detail.DECODING_FAILED),
    ],
)
def test_a_program_that_used_its_cpu_time_was_stopped_by_the_limit(
    code: int, cpu_s: float, detail: Detail
) -> None:
    assert failed(replace(ended(code), cpu_s=cpu_s)).refusal.code is detail


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_kill_from_outside_can_be_tried_again(number: int, sign: int) -> None:
    result = ended(-number if sign < 0 else 128 + number)
    assert refused(result) is Reason.INTERNAL
    assert failed(result).refusal.reason.status is Status.FAILED


def test_a_wall_that_cannot_be_built_is_not_the_fault_of_the_file(tmp_path: Path) -> None:
    """Here a folder that the program needs is gone."""
    runner = FfmpegRunner("landlock", Console(Verbosity.QUIET))
    result = runner.run("canary", ["/bin/true"], Permissions(reads=(tmp_path / "gone",)))
    assert refused(result) is Reason.INTERNAL


def test_too_much_time() -> None:
    assert refused(ended(-9, timed_out=True)) is Reason.TIMEOUT


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock", "none"])
def test_ffmpeg_that_is_asked_to_end_can_be_tried_again(wall: str) -> None:
    """FFmpeg would catch SIGTERM, and end with the code of an error."""
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    asked: list[int] = []

    def ask(_pictures: bytes) -> None:
        if not asked:
            asked.extend(descendants(program()))
            for each in asked:
                os.kill(each, signal.SIGTERM)

    argv = [program(), "-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=s=32x32"]
    permissions = Permissions(limits=Limits(wall_s=60))
    result = runner.run("encode", [*argv, "-f", "rawvideo", "pipe:1"], permissions, sink=ask)
    assert len(asked) == 1
    assert not result.timed_out
    assert failed(result).refusal.code is Detail.KILLED
    assert not failed(result).is_reported


def descendants(path: str) -> list[int]:
    """The processes below this one that run a program."""
    found = []
    for each in below(os.getpid()):
        with suppress(OSError):
            found += [each] if str(Path(f"/proc/{each}/exe").readlink()) == path else []
    return found


def test_what_a_killed_program_had_started_does_not_hold_its_pipes_open() -> None:
    """As bubblewrap's second process, if the first one is killed just before it goes on."""
    options = ("--parent", str(os.getpid()), "--limits", "60", str(4 << 30), "1000000", "0")
    program = ("--stay", "--", "/bin/sh", "-c", "sleep 600 & kill -9 $$")
    done = subprocess.run(
        [sys.executable, "-I", "-S", launcher.__file__, *options, *program],
        stdout=subprocess.PIPE,
        timeout=60,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


def test_a_clip_whose_program_is_ended_from_outside_is_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that looks at the sound, which the clip must not lose by it."""
    scene = ClipScene(tmp_path).to(Output(name="small", size="96x64", fps=30))
    film = scene.film(
        *("film.mp4", "-f", "lavfi", "-i", "testsrc=s=96x64:d=0.2:r=30", "-f", "lavfi"),
        *("-i", "sine=d=0.2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
    )
    left = ["survey"]
    end_from_outside(left, monkeypatch.setattr)
    made = scene.make(film)
    assert made.status is Status.ACCEPTED
    assert Caution.BROKEN_SOUND not in made.warnings
    left += ["survey", "encode"]
    result = scene.make(film)
    assert result.status is Status.FAILED
    assert result.refusal is not None
    assert result.refusal.code is Detail.KILLED
    assert left == []
    # also what tries out the encoder before the first clip
    with opened(settings(tmp_path)) as run:
        left.append("reference")
        assert [*reference.decoder_configurations(run, scene.outputs)] == ["small"]
        left += ["reference"] * 2
        with pytest.raises(ProgramFailed, match="the encoder could not be tried out"):
            reference.decoder_configurations(run, scene.outputs)
    assert left == []


@pytest.mark.parametrize("code", [1, 8, 69, 183, 187, 234, 244, 254])
def test_exit_codes_of_ffmpeg_are_not_taken_for_signals(code: int) -> None:
    assert refused(ended(code)) is Reason.CORRUPT
    assert refused(ended(255, "Operation not permitted")) is Reason.CORRUPT
    faults.check(ended(0), "encode", Permissions())


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (ended(-signal.SIGSEGV), "a card could not be made: the program crashed (SIGSEGV)"),
        (ended(128 + signal.SIGKILL), "the work on it was ended from outside (SIGKILL)"),
        (ended(-9, timed_out=True), "it took longer than the 120 s allowed"),
        (ended(1, *NO_MEMORY), "a card could not be made: it needs more memory than the 6 GB"),
        (ended(1, "Invalid argument"), "a card could not be made: Invalid argument"),
        (ended(234), "a card could not be made: exit code 234"),
    ],
)
def test_a_stage_says_how_a_program_ended(result: ProgramResult, words: str) -> None:
    assert words in str(failed(result, "card"))


def test_words_of_a_program_do_not_fill_the_disk(tmp_path: Path) -> None:
    """Any file can make a decoder print that the disk is full; the disk is asked instead."""
    there = Permissions(writes=(tmp_path,))
    assert faults.free_bytes(tmp_path) > 1 << 30
    with pytest.raises(ProgramFailed) as caught:
        faults.check(ended(1, NO_SPACE), "encode", there)
    assert caught.value.refusal.reason is Reason.INTERNAL


@pytest.mark.parametrize(
    ("ordinary", "end"),
    [(1 << 30, "DiskFull"), (1 << 20, "ProgramFailed internal no-room")],
)
def test_a_full_disk_ends_the_stage(tmp_path: Path, ordinary: int, end: str) -> None:
    """FFmpeg fills a small file system of its own.

    Where it has filled more than is ordinary, the disk has room again without it, and only its own
    work has failed.
    """
    script = f"""
import sys
from pathlib import Path
sys.path[:] = {sys.path!r}
from pipeline.config import Output
from pipeline.console import Console, Verbosity
from pipeline.errors import DiskFull
from pipeline.ffmpeg import faults
from pipeline.ffmpeg.faults import ProgramFailed
from pipeline.ffmpeg.graph import Graph, read, write
from pipeline.ffmpeg.made import MadeFile
from pipeline.ffmpeg.runner import FfmpegRunner
faults._ROOM = {ordinary}
noise = read("color=s=640x360:d=60", {{"f": "lavfi"}}).video("0")
film = MadeFile(Path({str(tmp_path)!r}) / "film.raw", 1 << 30)
graph = Graph((write(film.path, {{"f": "rawvideo"}}, noise),))
try:
    FfmpegRunner("none", Console(Verbosity.QUIET)).make(
        "encode", graph, writes=(film,), seconds=120
    )
except DiskFull as fault:
    print("DiskFull")
except ProgramFailed as fault:
    print("ProgramFailed", fault.refusal.reason, fault.refusal.code)
"""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    command += ['mount -t tmpfs -o size=32m tmpfs "$1" && exec "$2" -c "$3"', "sh"]
    command += [str(tmp_path), sys.executable, script]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.strip() == end


def test_one_call_makes_what_a_graph_says(tmp_path: Path) -> None:
    runner = FfmpegRunner("auto", Console(Verbosity.QUIET))
    picture = read("color=s=64x64:d=1:r=10", {"f": "lavfi"}).video("0")
    graph = Graph((write("pipe:1", {"f": "rawvideo", "pix_fmt": "gray"}, picture),))
    assert len(runner.make("canary", graph, seconds=10)) == 64 * 64 * 10
    graph = Graph((write(tmp_path / "not allowed.raw", {"f": "rawvideo"}, picture),))
    with pytest.raises(ProgramFailed, match="a program failed"):
        runner.make("canary", graph, seconds=10)


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock", "none"])
def test_a_program_that_waits_for_ever_is_ended(wall: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that works, or that only reads or writes, is not."""
    monkeypatch.setattr("pipeline.ffmpeg.runner._PATIENCE_S", 0.6)
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    ends = {
        "import signal; signal.pause()": True,
        "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass": False,
    }
    for code, stuck in ends.items():
        argv = [sys.executable, "-I", "-S", "-c", code]
        result = runner.run("canary", argv, Permissions(limits=Limits(wall_s=60)))
        assert (result.stuck, result.ok) == (stuck, not stuck)
        if stuck:
            assert refused(result) is Reason.TIMEOUT


def test_a_clip_whose_program_waits_is_tried_by_a_simpler_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.ffmpeg.runner._PATIENCE_S", 1.5)
    scene = ClipScene(tmp_path).to(Output(name="small", size="96x64", fps=30))
    film = scene.film(
        *("film.mp4", "-f", "lavfi", "-i", "testsrc=s=96x64:d=0.5:r=30", "-f", "lavfi"),
        *("-i", "sine=d=0.5", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
    )
    usual, asked = graph.clip_graph, []

    def waits_once(source: ClipSource, *rest: Any) -> Graph:
        asked.append(source)
        if len(asked) > 1:
            return usual(source, *rest)
        endless = read("testsrc", {"f": "lavfi", "readrate": "0.000001"})
        return Graph((write("-", {"f": "null"}, endless.video()),))

    monkeypatch.setattr(graph, "clip_graph", waits_once)
    result = scene.make(film)
    assert result.status is Status.ACCEPTED
    assert [source.sound is None for source in asked] == [True, False]
    assert Caution.BROKEN_SOUND not in result.warnings
