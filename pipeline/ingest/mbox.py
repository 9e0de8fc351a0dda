"""An mbox file as an inbox (RFC 4155).  It is never changed, and locked while it is read.

A mail begins at a "From " line that contains a time and a year, at the start of the file or after
an empty line, so that a sentence in a letter is not mistaken for it.  The ``>`` that mailbox
writers put before such a sentence is removed again.
"""

import fcntl
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pipeline import publishing
from pipeline.config import InboxSection
from pipeline.errors import InboxError
from pipeline.ingest.folders import unreadable
from pipeline.ingest.inbox import Advance, Arrival, Inbox, Known, NewMail, file_time
from pipeline.ingest.spool import Readable, spool
from pipeline.model import MailIdentity
from pipeline.workspace import Workspace

_START = re.compile(rb"From [^\r\n]{0,200}\d\d:\d\d[^\r\n]{0,60}\b\d{4}\b[^\r\n]{0,60}\r?\n")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_CHUNK = 1 << 20
_LONGEST_START = 400


class MboxInbox(Inbox):
    """The mails of one file.  A mail is known by its bytes, because its place may change."""

    def __init__(self, inbox: InboxSection, workspace: Workspace) -> None:
        """:raises InboxError: there is no such file, or a mail is being delivered into it."""
        self._spools = workspace.originals
        self._path = path = inbox.resolve(inbox.path)
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
        """Close the file, which releases the lock."""
        self._file.close()

    def new(self, known: Known) -> Sequence[Arrival]:
        """The mails that are not known, in the order of the file.

        :raises InboxError: it holds something else.
        """
        account, mailbox = "mbox", str(self._path)
        seen = known(account, mailbox, 0)
        when: datetime = file_time(self._path)
        if self._file.seek(0, 2) and not _START.match(_read(self._file, 0)):
            raise InboxError(f"mbox:{self._path} is not an mbox file: it begins with no mail")
        arrivals = []
        for start, end in _mails(self._file):
            uid = self._digest(start, end)
            if uid in seen or uid in self._places:
                continue
            self._places[uid] = (start, end)
            identity = MailIdentity(account, mailbox, 0, uid)
            arrivals.append(NewMail(identity, end - start, file_time=when))
        return arrivals

    @contextmanager
    def open_raw(self, arrival: Arrival, advance: Advance) -> Iterator[Readable]:
        """Give the mail without its quoting, in a temporary file."""
        with spool(self._spools) as file:
            for lines in _whole_lines(self._path, *self._places[arrival.identity.uid]):
                file.write(_QUOTED.sub(rb"\1", lines) if b">From " in lines else lines)
                advance(len(lines))
            yield file

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
    """Where a mail's "From " line begins, and its length."""
    base, data = 0, b"\n\n" + _read(file, 0)
    shift = -2  # the start of the file counts as following an empty line
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
        # a "From " line that lies wholly in the kept bytes was found already
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
