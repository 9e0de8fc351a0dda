"""What ingest and the process that takes mails apart say to each other: a length, then JSON.

The mail itself goes beside the message as an open descriptor, so the process needs no right to
open a file.  What comes back was made by code that read a stranger's bytes: it is read by the
types of the records, and compared with what is possible.
"""

import json
import re
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast, get_type_hints

from pipeline.findings import Finding
from pipeline.ingest.faults import BREAKS_PARSING, Untrue
from pipeline.ingest.take import Taken
from pipeline.ledger import records
from pipeline.model import Attachment, Kind, MailIdentity, Note, Refusal, Submission

_LENGTH = struct.Struct(">I")
_LARGEST = 64 << 20
_LONGEST_TEXT = 50_000  # characters; more than any field holds
_MOST_TEXTS = 1000  # in one field
_LARGEST_NUMBER = 1 << 53  # JSON keeps whole numbers below it
_LARGEST_ERRNO = 1 << 12
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE = 1 << 16

Message = Mapping[str, object]
READY: Message = {"ready": True}
"""The first message of the process, before it has read any mail."""


@dataclass(frozen=True)
class Settings:
    """What holds for all mails: where to write, and what the configuration says.

    ``opens`` and ``closes`` are ISO dates, empty if there is none.  ``authserv_id``: the name of
    the server whose Authentication-Results count.
    """

    folder: str
    limit_mb: int
    withdrawn: tuple[str, ...] = ()
    opens: str = ""
    closes: str = ""
    authserv_id: str = ""


