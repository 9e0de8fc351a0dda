"""The system calls of FFmpeg, the probe and the process that takes mails apart, by strace.

    .venv/bin/python -m bench.trace [FOLDER…]

FOLDERs hold footage, as drop folders do, or mails (``.eml``); without any, the smallest file of
each format of the tests is used.  All of it is taken in, becomes clips and a montage with
crossfades, and every program runs under strace (a package of Debian).  Prints a table in Markdown:
for each call the programs that made it.  For calls whose arguments the filter looks at, the
arguments are rows of their own.  The allow-list in ``pipeline/ffmpeg/calls.py`` was made from it.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from support.command_scene import config, footage
from support.planted.bases import bases

from pipeline.ffmpeg.sandbox import Permissions, Sandbox

_STRACE = ("strace", "-f", "-qq", "--seccomp-bpf", "-s", "0", "-X", "verbose", "-e", "signal=none")
_PROGRAMS = ("ffmpeg", "probe", "taking")
_LINE = re.compile(r"^\d+ +(\w+)\((.*)")
# the argument that the filter looks at, by its place
_LOOKED_AT = {"ioctl": 1, "fcntl": 1, "prctl": 0, "arch_prctl": 0, "prlimit64": 0, "clone": 1}
_LOOKED_AT |= {"madvise": 2, "sched_setaffinity": 0, "sched_getaffinity": 0, "openat": 2}


def traced(folders: list[Path], place: Path) -> Path:
    """Run everything under strace; the traces are files in the folder that is returned."""
    out = place / "traces"
    out.mkdir()
    ordinary = Sandbox.command

    def command(
        self: Sandbox, argv: list[str], permissions: Permissions
    ) -> tuple[list[str], bytes]:
        whole, program = ordinary(self, argv, permissions)
        split = whole.index("--") + 1
        name = _program(argv)
        number = len(list(out.iterdir()))
        strace = [shutil.which("strace") or "strace", *_STRACE[1:]]
        return [*whole[:split], *strace, "-o", str(out / f"{name}-{number}"), *argv], program

    text = config(
        '[review]\nrequired = false\n[process]\nsandbox = "none"\nstill_seconds = 1\n'
        "[montage]\nautomatic = true\ntransition_seconds = 0.3\n"
    )
    inboxes = "".join(
        f'[[inbox]]\nname = "n{number}"\nurl = "{_kind(folder)}:{folder}"\n'
        for number, folder in enumerate(folders)
    )
    text = text.replace('[inbox]\nurl = "eml:inbox"\n', inboxes)
    (place / "config.toml").write_text(text)
    Sandbox.command = command  # type: ignore[method-assign]  # the one place where programs start
    try:
        said = footage("run", "--config", str(place / "config.toml"))
    finally:
        Sandbox.command = ordinary  # type: ignore[method-assign]
    print(said.out, said.err, file=sys.stderr)
    return out


def _kind(folder: Path) -> str:
    return "eml" if any(folder.glob("*.eml")) else "folder"


def _program(argv: list[str]) -> str:
    if argv[0] != sys.executable:
        return "ffmpeg"
    return "probe" if any(word.endswith("probe_child.py") for word in argv) else "taking"


def calls(traces: Path) -> dict[str, set[str]]:
    """The programs that made each call; calls that the filter looks into have their argument."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in traces.iterdir():
        program = path.name.partition("-")[0]
        for line in path.read_text("utf-8", "replace").splitlines():
            if match := _LINE.match(line):
                found[_named(match[1], match[2])].add(program)
    return found


def _named(call: str, arguments: str) -> str:
    place = _LOOKED_AT.get(call)
    if place is None:
        return call
    words = re.sub(r"\)\s+= .*|<unfinished.*", "", arguments).split(", ")
    word = words[place].strip() if place < len(words) else ""
    if call.startswith(("sched_", "prlimit")):
        word = "itself" if word == "0" else "a process by number"
    return f"{call} {re.sub(r'.*/[*] | [*]/.*', '', word)}".strip()


def table(found: dict[str, set[str]]) -> str:
    """What was found, in Markdown."""
    lines = ["| call | " + " | ".join(_PROGRAMS) + " |", "| --- |" + " --- |" * len(_PROGRAMS)]
    for call in sorted(found):
        cells = ["yes" if program in found[call] else "" for program in _PROGRAMS]
        lines.append(f"| `{call}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(folders: list[str] | None = None) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        given = [Path(folder).resolve() for folder in folders or []]
        if not given:
            own = place / "footage"
            own.mkdir()
            for file, data in bases().items():
                (own / file).write_bytes(data)
            given = [own]
        print(table(calls(traced(given, place))))


if __name__ == "__main__":
    main(sys.argv[1:])
