"""What a person changed on a page without a server, and what others changed in the same time.

An entry of a decisions file has the whole review as the page shows it, and in ``was`` the reviews
that the page knew before: that of the report first, then each that it saved to a file.  A field is
changed by the person if one of these differs from it.  All other fields stay as the ledger has
them, so an old page takes back nothing of what others decided since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.model import Decision, Review
from pipeline.review import protecting
from pipeline.review.presenting import JsonObject

FIELDS = (
    *("decision", "note", "caption", "category", "in_s", "out_s"),
    *("masks", "sounds", "protect", "needs", "tags", "stars"),
)
_CAREFUL = {Decision.HELD, Decision.REJECTED}
_BESIDE = {"note", "tags", "stars"}  # fields that change neither the decision nor the film


@dataclass(frozen=True)
class Merge:
    """The fields of an entry to apply, and the names of those that somebody else changed too."""

    values: JsonObject
    conflicts: tuple[str, ...]


def merge(before: Review, values: JsonObject, was: Sequence[Review]) -> Merge:
    """Pick what a person changed and nobody else did.

    A decision that keeps a clip out of films is applied in any case.  An approval, the second one
    of two people too, is applied only if the clip is then as its author saw it.

    :param before: the review in the ledger.
    :param values: the fields of the entry.
    :param was: the reviews that the page knew before, one at least.
    """
    changed = [name for name in FIELDS if name in values and _differs(was, name, values[name])]
    conflicts = [name for name in changed if _is_conflict(before, was, name, values[name])]
    taken = {name: values[name] for name in changed if name not in conflicts}
    shown = replace(Review(), **{name: values[name] for name in FIELDS if name in values})
    becomes = replace(before, **taken)
    # the page says again what it knew with every change
    agrees = values.get("agreed", True) and (
        "decision" in changed or not _approved_before(values, shown, was)
    )
    if shown.decision is Decision.APPROVED:
        is_other = not protecting.shows_the_same(shown, becomes)
        if is_other:
            taken.pop("decision", None)
        if is_other or becomes.decision is not Decision.APPROVED:
            # a second approval is one too, although the decision was "approved" before
            if (agrees or "decision" in changed) and "decision" not in conflicts:
                conflicts.append("decision")
            agrees = False
    rest = {name: value for name, value in values.items() if name not in FIELDS}
    merged = {"decision": before.decision} | rest | taken | {"agreed": agrees}
    known = {(comment.id, bool(comment.resolved_by)) for each in was for comment in each.comments}
    if "comments" in values:
        merged["comments"] = tuple(
            comment
            for comment in values["comments"]
            if (comment.id, bool(comment.resolved_by)) not in known
        )
    return Merge(merged, tuple(conflicts))


def added(before: Review, values: JsonObject, seen: Review) -> JsonObject | None:
    """Pick from an act what goes together with what others did since; None if it does not.

    A note, tags and stars go together with a decision, and so does the same decision of two people.
    Nobody takes back, or approves, what they have not seen.

    :param before: the review in the ledger.
    :param values: the fields of the act.
    :param seen: the review that its author saw.
    """
    now, was = (dict(zip(FIELDS, _values_of(each), strict=True)) for each in (before, seen))
    mine = {name for name in FIELDS if name in values and values[name] != was[name]}
    theirs = {name for name in FIELDS if now[name] != was[name]}
    same = {name for name in mine & theirs if values[name] == now[name]}
    left = mine - same
    if left & theirs or not (left <= _BESIDE or theirs - same <= _BESIDE):
        return None
    taken = {name: values[name] for name in left}
    shown = replace(seen, **{name: values[name] for name in FIELDS if name in values})
    becomes = replace(before, **taken)
    is_seen = protecting.shows_the_same(shown, becomes)
    agrees = shown.decision is Decision.APPROVED and values.get("agreed", True)
    approves = agrees and is_seen and becomes.decision is Decision.APPROVED
    is_new = "decision" in mine or (agrees and not _approved_before(values, shown, [seen]))
    is_refused = shown.decision is Decision.APPROVED and is_new and not approves
    if is_refused or not (left or approves):
        return None
    rest = {name: value for name, value in values.items() if name not in FIELDS}
    rest |= {"agreed": approves, "watched": is_seen and values.get("watched", False)}
    return {"decision": before.decision} | rest | taken


def _values_of(review: Review) -> list[object]:
    return [_value(review, name) for name in FIELDS]


def _differs(was: Sequence[Review], name: str, value: object) -> bool:
    return any(_value(review, name) != value for review in was)


def _is_conflict(before: Review, was: Sequence[Review], name: str, value: object) -> bool:
    if name == "decision" and value in _CAREFUL:
        return False
    now = _value(before, name)
    return now != value and all(_value(review, name) != now for review in was)


def _approved_before(values: JsonObject, shown: Review, was: Sequence[Review]) -> bool:
    """Whether the author had approved the same version already when the page was made."""
    return any(
        review.decision is shown.decision is Decision.APPROVED
        and values.get("by") in review.agreed_by
        and protecting.shows_the_same(review, shown)
        for review in was
    )


def _value(review: Review, name: str) -> object:
    """A field, without who drew a mask: a page does not say that."""
    if name == "masks":
        return tuple(replace(mask, by="") for mask in review.masks)
    value: object = getattr(review, name)
    return value
