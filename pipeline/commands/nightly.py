"""``footage run``: ingest, process, report, and render if the config says so."""

from __future__ import annotations

from dataclasses import asdict

from pipeline.commands.ending import Facts
from pipeline.commands.purge import delete_old_originals
from pipeline.errors import InboxError
from pipeline.ingest import stage as ingest
from pipeline.process import stage as process
from pipeline.review import report
from pipeline.run import Run


def work_all_night(run: Run) -> Facts:
    """Take in new mail, make the clips, write the report, and render if the config says so.

    :raises InboxError: the inbox could not be read to its end; it is raised after everything
        else was done with what had come in.
    """
    facts, unread = _take_in_if_possible(run)
    facts |= make_clips(run)
    facts |= write_report(run)
    if run.config.montage.automatic:
        from pipeline.commands import render  # noqa: PLC0415 - slow to load, and often not needed

        if render.admitted_rows(run):
            facts |= render.make_montages(run)
    if unread is not None:
        raise unread
    return facts


def _take_in_if_possible(run: Run) -> tuple[Facts, InboxError | None]:
    try:
        return take_in(run), None
    except InboxError as error:
        run.console.warn(f"ingest: {error}")
        return {}, error


def take_in(run: Run, *, dry_run: bool = False) -> Facts:
    """Take in new mail.

    :param dry_run: only list what would come in.
    """
    done = ingest.run(run, dry_run=dry_run)
    if dry_run:
        run.console.say(f"ingest: {len(done.coming)} new mails would come in")
    else:
        run.console.say(f"ingest: {done.mails} new mails, {done.attachments} attachments")
    return {"ingest": asdict(done)}


def make_clips(run: Run) -> Facts:
    """Make the missing clips; with no days of retention, delete their originals at once."""
    done = process.run(run)
    run.console.say(
        f"process: {done.accepted} clips made, {done.rejected} refused, {done.failed} failed"
    )
    facts: Facts = {"process": asdict(done)}
    if run.config.workspace.retain_originals_days == 0:
        facts |= delete_old_originals(run)
    return facts


def write_report(run: Run) -> Facts:
    """Write the report."""
    done = report.write(run)
    run.console.say(f"report: {run.workspace.report / 'index.html'}")
    return {"report": asdict(done)}
