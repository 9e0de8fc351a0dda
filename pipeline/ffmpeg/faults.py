"""How a program ended, and why it did not do its work.

A crash or an endless loop of a decoder is caused by the file.  An end from outside (the kernel is
out of memory, an operator) is not: that clip has failed and can be tried again.  The filter of
system calls keeps a program from catching such a signal (``calls``), so it is recognised.  Whether
the disk is full is asked of the disk, because a stranger's file can make FFmpeg print any word.
"""

import os
import shutil
import signal
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pipeline.errors import DiskFull, StageError
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.ffmpeg.watch import STARVED_S
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

T = TypeVar("T")

NO_SPACE = "No space left on device"
# What FFmpeg, x264 and a library in C++ say where they get no memory, at the limit or before it
NO_MEMORY = ("Cannot allocate memory", "malloc of size", "std::bad_alloc")
NOT_DECODED = "Error submitting packet to decoder"
# What FFmpeg says where a file ends too early, and where the data of a JPEG or of the pictures of a
# film make no sense
ENDS_EARLY = ("partial file", "File ended prematurely", "Error during demuxing")
SENSELESS = ("Invalid data found when processing input", "moov atom not found")
DAMAGED = ("overread", "bad vlc", "error dc", "error y=", "error count")
DAMAGED_FILM = (
    "error while decoding MB",
    "Error at MB",
    "ac-tex damaged",
    "Invalid NAL unit size",
    "Unknown OBU type",
    "Decoding error",
    "error decoding picture header",
    "No JPEG data found in image",
)
_FULL = 16 << 20  # bytes: with less left on the disk, a program that failed may have filled it
_ROOM = 1 << 30  # bytes: with less on the disk without what programs wrote, it is full
_UNBUILT = 125  # the launcher could not build the wall, and started no program
# FFmpeg exits with one of these codes if it catches a signal.  It can catch one only if it runs
# without a filter of system calls.  With 255 it also exits on an error of this name
_CAUGHT, _NOT_PERMITTED = (123, 255), "Operation not permitted"
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGBUS)
_AT_LIMIT = 0.9  # of the CPU time: the kernel's two ways to count it differ a little
_SHELL = 128  # a shell, and bubblewrap, exit with this plus the signal that ended their program
UNDONE = {
    "card": "a card could not be made",
    "encode": "a clip could not be made",
    "faces": "faces could not be looked for",
    "join": "the montage could not be joined",
    "loudness": "the loudness could not be measured",
    "music": "the music could not be read",
    "pictures": "a film could not be decoded to look for faces",
    "preview": "the preview could not be made",
    "probe": "a file could not be examined",
    "reference": "the encoder could not be tried out",
    "seam": "a crossfade could not be made",
    "sheet": "the contact sheet could not be made",
    "sound": "the sound could not be decoded",
    "still": "the montage's poster could not be made",
    "survey": "a film could not be examined",
}


@dataclass(frozen=True)
class ProgramResult:
    """How a program ended.  ``said`` holds phrases from a list of ours, never free text.

    ``timed_out``: it was ended because it took too long; ``stuck``: because it did nothing;
    ``starved``: because the machine gave it no time to work.
    ``written``: how many bytes of the disk all programs that ran when it ended had used.
    ``cpu_s``: the CPU time of its process, as far as the kernel counts it there.
    """

    code: int
    stdout: bytes
    said: tuple[str, ...]
    timed_out: bool
    seconds: float
    stuck: bool = False
    starved: bool = False
    written: int = 0
    cpu_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it ended by itself and reported no error."""
        return self.code == 0 and not self.timed_out


class ProgramFault(StageError):
    """A program is at fault; ``refusal`` is why there is no clip, if a clip was to be made."""

    refusal: Refusal


class ProgramLied(ProgramFault):
    """What a program made or said can't be true, so nothing of it is used."""

    def __init__(self, what: str) -> None:
        """*what* was found, in words of ours."""
        self.what = what
        self.refusal = Refusal(Reason.INTERNAL, Detail.UNTRUE_RESULT, {"what": what})
        super().__init__(self.refusal.detail)


