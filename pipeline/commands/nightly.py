"""The order of a night's work: ingest, process, report, render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.commands.ending import Facts
from pipeline.commands.purge import delete_old_originals
from pipeline.errors import InboxError, StageError
from pipeline.ingest import stage as ingest
from pipeline.model import Row, Status
from pipeline.process import stage as process
from pipeline.review import report, rules
from pipeline.run import Run

if TYPE_CHECKING:
    from pipeline.render.preview import Excerpt
    from pipeline.render.stage import Rendered


def do_all(run: Run) -> Facts:
    """Take in new mail, make the clips, write the report, and render if the config says so.

    :raises InboxError: the inbox could not be read to its end; it is raised after everything
        else was done with what had come in.
    """
    facts, unread = _take_in_what_can_be(run)
    facts |= make_clips(run)
    facts |= write_report(run)
    if run.config.montage.automatic and admitted_rows(run):
        facts |= make_montages(run)
    if unread is not None:
        raise unread
    return facts


def _take_in_what_can_be(run: Run) -> tuple[Facts, InboxError | None]:
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
    done = report.write(run.config, run.ledger, run.workspace, run.console)
    run.console.say(f"report: {run.workspace.report / 'index.html'}")
    return {"report": asdict(done)}


def make_montages(run: Run, names: Sequence[str] = (), excerpt: Excerpt | None = None) -> Facts:
    """Render the montages of all outputs, or of those of *names*; see :func:`render_admitted`."""
    films = render_admitted(run, names, excerpt)
    return {"render": [asdict(film) for film in films]}


def render_admitted(
    run: Run, names: Sequence[str] = (), excerpt: Excerpt | None = None
) -> list[Rendered]:
    """Make the admitted clips that are missing or out of date, then join them.

    :param excerpt: render only this part, as a preview.
    :raises UsageError: there is no such output.
    :raises StageError: no clip is admitted; the text says what waits.
    """
    from pipeline.render import stage as render  # noqa: PLC0415 - most nights render nothing

    outputs = render.outputs_named(run.config, names)
    admitted = admitted_rows(run)
    if not admitted:
        raise StageError(what_waits(run))
    wanted = {row.attachment.sha256 or "" for row in admitted}
    process.run(run, only=wanted)
    done = render.run(run, admitted_rows(run), outputs, excerpt)
    for film in done:
        state = "unchanged" if film.cached else "made"
        run.console.say(
            f"render: {run.workspace.root / film.path} {state}: {film.clips} clips, "
            f"{film.duration_s:.1f} s"
        )
    return done


def admitted_rows(run: Run) -> list[Row]:
    """The rows of the clips that go into the montage."""
    return rules.admitted(run.ledger.clips.rows(), required=run.config.review.required)


def what_waits(run: Run) -> str:
    """Say why no clip is admitted, and what to do next."""
    rows = run.ledger.clips.rows()
    waiting = rules.waiting(rows)
    if waiting:
        names = " ".join((row.attachment.sha256 or "")[:12] for row in waiting[:5])
        more = " …" if len(waiting) > 5 else ""
        return (
            f"no clip is admitted to the montage; {len(waiting)} wait for a decision. Look at "
            f"{run.workspace.report / 'index.html'}, then: footage approve {names}{more}"
        )
    said = "no clip is admitted to the montage, and none waits for a decision"
    unmade, failed = (
        sum(row.status is status for row in rows) for status in (Status.PENDING, Status.FAILED)
    )
    if unmade:
        said += f"; {unmade} still to be made (footage process)"
    if failed:
        said += f"; {failed} failed (footage retry, then footage process)"
    return said
