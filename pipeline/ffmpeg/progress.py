"""What the kernel counts of a program and of all that it started: work, and time without work.

What runs inside bubblewrap's process namespace is not counted for its parent while it runs, so all
descendants are added up.  On a busy machine a thread that could run may get no processor:
``/proc/PID/task/TID/schedstat`` says for how long (Linux
``Documentation/scheduler/sched-stats.rst``).  The kernel adds that time only when the thread runs
again.  So for a thread that waits now, the time since its last step is counted in advance.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_IDLE_S = 0.05  # of processor time: a program that waits may use it to look whether it must go on
# A thread in one of these states is held up by the machine: it waits for a processor (R, if it does
# not run), or for a disk (D).  A program can't bring itself into them for long without work.
_HELD = frozenset("RD")
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class ThreadCount:
    """A thread: its state, and for how many seconds it ran, and waited for a processor."""

    state: str
    ran_s: float = 0.0
    waited_s: float = 0.0


@dataclass(frozen=True)
class Work:
    """What all processes of a program have done so far.

    ``cpu_s``: seconds of processor time.  ``moved``: bytes read and written.  ``threads``: those
    that live, by their number.
    """

    cpu_s: float = 0.0
    moved: int = 0
    threads: Mapping[int, ThreadCount] = field(default_factory=dict)


@dataclass(frozen=True)
class Interval:
    """The time between two looks, in seconds.

    ``passed_s``: by the clock.  ``wanted_s``: what it should have been.  A look comes late if the
    machine is busy, or was asleep, and then the program may have waited for us too, so no more than
    this counts as idle.  ``waits_for_us``: the program may wait for this process.
    """

    passed_s: float
    wanted_s: float
    waits_for_us: bool = False


class Progress:
    """The work of a program since the first look.

    ``fair_s``: the seconds that it would have needed had it got a processor whenever it could run.
    ``quiet_s``: the seconds for which it did nothing although it could.
    """

    def __init__(self, pid: int, processors: int = 0) -> None:
        """*processors*: how many it may use; 0: as many as this process."""
        self.fair_s = self.quiet_s = 0.0
        self._pid = pid
        self._before = Work()
        self._early: dict[int, float] = {}  # the waiting time that was counted in advance
        self._still = Work()  # the work when it last got on
        self._processors = processors or len(os.sched_getaffinity(0))

    def look(self, interval: Interval) -> None:
        """Look at the program after an interval of time."""
        work = work_of(_family(self._pid))
        if work is not None:  # else nothing can be known
            self.count(work, interval)

    def count(self, work: Work, interval: Interval) -> None:
        """Count what the program did in an interval of time; *work* is what it has done so far."""
        ran_s = held_s = 0.0
        early: dict[int, float] = {}
        for number, thread in work.threads.items():
            before = self._before.threads.get(number, ThreadCount(""))
            ran = max(0.0, thread.ran_s - before.ran_s)
            waited = max(0.0, thread.waited_s - before.waited_s)
            ahead = self._early.get(number, 0.0)
            held = max(0.0, waited - ahead)
            ahead = max(0.0, ahead - waited) if not ran else 0.0
            if thread.state in _HELD:
                more = max(0.0, interval.passed_s - ran - held)
                held, ahead = held + more, ahead + more
            ran_s, held_s, early[number] = ran_s + ran, held_s + held, ahead
        self._before, self._early = work, early
        self.fair_s += fair_seconds(ran_s, held_s, self._processors, interval)
        worked = work.cpu_s > self._still.cpu_s + _IDLE_S or work.moved != self._still.moved
        if worked or held_s > _IDLE_S or interval.waits_for_us:
            self._still, self.quiet_s = work, 0.0
        else:
            self.quiet_s += min(interval.passed_s, interval.wanted_s)


def fair_seconds(ran_s: float, held_s: float, processors: int, interval: Interval) -> float:
    """Return how long the work of an interval takes on a machine that does nothing else.

    Where no thread could run, the program was idle, and that time counts in full.  Where threads
    could run, as many ran at once as there are processors.

    :param ran_s: the seconds for which its threads ran, added up.
    :param held_s: those for which they could have run, added up.
    """
    if interval.passed_s <= 0:
        return 0.0
    runnable = (ran_s + held_s) / interval.passed_s  # threads, on average
    idle_s = min(interval.passed_s, interval.wanted_s) * max(0.0, 1 - runnable)
    at_once = min(max(runnable, 1.0), processors)
    return (0.0 if interval.waits_for_us else idle_s) + min(interval.passed_s, ran_s / at_once)


def used_cpu_s(pid: int) -> float:
    """Wait until a child ends; return its CPU time, without that of its own children.

    The child is left for its parent to collect.  0 if somebody has collected it already.
    """
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        fields = _fields(_PROC / str(pid) / "stat")
    except OSError:
        return 0.0
    return sum(map(int, fields[11:13])) / _TICKS


def _family(pid: int) -> list[int]:
    """A process with all its descendants."""
    found, waiting = [], [pid]
    while waiting:
        found.append(each := waiting.pop())
        try:
            for task in (_PROC / str(each) / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue  # it has ended
    return found


def work_of(family: list[int]) -> Work | None:
    """Return what processes have done; None where that can't be read."""
    seconds, moved, threads, known = 0.0, 0, dict[int, ThreadCount](), False
    for pid in family:
        folder = _PROC / str(pid)
        try:
            seconds += sum(map(int, _fields(folder / "stat")[11:13])) / _TICKS
            known = True
            for task in (folder / "task").iterdir():
                with contextlib.suppress(OSError):  # a thread that has just ended
                    threads[int(task.name)] = thread_of(
                        (task / "stat").read_text(), (task / "schedstat").read_text()
                    )
            lines = (folder / "io").read_text().splitlines()
            moved += sum(int(line.split()[1]) for line in lines[:2])
        except OSError:
            continue  # it has ended, or is not ours to look into
    return Work(seconds, moved, threads) if known else None


def thread_of(stat: str, schedstat: str) -> ThreadCount:
    """Read what the kernel says of a thread: its files ``stat`` and ``schedstat``."""
    ran, waited, _ = map(int, schedstat.split())
    return ThreadCount(_split(stat)[0], ran / _NANOSECONDS, waited / _NANOSECONDS)


def _fields(path: Path) -> list[str]:
    return _split(path.read_text())


def _split(stat: str) -> list[str]:
    # the name in parentheses may hold blanks
    return stat.rpartition(")")[2].split()
