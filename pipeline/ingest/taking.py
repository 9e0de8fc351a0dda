"""Has mails and files taken apart in a process of its own, with limits (:mod:`child`).

One process serves many mails.  If it dies, takes too long or answers nonsense, it is ended, the
mail is set aside with a reason, and the next mail gets a new process.  If it is ended from outside,
that says nothing of the mail, which stays in the inbox for the next run.
"""

from __future__ import annotations

import errno
import io
import os
import resource
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile

from pipeline import wording
from pipeline.config import InboxSection
from pipeline.errors import NO_SPACE, reason_of
from pipeline.ffmpeg.faults import is_end_from_outside
from pipeline.ffmpeg.runner import Companion
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.ffmpeg.watch import Patience
from pipeline.ingest import spool as spools
from pipeline.ingest import wire
from pipeline.ingest.faults import Untrue
from pipeline.ingest.fingerprint import fingerprint
from pipeline.ingest.inbox import Arrival, NewFile, Unreadable
from pipeline.ingest.keeping import Keeping
from pipeline.ingest.rows import BUDGET
from pipeline.ingest.spool import Readable
from pipeline.ingest.take import BROKEN, Taken, name_of, wordless
from pipeline.ingest.wire import Answer, MailJob, Settings
from pipeline.model import Attachment, Kind, Note, Reason, Refusal
from pipeline.publishing import PART
from pipeline.removal import removed
from pipeline.run import Run
from pipeline.texts import Detail

MEMORY = 1 << 30  # bytes of address space
CPU_S = 30  # of a mail, and more for a large one
_BYTES_A_SECOND = 2_000_000
_HEADER_CPU_S = 5  # of a mail of which only the header is read
_WAITS = 4  # times as long as the CPU time: so long may a process do nothing
_MOST_WAITS = 10  # times as long as the CPU time: so long may a mail take, as ``watch`` counts it
_NO_CPU_LIMIT = 1 << 30  # seconds; the process limits itself, a mail at a time
_TOO_SLOW, _GONE, _MACHINE = "Timeout", "Gone", "Machine"
_NOT_STARTED = "the process that takes mails apart did not start"
_PACKAGE = Path(__file__).parents[1]
# Imports the package by its own folder: the sandbox shows no other one around it.
PROGRAM = """
import importlib.util, sys
place = sys.argv[1]
spec = importlib.util.spec_from_file_location(
    "pipeline", place + "/__init__.py", submodule_search_locations=[place]
)
sys.modules["pipeline"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["pipeline"])
from pipeline.ingest import child
child.main()
"""


@dataclass
class _Process:
    """A process, the socket to it, and its folder."""

    companion: Companion
    channel: socket.socket
    folder: Path
    is_fresh: bool = True
    is_ready: bool = False

    def end(self) -> None:
        self.channel.close()
        self.companion.end()
        removed(self.folder)


class _Died(Exception):
    """There was no answer; its text says why."""


class MachineFault(Unreadable):
    """A mail could not be taken apart for what happened on the machine, not for its content."""


class _Ended(MachineFault):
    """The process was ended from outside."""


