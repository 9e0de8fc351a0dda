"""What the pipeline must know of a codec for the picture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.config import Output
from pipeline.judge import Mp4Facts, Mp4Kind, TrackCodec, judge_mp4

Arguments = dict[str, str | int]


@dataclass(frozen=True)
class Codec:
    """A codec for the picture, with the kind of file that it is kept in.

    ``suffix`` is the end of the file's name; ``lead`` is how many pictures decoding runs ahead of
    showing; ``judged`` is how its track is judged.  ``arguments`` are FFmpeg's options for a clip;
    ``quick_arguments`` are those for a picture that must join the clips and is made while the
    editor waits.
    """

    name: str
    suffix: str
    lead: int
    judged: TrackCodec
    arguments: Callable[[Output], Arguments]
    quick_arguments: Callable[[Output], Arguments]

    def judge(self, source: Path | BinaryIO, kind: Mp4Kind) -> Mp4Facts:
        """Judge a file with a picture of this codec, and count what it holds.

        :param source: its path, or the file itself if it is open already.
        :raises NotClean: it holds anything but the tracks of its *kind*.
        """
        return judge_mp4(source, kind, self.judged)
