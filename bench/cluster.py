"""A cluster: equal clips, trouble of all kinds, and what a coordinator and a scheduler cost.

    .venv/bin/python -m bench.cluster [PART…]

PART is one of apart, equal, trouble, walls, costs, window; without, all.  It needs the optional
parts (`make extras`), and ends with 1 if something is not as it must be.

apart    the demo on one machine, and on a coordinator, a scheduler, a store and two workers that
         share no disk (needs root): equal files, equal report;
equal    the same films by threads, and by a scheduler with two workers;
trouble  workers are killed at random instants, one is stopped for longer than its time, the
         scheduler and the coordinator are killed, the store refuses every tenth request and is cut
         off for 30 s: all clips are made, each once in the ledger, and no process, temporary file
         or object is left over;
walls    seconds for one slot, for one that is held to one core, and for two; bare FFmpeg alone, and
         twice side by side;
costs    processor time of the coordinator for a clip and for a megabyte, requests to a store;
window   100,000 jobs that do nothing: memory of coordinator and scheduler, time of a job.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from bench._apart import apart
from bench._cpu import side_by_side
from bench._films import Campaign
from pipeline.engine import certificates
from pipeline.engine.access import ClusterAccess
from pipeline.engine.dask import DaskEngine
from pipeline.ffmpeg.runner import program

_JOBS = 100_000


def nothing(_key: str, job: str) -> str:
    """What a worker does in the part *window*."""
    return job


def equal(folder: Path) -> bool:
    one = Campaign(folder / "one", clips=6)
    one.run("run")
    two = Campaign.of_cluster(folder / "two", clips=6)
    two.start("scheduler")
    for _ in range(2):
        two.start("worker", "--slots", "1")
    code = two.run("run")
    two.end()
    same = one.made() == two.made() and len(two.made()) == 6
    print(f"equal: exit {code}, {len(two.made())} clips, {'equal' if same else 'DIFFERENT'}")
    return same and code == 0


def trouble(folder: Path) -> bool:
    # what it needs of the tests takes memory, which another part measures
    from bench import _trouble  # noqa: PLC0415

    return _trouble.trouble(folder)


def costs(folder: Path) -> bool:
    from bench import _costs  # noqa: PLC0415 - as above

    return _costs.costs(folder)


def walls(folder: Path) -> bool:
    cores = os.sched_getaffinity(0)
    one_core = {min(cores)}
    cases = {"one slot": (1, cores), "one slot on one core": (1, one_core), "two slots": (2, cores)}
    seconds = {}
    for name, (slots, allowed) in cases.items():
        lines = f'[cluster]\nscheduler = "local:{slots}"\n'
        case = Campaign(folder / name, lines, seconds=20)
        case.run("ingest")
        os.sched_setaffinity(0, allowed)  # for all programs that it starts
        begun = time.monotonic()
        case.run("process")
        seconds[name] = time.monotonic() - begun
        os.sched_setaffinity(0, cores)
    load = os.getloadavg()[0]
    films = sorted((folder / "one slot" / "inbox").iterdir())[:2]
    encode = ["-t", "20", "-c:v", "libx264", "-threads:v", "1", "-f", "null", "-"]
    alone, both = (
        side_by_side(
            [
                [program(), "-v", "error", "-threads", "1", "-i", str(film), *encode]
                for film in chosen
            ]
        )
        for chosen in (films[:1], films)
    )
    print(f"walls: bare FFmpeg, two side by side: {2 * alone / both:.2f} times as fast as one")
    two = seconds.pop("two slots")
    for name, one in seconds.items():
        print(
            f"walls: {name} {one:.1f} s, two slots {two:.1f} s: {one / two:.2f} times as fast, "
            f"with the start of the workers (load of the machine {load:.1f})"
        )
    return True


def window(folder: Path) -> bool:
    case = Campaign.of_cluster(folder / "window", clips=0)
    scheduler = case.start("scheduler")
    case.run("ingest")
    case.start("worker", "--slots", "4")
    access = _access(case)
    engine = DaskEngine(nothing, access, 600)
    engine.wait_for_workers()
    begun, done, given = time.monotonic(), 0, 0
    cpu = time.process_time()
    job = json.dumps({"text": "x" * 2000})
    while done < _JOBS:
        while engine.room > 0 and given < _JOBS:
            engine.submit(str(given), job)
            given += 1
        before, done = done, done + len(engine.ended())
        if done // 10_000 > before // 10_000:
            mine, theirs = _memory_mb(os.getpid()), _memory_mb(scheduler.pid)
            print(f"window: {done:,} jobs, {mine:.0f} and {theirs:.0f} MB", flush=True)
    passed = time.monotonic() - begun
    cpu = time.process_time() - cpu
    mine, theirs = _memory_mb(os.getpid()), _memory_mb(scheduler.pid)
    engine.close()
    case.end()
    print(
        f"window: {_JOBS:,} jobs in {passed:.0f} s, {cpu / _JOBS * 1e3:.1f} ms of the "
        f"coordinator's processor each; memory of the coordinator {mine:.0f} MB, of the scheduler "
        f"{theirs:.0f} MB"
    )
    return mine < 300 and theirs < 300


def _memory_mb(number: int) -> float:
    """The resident memory of a process."""
    pages = int(Path(f"/proc/{number}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _access(case: Campaign) -> ClusterAccess:
    pem = case.folder / "pem"
    names = (certificates.CA, certificates.CERTIFICATE, certificates.KEY)
    ca, certificate, key = (str(pem / name) for name in names)
    lines = (case.folder / "config.toml").read_text().splitlines()
    (address,) = (line.split('"')[1] for line in lines if line.startswith("scheduler"))
    return ClusterAccess(address, ca, certificate, key)


def main() -> None:
    parts = {each.__name__: each for each in (apart, equal, trouble, walls, costs, window)}
    chosen = sys.argv[1:] or list(parts)
    with tempfile.TemporaryDirectory() as folder:
        fine = [parts[name](Path(folder)) for name in chosen]
    sys.exit(0 if all(fine) else 1)


if __name__ == "__main__":
    main()
