"""An mbox file as an inbox (RFC 4155).  It is never changed, and locked while it is read.

A mail begins at a "From " line, so a sentence in a letter must not be mistaken for it.  Such a line
has a time and a year, or at most one word and a header field below it.  Before it is an empty line;
if that is missing, it must have both.  The ``>`` that mailbox writers put before such a sentence is
removed again.

Mail programs write marks into the header (read, answered, labels) and change them.  They are left
out, so that a mail stays the same mail.
"""

import fcntl
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pipeline.config import InboxSection
from pipeline.errors import InboxError
from pipeline.ingest import marks
from pipeline.ingest.folders import unreadable
from pipeline.ingest.inbox import Advance, Arrival, Inbox, Known, NewMail, Unreadable, file_time
from pipeline.ingest.spool import Readable, disk_spool
from pipeline.model import MailIdentity
from pipeline.workspace import Workspace

_DATED = re.compile(rb"From [^\r\n]{0,200}\d\d:\d\d[^\r\n]{0,60}\b\d{4}\b[^\r\n]{0,60}\r?\n")
_UNDATED = re.compile(rb"From [^\s]{0,254}[ \t]{0,9}\r?\n")
_FIELD = re.compile(
    rb"(?:return-path|received(?:-spf)?|from|to|cc|bcc|subject|date|message-id|mime-version|sender"
    rb"|reply-to|delivered-to|envelope-to|references|in-reply-to|user-agent|status|lines|importance"
    rb"|precedence|organi[sz]ation|errors-to|autocrypt|dkim-signature|authentication-results"
    rb"|(?:content|x|arc|list|resent|thread)-[a-z0-9-]{1,60})[ \t]{0,9}:",
    re.IGNORECASE,
)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_BOM = b"\xef\xbb\xbf"
_CHUNK = 1 << 20
_LOOK = 1 << 10  # bytes behind a place that may be the beginning of a mail


class MboxInbox(Inbox):
    """The mails of one file.  A mail is known by its bytes, because its place may change."""

    def __init__(self, inbox: InboxSection, workspace: Workspace) -> None:
        """:raises InboxError: there is no such file, or a mail is being delivered into it."""
        self._spools = workspace.originals
        self._path = path = inbox.resolve(inbox.path)
        self._places: dict[str, tuple[int, int]] = {}
        self._size = 0
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
        arrivals = []
        for start, end in self._mails():
            uid, former = self._digests(start, end)
            if uid in seen or former in seen or uid in self._places:
                continue
            self._places[uid] = (start, end)
            identity = MailIdentity(account, mailbox, 0, uid)
            arrivals.append(NewMail(identity, end - start, file_time=when))
        return arrivals

    @contextmanager
    def open_raw(self, arrival: Arrival, advance: Advance) -> Iterator[Readable]:
        """Give the mail without its quoting and marks, in a temporary file.

        :raises Unreadable: the file was changed after it was listed.
        """
        start, end = self._places[arrival.identity.uid]
        digest = hashlib.sha256()
        with disk_spool(self._spools) as file:
            for number, lines in enumerate(_whole_lines(self._path, start, self._trimmed(end))):
                kept = lines if number else marks.without(lines)
                digest.update(kept)
                file.write(_QUOTED.sub(rb"\1", kept) if b">From " in kept else kept)
                advance(len(lines))
            if digest.hexdigest() != arrival.identity.uid or not self._is_whole(end):
                raise Unreadable(f"{self._path} is being written to; run again in a minute")
            yield file

    def _mails(self) -> Iterator[tuple[int, int]]:
        """Start and end of each mail, without its "From " line.

        :raises InboxError: the file begins with something else.
        """
        begun: int | None = None
        self._size = self._file.seek(0, 2)
        for place, length in _starts(self._file, self._size):
            if begun is not None:
                yield begun, place
            elif _read(self._file, 0, place).removeprefix(_BOM).strip():
                break
            begun = place + length
        if begun is not None:
            yield begun, self._size
        elif _read(self._file, 0, _CHUNK).removeprefix(_BOM).strip():
            raise InboxError(f"mbox:{self._path} is not an mbox file: it begins with no mail")

    def _is_whole(self, end: int) -> bool:
        """Whether a mail ends at *end*; the last one may have grown since it was listed."""
        if end < self._size or self._path.stat().st_size == self._size:
            return True
        following = _read(self._file, end, _LOOK).lstrip(b"\r\n")
        return _start_length(b"\n\n" + following, 2) > 0

    def _trimmed(self, end: int) -> int:
        """The end of a mail without the empty line that separates it from the next."""
        tail = _read(self._file, end - 4, 4) if end >= 4 else b""
        for blank in (b"\r\n", b"\n"):
            if tail.endswith(b"\n" + blank):
                return end - len(blank)
        return end

    def _digests(self, start: int, end: int) -> tuple[str, str]:
        """The UID of a mail, and the one that it had when marks counted."""
        trimmed = max(start, self._trimmed(end))
        digest, former = hashlib.sha256(), hashlib.sha256()
        for number, lines in enumerate(_whole_lines(self._path, start, trimmed)):
            digest.update(lines if number else marks.without(lines))
            former.update(lines)
        former.update(_read(self._file, trimmed, end - trimmed))
        return digest.hexdigest(), former.hexdigest()


def _starts(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Where a mail's "From " line begins, and its length."""
    for base in range(0, size, _CHUNK):
        before = min(3, base)
        data = _read(file, base - before, before + _CHUNK + _LOOK)
        if not base:  # the start of the file counts as following an empty line
            before = 2
            data = b"\n\n" + data
            if data.startswith(_BOM, 2):
                data = b"\n" * (2 + len(_BOM)) + data[2 + len(_BOM) :]
        at = data.find(b"\nFrom ", max(0, before - 1), before + _CHUNK + 4)
        while at >= 0:
            length = _start_length(data, at + 1)
            if length:
                yield base - before + at + 1, length
            at = data.find(b"\nFrom ", at + 1, before + _CHUNK + 4)


def _start_length(data: bytes, at: int) -> int:
    """The length of the "From " line at a place, 0 if no mail begins there."""
    dated = _DATED.match(data, at)
    line = dated or _UNDATED.match(data, at)
    if line is None:
        return 0
    is_above_fields = _FIELD.match(data, line.end()) is not None
    is_below_blank = data.endswith((b"\n\n", b"\n\r\n"), 0, at)
    signs = (dated is not None) + is_above_fields + is_below_blank
    return line.end() - at if signs >= 2 else 0


def _read(file: BinaryIO, position: int, size: int) -> bytes:
    file.seek(position)
    return file.read(size)


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
