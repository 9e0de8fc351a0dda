"""The sample entry of a track, as its codec's module reads it (ISO/IEC 14496-12, 8.5.2)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.judge.boxes import Mp4Box
from pipeline.judge.problems import Problems


@dataclass(frozen=True)
class SampleEntry:
    """The sample entry of a track.  Pixels for the picture, channels and hertz for sound.

    ``config`` is the body of avcC; ``sets`` are its parameter sets, each a whole NAL unit;
    ``rates`` are the bit rates it states, each the highest and the mean; ``frame`` is the number
    of samples of sound in a frame.
    """

    name: str  # "h264", "aac" or "alac"
    width: int = 0
    height: int = 0
    config: bytes = b""
    sets: tuple[bytes, ...] = ()
    channels: int = 0
    sample_rate: int = 0
    frame: int = 0
    rates: tuple[tuple[int, int], ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether the track is sound; otherwise it is the picture."""
        return self.name != "h264"


def bit_rates(entry: Mp4Box, problems: Problems) -> tuple[tuple[int, int], ...]:
    """The bit rates in btrt (8.5.2.2), whose buffer size is always 0."""
    btrt = entry.get("btrt")
    if btrt is None:
        return ()
    buffer, most, average = btrt.fields(">III")
    problems.need(buffer == 0, "a buffer size in btrt")
    return ((most, average),)
