"""What a worker may write into the log of a run.

A worker can be faulty, so its words are those of a stranger.  A fact has a form that our own code
writes, or it is left out.  Free words, which only an argument can hold, are masked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from pydantic import JsonValue

from pipeline import places
from pipeline.ffmpeg import faults, runner

_MOST_ITEMS = 400
_LONGEST_ARGUMENT = 8000  # characters; the graph of a long clip
_LONGEST_EVENT = 20_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
# of ``place_of``; a name such as mp4_tags has few digits, so it can't hold a place
_WHERE = re.compile(
    r"[A-Za-z_]{1,60}( in [A-Za-z_]{1,60}[0-9]{0,3}[A-Za-z_]{0,60}\.py:[0-9]{1,5})?"
)
_PROBLEM = re.compile(r"[ -~]{1,200}")
_PARTS = ("clip", "chunk", "sound", "join")

FactForm = Callable[[JsonValue], bool]


def possible(event: Mapping[str, JsonValue], subject: str) -> tuple[str, dict[str, JsonValue]]:
    """Return the name and the facts of an event as far as they can be ours.

    :param subject: that of the task, which names its original.
    :returns: an empty name if a worker does not write such an event.
    """
    name = event.get("event")
    forms = _EVENTS.get(name) if isinstance(name, str) else None
    if not isinstance(name, str) or forms is None:
        return "", {}
    facts = {fact: event[fact] for fact, fits in forms.items() if fact in event}
    facts = {fact: value for fact, value in facts.items() if forms[fact](value)}
    if facts.get("sha256", subject[:64]) != subject[:64]:
        return "", {}
    arguments = facts.get("argv")
    if isinstance(arguments, list):
        facts["argv"] = _masked(arguments)
    return (name, facts) if facts else ("", {})


def _masked(arguments: list[JsonValue]) -> list[JsonValue]:
    """Mask places in arguments; all of them if a place is divided between two."""
    shown = [places.masked(str(each), _LONGEST_ARGUMENT + 1) for each in arguments]
    return [*shown] if not places.found(" ".join(shown)) else [places.MASK]


def _is_truth(value: JsonValue) -> bool:
    return value is True or value is False


def _is_seconds(value: JsonValue) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and 0 <= value < 1e7 and round(value, 3) == value


def _is_code(value: JsonValue) -> bool:
    if value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and -128 <= value < 256


def _is_one_of(known: tuple[str, ...]) -> FactForm:
    return lambda value: isinstance(value, str) and value in known


def _has_form(pattern: re.Pattern[str]) -> FactForm:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _are(fits: FactForm) -> FactForm:
    return lambda value: (
        isinstance(value, list) and len(value) <= _MOST_ITEMS and all(map(fits, value))
    )


def _is_argument(value: JsonValue) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_ARGUMENT and value.isprintable()


def _is_problem(value: JsonValue) -> bool:
    return (
        isinstance(value, str)
        and _PROBLEM.fullmatch(value) is not None
        and not places.found(value, in_file=True)
    )


def _are_arguments(value: JsonValue) -> bool:
    return _are(_is_argument)(value) and len(str(value)) <= _LONGEST_EVENT


_EVENTS: Mapping[str, Mapping[str, FactForm]] = {
    "program": {
        "purpose": _is_one_of(tuple(faults.UNDONE)),
        "argv": _are_arguments,
        "code": _is_code,
        "said": _are(_is_one_of(runner.PHRASES)),
        "timed_out": _is_truth,
        "stuck": _is_truth,
        "starved": _is_truth,
        "seconds": _is_seconds,
    },
    "not-clean": {"sha256": _has_form(_SHA256), "problems": _are(_is_problem)},
    "internal": {"sha256": _has_form(_SHA256), "where": _has_form(_WHERE)},
    "again": {"sha256": _has_form(_SHA256), "purpose": _is_one_of(tuple(faults.UNDONE))},
    "in-one-piece": {
        "sha256": _has_form(_SHA256),
        "part": _is_one_of(_PARTS),
        "where": _has_form(_WHERE),
    },
}
