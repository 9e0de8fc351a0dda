"""Hostile files are mailed in: nothing outside is touched, each gets its row, the run goes on.

Then the same files meet bare FFmpeg with every allow-list off: the walls alone hold.  And with
no walls at all some of them do get out, or these tests would prove nothing.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.command_scene import CommandScene, begin, config
from support.planted.bases import bases
from support.planted.hostile import HOSTILE, Hostile, Target

from pipeline.console import Console, Verbosity
from pipeline.ffmpeg import runner
from pipeline.ffmpeg.faults import ProgramResult
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Limits, Permissions

WALLS = ["bubblewrap", "landlock"]
QUICK = '[process]\nsandbox = "landlock"\nstill_seconds = 0.2\nstill_motion = "none"\n'
OUTPUT = '[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\n'
MEMORY = 2 << 20  # in KiB, of any one program
GROWING = Limits(wall_s=60, cpu_s=1, memory=2 << 30, file_size=1 << 20)
_PROTOCOLS = "file,http,https,tls,tcp,udp,rtp,rtsp,ftp,concat,subfile,crypto,data,pipe,async,cache"
_MEASURED = """
import json, resource, sys
from pathlib import Path
from pipeline import cli
try:
    cli.main()
except SystemExit as end:
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    # not ru_maxrss, which lives through exec and would count the test process that started this
    status = Path("/proc/self/status").read_text()
    own = int(status.partition("VmHWM:")[2].split()[0])
    print(json.dumps({"code": end.code, "peak": peak, "own": own}))
"""


@dataclass(frozen=True)
class Outside:
    """What must stay untouched, and the files that try: by name."""

    target: Target
    listener: socket.socket
    folder: Path

    def connections(self) -> int:
        """How many have called since this was asked last."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self.listener.accept()[0].close()
                count += 1
        return count


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("outside")
    secret = folder / "secret" / "secret.ts"
    secret.parent.mkdir()
    secret.write_bytes(bases()["film.ts"])  # so that it is seen if it is opened
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(0)
        target = Target(secret, f"http://127.0.0.1:{listener.getsockname()[1]}")
        given = folder / "given"
        given.mkdir()
        for hostile in HOSTILE:
            (given / hostile.name).write_bytes(hostile.make(target))
        yield Outside(target, listener, given)


@dataclass(frozen=True)
class Night:
    campaign: CommandScene
    code: int
    peak: int
    own: int
    connections: int


@pytest.fixture(scope="module")
def night(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A run over all of them, and one good film behind them."""
    mails = {
        hostile.name: {hostile.name: (outside.folder / hostile.name).read_bytes()}
        for hostile in HOSTILE
    }
    mails["good"] = {"good.mp4": bases()["film.mp4"]}
    campaign = begin(tmp_path_factory.mktemp("night"), mails, config(QUICK, outputs=OUTPUT))
    command = [sys.executable, "-c", _MEASURED, "run", "-q"]
    done = subprocess.run(command, cwd=campaign.folder, capture_output=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    return Night(campaign, **said, connections=outside.connections())


def test_there_are_enough() -> None:
    assert len(HOSTILE) >= 15
    assert sum(hostile.doors is not None for hostile in HOSTILE) >= 10


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_each_gets_its_row(hostile: Hostile, night: Night) -> None:
    row = night.campaign.rows[hostile.name]
    assert (row["reason"] or {"code": row["status"]})["code"] in hostile.ends


def test_an_archive_in_an_archive_is_not_opened_for_ever(night: Night) -> None:
    rows = [clip for clip in night.campaign.report["clips"] if clip["parent"]]
    assert 0 < len(rows) < 30
    assert any((row["reason"] or {}).get("code") == "unsafe" for row in rows)
    assert not (night.campaign.work.parent.parent / "etc").exists()


def test_the_run_goes_on(night: Night) -> None:
    assert night.code in (0, 3)
    assert night.campaign.rows["good.mp4"]["status"] == "accepted"
    assert list(night.campaign.work.rglob("*.part")) == []
    totals = night.campaign.report["totals"]
    assert totals["pending"] == totals["failed"] == 0


def test_nothing_outside_is_touched(night: Night, outside: Outside) -> None:
    assert night.connections == 0
    assert outside.target.secret.read_bytes() == bases()["film.ts"]
    assert [path.name for path in outside.target.secret.parent.iterdir()] == ["secret.ts"]


def test_memory_and_disk_are_bounded(night: Night) -> None:
    assert night.own < 300 << 10
    assert night.peak < MEMORY
    made = [path for path in (night.campaign.work / "clips").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in made) < 16 << 20


def test_no_program_runs_for_long(night: Night) -> None:
    """No one file takes a tenth of the time that a clip may take."""
    slow = [p["purpose"] for p in night.campaign.programs() if p["seconds"] > 60 or p["timed_out"]]
    assert slow == []


def bare(wall: str, hostile: Hostile, outside: Outside, limits: Limits) -> ProgramResult:
    """FFmpeg with every protocol and extension allowed, and no demuxer named."""
    path = outside.folder / hostile.name
    argv = [runner.program(), "-nostdin", "-v", "error", "-threads", "1"]
    argv += ["-protocol_whitelist", _PROTOCOLS, *(hostile.doors or ()), "-i", str(path)]
    argv += ["-map", "0:v?", "-f", "framemd5", "-"]
    return FfmpegRunner(wall, Console(Verbosity.QUIET)).run(
        "canary", argv, Permissions((path,), (), limits)
    )


def pictures(ended: ProgramResult) -> int:
    return sum(not line.startswith(b"#") for line in ended.stdout.splitlines())


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_the_walls_alone_hold(wall: str, hostile: Hostile, outside: Outside) -> None:
    ended = bare(wall, hostile, outside, GROWING)
    assert outside.connections() == 0
    if hostile.doors is not None and "accepted" not in hostile.ends:
        assert pictures(ended) == 0, "the file itself holds none"
    assert not ended.timed_out
    assert ended.seconds < GROWING.wall_s


def test_without_walls_they_get_out(outside: Outside) -> None:
    """The canaries are alive: what the walls stop does work where there are none."""
    short = Limits(wall_s=2, cpu_s=2, memory=2 << 30)
    read, called = set(), set()
    for hostile in HOSTILE:
        if hostile.doors is not None:
            ended = bare("none", hostile, outside, short)
            called |= {hostile.name} if outside.connections() else set()
            read |= {hostile.name} if pictures(ended) else set()
    assert {"hls-file.mp4", "ffconcat.mp4"} <= read
    assert {"hls-http.ts", "ffconcat.mp4"} <= called
