"""Why a program did not do its work, told by how it ended.

What the file did to the decoder (a crash, an endless loop) is the file's reason; what was
done to the program from outside (the kernel out of memory, an operator) is no reason to give
footage up: that clip has failed and can be tried again.
"""

from __future__ import annotations

import signal

from pipeline.errors import DiskFull, Refused
from pipeline.ffmpeg.runner import ProgramResult
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_BY_THE_FILE = {
    signal.SIGSEGV: Detail.DECODER_CRASHED,
    signal.SIGABRT: Detail.DECODER_CRASHED,
    signal.SIGFPE: Detail.DECODER_CRASHED,
    signal.SIGILL: Detail.DECODER_CRASHED,
    signal.SIGBUS: Detail.DECODER_CRASHED,
    signal.SIGSYS: Detail.DECODER_MISUSED,
}
_BY_A_LIMIT = {signal.SIGXCPU, signal.SIGXFSZ}
_SHELL = 128  # a shell, and bubblewrap, end with this plus the signal that ended their program


def look(ended: ProgramResult, wall_s: float) -> None:
    """Pass if the program ended by itself; its exit code is the caller's to judge.

    :raises Refused: timeout, corrupt (the decoder crashed) or internal (it was killed).
    :raises DiskFull: the disk is full.
    """
    if ended.timed_out:
        raise Refused(Refusal(Reason.TIMEOUT, Detail.TOO_SLOW, {"seconds": round(wall_s)}))
    if "No space left on device" in ended.said:
        raise DiskFull
    number = _signal(ended.code)
    if number is None:
        return
    if number in _BY_THE_FILE:
        raise Refused(Refusal(Reason.CORRUPT, _BY_THE_FILE[number]))
    if number in _BY_A_LIMIT:
        raise Refused(Refusal(Reason.TIMEOUT, Detail.LIMIT_REACHED))
    raise Refused(Refusal(Reason.INTERNAL, Detail.KILLED, {"signal": number.name}))


def _signal(code: int) -> signal.Signals | None:
    number = -code if code < 0 else code - _SHELL
    try:
        return signal.Signals(number) if number > 0 else None
    except ValueError:
        return None
