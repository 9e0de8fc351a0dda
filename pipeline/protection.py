"""What a reviewer hides of a clip: areas of the picture, stretches of the sound, and from whom.

An area is given in fractions of the upright source picture with square pixels, before it is placed
in a frame: (0, 0) is its top left corner and (1, 1) its bottom right one.  So one mask serves a
landscape and a portrait output.  Where pictures change their size, no such fractions fit all of
them: an area is in fractions of the frame on which it was drawn, and the mask keeps the shape of
that frame.  Times are seconds of the whole clip, before in and out points.
"""

import bisect
import hashlib
import itertools
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Final

MOST_MASKS: Final = 100  # of one clip
MOST_POINTS: Final = 5000  # of all masks of one clip together
MOST_SOUND_CHANGES: Final = 50  # of one clip
LONGEST_S: Final = 1_000_000.0
SMALLEST: Final = 0.0005  # of a side of the picture
_FRAME = re.compile(r"[1-9]\d{1,3}x[1-9]\d{1,3} (fill|crop)")
_PLACES = 4  # decimals of a fraction: a fifth of a pixel in a picture 1,920 pixels wide


class Protect(StrEnum):
    """From whom somebody in a clip is hidden: strangers, or also people who know the person."""

    NONE = "none"
    PUBLIC = "public"
    KNOWN = "known"


class Need(StrEnum):
    """What has to be done before a clip may go into a film."""

    MASK = "needs-blur"
    ANSWER = "ask-the-sender"


class MaskShape(StrEnum):
    """The shape of a masked area; an ellipse touches the sides of its rectangle."""

    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"


class MaskFill(StrEnum):
    """What is shown in place of the picture: one colour, or the picture so blurred.

    A blur can be undone in part, so it protects less than a colour.
    """

    SOLID = "solid"
    BLUR = "blur"


class MaskOrigin(StrEnum):
    """Who found the area: a person, or the detector of faces."""

    HAND = "hand"
    FACE = "face"


class SoundChangeKind(StrEnum):
    """What happens to a stretch of sound.  Only ``mute`` protects a person.

    Where a film has music, it is heard in its full loudness while a clip is muted.
    """

    MUTE = "mute"
    DISGUISE = "disguise"


@dataclass(frozen=True)
class MaskPoint:
    """Where the area of a mask is at a moment.

    ``x`` and ``y`` are its left and upper side.  The area may reach beyond the picture, as that of
    somebody who walks out of it does: ``x`` and ``y`` are from -1 to 1, the sides up to 2.
    """

    at_s: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Mask:
    """An area of the picture that is hidden from ``from_s`` until ``to_s``.

    ``points`` are in the order of time, and each has a moment of its own.  Between two points the
    area moves and changes its size at a constant pace.  Before the first and after the last it
    stays where it is.  ``to_s`` is None where the area is hidden until the end.  ``by`` is who drew
    it.  ``frame``: the output on which it was drawn, such as ``1920x1080 fill``, if the pictures of
    the film change their size; the area is in fractions of that frame then.  If it is empty, the
    area is in fractions of the (first) source picture.
    """

    points: tuple[MaskPoint, ...]
    shape: MaskShape = MaskShape.RECTANGLE
    fill: MaskFill = MaskFill.SOLID
    from_s: float = 0.0
    to_s: float | None = None
    origin: MaskOrigin = MaskOrigin.HAND
    by: str = ""
    frame: str = ""

    def is_shown(self, at_s: float) -> bool:
        """Whether the area is hidden at a moment."""
        return self.from_s <= at_s and (self.to_s is None or at_s <= self.to_s)

    def area(self, at_s: float) -> MaskPoint:
        """Return where the area is at a moment, whether it is hidden then or not."""
        place = bisect.bisect_right(self.points, at_s, key=lambda point: point.at_s)
        if place in (0, len(self.points)):
            return self.points[max(0, place - 1)]
        one, other = self.points[place - 1 : place + 1]
        part = (at_s - one.at_s) / (other.at_s - one.at_s)
        return MaskPoint(
            at_s,
            one.x + (other.x - one.x) * part,
            one.y + (other.y - one.y) * part,
            one.width + (other.width - one.width) * part,
            one.height + (other.height - one.height) * part,
        )

    def areas(self, begin_s: float, end_s: float) -> tuple[MaskPoint, ...]:
        """Return the areas of a stretch of time: at both ends, and at each point between them."""
        first = bisect.bisect_right(self.points, begin_s, key=lambda point: point.at_s)
        last = bisect.bisect_left(self.points, end_s, key=lambda point: point.at_s)
        return (self.area(begin_s), *self.points[first:last], self.area(end_s))


@dataclass(frozen=True)
class SoundChange:
    """A stretch of sound that is changed; ``to_s`` is None where it lasts until the end."""

    kind: SoundChangeKind
    from_s: float = 0.0
    to_s: float | None = None


