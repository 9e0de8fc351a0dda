"""The commands that are hardly more than a stage: add, ingest, process, report and retry."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.commands import older_ledger, rereading, waits
from pipeline.commands.ending import Facts
from pipeline.commands.purge import delete_old_originals
from pipeline.errors import InboxError, UsageError
from pipeline.ingest import stage as ingest
from pipeline.ingest.add import add
from pipeline.ledger import heads
from pipeline.model import Status
from pipeline.process import stage as process
from pipeline.review import packing, packs, report, rules, undone
from pipeline.run import Run
from pipeline.store import outbox
from pipeline.store.leftovers import delete_leftovers
from pipeline.wording import counted

_MOST_NAMED = 5  # clips in a line


def add_files(run: Run, paths: Sequence[Path]) -> Facts:
    """Take in *paths*, each as a submission of its own."""
    done = add(run, paths)
    taken = counted(done.taken_in, "file")
    run.console.say(f"add: {taken} taken in, {done.known} known already")
    hand_over(run)
    return {"add": {**asdict(done.summary), "taken_in": done.taken_in, "known": done.known}}


def hand_over(run: Run) -> None:
    """Publish what is still in the workspace folder, if there is a store beyond it.

    :raises StoreError: the store does not answer, or refuses; what is left is sent by the next run.
    """
    kept_here = outbox.send(run.store, run.ledger, run.workspace)
    if run.store.is_beyond:
        run.ledger.runs.note_not_stored([file.path for file in kept_here])
    for file in kept_here:
        run.console.warn(f"{file.path} {undone.NOT_STORED}")


def take_in(run: Run, *, dry_run: bool = False, inboxes: Sequence[str] = ()) -> Facts:
    """Take in new mail.

    :param dry_run: only list what would come in.
    :param inboxes: the names of the inboxes to read; none means all.
    :raises UsageError: there is no inbox of that name.
    :raises InboxError: an inbox could not be read to its end.
    :raises StoreError: the store does not answer; what came in stays here and is sent later.
    """
    if not dry_run:
        rereading.read_again(run)
    try:
        done = ingest.run(run, dry_run=dry_run, names=inboxes)
    except InboxError:
        hand_over(run)
        raise
    if not dry_run:
        hand_over(run)
    else:
        size = sum(mail.size for mail in done.coming)
        files = counted(sum(len(mail.attachments) for mail in done.coming), "attachment")
        run.console.say(
            f"ingest: {counted(len(done.coming), 'new mail')} with {files}, {size:,} bytes, would "
            "come in; nothing was changed"
        )
    return {"ingest": asdict(done)}


def make_clips(run: Run) -> Facts:
    """Make the missing clips; with no days of retention, delete their originals at once."""
    hand_over(run)
    # an older ledger may not know the newest clips
    if run.store.is_beyond and not heads.is_ledger_older(run.workspace, run.ledger):
        _delete_leftovers(run)
    rows = run.ledger.clips.rows()
    hiding = [row for row in rows if row.review.masks or row.review.sounds]
    anew = {row.sha256 for row in hiding if not rules.hides_what_it_should(row)}
    anew |= {row.sha256 for row in rows if row.is_hidden_with_film and rules.has_clip(row)}
    done = process.run(run)
    made = counted(done.accepted, "clip")
    run.console.say(f"process: {made} made, {done.rejected} refused, {done.failed} failed")
    if done.put_away:
        run.console.say(
            f"process: {counted(len(done.put_away), 'photo')} put away: a part of the film of the "
            "Live Photo may not be seen"
        )
    if done.outdated:
        names = ", ".join(sha256[:12] for sha256 in done.outdated[:_MOST_NAMED])
        more = ", …" if len(done.outdated) > _MOST_NAMED else ""
        run.console.say(
            f"process: {counted(len(done.outdated), 'clip is', 'clips are')} out of date and can't "
            f"be made anew, because the originals were deleted ({names}{more})"
        )
    if shown := packs.made_with(run.ledger, anew):
        run.console.warn(f"process: {packs.to_be_deleted(shown)}")
    if done.waits:
        for line in waits.lines(run.config, run.ledger):
            run.console.warn(f"process: {line}")
    facts: Facts = {"process": asdict(done)}
    if run.config.workspace.retain_originals_days == 0:
        if heads.is_ledger_older(run.workspace, run.ledger):
            run.console.warn(f"purge: {older_ledger.left_out('purge')}")
            return facts
        facts |= delete_old_originals(run, run.console.detail)
    return facts


def _delete_leftovers(run: Run) -> None:
    if left := delete_leftovers(run.store, run.ledger):
        run.console.warn(
            f"process: {counted(left, 'file')} deleted in the store: of footage that was taken "
            "back, or of clips that were made anew (a late worker or a cut withdrawal left them)"
        )


def write_report(run: Run) -> Facts:
    """Write the report where it changed.

    What the store has lost of the stills is deleted, so that the next run makes their clips again.
    """
    done = report.write(run)
    run.console.say(f"report: {run.workspace.report / 'index.html'}")
    if done.needs_answer:
        run.console.say(done.needs_answer)
    return {"report": asdict(done)}


def pack_report(run: Run, target: Path) -> Facts:
    """Write the report, and put it with its clips into one folder or zip file.

    :raises UsageError: there is something at *target*, or it is in the workspace.
    :raises StageError: the ledger is older than its logs, so the pack might show a clip that was
        taken back.
    """
    older_ledger.refuse_if_older(run, "packs of the report")
    rereading.read_again(run)
    facts = write_report(run)
    done = packing.pack(run, target)
    for row in done.left_out:
        run.console.warn(f"report: left out of the pack: {packing.why_left_out(row)}")
    clips = counted(len(done.clips), "clip")
    run.console.say(f"report: packed with {clips}, {done.size:,} bytes: {done.path}")
    left_out = [row.sha256 for row in done.left_out]
    pack = {"path": str(done.path), "size": done.size, "clips": done.clips, "left_out": left_out}
    return {**facts, "pack": pack}


def back_up(run: Run) -> Facts:
    """Write today's backup of the ledger.

    :raises StageError: the disk is full; the older backups stay.
    """
    is_older = heads.is_ledger_older(run.workspace, run.ledger)
    made = run.ledger.backups.make(run.config.workspace.keep_backups, is_older=is_older)
    return {"backup": run.workspace.relative(made)} if made else {}


def retry(run: Run, prefixes: Sequence[str]) -> Facts:
    """Forget the outcomes of failed clips, and have mails read again that could not be read.

    :param prefixes: beginnings of SHA-256, or of ids of mails; none means all failed clips, and all
        mails that nobody has dealt with.
    :raises UsageError: a prefix fits no failed clip and no such mail.
    """
    results = run.ledger.clips.results()
    failed = [sha for sha, clip in results.items() if clip.status is Status.FAILED]
    chosen = [sha for sha in failed if not prefixes or sha.startswith(tuple(prefixes))]
    unread, handled = run.ledger.intake.unread(), run.ledger.reviews.handled()
    mails = [
        mail
        for mail in unread
        if (mail.startswith(tuple(prefixes)) if prefixes else mail not in handled)
    ]
    for prefix in prefixes:
        if not any(each.startswith(prefix) for each in (*failed, *unread)):
            raise UsageError(f"no failed clip and no unread mail begins with {prefix!r}")
    run.ledger.clips.forget(chosen)
    run.console.say(
        f"retry: {counted(len(chosen), 'clip')} can be made again; next: footage process"
    )
    if mails:
        run.ledger.intake.read_again(mails)
        run.console.say(
            f"retry: {counted(len(mails), 'mail is', 'mails are')} read again, if still in the "
            "inbox; next: footage ingest"
        )
    return {"retry": chosen, "retry_mails": mails}
