"""Warnings about the pictures of a clip, from a few small pictures that its encode leaves.

The encode writes a few small grey pictures a second into a file, from the source as it was
decoded, before frame, caption and blur.  From these, numpy decides here whether the clip is
black, dark, frozen, shaky or blurred, and calculates the marks by which the same footage is
recognized after a messenger has compressed it again.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from pipeline.caution import Caution
from pipeline.ffmpeg.graph import Video

GreyPictures = NDArray[np.uint8]

SIDE = 160  # pixels; every picture is a square, whatever its shape was
_MOST = 1200  # pictures, 30 MB
_MOST_LEFT = _MOST + 8
MOST_BYTES = _MOST_LEFT * SIDE * SIDE  # of the file that an encode leaves
_RATE = 4.0

_BLACK_PEAK, _DARK_MEAN = 32.0, 40.0  # of 255
_STILL = 0.05  # mean difference of two pictures, of 255: nothing moves, not even the noise
_STILL_S = 2.0
_SOFT = 0.03  # variance of the Laplacian over that of the picture; sharp footage has 0.1 and more
_CONTRAST = 25.0  # variance; a wall or the sky has no detail to judge by
_SURE = 0.35  # height of the peak of the phase correlation
_JERK = 0.025  # of the picture's width, from one picture to the next
_ENOUGH = 6  # pictures, to tell how the camera is held
_SAMPLES = 4  # pictures that a film is recognized by
_FLAT = 16.0  # variance below which a picture looks like any other


@dataclass(frozen=True)
class Glance:
    """Pictures that were seen, (n, SIDE, SIDE) from 0 to 255, *rate* of them a second.

    ``rate`` is None for a photo.
    """

    pictures: GreyPictures
    rate: float | None


def rate_for(seconds: float) -> float:
    """Return how many pictures a second are looked at; fewer where the film is long."""
    return min(_RATE, _MOST / max(seconds, 1.0))


def reduced(stream: Video, rate: float | None, begin_s: int = 0) -> Video:
    """Reduce a film to the pictures to look at: first fewer, then smaller, so that it is cheap.

    :param rate: how many a second; None for a photo.
    :param begin_s: the moment of the first one.
    """
    if rate is not None:
        # rounded up: otherwise a film of a tenth of a second would give no picture
        stream = stream.filter("fps", fps=round(rate, 4), start_time=begin_s, round="up")
    return stream.filter("scale", SIDE, SIDE, flags="area", out_range="pc").filter("format", "gray")


def arguments(rate: float | None) -> dict[str, str | int]:
    """Return FFmpeg's options for the file that the pictures go to."""
    most = 1 if rate is None else _MOST_LEFT
    return {"c:v": "rawvideo", "f": "rawvideo", "frames:v": most, "threads:v": 1}


def read(file: BinaryIO, rate: float | None) -> Glance:
    """Read the pictures that an encode left; one that is not whole is ignored."""
    data = np.frombuffer(file.read(MOST_BYTES), np.uint8)
    count = len(data) // (SIDE * SIDE)
    return Glance(data[: count * SIDE * SIDE].reshape(count, SIDE, SIDE), rate)


def cautions(seen: Glance) -> tuple[Caution, ...]:
    """Return the warnings about the pictures; none where there are no pictures."""
    if not len(seen.pictures):
        return ()
    rate = seen.rate
    peak, mean, contrast, detail = np.array([_statistics(p) for p in seen.pictures]).T
    lit = peak >= _BLACK_PEAK
    black = lit.mean() < 0.5 or (rate is not None and _longest(~lit) / rate >= _STILL_S)
    judged = lit & (contrast > _CONTRAST)
    sharpness = detail[judged] / contrast[judged]
    found = {
        Caution.BLACK: bool(black),
        Caution.DARK: bool(lit.any() and np.median(mean[lit]) < _DARK_MEAN),
        Caution.FROZEN: rate is not None and _frozen(seen.pictures, rate),
        Caution.SHAKY: rate == _RATE and not black and _shaky(seen.pictures),
        Caution.BLURRED: bool(judged.any() and np.median(sharpness) < _SOFT),
    }
    return tuple(caution for caution, so in found.items() if so)


def marks(seen: Glance) -> str:
    """Return hashes by which the footage is recognized; empty where it has no features.

    These are a perceptual hash (64 bits, hex) for each of four moments of a film, one for a photo.
    """
    # the library takes a third of a second to load, and is needed only where a clip was made
    import imagehash  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    count = len(seen.pictures)
    places = sorted({(2 * step + 1) * count // (2 * _SAMPLES) for step in range(_SAMPLES)})
    chosen = [seen.pictures[place] for place in places if place < count]
    if not chosen or min(float(picture.var()) for picture in chosen) < _FLAT:
        return ""
    images = (Image.fromarray(picture) for picture in chosen)
    return " ".join(str(imagehash.phash(image)) for image in images)


def _statistics(picture: GreyPictures) -> tuple[float, float, float, float]:
    """The 99th percentile, the mean, the variance, and the variance of the Laplacian."""
    p = picture.astype(np.float32)
    around = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]
    detail = 4 * p[1:-1, 1:-1] - around
    return float(np.percentile(p, 99)), float(p.mean()), float(p.var()), float(detail.var())


def _frozen(pictures: GreyPictures, rate: float) -> bool:
    """Whether half of the film, or five seconds of it, is one picture."""
    if len(pictures) < 2:
        return False
    differences = (
        np.abs(before.astype(np.int16) - after).mean() for before, after in pairwise(pictures)
    )
    still = np.fromiter(differences, float) < _STILL
    longest, whole = _longest(still) / rate, len(still) / rate
    return longest >= 5.0 or (longest >= min(_STILL_S, whole) and longest >= whole / 2)


def _shaky(pictures: GreyPictures) -> bool:
    """Whether the camera jerks: its movement mostly changes by more than 2.5 % of the width."""
    if len(pictures) < _ENOUGH:
        return False
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    spectra = (np.fft.rfft2((p - p.mean()) * window) for p in pictures)
    moves, sure = [], []
    for before, after in pairwise(spectra):
        cross = before * np.conj(after)
        peaks = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9))
        place = np.unravel_index(int(peaks.argmax()), peaks.shape)
        moves.append([(int(p) + SIDE // 2) % SIDE - SIDE // 2 for p in place])
        sure.append(bool(peaks.max() > _SURE))
    jerks = np.abs(np.diff(np.array(moves), axis=0)).max(1)
    both = np.array(sure[1:]) & np.array(sure[:-1])
    return bool(both.mean() >= 0.5 and np.median(jerks[both]) >= _JERK * SIDE)


def _longest(flags: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int(np.diff(edges)[::2].max(initial=0))
