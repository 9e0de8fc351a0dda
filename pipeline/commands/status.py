"""``footage status``: how many clips are in which state, what failed, and who has to act."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from pipeline.commands import disk, kept_heads, waits
from pipeline.commands.disk import DiskRoom
from pipeline.commands.ending import RECEIPTS_FAULT, Ending, Facts
from pipeline.config import Config
from pipeline.consent import Consent
from pipeline.history import InboxRemains, MontageRecord, RunRecord, Stay
from pipeline.ledger import Ledger, heads
from pipeline.model import OriginalState, Row, Status, Wait
from pipeline.process import stage as process
from pipeline.review import mails, packs, rules
from pipeline.review.admission import Admission
from pipeline.review.mails import MailView
from pipeline.store import FootageFile, WorkspaceFolder
from pipeline.wording import counted
from pipeline.workspace import Workspace, is_held

_MOST_NAMED = 5  # clips of a montage
_NIGHTS = 7  # that the growth of the workspace is known from
_STAYS = {
    Stay.SENDER_QUOTA: "its sender has brought in what a sender may in one run",
    Stay.DISK: "too little room on the disk",
    Stay.NOT_GIVEN: "the inbox did not give it",
    Stay.NOT_COMPLETE: "it is still written, or can't be read",
    Stay.NOT_READ: "the run ended before it was read",
}


@dataclass(frozen=True)
class _Film:
    """A montage, and the originals in it that are no longer admitted."""

    record: MontageRecord
    not_admitted: list[str]


@dataclass(frozen=True)
class _Overview:
    """What the ledger says; ``waiting`` and ``admitted`` count clips.

    ``is_running``: the last run holds the workspace.  ``outdated``: the originals (by SHA-256)
    whose clips are out of date and can't be made anew.  ``withheld`` counts the clips in which a
    face may be seen although all must be masked.  ``silent``: the mails whose senders have not
    answered on consent; ``without_sender``: those of them that name no sender, as files that
    ``doctor --repair`` took in.  ``old_packs``: when packs were made that show what is hidden now.
    """

    campaign: str
    counts: dict[str, int]
    failed: list[Row]
    waiting: int
    unready: dict[str, int]
    withheld: int
    admitted: int
    last_run: RunRecord | None
    last_night: RunRecord | None
    remains: InboxRemains
    is_running: bool
    outdated: tuple[str, ...]
    montages: list[_Film]
    mails: list[MailView]
    held_back: int
    silent: dict[str, Consent]
    left: dict[str, Wait]
    left_lines: tuple[str, ...]
    room: DiskRoom
    last_backup: str | None
    unclear_receipts: list[str]
    is_ledger_older: bool
    without_sender: frozenset[str]
    old_packs: list[str]


def tell(config: Config) -> Ending:
    """Read the ledger, and say how things are, with the next step for each who has to act.

    :raises UsageError: nothing was ever taken in.
    """
    overview = _overview(config)
    return Ending(facts=_facts(overview), lines=tuple(_lines(overview)))


def count(config: Config) -> dict[str, int]:
    """How many of each there are, by the names of ``notices.night.LABELS``.

    :raises UsageError: nothing was ever taken in.
    """
    overview = _overview(config)
    return {
        **overview.counts,
        "waiting_for_review": overview.waiting,
        "admitted": overview.admitted,
        "mails_need_answer": sum(1 for each in overview.mails if each.is_open),
        "mails_left": len(overview.remains.left),
        "inboxes_failed": len(overview.remains.inboxes_failed),
        "held_back": overview.held_back,
        "waiting_for_consent": len(overview.silent),
        "montages_stale": sum(film.record.stale for film in overview.montages),
        "disk_free_bytes": overview.room.free,
    }


def _overview(config: Config) -> _Overview:
    workspace = Workspace.existing(config.root)
    with Ledger(workspace.ledger) as ledger:
        rows = ledger.clips.rows()
        numbers = Counter(row.status for row in rows)
        admission = Admission.of(config, ledger, rows)
        silent = rules.waits_for_consent(rows, needs_consent=admission.needs_consent)
        return _Overview(
            campaign=config.campaign.name,
            counts={status.value: numbers[status] for status in Status},
            failed=[row for row in rows if row.status is Status.FAILED],
            waiting=len(rules.waiting(rows)) if admission.required else 0,
            admitted=len(rules.admitted(rows, admission)),
            unready=rules.unready(rows, admission),
            withheld=len(rules.withheld(rows)),
            last_run=ledger.runs.last(),
            last_night=ledger.runs.last("run"),
            is_running=is_held(workspace),
            outdated=process.plan(config, ledger, _holds(config, ledger)).outdated,
            remains=ledger.runs.remains(),
            montages=[
                _Film(film, rules.no_longer_admitted(film.clips, rows, admission))
                for film in ledger.runs.montages()
            ],
            mails=mails.view(ledger, rows),
            held_back=len(rules.held_back(rows)),
            silent=silent,
            left=(left := _left(ledger, rows)),
            left_lines=tuple(waits.lines(config, ledger)) if left else (),
            room=disk.room(config.root, ledger.runs.latest("run", _NIGHTS)),
            last_backup=next((path.name for path in reversed(ledger.backups.stored())), None),
            unclear_receipts=[
                mail
                for receipt in ledger.receipts.all()
                if receipt.state == "claimed"
                for mail in receipt.submissions
            ],
            is_ledger_older=heads.is_ledger_older(workspace, ledger),
            without_sender=frozenset(
                mail.id
                for mail in ledger.intake.submissions()
                if mail.id in silent and not mail.sender
            ),
            old_packs=packs.outdated(ledger),
        )


def _holds(config: Config, ledger: Ledger) -> Callable[[FootageFile], bool]:
    """Whether a file can be had; of a store beyond the workspace, what the ledger says of it."""
    if not config.workspace.store:
        return WorkspaceFolder(Workspace(config.root)).holds
    states = ledger.custody.states()
    kept = OriginalState.KEPT
    return lambda file: states.get(file.path.rpartition("/")[2], kept) is kept


def _facts(overview: _Overview) -> Facts:
    return {
        "campaign": overview.campaign,
        "totals": overview.counts,
        "last_run": _run_facts(overview, overview.last_run),
        "last_night": _run_facts(overview, overview.last_night),
        "mails_left": [asdict(each) for each in overview.remains.left],
        "inboxes_failed": [asdict(each) for each in overview.remains.inboxes_failed],
        "inbox_remarks": [asdict(each) for each in overview.remains.inbox_remarks],
        "failed": [_failure(row) for row in overview.failed],
        "waiting_for_review": overview.waiting,
        "waiting_for_process": overview.counts[Status.PENDING],
        "outdated": list(overview.outdated),
        "waits": [{"sha256": sha256, "why": why} for sha256, why in overview.left.items()],
        "admitted": overview.admitted,
        "needs_answer": mails.open_counts(overview.mails),
        "mails_waiting": [
            {"submission": each.mail.id, "received_at": each.mail.received_at, "why": each.matters}
            for each in overview.mails
            if each.is_open
        ],
        "held_back": overview.held_back,
        "withheld": overview.withheld,
        "waiting_for_consent": {
            "mails": list(overview.silent),
            "asked": [
                mail for mail, consent in overview.silent.items() if consent is Consent.ASKED
            ],
        },
        "disk": {
            "free": overview.room.free,
            "used": overview.room.used,
            "growth_a_night": overview.room.growth,
            "nights_left": overview.room.nights_left,
        },
        "last_backup": overview.last_backup,
        "ledger_is_older": overview.is_ledger_older,
        "unclear_receipts": overview.unclear_receipts,
        "old_packs": overview.old_packs,
        "montages": [
            {
                "path": film.record.path,
                "made_at": film.record.made_at,
                "stale": film.record.stale,
                "clips": len(film.record.clips),
                "not_admitted": film.not_admitted,
            }
            for film in overview.montages
        ],
    }


def _left(ledger: Ledger, rows: list[Row]) -> dict[str, Wait]:
    """What the newest run that made clips left for the next one, and is not made since."""
    pending = {row.sha256 for row in rows if row.status is Status.PENDING}
    return {sha256: why for sha256, why in ledger.runs.waits().items() if sha256 in pending}


def _failure(row: Row) -> Facts:
    return {
        "sha256": row.attachment.sha256,
        "filename": row.attachment.filename,
        "reason": row.refusal.reason.value if row.refusal else None,
        "detail": row.refusal.detail if row.refusal else "",
    }


def _lines(overview: _Overview) -> Iterator[str]:
    yield overview.campaign
    if overview.is_ledger_older:
        yield f"  {kept_heads.OLDER}"
    counts = [f"{count} {name}" for name, count in overview.counts.items() if count]
    nothing = "no files have come in yet" if overview.mails else "nothing has come in yet"
    yield f"  {', '.join(counts) or nothing}"
    night, last = overview.last_night, overview.last_run
    if night:
        yield f"Last night: {_run(overview, night)}"
    if last and last != night:
        yield f"Last command: {_run(overview, last)}"
    yield from _inbox_lines(overview)
    for row in overview.failed:
        failure = _failure(row)
        name = f"{(row.attachment.sha256 or '')[:12]} {row.attachment.filename}"
        yield f"Failed: {name}: {failure['reason']} ({failure['detail']})"
    if overview.failed:
        yield "  next, for the media team: footage retry, then footage process"
    yield from _clip_lines(overview)
    yield from _mail_lines(overview)
    yield from _copy_lines(overview)
    yield _disk_line(overview.room)
    if overview.last_backup:
        yield f"Last backup of the ledger: backups/{overview.last_backup}"
    if overview.last_night and (fault := overview.last_night.summary.get(RECEIPTS_FAULT)):
        yield f"Receipts: {fault}"
    if overview.unclear_receipts:
        yield (
            "The run was ended while it sent a receipt, so nobody knows if it was sent; it is not "
            f"sent again: {', '.join(overview.unclear_receipts)}"
        )


def _clip_lines(overview: _Overview) -> Iterator[str]:
    """Which clips wait for whom, and which are in the montage."""
    if overview.counts[Status.PENDING]:
        pending = counted(overview.counts[Status.PENDING], "clip waits", "clips wait")
        yield f"{pending} for the media team: footage process"
        yield from (f"  {line}" for line in overview.left_lines)
    if overview.waiting:
        waiting = counted(overview.waiting, "clip waits", "clips wait")
        yield f"{waiting} for a reviewer: open the report"
    if overview.outdated:
        outdated = counted(len(overview.outdated), "clip is", "clips are")
        yield f"{outdated} out of date and can't be made anew: the originals were deleted"
    for why, count in overview.unready.items():
        if count:
            yield f"{counted(count, 'clip')} {why}"
    admitted = counted(overview.admitted, "clip is", "clips are")
    yield f"{admitted} admitted to the montage"


def _disk_line(room: DiskRoom) -> str:
    line = f"Disk: {_bytes(room.free)} free"
    if room.used is not None:
        line += f", the workspace takes {_bytes(room.used)}"
    if room.growth is not None and room.growth > 0:
        nights = counted(room.nights_left or 0, "night")
        line += f" and grows by {_bytes(room.growth)} a night: room for {nights}"
    return line


def _bytes(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _mail_lines(overview: _Overview) -> Iterator[str]:
    waiting = [each.mail for each in overview.mails if each.is_open]
    if waiting:
        yield mails.open_line(overview.mails)
        yield f"  the oldest is {waiting[0].id}, received {waiting[0].received_at}"
        yield "  next, for the media team: footage letters; when it is done: footage handled ID"
    if overview.silent:
        yield from _consent_lines(overview)
    if overview.held_back:
        held = counted(overview.held_back, "clip is", "clips are")
        what = "it" if overview.held_back == 1 else "them"
        yield (
            f"{held} held, because the sender may take {what} back: read the mail, then footage "
            "withdraw or footage handled"
        )


def _consent_lines(overview: _Overview) -> Iterator[str]:
    """How many mails wait for consent; those without a sender can't be asked by mail."""
    with_sender = [each for each in overview.silent if each not in overview.without_sender]
    asked = sum(overview.silent[each] is Consent.ASKED for each in with_sender)
    count = len(with_sender)
    if count:
        said = f"{asked} of them {'was' if asked == 1 else 'were'} asked"
        if count == 1:
            said = "who was asked" if asked else "who was not asked yet"
        elif asked in (0, count):
            said = "all of them were asked" if asked else "none of them was asked yet"
        waits = counted(count, "mail waits", "mails wait")
        yield f"{waits} for the consent of the sender, {said}"
        yield "  next, for the media team: footage letters asks; footage consent records the answer"
    if overview.without_sender:
        without = counted(len(overview.without_sender), "mail or file", "mails or files")
        verb = "waits" if len(overview.without_sender) == 1 else "wait"
        yield f"{without} without a known sender {verb} for consent"
        yield "  next, for the media team: find out whose it is; footage consent records the answer"


