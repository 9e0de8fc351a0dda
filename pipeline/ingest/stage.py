"""Ingest: from the inboxes to originals in the workspace and rows in the ledger.

The workspace must be held.  An inbox that can't be read to its end does not keep the others from
being read.  What was taken in stays, and the next run goes on.
"""

import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict

from pipeline import wording
from pipeline.config import InboxSection
from pipeline.errors import FootageError, InboxError, UsageError, named
from pipeline.history import InboxRemains
from pipeline.ingest import leaving
from pipeline.ingest.inbox import open_inbox
from pipeline.ingest.quota import SenderQuota
from pipeline.ingest.reading import InboxReading, IngestSummary
from pipeline.run import Run
from pipeline.workspace import Workspace


def run(run: Run, *, dry_run: bool = False, names: Sequence[str] = ()) -> IngestSummary:
    """Take in what is new in every inbox, then tell the servers.

    :param names: of the inboxes that are read; none means all.
    :raises UsageError: there is no inbox of that name.
    :raises MailsLeft: the server of the only inbox did not give some of the mails.
    :raises InboxError: an inbox can't be reached, signed in to, or read to its end; it is raised
        after the others were read.
    :raises DiskFull: the disk is full.
    """
    done, remains = IngestSummary(), InboxRemains()
    failed: list[tuple[InboxSection, InboxError]] = []
    quota = SenderQuota(run.config)
    ahead = deque(_chosen(run.config.inbox, names))
    # the record of inboxes that are not read now stays, and a dry run changes nothing
    others = [each.name for each in run.config.inbox if dry_run or each not in ahead]
    kept = run.ledger.runs.remains().of(others)
    try:
        while ahead:
            section = ahead[0]
            work = InboxReading(run, section, quota)
            try:
                work.read(section, dry_run=dry_run)
            except InboxError as error:
                failed.append((section, error))
                remains += leaving.not_read([section], error)
            finally:
                done += work.summary
                remains += work.remains()
            ahead.popleft()
    except BaseException as error:  # Ctrl-C, SIGTERM or a full disk: what was not read is said, too
        with contextlib.suppress(FootageError):  # the first error counts
            remains += leaving.not_read(ahead, named(error))
            run.ledger.runs.note_remains(kept if dry_run else kept + remains)
        raise
    run.ledger.runs.note_remains(kept if dry_run else kept + remains)
    if failed:
        fault = leaving.joined(failed)
        fault.facts = {"ingest": asdict(done), **leaving.as_facts(remains)}
        raise fault
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
