"""Whether a program and all that it started are at work, as the kernel counts it.

What runs inside bubblewrap's process namespace is not counted for its parent while it runs, so all
descendants are added up.
"""

import os
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_IDLE_CPU_S = 0.05  # what a program that waits may use to look whether it is still to wait


class Progress:
    """The work of a program so far; ``is_stuck`` is asked now and then."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen = 0.0, 0
        self._quiet_s = 0.0

    def is_stuck(self, passed_s: float, patience_s: float) -> bool:
        """Whether for *patience_s* it used no processor time, and read and wrote nothing.

        :param passed_s: seconds since the last call.
        """
        work = _work(_family(self._pid))
        if work is None:  # nothing can be known
            return False
        before, self._quiet_s = self._seen, self._quiet_s + passed_s
        if work[0] > before[0] + _IDLE_CPU_S or work[1] != before[1]:
            self._seen, self._quiet_s = work, 0.0
        return self._quiet_s >= patience_s


def used_cpu_s(pid: int) -> float:
    """Wait until a child ends; return its CPU time, without that of its own children.

    The child is left for its parent to collect.  0 if somebody has collected it already.
    """
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        return 0.0
    work = _work([pid])
    return 0.0 if work is None else work[0]


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


def _work(family: list[int]) -> tuple[float, int] | None:
    """Seconds of processor time and bytes read and written; None where that can't be read."""
    seconds, transferred, known = 0.0, 0, False
    for pid in family:
        try:
            # the name in parentheses may hold blanks
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / _TICKS
            known = True
            lines = (_PROC / str(pid) / "io").read_text().splitlines()
            transferred += sum(int(line.split()[1]) for line in lines[:2])
        except OSError:
            continue  # it has ended, or is not ours to look into
    return (seconds, transferred) if known else None
