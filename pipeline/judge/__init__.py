"""The judge of what we made: an allow-list, read by other code than the code that wrote.

Every file passes here before it is published.  Whatever is not on the list, or has another
value than we write, is :class:`~pipeline.errors.NotClean`; its problems name the part of the
file and never what stood there.

What no list can judge: the picture and the sound themselves (a place that is seen or said),
and bits that only an entropy decoder tells from picture or sound (inside H.264 slices, JPEG
scans, AAC and ALAC elements), which came out of an encoder of ours.
"""

from pipeline.judge.mp4 import (
    AudioFacts,
    Mp4Facts,
    VideoFacts,
    judge_clip,
    judge_montage,
    judge_piece,
)
from pipeline.judge.stills import judge_jpeg, judge_png
from pipeline.judge.text import TextKind, judge_text

__all__ = [
    "AudioFacts",
    "Mp4Facts",
    "TextKind",
    "VideoFacts",
    "judge_clip",
    "judge_jpeg",
    "judge_montage",
    "judge_piece",
    "judge_png",
    "judge_text",
]
