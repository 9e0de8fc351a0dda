"""Lets one use of a door go wrong.  A door is a place where the program touches the world.

The shipped program has no hook for this.  In a process that does one run only, the functions of
the standard library that the program uses are wrapped.  A point is a door together with the
function of the program that uses it.
"""

from __future__ import annotations

import builtins
import errno
import imaplib
import io
import os
import shutil
import signal
import smtplib
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from types import FrameType
from typing import Self

from pipeline import clock

SLOW_S = 0.2
_FAR = timedelta(days=2)

HOWS = {
    "imap": ("die", "fail", "lost", "no", "busy", "slow", "stop"),
    "smtp": ("die", "fail", "lost", "no", "slow", "stop"),
    "web": ("die", "fail", "slow", "stop"),
    "sql": ("die", "fail", "full", "slow", "stop"),
    "create": ("die", "fail", "full", "stop"),
    "write": ("die", "fail", "full", "slow"),
    "read": ("die", "fail"),
    "flush": ("die", "fail", "full", "slow", "stop"),
    "rename": ("die", "fail", "full", "stop"),
    "delete": ("die", "fail", "stop"),
    "folder": ("die", "fail", "full"),
    "room": ("die", "full"),
    "clock": ("early", "late"),
    "process": ("die", "fail", "killed", "asked", "ended", "slow", "stop"),
}
"""What is tried at each door.

die: SIGKILL.  stop: SIGTERM.  slow: it takes longer, and then works.  fail: an error of the system,
the server or SQLite; of IMAP and SMTP it is BYE.  full: the disk is full; of "write" half of the
bytes are written before.  lost: the server does it, and its answer is lost.  no, busy: the
server refuses it, or the account.  early, late: the clock is two days off.  killed: the program
that was started is killed.  asked: it gets SIGTERM.  ended: it ends with an error at once.
"""

# The modules that are doors of the program themselves; the point is named after their caller.
_OWN_DOORS = (
    *("ledger/connection.py", "ledger/chain.py", "publishing.py", "removal.py", "clock.py"),
    *("console.py", "ffmpeg/runner.py", "ffmpeg/sandbox.py", "ffmpeg/made.py", "ffmpeg/faults.py"),
    *("ingest/spool.py", "post.py"),
)


@dataclass(frozen=True)
class Fault:
    """What goes wrong: *how*, at the *nth* use of *door* by *place*; nothing without a door."""

    door: str = ""
    place: str = ""
    nth: int = 0
    how: str = ""


class Doors:
    """Counts the uses of each point, and lets the planned one go wrong."""

    def __init__(self, fault: Fault, trace: str) -> None:
        """*trace*: a file that gets a line for each use; "" for none."""
        self._fault, self._counts, self._lock = fault, Counter[tuple[str, str]](), threading.Lock()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._trace = os.open(trace, flags, 0o600) if trace else -1

    def reach(self, door: str) -> str:
        """Use a door; gives how it goes wrong, "" if it does not.  Death and waits happen here."""
        place = _caller()
        with self._lock:
            self._counts[door, place] += 1
            if self._trace >= 0:
                os.write(self._trace, f"{door} {place}\n".encode())
            nth = self._counts[door, place]
        how = self._fault.how
        if (door, place, nth) != (self._fault.door, self._fault.place, self._fault.nth):
            return ""
        if how == "die" and door not in ("write", "process"):
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "stop":
            os.kill(os.getpid(), signal.SIGTERM)
        if how == "slow" and door != "process":
            time.sleep(SLOW_S)
        return how

    def reach_disk(self, door: str) -> None:
        """Use a door of the disk.

        :raises OSError: that is planned here.
        """
        how = self.reach(door)
        if how in ("fail", "full"):
            raise _disk_error(how)


def _caller() -> str:
    """The module and the function of the program that uses the door."""
    frame: FrameType | None = sys._getframe(2)
    name = "?"
    while frame:
        _, found, module = frame.f_code.co_filename.rpartition("/pipeline/")
        if found:
            name = f"{module}:{frame.f_code.co_name}"
            if module not in _OWN_DOORS:
                break
        frame = frame.f_back
    return name


def _disk_error(how: str) -> OSError:
    number = errno.ENOSPC if how == "full" else errno.EIO
    return OSError(number, os.strerror(number))


def wrap(fault: Fault, inside: str, trace: str = "") -> None:
    """Put a fault into the doors of this process.

    :param inside: how the paths of files begin that count.
    """
    doors = Doors(fault, trace)
    _wrap_disk(doors)
    _wrap_open(doors, inside)
    _wrap_ledger(doors)
    _wrap_clock(doors)
    _wrap_servers(doors)
    _wrap_programs(doors)


def _put(owner: object, name: str, wrapped: object) -> None:
    """Put a wrapped function into its place."""
    setattr(owner, name, wrapped)


def _wrap_disk(doors: Doors) -> None:
    names = {
        "fsync": "flush", "replace": "rename", "rename": "rename", "unlink": "delete",
        "rmdir": "delete", "mkdir": "folder",
    }  # fmt: skip
    for name, door in names.items():
        inner: Callable[..., object] = getattr(os, name)

        def wrapped(
            *args: object,
            _inner: Callable[..., object] = inner,
            _door: str = door,
            **options: object,
        ) -> object:
            doors.reach_disk(_door)
            return _inner(*args, **options)

        _put(os, name, wrapped)
    usage = shutil.disk_usage

    def faulty_usage(path: str) -> object:
        real = usage(path)
        return real._replace(free=0) if doors.reach("room") == "full" else real

    _put(shutil, "disk_usage", faulty_usage)


