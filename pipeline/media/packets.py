"""The list of a film's packets, as FFmpeg's ``framecrc`` writes it, and where reading can begin."""

from __future__ import annotations

import math
import re
from array import array
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.ffmpeg.made import MadeFile

NO_TIME = -(1 << 63)
_LATEST = 1 << 62
DISCARDED = 4  # a flag of FFmpeg's packets: decoded, but not shown
PACKET = re.compile(
    r"\d+,\s*(-?\d{1,19}),\s*(-?\d{1,19}),\s*(\d{1,19}),\s*\d+, 0x\w+"
    r"(?:, F=0x([0-9A-Fa-f]{1,8})(?![0-9A-Fa-f]))?"
)
BASE = re.compile(r"#tb 0: (\d{1,10})/([1-9]\d{0,9})")
LONGEST_LINE = 1 << 10
_KEY = 1  # a flag of FFmpeg's packets: decoding can begin here
# FFmpeg seeks so much earlier than it is asked to where pictures are reordered: 3/23 of a second
_EARLIER = Fraction(7, 50)


@dataclass(frozen=True)
class SeekPoint:
    """Where reading begins so that a film is decoded from a moment on.

    FFmpeg is asked for ``seek_s``, and pictures before ``from_s`` are dropped.  ``before_s``: how
    many seconds are decoded before the first picture that is needed.
    """

    seek_s: int
    from_s: float
    before_s: float


@dataclass(frozen=True)
class PacketTimes:
    """When each packet is decoded and shown, in ticks of *base* seconds, in the order of the file.

    ``keys``: whether decoding can begin there.  ``shown``: whether the picture is seen.
    """

    base: Fraction
    dts: NDArray[np.int64]
    pts: NDArray[np.int64]
    keys: NDArray[np.bool_]
    shown: NDArray[np.bool_]

    def seek_point(self, at_s: int) -> SeekPoint | None:
        """Return where reading begins for the picture that is seen at a moment.

        Decoding begins a whole group of pictures before it is needed, because the first pictures
        after a key frame may refer to those before it.

        :returns: None if no picture is seen at that moment, or not all times are known.
        """
        at = math.floor(at_s / self.base)
        seen = self.pts[self.shown & (self.pts <= at)]
        if not len(seen) or NO_TIME in (self.dts.min(), self.pts.min()):
            return None
        first = int(seen.max())
        inside = self.keys & (self.pts <= first)
        if not inside.any():
            return None
        key = int(np.argmax(np.where(inside, self.pts, NO_TIME)))
        seek_s = max(0, math.floor(min(int(self.dts[key]), first) * self.base))
        reached = self.keys & (self.dts <= math.floor((seek_s - _EARLIER) / self.base))
        begin = int(self.pts[reached].max() if seek_s and reached.any() else self.pts.min())
        from_s = max(float(first * self.base) - 0.001, float(seek_s))
        return SeekPoint(seek_s, from_s, float((first - begin) * self.base))


def read(file: MadeFile) -> PacketTimes:
    """Read a list of packets."""
    base, found = Fraction(1), array("q")  # a film may have millions of packets
    for line in file.lines(LONGEST_LINE):
        if given := BASE.fullmatch(line):
            base = Fraction(int(given[1]), int(given[2]))
        elif given := PACKET.match(line):
            dts, pts = (min(int(given[number]), _LATEST) for number in (1, 2))
            found.extend((dts, pts, int(given[4] or "1", 16)))
    times = np.array(found, np.int64).reshape(-1, 3)
    flags = times[:, 2]
    keys, shown = (flags & _KEY) != 0, (flags & DISCARDED) == 0
    return PacketTimes(base, times[:, 0], times[:, 1], keys, shown)
