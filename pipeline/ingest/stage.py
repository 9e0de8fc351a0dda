"""Ingest: new mail in the inboxes → originals in the workspace, each attachment in the ledger.

The workspace must be held.  An inbox that can't be read to its end does not keep the others from
being read.  What was taken in stays, and the next run goes on.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline import places, publishing, wording
from pipeline.config import InboxSection
from pipeline.console import Task
from pipeline.errors import InboxError, UsageError, from_os_error
from pipeline.ingest import fragments
from pipeline.ingest.inbox import Arrival, Gone, Inbox, MailsLeft, NewFile, Unreadable, open_inbox
from pipeline.ingest.keeping import Keeping
from pipeline.ingest.originals import Originals
from pipeline.ingest.quota import OverQuota, SenderQuota
from pipeline.ingest.spool import Readable, disk_spool, stretch
from pipeline.ingest.take import Taken
from pipeline.ingest.taking import Taking
from pipeline.ledger.intake import MailSums
from pipeline.run import Run
from pipeline.store.outbox import Outbox
from pipeline.workspace import Workspace

_NOT_GIVEN = "the inbox has mails that it did not give, or files that are not complete."
_GB = 1_000_000_000
_GIVE_UP = 10  # mails in a row that the server does not give


@dataclass(frozen=True)
class ComingFile:
    """An attachment of a mail that a dry run found; ``size`` in bytes."""

    filename: str
    kind: str
    size: int


@dataclass(frozen=True)
class Coming:
    """A mail (by its UID) or file (by its name) that a dry run found.

    ``size`` in bytes; ``received_at`` empty if not known.  ``inbox``: the name of its inbox.
    ``sender`` as the report shows it.
    """

    uid: str
    received_at: str
    size: int
    inbox: str = ""
    sender: str = ""
    subject: str = ""
    attachments: tuple[ComingFile, ...] = ()


@dataclass(frozen=True)
class IngestSummary:
    """What a run of ingest did.

    ``mails`` and ``attachments`` (archive members too) taken in, ``bytes`` of attachments kept;
    ``set_aside``: mails that could not be read, and were recorded as such; ``seen_again``:
    mails known by their bytes under another UID; ``filed``: mails moved on the server;
    ``coming``: what a dry run found.
    """

    mails: int = 0
    attachments: int = 0
    bytes: int = 0
    set_aside: int = 0
    seen_again: int = 0
    filed: int = 0
    coming: tuple[Coming, ...] = ()

    def __add__(self, other: "IngestSummary") -> "IngestSummary":
        """What two inboxes gave together."""
        sums = {name: value + getattr(other, name) for name, value in vars(self).items()}
        return IngestSummary(**sums)


def run(run: Run, *, dry_run: bool = False, names: Sequence[str] = ()) -> IngestSummary:
    """Take in what is new in every inbox, then tell the servers.

    :param names: of the inboxes that are read; none means all.
    :raises UsageError: there is no inbox of that name.
    :raises MailsLeft: the server of the only inbox did not give some of the mails.
    :raises InboxError: an inbox can't be reached, signed in to, or read to its end; it is raised
        after the others were read.
    :raises DiskFull: the disk is full.
    """
    done = IngestSummary()
    failed: list[tuple[InboxSection, InboxError]] = []
    quota = SenderQuota(run.config)
    for section in _chosen(run.config.inbox, names):
        work = IngestRun(run, section, quota)
        try:
            work.read(section, dry_run=dry_run)
        except InboxError as error:
            failed.append((section, error))
        finally:
            done += work.summary
    if failed:
        raise _joined(failed, done)
    return done


def check(section: InboxSection, workspace: Workspace) -> str:
    """Open an inbox, sign in if needed, count its mails, and change nothing.

    :raises InboxError: it can't be reached, signed in to, or read.
    """
    inbox = open_inbox(section, workspace)
    try:
        arrivals = inbox.new(lambda _account, _mailbox, _uidvalidity: set())
    finally:
        inbox.close()
    where = f"{section.folder} of {section.account}" if section.kind.is_on_server else section.url
    return f"{wording.counted(len(arrivals), 'mail')} at {where}"


def _chosen(inboxes: Sequence[InboxSection], names: Sequence[str]) -> Sequence[InboxSection]:
    known = [section.name for section in inboxes if section.name]
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none, no inbox has a name"
            raise UsageError(f"there is no inbox named {name!r}; the names are: {there}")
    return [section for section in inboxes if section.name in names] if names else inboxes


def _joined(failed: Sequence[tuple[InboxSection, InboxError]], done: IngestSummary) -> InboxError:
    """One error of those of all inboxes; that of the only inbox stays what it is."""
    section, error = failed[0]
    if len(failed) > 1 or section.name:
        sentences = (f"{section.label}{str(error).rstrip('.')}" for section, error in failed)
        error = InboxError(f"{'; '.join(sentences)}.")
    left = [
        {**mail, "inbox": section.name} if section.name else mail
        for section, each in failed
        if isinstance(each, MailsLeft)
        for mail in each.left
    ]
    error.facts = {
        "ingest": asdict(done),
        "left": left,
        "inboxes_failed": [
            {"inbox": section.name, "error": places.masked(str(each))} for section, each in failed
        ],
    }
    return error


class IngestRun:
    """The order of work for each mail or file of one inbox, and what was done so far."""

    def __init__(
        self, run: Run, section: InboxSection | None = None, quota: SenderQuota | None = None
    ) -> None:
        """*section*: the inbox.  Without it a person asks for files: withdrawn bytes come back."""
        self._run, self._ledger, self._console = run, run.ledger.intake, run.console
        limit_mb = max(it.max_attachment_mb for it in ((section,) if section else run.config.inbox))
        by_hand = section is None
        self._name = section.name if section else ""
        self._keeping = Keeping(run.workspace, run.ledger)
        self._taking = Taking(run, self._keeping, limit_mb, section)
        self._by_hand, self._limit_mb = by_hand, limit_mb
        self._quota = quota or SenderQuota(run.config)
        self._min_free_gb = run.config.workspace.min_free_gb
        self._outbox = Outbox(run.store, run.ledger, run.workspace)
        self.summary = IngestSummary()

    def read(self, section: InboxSection, *, dry_run: bool = False) -> None:
        """Take in every mail that is new, then tell the server.

        :param dry_run: only say what is new.
        :raises MailsLeft: the server did not give some of the mails.
        :raises InboxError: the inbox can't be reached, signed in to, or read to its end.
        :raises DiskFull: the disk is full.
        """
        inbox = open_inbox(section, self._run.workspace)
        try:
            arrivals = inbox.new(self._ledger.known_uids)
            for remark in inbox.remarks():
                self._console.warn(f"ingest: {section.label}{remark}")
            if dry_run:
                self._preview(inbox, arrivals)
                return
            try:
                left = [*self.take_in(inbox, arrivals), *inbox.waiting()]
            finally:
                done = self.summary
                self._console.say(
                    f"ingest: {section.label}{wording.counted(done.mails, 'new mail')}, "
                    f"{wording.counted(done.attachments, 'attachment')}"
                )
            try:
                self._count(filed=inbox.settle(self._run.ledger))
            except InboxError as error:
                raise (MailsLeft(str(error), left) if left else error) from error
            if left:
                why = [_NOT_GIVEN] if len(left) > self._quota.waiting else []
                raise MailsLeft(" ".join([*why, self._quota.sentence(self._run.ledger)]), left)
        finally:
            inbox.close()

    def _preview(self, inbox: Inbox, arrivals: Sequence[Arrival]) -> None:
        """Take each mail apart to say what is in it, and keep nothing of it."""
        coming = []
        try:
            for arrival in arrivals:
                try:
                    with inbox.open_raw(arrival, _ignore) as file:
                        taken = self._taking.take(arrival, file)
                except Gone:
                    continue
                except Unreadable as error:
                    self._console.warn(f"{_shown(arrival)} can't be read now: {error}")
                    continue
                finally:
                    self._keeping.forget()
                if self._ledger.submission_of_digest(_digest(arrival, taken)) is None:
                    coming.append(self._coming(arrival, taken))
                    self._console.say(_line(coming[-1]))
        except OSError as error:
            raise from_os_error(error) from error
        finally:
            self._taking.close()
        self.summary = replace(self.summary, coming=tuple(coming))

    def _coming(self, arrival: Arrival, taken: Taken) -> Coming:
        mail = taken.submission
        return Coming(
            uid=_shown(arrival),
            received_at=mail.received_at,
            size=arrival.size,
            inbox=self._name,
            sender=wording.shown_sender(mail.sender, self._run.config.report.sender),
            subject=mail.subject,
            attachments=tuple(
                ComingFile(item.filename, item.kind, item.size) for item in taken.attachments
            ),
        )

    def take_in(self, inbox: Inbox, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Take in what is new in an inbox.

        :returns: the mails that the server has and did not give.
        :raises MailsLeft: the inbox can't be read to its end.
        :raises DiskFull: the disk is full.
        """
        try:
            if arrivals:
                self._taking.start()
            left = self._take_each(inbox, arrivals)
            self._join_split_mails()
        except OSError as error:
            raise from_os_error(error) from error
        finally:
            self._taking.close()
        return left

    def _take_each(self, inbox: Inbox, arrivals: Sequence[Arrival]) -> list[Arrival]:
        size = sum(arrival.size for arrival in arrivals)
        left: list[Arrival] = []
        in_a_row = 0
        with self._console.task("Taking in", size, "B") as task:
            for number, arrival in enumerate(arrivals):
                if self._has_no_room(arrival):
                    free = wording.amount(self._min_free_gb)
                    said = f"less than {free} GB are free on the disk: make room."
                    raise MailsLeft(said, [*left, *arrivals[number:]])
                try:
                    self._take_one(inbox, arrival, task)
                    in_a_row = 0
                except Gone:
                    self._console.event("mail-gone")
                except Unreadable as error:
                    left.append(arrival)
                    in_a_row += 1
                    self._console.event("mail-left", uid=arrival.identity.uid)
                    if in_a_row == _GIVE_UP:
                        raise MailsLeft(str(error), [*left, *arrivals[number + 1 :]]) from error
                except OverQuota:
                    left.append(arrival)
                except InboxError as error:
                    raise MailsLeft(str(error), [*left, *arrivals[number:]]) from error
                finally:
                    self._keeping.forget()
        return left

    def _has_no_room(self, arrival: Arrival) -> bool:
        """Whether the disk would be too full if this came in: as a mail, and as its files."""
        least = self._min_free_gb * _GB
        return least > 0 and self._run.workspace.free_bytes() < least + 2 * arrival.size

    def _join_split_mails(self) -> None:
        """Take in the mails that came in several parts, of which all are there now."""
        for mail in fragments.whole_mails(self._run.ledger, self._run.store):
            try:
                with disk_spool(self._run.workspace.originals) as file:
                    sizes = mail.copy(file, self._run.store)
                    taken = self._taking.take(mail.arrival, file, sizes)
                self._keeping.publish()
                self._ledger.record_joined(
                    *(mail.parts, mail.last),
                    *(replace(taken.submission, inbox=self._name), taken.attachments),
                )
                self._count(attachments=len(taken.attachments), bytes=taken.bytes)
            finally:
                self._keeping.forget()

    def bring_back(self, path: Path) -> None:
        """Keep a file that was added before: its original may have been withdrawn or purged.

        :raises OSError: the disk is full, or fails.
        """
        try:
            with publishing.scratch_folder(self._run.workspace.originals) as folder:
                originals = Originals(folder, self._limit_mb)
                stored = originals.keep(publishing.read_chunks(path))
                files = {sha256: part.name for sha256, part in originals.held.items()}
                self._keeping.hold(folder, files, dict.fromkeys(files, stored.size))
            self._keeping.publish()
        finally:
            self._keeping.forget()
        self._count(seen_again=1)

    def _take_one(self, inbox: Inbox, arrival: Arrival, task: Task) -> None:
        """Read, take apart, look up whether it is known, publish the originals, record it."""
        with inbox.open_raw(arrival, task.advance) as file:
            taken = self._taking.take(arrival, file)
            # of a file, taking it in has made this hash already
            raw = taken.digest if isinstance(arrival, NewFile) else _raw_sum(file)
        # after the block, because at its end an inbox may say that the file has changed
        sums = MailSums(_digest(arrival, taken), raw)
        known = self._ledger.submission_of_digest(sums.content)
        if known is None and not self._by_hand:
            self._quota.check(taken)
        if known is None or self._by_hand:
            self._keeping.publish()
        if known is not None:
            self._ledger.record_seen_again(arrival.identity, sums, known)
            self._count(seen_again=1)
            return
        submission = replace(taken.submission, inbox=self._name)
        self._ledger.record_mail(arrival.identity, sums, submission, taken.attachments)
        self._quota.add(taken)
        if taken.error:
            self._count(set_aside=1)
            self._console.event("broken-mail", error=taken.error)
        self._count(mails=1, attachments=len(taken.attachments), bytes=taken.bytes)
        self._console.event(
            "mail",
            submission=taken.submission.id,
            attachments=[item.sha256 for item in taken.attachments],
        )
        self._outbox.add(taken.bytes)

    def _count(self, **more: int) -> None:
        """Add to the counts of the summary."""
        counts = {name: getattr(self.summary, name) + number for name, number in more.items()}
        self.summary = replace(self.summary, **counts)


