"""The files that programs make: each is made empty by the run itself, and read by its descriptor.

A program that reads a stranger's bytes may have been taken over, so the run trusts no file of it.
It makes each file before the program starts, and the program may write into these files and
nowhere else.  The run keeps the descriptor that it got when it made the file.  What it judges,
hashes and publishes is that descriptor, whatever the program did with the name.

When the program has ended, nobody may be left who could still change the file.  The filter of
system calls lets no program start another one, and the kernel is asked whether anybody has the
file open for writing.  Where that can't be known, the file is copied first.
"""

from __future__ import annotations

import fcntl
import os
import signal
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import Self

from pipeline import publishing
from pipeline.ffmpeg import seccomp
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.ffmpeg.sandbox import Limits, Permissions

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = _OPEN | os.O_CREAT | os.O_EXCL
_PIECE = 1 << 20
_ADDED = ("user.", "system.posix_acl")  # attributes that a program can give to a file


class MadeFile:
    """A file for a program to write into.

    ``path`` is its name, ``most`` is how many bytes it may have.  It can be read when the program
    has ended.
    """

    def __init__(self, path: Path, most: int, *, is_new: bool = True) -> None:
        """Make the file, empty; if it is not new, a program has made it.

        :raises ProgramLied: it should exist and does not, or is not a file.
        """
        self.path, self.most = path, most
        self._descriptor = os.fdopen(os.open(path, _NEW, 0o600) if is_new else _opened(path), "rb")
        self._is_finished = False

    @property
    def size(self) -> int:
        """How many bytes the program has written."""
        return os.fstat(self._descriptor.fileno()).st_size

    @property
    def file(self) -> BufferedReader:
        """The finished file, at its start.

        :raises ProgramLied: it can't be what the program was asked for.
        """
        self.finished()._descriptor.seek(0)
        return self._descriptor

    def finished(self) -> Self:
        """Return this file, which another program will read.

        :raises ProgramLied: it can't be what the program was asked for.
        """
        if not self._is_finished:
            self._finish()
            self._is_finished = True
        return self

    def lines(self, longest: int) -> Iterator[str]:
        """The lines of a text, without their ends.

        :param longest: how many bytes a line may have.
        :raises ProgramLied: it is not such a text.
        """
        file = self.file
        while line := file.readline(longest + 1):
            if len(line) > longest or not line.isascii():
                raise ProgramLied("a text that no program of ours writes")
            yield line.decode("ascii").rstrip("\r\n")

    def publish(self, final: Path) -> None:
        """Publish the finished file; nothing but its bytes stays of what the program did.

        :raises ProgramLied: it can't be what the program was asked for.
        :raises DiskFull: there is no room for it.
        """
        file = self.file
        for name in os.listxattr(file.fileno()):
            if name.startswith(_ADDED):
                os.removexattr(file.fileno(), name)
        os.utime(file.fileno())
        self._is_still_named()
        publishing.publish_open(file, self.path, final)

    def move(self, final: Path) -> None:
        """Move the file to a name that no program can reach.

        :raises ProgramLied: it is not there any more.
        """
        try:
            self.path = self.path.rename(final)
        except FileNotFoundError as error:
            raise ProgramLied("a file that is gone") from error
        self._is_still_named()

    def discard(self) -> None:
        """Delete the file, which is of no use any more."""
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the descriptor."""
        self._descriptor.close()

    def _finish(self) -> None:
        found = os.fstat(self._descriptor.fileno())
        if found.st_size > self.most:
            raise ProgramLied("a file larger than it can be")
        if found.st_uid != os.geteuid() or found.st_nlink != 1:
            raise ProgramLied("a file that was deleted, linked or given away")
        self._is_still_named()
        if not self._is_quiet():
            self._copy()

    def _is_still_named(self) -> None:
        """Raise an error if the name leads to another file than the one that was made."""
        try:
            named = os.lstat(self.path)
        except OSError as error:
            raise ProgramLied("a file that is gone") from error
        if not os.path.samestat(named, os.fstat(self._descriptor.fileno())):
            raise ProgramLied("another file in place of the one that was made")

    def _is_quiet(self) -> bool:
        """Whether it is certain that nobody can change the file any more.

        The kernel gives a lease for reading only while nobody has the file open for writing
        (fcntl(2), "Leases").  It is given back at once.
        """
        if not seccomp.program():
            return False  # on such a processor a program could leave another one behind
        descriptor = self._descriptor.fileno()
        try:
            # opening the file for writing would cause a signal; by default this one is ignored
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except BlockingIOError as error:
            raise ProgramLied("a file that is still being written") from error
        except OSError:
            return False  # a file system without leases
        return True

    def _copy(self) -> None:
        """Go on with a copy that no program has ever seen."""
        part = publishing.part_path(self.path)
        self._descriptor.seek(0)
        with part.open("xb") as copy:
            while data := self._descriptor.read(_PIECE):
                copy.write(data)
                if copy.tell() > self.most:
                    raise ProgramLied("a file larger than it can be")
        self._descriptor.close()
        self.path = part
        self._descriptor = os.fdopen(os.open(part, os.O_RDONLY | os.O_CLOEXEC), "rb")


def _opened(path: Path) -> int:
    """Open a regular file; of anything else nothing is opened but its name.

    :raises ProgramLied: there is no such file.
    """
    try:
        name = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(name).st_mode):
                raise ProgramLied("something that is no file")
            return os.open(f"/proc/self/fd/{name}", _OPEN & ~os.O_NOFOLLOW)
        finally:
            os.close(name)
    except OSError as error:
        raise ProgramLied("a file that is gone or can't be opened") from error


class Scratch:
    """A folder for the files of some programs; no program may make a file in it."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        """*opened* closes the files."""
        self._folder, self._opened = folder, opened
        self._count = 0

    def new(self, name: str, most: int) -> MadeFile:
        """Make an empty file for a program to write into.

        :param most: how many bytes it may have.
        """
        made = MadeFile(self.place(name), most)
        self._opened.callback(made.close)
        return made

    def opened(self, path: Path, most: int) -> MadeFile:
        """Open a file that a program has made.

        :raises ProgramLied: nothing is there, or something else than a file.
        """
        made = MadeFile(path, most, is_new=False)
        self._opened.callback(made.close)
        return made

    def place(self, name: str) -> Path:
        """A path for a file that the run itself writes, and programs may read."""
        self._count += 1
        return self._folder / f"{self._count}-{name}"


@contextmanager
def scratch(folder: Path) -> Iterator[Scratch]:
    """Make a scratch folder in *folder*, and delete it after the block."""
    with publishing.scratch_folder(folder) as place, ExitStack() as opened:
        yield Scratch(place, opened)


def permissions(writes: Sequence[MadeFile], reads: Sequence[Path], limits: Limits) -> Permissions:
    """Return what a program needs to write into files; none may get larger than the largest may."""
    most = max((made.most for made in writes), default=0)
    paths = tuple(made.path for made in writes)
    return Permissions(tuple(reads), paths, replace(limits, file_size=most))
