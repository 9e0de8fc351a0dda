"""How the model's records are written to the ledger's columns, and read from them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, TypeVar, get_args, get_type_hints

from pipeline.model import (
    Attachment,
    Carrier,
    ClipOutput,
    ClipResult,
    Finding,
    Kind,
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

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Columns = dict[str, object]
_EMPTY: dict[object, object] = {str: "", int: 0, float: 0.0, bool: False}
Record = TypeVar("Record", bound="DataclassInstance")


def columns(record: DataclassInstance) -> Columns:
    """A row for a record: each field under its name, what is no number or text as JSON."""
    written: Columns = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name == "refusal":
            written |= _refusal_columns(value)
        elif isinstance(value, tuple) or is_dataclass(value):
            written[field.name] = json.dumps(value, default=_plain)
        else:
            written[field.name] = value
    return written


def read(kind: type[Record], values: Mapping[str, object]) -> Record:
    """Read a stored record by the names of its fields.

    A field that *kind* does not have is ignored.  A missing one gets its default, or the empty
    value of its type.  So a record can be read that was written before a field existed.
    """
    found: dict[str, object] = {}
    for name, convert, absent in _plan(kind):
        if name in values:
            value = values[name]
            found[name] = value if convert is None or value is None else convert(value)
        elif absent is not MISSING:
            found[name] = absent
    return kind(**found)


def to_submission(row: sqlite3.Row) -> Submission:
    """Read a row of table submission."""
    lists = {
        "notes": tuple(map(Note, json.loads(row["notes"]))),
        "recipients": tuple(json.loads(row["recipients"])),
    }
    return read(Submission, dict(row) | lists)


def to_attachment(row: sqlite3.Row) -> Attachment:
    """Read a row of table attachment."""
    return read(Attachment, dict(row) | _outcome_fields(row))


def to_clip(row: sqlite3.Row) -> ClipResult:
    """Read a row of table clip."""
    parts = {
        "source": read(Source, json.loads(row["source"])) if row["source"] else None,
        "warnings": tuple(json.loads(row["warnings"])),
        "outputs": tuple(read(ClipOutput, output) for output in json.loads(row["outputs"])),
    }
    return read(ClipResult, dict(row) | _outcome_fields(row) | parts)


def to_review(row: sqlite3.Row) -> Review:
    """Read a row of table decision."""
    return read(Review, dict(row))


def trail_columns(entry: TrailEntry) -> Columns:
    """A row of table decision_trail; the ledger gives it its number."""
    written = columns(entry) | {"act": entry.act or None}
    del written["id"]
    return written


def to_trail(row: sqlite3.Row) -> TrailEntry:
    """Read a row of table decision_trail."""
    reviews = {name: read(Review, json.loads(row[name])) for name in ("before", "after")}
    return read(TrailEntry, dict(row) | reviews | {"act": row["act"] or row["id"]})


def to_montage(row: sqlite3.Row) -> MontageRecord:
    """Read a row of table montage."""
    return read(MontageRecord, dict(row) | {"clips": tuple(json.loads(row["clips"]))})


def to_run(row: sqlite3.Row) -> RunRecord:
    """Read a row of table run."""
    return read(RunRecord, dict(row) | {"summary": json.loads(row["summary"] or "{}")})


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


def _outcome_fields(row: sqlite3.Row) -> dict[str, object]:
    """The fields that the tables attachment and clip have in common."""
    refusal = None
    if row["reason"]:
        values = json.loads(row["detail_values"])
        refusal = Refusal(Reason(row["reason"]), Detail(row["detail_code"]), values)
    found = [Finding(Carrier(carrier), What(what)) for carrier, what in json.loads(row["findings"])]
    return {"refusal": refusal, "findings": tuple(found)}


def _plain(item: DataclassInstance) -> object:
    return [item.carrier, item.what] if isinstance(item, Finding) else asdict(item)


@cache
def _plan(kind: type) -> tuple[tuple[str, Callable[[object], object] | None, object], ...]:
    """For each field of a record: its name, what makes its type of a value, and its default."""
    hints = get_type_hints(kind)
    return tuple(
        (field.name, _converter(hints[field.name]), _absent(field, hints[field.name]))
        for field in fields(kind)
    )


def _converter(hint: object) -> Callable[[object], object] | None:
    kind = next(iter(get_args(hint)), hint) if NoneType in get_args(hint) else hint
    return kind if isinstance(kind, type) and issubclass(kind, (StrEnum, bool)) else None


def _absent(field: Field[object], hint: object) -> object:
    """What a missing field becomes; MISSING if the record's own default is used."""
    if field.default is not MISSING or field.default_factory is not MISSING:
        return MISSING
    return None if NoneType in get_args(hint) else _EMPTY.get(hint, MISSING)
