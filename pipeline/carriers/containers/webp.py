"""WebP (RFC 9649, 2): the colour profile, and the times of an animation.

PyAV's FFmpeg can't read animated WebP; the FFmpeg that makes the clips can.
"""

from dataclasses import dataclass

from pipeline.carriers.containers.riff import chunks
from pipeline.carriers.window import Window

_CHUNKS = 100_000
_SHORTEST_MS, _USUAL_MS = 10, 100  # FFmpeg shows a frame of under 10 ms for 100 ms
_ALPHA = 0x10
_PROFILE = 4 << 20


class WebpError(ValueError):
    """The file is not an animated WebP."""


@dataclass(frozen=True)
class Animation:
    """The canvas in pixels, and how long each picture is shown, in milliseconds."""

    width: int
    height: int
    alpha: bool
    durations_ms: tuple[int, ...]


def animation(window: Window) -> Animation:
    """Read the headers of an animated WebP, without the pictures themselves.

    Of a file that was cut off, only the complete pictures count.

    :raises WebpError: it is not one, or has no picture.
    """
    if window.read(0, 4) != b"RIFF" or window.read(8, 4) != b"WEBP":
        raise WebpError
    canvas = b""
    durations = []
    for chunk in chunks(window, 12, _CHUNKS):
        if chunk.broken:
            break
        if chunk.name == b"VP8X" and not canvas:
            canvas = chunk.body.read(0, 10)
        elif chunk.name == b"ANMF" and chunk.body.size >= 16:
            shown = int.from_bytes(chunk.body.read(12, 3), "little")
            durations.append(shown if shown >= _SHORTEST_MS else _USUAL_MS)
    if len(canvas) < 10 or not durations:
        raise WebpError
    width, height = (1 + int.from_bytes(canvas[at : at + 3], "little") for at in (4, 7))
    return Animation(width, height, bool(canvas[0] & _ALPHA), tuple(durations))


def colour_profile(window: Window) -> bytes:
    """The chunk ICCP (section 2.7.1.4); empty where there is none."""
    for chunk in chunks(window, 12):
        if chunk.name == b"ICCP":
            return chunk.body.read(0, _PROFILE)
    return b""
