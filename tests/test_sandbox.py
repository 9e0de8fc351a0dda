"""The walls hold: canaries that try to get out, in each kind of sandbox that there is."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from support.command_scene import begin, config
from support.planted.bases import bases
from support.waiting import HANG_S

from pipeline import publishing
from pipeline.console import Console, Verbosity
from pipeline.errors import SandboxUnavailable, Stopping
from pipeline.ffmpeg import sandbox
from pipeline.ffmpeg.faults import ProgramResult
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.workspace import Workspace, sweep

WALLS = ["bubblewrap", "landlock"]


def inside(wall: str, code: str, cell: Permissions | None = None, *arguments: str) -> ProgramResult:
    """Run Python code in a cell; it ends with 0 only if what it tried was possible."""
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    argv = [sys.executable, "-I", "-S", "-c", textwrap.dedent(code), *arguments]
    return runner.run("canary", argv, cell or Permissions())


@pytest.mark.parametrize("wall", WALLS)
def test_what_is_allowed_works(wall: str, tmp_path: Path) -> None:
    given, out = tmp_path / "in" / "given", tmp_path / "out"
    given.parent.mkdir()
    given.write_text("read me")
    out.mkdir()
    code = """
        import pathlib, sys, threading
        text = pathlib.Path(sys.argv[1]).read_text()
        thread = threading.Thread(target=pathlib.Path(sys.argv[2]).write_text, args=(text,))
        thread.start(); thread.join()
    """
    ended = inside(wall, code, Permissions((given,), (out,)), str(given), str(out / "made"))
    assert ended.ok
    assert (out / "made").read_text() == "read me"


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize(
    "attempt",
    [
        "open(sys.argv[1]).read()",
        "open(sys.argv[1], 'a')",
        "os.unlink(sys.argv[1])",
        "os.listdir(os.path.dirname(sys.argv[1]))",
        "open('/etc/passwd').read()",
        "os.kill(os.getppid(), 9)",
        "open('/proc/1/environ').read()",
        "open(sys.argv[2], 'a')",
        "open('/tmp/canary', 'w')",
        "open('/dev/shm/canary', 'w')",
        "import socket; socket.create_connection(('127.0.0.1', int(sys.argv[3])), 2)",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "import socket; socket.socket(socket.AF_UNIX)",
        "os.fork()",
        "os.execv('/bin/sh', ['sh', '-c', 'exit 0'])",
        "import subprocess; subprocess.run(['/bin/true'], check=True)",
        "x = bytearray(2 << 30)",
        "open(sys.argv[4] + '/big', 'wb').write(bytes(2 << 20))",
    ],
)
def test_canaries_stay_inside(wall: str, attempt: str, tmp_path: Path) -> None:
    """Files outside, the network, other processes, programs, memory and disk."""
    secret, given, out = tmp_path / "s" / "secret", tmp_path / "g" / "given", tmp_path / "out"
    for path in (secret, given):
        path.parent.mkdir()
        path.write_text("canary")
    out.mkdir()
    limits = Limits(wall_s=20, cpu_s=10, memory=1 << 30, file_size=1 << 20)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        cell = Permissions((given,), (out,), limits)
        code = f"import os, sys\n{attempt}"
        ended = inside(wall, code, cell, str(secret), str(given), port, str(out))
        assert ended.code != 0
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert secret.read_text() == "canary"
    assert given.read_text() == "canary"
    assert sum(path.stat().st_size for path in out.iterdir()) <= limits.file_size


LIMITED = """
import sys
from pathlib import Path
from pipeline.console import Console, Verbosity
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Permissions
path = Path(sys.argv[2])
argv = [sys.executable, "-I", "-S", "-c", f"open({str(path)!r}, 'wb').write(bytes(6_000))"]
runner = FfmpegRunner(sys.argv[1], Console(Verbosity.QUIET))
runner.run("test", argv, Permissions(writes=(path.parent,)))
print(path.stat().st_size)
"""


@pytest.mark.parametrize("wall", WALLS)
def test_a_lower_limit_of_the_shell_stays(wall: str, tmp_path: Path) -> None:
    """Only root could raise it; for all others no program started."""
    command = ["prlimit", "--fsize=5000", "--cpu=50", f"--as={1 << 32}", sys.executable, "-c"]
    command += [LIMITED, wall, str(tmp_path / "made")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout == "5000\n", ended.stderr


@pytest.mark.parametrize("wall", [*WALLS, "none"])
def test_time_is_limited(wall: str) -> None:
    ended = inside(wall, "while True: pass", Permissions(limits=Limits(wall_s=0.5)))
    assert ended.timed_out
    assert not ended.ok
    ended = inside(wall, "while True: pass", Permissions(limits=Limits(wall_s=30, cpu_s=1)))
    assert not ended.timed_out
    assert ended.code != 0


@pytest.mark.parametrize("wall", WALLS)
def test_playlists_open_nothing_even_without_allow_lists(wall: str, tmp_path: Path) -> None:
    """FFmpeg reads an ffconcat whatever its name; the wall alone must stop it."""
    secret, playlist = tmp_path / "a" / "secret.txt", tmp_path / "b" / "clip.mp4"
    for path in (secret, playlist):
        path.parent.mkdir()
    secret.write_text("canary")
    playlist.write_text(f"ffconcat version 1.0\nfile '{secret}'\n")
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    argv = [program(), "-v", "error", "-safe", "0", "-i", str(playlist), "-f", "null", "-"]
    assert not runner.run("canary", argv, Permissions(reads=(playlist,))).ok


HALF_BUILT = """#!/bin/sh
sleep 1000 &
echo up
wait
"""


@pytest.mark.parametrize("wall", [*WALLS, "none", "half-built"])
def test_a_killed_parent_leaves_no_child(wall: str, tmp_path: Path) -> None:
    """The child holds one end of a pipe: its end tells that the child is gone.

    A wall that is half built: the inner process of bubblewrap does not know yet that it must end.
    """
    reader, writer = os.pipe()
    chosen = f"sandbox.choose({wall!r})"
    if wall == "half-built":
        script = tmp_path / "bwrap"
        script.write_text(HALF_BUILT)
        script.chmod(0o700)
        chosen = f"sandbox.Sandbox(sandbox.Mode.BUBBLEWRAP, {str(script)!r})"
    code = textwrap.dedent(f"""
        import subprocess, sys
        from pipeline.ffmpeg import sandbox
        command, program = {chosen}.command(
            [sys.executable, "-I", "-S", "-c", "print('up', flush=True)\\nwhile True: pass"],
            sandbox.Permissions())
        original = subprocess.Popen
        def popen(*a, **k):
            k["pass_fds"] = (*k["pass_fds"], {writer})
            return original(*a, **k)
        subprocess.Popen = popen
        child = sandbox.spawn(command, program, stdout=subprocess.PIPE)
        print(child.stdout.readline().decode(), flush=True)
        child.wait()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, pass_fds=(writer,)
    ) as parent:
        os.close(writer)
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        ready, _, _ = select.select([reader], [], [], HANG_S)
        assert ready, "a child lives on after its parent was killed"
        assert os.read(reader, 1) == b""
    os.close(reader)


