"""How the model's records are written to the ledger's columns, and read from them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, TypeVar, cast, get_args, get_origin, get_type_hints

from pipeline.errors import RowUnreadable
from pipeline.findings import Carrier, Finding, What
from pipeline.model import (
    Attachment,
    ClipOutput,
    ClipResult,
    Kind,
    OriginalState,
    Reason,
    Refusal,
    Source,
    Status,
)
from pipeline.texts import Detail, Value

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_GONE = Refusal(Reason.CORRUPT, Detail.ORIGINAL_GONE)
Columns = dict[str, object]
_Convert = Callable[[object], object]
_EMPTY: dict[object, object] = {str: "", int: 0, float: 0.0, bool: False}
# fields of JSON without which a clip can't be shown; every version of the program writes them
_NEEDED: dict[type, frozenset[str]] = {
    ClipOutput: frozenset(("name", "path", "sha256", "width", "height", "fps")),
    Source: frozenset(("width", "height")),
}
_LARGEST_NUMBER = 2**63  # of SQLite's whole numbers
Record = TypeVar("Record", bound="DataclassInstance")
Read = TypeVar("Read")
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def columns(record: DataclassInstance) -> Columns:
    """A row for a record: each field under its name, anything but a number or text as JSON."""
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


def read(kind: type[Record], stored: sqlite3.Row | Mapping[str, object]) -> Record:
    """Read a record from a row, or from an object of JSON, by the names of its fields.

    A field that *kind* does not have is ignored.  A missing one gets its default, or the empty
    value of its type.  So a record can be read that was written before a field existed.

    :raises ValueError: a value is not one that the program writes; TypeError, KeyError and
        AttributeError are possible too.
    """
    values: Columns = dict(stored)
    if "detail_code" in values:
        values["refusal"] = _refusal(values)
    found: Columns = {}
    for name, convert, absent in _plan(kind):
        if name in values:
            found[name] = convert(values[name])
        elif absent is not MISSING:
            found[name] = absent
    return kind(**found)


def read_row(kind: type[Record], stored: sqlite3.Row | Mapping[str, object]) -> Record:
    """Read a record from a row of the ledger, as :func:`read`.

    :raises RowUnreadable: a value is not one that the program writes.
    """
    with reading():
        return read(kind, stored)


@contextmanager
def reading() -> Iterator[None]:
    """Raise RowUnreadable where what a row holds can't be read."""
    try:
        yield
    except _UNREADABLE as error:
        raise RowUnreadable from error


def readable(
    rows: Iterable[sqlite3.Row], convert: Callable[[sqlite3.Row], Read], *, skips: bool
) -> Iterator[tuple[sqlite3.Row, Read]]:
    """Read each row, and give the row and what was read.

    :param skips: pass over rows that can't be read.
    :raises RowUnreadable: a row can't be read.
    """
    for row in rows:
        try:
            with reading():
                converted = convert(row)
        except RowUnreadable:
            if not skips:
                raise
        else:
            yield row, converted


def strings(stored: str) -> tuple[str, ...]:
    """Read a JSON array of texts.

    :raises RowUnreadable: it is not such an array.
    """
    with reading():
        found = json.loads(stored)
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise TypeError
    return tuple(found)


def state(row: sqlite3.Row) -> OriginalState:
    """The state of an original.

    :raises RowUnreadable: the row has none that the program writes.
    """
    with reading():
        return OriginalState(row["state"])


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
    is_gone = state in (OriginalState.PURGED, OriginalState.LOST)
    if is_gone and (result is None or result.status is Status.FAILED):
        result, refusal = None, _GONE
    if repeated:
        return Status.DUPLICATE, refusal
    if result is None:
        return (refusal.reason.status if refusal else Status.PENDING), refusal
    return result.status, refusal


def _refusal_columns(refusal: Refusal | None) -> Columns:
    return {
        "reason": refusal.reason if refusal else None,
        "detail_code": refusal.code if refusal else None,
        "detail_values": json.dumps(refusal.values) if refusal else None,
    }


