"""The audit trail as the page shows it: who decided what, when, and what stood there before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.ledger import Ledger
from pipeline.model import OriginalState, Review, TrailEntry
from pipeline.review.shown import plain, shown


def of_all(ledger: Ledger) -> tuple[dict[str, Any], ...]:
    """All events; nothing of footage that was taken back."""
    return tuple(told(ledger, ledger.reviews.trail()))


def told(ledger: Ledger, events: Iterable[TrailEntry]) -> list[dict[str, Any]]:
    """Events as the page takes them, of each the fields that it changed."""
    states: dict[str, OriginalState | None] = {}
    listed = []
    for event in events:
        if event.sha256 not in states:
            states[event.sha256] = ledger.custody.state(event.sha256)
        if states[event.sha256] is not OriginalState.WITHDRAWN:
            listed.append(_told(event))
    return listed


def _told(event: TrailEntry) -> dict[str, Any]:
    before, after = _said(event.before), _said(event.after)
    changed = [key for key in after if after[key] != before[key]]
    return {
        "sha256": event.sha256,
        "at": event.at,
        "by": shown(event.by),
        "undoes": event.undoes is not None,
        "before": {key: before[key] for key in changed},
        "after": {key: after[key] for key in changed},
    }


def _said(review: Review) -> dict[str, Any]:
    return {key: value for key, value in plain(vars(review)).items() if key not in {"by", "at"}}