def _wrap_open(doors: Doors, inside: str) -> None:
    opened: Callable[..., object] = io.open
    os_open: Callable[..., int] = os.open
    written = _faulty_file(doors)

    def faulty_open(
        file: object, mode: str = "r", buffering: int = -1, *args: object, **options: object
    ) -> object:
        writes = bool(set(mode) & set("wxa+"))
        if str(file).startswith(inside):
            doors.reach_disk("create" if writes else "read")
            if writes:
                return written(file, mode, buffering, *args, **options)
        return opened(file, mode, buffering, *args, **options)

    def faulty_os_open(path: object, flags: int, *args: object, **options: object) -> int:
        if flags & os.O_CREAT and str(path).startswith(inside):
            doors.reach_disk("create")
        return os_open(path, flags, *args, **options)

    for owner in (io, builtins):
        _put(owner, "open", faulty_open)
    _put(os, "open", faulty_os_open)


def _faulty_file(doors: Doors) -> Callable[..., object]:
    """What ``open`` is for a file to write into."""

    class FaultyFile(io.FileIO):
        """A file of which only half is written where a write goes wrong."""

        _how = ""

        def write(self, data: bytes, /) -> int:  # type: ignore[override] # any buffer in typeshed
            if self._how:
                raise _disk_error(self._how)
            how = doors.reach("write")
            if how in ("die", "fail", "full"):
                half = super().write(memoryview(data)[: len(data) // 2])
                if how == "die":
                    os.kill(os.getpid(), signal.SIGKILL)
                self._how = how
                return half
            return super().write(data)

    made: Callable[..., io.RawIOBase] = FaultyFile
    text: Callable[..., object] = io.TextIOWrapper

    def open_to_write(
        file: object, mode: str, buffering: int, *args: object, **options: object
    ) -> object:
        raw = made(
            file, mode.translate({ord("b"): "", ord("t"): ""}), opener=options.pop("opener", None)
        )
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        return text(buffered, *args, line_buffering=buffering == 1, **options)

    return open_to_write


def _wrap_ledger(doors: Doors) -> None:
    class FaultyConnection(sqlite3.Connection):
        def execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:  # type: ignore[override] # sqlite3's own types take more kinds of values
            how = doors.reach("sql")
            if how in ("fail", "full"):
                said = "database or disk is full" if how == "full" else "disk I/O error"
                error = sqlite3.OperationalError(said)
                code = sqlite3.SQLITE_FULL if how == "full" else sqlite3.SQLITE_IOERR
                error.sqlite_errorcode = code
                raise error
            return super().execute(sql, values)

    inner: Callable[..., object] = sqlite3.connect

    def connect(path: object, **options: object) -> object:
        return inner(path, factory=FaultyConnection, **options)

    _put(sqlite3, "connect", connect)


def _wrap_clock(doors: Doors) -> None:
    class FaultyTime(datetime):
        """The time, which is two days off where the clock goes wrong."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            how = doors.reach("clock")
            return super().now(tz) + {"early": -_FAR, "late": _FAR}.get(how, timedelta())

    _put(clock, "datetime", FaultyTime)


def _wrap_servers(doors: Doors) -> None:
    command: Callable[..., object] = imaplib.IMAP4._simple_command  # type: ignore[attr-defined] # the one way of its commands

    def faulty_command(imap: imaplib.IMAP4, *args: object) -> object:
        how = doors.reach("imap")
        if how in ("no", "busy"):
            return "NO", [b"[OVERQUOTA] the mailbox is full" if how == "busy" else b"not now"]
        if how == "fail":
            raise imaplib.IMAP4.abort("BYE the server goes down")
        answer = command(imap, *args)
        if how == "lost":
            raise imaplib.IMAP4.abort("the connection broke before the answer")
        return answer

    _put(imaplib.IMAP4, "_simple_command", faulty_command)
    docmd: Callable[..., object] = smtplib.SMTP.docmd
    sent: Callable[..., tuple[int, bytes]] = smtplib.SMTP.data

    def faulty(smtp: smtplib.SMTP, *args: object) -> tuple[int, bytes]:
        how = doors.reach("smtp")
        if how == "no":
            docmd(smtp, "RSET")
            return 451, b"try again later"
        answer = sent(smtp, *args) if how != "fail" else (0, b"")
        if how in ("fail", "lost"):
            smtp.close()
            raise smtplib.SMTPServerDisconnected("the connection broke")
        return answer

    _put(smtplib.SMTP, "data", faulty)
    urlopen: Callable[..., object] = urllib.request.urlopen

    def faulty_urlopen(*args: object, **options: object) -> object:
        if doors.reach("web") == "fail":
            raise urllib.error.URLError(ConnectionRefusedError())
        return urlopen(*args, **options)

    _put(urllib.request, "urlopen", faulty_urlopen)


def _wrap_programs(doors: Doors) -> None:
    inner: Callable[..., None] = subprocess.Popen.__init__

    def started(process: subprocess.Popen[bytes], args: object, **options: object) -> None:
        how = doors.reach("process")
        if how == "fail":
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        inner(process, ["/bin/false"] if how == "ended" else args, **options)
        if how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if how in ("killed", "asked"):
            _signal(process.pid, signal.SIGKILL if how == "killed" else signal.SIGTERM)
        if how == "slow":
            _signal(process.pid, signal.SIGSTOP)
            threading.Timer(SLOW_S, _signal, (process.pid, signal.SIGCONT)).start()

    _put(subprocess.Popen, "__init__", started)


def _signal(process: int, number: int) -> None:
    """Send a signal to a program, and to all that it started if it leads a group."""
    with suppress(ProcessLookupError):
        (os.killpg if os.getpgid(process) == process else os.kill)(process, number)