class ProgramFailed(ProgramFault):
    """A program did not do its work; the text says what could not be made, and why.

    ``stdout`` is what the program had written before; ``is_reported``: it ended by itself and
    reported an error; ``is_stuck``: it waited for ever.
    """

    def __init__(self, purpose: str, ended: ProgramResult, limits: Limits) -> None:
        self.refusal = _refused(ended, limits)
        self.stdout = ended.stdout
        self.is_stuck = ended.stuck
        self.is_reported = not ended.timed_out and _ended_by(ended, limits) is None
        words = _words(self.refusal, ended, limits)
        super().__init__(f"{UNDONE.get(purpose, 'a program failed')}: {words}")

    @property
    def may_pass(self) -> bool:
        """Whether it ended for what happened on the machine, which says nothing of the file."""
        return self.refusal.may_pass


def once_more(work: Callable[[], T], note: Callable[[], object]) -> T:
    """Do a piece of work, and do it once more if one of its programs is ended from outside.

    The kernel does so where memory is short, and that may pass.

    :param note: is called between the two.
    :raises StageError: that of the work.
    """
    try:
        return work()
    except StageError as error:
        if not _is_caused_from_outside(error):
            raise
    note()
    return work()


def _is_caused_from_outside(error: BaseException | None) -> bool:
    """Whether an error came, maybe over others, from a program that was ended from outside."""
    while error is not None:
        if isinstance(error, ProgramFailed) and error.refusal.code is Detail.KILLED:
            return True
        error = error.__cause__ or error.__context__
    return False


def check_end(ended: ProgramResult, purpose: str, permissions: Permissions) -> None:
    """Do nothing if a program ended by itself, or because of its file or its limits.

    :raises ProgramFailed: it was ended from outside.
    """
    if not ended.ok and (failed := ProgramFailed(purpose, ended, permissions.limits)).may_pass:
        raise failed


def check(ended: ProgramResult, purpose: str, permissions: Permissions) -> None:
    """Do nothing if a program did its work.

    Whether the disk is full is asked of the disk.  A program that was taken over can fill it, and
    then the disk has room again as soon as its files are deleted: only its own work has failed.

    :param purpose: as in ``FfmpegRunner.run``.
    :param permissions: those that it ran with.
    :raises DiskFull: it failed, and the disk that it wrote to is full, whatever the programs wrote.
    :raises ProgramFailed: it failed for another reason.
    """
    if any(_is_at_limit(path, permissions.limits) for path in permissions.writes):
        # the program may ignore the signal, and report any other error
        raise ProgramFailed(purpose, replace(ended, code=-signal.SIGXFSZ), permissions.limits)
    suspect = NO_SPACE in ended.said or not (ended.ok or ended.timed_out)
    if suspect and permissions.writes:
        free = min(map(free_bytes, permissions.writes))
        if free < _FULL and free + ended.written < _ROOM:
            raise DiskFull
        if free < _FULL:
            ended = replace(ended, code=1, said=(NO_SPACE,))
    if not ended.ok:
        raise ProgramFailed(purpose, ended, permissions.limits)


def _refused(ended: ProgramResult, limits: Limits) -> Refusal:
    """Return what a failure means for a clip."""
    if ended.timed_out:
        return _out_of_time(ended, limits)
    if ended.code == _UNBUILT:
        # no program has read the file: it is not the file's fault
        return Refusal(Reason.INTERNAL, Detail.PROGRAM_FAILED, {"place": "sandbox"})
    match _ended_by(ended, limits):
        case None:
            return _reported(ended.said, limits)
        case signal.SIGXCPU | signal.SIGXFSZ:
            return Refusal(Reason.TIMEOUT, Detail.LIMIT_REACHED)
        case signal.SIGSYS:
            return Refusal(Reason.CORRUPT, Detail.DECODER_MISUSED)
        case signal.SIGABRT if _lacks_memory(ended.said):
            return _reported(ended.said, limits)
        case number if number in _CRASHES:
            return Refusal(Reason.CORRUPT, Detail.DECODER_CRASHED)
        case number:
            return Refusal(Reason.INTERNAL, Detail.KILLED, {"signal": number.name})