@pytest.mark.parametrize("wall", [*WALLS, "none"])
def test_a_parent_killed_as_it_starts_one_leaves_nothing(wall: str, tmp_path: Path) -> None:
    """The program can't know yet whose death it must follow when it begins to live."""
    code = textwrap.dedent(f"""
        import os, signal, sys
        from pathlib import Path
        from pipeline import publishing
        from pipeline.ffmpeg.sandbox import Permissions, choose, spawn
        write = "open(__import__('sys').argv[1], 'w')"
        walls = choose({wall!r})
        with publishing.scratch_folder(Path(sys.argv[1])) as place:
            argv = [sys.executable, "-I", "-S", "-c", write, str(place / "late.part")]
            spawn(*walls.command(argv, Permissions(writes=(place,))), stdout=1)
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    workspace = Workspace(tmp_path)
    argv = [sys.executable, "-c", code, str(workspace.cache)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as parent:
        parent.wait()
        assert sweep(workspace).count == 1
        assert parent.stdout is not None
        parent.stdout.read()  # ends with the last who could write to it
    assert list(workspace.cache.iterdir()) == []


def test_a_scratch_folder_that_was_swept_takes_nothing_more(tmp_path: Path) -> None:
    with publishing.scratch_folder(tmp_path) as place:
        (place / "early.part").touch()
        assert sweep(Workspace(tmp_path)).count == 1
        with pytest.raises(FileNotFoundError):
            (place / "late.part").touch()
    assert list(tmp_path.iterdir()) == []


def test_without_walls_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_fault_of", lambda _sandbox: "forbidden here")
    sandbox.choose.cache_clear()
    try:
        with pytest.raises(SandboxUnavailable, match="user namespaces"):
            FfmpegRunner("auto", Console(Verbosity.QUIET)).run(
                "canary", ["/bin/true"], Permissions()
            )
    finally:
        sandbox.choose.cache_clear()


def test_a_wall_that_can_not_be_started_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    memories = (sandbox.choose, sandbox._fault_of)
    for memory in memories:
        memory.cache_clear()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    try:
        with pytest.raises(SandboxUnavailable, match="Landlock: No such file or directory"):
            sandbox.choose("landlock")
    finally:
        for memory in memories:
            memory.cache_clear()


def test_a_trial_that_is_killed_is_made_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, spawn, left = sandbox.choose("auto"), sandbox.spawn, [1]

    def killed(*command: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = spawn(*command, **options)
        if left:
            left.pop()
            process.kill()
        return process

    monkeypatch.setattr(sandbox, "spawn", killed)
    fault_of = sandbox._fault_of.__wrapped__
    assert (fault_of(chosen), left) == ("", [])
    left += [1, 1]
    assert (fault_of(chosen), left) == ("refused", [])


def test_what_a_program_says_is_not_kept(tmp_path: Path) -> None:
    """FFmpeg repeats tags on standard error; only phrases of our own list come back."""
    path = tmp_path / "x"
    path.write_bytes(b"no media at all")
    argv = [program(), "-i", str(path), "-f", "null", "-"]
    ended = FfmpegRunner("auto", Console(Verbosity.QUIET)).run(
        "canary", argv, Permissions(reads=(path,))
    )
    assert ended.code != 0
    assert "Invalid data found when processing input" in ended.said
    assert str(path) not in "".join(ended.said)


def test_a_closed_door_ends_what_runs_and_starts_nothing() -> None:
    runner = FfmpegRunner("auto", Console(Verbosity.QUIET))
    runner.close()
    with pytest.raises(Stopping):
        runner.run("canary", ["/bin/true"], Permissions())


def test_clips_are_the_same_behind_each_wall(tmp_path: Path) -> None:
    """From mail to clip: the wall that holds the programs leaves no trace in what they make."""
    files = {"film.mp4": bases()["film.mp4"], "still.jpg": bases()["still.jpg"]}
    made = {}
    for wall in WALLS:
        text = config(
            f'[process]\nsandbox = "{wall}"\nstill_seconds = 0.2\n',
            outputs='[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\n',
        )
        campaign = begin(tmp_path / wall, {"two": files}, text)
        assert campaign.footage("run").code == 0
        made[wall] = {
            name: [output["sha256"] for output in row["outputs"]]
            for name, row in campaign.rows.items()
        }
    assert made["bubblewrap"] == made["landlock"]
    assert all(made["landlock"][name] for name in files)
