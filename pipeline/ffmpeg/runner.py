"""The one way to run a program: FFmpeg and the probe, always in the sandbox.

``FfmpegRunner.make`` runs a filter graph, once more if it is ended from outside; ``run`` runs any
argument list; ``attach`` starts a program that stays.  The first two give the program
no standard input unless there is something to feed, keep a bounded piece of its output, end it
when its time is up, and write the command into the run's log.  FFmpeg's standard error can repeat
a file's tags, so only phrases from a list of ours are kept of it.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from pipeline import publishing
from pipeline.console import Console
from pipeline.errors import SandboxUnavailable, Stopping
from pipeline.ffmpeg import faults, made, progress
from pipeline.ffmpeg.faults import ProgramResult
from pipeline.ffmpeg.graph import Graph
from pipeline.ffmpeg.made import MadeFile
from pipeline.ffmpeg.sandbox import (
    Limits,
    Mode,
    Permissions,
    Sandbox,
    choose,
    kill,
    spawn,
    watched,
)
from pipeline.ffmpeg.watch import Patience, Watch

_KEEP = 4 << 20
_PATIENCE_S = 20.0  # with a program that could work, and does nothing

_VERSION = re.compile(r"-v(\d[\w.]*)$")  # in the name of the program

# The phrases that FFmpeg may be quoted with; nothing else of what it prints is kept.
PHRASES = (
    *faults.SENSELESS,
    faults.NO_SPACE,
    *faults.NO_MEMORY,
    faults.NOT_DECODED,
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
    *faults.ENDS_EARLY,
    *faults.DAMAGED,
    *faults.DAMAGED_FILM,
)


@cache
def program() -> str:
    """Return the path of FFmpeg: the one that imageio-ffmpeg carries."""
    return str(Path(imageio_ffmpeg.get_ffmpeg_exe()).resolve())


@cache
def build() -> tuple[str, str, str]:
    """Return the name, the version and the SHA-256 of FFmpeg, which say by what a file was made.

    The version is that of the name; it is empty if the name has none.
    """
    path = Path(program())
    version = _VERSION.search(path.stem)
    return "ffmpeg", version[1] if version else "", publishing.sha256_of(path)


class FfmpegRunner:
    """Starts programs, and keeps a list of those that run, so that all can be ended at once."""

    def __init__(self, sandbox: str, console: Console) -> None:
        """Start nothing yet; the sandbox is chosen when the first program runs.

        :param sandbox: what the configuration asks for, see ``sandbox.choose``.
        """
        self._wanted = sandbox
        self._console = console
        # with what each writes
        self._running: dict[subprocess.Popen[bytes], tuple[Path, ...]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def make(
        self,
        purpose: str,
        graph: Graph,
        *,
        seconds: float,
        reads: tuple[Path, ...] = (),
        writes: Sequence[MadeFile] = (),
        feed: Iterable[bytes] | Callable[[], Iterable[bytes]] | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> bytes:
        """Run FFmpeg on a graph; return what it wrote to its standard output.

        If it is ended from outside, it is run once more.  Where pieces of it are gone then, only
        the caller can do so: with a *sink*, and with a *feed* that is not a function.

        :param purpose: for the log and the errors: encode, loudness, card, seam, join, still …
        :param seconds: the time it may take, see ``Limits.within``.
        :param reads: the files and folders that it may read.
        :param writes: the files that it may write into.
        :param feed: see ``run``; or a function that gives the pieces from the first one on.
        :param sink: see ``run``.
        :raises DiskFull: the disk of *writes* is full.
        :raises ProgramFailed: FFmpeg crashed, was killed, took too long or reported an error.
        :raises Stopping: the runner was closed.
        """
        permissions = made.permissions(writes, reads, Limits.within(seconds))
        argv = [program(), *graph.arguments()]

        def once() -> bytes:
            pieces = feed() if callable(feed) else feed
            ended = self.run(purpose, argv, permissions, pieces, sink)
            faults.check(ended, purpose, permissions)
            return ended.stdout

        if sink is not None or not (feed is None or callable(feed)):
            return once()
        return faults.once_more(once, partial(self.note_again, purpose))

    def note_again(self, purpose: str) -> None:
        """Log that work is done once more because its program was ended from outside."""
        self._console.event("again", purpose=purpose)

    def run(
        self,
        purpose: str,
        argv: list[str],
        permissions: Permissions,
        feed: Iterable[bytes] | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> ProgramResult:
        """Run a program until it ends or its time is over; how it ended is not judged.

        :param feed: pieces for its standard input; without, it has none.
        :param sink: takes each piece of its standard output, in a thread of its own; without, the
            last 4 MiB are kept.
        :raises Stopping: the runner was closed while the program ran.
        :raises SandboxUnavailable: the configured sandbox does not work on this machine.
        """
        begun = time.monotonic()
        command, filter_program = choose(self._wanted).command(argv, permissions)
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
            self._running[process] = permissions.writes
        try:
            ended = self._attend(process, permissions, begun, feed, sink)
            with self._lock:
                paths = [path for writes in self._running.values() for path in writes]
            ended = replace(ended, written=sum(map(faults.bytes_on_disk, paths)))
        finally:
            self._end(process)
            with self._lock:
                del self._running[process]
        self._console.event(
            "program",
            purpose=purpose,
            argv=argv,
            code=ended.code,
            said=ended.said,
            timed_out=ended.timed_out,
            stuck=ended.stuck,
            starved=ended.starved,
            seconds=round(ended.seconds, 3),
        )
        self._console.detail(f"{purpose}: {ended.seconds:.1f} s, exit {ended.code}")
        if self._closed:
            raise Stopping
        return ended

    def attach(self, argv: list[str], permissions: Permissions, channel: int) -> Companion:
        """Start a program of ours that stays, and speaks with its caller.

        It is pure Python, so it also runs where no sandbox can be had; its limits hold in any case.

        :param channel: a descriptor that becomes its standard input.
        :raises Stopping: the runner was closed.
        """
        try:
            sandbox = choose(self._wanted)
        except SandboxUnavailable:
            sandbox = Sandbox(Mode.NONE)
        command, filter_program = sandbox.command(argv, permissions)
        with self._lock:
            if self._closed:
                raise Stopping
            process = spawn(command, filter_program, stdin=channel)
            self._running[process] = ()
        return Companion(process, self._forget)

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.pop(process, None)

    def close(self) -> None:
        """End all programs that run, and start no more."""
        with self._lock:
            self._closed = True
            for process in self._running:
                kill(process)

    def _attend(
        self,
        process: subprocess.Popen[bytes],
        permissions: Permissions,
        begun: float,
        feed: Iterable[bytes] | None,
        sink: Callable[[bytes], object] | None,
    ) -> ProgramResult:
        kept: list[bytearray] = [bytearray(), bytearray()]
        # a program that is fed may have to wait for us
        patience = Patience(
            permissions.limits.wall_s, math.inf if feed is not None else _PATIENCE_S
        )
        with watched(process, patience) as watch:
            threads = [
                threading.Thread(target=_drain, args=(stream, into, watch, taker), daemon=True)
                for stream, into, taker in zip(
                    (process.stdout, process.stderr), kept, (sink, None), strict=True
                )
            ]
            for thread in threads:
                thread.start()
            if feed is not None and process.stdin is not None:
                # a program that ends early closes the pipe; its exit code says why
                with contextlib.suppress(BrokenPipeError), process.stdin:
                    _feed(process.stdin, feed, watch)
            cpu_s = progress.used_cpu_s(process.pid)
            code = process.wait()
        for thread in threads:
            thread.join()
        return ProgramResult(
            code=code,
            stdout=bytes(kept[0]),
            said=_quotable(kept[1].decode("utf-8", "replace")),
            timed_out=watch.has_ended_it,
            stuck=watch.is_stuck,
            starved=watch.is_starved,
            seconds=time.monotonic() - begun,
            cpu_s=cpu_s,
        )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        kill(process)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


class Companion:
    """A program that runs until its caller ends it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        forget: Callable[[subprocess.Popen[bytes]], None],
    ) -> None:
        """*forget* is called when the program has ended."""
        self._process, self._forget = process, forget

    def watched(self, patience: Patience) -> Watch:
        """Return what watches the program while it does a piece of work."""
        return watched(self._process, patience)

    def ending(self) -> int | None:
        """Wait for the end of a program that has closed its channel.

        :returns: its exit code, or minus the signal that ended it; None if it had to be ended.
        """
        with self.watched(Patience(_PATIENCE_S, _PATIENCE_S)) as watch:
            code = self._process.wait()
        return None if watch.has_ended_it else code

    def end(self) -> int:
        """End it if it still runs; its exit code, or minus the signal that ended it."""
        kill(self._process)
        code = self._process.wait()
        self._forget(self._process)
        return code


def _feed(pipe: IO[bytes], feed: Iterable[bytes], watch: Watch) -> None:
    pieces = iter(feed)
    while True:
        with watch.waits_for_us():
            piece = next(pieces, None)
        if piece is None:
            return
        pipe.write(piece)


def _drain(
    stream: IO[bytes],
    into: bytearray,
    watch: Watch,
    sink: Callable[[bytes], object] | None = None,
) -> None:
    """Read a pipe to its end, so that the writer never blocks; keep only the last 4 MiB."""
    with contextlib.suppress(ValueError, OSError):
        while data := os.read(stream.fileno(), 1 << 16):
            if sink is not None:
                with watch.waits_for_us():
                    sink(data)
                continue
            into += data
            if len(into) > 2 * _KEEP:
                del into[:-_KEEP]


def _quotable(text: str) -> tuple[str, ...]:
    return tuple(phrase for phrase in PHRASES if phrase.lower() in text.lower())
