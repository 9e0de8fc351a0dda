"""What a clip costs the coordinator and the store, apart from its worker."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from support.object_store import BUCKET, ObjectServer, serve

from bench._films import Campaign

_ONE, _SHORT, _LONG = (1, 2), (25, 2), (3, 60)  # films, and seconds of each


@dataclass(frozen=True)
class Spent:
    """Of one ``footage process``: its own seconds of CPU, requests, bytes of clips, the ledger."""

    cpu: float
    requests: int
    clips: int
    ledger: int


def costs(folder: Path) -> bool:
    """Measure runs with one short film, with many, and with long ones."""
    logging.disable(logging.ERROR)  # an upload that is given up is a fault in the log of moto
    with pytest.MonkeyPatch.context() as patch, contextmanager(serve)(patch) as server:
        lines = f'[workspace]\nstore = "s3://{BUCKET}/costs"\n'
        case = Campaign.of_cluster(folder / "costs", 0, lines)
        case.start("scheduler")
        case.start("worker", "--slots", "2", "--scratch", str(case.folder / "scratch"))
        one, number = _run(case, server, _ONE, 0)
        short, number = _run(case, server, _SHORT, number)
        long, _ = _run(case, server, _LONG, number)
        case.end()
    # seconds = fixed + clips * each + bytes * byte, for each of the three runs
    counts = (_ONE[0], _SHORT[0], _LONG[0])
    rows = [(1, count, run.clips) for count, run in zip(counts, (one, short, long), strict=True)]
    fixed, each, byte = np.linalg.solve(rows, [one.cpu, short.cpu, long.cpu])
    requests = (short.requests - one.requests) / (_SHORT[0] - _ONE[0])
    print(
        f"costs: {counts[1]} clips of {short.clips / counts[1] / 1e6:.2f} MB {short.cpu:.2f} s of "
        f"the coordinator's CPU, {counts[2]} of {long.clips / counts[2] / 1e6:.1f} MB "
        f"{long.cpu:.2f} s, one {one.cpu:.2f} s: {fixed:.2f} s a run, {each * 1e3:.0f} ms a clip, "
        f"{byte * 1e9:.0f} ms a megabyte; {requests:.1f} requests to the store a clip; "
        f"{short.ledger / counts[1]:.0f} bytes of the ledger a clip"
    )
    return bool(each > 0 and byte > 0)


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
