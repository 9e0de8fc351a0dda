"""The per-clip report: what the ledger knows, as data and as files for people.

``build`` makes the data from the ledger.  ``write`` publishes them as a page, as JSON and as a
table, with the stills beside them.  A report without changes is not written again, so
``generated_at`` is the time of the last change.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import addressees, clock, publishing
from pipeline.config import Config
from pipeline.consent import Consent, ConsentRecord
from pipeline.history import InboxRemains
from pipeline.ledger import Ledger, heads
from pipeline.model import Row, Status
from pipeline.review import (
    alike,
    clip_data,
    consents,
    deciders,
    mails,
    packs,
    page,
    proposing,
    stills,
    table,
    undone,
    unseen,
)
from pipeline.review.admission import Admission
from pipeline.review.clip_data import ClipFacts
from pipeline.review.mails import MailView
from pipeline.review.presenting import (
    JsonObject,
    json_bytes,
    shown_text,
    trail_data,
)
from pipeline.review.rules import (
    admitted,
    shown_seconds,
    waiting,
    waits_for_consent,
)
from pipeline.run import Run
from pipeline.store import FootageFile
from pipeline.store.stills import discard
from pipeline.wording import SenderStyle, shown_sender
from pipeline.workspace import Workspace

SCHEMA_VERSION = 1
_TEXT_LIMIT = 2000
_TIME = re.compile(rb'"generated_at": "[^"]*"')


@dataclass(frozen=True)
class ReportSummary:
    """The figures of a report.

    ``changed`` names the files that were written; ``waiting`` counts the clips that no
    reviewer has decided on; ``montage_s`` is the length of the admitted clips in seconds;
    ``needs_answer`` says how many mails wait for an answer, and why.  ``lost_stills`` are the
    originals (by SHA-256) whose clips must be made again, because their stills are lost.
    """

    index: Path
    totals: dict[str, int]
    waiting: int
    admitted: int
    montage_s: float
    changed: tuple[str, ...]
    needs_answer: str = ""
    lost_stills: tuple[str, ...] = ()


def write(run: Run) -> ReportSummary:
    """Bring the folder ``report/`` of the workspace up to date.

    :raises OSError: the disk is full or the folder can't be written; the old report stays.
    """
    knows = unseen.newest_mail(run.ledger)
    folder, rows = run.workspace.report, run.ledger.clips.rows()
    report = build(run.config, run.ledger, clock.now(), rows)
    data = _kept_if_equal(folder / "report.json", encode(report))
    lost = stills.bring_up_to_date(run.workspace, run.store, rows)
    beyond = collect_facts(run.config, run.ledger, knows)
    # made one after the other: with ten thousand rows each takes megabytes
    makers: dict[str, Callable[[], bytes]] = {
        "report.json": lambda: data,
        "report.csv": lambda: table.render(report),
        "mails.csv": lambda: table.render_mails(report),
        "index.html": lambda: page.render(data, beyond),
    }
    changed = [name for name, make in makers.items() if _publish(folder / name, make())]
    montage = admitted(rows, Admission.of(run.config, run.ledger, rows))
    summary = ReportSummary(
        index=folder / "index.html",
        totals=report["totals"],
        waiting=len(waiting(rows)),
        admitted=len(montage),
        montage_s=round(sum(shown_seconds(row) for row in montage), 3),
        changed=tuple(changed),
        needs_answer=mails.open_line(mails.view(run.ledger, rows)),
        lost_stills=_discarded(run, lost),
    )
    run.console.event("report", totals=summary.totals, waiting=summary.waiting, changed=changed)
    return summary


def _discarded(run: Run, lost: Mapping[str, FootageFile]) -> tuple[str, ...]:
    """Say which stills are lost, and delete them, so that their clips are made again.

    :returns: the originals of those clips, by SHA-256.
    """
    anew = [sha256 for sha256, still in lost.items() if discard(run.store, sha256, still)]
    for sha256 in lost:
        then = (
            "its clip is made again" if sha256 in anew else "it can't be made: its original is gone"
        )
        run.console.warn(f"report: the still of {sha256[:12]} is gone or was changed; {then}")
    return tuple(anew)


def collect_facts(
    config: Config, ledger: Ledger, knows: int = 0, live: page.LiveReview | None = None
) -> page.PageFacts:
    """Collect what the page shows beyond the report.

    :param knows: the newest mail in the report, so read before the report is built.
    """
    return page.PageFacts(
        campaign=config.campaign.name,
        required=config.review.required,
        needs_consent=config.review.needs_consent,
        four_eyes=config.review.four_eyes,
        music=bool(config.montage.music),
        old_packs=tuple(packs.outdated(ledger)),
        missed_receipts=undone.undone(config, ledger).missed_receipts,
        is_ledger_older=heads.is_ledger_older(Workspace(config.root), ledger),
        loudness_lufs=config.process.loudness_lufs,
        knows=knows,
        new=tuple(sorted(ledger.custody.newest())),
        categories=tuple(category.name for category in config.campaign.category),
        trail=tuple(trail_data(ledger, ledger.reviews.trail())),
        live=live,
    )


def encode(report: JsonObject) -> bytes:
    """Write the report as JSON with one submission or clip a line, so that a diff is readable."""
    keys = ("schema", "campaign", "generated_at", "totals", "consent", "inbox", "not_stored")
    head = {key: report[key] for key in keys}
    written = json_bytes(head)[:-1]
    for key in ("submissions", "clips"):
        written += f',\n"{key}": [\n'.encode() + b",\n".join(map(json_bytes, report[key])) + b"\n]"
    return written + b"}\n"


def build(
    config: Config, ledger: Ledger, generated_at: str, rows: list[Row] | None = None
) -> JsonObject:
    """Make the report as data, in the form of ``report.schema.json`` (draft 2020-12).

    :param generated_at: RFC 3339.
    :param rows: those of the ledger, if they are read already.
    """
    rows = ledger.clips.rows() if rows is None else rows
    statuses = Counter(row.status for row in rows)
    asking = _asking(config, rows)
    views = mails.view(ledger, rows)
    agreements = _agreements(config, ledger, views)
    masking = _Masking(config.report.sender, ledger.intake.sender_numbers())
    facts = ClipFacts(
        config=config,
        waits=ledger.runs.waits(),
        admission=Admission.of(config, ledger, rows),
        made=deciders.decisions_made(ledger.reviews.trail()),
        bare=alike.bare(rows),
    )
    return {
        "schema": SCHEMA_VERSION,
        "campaign": config.campaign.name,
        "generated_at": generated_at,
        "totals": {status.value: statuses[status] for status in Status},
        "consent": asking,
        "inbox": _in_inbox(ledger.runs.remains(), views, masking),
        "not_stored": list(undone.not_stored(config, ledger)),
        "submissions": [
            {**_submission(each, masking), "consent": agreements[each.mail.id]} for each in views
        ],
        "clips": [clip_data.of(row, facts) for row in _family_order(rows)],
    }


def _family_order(rows: list[Row]) -> list[Row]:
    """Sort the rows by receipt, with what was in an archive right after the archive."""
    submissions = dict.fromkeys(row.submission for row in rows)
    order = {submission: number for number, submission in enumerate(submissions)}
    parents = {(row.submission, row.attachment.position): row.attachment.parent for row in rows}

    def place(row: Row) -> tuple[int, list[int]]:
        path: list[int] = []
        position: int | None = row.attachment.position
        # a changed ledger may name an archive that is in itself
        while (row.submission, position) in parents and position not in path:
            assert position is not None
            path.insert(0, position)
            position = parents[row.submission, position]
        return order[row.submission], path

    return sorted(rows, key=place)


@dataclass(frozen=True)
class _Masking:
    """How senders are shown, and the number of each by the address in lower case."""

    style: SenderStyle
    numbers: Mapping[str, int]

    def of(self, sender: str) -> JsonObject:
        """The fields of a report that say who a sender is."""
        number = self.numbers.get(addressees.person(sender)) if self.style != "none" else None
        return {"sender": shown_sender(sender, self.style, number), "sender_number": number}


def _asking(config: Config, rows: list[Row]) -> JsonObject:
    """Whether consent is needed, and how many mails wait for an answer on it."""
    needed = config.review.needs_consent
    silent = waits_for_consent(rows, needs_consent=needed)
    asked = sum(consent is Consent.ASKED for consent in silent.values())
    return {"required": needed, "waiting": len(silent), "asked": asked}


def _agreements(config: Config, ledger: Ledger, views: Sequence[MailView]) -> dict[str, JsonObject]:
    """What each sender agreed to, and what a mail proposes, by submission.

    Words are looked at only in a campaign that asks for consent or has recorded one.
    """
    courses = ledger.consents.courses()
    is_used = config.review.needs_consent or bool(courses)
    proposed = proposing.proposals(views, courses, config.campaign.name) if is_used else {}
    found = {}
    for seen in views:
        course = courses.get(seen.mail.id)
        record = course.record if course else ConsentRecord(seen.mail.id)
        proposal = proposed.get(seen.mail.id)
        data = proposal.as_data() if proposal else None
        found[seen.mail.id] = {**consents.as_data(record), "proposed": data}
    return found


def _in_inbox(remains: InboxRemains, views: Sequence[MailView], masking: _Masking) -> JsonObject:
    """What the newest reading of the inboxes left there: it has no row of its own yet."""
    senders = {each.mail.id: each.mail.sender for each in views}
    return {
        "mails": [
            {
                "inbox": mail.inbox,
                "name": shown_text(mail.uid),
                "received_at": mail.received_at or None,
                "size": mail.size,
                "why": mail.why,
                **masking.of(senders.get(mail.same_sender_as, "")),
            }
            for mail in remains.left
        ],
        "not_read": [each.inbox for each in remains.inboxes_failed],
        "remarks": [
            {"inbox": each.inbox, "text": shown_text(each.text)} for each in remains.inbox_remarks
        ],
    }


def _submission(seen: MailView, masking: _Masking) -> JsonObject:
    item, handled, style = seen.mail, seen.handled, masking.style
    return {
        "id": item.id,
        "message_id": shown_text(item.message_id),
        **masking.of(item.sender),
        "sender_name": shown_text(item.name) if style == "full" else "",
        "subject": shown_text(item.subject),
        "text": shown_text(item.text[:_TEXT_LIMIT]),
        "received_at": item.received_at,
        "notes": list(item.notes),
        "clips": len(seen.rows),
        "links": list(map(shown_text, item.links)),
        "needs_answer": list(seen.matters),
        "answers": seen.answers,
        "wrote_again": list(seen.later),
        "handled": {"by": shown_text(handled.by), "at": handled.at} if handled else None,
        "inbox": item.inbox,
    }


def _kept_if_equal(path: Path, data: bytes) -> bytes:
    """Give the content of the file at *path* if only its time differs, otherwise *data*."""
    before = path.read_bytes() if path.exists() else b""
    return before if _TIME.sub(b"", before, count=1) == _TIME.sub(b"", data, count=1) else data


def _publish(final: Path, data: bytes) -> bool:
    """Publish *data* unless the file has that content already.

    :returns: whether it was written.
    """
    if final.exists() and final.read_bytes() == data:
        return False
    with publishing.new_file(final) as file:
        file.write(data)
    return True
