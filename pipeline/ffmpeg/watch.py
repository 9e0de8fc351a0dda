"""Ends a program that takes too long, or does nothing any more.

No clip may fail because the machine is busy.  So the time in which a program got no processor does
not count: ``progress`` counts the rest.  By the clock a program may take an hour more.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from pipeline.ffmpeg.progress import Interval, Progress

_LOOK_S = 2.0
_SHORTEST_S = 0.05  # between two looks
STARVED_S = 3600.0  # by the clock, in addition to the time that a program may take


@dataclass(frozen=True)
class Patience:
    """How long a program may take, and how long it may do nothing, in seconds."""

    time_s: float
    quiet_s: float


class Watch:
    """Looks at a program now and then, in a thread, until the block ends.

    Why it ended the program: ``is_slow``: its time was over; ``is_stuck``: it did nothing;
    ``is_starved``: the machine gave it no time to do its work.
    """

    def __init__(self, pid: int, patience: Patience, end: Callable[[], None]) -> None:
        """*end* ends the program; it is called at most once."""
        self.is_slow = self.is_stuck = self.is_starved = False
        self._pid, self._patience, self._end = pid, patience, end
        self._ended = threading.Event()
        self._busy, self._lock = 0, threading.Lock()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def has_ended_it(self) -> bool:
        """Whether the program was ended, for whatever reason."""
        return self.is_slow or self.is_stuck or self.is_starved

    @contextlib.contextmanager
    def waits_for_us(self) -> Iterator[None]:
        """Do not count it as idle while this block runs: it may wait for what the block does."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def _look(self) -> None:
        step = min(_LOOK_S, self._patience.time_s, self._patience.quiet_s / 4)
        work = Progress(self._pid)
        begun = last = time.monotonic()
        while True:
            left = min(self._patience.time_s - work.fair_s, begun + self._longest_s - last)
            wanted = min(step, max(left, _SHORTEST_S))
            if self._ended.wait(wanted):
                return
            now = time.monotonic()
            work.look(Interval(now - last, wanted, self._busy > 0))
            last = now
            self.is_slow = work.fair_s >= self._patience.time_s
            self.is_stuck = not self.is_slow and work.quiet_s >= self._patience.quiet_s
            self.is_starved = not self.has_ended_it and now - begun >= self._longest_s
            if self.has_ended_it:
                self._end()
                return

    @property
    def _longest_s(self) -> float:
        return self._patience.time_s + STARVED_S
