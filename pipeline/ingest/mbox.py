"""An mbox file as an inbox (RFC 4155).  Never changed; locked for reading while it is read.

A mail begins at a "From " line with a time and a year in it, at the start of the file or after
an empty line, so that words in a letter are not taken for one.  What mailbox writers put
before such words (``>From``) is taken off again.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pipeline import publishing
from pipeline.errors import InboxError
from pipeline.ingest.folders import unreadable
from pipeline.ingest.inbox import Advance, Known, MailRef, Spools, file_time
from pipeline.ingest.spool import Readable
from pipeline.model import MailIdentity

_START = re.compile(rb"From [^\r\n]{0,200}\d\d:\d\d[^\r\n]{0,60}\b\d{4}\b[^\r\n]{0,60}\r?\n")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_CHUNK = 1 << 20
_LONGEST_START = 400


class MboxInbox:
    """The mails of one file.  Mails are told apart by their bytes, for all else may move."""

    def __init__(self, path: Path) -> None:
        """:raises InboxError: there is no such file, or a mail is being delivered into it."""
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise unreadable(path, error) from error
        try:
            fcntl.lockf(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InboxError(f"{path} is being written to; run again in a minute") from error

    def close(self) -> None:
        """Let go of the file, and of the lock with it."""
        self._file.close()

    def new(self, known: Known) -> list[MailRef]:
        """The mails that are not known, in the order of the file.

        :raises InboxError: it holds something else.
        """
        account, mailbox = "mbox", str(self._path)
        seen = known(account, mailbox, 0)
        when: datetime = file_time(self._path)
        if self._file.seek(0, 2) and not _START.match(_read(self._file, 0)):
            raise InboxError(f"mbox:{self._path} is no mbox file: it does not begin with a mail")
        refs = []
        for start, end in _mails(self._file):
            uid = self._digest(start, end)
            if uid in seen or uid in self._places:
                continue
            self._places[uid] = (start, end)
            identity = MailIdentity(account, mailbox, 0, uid)
            refs.append(MailRef(identity, end - start, file_time=when))
        return refs

    @contextmanager
    def raw(self, ref: MailRef, spools: Spools, advance: Advance) -> Iterator[Readable]:
        """The mail without its quoting, in a spool."""
        with spools() as spool:
            for lines in _whole_lines(self._path, *self._places[ref.identity.uid]):
                spool.write(_QUOTED.sub(rb"\1", lines) if b">From " in lines else lines)
                advance(len(lines))
            yield spool

    def _digest(self, start: int, end: int) -> str:
        digest = hashlib.sha256()
        for piece in publishing.read_chunks(self._path, start, end):
            digest.update(piece)
        return digest.hexdigest()


def _mails(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Start and end of each mail, without its "From " line."""
    begun: int | None = None
    for place, length in _starts(file):
        if begun is not None:
            yield begun, place
        begun = place + length
    if begun is not None:
        yield begun, file.seek(0, 2)


def _starts(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Where a mail's first line stands, and how long it is."""
    base, data = 0, b"\n\n" + _read(file, 0)
    shift = -2  # the start of the file counts as after an empty line
    while True:
        at = data.find(b"\nFrom ")
        while at >= 0:
            match = _START.match(data, at + 1)
            if match and (data[:at].endswith((b"\n", b"\n\r"))):
                yield base + shift + at + 1, match.end() - match.start()
            at = data.find(b"\nFrom ", at + 1)
        reached = base + shift + len(data)
        keep = data[-_LONGEST_START:]
        more = _read(file, reached)
        if not more:
            return
        # starts that lie whole in what is kept were found already
        whole = keep.rfind(b"\n")
        keep = keep[max(0, whole - 2) :] if whole >= 0 else keep
        base, shift = reached - len(keep), 0
        data = keep + more


def _read(file: BinaryIO, position: int) -> bytes:
    file.seek(position)
    return file.read(_CHUNK)


def _whole_lines(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            lines = file.read(min(_CHUNK, end - start))
            start += len(lines)
            if start < end:
                rest = file.readline(min(_CHUNK, end - start))
                lines += rest
                start += len(rest)
            if not lines:
                return
            yield lines
