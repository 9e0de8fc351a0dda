"""Everything that a cluster uses dies or refuses, in one night: is any clip lost, or made twice?"""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.object_store import BUCKET, ObjectServer, serve

from bench._films import CLIPS, Campaign, below, live_on
from bench.store import CuttableProxy

_KILLS = 20
_STOP_S, _CUT_S = 10, 30
_WORK_S = 20
_LONGEST_S = 900
_FILM_S = 14  # long enough for all that is done to the cluster
_OUTLIVE_S = 30.0  # a program may outlive its worker for so long; a second on a calm machine
_LINES = f"""attempts = 40
lost_after_minutes = 0.1
patience_minutes = 2
[workspace]
store = "s3://{BUCKET}/trouble"
"""


@dataclass
class Night:
    """The programs of one night, and what was done to them."""

    case: Campaign
    chance: random.Random
    proxy: CuttableProxy
    kills: int = 0
    programs: int = 0  # that ran in workers when these were killed
    longest_s: float = 0.0  # that one of them outlived its worker
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduler = self.case.start("scheduler")
        self.workers = [self._worker(place) for place in range(2)]
        self.run = self.case.start("process")
        self.ends: list[int] = []

    def harm(self) -> None:
        """Do the next thing to the cluster."""
        place = self.chance.randrange(len(self.workers))
        once = {3: self._cut, 6: self._stop, 9: self._end_coordinator, 12: self._end_scheduler}
        harm = once.get(self.kills)
        if harm is not None and harm.__name__ not in self.done:
            self.done.append(harm.__name__)
            harm(place)
        elif self.kills < _KILLS:
            self.kills += 1
            self._wait_for_work(self.workers[place])
            time.sleep(self.chance.uniform(0, 1))
            programs = below(self.workers[place].pid)
            self.programs += len(programs)
            self.workers[place].kill()
            self.workers[place].wait()
            self.longest_s = max(self.longest_s, live_on(programs))

    def mend(self) -> None:
        """Start again what has ended."""
        for place, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.workers[place] = self._worker(place)
        if self.scheduler.poll() is not None:
            self.scheduler = self.case.start("scheduler")
        if (code := self.run.poll()) is not None and self.goes_on():
            self.ends.append(code)
            self.run = self.case.start("process")

    def goes_on(self) -> bool:
        """Whether there is anything left to do."""
        return self.run.poll() is None or len(self.case.made()) < CLIPS

    def _worker(self, place: int) -> subprocess.Popen[bytes]:
        scratch = str(self.case.folder / f"scratch{place}")
        return self.case.start("worker", "--slots", "1", "--scratch", scratch)

    def _cut(self, _: int) -> None:
        """Cut the store off for everybody, while all goes on."""
        threading.Thread(target=self.proxy.cut, args=[_CUT_S], daemon=True).start()

    def _stop(self, place: int) -> None:
        """Stop a worker for longer than its time."""
        self.workers[place].send_signal(signal.SIGSTOP)
        time.sleep(_STOP_S)
        self.workers[place].send_signal(signal.SIGCONT)

    def _end_coordinator(self, _: int) -> None:
        self._wait_for_work(*self.workers)
        self.run.kill()
        self.run.wait()

    def _end_scheduler(self, _: int) -> None:
        self._wait_for_work(*self.workers)
        self.scheduler.kill()
        self.scheduler.wait()

    def _wait_for_work(self, *workers: subprocess.Popen[bytes]) -> None:
        """Wait until one of some workers runs a program."""
        until = time.monotonic() + _WORK_S
        while time.monotonic() < until and not any(below(each.pid) for each in workers):
            time.sleep(0.02)


def trouble(folder: Path) -> bool:
    """Kill, stop, cut and refuse; print what was found."""
    logging.disable(logging.ERROR)  # an upload that is given up is a fault in the log of moto
    with (
        pytest.MonkeyPatch.context() as patch,
        contextmanager(serve)(patch) as server,
    ):
        proxy = CuttableProxy(int(server.address.rpartition(":")[2]))
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{proxy.port}"
        server.refuses = lambda number: number % 10 == 0
        case = Campaign.of_cluster(folder / "trouble", more=_LINES, seconds=_FILM_S)
        code = case.run("ingest")
        night = Night(case, random.Random(7), proxy)
        begun = time.monotonic()
        while night.goes_on() and time.monotonic() - begun < _LONGEST_S:
            time.sleep(night.chance.uniform(0, 3))
            night.harm()
            night.mend()
        code = code or night.run.wait()
        case.end()
        server.refuses, requests = None, server.requests
        wrong = [*_wrong(case, server)]
        if night.longest_s > _OUTLIVE_S:
            wrong.append(f"a program outlived its worker by {night.longest_s:.0f} s")
        print(
            f"trouble: {night.kills} workers killed, {len(night.done)} of 4 once (store cut for "
            f"{_CUT_S} s, worker stopped, coordinator killed, scheduler killed), {requests // 10} "
            f"of {requests} requests refused; the runs ended with {[*night.ends, code]}; "
            f"{len(case.made())} of {CLIPS} clips; of {night.programs} programs that ran in killed "
            f"workers the last was gone after {night.longest_s:.2f} s; "
            f"{time.monotonic() - begun:.0f} s"
        )
    for each in wrong:
        print(f"trouble: WRONG {each}")
    return not wrong and code == 0 and night.kills == _KILLS and len(night.done) == 4


def _wrong(case: Campaign, server: ObjectServer) -> Iterator[str]:
    """What is missing, twice, or left."""
    for command in ("report", "verify"):  # the first one sweeps
        if code := case.run(command):
            yield f"{command} ended with {code}"
    if len(case.made()) != CLIPS:
        yield f"{CLIPS - len(case.made())} clips were not made"
    yield from (f"{sha} is {n} times in the ledger" for sha, n in case.events().items() if n > 1)
    yield from (f"left: {each}" for each in case.left())
    found, wanted = set(server.objects("trouble")), case.named() | {"workspace.json"}
    yield from (f"not in the store: {key}" for key in wanted - found)
    yield from (f"in the store, and not in the ledger: {key}" for key in found - wanted)
