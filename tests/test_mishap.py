"""A clip is given up for what its file did, never for what was done to the machine."""

from __future__ import annotations

import signal
import sys

import pytest

from pipeline.console import Console, Verbosity
from pipeline.errors import Refused, StageError
from pipeline.media import mishap
from pipeline.media.ffmpeg import Door, Ended
from pipeline.media.sandbox import Cell, Limits
from pipeline.model import Reason, Status


def refused(ended: Ended) -> Reason:
    with pytest.raises(Refused) as caught:
        mishap.look(ended, 120)
    return caught.value.refusal.reason


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock", "none"])
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGSEGV, Reason.CORRUPT),
        (signal.SIGABRT, Reason.CORRUPT),
        (signal.SIGXCPU, Reason.TIMEOUT),
        (signal.SIGKILL, Reason.INTERNAL),
        (signal.SIGTERM, Reason.INTERNAL),
    ],
)
def test_a_signal_tells_who_is_to_blame(wall: str, number: int, reason: Reason) -> None:
    """raise() goes through tgkill, which the filter forbids: the limits and ctypes do it here."""
    code = {
        signal.SIGSEGV: "import ctypes; ctypes.string_at(8)",
        signal.SIGABRT: "import os; os.abort()",
        signal.SIGXCPU: "while True: pass",
    }.get(number, "print('up', flush=True)\nwhile True: pass")
    door = Door(wall, Console(Verbosity.QUIET))
    argv = [sys.executable, "-I", "-S", "-c", code]
    if number in (signal.SIGKILL, signal.SIGTERM):
        ended = Ended(code=128 + number, stdout=b"", said=(), timed_out=False, seconds=1)
    else:
        ended = door.run("canary", argv, Cell(limits=Limits(wall_s=30, cpu_s=1)))
    assert refused(ended) is reason
    assert (reason.status is Status.FAILED) == (reason is not Reason.CORRUPT)


def test_time_and_disk() -> None:
    late = Ended(code=-9, stdout=b"", said=(), timed_out=True, seconds=1)
    assert refused(late) is Reason.TIMEOUT
    full = Ended(1, b"", ("No space left on device",), timed_out=False, seconds=1)
    with pytest.raises(StageError, match="disk is full"):
        mishap.look(full, 120)


@pytest.mark.parametrize("code", [0, 1, 8, 69, 183, 187, 234, 244, 254, 255])
def test_ffmpegs_own_codes_are_no_signals(code: int) -> None:
    mishap.look(Ended(code, b"", (), timed_out=False, seconds=1), 120)
