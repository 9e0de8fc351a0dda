"""A clip is given up for what its file did, never for what was done to the machine."""

from __future__ import annotations

import signal
import sys

import pytest

from pipeline.console import Console, Verbosity
from pipeline.errors import Refused, StageError
from pipeline.ffmpeg import faults
from pipeline.ffmpeg.runner import FfmpegRunner, ProgramResult
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.model import Reason, Status


def refused(ended: ProgramResult) -> Reason:
    with pytest.raises(Refused) as caught:
        faults.look(ended, 120)
    return caught.value.refusal.reason


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock", "none"])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import ctypes; ctypes.string_at(8)", Reason.CORRUPT),
        ("import os; os.abort()", Reason.CORRUPT),
        ("while True: pass", Reason.TIMEOUT),
    ],
)
def test_what_a_file_did_to_its_decoder(wall: str, code: str, reason: Reason) -> None:
    """A segmentation fault, an abort, and the limit of CPU time."""
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    argv = [sys.executable, "-I", "-S", "-c", code]
    ended = runner.run("canary", argv, Permissions(limits=Limits(wall_s=30, cpu_s=1)))
    assert refused(ended) is reason


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("sign", [-1, 1])
def test_what_was_done_to_it_from_outside_is_no_reason_to_give_up(number: int, sign: int) -> None:
    code = -number if sign < 0 else 128 + number
    ended = ProgramResult(code=code, stdout=b"", said=(), timed_out=False, seconds=1)
    assert refused(ended) is Reason.INTERNAL
    assert refused(ended).status is Status.FAILED


def test_time_and_disk() -> None:
    late = ProgramResult(code=-9, stdout=b"", said=(), timed_out=True, seconds=1)
    assert refused(late) is Reason.TIMEOUT
    full = ProgramResult(1, b"", ("No space left on device",), timed_out=False, seconds=1)
    with pytest.raises(StageError, match="disk is full"):
        faults.look(full, 120)


@pytest.mark.parametrize("code", [0, 1, 8, 69, 183, 187, 234, 244, 254, 255])
def test_ffmpegs_own_codes_are_no_signals(code: int) -> None:
    faults.look(ProgramResult(code, b"", (), timed_out=False, seconds=1), 120)
