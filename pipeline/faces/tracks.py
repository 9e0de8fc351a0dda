"""Link faces that were seen now and then to tracks, and say what a mask of a track must cover.

All functions are pure.  Whatever is uncertain makes a mask larger or longer, never smaller: the
size of a face is the largest of some moments, what lies between two moments is filled, and a mask
begins before its face was seen first and ends after it was seen last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.looking import Look, SeenFace

# sides of a mask, by those of the box; of a face from the side the box leaves out a part of the
# cheek, so 1.3 would show more than a tenth of such faces
MARGIN = 1.5
LONGER_S = 0.5  # at both ends of a track
_LEAST_MARGIN = 1.4  # what is left of the margin where points were left out
_SURE, _UNSURE = 0.5, 0.3  # score from which a face begins a track, and goes on with one
_SURE_ALONE = 0.6  # score from which a face counts that was seen once
_SURE_IN_PHOTO = 0.4
_GAP_S = 1.0  # so long a face may be unseen within a track
_REACH = 0.8  # distance to where a face is expected, by its size
_REACH_A_SECOND = 1.0  # by which that grows while the face is unseen
_RATIO = 2.0  # of the sizes of one face in two pictures
_MOST_AT_ONCE = 100  # faces of one picture
_WINDOW = 2  # looks before and after, of which the largest size counts
_MOST_LEFT_OUT = 32  # areas between two that stay
_FASTEST = 3.0  # a face that was seen once may move by so many of its sides a second
_EDGE = 0.02  # of the picture: a face so near to its rim may be on the way out

_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Sighting:
    """A face at a moment."""

    at_s: float
    face: SeenFace

    @property
    def center(self) -> tuple[float, float]:
        """The middle of the box, in fractions of the picture."""
        return self.face.x + self.face.width / 2, self.face.y + self.face.height / 2


@dataclass(frozen=True)
class FaceTrack:
    """One face through a film, in the order of time."""

    sightings: tuple[Sighting, ...]

    @property
    def score(self) -> float:
        """How sure the model was at best."""
        return max(sighting.face.score for sighting in self.sightings)

    @property
    def is_of_one_moment(self) -> bool:
        """Whether the face was seen once only, so that nobody knows whether it moves."""
        return len(self.sightings) == 1

    def speed(self, *, at_end: bool) -> tuple[float, float]:
        """Return how fast the face moves at one end of the track, in pictures a second."""
        some = self.sightings[-3:] if at_end else self.sightings[:3]
        seconds = some[-1].at_s - some[0].at_s
        if seconds <= 0:
            return 0.0, 0.0
        (left, top), (right, bottom) = some[0].center, some[-1].center
        return (right - left) / seconds, (bottom - top) / seconds


def link(looks: Sequence[Look], aspect: float) -> tuple[FaceTrack, ...]:
    """Link the faces of a film to tracks.

    A face goes on with the track whose expected place is nearest.  What was seen only for a moment,
    and not surely, is left out.

    :param aspect: width of the picture by its height.
    """
    open_tracks: list[list[Sighting]] = []
    done: list[list[Sighting]] = []
    for look in looks:
        ended = [track for track in open_tracks if look.at_s - track[-1].at_s > _GAP_S]
        done += ended
        open_tracks = [track for track in open_tracks if look.at_s - track[-1].at_s <= _GAP_S]
        surest = sorted(look.faces, key=lambda face: -face.score)[:_MOST_AT_ONCE]
        faces = [face for face in surest if face.score >= _UNSURE]
        used = set()
        for track, index in _pairs(open_tracks, faces, look.at_s, aspect):
            track.append(Sighting(look.at_s, faces[index]))
            used.add(index)
        open_tracks += [
            [Sighting(look.at_s, face)]
            for index, face in enumerate(faces)
            if index not in used and face.score >= _SURE
        ]
    tracks = (FaceTrack(tuple(track)) for track in (*done, *open_tracks))
    kept = (track for track in tracks if len(track.sightings) > 1 or track.score >= _SURE_ALONE)
    return tuple(sorted(kept, key=lambda track: track.sightings[0].at_s))


def in_photo(look: Look) -> tuple[FaceTrack, ...]:
    """Return the faces of a photo, each as a track of one moment."""
    return tuple(
        FaceTrack((Sighting(0.0, face),)) for face in look.faces if face.score >= _SURE_IN_PHOTO
    )


def is_lost(track: FaceTrack, until_s: float) -> bool:
    """Whether a face was not seen any more although it was not on the way out of the picture.

    :param until_s: the moment of the last look at the film.
    """
    last = track.sightings[-1]
    if last.at_s >= until_s - LONGER_S / 2:
        return False
    face = last.face
    near = min(face.x, face.y, 1 - face.x - face.width, 1 - face.y - face.height)
    right, down = (
        place + speed * LONGER_S
        for place, speed in zip(last.center, track.speed(at_end=True), strict=True)
    )
    return near > _EDGE and 0 < right < 1 and 0 < down < 1


@dataclass(frozen=True)
class TrackArea:
    """A rectangle at a moment, by its sides in fractions of the picture; it may reach beyond it."""

    at_s: float
    left: float
    top: float
    right: float
    bottom: float

    def holds(self, other: TrackArea) -> bool:
        """Whether another area lies in this one."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def with_other(self, other: TrackArea) -> TrackArea:
        """Return the smallest area that holds this one and another; the moment stays."""
        return TrackArea(
            self.at_s,
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def moved(self, at_s: float, right: float, down: float) -> TrackArea:
        """Return the area at another moment and place."""
        return TrackArea(
            at_s, self.left + right, self.top + down, self.right + right, self.bottom + down
        )

    def grown(self, at_s: float, across: float, down: float) -> TrackArea:
        """Return the area at another moment, larger on each side."""
        return TrackArea(
            at_s, self.left - across, self.top - down, self.right + across, self.bottom + down
        )


def between(one: TrackArea, other: TrackArea, at_s: float) -> TrackArea:
    """Return the area at a moment between two; it moves at a constant pace."""
    part = (at_s - one.at_s) / (other.at_s - one.at_s)
    sides = zip(
        (one.left, one.top, one.right, one.bottom),
        (other.left, other.top, other.right, other.bottom),
        strict=True,
    )
    return TrackArea(at_s, *(a + (b - a) * part for a, b in sides))


def covered(track: FaceTrack, length_s: float, each_of: int = 1) -> tuple[TrackArea, ...]:
    """Return what a mask of a track covers, from its first moment to its last.

    Between two areas the mask moves at a constant pace.  A mask of one area stays where it is.

    :param length_s: of the clip; the mask is not longer.
    :param each_of: areas that become one, which covers all of them: fewer points, larger areas.
    """
    wide = _areas(track, MARGIN)
    kept = _thinned(wide, _areas(track, _LEAST_MARGIN)) if each_of == 1 else _merged(wide, each_of)
    first = _longer(track, kept[0], -min(LONGER_S, kept[0].at_s))
    last = _longer(track, kept[-1], max(0.0, min(LONGER_S, length_s - kept[-1].at_s)))
    ends = (
        [first] if first.at_s < kept[0].at_s else [],
        [last] if last.at_s > kept[-1].at_s else [],
    )
    return (*ends[0], *kept, *ends[1])


def _longer(track: FaceTrack, area: TrackArea, seconds: float) -> TrackArea:
    """Return the area at an end of a track, some seconds later or, below zero, earlier.

    The face may have stayed, or have moved on.  One that was seen once may have gone anywhere.
    """
    at_s = area.at_s + seconds
    if track.is_of_one_moment:
        face = track.sightings[0].face
        reach = _FASTEST * abs(seconds)
        return area.grown(at_s, reach * face.width, reach * face.height)
    right, down = (each * seconds for each in track.speed(at_end=seconds > 0))
    return area.moved(at_s, 0, 0).with_other(area.moved(at_s, right, down))


def _areas(track: FaceTrack, margin: float) -> list[TrackArea]:
    """The area at each sighting, as large as the largest of the moments around it."""
    found = []
    for index, sighting in enumerate(track.sightings):
        around = track.sightings[max(0, index - _WINDOW) : index + _WINDOW + 1]
        width = max(each.face.width for each in around) * margin
        height = max(each.face.height for each in around) * margin
        x, y = sighting.center
        found.append(
            TrackArea(sighting.at_s, x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        )
    return found


def _merged(areas: Sequence[TrackArea], each_of: int) -> list[TrackArea]:
    """Keep each n-th area and the last one; each covers all areas up to its neighbours."""
    places = [*range(0, len(areas) - 1, each_of), len(areas) - 1]
    kept = []
    for place in places:
        near = areas[max(0, place - each_of) : place + each_of + 1]
        kept.append(reduce(TrackArea.with_other, near, areas[place]))
    return kept


def _thinned(areas: Sequence[TrackArea], least: Sequence[TrackArea]) -> list[TrackArea]:
    """Leave out areas as long as the mask between those that stay covers the least of each."""
    kept, begin, reach = [areas[0]], 0, 1
    while begin < len(areas) - 1:
        reach = min(2 * reach, _MOST_LEFT_OUT, len(areas) - 1 - begin)
        while reach > 1 and not _covers(areas, least, begin, begin + reach):
            reach -= 1
        begin += reach
        kept.append(areas[begin])
    return kept


def _covers(areas: Sequence[TrackArea], least: Sequence[TrackArea], begin: int, end: int) -> bool:
    return all(
        between(areas[begin], areas[end], each.at_s).holds(each) for each in least[begin + 1 : end]
    )


def _pairs(
    tracks: Sequence[list[Sighting]], faces: Sequence[SeenFace], at_s: float, aspect: float
) -> list[tuple[list[Sighting], int]]:
    """Return which face goes on with which track, each at most once, the nearest first."""
    if not tracks or not faces:
        return []
    expected = np.array([_expected(track, at_s) for track in tracks])
    seen = np.array([(f.x + f.width / 2, f.y + f.height / 2, f.width, f.height) for f in faces])
    size = np.sqrt(expected[:, None, 2:].prod(-1)), np.sqrt(seen[None, :, 2:].prod(-1))
    ratio = np.abs(np.log(size[0] / size[1]))
    across = (expected[:, None, :2] - seen[None, :, :2]) * (
        math.sqrt(aspect),
        1 / math.sqrt(aspect),
    )
    distance = np.hypot(across[..., 0], across[..., 1]) / np.maximum(*size)
    reach = _REACH + _REACH_A_SECOND * np.array([at_s - track[-1].at_s for track in tracks])
    possible = (distance <= reach[:, None]) & (ratio <= math.log(_RATIO))
    cost = np.where(possible, distance + ratio, np.inf)
    found = []
    for place in np.argsort(cost, axis=None, kind="stable")[: int(possible.sum())]:
        row, column = divmod(int(place), len(faces))
        if np.isfinite(cost[row, column]):
            found.append((tracks[row], column))
            cost[row, :] = cost[:, column] = np.inf
    return found


def _expected(track: Sequence[Sighting], at_s: float) -> tuple[float, float, float, float]:
    """Where a face should be now, and its size, if it goes on moving as before."""
    last = track[-1]
    right, down = FaceTrack(tuple(track[-3:])).speed(at_end=True)
    x, y = last.center
    passed = at_s - last.at_s
    return x + right * passed, y + down * passed, last.face.width, last.face.height
