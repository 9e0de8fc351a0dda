"""The process that takes mails apart.  It runs in the sandbox and serves the mails of one run.

Its standard input is a socket.  It gets the :class:`~pipeline.ingest.wire.Settings`, says that it
is ready, so that an end before that says nothing of a mail, and gets one
:class:`~pipeline.ingest.wire.MailJob` after the other, each with a descriptor of the mail, and
answers each.  It has no password, no ledger and no network, and writes only in its own folder.  It
dies with its parent.
"""

import contextlib
import errno
import os
import resource
import socket
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import place_of
from pipeline.ingest import fragments, wire
from pipeline.ingest.faults import BREAKS_PARSING
from pipeline.ingest.inbox import NewFile, NewMail
from pipeline.ingest.originals import Originals
from pipeline.ingest.take import Opening, Taken, Taker
from pipeline.ingest.wire import Answer, MailJob

_ZERO = datetime.fromtimestamp(0, UTC)


def main() -> None:
    """Serve until the other side closes the socket."""
    with socket.socket(fileno=0) as channel, contextlib.suppress(EOFError, BrokenPipeError):
        message, _ = wire.receive(channel)
        settings = wire.settings_of(message)
        originals = Originals(Path(settings.folder), settings.limit_mb, set(settings.withdrawn))
        campaign = Opening(_day(settings.opens), _day(settings.closes))
        taker = Taker(originals, campaign, settings.authserv_id)
        wire.send(channel, wire.READY)
        while True:
            message, descriptor = wire.receive(channel)
            if descriptor is None:
                return
            with os.fdopen(descriptor, "rb") as file:
                answer = _answer(taker, wire.job_of(message), file)
            wire.send(channel, wire.message_of(answer))
            originals.held.clear()  # the other side has them now


def _answer(taker: Taker, job: MailJob, file: BinaryIO) -> Answer:
    """Take a mail apart within its time; every exception becomes data."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + job.cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    try:
        taken = _taken(taker, job, file)
    except OSError as error:
        # the files stay where they are: whether the disk is full can only be seen with them
        return Answer(errno=error.errno or errno.EIO)
    except BREAKS_PARSING as error:
        return Answer(fault=type(error).__name__)
    except MemoryError:
        return Answer(fault=MemoryError.__name__)
    except Exception as error:  # noqa: BLE001 - the mail is set aside, with the line that failed
        return Answer(fault=place_of(error))
    taker.originals.keep_only({row.sha256 for row in taken.attachments if row.sha256 is not None})
    files = {sha256: path.name for sha256, path in taker.originals.held.items()}
    return Answer(taken, files)


def _taken(taker: Taker, job: MailJob, file: BinaryIO) -> Taken:
    if job.is_file:
        moment = _moment(job.file_time) or _ZERO
        new_file = NewFile(job.identity, job.size, job.name, moment)
        return taker.unopened(new_file, file) if job.is_broken else taker.file(new_file, file)
    received, file_time = _moment(job.received), _moment(job.file_time)
    mail = NewMail(job.identity, job.size, received, file_time, job.name)
    if job.is_broken:
        return taker.broken(mail, file)
    if not job.pieces:
        return taker.mail(mail, file)
    with taker.originals.spool() as spool:
        for piece in fragments.joined(file, job.pieces):
            spool.write(piece)
        return taker.mail(mail, spool)


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
