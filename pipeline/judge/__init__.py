"""Is this file nothing but picture and sound?  The judge of the files that the pipeline made.

Every file passes here before it is published.  A part that is not on the allow-list, or a value
that the pipeline does not write, raises :class:`~pipeline.errors.NotClean`.  README.md says what
no list can judge.
"""

from pipeline.judge.h264 import H264
from pipeline.judge.mp4 import AudioFacts, Mp4Facts, Mp4Kind, VideoFacts, judge_mp4
from pipeline.judge.stills import judge_still
from pipeline.judge.text import TextKind, judge_text
from pipeline.judge.track import TrackCodec

__all__ = [
    "H264",
    "AudioFacts",
    "Mp4Facts",
    "Mp4Kind",
    "TextKind",
    "TrackCodec",
    "VideoFacts",
    "judge_mp4",
    "judge_still",
    "judge_text",
]
