"""What the judge must know of a codec; the sample entry of a track (ISO/IEC 14496-12, 8.5.2)."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.judge.boxes import EntryShape, Mp4Box
from pipeline.judge.problems import Problems
from pipeline.judge.tables import Samples


@dataclass(frozen=True)
class SampleEntry:
    """The sample entry of a track.  Pixels for the picture, channels and hertz for sound.

    ``config`` is the body of avcC; ``sets`` are its parameter sets, each a whole NAL unit;
    ``rates`` are the bit rates it states, each the highest and the mean; ``frame`` is the number
    of samples of sound in a frame.
    """

    name: str  # of the codec
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
        return self.sample_rate > 0


@dataclass(frozen=True)
class TrackCodec:
    """How the track of a codec is judged.

    ``entry`` is the allow-list of its sample entry.  ``read_entry`` reads it; it is given the
    track's number too.  ``judge_samples`` looks at every sample.
    """

    name: str
    entry: EntryShape
    read_entry: Callable[[Mp4Box, int, Problems], SampleEntry]
    judge_samples: Callable[[memoryview, SampleEntry, Samples, Problems], None]


def bit_rates(entry: Mp4Box, problems: Problems) -> tuple[tuple[int, int], ...]:
    """The bit rates in btrt (8.5.2.2), whose buffer size is always 0."""
    btrt = entry.get("btrt")
    if btrt is None:
        return ()
    buffer, most, average = btrt.fields(">III")
    problems.need(buffer == 0, "a buffer size in btrt")
    return ((most, average),)
