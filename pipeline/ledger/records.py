"""How the model's records stand in the ledger's columns, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.model import (
    Attachment,
    Carrier,
    ClipOutput,
    ClipResult,
    Decision,
    Finding,
    Kind,
    MailIdentity,
    Note,
    Reason,
    Refusal,
    Review,
    Source,
    Status,
    Submission,
    What,
)


def identity_key(identity: MailIdentity) -> tuple[str, str, int, str]:
    """The primary key of a mail."""
    return identity.account, identity.mailbox, identity.uidvalidity, identity.uid


def refusal_columns(refusal: Refusal | None) -> tuple[str | None, str | None]:
    """The columns reason and detail."""
    return (refusal.reason, refusal.detail) if refusal else (None, None)


def to_refusal(row: sqlite3.Row) -> Refusal | None:
    """The refusal that the columns reason and detail hold, if any."""
    return Refusal(Reason(row["reason"]), row["detail"]) if row["reason"] else None


def findings_json(findings: Iterable[Finding]) -> str:
    """A JSON array of [carrier, what]."""
    return json.dumps([[finding.carrier, finding.what] for finding in findings])


def to_findings(text: str) -> tuple[Finding, ...]:
    """What findings_json wrote."""
    return tuple(Finding(Carrier(carrier), What(what)) for carrier, what in json.loads(text))


def to_submission(row: sqlite3.Row, submission_id: str) -> Submission:
    """A row of table submission."""
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


def to_attachment(row: sqlite3.Row) -> Attachment:
    """A row of table attachment."""
    return Attachment(
        position=row["position"],
        filename=row["filename"],
        kind=Kind(row["kind"]),
        sha256=row["sha256"],
        size=row["size"],
        parent=row["parent"],
        refusal=to_refusal(row),
        findings=to_findings(row["findings"]),
    )


def to_clip(row: sqlite3.Row) -> ClipResult:
    """A row of table clip."""
    return ClipResult(
        sha256=row["sha256"],
        recipe=row["recipe"],
        status=Status(row["status"]),
        refusal=to_refusal(row),
        findings=to_findings(row["findings"]),
        clean=None if row["clean"] is None else bool(row["clean"]),
        source=Source(**json.loads(row["source"])) if row["source"] else None,
        caption=row["caption"],
        category=row["category"],
        warnings=tuple(json.loads(row["warnings"])),
        outputs=tuple(ClipOutput(**output) for output in json.loads(row["outputs"])),
    )


def to_review(row: sqlite3.Row) -> Review:
    """A row of table decision."""
    values = {key: row[key] for key in row.keys() if key != "sha256"}  # noqa: SIM118 - sqlite3.Row
    return Review(**values | {"decision": Decision(row["decision"])})


@dataclass(frozen=True)
class TrailEntry:
    """One event of the audit trail.

    ``undoes`` is the entry that it took back, if it did; ``act`` is that of the first of the
    events that are one act, to be undone as one.
    """

    id: int
    sha256: str
    at: str
    by: str
    before: Review
    after: Review
    act: int
    undoes: int | None = None


def to_trail(row: sqlite3.Row) -> TrailEntry:
    """A row of table decision_trail."""
    after = json.loads(row["after"])
    undoes, act = after.pop("undoes", None), after.pop("act", None)
    return TrailEntry(
        id=row["id"],
        sha256=row["sha256"],
        at=row["at"],
        by=row["by"],
        before=_stored_review(json.loads(row["before"])),
        after=_stored_review(after),
        act=act or row["id"],
        undoes=undoes,
    )


def _stored_review(values: dict[str, Any]) -> Review:
    return Review(**values | {"decision": Decision(values["decision"])})


def outcome(
    item: Attachment, state: str | None, result: ClipResult | None, *, repeated: bool
) -> tuple[Status, Refusal | None]:
    """The status and the reason that an attachment's row shows."""
    if state == "withdrawn":
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
