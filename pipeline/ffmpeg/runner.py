"""The one runner to native programs: FFmpeg and the probe, always through the sandbox.

The runner knows nothing of clips.  It takes an argument list and a cell, isolates standard
input, keeps at most a bounded piece of what the program says, ends it when its time is up,
and writes the command into the run's log.  What FFmpeg says on standard error can repeat
what a file's tags hold, so it is never kept: only phrases on a list of our own are.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from pipeline.console import Console
from pipeline.errors import Stopping
from pipeline.ffmpeg.sandbox import Permissions, choose, spawn

_KEEP = 4 << 20

# What FFmpeg may be quoted with; anything else it says stays unsaid.
_PHRASES = (
    "Invalid data found when processing input",
    "moov atom not found",
    "No space left on device",
    "Cannot allocate memory",
    "File size limit exceeded",
    "Operation not permitted",
    "Permission denied",
    "No such file or directory",
    "Error while decoding",
    "Error opening input",
    "Error opening output",
    "Invalid argument",
    "matches no streams",
    "Conversion failed",
    "Unknown decoder",
    "Decoder not found",
    "could not find codec parameters",
    "Picture size",
)


@dataclass(frozen=True)
class ProgramResult:
    """How a program ended.  ``said`` holds phrases of our own list, never free text."""

    code: int
    stdout: bytes
    said: tuple[str, ...]
    timed_out: bool
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether it ended by itself and without complaint."""
        return self.code == 0 and not self.timed_out


@cache
def program() -> str:
    """The path of FFmpeg: the one that imageio-ffmpeg carries."""
    return str(Path(imageio_ffmpeg.get_ffmpeg_exe()).resolve())


class FfmpegRunner:
    """Starts programs, and knows which are running, so that all can be ended at once."""

    def __init__(self, sandbox: str, console: Console) -> None:
        """Nothing is started or tried out before the first program.

        :param sandbox: what the configuration asks for, see ``sandbox.choose``.
        """
        self._wanted = sandbox
        self._console = console
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(
        self,
        purpose: str,
        argv: list[str],
        cell: Permissions,
        feed: Iterable[bytes] | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> ProgramResult:
        """Run a program to its end, or to the end of its wall time.

        :param purpose: for the log: probe, loudness, encode, card, join, still.
        :param feed: pieces for its standard input; without, it has none.
        :param sink: takes what comes from its standard output, piece by piece, in a thread of
            its own; without, the last 4 MiB are kept.
        :raises Stopping: the runner was closed while it ran.
        :raises SandboxUnavailable: the configuration asks for walls that can't be had here.
        """
        begun = time.monotonic()
        command, filter_program = choose(self._wanted).command(argv, cell)
        with self._lock:
            if self._closed:
                raise Stopping
            process = spawn(
                command,
                filter_program,
                stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._running.add(process)
        try:
            ended = self._attend(process, cell, begun, feed, sink)
        finally:
            self._end(process)
            with self._lock:
                self._running.discard(process)
        self._console.event(
            "program",
            purpose=purpose,
            argv=argv,
            code=ended.code,
            said=ended.said,
            timed_out=ended.timed_out,
            seconds=round(ended.seconds, 3),
        )
        self._console.detail(f"{purpose}: {ended.seconds:.1f} s, exit {ended.code}")
        if self._closed:
            raise Stopping
        return ended

    def close(self) -> None:
        """End whatever is running and start nothing more."""
        with self._lock:
            self._closed = True
            for process in self._running:
                _kill(process)

    def _attend(
        self,
        process: subprocess.Popen[bytes],
        cell: Permissions,
        begun: float,
        feed: Iterable[bytes] | None,
        sink: Callable[[bytes], object] | None,
    ) -> ProgramResult:
        kept: list[bytearray] = [bytearray(), bytearray()]
        streams = [process.stdout, process.stderr]
        threads = [
            threading.Thread(target=_drain, args=(stream, into, taker), daemon=True)
            for stream, into, taker in zip(streams, kept, (sink, None), strict=True)
        ]
        timed_out = threading.Event()

        def expire() -> None:
            timed_out.set()
            _kill(process)

        watch = threading.Timer(cell.limits.wall_s, expire)
        watch.daemon = True
        for thread in (*threads, watch):
            thread.start()
        try:
            if feed is not None and process.stdin is not None:
                # a program that ends early closes the pipe; its exit code tells why
                with contextlib.suppress(BrokenPipeError), process.stdin:
                    for piece in feed:
                        process.stdin.write(piece)
            code = process.wait()
        finally:
            watch.cancel()
        for thread in threads:
            thread.join()
        return ProgramResult(
            code=code,
            stdout=bytes(kept[0]),
            said=_quotable(kept[1].decode("utf-8", "replace")),
            timed_out=timed_out.is_set(),
            seconds=time.monotonic() - begun,
        )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        _kill(process)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program with all that it started: it leads a session of its own."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _drain(
    stream: IO[bytes], into: bytearray, sink: Callable[[bytes], object] | None = None
) -> None:
    """Read a pipe to its end, so that nobody blocks, and keep only its last 4 MiB."""
    with contextlib.suppress(ValueError, OSError):
        while data := os.read(stream.fileno(), 1 << 16):
            if sink is not None:
                sink(data)
                continue
            into += data
            if len(into) > 2 * _KEEP:
                del into[:-_KEEP]


def _quotable(text: str) -> tuple[str, ...]:
    return tuple(phrase for phrase in _PHRASES if phrase.lower() in text.lower())


def free_bytes(folder: Path) -> int:
    """Space left on the disk of *folder*."""
    return shutil.disk_usage(folder).free