def _ignore(_count: int) -> None:
    """Take no notice of how many bytes have come."""


def _shown(arrival: Arrival) -> str:
    """How a dry run names a mail or a file."""
    return wording.display_name(arrival.name) if arrival.name else arrival.identity.uid


def _line(mail: Coming) -> str:
    """What a dry run says of a mail."""
    files = ", ".join(f"{item.filename} ({item.size:,} bytes)" for item in mail.attachments)
    sender = f" from {mail.sender}" if mail.sender else ""
    subject = f' "{mail.subject}"' if mail.subject else ""
    return (
        f"would take in {mail.uid}: {mail.size} bytes, received {mail.received_at}{sender}"
        f"{subject}: {files or 'no attachment'}"
    )


def _raw_sum(file: Readable) -> str:
    """The SHA-256 of a mail as the inbox gave it; who has the mail can compute the same."""
    digest = hashlib.sha256()
    for piece in stretch(file):
        digest.update(piece)
    return digest.hexdigest()


def _digest(arrival: Arrival, taken: Taken) -> str:
    """What identifies a mail or file under any UID; for a file, its name counts too."""
    if isinstance(arrival, NewFile):
        return hashlib.sha256(f"{arrival.name}\0{taken.digest}".encode()).hexdigest()
    return taken.digest
