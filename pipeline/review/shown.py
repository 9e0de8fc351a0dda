"""Values as the report shows them: numbers to three decimals, words without hidden turns."""

from __future__ import annotations

import re
from typing import Any

# Ingest keeps these out of the ledger already; a report must not depend on it, for they would
# turn the page's own words around: controls but tab and line feed, direction overrides.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers to three decimals, words without what is not shown."""
    return {key: _value(value) for key, value in values.items()}


def shown(text: str) -> str:
    """A text without what is not shown."""
    return _UNSHOWN.sub("", text)


def _value(value: Any) -> Any:
    match value:
        case float():
            return round(value, 3)
        case str():
            return shown(value)
        case _:
            return value
