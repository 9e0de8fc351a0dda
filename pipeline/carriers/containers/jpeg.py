"""JPEG (ITU-T T.81, annex B): marker segments, colour profile, size."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.window import Window, leave_out

SCAN, STRAY = 0, -1  # entropy-coded data behind a scan header; bytes that belong to no segment
SOI, EOI, SOS, COM, APP0 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0
_COUNT = 20_000
_STEP = 64 << 10
_BARE = frozenset((0x01, *range(0xD0, 0xD9)))  # TEM, restart markers and SOI have no length
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_PROFILE = 4 << 20


@dataclass(frozen=True)
class JpegSegment:
    """A segment by the second byte of its marker, or SCAN or STRAY; ``end`` is behind it."""

    marker: int
    body: Window
    end: int


def segments(window: Window) -> Iterator[JpegSegment]:
    """The segments behind the first marker, up to EOI and with it; at most 20,000."""
    at = 2
    for _ in range(_COUNT):
        head = window.read(at, 4)
        if len(head) < 2:
            return
        if head[0] != 0xFF:
            end = _next_marker(window, at)
            yield JpegSegment(STRAY, window.part(at, end), end)
            at = end
            continue
        marker = head[1]
        if marker == EOI:
            yield JpegSegment(EOI, window.part(at + 2, at + 2), at + 2)
            return
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + max(int.from_bytes(head[2:4], "big"), 2)
        yield JpegSegment(marker, window.part(at + 4, end), end)
        at = end
        if marker == SOS:
            at = _next_marker(window, end)
            yield JpegSegment(SCAN, window.part(end, at), at)
    leave_out()


def _next_marker(window: Window, at: int) -> int:
    """The next marker that is neither a stuffed byte nor a restart (B.1.1.5)."""
    while at < window.size:
        data = window.read(at, _STEP)
        match = _MARKER.search(data)
        if match:
            return at + match.start()
        at += max(len(data) - 1, 1)
    return window.size


def colour_profile(window: Window) -> bytes:
    """The profile that segments APP2 hold in parts (ICC.1:2022, annex B.4); empty without one."""
    parts: dict[int, bytes] = {}
    for segment in segments(window):
        if segment.marker in (SOS, STRAY):
            break
        if segment.marker == APP0 + 2:
            data = segment.body.read(0, 1 << 16)
            if data.startswith(b"ICC_PROFILE\0") and len(data) > 14:
                parts[data[12]] = data[14:]
    return b"".join(parts[number] for number in sorted(parts))[:_PROFILE]


def size(window: Window) -> tuple[int, int] | None:
    """Width and height in pixels, from the frame header (B.2.2); None where there is none."""
    for segment in segments(window):
        if segment.marker in (SOS, STRAY):
            break
        if segment.marker in _FRAMES:
            data = segment.body.read(0, 5)
            height, width = int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")
            return (width, height) if len(data) == 5 else None
    return None
