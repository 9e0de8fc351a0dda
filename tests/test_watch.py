"""A program is ended for what it does, never for the time that the machine did not give it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.console import Console, Verbosity
from pipeline.faces import looking
from pipeline.ffmpeg import faults, sandbox, watch
from pipeline.ffmpeg.faults import ProgramFailed, ProgramResult
from pipeline.ffmpeg.progress import Interval, Progress, ThreadCount, Work, thread_of
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Limits, Permissions, Sandbox
from pipeline.texts import Detail

# The beginning of /proc/PID/task/TID/stat, of a program that gave itself a name
_STAT = "21988 (a) S 1 (b) {} 21947 21943 22393 0 -1 4194304 831 0 0 0 99 0 0 0 39 19 1 0 6929346"
STEP_S = 2.0

# The state of a thread and its /proc/PID/task/TID/schedstat, recorded every two seconds on a
# machine with two processors: the nanoseconds that it ran and waited, and how often it ran
ALONE = ["R 998075365 836421 14", "R 2997784580 893256 19", "R 4997627756 921588 21"]
# Beside two programs of the highest priority, by one of the lowest; every 2.4 seconds
STARVED = [
    "R 153609850 23072531457 91",
    "R 153609850 23072531457 91",
    "R 153609850 28324521735 91",
    "R 153609850 28324521735 91",
    "R 153609850 28324521735 91",
    "R 153609850 28324521735 91",
    "R 153609850 28324521735 91",
    "R 155843180 40134169759 92",
]
ASLEEP = ["S 6953377 30495 2", "S 6953377 30495 2", "S 6953377 30495 2"]
STOPPED = ["T 14006719752 2997352015 2751", "T 14006719752 2997352015 2751"]


def counted(*threads: Sequence[str], late_s: float = 0.0, for_us: bool = False) -> Progress:
    """Count what was recorded of some threads.

    :param late_s: by how many seconds each look came late.
    """
    progress = Progress(1, processors=2)
    for number, lines in enumerate(zip(*threads, strict=True)):
        split = [line.split(" ", 1) for line in lines]
        found = {at: thread_of(_STAT.format(*each), each[1]) for at, each in enumerate(split)}
        passed_s = STEP_S + late_s if number else 0.0
        progress.count(Work(threads=found), Interval(passed_s, STEP_S, for_us))
    return progress


def test_a_thread_is_read_whatever_its_name_is() -> None:
    found = thread_of(_STAT.format("D"), "998075365 836421 14\n")
    assert found == ThreadCount("D", 0.998075365, 0.000836421)


def test_a_program_that_works_alone_is_counted_by_the_clock() -> None:
    progress = counted(ALONE)
    assert progress.fair_s == pytest.approx(4, abs=0.01)


def test_a_program_that_gets_no_processor_is_hardly_counted() -> None:
    """The kernel adds the time of waiting only now and then."""
    progress = counted(STARVED, ASLEEP[:1] * len(STARVED), late_s=0.4)
    assert progress.fair_s < 0.3 < 2.4 * len(STARVED)
    assert progress.quiet_s == 0


def test_as_many_threads_count_at_once_as_there_are_processors() -> None:
    """Six threads that share two processors: none of them waits for another program."""
    each = [f"R {at * 666_666_667} {at * 1_333_333_333} {at}" for at in range(3)]
    assert counted(*[each] * 6).fair_s == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize("lines", [ASLEEP, STOPPED])
def test_a_program_that_could_work_and_does_not_is_counted_by_the_clock(lines: list[str]) -> None:
    """A stop from outside included."""
    progress = counted(lines, ASLEEP[:1] * len(lines))
    assert progress.fair_s == progress.quiet_s == STEP_S * (len(lines) - 1)


def test_a_program_that_waits_for_a_disk_or_for_us_is_not_idle() -> None:
    held = ["D 6953377 30495 2"] * 5
    assert (counted(held).fair_s, counted(held).quiet_s) == (0, 0)
    assert (counted(ASLEEP, for_us=True).fair_s, counted(ASLEEP, for_us=True).quiet_s) == (0, 0)


def test_a_look_that_comes_late_counts_as_one_in_time() -> None:
    progress = counted(ASLEEP, late_s=100)
    assert progress.fair_s == progress.quiet_s == STEP_S * 2


class Slow:
    """Takes the first piece of a program's output, and holds it for a while."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._taken = seconds, threading.Event()

    def __call__(self, _piece: bytes) -> None:
        if not self._taken.is_set():
            self._taken.set()
            threading.Event().wait(self._seconds)


def talkative(taken: Slow, limits: Limits, wall: str = "none") -> ProgramResult:
    """Run a program that writes more than a pipe holds, and so waits for its reader."""
    argv = [sys.executable, "-I", "-S", "-c", "import os; os.write(1, bytes(1 << 18))"]
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    return runner.run("canary", argv, Permissions(limits=limits), sink=taken)


def test_a_program_that_waits_for_us_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.ffmpeg.runner._PATIENCE_S", 0.4)
    assert talkative(Slow(1.2), Limits(wall_s=0.8)).ok


def test_what_does_not_get_on_by_no_fault_of_its_own_is_ended_at_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It can be tried again, unlike what took too long."""
    monkeypatch.setattr(watch, "STARVED_S", 0.1)
    ended = talkative(Slow(0.9), Limits(wall_s=0.5))
    assert (ended.starved, ended.stuck, ended.timed_out) == (True, False, True)
    with pytest.raises(ProgramFailed) as caught:
        faults.check(ended, "encode", Permissions())
    assert caught.value.refusal.code is Detail.STARVED
    assert caught.value.may_pass


def test_a_sandbox_whose_trial_hangs_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial is ended, so nothing waits for it."""
    monkeypatch.setattr(sandbox, "_TRIAL_S", 0.3)
    hangs = Sandbox(sandbox.Mode.BUBBLEWRAP, "/bin/sleep")
    monkeypatch.setattr(Sandbox, "command", lambda *_: (["/bin/sleep", "60"], b""))
    assert sandbox._fault_of.__wrapped__(hangs) == "did nothing for 0 s"


@pytest.mark.parametrize("kills", [1, 2])
def test_a_trial_of_a_model_that_is_ended_from_outside_says_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    code = "import os, sys; begun = len(os.listdir(sys.argv[1])); "
    code += "open(f'{sys.argv[1]}/{begun}', 'x'); "
    code += f"os.kill(os.getpid(), 15) if begun < {kills} else os.write(1, bytes(1))"
    argv = [sys.executable, "-I", "-S", "-c", code, str(tmp_path)]
    monkeypatch.setattr(looking, "_command", lambda *_: argv)
    runner = FfmpegRunner("none", Console(Verbosity.QUIET))
    if kills == 1:
        assert looking.is_usable(runner, tmp_path)
    else:
        with pytest.raises(ProgramFailed, match="ended from outside"):
            looking.is_usable(runner, tmp_path)
    assert len([*tmp_path.iterdir()]) == 2


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock"])
def test_too_little_memory_is_no_fault_of_the_file(wall: str) -> None:
    """Here FFmpeg gets none for a large picture, at its own limit."""
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    argv = [program(), "-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=s=64x64:d=0.1"]
    permissions = Permissions(limits=Limits(memory=600 << 20))
    ended = runner.run("encode", [*argv, "-vf", "scale=16000:9000", "-f", "null", "-"], permissions)
    with pytest.raises(ProgramFailed) as caught:
        faults.check(ended, "encode", permissions)
    assert caught.value.refusal.code is Detail.OUT_OF_MEMORY
