"""Which clips the review lets into the montage.  Pure: rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.model import Decision, Row, Status


def may_be_shown(row: Row) -> bool:
    """Whether a row holds a finished clip at all: accepted, verified clean, with outputs.

    A duplicate holds none: its clip is that of the first.
    """
    result = row.result
    return (
        row.status is Status.ACCEPTED
        and result is not None
        and result.clean is True
        and bool(result.outputs)
    )


def admitted(rows: Iterable[Row], *, required: bool) -> list[Row]:
    """The rows whose clips go into the montage, in the order in which they came.

    :param required: a clip needs a reviewer's approval; else only those that a reviewer
        rejected or held stay out.
    """
    return [
        row for row in rows if may_be_shown(row) and _passes(row.review.decision, required=required)
    ]


def waiting(rows: Iterable[Row]) -> list[Row]:
    """The rows whose clips wait for a reviewer's first word."""
    return [row for row in rows if may_be_shown(row) and row.review.decision is Decision.UNDECIDED]


def _passes(decision: Decision, *, required: bool) -> bool:
    if required:
        return decision is Decision.APPROVED
    return decision not in {Decision.REJECTED, Decision.HELD}