def _copy_lines(overview: _Overview) -> Iterator[str]:
    """What shows clips elsewhere: the montages, and packs that show what is hidden now."""
    for film in overview.montages:
        yield from _film_lines(film)
    if overview.old_packs:
        yield packs.to_be_deleted(overview.old_packs)


def _film_lines(film: _Film) -> Iterator[str]:
    record, count = film.record, len(film.not_admitted)
    stale = ", stale: render again" if record.stale else ""
    yield f"Montage: {record.path}, {counted(len(record.clips), 'clip')}, {record.made_at}{stale}"
    if count and not record.stale:
        clips = counted(count, "clip that is", "clips that are")
        shas = ", ".join(sha256[:12] for sha256 in film.not_admitted[:_MOST_NAMED])
        more = ", …" if count > _MOST_NAMED else ""
        yield f"  it shows {clips} no longer admitted ({shas}{more})"
        yield "  next, for an editor: do not publish it; footage render makes it again"


def _inbox_lines(overview: _Overview) -> Iterator[str]:
    for inbox in overview.remains.inboxes_failed:
        yield f"{_inbox(inbox.inbox)}: {inbox.error}"
    for remark in overview.remains.inbox_remarks:
        yield f"{_inbox(remark.inbox)}: {remark.text}"
    for mail in overview.remains.left:
        known = [mail.received_at, f"{mail.size} bytes"] if mail.size else ["size unknown"]
        where = f"in inbox {mail.inbox}" if mail.inbox else "in the inbox"
        # only a server numbers its mails: elsewhere the identity is the name of a file
        kind = "UID" if mail.uid.isdecimal() else "file"
        why = f": {_STAYS[mail.why]}" if mail.why in _STAYS else ""
        yield f"Left {where}: {kind} {', '.join([mail.uid, *known])}{why}"


def _inbox(name: str) -> str:
    return f"Inbox {name}" if name else "The inbox"


def _state(overview: _Overview, run: RunRecord) -> str:
    """Whether a run has ended, is running, or was killed: only the newest can be running."""
    if run.ended_at is not None:
        return "ended"
    return "running" if overview.is_running and run == overview.last_run else "killed"


def _run_facts(overview: _Overview, run: RunRecord | None) -> Facts | None:
    return {**asdict(run), "state": _state(overview, run)} if run else None


def _run(overview: _Overview, run: RunRecord) -> str:
    begun = f"footage {run.command}, began {run.started_at}"
    match _state(overview, run):
        case "running":
            return f"{begun}, is running now"
        case "killed" if overview.is_ledger_older:
            return f"{begun}; this ledger does not know how it ended"
        case "killed":
            return f"{begun}, was killed or lost its power; nothing is lost, run it again"
    error = run.summary.get("error")
    said = f": {error}" if error else ""
    return f"{begun}, ended {run.ended_at}, exit {run.exit_code}{said}"
