"""The bytes after the end of a picture: second images, the video of a motion photo, notes.

Phones put whole files there (Google's and Samsung's motion photos, MPF's second images, the
depth maps of portraits), so this module searches for the first bytes of files.
"""

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from pipeline.carriers import opaque
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding, What

_STEP = 1 << 20
_SCAN = 48 << 20
_FILES = 6
_START = re.compile(
    rb"\xff\xd8\xff[\xc0-\xfe]|\0\0\0[\x08-\x60]ftyp|\x89PNG\r\n\x1a\n|RIFF....(?:WEBP|AVI )",
    re.DOTALL,
)


def read(window: Window) -> Iterator[Finding]:
    """Report a trailer and the kinds of files in it; zeros alone are padding."""
    if not _anything(window):
        return
    yield Finding(Carrier.TRAILER, What.OTHER)
    starts = list(islice(_starts(window), _FILES))
    for start, following in pairwise([*starts, window.size]):
        head = window.read(start, 12)
        if head[4:8] == b"ftyp":
            # a video may hold pictures of its own: it reaches to the end of the trailer
            yield from window.part(start).inside(Carrier.MOTION_PHOTO)
            break
        yield from window.part(start, following).inside(Carrier.SECOND_IMAGE)
    yield from opaque.scan(window.part(0, starts[0] if starts else None), Carrier.TRAILER)
    if starts:
        yield from opaque.scan(window.part(max(window.size - _STEP // 16, 0)), Carrier.TRAILER)


def _anything(window: Window) -> bool:
    steps = range(0, window.size, _STEP)
    return window.size > _SCAN or any(window.read(at, _STEP).strip(b"\0") for at in steps)


def _starts(window: Window) -> Iterator[int]:
    """Where files begin, each once; without thumbnails near an image's start."""
    last = -_STEP
    for at in range(0, min(window.size, _SCAN), _STEP):
        for match in _START.finditer(window.read(at, _STEP + 16)):
            start = at + match.start()
            if start < last + 4 or match.start() >= _STEP:
                continue
            # a JPEG soon after the start of another is its thumbnail, which its reader reads
            if match.group().startswith(b"\xff\xd8") and 0 <= start - last < (64 << 10):
                continue
            last = start
            yield start