@dataclass(frozen=True)
class FoundFaces:
    """The faces that a detector found in an original: a mask for each.

    ``by`` names the detector and its version.  ``is_lost``: a face vanished inside of the picture,
    so it may still be there.  ``is_partial``: the search failed, or found more faces than a clip
    may have masks.
    """

    by: str
    masks: tuple[Mask, ...] = ()
    is_lost: bool = False
    is_partial: bool = False


def hidden(masks: Sequence[Mask], sounds: Sequence[SoundChange]) -> str:
    """Name what is hidden: 16 hex digits, equal for equal masks and changes, empty for none.

    Who drew a mask, and how it was found, changes nothing that is seen.
    """
    if not masks and not sounds:
        return ""
    facts = [
        (
            *([astuple(point) for point in each.points], each.shape.value, each.fill.value),
            *([each.frame] if each.frame else []),
        )
        for each in masks
    ]
    times = [(each.from_s, each.to_s) for each in masks]
    heard = [(each.kind.value, each.from_s, each.to_s) for each in sounds]
    return hashlib.sha256(repr((facts, times, heard)).encode()).hexdigest()[:16]


class ImpossibleProtection(ValueError):
    """A mask or a change of the sound that can't be; its text says why, for a person."""


def checked_point(point: MaskPoint) -> MaskPoint:
    """Return the point with its numbers rounded.

    :raises ImpossibleProtection: a number is out of range, or is not a number.
    """
    if not 0 <= point.at_s <= LONGEST_S:  # NaN is refused here too
        raise ImpossibleProtection("at_s is not a time in seconds")
    if not (-1 <= point.x <= 1 and -1 <= point.y <= 1):
        raise ImpossibleProtection("x and y must be from -1 to 1")
    if not (SMALLEST <= point.width <= 2 and SMALLEST <= point.height <= 2):
        raise ImpossibleProtection(f"width and height must be from {SMALLEST} to 2")
    sides = (round(value, _PLACES) for value in (point.x, point.y, point.width, point.height))
    return MaskPoint(round(point.at_s, 3), *sides)


def check_times(from_s: float, to_s: float | None) -> None:
    """Refuse a stretch that has no length.

    :raises ImpossibleProtection: it ends before it begins, or a number is out of range.
    """
    if not 0 <= from_s <= LONGEST_S or (to_s is not None and not 0 <= to_s <= LONGEST_S):
        raise ImpossibleProtection("from_s and to_s must be times in seconds")
    if to_s is not None and to_s <= from_s:
        raise ImpossibleProtection("to_s is not after from_s")


def check_hides(mask: Mask, length_s: float | None) -> None:
    """Refuse a mask that hides nothing in a clip: until its end it stays beside the picture.

    :param length_s: of the clip; None if it is not known.
    :raises ImpossibleProtection: it hides nothing.
    """
    if length_s is not None and mask.from_s >= length_s:
        raise ImpossibleProtection(
            f"a mask begins at {mask.from_s:g} s, but the clip ends at {length_s:g} s"
        )
    ends = (each for each in (mask.to_s, length_s) if each is not None)
    areas = mask.areas(mask.from_s, min(ends, default=LONGEST_S))
    if all(_are_beside(pair) for pair in itertools.pairwise(areas)):
        raise ImpossibleProtection(
            "a mask lies beside the picture as long as the clip lasts, so it hides nothing"
        )


def _are_beside(areas: Sequence[MaskPoint]) -> bool:
    """Whether areas, and all between them, are beyond the same side of the picture."""
    return (
        all(area.x + area.width < SMALLEST for area in areas)
        or all(area.x > 1 - SMALLEST for area in areas)
        or all(area.y + area.height < SMALLEST for area in areas)
        or all(area.y > 1 - SMALLEST for area in areas)
    )


def check(masks: Sequence[Mask], sounds: Sequence[SoundChange]) -> None:
    """Refuse what no clip may have.  Each point must be a checked one.

    :raises ImpossibleProtection: there are too many, or one of them can't be.
    """
    if len(masks) > MOST_MASKS:
        raise ImpossibleProtection(f"a clip has {MOST_MASKS} masks at most")
    if sum(len(mask.points) for mask in masks) > MOST_POINTS:
        raise ImpossibleProtection(f"the masks of a clip have {MOST_POINTS} points at most")
    if len(sounds) > MOST_SOUND_CHANGES:
        raise ImpossibleProtection(f"a clip has {MOST_SOUND_CHANGES} changes of its sound at most")
    for mask in masks:
        check_times(mask.from_s, mask.to_s)
        if mask.frame and not _FRAME.fullmatch(mask.frame):
            raise ImpossibleProtection("frame is not a frame such as 1920x1080 fill")
        if not mask.points:
            raise ImpossibleProtection("a mask has no points")
        pairs = zip(mask.points, mask.points[1:], strict=False)
        if any(one.at_s >= other.at_s for one, other in pairs):
            raise ImpossibleProtection("the points of a mask must be in the order of time")
    for change in sounds:
        check_times(change.from_s, change.to_s)
