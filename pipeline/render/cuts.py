"""Which parts of a film are copied and which are encoded again: a pure function of its joints.

A copy can only begin with a key frame, and end before one or with the file, since groups of
pictures are closed.  Everything else that is shown is in a bridge: the end of a segment, the
crossfade, the beginning of the next.  Where clips were made for the fade, a bridge is the
fade alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from pipeline.render.timeline import Segment, Timeline


@dataclass(frozen=True)
class Joints:
    """Where a file can be cut: its key frames, and how many pictures decoding runs ahead."""

    keyframes: tuple[int, ...]
    lead: int

    def before(self, frame: int) -> int:
        """Return the last key frame that is not after *frame*."""
        return max(key for key in self.keyframes if key <= frame)


@dataclass(frozen=True)
class Stretch:
    """The pictures of a segment's file from ``start`` to before ``stop``."""

    segment: Segment
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many pictures there are."""
        return self.stop - self.start


@dataclass(frozen=True)
class Bridge:
    """Pictures that are encoded again: the last ``fade`` of ``tail`` pass into ``head``."""

    tail: Stretch | None
    head: Stretch | None
    fade: int

    @property
    def sides(self) -> tuple[Stretch, ...]:
        """The one or two stretches that it shows."""
        return tuple(side for side in (self.tail, self.head) if side is not None)

    @property
    def frames(self) -> int:
        """How many pictures it has."""
        return sum(side.frames for side in self.sides) - self.fade


Piece = Stretch | Bridge  # a stretch that is a piece is copied, packet by packet


@dataclass(frozen=True)
class CutPlan:
    """A film with its pieces, and the joints of the files that are cut, by path."""

    film: Timeline
    pieces: tuple[Piece, ...]
    joints: Mapping[str, Joints]


def plan(film: Timeline, joints: Mapping[str, Joints]) -> tuple[Piece, ...]:
    """Return the pieces of a film in order; together they have exactly its length.

    :param joints: of each segment's file, by its path; a file that is shown whole and without a
        fade needs none.
    """
    pieces: list[Piece] = []
    before: Stretch | None = None  # the part of the segment before that is not copied
    for segment, _, fade_in, fade_out in film.placed():
        head, body, tail = _split(segment, fade_in, fade_out, joints)
        pieces += _bridges(before, head, fade_in)
        pieces += [body] if body is not None else []
        before = tail
    return (*pieces, *_bridges(before, None, 0))


def _bridges(tail: Stretch | None, head: Stretch | None, fade: int) -> list[Piece]:
    """Return one bridge over a fade; at a hard cut one for each side, so each is cached alone."""
    if fade:
        return [Bridge(tail, head, fade)]
    alone = ((tail, None), (None, head))
    return [Bridge(before, after, 0) for before, after in alone if before or after]


def _split(
    segment: Segment, fade_in: int, fade_out: int, joints: Mapping[str, Joints]
) -> tuple[Stretch | None, Stretch | None, Stretch | None]:
    """Return the parts encoded again at the beginning, copied, and encoded again at the end."""
    start, stop = segment.start, segment.stop
    if segment.whole and not fade_in and not fade_out:
        return None, Stretch(segment, start, stop), None
    opened, closed = start + fade_in, stop - fade_out
    places = (*joints[segment.path].keyframes, segment.frames)
    first = min(place for place in places if place >= opened)
    last = max(place for place in places if place <= closed)
    if first < last:
        cuts = (start, first, last, stop)
    else:
        # there is no whole group of pictures between: all of it goes to the fades, or is one bridge
        middle = closed if fade_in else start
        cuts = (start, middle, middle, stop)
    head, body, tail = (
        Stretch(segment, begin, end) if begin < end else None for begin, end in pairwise(cuts)
    )
    return head, body, tail
