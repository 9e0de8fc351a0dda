"""The decisions file: what the offline report saves and ``footage decide`` takes.

``{"schema": 1, "campaign": str, "decisions": [{"sha256", …the fields of "review"}…]}``.  Of an
entry only ``sha256`` and ``decision`` are required; a field that is left out stays as it was.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.model import Decision
from pipeline.wording import mask_locations, plain

SCHEMA_VERSION = 1
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_LIMITS = {"note": 2000, "by": 200, "caption": 500, "category": 200}
_LONGEST_S = 1_000_000


class Misfit(Exception):
    """Why an entry of a decisions file is left out, as a sentence."""


def read(path: Path, campaign: str) -> list[Any]:
    """The entries of a decisions file, not looked into yet.

    :param campaign: the name of the campaign that the file must be of.
    :raises UsageError: it can't be read, is no decisions file, or is of another campaign.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is no JSON") from error
    if not isinstance(data, dict) or not isinstance(data.get("decisions"), list):
        raise UsageError(f"{path}: is no decisions file; the report's button saves one")
    if data.get("schema") != SCHEMA_VERSION:
        raise UsageError(f"{path}: schema is not {SCHEMA_VERSION}; another version saved it")
    if data.get("campaign") != campaign:
        raise UsageError(f"{path}: is of another campaign than {campaign!r}; nothing was decided")
    entries: list[Any] = data["decisions"]
    return entries


def parse(entry: Any) -> tuple[str, dict[str, Any]]:
    """The SHA-256 and the fields of :class:`~pipeline.model.Review` that an entry gives.

    :raises Misfit: a field is missing or of the wrong kind.
    """
    if not isinstance(entry, dict):
        raise Misfit("is no JSON object")
    sha256 = entry.get("sha256")
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise Misfit("sha256 is not 64 hex digits")
    readers = {
        "decision": _decision,
        "at": _moment,
        "note": _words,
        "by": _words,
        "caption": _words_or_none,
        "category": _words_or_none,
        "in_s": _seconds_or_none,
        "out_s": _seconds_or_none,
    }
    values: dict[str, Any] = {
        key: reader(key, entry.get(key))
        for key, reader in readers.items()
        if key in entry or key == "decision"
    }
    start, end = values.get("in_s"), values.get("out_s")
    if start is not None and end is not None and end <= start:
        raise Misfit("out_s is not after in_s")
    return sha256, values


def words(key: str, text: str) -> str:
    """What a reviewer wrote, made safe to store: nothing invisible, no location."""
    return mask_locations(plain(text, _LIMITS[key], lines=key == "note"))


def _decision(_key: str, value: Any) -> Decision:
    if not isinstance(value, str) or value not in set(Decision):
        raise Misfit(f"decision is none of {', '.join(Decision)}")
    return Decision(value)


def _moment(key: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise Misfit(f"{key} is no time like 2026-09-01T07:30:00Z")
    return value


def _words(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Misfit(f"{key} is no text")
    return words(key, value)


def _words_or_none(key: str, value: Any) -> str | None:
    return None if value is None else _words(key, value)


def _seconds_or_none(key: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit(f"{key} is no number")
    if not 0 <= value <= _LONGEST_S:  # which is false of NaN too
        raise Misfit(f"{key} is no time in seconds")
    return round(float(value), 3)
