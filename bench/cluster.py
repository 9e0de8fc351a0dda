"""A cluster: equal clips, trouble of all kinds, and what a coordinator and a scheduler cost.

    .venv/bin/python -m bench.cluster [PART…]

PART is one of apart, equal, trouble, walls, window; without, all.  It needs the optional parts
(`make extras`), and ends with 1 if something is not as it must be.

apart    the demo on one machine, and on a coordinator, a scheduler, a store and two workers that
         share no disk (needs root): equal files, equal report;
equal    the same films by threads, and by a scheduler with two workers;
trouble  workers are killed at random instants, one is stopped for longer than its time, the
         scheduler and the coordinator are killed: all clips are made, each once in the ledger, and
         no process and no temporary file is left;
walls    seconds for one slot, and for two; processor time of the coordinator for a clip;
window   100,000 jobs that do nothing: memory of coordinator and scheduler, time of a job.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench._apart import apart
from pipeline.engine import certificates
from pipeline.engine.access import ClusterAccess
from pipeline.engine.dask import DaskEngine
from pipeline.ffmpeg.runner import program
from pipeline.ledger import Ledger

_CLIPS = 24
_KILLS = 20
_JOBS = 100_000
_CONFIG = """
[campaign]
name = "River Week"
hashtags = ["#RiverWeek"]
[inbox]
url = "folder:inbox"
[review]
required = false
[process]
workers = 1
[[output]]
name = "wide"
size = "640x360"
"""


def nothing(_key: str, job: str) -> str:
    """What a worker does in the part *window*."""
    return job


class Campaign:
    """A folder with films, a configuration, and the programs of its cluster."""

    def __init__(self, folder: Path, cluster: str = "", clips: int = _CLIPS) -> None:
        self.folder = folder
        self.programs: list[subprocess.Popen[bytes]] = []
        inbox = folder / "inbox"
        inbox.mkdir(parents=True)
        source = "testsrc2=s=640x360:r=30:d={},hue=h={}"
        for number in range(clips):
            film = source.format(2 + number % 3, number * 10)
            command = [program(), "-v", "error", "-f", "lavfi", "-i", film]
            command += ["-preset", "ultrafast", str(inbox / f"{number:03}.mp4")]
            subprocess.run(command, check=True)
        (folder / "config.toml").write_text(_CONFIG + cluster)

    @classmethod
    def of_cluster(cls, folder: Path, clips: int = _CLIPS, more: str = "") -> Campaign:
        """One whose clips are made by workers with certificates."""
        paths = certificates.write(folder / "pem")
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = f"tls://127.0.0.1:{server.getsockname()[1]}"
        names = zip(("ca", "certificate", "key"), paths, strict=True)
        lines = "".join(f'{name} = "{path}"\n' for name, path in names)
        return cls(folder, f'[cluster]\nscheduler = "{address}"\n{lines}{more}', clips)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a program and do not wait for it."""
        command = [sys.executable, "-m", "pipeline", *words, "-q"]
        command += ["--config", str(self.folder / "config.toml")]
        begun = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.programs.append(begun)
        return begun

    def run(self, *words: str) -> int:
        """Run a program to its end."""
        return self.start(*words).wait()

    def end(self) -> None:
        """End the programs that still run."""
        for each in self.programs:
            each.send_signal(signal.SIGCONT)
            each.terminate()
        for each in self.programs:
            each.wait()

    def made(self) -> dict[str, str]:
        """The digest of each accepted clip, by that of its original."""
        with Ledger(self.folder / "work" / "ledger.db") as ledger:
            results = ledger.clips.results()
        return {sha: result.outputs[0].sha256 for sha, result in results.items() if result.outputs}

    def events(self) -> Counter[str]:
        """How often each original was made, by the chain of custody."""
        with Ledger(self.folder / "work" / "ledger.db") as ledger:
            return Counter(it.subject for it in ledger.chain.events() if it.kind == "made")

    def left(self) -> list[str]:
        """Processes that work on this folder, and temporary files."""
        found = [str(path) for path in (self.folder / "work").rglob("*.part")]
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if str(self.folder / "work") in words:
                found.append(words[:120])
        return found


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
    chance = random.Random(7)
    case = Campaign.of_cluster(
        folder / "trouble", more="attempts = 40\nlost_after_minutes = 0.1\npatience_minutes = 2\n"
    )
    case.run("ingest")
    scheduler = case.start("scheduler")
    workers = [case.start("worker", "--slots", "1") for _ in range(2)]
    case.programs.append(run := case.start("process"))
    kills = stops = coordinators = schedulers = 0
    begun = time.monotonic()
    while len(case.made()) < _CLIPS and time.monotonic() - begun < 900:
        time.sleep(chance.uniform(0.5, 6))
        place = chance.randrange(len(workers))
        if kills == 6 and not stops:
            workers[place].send_signal(signal.SIGSTOP)
            time.sleep(10)
            workers[place].send_signal(signal.SIGCONT)
            stops += 1
        elif kills == 9 and not coordinators:
            run.kill()
            coordinators += 1
        elif kills == 12 and not schedulers:
            scheduler.kill()
            schedulers += 1
        elif kills < _KILLS:
            workers[place].kill()
            kills += 1
        for number, worker in enumerate(workers):
            if worker.poll() is not None:
                workers[number] = case.start("worker", "--slots", "1")
        if scheduler.poll() is not None:
            scheduler = case.start("scheduler")
        if run.poll() is not None:
            run = case.start("process")
    code = run.wait()
    case.end()
    case.run("report")  # sweeps
    twice = [sha for sha, count in case.events().items() if count > 1]
    left = case.left()
    print(
        f"trouble: {kills} workers killed, {stops} stopped, {coordinators} coordinator and "
        f"{schedulers} scheduler killed; {len(case.made())} of {_CLIPS} clips, "
        f"{len(twice)} twice in the ledger, {len(left)} left, last exit {code}, "
        f"{time.monotonic() - begun:.0f} s"
    )
    return len(case.made()) == _CLIPS and not twice and not left


def walls(folder: Path) -> bool:
    seconds, own = {}, 0.0
    for slots in (1, 2):
        case = Campaign(folder / f"walls{slots}", f'[cluster]\nscheduler = "local:{slots}"\n', 12)
        case.run("ingest")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.monotonic()
        case.run("process")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = after.ru_utime - before.ru_utime
        seconds[slots] = time.monotonic() - begun
    load = os.getloadavg()[0]
    print(
        f"walls: one slot {seconds[1]:.1f} s, two slots {seconds[2]:.1f} s: "
        f"{seconds[1] / seconds[2]:.2f} times as fast, with the start of the workers "
        f"(load of the machine {load:.1f}; all processes of the second {own:.0f} s)"
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
    parts = {each.__name__: each for each in (apart, equal, trouble, walls, window)}
    chosen = sys.argv[1:] or list(parts)
    with tempfile.TemporaryDirectory() as folder:
        fine = [parts[name](Path(folder)) for name in chosen]
    sys.exit(0 if all(fine) else 1)


if __name__ == "__main__":
    main()
