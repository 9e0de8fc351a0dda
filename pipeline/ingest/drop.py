"""A drop folder: each file in it, or in a folder in it, is a submission of its own.

Only files that have stopped growing: one that a program has open for writing is left for the
next run; where the system can't tell (files of another user, network folders), one that was
changed less than a minute ago.  Hidden files and the half-finished ones of browsers and copying
programs are never looked at, nor is anything behind a symbolic link.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import InboxError
from pipeline.ingest.folders import unreadable
from pipeline.ingest.inbox import (
    Advance,
    Gone,
    Known,
    MailRef,
    Spools,
    file_time,
    stable_name,
    uid_of,
)
from pipeline.ingest.spool import Readable
from pipeline.model import MailIdentity

QUIET_S = 60.0
_HALF = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp")


class DropInbox:
    """The files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}

    def close(self) -> None:
        """Nothing is held."""

    def new(self, known: Known) -> list[MailRef]:
        """The files that are not known and have stopped growing, in the order of their names.

        :raises InboxError: there is no such folder.
        """
        if not self._folder.is_dir():
            raise InboxError(f"folder:{self._folder} is no folder")
        account, mailbox = "folder", str(self._folder)
        seen = known(account, mailbox, 0)
        refs = []
        try:
            for path in _files(self._folder):
                uid = self._uid(path)
                if uid in seen or not is_at_rest(path):
                    continue
                self._paths[uid] = path
                identity = MailIdentity(account, mailbox, 0, uid)
                when = file_time(path)
                refs.append(
                    MailRef(identity, path.stat().st_size, file_time=when, name=stable_name(path))
                )
        except OSError as error:
            raise unreadable(self._folder, error) from error
        return refs

    @contextmanager
    def raw(self, ref: MailRef, spools: Spools, advance: Advance) -> Iterator[Readable]:  # noqa: ARG002
        """The file itself.

        :raises Gone: it is not there any more, or grows again; also at the end of the block.
        """
        path = self._paths[ref.identity.uid]
        self._check(path, ref)
        with path.open("rb") as file:
            yield file
        self._check(path, ref)
        advance(ref.size)

    def _check(self, path: Path, ref: MailRef) -> None:
        if not path.is_file() or self._uid(path) != ref.identity.uid:
            raise Gone

    def _uid(self, path: Path) -> str:
        stat = path.stat()
        name = os.fsencode(path.relative_to(self._folder)).decode("utf-8", "backslashreplace")
        return f"{uid_of(name)}:{stat.st_size}:{stat.st_mtime_ns}"


def is_at_rest(path: Path) -> bool:
    """Whether nobody writes to a file any more, as far as can be told without waiting."""
    with path.open("rb") as file:
        try:
            # a read lease is refused while anybody has the file open for writing (fcntl(2))
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except BlockingIOError:
            return False
        except (OSError, AttributeError):
            return time.time() - path.stat().st_mtime >= QUIET_S
    return True


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~")) or path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file() and not path.name.lower().endswith(_HALF):
            yield path
