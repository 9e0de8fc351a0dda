"""The decisions file, which the offline report saves and ``footage decide`` takes.

``{"schema": 1, "campaign": str, "decisions": [{"sha256", …the fields of "review"}…], "consents":
[{"submission", "consent", "name", "place", "by", "at", "knows"}…]}``.  An entry
must have ``sha256`` and ``decision``; a field that is left out is not changed.  ``was`` lists the
reviews that the page knew before (:mod:`pipeline.review.merging`); older pages do not say it.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

from pipeline import protection
from pipeline.caution import Caution
from pipeline.comments import Comment
from pipeline.errors import UsageError, reason_of
from pipeline.model import ClipResult, Decision, Review
from pipeline.review import commenting, protecting
from pipeline.review.commenting import ImpossibleComment
from pipeline.review.presenting import JsonObject
from pipeline.review.protecting import ReviewAct, ShownFilm
from pipeline.wording import storable

SCHEMA_VERSION = 1
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_LIMITS = {"note": 2000, "by": 200, "caption": 500, "category": 200, "name": 100, "place": 100}
_LONGEST_S = 1_000_000
_MOST_WAS = 50
_ACTS = {"watched", "agreed", "shown", "film"}  # a review does not have them
_MAY_BE_NULL = {"at", "caption", "category", "in_s", "out_s"}


class InvalidEntry(Exception):
    """A decision that can't be taken; its text says why, for a person."""


