"""Runs a command as a night does, measures its own process, and makes tiny footage for it.

The clock of a night can be set from outside, by libfaketime (Debian's package ``libfaketime``):
the program itself has nothing for it.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image
from support.planted.bases import ffmpeg

_HERE = str(Path(__file__).parents[1])
_EVERY_S = 0.05
FAKETIME = "libfaketimeMT.so.1"
# How a program is started whose clock is moved.  time.sleep calls clock_nanosleep with a moment
# of the monotonic clock.  libfaketime 0.9.10 shifts that moment although DONT_FAKE_MONOTONIC is
# set, and the kernel refuses it.  subprocess waits by time.sleep too.
_WITH_SLEEP = """
import runpy, select, sys, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
sys.argv[0] = "footage"
runpy.run_module("pipeline", run_name="__main__")
"""


class Clock:
    """A clock that runs ahead of the real one, for programs that are started with ``env``."""

    def __init__(self, file: Path) -> None:
        """*file*: where libfaketime reads the offset.

        :raises RuntimeError: there is no libfaketime.
        """
        found = [*Path("/usr/lib").glob(f"*/faketime/{FAKETIME}")]
        if not found:
            raise RuntimeError("there is no libfaketime: install Debian's package libfaketime")
        self._file = file
        # No cache: the review runs while the clock is moved.  If the monotonic clock were moved
        # too, the waits of Python's threads would never end.
        self.env = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.ahead = timedelta()
        self.set(self.ahead)

    def set(self, ahead: timedelta) -> None:
        """Let it run ahead by so much."""
        self.ahead = ahead
        part = self._file.with_suffix(".part")
        part.write_text(f"+{int(ahead.total_seconds())}")
        part.replace(self._file)

    def date(self, folder: Path, since: float) -> None:
        """Give this clock's time to the files that were written *since* a real moment."""
        for path in folder.rglob("*"):
            written = path.lstat().st_mtime
            if since - 1 < written < time.time() + 1 and not path.is_symlink():
                moment = written + self.ahead.total_seconds()
                os.utime(path, (moment, moment))


@dataclass(frozen=True)
class Use:
    """What one process used, without its children: peak of memory, and open descriptors.

    ``cpu`` counts its children too.  ``stop_s``: from the signal to its end, None without one.
    """

    code: int
    peak_mb: float
    handles: int
    cpu: float
    wall: float
    out: str
    err: str
    stop_s: float | None = None


@dataclass(frozen=True)
class Stop:
    """When a command is ended from outside, and how."""

    how: signal.Signals
    when: Callable[[], bool]


def resident_mb(pid: int, field: str = "VmHWM") -> float:
    """A figure of memory of a process (proc_pid_status(5)); 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), 0.0)


def handles(pid: int) -> int:
    """How many descriptors a process has open."""
    try:
        return len([*Path(f"/proc/{pid}/fd").iterdir()])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def command(arguments: tuple[str, ...], env: dict[str, str]) -> list[str]:
    """The words that start one of our commands in an environment."""
    start = ("-c", _WITH_SLEEP) if "LD_PRELOAD" in env else ("-m", "pipeline")
    return [sys.executable, *start, *arguments]


def footage(
    folder: Path, *arguments: str, env: dict[str, str] | None = None, stop: Stop | None = None
) -> Use:
    """Run one of our commands to its end, or until it is stopped."""
    begun = time.monotonic()
    before = os.times()
    out, err = folder / "said.out", folder / "said.err"
    with out.open("wb") as said, err.open("wb") as complained:
        process = subprocess.Popen(
            command(arguments, env or {}),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complained,
            env=os.environ | {"PYTHONPATH": _HERE} | (env or {}),
        )
        peak, most, stopped = 0.0, 0, None
        while process.poll() is None:
            peak = max(peak, resident_mb(process.pid))
            most = max(most, handles(process.pid))
            if stop is not None and stop.when():
                process.send_signal(stop.how)
                stop, stopped = None, time.monotonic()
            time.sleep(_EVERY_S)
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    texts = [path.read_text(errors="replace") for path in (out, err)]
    ended = time.monotonic()
    stop_s = None if stopped is None else ended - stopped
    return Use(process.returncode, peak, most, cpu, ended - begun, texts[0], texts[1], stop_s)


def photo(seed: int, width: int = 64, height: int = 48, *, grain: bool = False) -> bytes:
    """A JPEG of coloured areas, different for each seed; with grain it has more bytes."""
    chance = np.random.default_rng(seed)
    few = chance.integers(40, 200, (4, 4, 3), np.uint8)
    picture = np.asarray(Image.fromarray(few).resize((width, height), Image.Resampling.BICUBIC))
    if grain:
        picture = picture + chance.integers(0, 40, picture.shape, np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG")
    return file.getvalue()


@cache
def _films() -> tuple[bytes, ...]:
    """Films of half a second with sound, of which each looks and sounds different."""
    options = "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"
    made = []
    for number in range(12):
        path = Path(f"/tmp/film-{os.getpid()}-{number}.mp4")
        picture = f"testsrc2=s={64 + 16 * number}x{48 + 16 * (number % 3)}:r=25,trim={number}"
        sound = f"sine=f={300 + 40 * number}:r=44100:d=0.5"
        ffmpeg("-f", "lavfi", "-i", f"{picture},setpts=PTS-STARTPTS", "-f", "lavfi", "-i", sound,
               "-t", "0.5", *options, path)  # fmt: skip
        made.append(path.read_bytes())
        path.unlink()
    return tuple(made)


def film(seed: int) -> bytes:
    """An MP4 of half a second; the same pictures come again after twelve, never the same bytes."""
    films = _films()
    return films[seed % len(films)] + b"\0\0\0\x18free" + Random(seed).randbytes(16)


def left_behind(folder: Path) -> list[Path]:
    """Temporary files and folders below a folder."""
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


def sizes(folder: Path) -> Iterator[int]:
    """The bytes of each file below a folder."""
    yield from (path.stat().st_size for path in folder.rglob("*") if path.is_file())
