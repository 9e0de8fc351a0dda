"""``footage ingest``: new mail."""

from __future__ import annotations

from dataclasses import asdict

from pipeline.commands.ending import Facts
from pipeline.ingest import stage as ingest
from pipeline.run import Run


def take_in(run: Run, *, dry_run: bool = False) -> Facts:
    """Take in new mail.

    :param dry_run: only list what would come in.
    :raises InboxError: the inbox could not be read to its end.
    """
    done = ingest.run(run, dry_run=dry_run)
    if dry_run:
        run.console.say(f"ingest: {len(done.coming)} new mails would come in")
    else:
        run.console.say(f"ingest: {done.mails} new mails, {done.attachments} attachments")
    return {"ingest": asdict(done)}