class Taking:
    """Takes mails and files apart; their files are held by *keeping*."""

    def __init__(
        self, run: Run, keeping: Keeping, limit_mb: int, section: InboxSection | None
    ) -> None:
        """*section*: the inbox; without it bytes that somebody withdrew are kept again."""
        self._run, self._keeping = run, keeping
        self._limit_mb, self._by_hand = limit_mb, section is None
        self._authserv_id = section.authserv_id if section else ""
        self._process: _Process | None = None

    def take(
        self,
        arrival: Arrival,
        file: Readable,
        pieces: Sequence[int] = (),
        *,
        is_last_try: bool = False,
    ) -> Taken:
        """Take a mail or a file apart.  What can't be is set aside, and says so.

        :param pieces: if the mail came in several parts, the size of each in *file*.
        :param is_last_try: set it aside also for what happens on the machine.  If that keeps the
            process even from reading the header, the mail is not at fault, and not set aside.
        :raises OSError: the disk is full, or fails.
        :raises MachineFault: the process was ended from outside twice, or got no time or memory.
        :raises Unreadable: *file* can't be read to its end.
        """
        with _descriptor(file, self._run.workspace.originals) as descriptor:
            size = os.fstat(descriptor).st_size
            job = replace(
                _job(arrival), cpu_s=CPU_S + size // _BYTES_A_SECOND, pieces=tuple(pieces)
            )
            row = BROKEN
            try:
                return self._tried(job, descriptor)
            except MachineFault:
                if not is_last_try:
                    raise
                fault, row = _MACHINE, self._given_up()
            except _Died as died:
                fault = str(died)
            require_readable(file)
            try:
                broken = replace(job, is_broken=True, cpu_s=_HEADER_CPU_S + size // _BYTES_A_SECOND)
                taken = self._tried(broken, descriptor)
                rows = (
                    replace(each, refusal=row) if each.refusal == BROKEN else each
                    for each in taken.attachments
                )
                return replace(taken, attachments=tuple(rows), error=fault)
            except _Died:
                return _unread(arrival, file, fault)

    def start(self) -> None:
        """Start the process now, so that it is ready when the first mail has come."""
        if self._process is None:
            self._process = self._started()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _tried(self, job: MailJob, descriptor: int) -> Taken:
        """Ask for an answer, and once more if it may not be the mail that ended the process.

        A process that has served others may be worn.  One that crashed before its CPU time can be
        used up may have got the signal from outside.

        :raises _Died: there is none.
        :raises MachineFault: the kernel, which does so when memory is short, or somebody ended the
            process twice; or the machine had no time or memory for it.
        """
        is_fresh = self._process is None or self._process.is_fresh
        begun = time.monotonic()
        try:
            return self._asked(job, descriptor)
        except _Ended:
            pass
        except _Died as died:
            is_early = str(died) == _GONE and time.monotonic() - begun < job.cpu_s
            if str(died) == _TOO_SLOW or (is_fresh and not is_early):
                raise
        return self._asked(job, descriptor)

    def _asked(self, job: MailJob, descriptor: int) -> Taken:
        try:
            return self._answered(job, descriptor)
        except (_Died, Unreadable):
            # also after an answer: what has met such a mail serves no other one
            self._keeping.forget()
            self.close()
            raise

    def _answered(self, job: MailJob, descriptor: int) -> Taken:
        self.start()
        process = self._process
        assert process is not None
        process.is_fresh = False
        try:
            answer = wire.answer_of(_untrusted_answer(process, job, descriptor))
            if answer.taken is not None:
                self._hold(process.folder, answer, job)
                return answer.taken
        except TimeoutError as error:
            raise _Died(_TOO_SLOW) from error
        except (EOFError, ConnectionError) as error:
            code = process.companion.ending()
            if code is not None and is_end_from_outside(code):
                raise _Ended("the process that takes mails apart was ended") from None
            if not process.is_ready:
                raise MachineFault(_NOT_STARTED) from None
            raise _Died(_GONE) from error
        except (Untrue, ValueError, RecursionError) as error:
            raise _Died("Untrue") from error
        self._judge(answer, job)
        raise _Died(answer.fault or errno.errorcode.get(answer.errno, "OSError"))

    def _hold(self, folder: Path, answer: Answer, job: MailJob) -> None:
        taken = answer.taken
        assert taken is not None
        if taken.submission.id != wordless(job.identity, datetime.now(UTC)).id:
            raise Untrue("submission")
        withdrawn = set() if self._by_hand else set(self._run.ledger.custody.withdrawn())
        sizes = {
            row.sha256: row.size
            for row in taken.attachments
            if row.sha256 is not None and row.sha256 not in withdrawn
        }
        self._keeping.hold(folder, answer.files or {}, sizes)

    def _judge(self, answer: Answer, job: MailJob) -> None:
        """Raise a fault of the disk, which is no fault of the mail.

        The process has read a stranger's bytes, so the disk itself is asked whether it is full.
        """
        if answer.errno == errno.EFBIG and self._file_limit() == self._own_file_limit():
            return  # the mail unpacks to more than any mail may
        lacks_memory = answer.fault == MemoryError.__name__ or answer.errno == errno.ENOMEM
        if lacks_memory and _least(resource.RLIMIT_AS, MEMORY) < MEMORY:
            raise MachineFault("a limit of the shell or of systemd leaves too little memory")
        if answer.errno == errno.ENOSPC:
            free = shutil.disk_usage(self._run.workspace.originals).free
            if free > job.size * 2 + self._limit_mb * 1_000_000 * (BUDGET + 1):
                return
        if answer.errno in NO_SPACE or answer.errno == errno.EIO:
            raise OSError(answer.errno, os.strerror(answer.errno))

    def _given_up(self) -> Refusal:
        """Why a mail is set aside at which the machine has failed in many runs."""
        runs = self._run.config.cluster.attempts
        return Refusal(Reason.BROKEN_MAIL, Detail.MAIL_FAILED_MACHINE, {"runs": runs})

    def _own_file_limit(self) -> int:
        return self._limit_mb * 1_000_000 * BUDGET + (1 << 20)

    def _file_limit(self) -> int:
        """The largest file that the process may write; this process may have a lower limit."""
        return _least(resource.RLIMIT_FSIZE, self._own_file_limit())

    def _started(self) -> _Process:
        originals = self._run.workspace.originals
        folder = originals / f".{os.urandom(16).hex()}{PART}"
        folder.mkdir(mode=0o700)
        limits = Limits(cpu_s=_NO_CPU_LIMIT, memory=MEMORY, file_size=self._file_limit())
        compiled = [Path(sys.pycache_prefix)] if sys.pycache_prefix else []
        argv = [sys.executable, "-I", *(f"-Xpycache_prefix={path}" for path in compiled)]
        reads = [path for path in (_PACKAGE, *compiled) if path.exists()]
        ours, theirs = socket.socketpair()
        with theirs:
            companion = self._run.ffmpeg.attach(
                [*argv, "-c", PROGRAM, str(_PACKAGE)],
                Permissions(tuple(reads), (folder,), limits),
                theirs.fileno(),
            )
        process = _Process(companion, ours, folder)
        campaign = self._run.config.campaign
        settings = Settings(
            str(folder),
            self._limit_mb,
            () if self._by_hand else tuple(self._run.ledger.custody.withdrawn()),
            campaign.opens.isoformat() if campaign.opens else "",
            campaign.closes.isoformat() if campaign.closes else "",
            self._authserv_id,
        )
        with suppress(ConnectionError):  # it has ended, which the next question shows
            wire.send(ours, wire.table(settings))
        return process


def _least(kind: int, own: int) -> int:
    """The lower one of a limit of ours and of those that this process has itself."""
    return min([own, *(it for it in resource.getrlimit(kind) if it >= 0)])


def require_readable(file: Readable) -> None:
    """Read a mail or file to its end: a damaged disk or a network folder may not give all of it.

    :raises Unreadable: it can't be read now. The mail is not the cause.
    """
    try:
        for _ in spools.stretch(file):
            pass
    except OSError as error:
        raise Unreadable(f"its bytes can't be read: {reason_of(error)}") from error


def _untrusted_answer(process: _Process, job: MailJob, descriptor: int) -> object:
    """Hand a mail to the process, and return its answer.

    After its CPU time the process ends by itself.  One that does nothing is ended.

    :raises EOFError: the process has ended; so does a ConnectionError.
    :raises TimeoutError: it was ended.
    :raises MachineFault: the machine had no time for it; the mail can be read later.
    """
    patience = Patience(job.cpu_s * _MOST_WAITS, job.cpu_s * _WAITS)
    try:
        with process.companion.watched(patience) as watch:
            wire.send(process.channel, wire.table(job), descriptor)
            if not process.is_ready:
                wire.receive(process.channel)
                process.is_ready = True
            return wire.receive(process.channel)[0]
    except (EOFError, ConnectionError):
        if watch.is_starved:
            raise MachineFault("the machine had no time to take it apart") from None
        if watch.has_ended_it and not process.is_ready:
            raise MachineFault(_NOT_STARTED) from None
        if watch.has_ended_it:
            raise TimeoutError from None
        raise


def _job(arrival: Arrival) -> MailJob:
    if isinstance(arrival, NewFile):
        moment = arrival.moment.isoformat()
        return MailJob(
            arrival.identity, arrival.size, 0, is_file=True, name=arrival.name, file_time=moment
        )
    received, file_time = (
        moment.isoformat() if moment else "" for moment in (arrival.received, arrival.file_time)
    )
    job = MailJob(arrival.identity, arrival.size, 0, name=arrival.name)
    return replace(job, received=received, file_time=file_time)


def _unread(arrival: Arrival, file: Readable, fault: str) -> Taken:
    """A mail or file of which not even the header could be read: a row, without words."""
    submission = wordless(arrival.identity, arrival.moment or datetime.now(UTC))
    name = arrival.name if isinstance(arrival, NewFile) else name_of(arrival)
    row = Attachment(0, wording.display_name(name), Kind.OTHER, None, 0, refusal=BROKEN)
    notes = (Note.BROKEN_MAIL,)
    return Taken(replace(submission, notes=notes), (row,), fingerprint(file), error=fault)


@contextmanager
def _descriptor(file: Readable, folder: Path) -> Iterator[int]:
    """A descriptor of the bytes of *file*."""
    if isinstance(file, SpooledTemporaryFile):
        descriptor = file.fileno()  # from now on it is a file
        file.flush()
        yield descriptor
    elif isinstance(file, io.BufferedReader):
        yield file.fileno()
    else:
        with spools.disk_spool(folder) as copy:
            for piece in spools.stretch(file):
                copy.write(piece)
            descriptor = copy.fileno()
            copy.flush()
            yield descriptor