def _refusal(row: Columns) -> Refusal | None:
    """Read the columns of a refusal; a code of a newer program is shown as it is."""
    if row["reason"] is None:
        return None
    code, values = str(row["detail_code"]), _object(row["detail_values"])
    if not all(value is None or isinstance(value, str | int | float) for value in values.values()):
        raise TypeError
    if code not in set(Detail):
        code, values = Detail.AS_WRITTEN, {"text": code}
    refusal = Refusal(Reason(str(row["reason"])), Detail(code), cast("dict[str, Value]", values))
    _ = refusal.detail  # raises if these values can't be in its sentence
    return refusal


def _plain(item: DataclassInstance) -> object:
    return [item.carrier, item.what] if isinstance(item, Finding) else asdict(item)


def _loaded(stored: object) -> object:
    """What JSON holds; inside of other JSON it is loaded already."""
    return json.loads(stored) if isinstance(stored, str) else stored


def _object(stored: object) -> dict[str, object]:
    loaded = _loaded(stored)
    if not isinstance(loaded, dict):
        raise TypeError
    return loaded


def _tuple(stored: object, convert: _Convert) -> tuple[object, ...]:
    if stored == "[]":  # nearly all of them are
        return ()
    items = _loaded(stored)
    if not isinstance(items, list):
        raise TypeError
    return tuple(map(convert, items))


def _nested(kind: type[Record], stored: object) -> Record:
    values = _object(stored)
    if not _NEEDED.get(kind, frozenset()) <= values.keys():
        raise KeyError
    return read(kind, values)


def _finding(stored: object) -> Finding:
    carrier, what = cast("tuple[str, str]", stored)
    return Finding(Carrier(carrier), What(what))


def _text(stored: object) -> str:
    if not isinstance(stored, str):
        raise TypeError
    return stored


def _whole_number(stored: object) -> int:
    if type(stored) is not int or not -_LARGEST_NUMBER <= stored < _LARGEST_NUMBER:
        raise TypeError
    return stored


def _number(stored: object) -> float:
    """A number that can be counted with: neither infinite nor NaN."""
    if type(stored) not in (int, float):
        raise TypeError
    number = cast("float", stored)
    if not abs(number) < _LARGEST_NUMBER:
        raise ValueError
    return number


def _truth(stored: object) -> bool:
    """JSON has true and false; a column has 1 and 0."""
    if stored not in (False, True):
        raise TypeError
    return bool(stored)


def _as_it_is(stored: object) -> object:
    return stored


_CONVERTERS: dict[object, _Convert] = {
    str: _text,
    int: _whole_number,
    float: _number,
    bool: _truth,
    Finding: _finding,
}


@cache
def _plan(kind: type) -> tuple[tuple[str, _Convert, object], ...]:
    """For each field of a record: its name, what makes its type of a value, and its default."""
    hints = get_type_hints(kind)
    return tuple(
        (field.name, _converter(hints[field.name]), _absent(field, hints[field.name]))
        for field in fields(kind)
    )


def _converter(hint: object) -> _Convert:
    """What makes a type of a value; it raises where the value has another type."""
    parts = get_args(hint)
    if NoneType in parts:
        convert = _converter(parts[0])
        return lambda stored: None if stored is None else convert(stored)
    if get_origin(hint) is tuple:
        convert = _converter(parts[0])
        return lambda stored: _tuple(stored, convert)
    if get_origin(hint) is dict:
        return _object
    if hint in _CONVERTERS:
        return _CONVERTERS[hint]
    if not isinstance(hint, type) or hint is Refusal:
        return _as_it_is
    if is_dataclass(hint):
        return lambda stored: _nested(hint, stored)
    return hint if issubclass(hint, StrEnum) else _as_it_is


def _absent(field: Field[object], hint: object) -> object:
    """What a missing field becomes; MISSING if the record's own default is used."""
    if field.default is not MISSING or field.default_factory is not MISSING:
        return MISSING
    return None if NoneType in get_args(hint) else _EMPTY.get(hint, MISSING)
