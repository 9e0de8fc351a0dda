"""What a run says: lines and progress to the person, JSON lines to the run's log.

On a terminal long work shows a bar, elsewhere a line now and then.  All of it goes to standard
error, so that standard output holds only the one JSON object of ``--json``.  The log takes facts
of our own making (counts, codes, SHA-256, argument lists of programs), never a text that a sender
wrote.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TextIO

from pipeline import clock

_LINE_EVERY_S = 10.0
_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}, {rate_fmt}]"
_BAR_WITH_TEXT = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}"
# How much must be done before it says how long the rest takes: the first of five clips says nothing
_FEW_STEPS, _MANY_STEPS, _SHARE = 3, 50, 0.01


class Verbosity(IntEnum):
    """How much the person wants to read."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


class Task:
    """Work of a known size: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, title: str, total: int, unit: str) -> None:
        self._console, self._title, self._total, self._unit = console, title, total, unit
        self._done = self._steps = 0
        self._begun = self._said = time.monotonic()
        self._lock = threading.Lock()
        self._bar = None
        if console.verbosity > Verbosity.QUIET and console.stream.isatty():
            from tqdm import tqdm  # noqa: PLC0415 - a fifth of the time that `status` takes

            self._bar = tqdm(
                total=total,
                desc=title,
                unit=unit,
                unit_scale=unit == "B",
                file=console.stream,
                leave=False,
                bar_format=_BAR,
                dynamic_ncols=True,
            )

    def advance(self, amount: int = 1, text: str = "") -> None:
        """Count *amount* as done; any thread may call it.

        :param text: how far the work is, where a count of units does not say it well.
        """
        with self._lock:
            self._done += amount
            self._steps += 1
            if self._bar is not None:
                shape = _BAR_WITH_TEXT if text else _BAR
                if self._is_foreseeable:
                    shape = shape.replace("[{elapsed}", "[{elapsed}<{remaining}")
                    shape = shape.replace("{elapsed}{postfix}", "about {remaining} left{postfix}")
                self._bar.bar_format = shape
                if text:
                    self._bar.set_postfix_str(text, refresh=False)
                self._bar.update(amount)
            elif time.monotonic() - self._said > _LINE_EVERY_S:
                self._said = time.monotonic()
                text = text or f"{self._done} of {self._total} {self._unit}"
                if self._is_foreseeable:
                    passed = self._said - self._begun
                    left = _duration(passed * (self._total - self._done) / max(1, self._done))
                    text += f", about {left} left"
                self._console.say(f"{self._title}: {text}")

    @property
    def _is_foreseeable(self) -> bool:
        """Whether there is a rest, and enough is done to say how long it takes."""
        few = _MANY_STEPS if self._done < _SHARE * self._total else _FEW_STEPS
        return self._steps >= few and self._done < self._total

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()


def _duration(seconds: float) -> str:
    return f"{max(1, seconds):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


class Console:
    """Where a run writes what it has to say: standard error and the run's log."""

    def __init__(
        self, verbosity: Verbosity = Verbosity.NORMAL, stream: TextIO | None = None
    ) -> None:
        self.verbosity = verbosity
        self.stream = stream if stream is not None else sys.stderr
        self._log: TextIO | None = None
        self._lock = threading.Lock()

    def open_log(self, path: Path) -> None:
        """Begin the run's log; events before this are dropped."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
        path.chmod(0o600)

    def log_to(self, log: TextIO) -> None:
        """Write events to *log* from now on."""
        self._log = log

    def close(self) -> None:
        """End the log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def say(self, line: str) -> None:
        """Show a line, unless ``--quiet`` was given."""
        if self.verbosity > Verbosity.QUIET:
            self._write(line)

    def detail(self, line: str) -> None:
        """Show a line if ``--verbose`` was given."""
        if self.verbosity >= Verbosity.VERBOSE:
            self._write(line)

    def warn(self, line: str) -> None:
        """Show a line in every case, and write it into the log."""
        self._write(line)
        self.event("warning", text=line)

    def event(self, name: str, **facts: object) -> None:
        """Write a line into the run's log."""
        with self._lock:
            if self._log is not None:
                line = {"at": clock.now(), "event": name, **facts}
                self._log.write(json.dumps(line, ensure_ascii=False) + "\n")

    @contextmanager
    def task(self, title: str, total: int, unit: str) -> Iterator[Task]:
        """Show the progress of work that has *total* units; ``B`` as unit means bytes."""
        with closing(Task(self, title, total, unit)) as task:
            yield task

    def _write(self, line: str) -> None:
        # work goes on where nobody can read standard error
        with self._lock, contextlib.suppress(OSError):
            if self.stream.isatty():
                from tqdm import tqdm  # noqa: PLC0415 - see Task

                tqdm.write(line, file=self.stream)
            else:
                print(line, file=self.stream, flush=True)
