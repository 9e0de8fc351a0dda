"""Reads one inbox: each new mail or file is taken in, in the order in which it came."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import publishing, wording
from pipeline.config import InboxSection
from pipeline.console import Task
from pipeline.errors import DiskFull, InboxError, from_os_error
from pipeline.history import InboxRemains, Stay
from pipeline.ingest import fragments, preview
from pipeline.ingest.after_no import Refusers
from pipeline.ingest.asked import AskedPeople
from pipeline.ingest.inbox import (
    Arrival,
    Gone,
    Inbox,
    NewFile,
    NewMail,
    Unreadable,
    open_inbox,
    shown_name,
)
from pipeline.ingest.keeping import Keeping
from pipeline.ingest.leaving import InboxWork, LeftArrival, MailsLeft
from pipeline.ingest.originals import Originals
from pipeline.ingest.preview import Coming, ComingFile
from pipeline.ingest.quota import OverQuota, SenderQuota
from pipeline.ingest.spool import Readable, disk_spool, sha256_of
from pipeline.ingest.take import Taken
from pipeline.ingest.taking import MachineFault, Taking, require_readable
from pipeline.ledger.intake import MailSums
from pipeline.run import Run
from pipeline.store.outbox import Outbox

_NOT_GIVEN = "the inbox has mails that it did not give, or files that are not complete."
_MACHINE = (
    "the process that takes mails apart was ended from outside, could not start, or got too little "
    "memory or time; see MemoryMax= and ulimit."
)
_GB = 1_000_000_000
_SMALL = 65_536  # bytes of a mail that may have words only
_GIVE_UP = 10  # mails in a row that the server does not give, or at which the machine fails


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


class _NoRoom(Exception):
    """A mail has files, and the disk has room for words only."""


class InboxReading:
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
        self._asked = AskedPeople.of(run.ledger, run.config.campaign.name)
        self._refusers = Refusers.of(run.ledger)
        self._outbox = Outbox(run.store, run.ledger, run.workspace)
        earlier = run.ledger.runs.remains().of([self._name] if section else [])
        self._not_joined: MachineFault | None = None
        self._work = InboxWork({each.uid: each.tries for each in earlier.left})
        self._most_tries = run.config.cluster.attempts
        self.summary = IngestSummary()

    def remains(self) -> InboxRemains:
        """What stays in the inbox: what was left, and what was not reached."""
        self._work.leave_all()
        return self._work.remains(self._name)

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
            self._work.remarks = inbox.remarks()
            for remark in self._work.remarks:
                self._console.warn(f"ingest: {section.label}{remark}")
            if dry_run:
                self._preview(inbox, arrivals)
                return
            waiting = [LeftArrival(each, Stay.NOT_COMPLETE) for each in inbox.waiting()]
            try:
                self.take_in(inbox, arrivals)
            finally:
                self._work.left += waiting
                done = self.summary
                self._console.say(
                    f"ingest: {section.label}{wording.counted(done.mails, 'new mail')}, "
                    f"{wording.counted(done.attachments, 'attachment')}"
                )
            left = self._work.left
            try:
                self._count(filed=inbox.settle(self._run.ledger))
            except InboxError as error:
                raise (MailsLeft(str(error), left) if left else error) from error
            if left:
                raise MailsLeft(_why_left(left), left, self._quota.sentence(self._run.ledger))
            if self._not_joined:
                raise self._not_joined
        finally:
            inbox.close()

    def _preview(self, inbox: Inbox, arrivals: Sequence[Arrival]) -> None:
        """Take each mail apart to say what is in it, and keep nothing of it."""
        coming = []
        try:
            for arrival in arrivals:
                try:
                    with inbox.open_raw(arrival, _ignore) as file:
                        taken, _ = self._taken(arrival, file)
                except Gone:
                    continue
                except Unreadable as error:
                    self._console.warn(f"{shown_name(arrival)} can't be read now: {error}")
                    continue
                finally:
                    self._keeping.forget()
                if self._ledger.submission_of_digest(_digest(arrival, taken)) is None:
                    coming.append(self._coming(arrival, taken))
                    self._console.say(preview.line(coming[-1]))
        except OSError as error:
            raise from_os_error(error) from error
        finally:
            self._taking.close()
        self.summary = replace(self.summary, coming=tuple(coming))

    def _coming(self, arrival: Arrival, taken: Taken) -> Coming:
        mail = taken.submission
        return Coming(
            uid=shown_name(arrival),
            received_at=mail.received_at,
            size=arrival.size,
            inbox=self._name,
            sender=wording.shown_sender(mail.sender, self._run.config.report.sender),
            subject=mail.subject,
            attachments=tuple(
                ComingFile(item.filename, item.kind, item.size) for item in taken.attachments
            ),
        )

    def take_in(self, inbox: Inbox, arrivals: Sequence[Arrival]) -> None:
        """Take in what is new in an inbox, except what the server has and does not give.

        :raises MailsLeft: the inbox can't be read to its end.
        :raises DiskFull: the disk is full.
        """
        self._work.plan(arrivals)
        try:
            if arrivals:
                self._taking.start()
            self._take_each(inbox)
            self._join_split_mails()
        except (OSError, DiskFull) as error:
            fault = from_os_error(error) if isinstance(error, OSError) else error
            if isinstance(fault, DiskFull):
                self._work.leave_all(Stay.DISK)
            raise fault from error
        finally:
            self._taking.close()

    def _take_each(self, inbox: Inbox) -> None:
        work, in_a_row, is_full = self._work, 0, False
        with self._console.task("Taking in", sum(each.size for each in work.ahead), "B") as task:
            while work.ahead:
                arrival = work.ahead[0]
                is_full = is_full or self._has_no_room(arrival)
                if is_full and not self._may_be_words(arrival):
                    work.leave(Stay.DISK)
                    continue
                try:
                    self._take_one(inbox, arrival, task, only_urgent=is_full)
                    in_a_row = 0
                except Gone:
                    work.done()
                    self._console.event("mail-gone")
                except Unreadable as error:
                    is_machine = isinstance(error, MachineFault)
                    work.leave(Stay.MACHINE if is_machine else Stay.NOT_GIVEN)
                    # a file that can't be read says nothing of the other files
                    in_a_row += is_machine or not arrival.name
                    self._console.event("mail-left", uid=arrival.identity.uid)
                    if in_a_row == _GIVE_UP:
                        raise work.end(str(error)) from error
                except _NoRoom:
                    work.leave(Stay.DISK)
                except OverQuota as error:
                    work.leave(Stay.SENDER_QUOTA, error.same_sender_as)
                except InboxError as error:
                    raise work.end(str(error)) from error
                finally:
                    self._keeping.forget()
        if any(each.why is Stay.DISK for each in work.left):
            free = wording.amount(self._min_free_gb)
            raise work.end(f"less than {free} GB are free on the disk: make room.")

    def _has_no_room(self, arrival: Arrival, share: float = 1.0) -> bool:
        """Whether the disk would be too full if this came in: as a mail, and as its files.

        :param share: of what has to stay free.
        """
        least = self._min_free_gb * _GB * share
        return least > 0 and self._run.workspace.free_bytes() < least + 2 * arrival.size

    def _may_be_words(self, arrival: Arrival) -> bool:
        """Whether a mail is so small that a full disk has room for it.

        Clips are made until half of what has to stay free is used.  Words have to come in as long
        as films are made, because they may take footage back.
        """
        is_small = isinstance(arrival, NewMail) and arrival.size <= _SMALL
        return is_small and not self._has_no_room(arrival, 0.25)

    def _join_split_mails(self) -> None:
        """Take in the mails that came in several parts, of which all are there now."""
        for mail in fragments.whole_mails(self._run.ledger, self._run.store):
            try:
                with disk_spool(self._run.workspace.originals) as file:
                    sizes = mail.copy(file, self._run.store)
                    taken = self._as_answer(self._taking.take(mail.arrival, file, sizes))
                self._keeping.publish()
                self._ledger.record_joined(
                    *(mail.parts, mail.last),
                    *(replace(taken.submission, inbox=self._name), taken.attachments),
                )
                self._count(attachments=len(taken.attachments), bytes=taken.bytes)
            except MachineFault as error:
                self._not_joined = error  # the parts are kept, and the next run tries again
            finally:
                self._keeping.forget()
        if self._not_joined and self._by_hand:
            raise self._not_joined

    def bring_back(self, path: Path, sha256: str) -> None:
        """Keep a file that was added before: its original may have been withdrawn or purged.

        :raises Gone: it does not have this SHA-256 any more.
        :raises OSError: it is not there any more, or the disk is full, or fails.
        """
        try:
            with publishing.scratch_folder(self._run.workspace.originals) as folder:
                originals = Originals(folder, self._limit_mb)
                stored = originals.keep(publishing.read_chunks(path))
                if stored.sha256 not in (sha256, None):
                    raise Gone
                files = {sha256: part.name for sha256, part in originals.held.items()}
                self._keeping.hold(folder, files, dict.fromkeys(files, stored.size))
            self._keeping.publish()
        finally:
            self._keeping.forget()
        self._count(seen_again=1)

    def _take_one(self, inbox: Inbox, arrival: Arrival, task: Task, *, only_urgent: bool) -> None:
        """Read, take apart, look up whether it is known, publish the originals, record it."""
        with inbox.open_raw(arrival, task.advance) as file:
            taken, raw = self._taken(arrival, file)
        # after the block, because at its end an inbox may say that the file has changed
        sums = MailSums(_digest(arrival, taken), raw)
        known = self._ledger.submission_of_digest(sums.content)
        ids = (taken.submission.id, known or "")
        again = next(filter(self._ledger.is_to_be_read_again, ids), "")
        if (known is None or again) and only_urgent and not self._quota.is_urgent(taken):
            raise _NoRoom
        is_mail = isinstance(arrival, NewMail)
        if known is None and not again and is_mail and not self._by_hand:
            self._quota.check(taken)
        if known is None or again or self._by_hand:
            self._keeping.publish()
        if again:
            self._record_again(replace(taken, submission=replace(taken.submission, id=again)))
        if again == taken.submission.id:
            self._work.done()
            return
        if known is not None:
            self._ledger.record_seen_again(arrival.identity, sums, known)
            self._work.done()
            self._count(seen_again=1)
            return
        submission = replace(taken.submission, inbox=self._name)
        self._ledger.record_mail(arrival.identity, sums, submission, taken.attachments)
        self._work.done()
        if is_mail:
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

    def _record_again(self, taken: Taken) -> None:
        """Record a mail that a person has had read again (``footage retry``)."""
        submission = replace(taken.submission, inbox=self._name)
        self._ledger.record_read_again(submission, taken.attachments)
        self._count(attachments=len(taken.attachments), bytes=taken.bytes)
        self._outbox.add(taken.bytes)

    def _taken(self, arrival: Arrival, file: Readable) -> tuple[Taken, str]:
        """Take a mail or file apart, and give the SHA-256 of its bytes too.

        :raises Unreadable: the inbox does not give all of its bytes now.
        """
        try:
            is_last = self._work.tries(arrival) + 1 >= self._most_tries
            taken = self._taking.take(arrival, file, is_last_try=is_last)
            # of a file, taking it in has made this hash already
            raw = taken.digest if isinstance(arrival, NewFile) else sha256_of(file)
        except OSError:
            require_readable(file)
            raise
        return self._as_answer(taken), raw

    def _as_answer(self, taken: Taken) -> Taken:
        submission = self._asked.read(taken.submission, taken.attachments)
        submission = self._refusers.read(submission, taken.attachments)
        return replace(taken, submission=submission)

    def _count(self, **more: int) -> None:
        """Add to the counts of the summary."""
        counts = {name: getattr(self.summary, name) + number for name, number in more.items()}
        self.summary = replace(self.summary, **counts)


def _why_left(left: Sequence[LeftArrival]) -> str:
    """Why the inbox was not read to its end; "" if only mails of some senders have to wait."""
    why = {each.why for each in left} - {Stay.SENDER_QUOTA}
    machine = _MACHINE if Stay.MACHINE in why else ""
    return " ".join(filter(None, (machine, _NOT_GIVEN if why - {Stay.MACHINE} else "")))


def _ignore(_count: int) -> None:
    """Take no notice of how many bytes have come."""


def _digest(arrival: Arrival, taken: Taken) -> str:
    """What identifies a mail or file under any UID; for a file, its name counts too."""
    if isinstance(arrival, NewFile):
        return hashlib.sha256(f"{arrival.name}\0{taken.digest}".encode()).hexdigest()
    return taken.digest