def read(path: Path, campaign: str) -> tuple[list[object], list[object]]:
    """Read the decisions and the consents of a decisions file without checking them.

    :param campaign: the name of the campaign that the file must belong to.
    :raises UsageError: it can't be read, is not a decisions file, or belongs to another campaign.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: can't be read: {reason_of(error)}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not JSON") from error
    if not isinstance(data, dict) or not isinstance(data.get("decisions"), list):
        raise UsageError(f"{path}: is not a decisions file; the report's button saves one")
    if data.get("schema") != SCHEMA_VERSION:
        raise UsageError(f"{path}: schema is not {SCHEMA_VERSION}; another version saved it")
    if data.get("campaign") != campaign:
        raise UsageError(
            f"{path}: belongs to another campaign than {campaign!r}; nothing was decided"
        )
    said = data.get("consents", [])  # files of older versions have none
    return data["decisions"], said if isinstance(said, list) else [said]


def parse(entry: object) -> tuple[str, JsonObject]:
    """Check an entry: its SHA-256, and the fields of :class:`~pipeline.model.Review` that it has.

    :raises InvalidEntry: a field is missing or of the wrong kind.
    """
    if not isinstance(entry, dict):
        raise InvalidEntry("is not a JSON object")
    sha256 = entry.get("sha256")
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise InvalidEntry("sha256 is not 64 hex digits")
    values = _values(entry)
    try:
        protection.check(values.get("masks", ()), values.get("sounds", ()))
    except protection.ImpossibleProtection as problem:
        raise InvalidEntry(str(problem)) from problem
    _check_cut(values.get("in_s"), values.get("out_s"))
    return sha256, values


def parse_was(entry: object) -> tuple[Review, ...]:
    """Read the reviews that the page knew before; none if the entry does not say it.

    :raises InvalidEntry: they are not a list of reviews.
    """
    listed = entry.get("was", []) if isinstance(entry, dict) else []
    if not isinstance(listed, list) or len(listed) > _MOST_WAS:
        raise InvalidEntry(f"was is not a list of {_MOST_WAS} reviews at most")
    return tuple(_was(item) for item in listed)


def _was(item: object) -> Review:
    if not isinstance(item, dict):
        raise InvalidEntry("a review in was is not a JSON object")
    agreed = item.get("agreed_by", [])
    if not isinstance(agreed, list) or not all(isinstance(name, str) for name in agreed):
        raise InvalidEntry("agreed_by is not a list of names")
    values = {key: value for key, value in _values(item).items() if key not in _ACTS}
    return replace(Review(), **values, agreed_by=tuple(agreed))


def _values(entry: dict[object, object]) -> JsonObject:
    readers = {
        "decision": _decision,
        "at": _moment,
        "note": _words,
        "by": _words,
        "caption": _words,
        "category": _words,
        "in_s": _seconds,
        "out_s": _seconds,
        "masks": protecting.read_masks,
        "sounds": protecting.read_sounds,
        "protect": protecting.read_protect,
        "needs": protecting.read_needs,
        "watched": protecting.read_flag,
        "agreed": protecting.read_flag,
        "comments": commenting.read_comments,
        "tags": commenting.read_tags,
        "stars": commenting.read_stars,
    }
    try:
        return {
            key: None if key in _MAY_BE_NULL and entry[key] is None else reader(key, entry.get(key))
            for key, reader in readers.items()
            if key in entry or key == "decision"
        }
    except (protection.ImpossibleProtection, ImpossibleComment) as problem:
        raise InvalidEntry(str(problem)) from problem


def _check_cut(start: float | None, end: float | None) -> None:
    if start is not None and end is not None and end <= start:
        raise InvalidEntry("out_s is not after in_s")


def with_clip(values: JsonObject, clip: ClipResult | None) -> JsonObject:
    """Return the fields of an entry with what its finished clip hides, and what it is like.

    So :func:`applied` knows whether what was watched is what the review shows, and whether a mask
    can be.
    """
    outputs = clip.outputs if clip else ()
    found = {output.hides for output in outputs}
    length_s = max((output.duration_s for output in outputs), default=None)
    changes_size = Caution.SIZE_CHANGES in clip.warnings if clip else None
    film = ShownFilm(length_s, changes_size)
    return values | {"shown": found.pop() if len(found) == 1 else None, "film": film}


def applied(before: Review, values: JsonObject, by: str, at: str) -> Review:
    """Return the review with the fields of an entry; comments are added to those that there are.

    An entry that says "approved" is an approval of *by*, unless ``agreed`` says that it is not: a
    page sends the decision with every change.  A clip counts as watched only if it is made as the
    review is then (:func:`with_clip`).

    :param by: who wrote comments that name nobody.
    :param at: when comments were written.
    :raises InvalidEntry: there are too many comments then, the masks do not protect enough, or the
        clip would end before it begins.
    """

    def sign(comment: Comment) -> Comment:
        return replace(comment, by=comment.by or by, at=at)

    given = values.get("comments", ())
    approves = values.get("decision") is Decision.APPROVED and values.get("agreed", True)
    fields = {key: value for key, value in values.items() if key not in _ACTS}
    try:
        comments = commenting.merged(before.comments, given, sign)
        after = replace(before, **fields | {"comments": comments})
        if (after.in_s, after.out_s) != (before.in_s, before.out_s):
            # an entry may have one of the two points; the review has both
            _check_cut(after.in_s, after.out_s)
        protecting.check_new_masks(before, after, values.get("film", ShownFilm()))
        hidden = protection.hidden(after.masks, after.sounds)
        watched = values.get("watched", False) and values.get("shown") == hidden
        act = ReviewAct(by, watched=watched, approved=approves)
        return protecting.settled(before, after, act)
    except (ImpossibleComment, protection.ImpossibleProtection) as problem:
        raise InvalidEntry(str(problem)) from problem


def clean_text(key: str, text: str) -> str:
    """Make what a reviewer wrote safe to store: nothing invisible, no place."""
    return storable(text, _LIMITS[key], lines=key == "note")


def _decision(_key: str, value: object) -> Decision:
    if not isinstance(value, str) or value not in set(Decision):
        raise InvalidEntry(f"decision must be one of {', '.join(Decision)}")
    return Decision(value)


def _moment(key: str, value: object) -> str:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise InvalidEntry(f"{key} is not a time like 2026-09-01T07:30:00Z")
    return value


def _words(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidEntry(f"{key} is not text")
    return clean_text(key, value)


def _seconds(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidEntry(f"{key} is not a number")
    if not 0 <= value <= _LONGEST_S:  # NaN is refused here too
        raise InvalidEntry(f"{key} is not a time in seconds")
    return round(float(value), 3)
