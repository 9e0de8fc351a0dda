"""``footage status``: what there is, what failed, and who is waited for."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from pipeline.config import Config
from pipeline.ledger import Ledger
from pipeline.model import Row, Status
from pipeline.review import rules


def facts(config: Config, ledger: Ledger) -> dict[str, Any]:
    """How things stand, as data."""
    rows = ledger.clips.rows()
    last = ledger.runs.last()
    failed = [row for row in rows if row.status is Status.FAILED]
    counts = Counter(row.status.value for row in rows)
    return {
        "campaign": config.campaign.name,
        "totals": {status.value: counts[status.value] for status in Status},
        "last_run": asdict(last) if last else None,
        "failed": [_failure(row) for row in failed],
        "waiting_for_review": len(rules.waiting(rows)) if config.review.required else 0,
        "waiting_for_process": counts[Status.PENDING.value],
        "admitted": len(rules.admitted(rows, required=config.review.required)),
        "montages": [
            {"path": it.path, "made_at": it.made_at, "stale": it.stale, "clips": len(it.clips)}
            for it in ledger.runs.montages()
        ],
    }


def _failure(row: Row) -> dict[str, Any]:
    return {
        "sha256": row.attachment.sha256,
        "filename": row.attachment.filename,
        "reason": row.refusal.reason.value if row.refusal else None,
        "detail": row.refusal.detail if row.refusal else "",
    }


def lines(standing: dict[str, Any]) -> list[str]:
    """The same in words, with the next thing to do for each who is waited for."""
    totals = standing["totals"]
    said = [
        standing["campaign"],
        "  " + ", ".join(f"{count} {name}" for name, count in totals.items() if count)
        if any(totals.values())
        else "  nothing has come in yet",
    ]
    last = standing["last_run"]
    if last:
        ended = (
            "is running or was killed" if last["ended_at"] is None else f"ended {last['ended_at']}"
        )
        code = "" if last["exit_code"] is None else f", exit {last['exit_code']}"
        said.append(
            f"Last run: footage {last['command']}, began {last['started_at']}, {ended}{code}"
        )
    said += [
        f"Failed: {(failure['sha256'] or '')[:12]} {failure['filename']}: "
        f"{failure['reason']} ({failure['detail']})"
        for failure in standing["failed"]
    ]
    if standing["failed"]:
        said.append("  next, for the media team: footage retry, then footage process")
    if standing["waiting_for_process"]:
        said.append(f"{standing['waiting_for_process']} wait for the media team: footage process")
    if standing["waiting_for_review"]:
        said.append(f"{standing['waiting_for_review']} wait for a reviewer: open the report")
    said.append(f"{standing['admitted']} clips are admitted to the montage")
    for film in standing["montages"]:
        stale = ", stale: render again" if film["stale"] else ""
        said.append(f"Montage: {film['path']}, {film['clips']} clips, {film['made_at']}{stale}")
    return said
