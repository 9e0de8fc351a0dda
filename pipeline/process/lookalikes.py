"""Find clips that look like another one: the same footage, sent again in other bytes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_MEAN_BITS = 6.0  # of 64, over all moments: what re-encoding changes at most
_ONE_BITS = 14  # of 64, in one moment
_LENGTH_S, _LENGTH = 0.5, 0.05  # how much longer or shorter one may be


@dataclass(frozen=True)
class ClipMarks:
    """By what a clip is recognized: its marks (``glance.marks``) and length, None for a photo."""

    sha256: str
    marks: str
    length_s: float | None


def find(clips: Sequence[ClipMarks]) -> dict[str, str]:
    """Return, for each clip that looks like an earlier one of *clips*, the first of those."""
    groups = defaultdict[tuple[int, bool], list[ClipMarks]](list)
    for clip in clips:
        if clip.marks:
            groups[clip.marks.count(" "), clip.length_s is None].append(clip)
    return {one: other for group in groups.values() for one, other in _among(group).items()}


def _among(group: Sequence[ClipMarks]) -> dict[str, str]:
    found: dict[str, str] = {}
    bits = np.array([[int(mark, 16) for mark in clip.marks.split()] for clip in group], np.uint64)
    lengths = np.array([clip.length_s or 0.0 for clip in group])
    for at, clip in enumerate(group):
        away = np.bitwise_count(bits[:at] ^ bits[at])
        near = np.abs(lengths[:at] - lengths[at]) <= _LENGTH_S + _LENGTH * lengths[at]
        alike = near & (away.mean(1) <= _MEAN_BITS) & (away.max(1, initial=0) <= _ONE_BITS)
        if alike.any():
            found[clip.sha256] = group[int(alike.argmax())].sha256
    return found
