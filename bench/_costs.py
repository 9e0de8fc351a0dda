"""What a clip costs the coordinator and the store, apart from its worker."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.object_store import BUCKET, ObjectServer, serve

from bench._films import Campaign

_SHORT, _LONG = (24, 2), (4, 60)  # films, and seconds of each


@dataclass(frozen=True)
class Spent:
    """Of one ``footage process``: its own seconds of CPU, requests, bytes of clips, the ledger."""

    cpu: float
    requests: int
    clips: int
    ledger: int


def costs(folder: Path) -> bool:
    """Measure runs with short films, with long ones and with none."""
    logging.disable(logging.ERROR)  # an upload that is given up is a fault in the log of moto
    with pytest.MonkeyPatch.context() as patch, contextmanager(serve)(patch) as server:
        lines = f'[workspace]\nstore = "s3://{BUCKET}/costs"\n'
        case = Campaign.of_cluster(folder / "costs", 0, lines)
        case.start("scheduler")
        case.start("worker", "--slots", "2", "--scratch", str(case.folder / "scratch"))
        short, number = _run(case, server, _SHORT, 0)
        long, _ = _run(case, server, _LONG, number)
        idle, _ = _run(case, server, (0, 0), 0)
        case.end()
    (shorts, _), (longs, _) = _SHORT, _LONG
    # cpu = idle + each * clips + byte * bytes, for both runs
    one, two = short.cpu - idle.cpu, long.cpu - idle.cpu
    byte = (two * shorts - one * longs) / (long.clips * shorts - short.clips * longs)
    each = (one - byte * short.clips) / shorts
    print(
        f"costs: {shorts} clips of {short.clips / shorts / 1e6:.2f} MB {short.cpu:.2f} s of the "
        f"coordinator's CPU, {longs} of {long.clips / longs / 1e6:.1f} MB {long.cpu:.2f} s, none "
        f"{idle.cpu:.2f} s: {each * 1e3:.0f} ms a clip and {byte * 1e9:.1f} ms a megabyte; "
        f"{(short.requests - idle.requests) / shorts:.1f} requests to the store a short clip, "
        f"{(long.requests - idle.requests) / longs:.1f} a long one; "
        f"{(short.ledger) / shorts:.0f} bytes of the ledger a clip"
    )
    return each > 0 and byte > 0


def _run(
    case: Campaign, server: ObjectServer, films: tuple[int, int], first: int
) -> tuple[Spent, int]:
    """Take some films in, and make their clips; return the number of the next film."""
    count, seconds = films
    for number in range(first, first + count):
        case.draw(number, seconds)
    ledger = case.folder / "work" / "ledger.db"
    case.run("ingest")
    before = {key for key in case.named() if key.startswith("clips/")}
    requests, size = server.requests, ledger.stat().st_size
    process = case.start("process")
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    requests = server.requests - requests
    made = server.objects("costs")
    clips = sum(len(made[key]) for key in case.named() - before if key.startswith("clips/"))
    cpu = usage.ru_utime + usage.ru_stime
    return Spent(cpu, requests, clips, ledger.stat().st_size - size), first + count
