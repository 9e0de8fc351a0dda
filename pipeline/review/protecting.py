"""Masks and changes of the sound that a page or a decisions file sends, checked field by field."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from pipeline import protection
from pipeline.model import Decision, Review
from pipeline.protection import (
    ImpossibleProtection,
    Mask,
    MaskFill,
    MaskOrigin,
    MaskPoint,
    MaskShape,
    Need,
    Protect,
    SoundChange,
    SoundChangeKind,
)

_DECIMALS = 4
Word = TypeVar("Word", bound=StrEnum)
Item = TypeVar("Item")


def read_masks(key: str, value: object) -> tuple[Mask, ...]:
    """Read a list of masks.

    :raises ImpossibleProtection: it is not such a list.
    """
    return _listed(key, value, protection.MOST_MASKS, _mask)


def read_sounds(key: str, value: object) -> tuple[SoundChange, ...]:
    """Read a list of changes of the sound.

    :raises ImpossibleProtection: it is not such a list.
    """
    return _listed(key, value, protection.MOST_SOUND_CHANGES, _sound)


def read_protect(key: str, value: object) -> Protect:
    """Read from whom somebody is hidden.

    :raises ImpossibleProtection: it is not such a word.
    """
    return _word(Protect, key, value)


def read_needs(key: str, value: object) -> tuple[Need, ...]:
    """Read what has to be done first; each once, in the order of :class:`Need`.

    :raises ImpossibleProtection: it is not such a list.
    """
    named = set(_listed(key, value, len(Need), lambda item: _word(Need, key, item)))
    return tuple(need for need in Need if need in named)


def read_flag(key: str, value: object) -> bool:
    """Read whether the reviewer did something: watched the clip to its end, or approved it.

    :raises ImpossibleProtection: it is neither true nor false.
    """
    if not isinstance(value, bool):
        raise ImpossibleProtection(f"{key} is neither true nor false")
    return value


@dataclass(frozen=True)
class ReviewAct:
    """Who changes a review, and what they did.

    ``watched``: they watched the clip to its end, with these masks.  ``approved``: they pressed
    approve.  A note or a comment on an approved clip is not an approval.
    """

    by: str
    watched: bool = False
    approved: bool = False


def settled(before: Review, after: Review, act: ReviewAct) -> Review:
    """Return a changed review with who drew its masks, who approved it, and who has seen it.

    Somebody who approved or saw something else must do it again.

    :raises ImpossibleProtection: people who know the person would recognise them all the same.
    """
    if after.protect is Protect.KNOWN:
        _check_strong(after)
    masks = _signed(after.masks, before.masks, act.by)
    same = shows_the_same(before, after)
    agreed: tuple[str, ...] = ()
    if after.decision is Decision.APPROVED:
        earlier = before.agreed_by if same and before.decision is Decision.APPROVED else ()
        agreed = (*earlier, *((act.by,) if act.approved else ()))
    seen = (*(before.seen_by if same else ()), *((act.by,) if act.watched else ()))
    return replace(
        after,
        masks=masks,
        agreed_by=tuple(dict.fromkeys(agreed)),
        seen_by=tuple(dict.fromkeys(seen)),
    )


@dataclass(frozen=True)
class ShownFilm:
    """What is known of a finished clip: its length, and whether its pictures change their size.

    None: it is not known.
    """

    length_s: float | None = None
    changes_size: bool | None = None


def check_new_masks(before: Review, after: Review, film: ShownFilm) -> None:
    """Refuse new masks that hide nothing, or not what they seem to hide.

    Those that were there already stay.

    :raises ImpossibleProtection: there is such a mask.
    """
    known = {replace(mask, by="") for mask in before.masks}
    for mask in after.masks:
        if replace(mask, by="") not in known:
            protection.check_hides(mask, film.length_s)
            if mask.frame and film.changes_size is False:
                raise ImpossibleProtection(
                    "frame is only for a film whose pictures change their size"
                )


def shows_the_same(one: Review, other: Review) -> bool:
    """Whether a film shows and says the same by two reviews."""
    return _shown(one) == _shown(other)


def _check_strong(review: Review) -> None:
    blurred = any(mask.fill is not MaskFill.SOLID for mask in review.masks)
    if blurred or any(change.kind is not SoundChangeKind.MUTE for change in review.sounds):
        raise ImpossibleProtection(
            "from people who know the person only solid masks, mute and cutting protect"
        )


def _signed(masks: Iterable[Mask], before: Iterable[Mask], by: str) -> tuple[Mask, ...]:
    """Masks that were there already keep their author."""
    authors = {replace(mask, by=""): mask.by for mask in before}
    return tuple(replace(mask, by=authors.get(replace(mask, by=""), by)) for mask in masks)


def _shown(review: Review) -> tuple[object, ...]:
    """All of a review that is seen or heard in the film."""
    masks = tuple(replace(mask, by="") for mask in review.masks)
    words = (review.caption, review.category, review.in_s, review.out_s)
    return (*words, masks, review.sounds, review.protect)


def _mask(item: object) -> Mask:
    """Read a mask.  Who drew it is not taken from a page: the program knows."""
    given = _fields("a mask", item)
    return Mask(
        points=_listed("points", given.get("points"), protection.MOST_POINTS, _point),
        shape=_word(MaskShape, "shape", given.get("shape", MaskShape.RECTANGLE)),
        fill=_word(MaskFill, "fill", given.get("fill", MaskFill.SOLID)),
        origin=_word(MaskOrigin, "origin", given.get("origin", MaskOrigin.HAND)),
        from_s=_number("from_s", given.get("from_s", 0.0)),
        to_s=_end(given),
        frame=_frame(given.get("frame", "")),
    )


def _frame(value: object) -> str:
    if not isinstance(value, str):
        raise ImpossibleProtection("frame is not text")
    return value


def _point(item: object) -> MaskPoint:
    given = _fields("a point", item)
    names = ("at_s", "x", "y", "width", "height")
    return protection.checked_point(MaskPoint(*(_number(name, given.get(name)) for name in names)))


def _sound(item: object) -> SoundChange:
    given = _fields("a change of the sound", item)
    kind = _word(SoundChangeKind, "kind", given.get("kind"))
    return SoundChange(kind, _number("from_s", given.get("from_s", 0.0)), _end(given))


def _end(given: Mapping[object, object]) -> float | None:
    end = given.get("to_s")
    return None if end is None else _number("to_s", end)


def _fields(what: str, item: object) -> Mapping[object, object]:
    if not isinstance(item, dict):
        raise ImpossibleProtection(f"{what} is not a JSON object")
    return item


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ImpossibleProtection(f"{name} is not a number")
    try:
        return round(float(value), _DECIMALS)
    except (OverflowError, ValueError) as error:
        raise ImpossibleProtection(f"{name} is not a number of this size") from error


def _word(kind: type[Word], name: str, value: object) -> Word:
    if not isinstance(value, str) or value not in set(kind):
        raise ImpossibleProtection(f"{name} must be one of {', '.join(kind)}")
    return kind(value)


def _listed(key: str, value: object, most: int, read: Callable[[object], Item]) -> tuple[Item, ...]:
    if not isinstance(value, list):
        raise ImpossibleProtection(f"{key} is not a list")
    if len(value) > most:
        raise ImpossibleProtection(f"{key} has more than {most} items")
    return tuple(read(item) for item in value)
