"""What ``footage status`` says to people, with the next step for each who has to act."""

from collections.abc import Iterator, Sequence

from pipeline.commands import older_ledger
from pipeline.commands.disk import DiskRoom
from pipeline.commands.ending import RECEIPTS_FAULT
from pipeline.commands.overview import FilmStatus, Overview
from pipeline.consent import Consent
from pipeline.history import RunRecord, Stay
from pipeline.model import Status
from pipeline.review import mails, packs, undone
from pipeline.wording import counted

_MOST_NAMED = 5  # clips of a montage
_STAYS = {
    Stay.SENDER_QUOTA: "its sender has brought in what a sender may in one run",
    Stay.DISK: "too little room on the disk",
    Stay.NOT_GIVEN: "the inbox did not give it",
    Stay.MACHINE: "the machine had too little memory or time, or ended the process that reads it",
    Stay.NOT_COMPLETE: "it is still written, or can't be read",
    Stay.NOT_READ: "the run ended before it was read",
}


def status_lines(overview: Overview) -> Iterator[str]:
    """Say how things are."""
    yield overview.campaign
    if overview.is_ledger_older:
        yield f"  {older_ledger.OLDER}"
    counts = [f"{count} {name}" for name, count in overview.counts.items() if count]
    nothing = "no files have come in yet" if overview.mails else "nothing has come in yet"
    yield f"  {', '.join(counts) or nothing}"
    yield from _night_lines(overview)
    if overview.is_report_older:
        yield "The report is from before the last night, which ended before it wrote a new one"
        yield "  next, for the media team: footage report"
    yield from _inbox_lines(overview)
    for row in overview.failed:
        name = f"{(row.attachment.sha256 or '')[:12]} {row.attachment.filename}"
        why = f"{row.refusal.reason} ({row.refusal.detail})" if row.refusal else "not known"
        yield f"Failed: {name}: {why}"
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
    yield from undone.lines(overview.undone)
    yield from overview.read_again
    if overview.unclear_receipts:
        yield (
            "The run was ended while it sent a receipt, so nobody knows if it was sent; it is not "
            f"sent again: {', '.join(overview.unclear_receipts)}"
        )


def _night_lines(overview: Overview) -> Iterator[str]:
    """How the last night ended, and the newest command if it is another one."""
    night, last = overview.last_night, overview.last_run
    lost = overview.not_recorded
    if lost:
        yield f"Last night: began {lost['began']}, not recorded in the ledger: {lost['error']}"
    if night:
        yield f"{'Last recorded night' if lost else 'Last night'}: {_run(overview, night)}"
    if last and last != night:
        yield f"Last command: {_run(overview, last)}"


def _clip_lines(overview: Overview) -> Iterator[str]:
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
    if overview.bare:
        bare = counted(len(overview.bare), "of them hides", "of them hide")
        yield f"  {bare} less than a clip that looks the same ({_named(overview.bare)})"
        yield "  next, for a reviewer: compare them in the report, and mask or reject"


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


def _mail_lines(overview: Overview) -> Iterator[str]:
    waiting = [each.mail for each in overview.mails if each.is_open]
    if waiting:
        yield mails.open_line(overview.mails)
        yield f"  the oldest is {waiting[0].id}, received {waiting[0].received_at}"
        yield "  next, for the media team: footage letters; when it is done: footage handled ID"
    if unread := [each.mail.id for each in overview.mails if each.is_open and each.is_unread]:
        mails_are = counted(len(unread), "of them was", "of them were")
        yield f"  {mails_are} not read: {', '.join(unread)}; still in the inbox if nobody moved it"
        yield "  next, for the media team: footage retry, then footage ingest, reads them again"
    if overview.silent:
        yield from _consent_lines(overview)
    if overview.held_back:
        held = counted(overview.held_back, "clip is", "clips are")
        what = "it" if overview.held_back == 1 else "they"
        yield (
            f"{held} held, because {what} may be taken back: read the mail, then footage "
            "withdraw or footage handled"
        )


def _consent_lines(overview: Overview) -> Iterator[str]:
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


def _copy_lines(overview: Overview) -> Iterator[str]:
    """What shows clips elsewhere: the montages, and packs that show what is hidden now."""
    for film in overview.montages:
        yield from _film_lines(film)
    if overview.old_packs:
        yield packs.to_be_deleted(overview.old_packs)


def _film_lines(film: FilmStatus) -> Iterator[str]:
    record, count = film.record, len(film.not_admitted)
    stale = ", stale: render again" if record.stale else ""
    yield f"Montage: {record.path}, {counted(len(record.clips), 'clip')}, {record.made_at}{stale}"
    if count and not record.stale:
        clips = counted(count, "clip that is", "clips that are")
        yield f"  it shows {clips} no longer admitted ({_named(film.not_admitted)})"
        yield "  next, for an editor: do not publish it; footage render makes it again"


def _named(shas: Sequence[str]) -> str:
    """The first of some clips, by the beginning of their SHA-256."""
    more = ", …" if len(shas) > _MOST_NAMED else ""
    return ", ".join(sha256[:12] for sha256 in shas[:_MOST_NAMED]) + more


def _inbox_lines(overview: Overview) -> Iterator[str]:
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
        runs = f", in {counted(mail.tries, 'run')}" if mail.why is Stay.MACHINE else ""
        yield f"Left {where}: {kind} {', '.join([mail.uid, *known])}{why}{runs}"


def _inbox(name: str) -> str:
    return f"Inbox {name}" if name else "The inbox"


def _run(overview: Overview, run: RunRecord) -> str:
    begun = f"footage {run.command}, began {run.started_at}"
    match overview.state_of(run):
        case "running":
            return f"{begun}, is running now"
        case "killed" if overview.is_ledger_older:
            return f"{begun}; this ledger does not know how it ended"
        case "killed":
            return f"{begun}, was killed or lost its power; nothing is lost, run it again"
    error = run.summary.get("error")
    said = f": {error}" if error else ""
    return f"{begun}, ended {run.ended_at}, exit {run.exit_code}{said}"
