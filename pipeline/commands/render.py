"""``footage render`` and ``footage export``: the montages, as films and as timelines."""

from collections.abc import Sequence
from dataclasses import asdict

from pipeline import correspondence
from pipeline.commands import older_ledger, rereading
from pipeline.commands.ending import Facts
from pipeline.commands.unread import refuse_if_unread
from pipeline.consent import Consent
from pipeline.errors import StageError
from pipeline.model import Row, Status
from pipeline.process import stage as process
from pipeline.render import stage as render
from pipeline.render.interchange import TimelineFormat
from pipeline.render.preview import Excerpt
from pipeline.render.stage import Rendered, StillsLost
from pipeline.review import rules
from pipeline.review.admission import Admission
from pipeline.run import Run
from pipeline.wording import counted


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
    :raises StageError: no clip is admitted; the text says what waits.  Or the ledger is older than
        its logs, or a mail waits because of the disk; a preview is made all the same.
    """
    outputs = render.outputs_named(run.config, names)
    if excerpt is None:
        older_ledger.refuse_if_older(run, "films")
        refuse_if_unread(run, "films")
    rereading.read_again(run)
    chosen = _chosen_rows(run)
    if not chosen:
        raise StageError(_why_none(run))
    process.run(run, only={row.sha256 for row in chosen})
    _name_those_to_be_made_anew(run)
    try:
        done = render.run(run, need_admitted(run), outputs, excerpt)
    except StillsLost as error:
        process.run(run, only=set(error.originals))
        done = render.run(run, need_admitted(run), outputs, excerpt)
    held_back = rules.held_back(run.ledger.clips.rows())
    if held_back:
        run.console.warn(
            f"clips that may be taken back, left out: {len(held_back)} ({_to_read(run, held_back)})"
        )
    _name_those_without_consent(run)
    _name_those_that_wait_for_two(run)
    _name_those_with_faces(run)
    for film in done:
        state = "unchanged" if film.cached else "made"
        run.console.say(
            f"render: {run.workspace.root / film.path} {state}: {counted(film.clips, 'clip')}, "
            f"{film.duration_s:.1f} s"
        )
        if film.unlisted:
            run.console.warn(f"admitted clips that the order file does not name: {film.unlisted}")
    return done


def _to_read(run: Run, held_back: Sequence[Row]) -> str:
    """Name the mails that hold clips, and those of them that came from another address."""
    mails = {mail.id: mail for mail in run.ledger.intake.submissions()}
    taking = dict.fromkeys(mail for row in held_back for mail in row.held_by)
    own = {
        mail
        for row in held_back
        for mail in row.held_by
        if correspondence.is_same_person(mails[mail], mails[row.submission])
    }
    elsewhere = [mail for mail in taking if mail not in own]
    origin = f"; from another address than the clips: {', '.join(elsewhere)}" if elsewhere else ""
    return f"read {', '.join(taking)}{origin}"


def _name_those_without_consent(run: Run) -> None:
    """Say how many clips stay out because their sender did not agree, or said no."""
    needs_consent = run.config.review.needs_consent
    out = rules.without_consent(run.ledger.clips.rows(), needs_consent=needs_consent)
    refused = sum(row.consent is Consent.NO for row in out)
    if refused:
        run.console.warn(f"clips whose sender said no, left out: {refused}")
    if len(out) > refused:
        run.console.warn(
            f"clips without the consent of their sender, left out: {len(out) - refused} (see: "
            "footage consent)"
        )


def _name_those_that_wait_for_two(run: Run) -> None:
    """Say how many clips stay out because two people must approve them."""
    if too_few := rules.waits_for_two(*_rows(run)):
        run.console.warn(f"clips that two people must approve, left out: {len(too_few)}")


def _name_those_with_faces(run: Run) -> None:
    """Say which clips stay out because their faces must be masked, and are not, or may not be."""
    rows = run.ledger.clips.rows()
    if withheld := rules.withheld(rows):
        run.console.warn(
            f"clips in which a face may still be seen, left out: {len(withheld)} (watch them to "
            "their end in the review, and mask what is seen or approve them)"
        )
    if bare := process.unmasked(run.config, run.ledger):
        run.console.warn(
            f"clips that were made before faces had to be masked, left out: {len(bare)} (see: "
            "footage process)"
        )


def _name_those_to_be_made_anew(run: Run) -> None:
    """Say which clips stay out because they do not have the masks of their review."""
    left = rules.to_be_made_anew(*_rows(run))
    if left:
        names = ", ".join(row.sha256[:12] for row in left[:5])
        more = ", …" if len(left) > 5 else ""
        run.console.warn(
            f"clips that could not be made with their new masks, left out: {len(left)} "
            f"({names}{more})"
        )


def write_timelines(run: Run, kind: str, names: Sequence[str]) -> Facts:
    """Write a timeline of the kind *kind* for each output, or for those of *names*.

    :raises UsageError: there is no such output.
    :raises StageError: no clip is admitted; the text says what waits.  Or the ledger is older than
        its logs, or a mail waits because of the disk.
    """
    older_ledger.refuse_if_older(run, "timelines")
    refuse_if_unread(run, "timelines")
    rereading.read_again(run)
    admitted = need_admitted(run)
    _name_those_to_be_made_anew(run)
    outputs = render.outputs_named(run.config, names)
    paths = [render.export(run, output, admitted, TimelineFormat(kind)) for output in outputs]
    for path in paths:
        run.console.say(f"export: {run.workspace.root / path}")
    return {"export": paths}


def admitted_rows(run: Run) -> list[Row]:
    """The rows of the clips that go into the montage."""
    admitted = rules.admitted(*_rows(run))
    bare = process.unmasked(run.config, run.ledger)
    return [row for row in admitted if row.sha256 not in bare]


def _chosen_rows(run: Run) -> list[Row]:
    """The rows of the clips that go into the montage as soon as they are made."""
    return rules.chosen(*_rows(run))


def _rows(run: Run) -> tuple[list[Row], Admission]:
    """All rows, and what their clips need."""
    rows = run.ledger.clips.rows()
    return rows, Admission.of(run.config, run.ledger, rows)


def need_admitted(run: Run) -> list[Row]:
    """The rows of the clips that go into the montage.

    :raises StageError: there are none; the text says what waits.
    """
    admitted = admitted_rows(run)
    if not admitted:
        raise StageError(_why_none(run))
    return admitted


def _why_none(run: Run) -> str:
    """Why no clip is admitted, and what to do next."""
    rows, admission = _rows(run)
    silent = len(rules.without_consent(rows, needs_consent=admission.needs_consent))
    consent = f"; {silent} have no consent of their sender (footage consent)" if silent else ""
    waiting = rules.waiting(rows) if admission.required else []
    if waiting:
        names = " ".join((row.attachment.sha256 or "")[:12] for row in waiting[:5])
        more = " …" if len(waiting) > 5 else ""
        return (
            f"no clip is admitted to the montage{consent}; {len(waiting)} wait for a decision. "
            f"Look at {run.workspace.report / 'index.html'}, then: footage approve {names}{more}"
        )
    said = f"no clip is admitted to the montage, and none waits for a decision{consent}"
    if too_few := rules.waits_for_two(rows, admission):
        said += f"; {len(too_few)} must be approved by two people"
    anew = rules.to_be_made_anew(rows, admission)
    if anew:
        said += f"; {len(anew)} do not have their new masks yet (footage process)"
    unmade, failed = (
        sum(row.status is status for row in rows) for status in (Status.PENDING, Status.FAILED)
    )
    if unmade:
        said += f"; {unmade} still to be made (footage process)"
    if failed:
        said += f"; {failed} failed (footage retry, then footage process)"
    return said
