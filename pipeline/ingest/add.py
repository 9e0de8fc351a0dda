"""``footage add``: files that came by another way, brought in by hand.

They go the same way as attachments.  What somebody has withdrawn is taken again, because a
person says so; what was added before and is still kept is not taken twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline import publishing
from pipeline.errors import UsageError, from_os_error
from pipeline.ingest.inbox import file_time, stable_name, uid_of
from pipeline.ingest.originals import Originals
from pipeline.ingest.stage import IngestSummary
from pipeline.ingest.take import Taker
from pipeline.model import MailIdentity
from pipeline.run import Run

ACCOUNT = "added"


def add(run: Run, paths: Iterable[Path]) -> IngestSummary:
    """Take in files, each as a submission without a sender, received when it was last changed.

    :raises UsageError: one of them is no file; nothing is taken in then.
    :raises DiskFull: the disk is full.
    """
    wanted = list(paths)
    missing = [str(path) for path in wanted if not path.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    originals = Originals(
        run.workspace, run.ledger, run.config.inbox.max_attachment_mb, by_hand=True
    )
    taker = Taker(originals, run.config.campaign)
    mails = attachments = size = again = 0
    total = sum(path.stat().st_size for path in wanted)
    with run.console.task("Adding", total, "B") as task:
        for path in wanted:
            try:
                sha256 = publishing.sha256_of(path)
                uid = f"{sha256}:{uid_of(stable_name(path))}"
                identity = MailIdentity(ACCOUNT, "", 0, uid)
                if uid in run.ledger.intake.known_uids(ACCOUNT, "", 0):
                    originals.keep(
                        publishing.read_chunks(path)
                    )  # it may have been withdrawn or purged
                    originals.publish()
                    again += 1
                else:
                    with path.open("rb") as file:
                        taken = taker.file(identity, file, stable_name(path), file_time(path))
                    originals.publish()
                    run.ledger.intake.record_mail(
                        identity, sha256, taken.submission, taken.attachments
                    )
                    mails += 1
                    attachments += len(taken.attachments)
                    size += taken.bytes
                    run.console.event("added", submission=taken.submission.id, sha256=sha256)
            except OSError as error:
                raise from_os_error(error) from error
            finally:
                originals.forget()
            task.advance(path.stat().st_size)
    return IngestSummary(mails=mails, attachments=attachments, bytes=size, seen_again=again)
