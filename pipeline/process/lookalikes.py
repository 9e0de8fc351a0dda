"""Find clips that look like another one: the same footage, sent again in other bytes.

Two films are compared by what moves in them (:mod:`pipeline.process.motion`): the same place alone
does not make two clips alike.  What lies under a mask of one of them is left out.  Where nothing
moves, and for photos, their pictures and lengths are compared.  Photos of a burst are alike on
purpose: a montage needs one of them.  Two films of one place in which the same movement goes on and
on, such as a wheel, can't be told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.process import glance, motion, stills_alike
from pipeline.process.glance import Glance
from pipeline.process.motion import GRID, MOST_STEPS, Grid, MotionMarks
from pipeline.protection import Mask

_MEAN_BITS = 6.0  # of 64, over all moments: what re-encoding changes at most
_ONE_BITS = 14  # of 64, in one moment
_LENGTH_S, _LENGTH = 0.5, 0.05  # how much longer or shorter one may be
_MOVES = 0.6  # strength from which movement is compared; below it is noise
_PLACE = 0.5  # correlation of what does not move, below which the places differ
_UNSURE = 0.05  # difference of such correlations from which a picture is surely mirrored or not
_SAME = 0.85  # correlation of what moves
_SURE, _FEW = 0.93, 6  # the same where fewer steps than this are compared
_DIGITS = 12  # of a SHA-256, as the ledger keeps them
_OVERLAP = 0.55  # of the shorter film
_LEAST = 3  # steps
_MOST = 128  # earlier films of one place that a film is compared with, the likest first
_LEAST_CELLS = 10  # of 25 that no mask may touch: with fewer, films are not compared
_LIKELY, _TRIED = 0.6, 3  # rough correlation from which a shift is tried, and how many are


_Cells = NDArray[np.bool_]


@dataclass(frozen=True)
class ClipMarks:
    """By what a clip is recognized: its marks (:func:`marks_of`) and length, None for a photo.

    ``known`` is what was found before: the beginning of the SHA-256 of the clip that it looks like,
    empty if there is none, None if nobody has looked yet.  ``masks`` are those of the clip.
    """

    sha256: str
    marks: str
    length_s: float | None
    known: str | None = None
    masks: tuple[Mask, ...] = ()


@dataclass(frozen=True)
class _Film:
    """A film whose marks were read; ``place`` is what does not move, with a length of 1.

    ``is_new``: it was not compared yet.  ``hidden``: the cells that its masks touch at any moment.
    """

    at: int
    motion: MotionMarks
    place: Grid
    is_new: bool
    hidden: _Cells

    @property
    def mirrored(self) -> _Film:
        """The film with left and right exchanged."""
        marks = self.motion
        flipped = replace(marks, mean=marks.mean[:, ::-1], changes=marks.changes[:, :, ::-1])
        return replace(self, motion=flipped, place=self.place[:, ::-1], hidden=self.hidden[:, ::-1])

    def without(self, cells: _Cells) -> _Film:
        """The film as if nothing were in some cells."""
        if not cells.any():
            return self
        kept = np.where(cells, np.float32(0), np.float32(1))
        mean = self.motion.mean
        middle = np.float32((mean * kept).sum() / max(float(kept.sum()), 1.0))
        marks = replace(
            self.motion,
            mean=np.where(cells, middle, mean),
            changes=self.motion.changes * kept,
        )
        return replace(self, motion=marks, place=_place(marks))


def marks_of(seen: Glance) -> str:
    """Return the marks of a clip: hashes of its pictures, a dot, and its motion or small photo."""
    more = motion.write(seen) or stills_alike.write(seen)
    return f"{glance.marks(seen)}.{more}" if more else glance.marks(seen)


def find(clips: Sequence[ClipMarks]) -> dict[str, str]:
    """Return, for each clip that looks like an earlier one of *clips*, the first of those.

    Two clips that were compared before are not compared again.  Marks of before there was motion in
    them are compared by their pictures.
    """
    places = {clip.sha256[:_DIGITS]: at for at, clip in enumerate(clips)}
    new = [clip.known is None or (clip.known not in places and clip.known != "") for clip in clips]
    pairs = [(at, places[clip.known]) for at, clip in enumerate(clips) if clip.known in places]
    if any(new):
        pairs = [pair for pair in pairs if not new[pair[0]]] + _compared(clips, new)
    found: dict[str, str] = {}
    for at, earlier in sorted(pairs):
        found.setdefault(clips[at].sha256, clips[earlier].sha256)
    return found


def _compared(clips: Sequence[ClipMarks], new: Sequence[bool]) -> list[tuple[int, int]]:
    """Compare the clips that are new with all others."""
    films = [
        _Film(at, marks, _place(marks), new[at], motion.touched_cells(clip.masks))
        for at, clip in enumerate(clips)
        if clip.length_s is not None and (marks := motion.read(clip.marks.partition(".")[2]))
    ]
    moving = [film for film in films if film.motion.strength >= _MOVES]
    pairs = [*_alike_in_motion(moving)]
    moves = {film.at: False for film in films} | {film.at: True for film in moving}
    groups = defaultdict[tuple[int, bool], list[tuple[int, ClipMarks]]](list)
    for at, clip in enumerate(clips):
        if hashes := clip.marks.partition(".")[0]:
            groups[hashes.count(" "), clip.length_s is None].append((at, clip))
    for group in groups.values():
        pairs += _alike_in_pictures(group, moves)
    return [*pairs, *_alike_beside_masks(clips, new)]


def _alike_beside_masks(
    clips: Sequence[ClipMarks], new: Sequence[bool]
) -> Iterator[tuple[int, int]]:
    """Give each photo that shows the same as an earlier one outside of the masks of the two."""
    photos = [
        (at, small, stills_alike.hidden_cells(clip.masks))
        for at, clip in enumerate(clips)
        if clip.length_s is None
        and (small := stills_alike.read(clip.marks.partition(".")[2])) is not None
    ]
    newcomers = [photo for photo in photos if new[photo[0]]]
    for one, small, hidden in photos if newcomers else ():
        others = photos if new[one] else newcomers
        for other, others_small, others_hidden in others if hidden.any() else ():
            both = hidden | others_hidden
            if one != other and stills_alike.are_alike(small, others_small, both):
                yield max(one, other), min(one, other)


def _place(marks: MotionMarks) -> Grid:
    place = marks.mean - marks.mean.mean()
    unit: Grid = (place / max(float(np.linalg.norm(place)), 1e-6)).astype(np.float32)
    return unit


def _alike_in_motion(films: Sequence[_Film]) -> Iterator[tuple[int, int]]:
    """Give each film in which the same moves as in an earlier one, with the first of those."""
    places = np.array([film.place.ravel() for film in films], np.float32)
    mirrored = np.array([film.place[:, ::-1].ravel() for film in films], np.float32)
    new = np.array([film.is_new for film in films])
    means, hidden = _flat(films)
    masked = np.any(hidden, axis=1)
    for number, film in enumerate(films[1:], 1):
        if not (film.is_new or new[:number].any()):
            continue
        near = np.maximum(places[:number] @ places[number], mirrored[:number] @ places[number])
        compared = new[:number] | film.is_new
        near[~compared] = -1
        at = np.flatnonzero(compared & (masked[:number] | masked[number]))
        both = [_nearness(way, means[at], hidden[at]) for way in (film, film.mirrored)]
        near[at] = np.maximum(*both)
        likest = np.argsort(-near, kind="stable")[:_MOST]
        others = [films[each] for each in sorted(likest[near[likest] >= _PLACE])]
        for level in (film.motion.level, film.motion.level + 1):
            same = [other for other in others if _common_level(film, other) == level]
            for other in _moving_as(film, same, level):
                yield film.at, other.at


def _flat(films: Sequence[_Film]) -> tuple[Grid, _Cells]:
    """Give what does not move in films, and the cells under their masks, a row for each film."""
    shape = len(films), GRID * GRID
    means = np.array([film.motion.mean for film in films], np.float32).reshape(shape)
    return means, np.array([film.hidden for film in films], np.bool_).reshape(shape)


def _nearness(one: _Film, means: Grid, hidden: _Cells) -> Grid:
    """How much what does not move is the same, from -1 to 1, outside of the masks of both.

    For all of some films at once (see :func:`_flat`), because a campaign may have thousands.
    """
    kept = (~(hidden | one.hidden.ravel())).astype(np.float32)
    count = np.maximum(kept.sum(1, keepdims=True), 1)

    def place(mean: Grid) -> Grid:
        part = (mean - (mean * kept).sum(1, keepdims=True) / count) * kept
        unit: Grid = part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-6)
        return unit

    near: Grid = (place(one.motion.mean.reshape(1, -1)) * place(means)).sum(1)
    return near


def _common_level(one: _Film, other: _Film) -> int | None:
    """The level on which two films are compared; None if one is far longer than the other."""
    levels = (one.motion.level, other.motion.level)
    return max(levels) if max(levels) - min(levels) <= 1 else None


def _moving_as(film: _Film, others: Sequence[_Film], level: int) -> Iterator[_Film]:
    """Give those of some films in which the same moves, at some shift in time, or mirrored."""
    for way in (film, film.mirrored):
        groups = defaultdict[bytes, list[_Film]](list)
        for other in others:
            groups[(way.hidden | other.hidden).tobytes()].append(other)
        for left_out, group in groups.items():
            cells = np.frombuffer(left_out, np.bool_).reshape(GRID, GRID)
            if (~cells).sum() >= _LEAST_CELLS:
                yield from _moving_one_way(way, group, level, cells)


def _moving_one_way(
    way: _Film, others: Sequence[_Film], level: int, left_out: _Cells
) -> Iterator[_Film]:
    """Give those of some films in which the same moves as in a film that is not mirrored."""
    changes = way.without(left_out).motion.at_level(level).changes
    stacked = [other.without(left_out).motion.at_level(level).changes for other in others]
    likely = _correlations(changes, stacked)
    near, mirrored = (_nearness(each, *_flat(others)) for each in (way, way.mirrored))
    for number, other in enumerate(others):
        # what does not move says if the picture is mirrored
        if near[number] < mirrored[number] - _UNSURE:
            continue
        best = np.argsort(-likely[number])[:_TRIED]
        shifts = [int(at) for at in best if likely[number, at] >= _LIKELY]
        if any(_is_same(changes, stacked[number], at - MOST_STEPS) for at in shifts):
            yield other


def _correlations(one: Grid, others: Sequence[Grid]) -> NDArray[np.float32]:
    """Correlate a film with others at each shift from -MOST_STEPS on; -1 if too little is shared.

    The means are those of the whole films, so the values are near the true ones only.
    """
    size = 2 * MOST_STEPS
    cells = one[0].size
    padded = np.zeros((len(others), MOST_STEPS, cells), np.float32)
    for number, other in enumerate(others):
        padded[number, : len(other)] = other.reshape(len(other), cells)
    spectrum = np.fft.rfft(one.reshape(len(one), cells), size, axis=0)
    spectra = np.fft.rfft(padded, size, axis=1)
    products = np.fft.irfft((spectrum * np.conj(spectra)).sum(2), size, axis=1)
    shifts = np.arange(-MOST_STEPS, MOST_STEPS)
    lengths = np.array([[len(other)] for other in others])
    begin, begins = np.maximum(0, shifts), np.maximum(0, -shifts)
    shared = np.minimum(len(one) - begin, lengths - begins)
    least = np.maximum(_LEAST, np.ceil(_OVERLAP * np.minimum(len(one), lengths)))
    fits = shared >= least
    ends = np.where(fits, shared, 0)
    sums = np.concatenate([[0], np.square(one).sum((1, 2)).cumsum()])
    energy = sums[np.minimum(begin + ends, len(one))] - sums[np.minimum(begin, len(one))]
    others_sums = np.pad(np.square(padded).sum(2).cumsum(1), ((0, 0), (1, 0)))
    others_energy = np.take_along_axis(
        others_sums, np.minimum(begins + ends, MOST_STEPS), 1
    ) - np.take_along_axis(others_sums, np.broadcast_to(begins, ends.shape), 1)
    norms = np.sqrt(np.maximum(energy * others_energy, 1e-6))
    return np.where(fits, products[:, shifts % size] / norms, -1).astype(np.float32)


def _is_same(one: Grid, other: Grid, shift: int) -> bool:
    """Whether the same changes in the steps that two films share, at a shift in time."""
    shared = one[max(0, shift) : max(0, len(other) + shift)]
    second = other[max(0, -shift) :][: len(shared)]
    first = shared[: len(second)]
    first, second = first - first.mean(0), second - second.mean(0)
    if min(first.std(), second.std()) < _MOVES:
        return False
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.vdot(first, second)) >= size * (_SAME if len(first) >= _FEW else _SURE)


def _alike_in_pictures(
    group: Sequence[tuple[int, ClipMarks]], moves: Mapping[int, bool]
) -> Iterator[tuple[int, int]]:
    """Give each clip whose pictures are those of an earlier one, with the first of those.

    :param moves: whether something moves, for each film of which that is known.  Two such films are
        compared here only if nothing moves in both.
    """
    hashes = [clip.marks.partition(".")[0].split() for _, clip in group]
    bits = np.array([[int(mark, 16) for mark in each] for each in hashes], np.uint64)
    lengths = np.array([clip.length_s or 0.0 for _, clip in group])
    known = np.array([at in moves for at, _ in group])
    moving = np.array([moves.get(at, False) for at, _ in group])
    for number, (at, _) in enumerate(group):
        away = np.bitwise_count(bits[:number] ^ bits[number])
        near = np.abs(lengths[:number] - lengths[number]) <= _LENGTH_S + _LENGTH * lengths[number]
        comparable = ~(known[:number] & known[number] & (moving[:number] | moving[number]))
        alike = (
            comparable & near & (away.mean(1) <= _MEAN_BITS) & (away.max(1, initial=0) <= _ONE_BITS)
        )
        if alike.any():
            yield at, group[int(alike.argmax())][0]
