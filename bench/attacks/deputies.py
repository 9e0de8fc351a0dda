"""What a taken-over program leaves for the run to stumble over, and what becomes of it.

    .venv/bin/python -m bench.attacks.deputies [CASE…]

A real `footage run` takes in a mail of photos.  In the place of one program of each photo stands a
program that leaves what it should not: in the place of its files, in its folder, on its output.
One photo is innocent.  The run must go on, the innocent photo must become a clip, and nothing may
be left.  The next run has no stand-in; after `footage retry` it makes all clips.  This is done
without a wall, where every case is possible, and behind each wall.  Prints a table.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.command_scene import CommandScene, begin, config

from bench.attacks.driver import MARK
from bench.attacks.harness import photo
from pipeline import cli
from pipeline.ffmpeg.faults import ProgramResult
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Permissions

WALLS = ("none", "bubblewrap", "landlock")
_HERE = Path(__file__).parents[2]
_OUTPUT = '[[output]]\nname = "landscape"\nsize = "64x64"\nfps = 24\nquality = "draft"\n'
_SETTINGS = '[review]\nrequired = false\n[process]\nstill_seconds = 0.2\nsandbox = "{wall}"\n'

# What each stand-in has: the files that it was to write, the clip among them, the folder.
_BEGIN = """
import os, socket, sys
outputs = sys.argv[2:]
for output in outputs:
    with open(output, "wb") as file:
        file.write(b"x" * 1000)
clip = next((it for it in outputs if it.endswith(".mp4")), outputs[0] if outputs else "")
folder = os.path.dirname(clip)
def replaced(make):
    os.unlink(clip)
    make(clip)
try:
    exec(sys.argv[1])
except OSError:
    pass  # the wall held; the program ends as if it had done its work
