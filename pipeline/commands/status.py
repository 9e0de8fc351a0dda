"""``footage status``: how many clips are in which state, what failed, and who has to act."""

from dataclasses import asdict

from pipeline.commands.ending import Ending, Facts
from pipeline.commands.overview import Overview, read_overview
from pipeline.commands.status_lines import status_lines
from pipeline.config import Config
from pipeline.consent import Consent
from pipeline.history import RunRecord
from pipeline.model import Row, Status
from pipeline.review import mails


def tell(config: Config) -> Ending:
    """Read the ledger, and say how things are, with the next step for each who has to act.

    :raises UsageError: nothing was ever taken in.
    """
    now = read_overview(config)
    return Ending(facts=_facts(now), lines=tuple(status_lines(now)))


def count(config: Config) -> dict[str, int]:
    """How many of each there are, by the names of ``notices.night.LABELS``.

    :raises UsageError: nothing was ever taken in.
    """
    now = read_overview(config)
    return {
        **now.counts,
        "waiting_for_review": now.waiting,
        "admitted": now.admitted,
        "mails_need_answer": sum(1 for each in now.mails if each.is_open),
        "mails_left": len(now.remains.left),
        "inboxes_failed": len(now.remains.inboxes_failed),
        "held_back": now.held_back,
        "waiting_for_consent": len(now.silent),
        "montages_stale": sum(film.record.stale for film in now.montages),
        "disk_free_bytes": now.room.free,
    }


def _facts(overview: Overview) -> Facts:
    return {
        "campaign": overview.campaign,
        "totals": overview.counts,
        "last_run": _run_facts(overview, overview.last_run),
        "last_night": _run_facts(overview, overview.last_night),
        "night_not_recorded": overview.not_recorded,
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
        "bare_lookalikes": overview.bare,
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
        "receipts_missed": list(overview.undone.missed_receipts),
        "not_stored": list(overview.undone.not_stored),
        "read_again": list(overview.read_again),
        "report_is_older": overview.is_report_older,
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


def _failure(row: Row) -> Facts:
    return {
        "sha256": row.attachment.sha256,
        "filename": row.attachment.filename,
        "reason": row.refusal.reason.value if row.refusal else None,
        "detail": row.refusal.detail if row.refusal else "",
    }


def _run_facts(overview: Overview, run: RunRecord | None) -> Facts | None:
    return {**asdict(run), "state": overview.state_of(run)} if run else None
