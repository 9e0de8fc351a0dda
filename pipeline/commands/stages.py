"""The commands that are hardly more than a stage: add, ingest, process, report and retry."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.commands.ending import Facts
from pipeline.commands.purge import delete_old_originals
from pipeline.errors import UsageError
from pipeline.ingest import stage as ingest
from pipeline.ingest.add import add
from pipeline.model import Status
from pipeline.process import stage as process
from pipeline.review import report
from pipeline.run import Run


def add_files(run: Run, paths: Sequence[Path]) -> Facts:
    """Take in *paths*, each as a submission of its own."""
    done = add(run, paths)
    run.console.say(f"add: {done.attachments} files taken in, {done.seen_again} known already")
    return {"add": asdict(done)}


def take_in(run: Run, *, dry_run: bool = False, inboxes: Sequence[str] = ()) -> Facts:
    """Take in new mail.

    :param dry_run: only list what would come in.
    :param inboxes: the names of the inboxes to read; none means all.
    :raises UsageError: there is no inbox of that name.
    :raises InboxError: an inbox could not be read to its end.
    """
    done = ingest.run(run, dry_run=dry_run, names=inboxes)
    if dry_run:
        run.console.say(f"ingest: {len(done.coming)} new mails would come in")
    return {"ingest": asdict(done)}


def make_clips(run: Run) -> Facts:
    """Make the missing clips; with no days of retention, delete their originals at once."""
    done = process.run(run)
    run.console.say(
        f"process: {done.accepted} clips made, {done.rejected} refused, {done.failed} failed"
    )
    facts: Facts = {"process": asdict(done)}
    if run.config.workspace.retain_originals_days == 0:
        facts |= delete_old_originals(run, run.console.detail)
    return facts


def write_report(run: Run) -> Facts:
    """Write the report where it changed."""
    done = report.write(run)
    run.console.say(f"report: {run.workspace.report / 'index.html'}")
    if done.needs_answer:
        run.console.say(done.needs_answer)
    return {"report": asdict(done)}


def back_up(run: Run) -> Facts:
    """Write today's backup of the ledger.

    :raises StageError: the disk is full; the older backups stay.
    """
    made = run.ledger.backups.make(run.config.workspace.keep_backups)
    return {"backup": run.workspace.relative(made)} if made else {}


def retry(run: Run, prefixes: Sequence[str]) -> Facts:
    """Forget the outcomes of failed clips, so that the next ``footage process`` makes them.

    :param prefixes: beginnings of SHA-256; none means all failed clips.
    :raises UsageError: a prefix fits no failed clip.
    """
    results = run.ledger.clips.results()
    failed = [sha for sha, clip in results.items() if clip.status is Status.FAILED]
    chosen = [sha for sha in failed if not prefixes or sha.startswith(tuple(prefixes))]
    for prefix in prefixes:
        if not any(sha.startswith(prefix) for sha in failed):
            raise UsageError(f"no failed clip begins with {prefix!r}")
    run.ledger.clips.forget(chosen)
    run.console.say(f"retry: {len(chosen)} clips can be made again; next: footage process")
    return {"retry": chosen}
