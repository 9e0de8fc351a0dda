"""Values, reviews and the audit trail, in the form in which the report and the page take them."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.history import TrailEntry
from pipeline.ledger import Ledger
from pipeline.ledger.reviews import stored
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
    """Give a review as a row of the report has it.

    Its newer fields (masks, and what else protects people) are left out where they say nothing.
    """
    return {key: _shown_value(value) for key, value in stored(review).items()}


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
    keys = dict.fromkeys([*before, *after])
    changed = [key for key in keys if before.get(key) != after.get(key)]
    # the decision says already that its author approved
    told = {"by", "at"} | ({"agreed_by"} if "decision" in changed else set())
    changed = [key for key in changed if key not in told]
    return {
        "sha256": event.sha256,
        "at": event.at,
        "by": shown_text(event.by),
        "undoes": event.undoes is not None,
        "before": {key: _counted(before.get(key)) for key in changed},
        "after": {key: _counted(after.get(key)) for key in changed},
    }


def _counted(value: object) -> object:
    """A list of masks has thousands of numbers; the history shows how many there are."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return len(value)
    return value


def _shown_value(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, tuple | list):
        return [_shown_item(item) for item in value]
    return shown_text(value) if isinstance(value, str) else value


def _shown_item(value: object) -> object:
    """A value inside of another; numbers of masks need all their decimals."""
    if isinstance(value, dict):
        return {key: _shown_item(item) for key, item in value.items()}
    return value if isinstance(value, float) else _shown_value(value)
