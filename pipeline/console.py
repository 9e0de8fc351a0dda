"""What a run tells: lines and progress to the person, JSON lines to the run's log.

On a terminal long work shows a bar, elsewhere plain lines.  With ``--json`` everything said
here goes to standard error, so that standard output holds the one JSON object.  The log
takes facts of our own making (counts, codes, SHA-256, argument lists of commands), never a
text that a sender wrote.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from pipeline import clock

_LINE_EVERY_S = 10.0
_IN_WORDS = "{desc}: {percentage:3.0f}%|{bar}| about {remaining} left{postfix}"


class Verbosity(IntEnum):
    """How much the person wants to hear."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


class Task:
    """Work with a known size: a bar on a terminal, now and then a line elsewhere."""

    def __init__(self, console: Console, title: str, total: int, unit: str) -> None:
        self._console, self._title, self._total, self._unit = console, title, total, unit
        self._done = 0
        self._begun = self._said = time.monotonic()
        self._lock = threading.Lock()
        stream = console.stream
        self._bar = (
            tqdm(
                total=total,
                desc=title,
                unit=unit,
                unit_scale=unit == "B",
                file=stream,
                leave=False,
                dynamic_ncols=True,
            )
            if console.verbosity > Verbosity.QUIET and stream.isatty()
            else None
        )

    def advance(self, amount: int = 1, says: str = "") -> None:
        """Count *amount* as done; may be called from any thread.

        :param says: how far it has come, where a count of one unit does not tell.
        """
        with self._lock:
            self._done += amount
            if self._bar is not None:
                if says:
                    self._bar.bar_format = _IN_WORDS
                    self._bar.set_postfix_str(says, refresh=False)
                self._bar.update(amount)
            elif time.monotonic() - self._said > _LINE_EVERY_S:
                self._said = time.monotonic()
                passed = self._said - self._begun
                left = _length(passed * (self._total - self._done) / max(1, self._done))
                says = says or f"{self._done} of {self._total} {self._unit}"
                self._console.say(f"{self._title}: {says}, about {left} left")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


class Console:
    """The voice of a run."""

    def __init__(
        self,
        verbosity: Verbosity = Verbosity.NORMAL,
        stream: TextIO | None = None,
        log: Path | None = None,
    ) -> None:
        self.verbosity = verbosity
        self.stream = stream if stream is not None else sys.stderr
        self._log: TextIO | None = None
        self._lock = threading.Lock()
        if log is not None:
            self.open_log(log)

    def open_log(self, path: Path) -> None:
        """Begin the run's log; before this, events go nowhere."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
        path.chmod(0o600)

    def close(self) -> None:
        """End the log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def say(self, line: str) -> None:
        """Tell the person something, unless they asked for quiet."""
        if self.verbosity > Verbosity.QUIET:
            self._write(line)

    def detail(self, line: str) -> None:
        """Tell the person who asked for all."""
        if self.verbosity >= Verbosity.VERBOSE:
            self._write(line)

    def warn(self, line: str) -> None:
        """Tell the person something that they must hear."""
        self._write(line)
        self.event("warning", text=line)

    def event(self, name: str, **facts: Any) -> None:
        """Write a line into the run's log."""
        with self._lock:
            if self._log is not None:
                line = {"at": clock.now(), "event": name, **facts}
                self._log.write(json.dumps(line, ensure_ascii=False) + "\n")

    @contextmanager
    def task(self, title: str, total: int, unit: str) -> Iterator[Task]:
        """Show the progress of work of *total* *unit* (clips, mails, B for bytes)."""
        task = Task(self, title, total, unit)
        try:
            yield task
        finally:
            task.close()

    def _write(self, line: str) -> None:
        with self._lock:
            if self.stream.isatty():
                tqdm.write(line, file=self.stream)
            else:
                print(line, file=self.stream, flush=True)
