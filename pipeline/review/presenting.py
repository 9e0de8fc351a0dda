"""Values, reviews and the audit trail, in the form in which the report and the page take them."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.history import TrailEntry
from pipeline.ledger import Ledger
from pipeline.model import OriginalState, Review

JsonObject = dict[str, Any]

# Ingest keeps these out of the ledger. The report does not rely on it, because they would reverse
# the page's own words: control characters except tab and line feed, direction overrides.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def shown_text(text: str) -> str:
    """Remove the characters that are not shown but change what is."""
    return _HIDDEN.sub("", text)


def json_bytes(value: object) -> bytes:
    """Write a value as JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def shown_values(values: Mapping[str, object]) -> JsonObject:
    """Round numbers to three decimals, and remove from texts what is not shown."""
    return {key: _shown_value(value) for key, value in values.items()}


def review_data(review: Review) -> JsonObject:
    """Give a review as a row of the report has it."""
    return shown_values(vars(review))


def reviews_data(reviews: Mapping[str, Review]) -> list[JsonObject]:
    """Give reviews, which come by SHA-256, as the page takes them."""
    return [{"sha256": sha256, "review": review_data(review)} for sha256, review in reviews.items()]


def trail_data(ledger: Ledger, events: Iterable[TrailEntry]) -> list[JsonObject]:
    """Give events of the audit trail with the fields that each changed.

    Events on withdrawn footage are left out.
    """
    states: dict[str, OriginalState | None] = {}
    listed = []
    for event in events:
        if event.sha256 not in states:
            states[event.sha256] = ledger.custody.state(event.sha256)
        if states[event.sha256] is not OriginalState.WITHDRAWN:
            listed.append(_event_data(event))
    return listed


def _event_data(event: TrailEntry) -> JsonObject:
    before, after = review_data(event.before), review_data(event.after)
    changed = [key for key in after if key not in {"by", "at"} and after[key] != before[key]]
    return {
        "sha256": event.sha256,
        "at": event.at,
        "by": shown_text(event.by),
        "undoes": event.undoes is not None,
        "before": {key: before[key] for key in changed},
        "after": {key: after[key] for key in changed},
    }


def _shown_value(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    return shown_text(value) if isinstance(value, str) else value