def _words(refusal: Refusal, ended: ProgramResult, limits: Limits) -> str:
    """Return what a failure means for a stage that makes no clip of a stranger's file."""
    number = _ended_by(ended, limits)
    match refusal.code:
        case Detail.DECODING_FAILED | Detail.DECODING_FAILED_SAID | Detail.NO_ROOM:
            return "; ".join(ended.said) or f"exit code {ended.code}"
        case Detail.DECODER_MISUSED:
            return "it made a system call that the sandbox forbids"
        case Detail.DECODER_CRASHED if number is not None:
            return f"the program crashed ({number.name})"
        case _:
            return refusal.detail


def _out_of_time(ended: ProgramResult, limits: Limits) -> Refusal:
    if ended.stuck:
        return Refusal(Reason.TIMEOUT, Detail.STUCK)
    if ended.starved:
        minutes = round((limits.wall_s + STARVED_S) / 60)
        return Refusal(Reason.TIMEOUT, Detail.STARVED, {"minutes": minutes})
    return Refusal(Reason.TIMEOUT, Detail.TOO_SLOW, {"seconds": round(limits.wall_s)})


def _reported(said: tuple[str, ...], limits: Limits) -> Refusal:
    if NO_SPACE in said:
        # the disk has room again, as another clip that failed has left it: this one can be retried
        return Refusal(Reason.INTERNAL, Detail.NO_ROOM)
    if _lacks_memory(said):
        return Refusal(Reason.INTERNAL, Detail.OUT_OF_MEMORY, {"gigabytes": limits.memory >> 30})
    if said:
        return Refusal(Reason.CORRUPT, Detail.DECODING_FAILED_SAID, {"phrase": said[0]})
    return Refusal(Reason.CORRUPT, Detail.DECODING_FAILED)


def _lacks_memory(said: tuple[str, ...]) -> bool:
    """Whether a program got no memory, although nothing in its file was found to be damaged.

    A damaged file can ask for any amount of it.
    """
    return not {*NO_MEMORY}.isdisjoint(said) and {*SENSELESS, *DAMAGED, *DAMAGED_FILM}.isdisjoint(
        said
    )


def _is_at_limit(path: Path, limits: Limits) -> bool:
    """Whether it is a file as large as a file may get."""
    found = _regular(path)
    return found is not None and found.st_size >= max(limits.file_size, 1)


def bytes_on_disk(path: Path) -> int:
    """Return how many bytes of the disk a file takes; 0 if it is not a file."""
    found = _regular(path)
    return 0 if found is None else found.st_blocks * 512


def _regular(path: Path) -> os.stat_result | None:
    """Look at a file; None if it is gone or something else."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _ended_by(ended: ProgramResult, limits: Limits) -> signal.Signals | None:
    """Return the signal that ended a program, None if it ended by itself.

    The limit of CPU time counts as its own signal, also if the program outlived that.
    """
    number = _signal(ended.code)
    if number is None and ended.code in _CAUGHT and _NOT_PERMITTED not in ended.said:
        number = signal.SIGTERM
    is_stopped = number in (signal.SIGKILL, signal.SIGTERM) or ended.code in _CAUGHT
    if is_stopped and ended.cpu_s >= limits.cpu_s * _AT_LIMIT:
        return signal.SIGXCPU
    return number


def is_end_from_outside(code: int) -> bool:
    """Whether a program with this exit code was ended by somebody, or for lack of memory.

    A crash, a forbidden system call and a limit of its own are caused by what the program read.
    """
    own = (signal.SIGXCPU, signal.SIGXFSZ, signal.SIGSYS, *_CRASHES)
    number = _signal(code)
    return number is not None and number not in own


def _signal(code: int) -> signal.Signals | None:
    number = -code if code < 0 else code - _SHELL
    try:
        return signal.Signals(number) if number > 0 else None
    except ValueError:
        return None


def free_bytes(path: Path) -> int:
    """Return how many bytes the disk of a file or folder has left, also if the file is gone."""
    there = next(each for each in (path, *path.parents) if each.is_dir())
    return shutil.disk_usage(there).free
