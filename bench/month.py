"""A month of nights over a mailbox that grows: what grows with it that should not?

    .venv/bin/python -m bench.month [NIGHTS] [crossfades|cuts]

Without a word there are two months: one with crossfades in the montage, one with hard cuts.
Needs Dovecot and libfaketime, which moves the clock of our programs to the next day.  Each night
brings a few mails with tiny photos and films, of which some are broken or known already.  A review
server runs all the time, and a reviewer decides through it each day.  There is a purge each night,
a montage each week, and footage is taken back twice.  Prints a row for each night, and exits 1 if
memory, open files, temporary files, logs, backups or the time of a night with nothing new grow.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from support.dovecot import PASSWORD, Account, Dovecot
from support.ingest_scene import mail
from support.waiting import HANG_S

from bench._night import (
    Clock,
    Use,
    command,
    film,
    footage,
    handles,
    left_behind,
    photo,
    resident_mb,
    sizes,
)

KEEP_LOGS, KEEP_BACKUPS, KEEP_ORIGINALS = 10, 7, 14
MAILS = 4  # a night
CONFIG = """
[campaign]
name = "River Week 2026"
hashtags = ["#RiverWeek"]
[inbox]
url = "{url}"
[workspace]
retain_originals_days = {originals}
keep_backups = {backups}
keep_logs_days = {logs}
[process]
still_seconds = 0.2
still_motion = "none"
[montage]
transition_seconds = {transition}
[[output]]
name = "small"
size = "64x64"
fps = 25
quality = "draft"
"""
TRANSITIONS = {"crossfades": 0.1, "cuts": 0.0}  # seconds
# What may grow from the first nights to the last ones, beside what is new footage.
MORE_MB, MORE_HANDLES, MORE_IDLE_S = 8.0, 2, 0.5


@dataclass(frozen=True)
class Day:
    """What was measured after a night."""

    number: int
    clips: int
    night: Use
    idle: Use
    server_mb: float
    server_handles: int
    temporary: int
    logs: int
    oldest_log: float
    log_kb: float
    backups: int
    cache_kb: float
    originals: int
    ledger_kb: float

    def line(self) -> str:
        """The row of the table."""
        each = 1024 * self.ledger_kb / self.clips
        return (
            f"{self.number:5} {self.clips:5} {self.night.wall:6.1f} {self.idle.cpu:5.2f} "
            f"{self.night.peak_mb:5.0f} {self.night.handles:4} {self.server_mb:6.0f} "
            f"{self.server_handles:4} {self.temporary:4} {self.logs:4} {self.log_kb:6.0f} "
            f"{self.backups:4} {self.cache_kb:6.0f} {self.originals:5} {self.ledger_kb:6.0f} "
            f"{each:6.0f}"
        )


HEAD = (
    "night clips  night  idle    MB open review open  tmp logs     KB back  cache origi ledger"
    "  bytes\n              wall s CPU s             MB                             ups     KB"
    "  nals     KB a clip"
)


class Reviewer:
    """The review server as a process of its own, and a person who decides through it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        env = os.environ | clock.env | {"PYTHONPATH": str(Path(__file__).parents[1])}
        self._log = folder / "review.txt"
        self._process = subprocess.Popen(
            command(("review", "--port", "0"), clock.env),
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/\S*=(\S+)", line):
                self._port, token = int(found[1]), found[2]
                break
        else:
            raise RuntimeError("the review did not start")
        self.pid = self._process.pid
        self._secrets: dict[str, str] = {}
        entered = self._ask("POST", "/api/enter", {"token": token})
        self._secrets = {
            "Footage-Session": entered["session"], "Footage-Write": entered["write"],
        }  # fmt: skip

    def decide(self) -> int:
        """Approve what nobody has decided on, but every seventh; return how many."""
        report = self._ask("GET", "/report/report.json")
        self._ask("GET", "/api/changes?since=0")
        waiting = [
            clip
            for clip in report["clips"]
            if clip["status"] == "accepted" and clip["outputs"]
            and clip["review"]["decision"] == "undecided"
        ]  # fmt: skip
        for clip in waiting:
            decision = "rejected" if int(clip["sha256"][:2], 16) % 7 == 0 else "approved"
            entry = {"sha256": clip["sha256"], "decision": decision}
            wanted = {"entry": entry, "seen": clip["review"]}
            self._ask("POST", "/api/decide", {"entries": [wanted], "by": "ada"})
        return len(waiting)

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=HANG_S)
        headers = {"Origin": f"http://127.0.0.1:{self._port}", **self._secrets}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            data = json.dumps(body) if body is not None else None
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def close(self) -> None:
        """End the review."""
        self._process.terminate()
        self._process.communicate(timeout=HANG_S)


@contextmanager
def reviewing(folder: Path, clock: Clock) -> Iterator[Reviewer]:
    """A review that runs until the block ends."""
    reviewer = Reviewer(folder, clock)
    try:
        yield reviewer
    finally:
        reviewer.close()


def send(account: Account, number: int, now: datetime) -> None:
    """Put the mails of a night into the mailbox: some are broken, some are known."""
    for which in range(MAILS):
        seed = number * MAILS + which
        data = film(seed), photo(seed)
        if seed % 9 == 4:
            data = data[0][:900], photo(seed)  # without its end
        if seed % 9 == 7:
            data = film(seed - 5), photo(seed)  # known
        letter = mail(
            (f"film-{seed}.mp4", data[0]), (f"photo-{seed}.jpg", data[1]),
            subject=f"Mail {seed}", sender=f"Sender {seed % 11} <s{seed % 11}@example.org>",
        )  # fmt: skip
        account.append([letter.as_bytes()], at=now.replace(tzinfo=None))


