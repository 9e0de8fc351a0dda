"""Is this file nothing but picture and sound?  The judge of the files that the pipeline made.

Every file passes here before it is published.  The judge works by allow-list and shares no code
with what wrote the file.  A part that is not on the list, or a value that the pipeline does not
write, raises :class:`~pipeline.errors.NotClean`; its problems name the part and never its
content.

No list can judge the picture and the sound themselves (a place that is seen or said), nor bits
inside H.264 slices, JPEG scans, AAC and ALAC elements, which only a decoder can tell apart.
"""

from pipeline.judge.codecs import TrackCodec
from pipeline.judge.h264 import H264
from pipeline.judge.mp4 import AudioFacts, Mp4Facts, Mp4Kind, VideoFacts, judge_mp4
from pipeline.judge.stills import judge_still
from pipeline.judge.text import TextKind, judge_text

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
