"""The run trusts no file that a program leaves: each is judged by the descriptor that made it."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.console import Console, Verbosity
from pipeline.ffmpeg import faults, made, seccomp
from pipeline.ffmpeg.faults import ProgramFailed, ProgramLied, ProgramResult
from pipeline.ffmpeg.made import MadeFile, Scratch
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Limits
from pipeline.model import Reason
from pipeline.texts import Detail

WALLS = ["bubblewrap", "landlock"]
MOST = 1000


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with made.scratch(tmp_path / "work") as place:
        yield place


def left(wall: str, file: MadeFile, code: str) -> ProgramResult:
    """Run Python code that may write into a file, whose path is ``path``."""
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    code = f"import os, socket, sys\npath = sys.argv[1]\n{textwrap.dedent(code).strip()}"
    argv = [sys.executable, "-I", "-S", "-c", code, str(file.path)]
    return runner.run("canary", argv, made.permissions([file], (), Limits(wall_s=60)))


# What a program that was taken over could leave in the place of its file.
REPLACED = {
    "a FIFO": "os.unlink(path); os.mkfifo(path)",
    "a folder": "os.unlink(path); os.mkdir(path)",
    "a link to another file": "os.unlink(path); os.symlink('/etc/passwd', path)",
    "a socket": "os.chdir(path[: -len('/1-film')]); os.unlink(path); "
    "socket.socket(socket.AF_UNIX).bind('1-film')",
    "a device": """
        os.unlink(path)
        try:
            os.mknod(path, 0o20600, os.makedev(1, 5))
        except PermissionError:
            sys.exit(os.path.exists(path))  # only root can make one
    """,
    "another file": "open(path + '2', 'w').write('x'); os.rename(path + '2', path)",
    "nothing": "os.unlink(path)",
    "a second name": "os.link(path, path + '2')",
    "a name elsewhere": "os.rename(path, path + '2')",
}


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("code", REPLACED.values(), ids=REPLACED)
def test_a_program_can_only_write_into_the_file_that_was_made(
    wall: str, code: str, scratch: Scratch
) -> None:
    """On both walls it can neither replace the file nor make another one."""
    file = scratch.new("film", MOST)
    assert left(wall, file, code).code != 0
    assert list(file.path.parent.iterdir()) == [file.path]
    assert left(wall, file, "open(path, 'w').write('done')").ok
    assert file.file.read() == b"done"


@pytest.mark.parametrize("code", REPLACED.values(), ids=REPLACED)
def test_without_walls_what_was_left_in_its_place_is_never_opened(
    code: str, scratch: Scratch
) -> None:
    file = scratch.new("film", MOST)
    assert left("none", file, code).ok
    with pytest.raises(ProgramLied) as caught:
        file.publish(file.path.parent.parent / "final")
    assert caught.value.refusal.reason is Reason.INTERNAL
    assert list(file.path.parent.parent.iterdir()) == [file.path.parent]


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize(
    "code",
    [
        "os.truncate(path, 1 << 40)",
        "with open(path, 'w') as file: file.write('x' * 2000)",
    ],
)
def test_a_file_larger_than_it_can_be_is_refused(wall: str, code: str, scratch: Scratch) -> None:
    """Also one of a terabyte that takes no room: no program may make it in the first place."""
    file = scratch.new("film", MOST)
    ended = left(wall, file, code)
    assert ended.code != 0
    assert file.size <= MOST
    if file.size:
        with pytest.raises(ProgramFailed) as caught:
            faults.check(ended, "encode", made.permissions([file], (), Limits()))
        assert caught.value.refusal.code is Detail.LIMIT_REACHED
    with file.path.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(ProgramLied, match="larger"):
        _ = file.file


def test_a_file_that_somebody_still_writes_is_refused(scratch: Scratch) -> None:
    file = scratch.new("film", MOST)
    with file.path.open("wb"), pytest.raises(ProgramLied, match="still being written"):
        _ = file.file
    assert file.file.read() == b""


def test_where_the_kernel_can_not_say_who_writes_a_copy_is_judged(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a program that lives on changes nothing of what was judged."""
    monkeypatch.setattr(seccomp, "program", lambda: b"")
    file = scratch.new("film", MOST)
    with file.path.open("wb") as late:
        late.write(b"judged")
        late.flush()
        assert file.file.read() == b"judged"
        late.write(b" and changed")
        late.flush()
        file.publish(file.path.parent.parent / "final")
    assert (file.path.parent.parent / "final").read_bytes() == b"judged"


def test_nothing_but_the_bytes_is_published(scratch: Scratch) -> None:
    """Attributes, times and modes of a file could carry a place as well."""
    file = scratch.new("film", MOST)
    file.path.write_bytes(b"film")
    os.setxattr(file.path, "user.place", b"47.3,18.9")
    os.utime(file.path, ns=(47_318_264, 18_951_372))
    file.path.chmod(0o4755)
    final = file.path.parent.parent / "final"
    file.publish(final)
    assert os.listxattr(final) == []
    assert final.stat().st_mode == 0o100600
    assert final.stat().st_mtime_ns != 18_951_372


def test_lines_of_a_program_are_short_and_plain(scratch: Scratch) -> None:
    for bad in (b"x" * 101, "ü\n".encode(), b"\xff\n"):
        file = scratch.new("text", MOST)
        file.path.write_bytes(b"good\r\n" + bad)
        lines = file.lines(100)
        assert next(lines) == "good"
        with pytest.raises(ProgramLied):
            next(lines)


def test_a_scratch_folder_is_gone_with_its_files(tmp_path: Path) -> None:
    with made.scratch(tmp_path) as place:
        film, sheet = place.new("film", MOST), place.new("film", MOST)
        assert film.path != sheet.path
        film.discard()
        assert not film.path.exists()
    assert list(tmp_path.iterdir()) == []