def live_through(
    nights: int, folder: Path, account: Account, transition: float
) -> tuple[list[Day], list[str]]:
    """Live through the nights; return what was measured, and what commands failed."""
    clock = Clock(folder / "clock")
    work = folder / "work"
    temporary = folder / "temporary"
    temporary.mkdir()
    env = {**clock.env, "TMPDIR": str(temporary)}
    text = CONFIG.format(
        url=account.url(scheme="imap"),
        originals=KEEP_ORIGINALS, backups=KEEP_BACKUPS, logs=KEEP_LOGS, transition=transition,
    )  # fmt: skip
    (folder / "config.toml").write_text(text)
    days: list[Day] = []
    faults: list[str] = []

    def run(*words: str) -> Use:
        begun = time.time()
        use = footage(folder, *words, env=env)
        clock.date(work, begun)
        if use.code:
            faults.append(f"{' '.join(words)}: exit {use.code}: {use.err[-300:]}")
        return use

    send(account, 0, datetime.now(UTC))
    night = run("run")
    with reviewing(folder, clock) as reviewer:
        for number in range(nights):
            if number:
                clock.set(timedelta(days=number))
                send(account, number, datetime.now(UTC) + clock.ahead)
                night = run("run")
            reviewer.decide()
            run("-q", "purge")
            if number % 7 == 6:
                run("-q", "render")
            if number in (nights // 3, 2 * nights // 3):
                run("-q", "withdraw", "--sender", f"s{number % 11}@example.org")
            idle = run("-q", "run")
            days.append(measured(number + 1, work, temporary, (night, idle), reviewer))
            print(days[-1].line(), flush=True)
    for words in (("verify",), ("doctor",)):
        run(*words)
    return days, faults


def measured(
    number: int, work: Path, temporary: Path, uses: tuple[Use, Use], reviewer: Reviewer
) -> Day:
    """Look at everything that could grow."""
    night, idle = uses
    logs = sorted((work / "logs").glob("*.jsonl"))
    oldest, newest = (
        datetime.strptime(path.stem, "%Y%m%dT%H%M%S.%f%z") for path in (logs[0], logs[-1])
    )
    report = json.loads((work / "report/report.json").read_text())
    ledger = sum(path.stat().st_size for path in work.glob("ledger.db*"))
    return Day(
        number=number,
        clips=len(report["clips"]),
        night=night,
        idle=idle,
        server_mb=resident_mb(reviewer.pid, "VmRSS"),
        server_handles=handles(reviewer.pid),
        temporary=len(left_behind(work)) + len([*temporary.rglob("*")]),
        logs=len(logs),
        oldest_log=(newest - oldest) / timedelta(days=1),
        log_kb=sum(sizes(work / "logs")) / 1024,
        backups=len([*(work / "backups").iterdir()]),
        cache_kb=sum(sizes(work / "cache")) / 1024,
        originals=len([path for path in (work / "originals").rglob("*") if path.is_file()]),
        ledger_kb=ledger / 1024,
    )


def growth(days: list[Day]) -> list[str]:
    """What has grown that should not: the last third of the nights beside the first."""
    third = max(1, len(days) // 3)
    first, last = days[:third], days[-third:]

    def rises(what: str, least: list[float], most: list[float], allowed: float) -> list[str]:
        rise = median(most) - median(least)
        return [f"{what} grew by {rise:.1f}"] if rise > allowed else []

    found = rises("memory of a night", [d.night.peak_mb for d in first],
                  [d.night.peak_mb for d in last], MORE_MB)  # fmt: skip
    found += rises("memory of the review", [d.server_mb for d in first],
                   [d.server_mb for d in last], MORE_MB)  # fmt: skip
    found += rises("open files of a night", [d.night.handles for d in first],
                   [d.night.handles for d in last], MORE_HANDLES)  # fmt: skip
    found += rises("open files of the review", [d.server_handles for d in first],
                   [d.server_handles for d in last], MORE_HANDLES)  # fmt: skip
    found += rises("CPU seconds of a night with nothing new", [d.idle.cpu for d in first],
                   [d.idle.cpu for d in last], MORE_IDLE_S)  # fmt: skip
    for day in days:
        if day.temporary:
            found.append(f"night {day.number}: {day.temporary} temporary files")
        if day.oldest_log > KEEP_LOGS + 1:
            found.append(f"night {day.number}: a log of {day.oldest_log:.0f} days ago")
        if day.backups > KEEP_BACKUPS:
            found.append(f"night {day.number}: {day.backups} backups")
    return found


def main() -> int:
    os.environ["FOOTAGE_IMAP_PASSWORD"] = PASSWORD
    words = sys.argv[1:]
    kinds = [word for word in words if word in TRANSITIONS] or [*TRANSITIONS]
    nights = next((int(word) for word in words if word.isdecimal()), 30)
    faults: list[str] = []
    server = Dovecot()
    try:
        for kind in kinds:
            print(f"{nights} nights with {kind}\n{HEAD}", flush=True)
            with tempfile.TemporaryDirectory() as name:
                days, failed = live_through(nights, Path(name), server.account(), TRANSITIONS[kind])
            found = failed + growth(days)
            print("".join(f"FAULT {fault}\n" for fault in found), end="", flush=True)
            faults += found
    finally:
        server.stop()
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
