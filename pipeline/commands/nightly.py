"""The order of a night's work: ingest, process, report, render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.commands.purge import purge
from pipeline.errors import InboxError, StageError
from pipeline.ingest import stage as ingest
from pipeline.late import late
from pipeline.model import Row, Status
from pipeline.process import stage as process
from pipeline.review import report, rules
from pipeline.run import Run

if TYPE_CHECKING:
    from pipeline.render import stage as render
    from pipeline.render.preview import Excerpt
else:
    render = late("pipeline.render.stage")


def nightly(run: Run) -> dict[str, Any]:
    """Pull the attachments, clean and normalize them, write the report, render if asked.

    :raises InboxError: the inbox could not be read to its end; what came in, tonight or
        before, has been worked on all the same.
    """
    facts, unread = _take_in_what_can_be(run)
    facts |= make_clips(run)
    facts |= write_report(run)
    if run.config.montage.automatic and admitted_rows(run):
        facts |= make_montages(run)
    if unread is not None:
        raise unread
    return facts


def _take_in_what_can_be(run: Run) -> tuple[dict[str, Any], InboxError | None]:
    try:
        return take_in(run), None
    except InboxError as error:
        run.console.warn(f"ingest: {error}")
        return {}, error


def take_in(run: Run, *, dry_run: bool = False) -> dict[str, Any]:
    """``footage ingest``."""
    done = ingest.run(run, dry_run=dry_run)
    if dry_run:
        run.console.say(f"ingest: {len(done.coming)} new mails would come in")
    else:
        run.console.say(f"ingest: {done.mails} new mails, {done.attachments} attachments")
    return {"ingest": asdict(done)}


def make_clips(run: Run) -> dict[str, Any]:
    """``footage process``."""
    done = process.run(run)
    run.console.say(
        f"process: {done.accepted} clips made, {done.rejected} refused, {done.failed} failed"
    )
    facts = {"process": asdict(done)}
    if run.config.workspace.retain_originals_days == 0:
        facts |= purge(run)
    return facts


def write_report(run: Run) -> dict[str, Any]:
    """``footage report``."""
    done = report.write(run.config, run.ledger, run.workspace, run.console)
    run.console.say(f"report: {run.workspace.report / 'index.html'}")
    return {"report": asdict(done)}


def make_montages(
    run: Run, names: Sequence[str] = (), excerpt: Excerpt | None = None
) -> dict[str, Any]:
    """``footage render``: first the admitted clips that are not as they must be, then the film.

    :param excerpt: a preview of this much instead.
    :raises StageError: nothing is admitted; the text says what waits.
    """
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
    return {"render": [asdict(film) for film in done]}


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
