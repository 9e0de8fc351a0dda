"""Time in pictures, samples and ticks: whole numbers that are exact at every frame rate allowed."""

from fractions import Fraction

SAMPLE_RATE = 48000  # hertz
TICKS = 1000  # of a film's timebase in one picture


def samples_of(frames: int, fps: int) -> int:
    """Return how many samples of sound last as long as *frames* pictures; this is exact."""
    return frames * SAMPLE_RATE // fps


def frames_in(seconds: float, fps: int) -> int:
    """Return how many pictures *seconds* are: at least one, and half a picture counts as one."""
    return max(1, int(Fraction(seconds).limit_denominator(1_000_000) * fps + Fraction(1, 2)))


def fade_frames(seconds: float, fps: int) -> int:
    """Return how many pictures a crossfade of *seconds* lasts; 0 for hard cuts."""
    return frames_in(seconds, fps) if seconds > 0 else 0
