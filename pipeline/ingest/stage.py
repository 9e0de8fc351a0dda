"""Ingest: new mail in the inbox → originals in the workspace, each attachment in the ledger.

Takes a run whose workspace is held; gives a summary.
Raises InboxError where the inbox can't be read to its end, StageError where the disk can't
take more: what was taken in by then stays, and the next run goes on.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass

from pipeline import clock, wording
from pipeline.config import Config
from pipeline.console import Console, Task
from pipeline.errors import InboxError, from_os_error
from pipeline.ingest.drop import DropInbox
from pipeline.ingest.folders import EmlInbox, MaildirInbox
from pipeline.ingest.imap import ImapInbox, Unreadable
from pipeline.ingest.inbox import Gone, Inbox, MailRef
from pipeline.ingest.mbox import MboxInbox
from pipeline.ingest.originals import Originals
from pipeline.ingest.spool import Readable
from pipeline.ingest.take import Taken, Taker
from pipeline.run import Run
from pipeline.workspace import Workspace

# What code that reads a mail may raise over bytes that nobody foresaw.  Nothing else: trouble
# with the disk, the ledger or the memory is no property of a mail.
_BREAKS_PARSING = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    EOFError,
    struct.error,
    zlib.error,
)
_GIVE_UP = 3  # mails in a row that the server does not give


@dataclass(frozen=True)
class Coming:
    """A mail (by its UID) or file (by its name) that a dry run found.

    ``size`` in bytes; ``received_at`` empty if not known.
    """

    uid: str
    received_at: str
    size: int


@dataclass(frozen=True)
class IngestSummary:
    """What a run of ingest did.

    ``mails`` and ``attachments`` (archive members too) taken in, ``bytes`` of attachments kept;
    ``set_aside``: mails that could not be read, and were recorded as such; ``seen_again``:
    mails known by their bytes under another UID; ``filed``: mails moved on the server;
    ``left``: mails that the server could not give, left for the next run; ``coming``: what a
    dry run found.
    """

    mails: int = 0
    attachments: int = 0
    bytes: int = 0
    set_aside: int = 0
    seen_again: int = 0
    filed: int = 0
    left: int = 0
    coming: tuple[Coming, ...] = ()


def run(run: Run, *, dry_run: bool = False) -> IngestSummary:
    """Take in every mail that is new, then tell the server.

    :raises InboxError: the inbox can't be reached, signed in to, or read to its end.
    :raises DiskFull: the disk is full.
    """
    inbox = open_inbox(run.config, run.workspace)
    try:
        refs = inbox.new(run.ledger.intake.known_uids)
        if dry_run:
            return _preview(refs, run.console)
        intake = _Intake(run)
        intake.take_in(inbox, refs)
        intake.tell_server(inbox)
    finally:
        inbox.close()
    return intake.summary()


def open_inbox(config: Config, workspace: Workspace) -> Inbox:
    """The inbox that the configuration names; an IMAP one is not connected yet.

    :raises InboxError: there is none.
    """
    scheme, _, path = config.inbox.url.partition(":")
    scheme = scheme.lower()
    if scheme == "eml":
        return EmlInbox(config.resolve(path))
    if scheme == "maildir":
        return MaildirInbox(config.resolve(path))
    if scheme == "mbox":
        return MboxInbox(config.resolve(path))
    if scheme == "folder":
        return DropInbox(config.resolve(path))
    return ImapInbox(config, workspace)


def check(config: Config) -> str:
    """Open the inbox, sign in if need be, count what is in it, and change nothing.

    :raises InboxError: it can't be reached, signed in to, or read.
    """
    inbox = open_inbox(config, Workspace(config.root))
    try:
        refs = inbox.new(lambda _account, _mailbox, _uidvalidity: set())
        return f"{len(refs)} mails at {config.inbox.scheme}"
    finally:
        inbox.close()


def _preview(refs: list[MailRef], console: Console) -> IngestSummary:
    coming = []
    for ref in refs:
        moment = ref.received or ref.file_time
        uid = wording.display_name(ref.name) if ref.name else ref.identity.uid
        item = Coming(uid, clock.stamp(moment) if moment else "", ref.size)
        console.say(f"would take in {item.uid}: {item.size} bytes, received {item.received_at}")
        coming.append(item)
    return IngestSummary(coming=tuple(coming))


class _Intake:
    """The counts of one run, and the order of work for one mail."""

    def __init__(self, run: Run) -> None:
        self._ledger, self._console = run.ledger, run.console
        limit = run.config.inbox.max_attachment_mb
        self._originals = Originals(run.workspace, run.ledger, limit)
        self._taker = Taker(self._originals, run.config.campaign)
        self._count = dict.fromkeys(
            ("mails", "attachments", "bytes", "set_aside", "seen_again", "filed", "left"), 0
        )

    def summary(self) -> IngestSummary:
        return IngestSummary(**self._count)  # type: ignore[arg-type]

    def take_in(self, inbox: Inbox, refs: list[MailRef]) -> None:
        size = sum(ref.size for ref in refs)
        with self._console.task("Taking in", size, "B") as task:
            for ref in refs:
                try:
                    self._one(inbox, ref, task)
                except Gone:
                    self._console.event("mail-gone")
                except Unreadable:
                    self._count["left"] += 1
                    self._console.warn(
                        "a mail could not be had from the server; it is left for the next run"
                    )
                except OSError as error:
                    raise from_os_error(error) from error
        if self._count["left"] == len(refs) >= _GIVE_UP:
            raise InboxError("the server gave none of the new mails; run again later")

    def _one(self, inbox: Inbox, ref: MailRef, task: Task) -> None:
        """Fetch, take apart, look whether it is known, publish what was in it, write it down."""
        try:
            with inbox.raw(ref, self._originals.spool, task.advance) as file:
                taken = self._take(ref, file)
            # behind the block, at whose end an inbox may say that what was read has changed
            digest = _digest(ref, taken)
            known = self._ledger.intake.submission_of_digest(digest)
            if known is not None:
                self._ledger.intake.record_seen_again(ref.identity, digest, known)
                self._count["seen_again"] += 1
                return
            self._originals.publish()
        finally:
            self._originals.forget()
        self._ledger.intake.record_mail(ref.identity, digest, taken.submission, taken.attachments)
        if taken.error:
            self._count["set_aside"] += 1
            self._console.event("broken-mail", error=taken.error)
        self._count["mails"] += 1
        self._count["attachments"] += len(taken.attachments)
        self._count["bytes"] += taken.bytes
        self._console.event(
            "mail",
            submission=taken.submission.id,
            attachments=[item.sha256 for item in taken.attachments],
        )

    def _take(self, ref: MailRef, file: Readable) -> Taken:
        if ref.name is not None:
            assert ref.file_time is not None
            return self._taker.file(ref.identity, file, ref.name, ref.file_time)
        try:
            return self._taker.mail(ref.identity, file, ref.received, ref.file_time)
        except _BREAKS_PARSING as error:
            self._originals.forget()
            moment = ref.received or ref.file_time
            return self._taker.broken(ref.identity, file, moment, type(error).__name__)

    def tell_server(self, inbox: Inbox) -> None:
        if isinstance(inbox, ImapInbox):
            self._count["filed"] = inbox.file(self._ledger)


def _digest(ref: MailRef, taken: Taken) -> str:
    """What tells that a mail is known, whatever its UID; of a file, its name counts too."""
    if ref.name is None:
        return taken.digest
    return hashlib.sha256(f"{ref.name}\0{taken.digest}".encode()).hexdigest()