@dataclass(frozen=True)
class MailJob:
    """A mail or file to be taken apart.

    ``received`` and ``file_time`` are ISO times, empty if not known.  ``cpu_s``: how many seconds
    it may take.  ``is_broken``: it was tried, so read only the header of a mail, and keep a file as
    it is.  ``pieces``: if the mail came in parts, the size of each.
    """

    identity: MailIdentity
    size: int
    cpu_s: int
    is_file: bool = False
    name: str = ""
    received: str = ""
    file_time: str = ""
    is_broken: bool = False
    pieces: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What became of a job: a mail that was taken apart, or a fault.

    ``files``: names in the scratch folder, by SHA-256.  ``errno``: of a fault of the disk.
    ``fault``: the kind of any other one.
    """

    taken: Taken | None = None
    files: Mapping[str, str] | None = None
    errno: int = 0
    fault: str = ""


def send(channel: socket.socket, message: Message, descriptor: int | None = None) -> None:
    """Send a message, and an open file with it."""
    data = json.dumps(message).encode()
    head = _LENGTH.pack(len(data))
    if descriptor is None:
        channel.sendall(head)
    else:
        socket.send_fds(channel, [head], [descriptor])
    channel.sendall(data)


def receive(channel: socket.socket, seconds: float | None = None) -> tuple[object, int | None]:
    """A message, and the descriptor that came with it.

    :param seconds: how long to wait, None for ever.
    :raises EOFError: the other side is gone.
    :raises TimeoutError: nothing came in time.
    :raises ValueError: it is not a message.
    """
    until = None if seconds is None else time.monotonic() + seconds
    channel.settimeout(seconds)
    head, descriptors, _, _ = socket.recv_fds(channel, _LENGTH.size, 1)
    head += _exactly(channel, _LENGTH.size - len(head), until) if head else b""
    if not head:
        raise EOFError
    (size,) = _LENGTH.unpack(head)
    if size > _LARGEST:
        raise ValueError("too long")
    data = _exactly(channel, size, until)
    return json.loads(data), descriptors[0] if descriptors else None


def _exactly(channel: socket.socket, size: int, until: float | None) -> bytes:
    data = bytearray()
    while len(data) < size:
        if until is not None:
            channel.settimeout(max(0.001, until - time.monotonic()))
        piece = channel.recv(min(_PIECE, size - len(data)))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def message_of(answer: Answer) -> Message:
    """An answer as JSON can hold it."""
    if answer.taken is None:
        return {"errno": answer.errno, "fault": answer.fault}
    taken = answer.taken
    return {
        "submission": records.columns(taken.submission),
        "attachments": [records.columns(row) for row in taken.attachments],
        "digest": taken.digest,
        "bytes": taken.bytes,
        "error": taken.error,
        "files": answer.files or {},
    }


def answer_of(untrusted: object) -> Answer:
    """Read an answer.

    :raises Untrue: it can't be one.
    """
    try:
        return _answer(untrusted)
    except BREAKS_PARSING as error:
        raise Untrue(type(error).__name__) from error


def _answer(untrusted: object) -> Answer:
    if not isinstance(untrusted, dict):
        raise Untrue("message")
    if "submission" not in untrusted:
        errno, fault = untrusted["errno"], untrusted["fault"]
        if not _is_count(errno, _LARGEST_ERRNO) or not _is_short(fault):
            raise Untrue("fault")
        return Answer(errno=errno, fault=fault)
    submission = records.read(Submission, untrusted["submission"])
    rows = tuple(records.read(Attachment, row) for row in untrusted["attachments"])
    digest, size, error = (untrusted[name] for name in ("digest", "bytes", "error"))
    files = untrusted["files"]
    possible = (
        _is_submission(submission),
        all(_is_row(row, place, len(rows)) for place, row in enumerate(rows)),
        _is_sha256(digest),
        _is_count(size),
        _is_short(error),
        all(_is_sha256(name) and _is_short(path) for name, path in files.items()),
    )
    if not all(possible):
        raise Untrue(f"field {possible.index(False)}")
    return Answer(Taken(submission, rows, digest, size, error), files)


def _is_row(row: Attachment, place: int, rows: int) -> bool:
    """Whether an attachment can be the row at *place* of a mail."""
    return (
        type(row.position) is int
        and row.position == place
        and isinstance(row.kind, Kind)
        and _is_short(row.filename)
        and (row.sha256 is None or _is_sha256(row.sha256))
        and _is_count(row.size)
        and (row.parent is None or _is_count(row.parent, place))
        and (row.pair is None or _is_count(row.pair, rows))
        and all(isinstance(found, Finding) for found in row.findings)
        and (row.refusal is None or _is_refusal(row.refusal))
    )


def _is_refusal(refusal: object) -> bool:
    """Whether a refusal has a sentence: a code of ours, and what fills its places."""
    return (
        isinstance(refusal, Refusal)
        and all(
            _is_short(value) if isinstance(value, str) else _is_number(value)
            for value in refusal.values.values()
        )
        and _is_short(refusal.detail)
    )


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(cast("float", value)) < _LARGEST_NUMBER


def _is_count(value: object, below: int = _LARGEST_NUMBER) -> bool:
    return type(value) is int and 0 <= value < below


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT // 50 and _is_unicode(value)


def _is_unicode(text: str) -> bool:
    """Whether a text has no halves of letters, which JSON can hold and the ledger can't."""
    return text.isascii() or _SURROGATE.search(text) is None


def _is_submission(submission: Submission) -> bool:
    """Whether each field is a text, or several where the record says so."""
    for name, hint in _hints().items():
        value = getattr(submission, name)
        if hint is not str and not isinstance(value, tuple):
            return False
        texts = (value,) if hint is str else value
        if len(texts) > _MOST_TEXTS:
            return False
        if not all(isinstance(each, str) and len(each) <= _LONGEST_TEXT for each in texts):
            return False
        if not all(map(_is_unicode, texts)):
            return False
    return all(isinstance(note, Note) for note in submission.notes)


@cache
def _hints() -> dict[str, object]:
    return get_type_hints(Submission)


def settings_of(message: object) -> Settings:
    """Read the first message, with the settings of the process."""
    return records.read(Settings, _table(message))


def job_of(message: object) -> MailJob:
    """Read a job."""
    return records.read(MailJob, _table(message))


def _table(message: object) -> Message:
    if not isinstance(message, dict):
        raise TypeError("message")
    return message


def table(record: Settings | MailJob) -> Message:
    """A record as a message."""
    return records.columns(record)