"""


@dataclass(frozen=True)
class Case:
    """What is left: in the place of which program, and the code that leaves it."""

    purpose: str
    code: str


def _clip(code: str) -> Case:
    return Case("encode", code)


CASES = {
    # -- in the place of the clip
    "a FIFO": _clip("replaced(os.mkfifo)"),
    "a link to a file of the user": _clip("replaced(lambda path: os.symlink('/etc/passwd', path))"),
    "a link to a device": _clip("replaced(lambda path: os.symlink('/dev/zero', path))"),
    "a link to itself": _clip("replaced(lambda path: os.symlink(path, path))"),
    "a folder": _clip("replaced(os.mkdir)"),
    "a socket": _clip(
        "os.chdir(folder); replaced(lambda p: socket.socket(1).bind(os.path.basename(p)))"
    ),
    "a device": _clip("replaced(lambda path: os.mknod(path, 0o20600, os.makedev(1, 5)))"),
    "a second name": _clip("os.link(clip, clip + '2')"),
    "another file": _clip("os.rename(outputs[0], clip)"),
    "nothing": _clip("os.unlink(clip)"),
    "a file of another owner": _clip("os.chown(clip, 65534, 65534)"),
    "a file of a terabyte without content": _clip("os.truncate(clip, 1 << 40)"),
    "a file that nobody may read": _clip("os.chmod(clip, 0)"),
    "a program with the rights of its owner": _clip("os.chmod(clip, 0o6777)"),
    "a file with attributes": _clip("os.setxattr(clip, 'user.place', b'47.3,18.9')"),
    "a file that can't be deleted": _clip(
        "import fcntl, struct; file = os.open(clip, os.O_RDONLY); "
        "fcntl.ioctl(file, 0x40086602, struct.pack('l', 0x10))"
    ),
    "a file that a process goes on to write": _clip(
        "file = open(clip, 'ab')\nif not os.fork():\n"
        "    for number in 0, 1, 2:\n        os.close(number)\n"
        "    import time; os.setsid(); time.sleep(20); os._exit(0)"
    ),
    # -- in the place of its other files
    "a FIFO for the small pictures": _clip("clip = outputs[0]; replaced(os.mkfifo)"),
    "small pictures without end": _clip("os.truncate(outputs[0], 1 << 40)"),
    "a link for the still": _clip(
        "clip = outputs[-1]; replaced(lambda path: os.symlink('/etc/passwd', path))"
    ),
    # -- in its folder
    "folders 3,000 levels deep": _clip(
        "handle = os.open(folder, os.O_RDONLY)\nfor level in range(3000):\n"
        "    os.mkdir('deep', dir_fd=handle); inner = os.open('deep', os.O_RDONLY, dir_fd=handle)\n"
        "    os.close(handle); handle = inner"
    ),
    "folders that nobody may enter": _clip(
        "os.makedirs(folder + '/a/b/c')\nfor path in '/a/b/c', '/a/b', '/a', '':\n"
        "    os.chmod(folder + path, 0)"
    ),
    "20,000 files": _clip(
        "for number in range(20_000):\n    os.mknod(f'{folder}/{number}', 0o600)"
    ),
    "names that are no text": _clip("os.mkdir(os.fsencode(folder) + b'/\\xff\\n\\x1b[2J')"),
    "a folder that is not its own": _clip("os.rename(folder, folder + '2'); os.mkdir(folder)"),
    # -- on its output
    "words of a full disk": _clip("sys.stderr.write('No space left on device'); sys.exit(1)"),
    "words without end": _clip("for _ in range(3000):\n    os.write(2, b'x' * 65536)"),
    "output without end": _clip("for _ in range(3000):\n    os.write(1, b'frame:0 ' * 8192)"),
    "a loudness that is no number": _clip("os.write(1, b'lavfi.r128.I=1e999\\n')"),
    "a crash": _clip("os.abort()"),
    # -- instead of the probe
    "no description": Case("probe", ""),
    "a description that is no text": Case("probe", "os.write(1, b'\\xff\\xfe')"),
    "a description of numbers that are none": Case(
        "probe", 'os.write(1, b\'{"container": NaN, "video": Infinity}\')'
    ),
    "a description in a thousand levels": Case("probe", "os.write(1, b'[' * 100_000)"),
    "a description without end": Case(
        "probe", "for _ in range(3000):\n    os.write(1, b' ' * 65536)"
    ),
    "a description of another kind": Case("probe", "os.write(1, b'[1, 2, 3]')"),
}


def drive(folder: str) -> None:
    """Run the campaign in *folder*, with stand-ins for the photos that carry the name of a case."""
    real = FfmpegRunner.run

    def run(
        runner: FfmpegRunner,
        purpose: str,
        argv: list[str],
        permissions: Permissions,
        feed: Iterable[bytes] | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> ProgramResult:
        case = _case_of(permissions.reads)
        if case is not None and case.purpose == purpose:
            files = map(str, permissions.writes)
            argv = [sys.executable, "-I", "-S", "-c", _BEGIN, case.code, *files]
        return real(runner, purpose, argv, permissions, feed, sink)

    FfmpegRunner.run = run  # type: ignore[method-assign, assignment] # the program is exchanged
    sys.argv = ["footage", "-q", "run", "--config", f"{folder}/config.toml"]
    cli.main()


def _case_of(reads: Sequence[Path]) -> Case | None:
    """The case whose name a file carries behind its end."""
    if not reads or not reads[0].is_file():
        return None
    _, mark, name = reads[0].read_bytes().rpartition(MARK)
    return CASES[name.decode()] if mark else None


@dataclass(frozen=True)
class Night:
    """What became of all cases behind one wall.

    ``rows``: the status, and the code of the reason, of each; ``codes``: the exit codes of the run,
    of the next one, and of the one after `footage retry`; ``left``: what the runs left behind;
    ``again``: the statuses in the end.
    """

    rows: dict[str, str]
    innocent: str
    codes: tuple[int, int, int]
    left: tuple[str, ...]
    again: dict[str, str]
    seconds: float
    said: str


def night(wall: str, names: Sequence[str], folder: Path) -> Night:
    """Make some cases behind a wall, and then run twice without stand-ins."""
    photos = {f"{number:03}.png": photo(number, (name,)) for number, name in enumerate(names)}
    photos["innocent.png"] = photo(len(names), ())
    scene = begin(folder, {"hello": photos}, config(_SETTINGS.format(wall=wall), outputs=_OUTPUT))
    command = [sys.executable, "-m", "bench.attacks.deputies", "--drive", str(folder)]
    begun = time.monotonic()
    ended = subprocess.run(
        command, cwd=_HERE, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{_HERE}:{_HERE / 'tests'}"},
    )  # fmt: skip
    seconds = time.monotonic() - begun
    if not scene.work.joinpath("report", "report.json").exists():
        said = ended.stderr[-2000:]
        return Night({}, "", (ended.returncode, -1, -1), (), {}, seconds, said)
    rows = {name: _outcome(scene, number) for number, name in enumerate(names)}
    innocent = scene.rows["innocent.png"]["status"]
    left = [str(path.relative_to(scene.work)) for path in scene.work.rglob("*.part")]
    second = scene.footage("-q", "run").code
    scene.footage("-q", "retry")
    third = scene.footage("-q", "run").code
    again = {name: _outcome(scene, number) for number, name in enumerate(names)}
    left += [str(path.relative_to(scene.work)) for path in scene.work.rglob("*.part")]
    codes = (ended.returncode, second, third)
    return Night(rows, innocent, codes, tuple(left), again, seconds, ended.stderr[-2000:])


def _outcome(scene: CommandScene, number: int) -> str:
    row = scene.rows[f"{number:03}.png"]
    reason = row["reason"]["code"] if row["reason"] else ""
    return f"{row['status']} ({reason})" if reason else str(row["status"])


def table(nights: dict[str, Night], names: Sequence[str]) -> str:
    """All outcomes, a row for each case, in Markdown."""
    lines = ["| what is left | " + " | ".join(nights) + " | after `retry` |"]
    lines.append("| --- |" + " --- |" * (len(nights) + 1))
    for name in names:
        cells = [night.rows.get(name, "the run ended") for night in nights.values()]
        again = {night.again.get(name, "") for night in nights.values()}
        lines.append(f"| {name} | " + " | ".join([*cells, ", ".join(sorted(again))]) + " |")
    for title, words in (
        ("the innocent photo", [night.innocent for night in nights.values()]),
        ("exit codes", [", ".join(map(str, night.codes)) for night in nights.values()]),
        ("left behind", [", ".join(night.left) or "nothing" for night in nights.values()]),
        ("seconds", [f"{night.seconds:.0f}" for night in nights.values()]),
    ):
        lines.append(f"| *{title}* | " + " | ".join(words) + " | |")
    return "\n".join(lines)


def main(names: Sequence[str] = ()) -> int:
    """Make all cases behind each wall, or those that are named, and print a table.

    :returns: 1 if an innocent photo did not become a clip, or something was left behind.
    """
    wanted = list(names) or list(CASES)
    nights = {}
    for wall in WALLS:
        with tempfile.TemporaryDirectory() as folder:
            nights[wall] = night(wall, wanted, Path(folder) / wall)
            # as long as a file has this flag, not even root can delete it
            subprocess.run(["chattr", "-R", "-i", folder], capture_output=True, check=False)
            if nights[wall].said:
                print(nights[wall].said, file=sys.stderr)
    print(table(nights, wanted))
    return int(any(night.innocent != "accepted" or night.left for night in nights.values()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--drive"]:
        drive(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1:]))
