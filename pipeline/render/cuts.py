"""What of a film is copied and what must be encoded again: a pure function of its joints.

A copy may begin with a key frame only, and end before one or with the file, since groups of
pictures are closed.  Whatever else is shown lies in a bridge: the end of a segment, the
crossfade, the beginning of the next.  Where clips were made for the fade, a bridge is the
fade alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.render.timeline import Film, Segment


@dataclass(frozen=True)
class Joints:
    """Where a file can be cut: its key frames, and how far decoding runs ahead of showing."""

    keyframes: tuple[int, ...]
    lead: int

    def before(self, frame: int) -> int:
        """The last key frame that is not behind *frame*."""
        return max(key for key in self.keyframes if key <= frame)


@dataclass(frozen=True)
class Stretch:
    """The pictures of a segment's file from ``start`` to before ``stop``."""

    segment: Segment
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many there are."""
        return self.stop - self.start


@dataclass(frozen=True)
class Copy:
    """A stretch whose packets are copied."""

    stretch: Stretch

    @property
    def frames(self) -> int:
        """How many pictures it gives."""
        return self.stretch.frames


@dataclass(frozen=True)
class Bridge:
    """Pictures that are encoded again: ``tail``, whose last ``fade`` pass into ``head``."""

    tail: Stretch | None
    head: Stretch | None
    fade: int

    @property
    def sides(self) -> tuple[Stretch, ...]:
        """The one or two stretches that there are."""
        return tuple(side for side in (self.tail, self.head) if side is not None)

    @property
    def frames(self) -> int:
        """How many pictures it gives."""
        return sum(side.frames for side in self.sides) - self.fade


Piece = Copy | Bridge


def plan(film: Film, joints: Mapping[str, Joints]) -> tuple[Piece, ...]:
    """The pieces of a film in order; together they have its length exactly.

    :param joints: of each segment's file, by its path; not needed of one that is shown whole and
        has no fade.
    """
    pieces: list[Piece] = []
    before: Stretch | None = None  # what of the segment before is not copied
    for index, segment in enumerate(film.segments):
        fade_in, fade_out = film.around(index)
        head, body, tail = _split(segment, fade_in, fade_out, joints)
        pieces += _bridges(before, head, fade_in)
        if body is not None:
            pieces.append(Copy(body))
        before = tail
    return (*pieces, *_bridges(before, None, 0))


def _bridges(tail: Stretch | None, head: Stretch | None, fade: int) -> list[Piece]:
    """One bridge over a fade; at a hard cut one for each side, so that each is kept alone."""
    if fade:
        return [Bridge(tail, head, fade)]
    found: list[Piece] = []
    if tail is not None:
        found.append(Bridge(tail, None, 0))
    if head is not None:
        found.append(Bridge(None, head, 0))
    return found


def _split(
    segment: Segment, fade_in: int, fade_out: int, joints: Mapping[str, Joints]
) -> tuple[Stretch | None, Stretch | None, Stretch | None]:
    """What is encoded again at the beginning, what is copied, what is encoded at the end."""
    start, stop = segment.start, segment.stop
    if segment.whole and not fade_in and not fade_out:
        return None, Stretch(segment, start, stop), None
    opened, closed = start + fade_in, stop - fade_out
    cuts = (*joints[segment.path].keyframes, segment.frames)
    first = min(cut for cut in cuts if cut >= opened)
    last = max(cut for cut in cuts if cut <= closed)
    if first < last:
        return (
            _some(segment, start, first),
            Stretch(segment, first, last),
            _some(segment, last, stop),
        )
    # no group of pictures lies between: all of it goes to the fades, or is a bridge by itself
    middle = closed if fade_in else start
    return _some(segment, start, middle), None, _some(segment, middle, stop)


def _some(segment: Segment, start: int, stop: int) -> Stretch | None:
    return Stretch(segment, start, stop) if start < stop else None
