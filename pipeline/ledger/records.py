"""How the model's records are written to the ledger's columns, and read from them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import MISSING, asdict, fields
from enum import StrEnum
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from pipeline import clock
from pipeline.model import (
    Attachment,
    Carrier,
    ClipOutput,
    ClipResult,
    Finding,
    Kind,
    MailIdentity,
    MontageRecord,
    Note,
    OriginalState,
    Reason,
    Refusal,
    Review,
    RunRecord,
    Source,
    Status,
    Submission,
    TrailEntry,
    What,
)
from pipeline.texts import Detail

Columns = dict[str, object]
Record = TypeVar("Record", Source, ClipOutput, Review)


def from_json(kind: type[Record], values: dict[str, Any]) -> Record:
    """Read a stored record by the names of its fields.

    A field that *kind* does not have is ignored.  A missing one gets its default, or the empty
    value of its type.  So a ledger can be read that was written before a field existed.
    """
    hints = get_type_hints(kind)
    read: dict[str, Any] = {}
    for field in fields(kind):
        hint = hints[field.name]
        if field.name in values:
            stored = values[field.name]
            is_enum = isinstance(hint, type) and issubclass(hint, StrEnum)
            read[field.name] = hint(stored) if is_enum else stored
        elif field.default is MISSING:
            read[field.name] = None if NoneType in get_args(hint) else hint()
    return kind(**read)


def submission_columns(submission: Submission) -> Columns:
    """A row of table submission."""
    return {
        "id": submission.id,
        "message_id": submission.message_id,
        "sender": submission.sender,
        "subject": submission.subject,
        "text": submission.text,
        "received_at": submission.received_at,
        "notes": json.dumps(submission.notes),
        "recipients": json.dumps(submission.recipients),
    }


def to_submission(row: sqlite3.Row, submission_id: str) -> Submission:
    """Read a row of table submission."""
    return Submission(
        id=submission_id,
        message_id=row["message_id"],
        sender=row["sender"],
        subject=row["subject"],
        text=row["text"],
        received_at=row["received_at"],
        notes=tuple(Note(note) for note in json.loads(row["notes"])),
        recipients=tuple(json.loads(row["recipients"])),
    )


def mail_columns(identity: MailIdentity, submission: str, digest: str) -> Columns:
    """A row of table mail."""
    return asdict(identity) | {"submission": submission, "digest": digest}


def attachment_columns(submission: str, item: Attachment) -> Columns:
    """A row of table attachment."""
    return {
        "submission": submission,
        "position": item.position,
        "parent": item.parent,
        "filename": item.filename,
        "kind": item.kind,
        "sha256": item.sha256,
        "size": item.size,
        "findings": _findings_json(item.findings),
        **_refusal_columns(item.refusal),
    }


def to_attachment(row: sqlite3.Row) -> Attachment:
    """Read a row of table attachment."""
    return Attachment(
        position=row["position"],
        filename=row["filename"],
        kind=Kind(row["kind"]),
        sha256=row["sha256"],
        size=row["size"],
        parent=row["parent"],
        refusal=_to_refusal(row),
        findings=_to_findings(row["findings"]),
    )


def clip_columns(result: ClipResult) -> Columns:
    """A row of table clip."""
    return {
        "sha256": result.sha256,
        "recipe": result.recipe,
        "status": result.status,
        "findings": _findings_json(result.findings),
        "clean": result.clean,
        "source": json.dumps(asdict(result.source)) if result.source else None,
        "caption": result.caption,
        "category": result.category,
        "warnings": json.dumps(result.warnings),
        "looks_like": result.looks_like,
        "outputs": json.dumps([asdict(output) for output in result.outputs]),
        "done_at": clock.now(),
        **_refusal_columns(result.refusal),
    }


def to_clip(row: sqlite3.Row) -> ClipResult:
    """Read a row of table clip."""
    return ClipResult(
        sha256=row["sha256"],
        recipe=row["recipe"],
        status=Status(row["status"]),
        refusal=_to_refusal(row),
        findings=_to_findings(row["findings"]),
        clean=None if row["clean"] is None else bool(row["clean"]),
        source=from_json(Source, json.loads(row["source"])) if row["source"] else None,
        caption=row["caption"],
        category=row["category"],
        warnings=tuple(json.loads(row["warnings"])),
        looks_like=row["looks_like"],
        outputs=tuple(from_json(ClipOutput, output) for output in json.loads(row["outputs"])),
    )


def review_columns(sha256: str, review: Review) -> Columns:
    """A row of table decision."""
    return {"sha256": sha256, **asdict(review)}


def to_review(row: sqlite3.Row) -> Review:
    """Read a row of table decision."""
    return from_json(Review, dict(row))


def trail_columns(entry: TrailEntry) -> Columns:
    """A row of table decision_trail; the ledger gives it its number."""
    return {
        "sha256": entry.sha256,
        "at": entry.at,
        "by": entry.by,
        "before": json.dumps(asdict(entry.before)),
        "after": json.dumps(asdict(entry.after)),
        "act": entry.act or None,
        "undoes": entry.undoes,
    }


def to_trail(row: sqlite3.Row) -> TrailEntry:
    """Read a row of table decision_trail."""
    return TrailEntry(
        id=row["id"],
        sha256=row["sha256"],
        at=row["at"],
        by=row["by"],
        before=from_json(Review, json.loads(row["before"])),
        after=from_json(Review, json.loads(row["after"])),
        act=row["act"] or row["id"],
        undoes=row["undoes"],
    )


def montage_columns(montage: MontageRecord) -> Columns:
    """A row of table montage."""
    return asdict(montage) | {"clips": json.dumps(montage.clips)}


def to_montage(row: sqlite3.Row) -> MontageRecord:
    """Read a row of table montage."""
    return MontageRecord(
        path=row["path"],
        key=row["key"],
        sha256=row["sha256"],
        clips=tuple(json.loads(row["clips"])),
        made_at=row["made_at"],
        stale=bool(row["stale"]),
    )


def to_run(row: sqlite3.Row) -> RunRecord:
    """Read a row of table run."""
    return RunRecord(
        id=row["id"],
        command=row["command"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        exit_code=row["exit_code"],
        summary=json.loads(row["summary"] or "{}"),
    )


def outcome(
    item: Attachment, state: OriginalState | None, result: ClipResult | None, *, repeated: bool
) -> tuple[Status, Refusal | None]:
    """The status and the refusal that the row of an attachment shows."""
    if state is OriginalState.WITHDRAWN:
        return Status.WITHDRAWN, None
    if item.refusal is not None:
        return item.refusal.reason.status, item.refusal
    if item.kind is Kind.ARCHIVE:
        return (Status.DUPLICATE if repeated else Status.ACCEPTED), None
    refusal = result.refusal if result else None
    if repeated:
        return Status.DUPLICATE, refusal
    if result is None:
        return Status.PENDING, None
    return result.status, refusal


def _refusal_columns(refusal: Refusal | None) -> Columns:
    return {
        "reason": refusal.reason if refusal else None,
        "detail_code": refusal.code if refusal else None,
        "detail_values": json.dumps(refusal.values) if refusal else None,
    }


def _to_refusal(row: sqlite3.Row) -> Refusal | None:
    if not row["reason"]:
        return None
    code, values = Detail(row["detail_code"]), json.loads(row["detail_values"])
    return Refusal(Reason(row["reason"]), code, values)


def _findings_json(findings: Iterable[Finding]) -> str:
    """A JSON array of [carrier, what]."""
    return json.dumps([[finding.carrier, finding.what] for finding in findings])


def _to_findings(text: str) -> tuple[Finding, ...]:
    return tuple(Finding(Carrier(carrier), What(what)) for carrier, what in json.loads(text))
