"""WebP (RFC 9649, 2): the colour profile, and the times of an animation.

PyAV's FFmpeg can't read animated WebP; the FFmpeg that makes the clips can.
"""

from dataclasses import dataclass

from pipeline.carriers.containers.riff import chunks
from pipeline.carriers.containers.tiff import structure
from pipeline.carriers.window import Window

_CHUNKS = 100_000
_SHORTEST_MS, _USUAL_MS = 10, 100  # FFmpeg shows a frame of under 10 ms for 100 ms
_ALPHA = 0x10
_ORIENTATION = 274
_PREFIX = b"Exif\0\0"
_PROFILE = 4 << 20


class WebpError(ValueError):
    """The file is not an animated WebP."""


@dataclass(frozen=True)
class WebpPicture:
    """A WebP of one picture: how FFmpeg's picture of it has to be turned, by EXIF, 1 to 8.

    FFmpeg turns it itself, unless the EXIF part begins as in a JPEG, with ``Exif`` and two zeros.
    """

    orientation: int


@dataclass(frozen=True)
class Animation:
    """The canvas in pixels, and how long each picture is shown, in milliseconds.

    ``orientation`` is that of EXIF, 1 to 8.
    """

    width: int
    height: int
    alpha: bool
    durations_ms: tuple[int, ...]
    orientation: int = 1


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
    return Animation(width, height, bool(canvas[0] & _ALPHA), tuple(durations), orientation(window))


def picture(window: Window) -> WebpPicture:
    """How a WebP of one picture has to be turned."""
    prefixed = any(c.name == b"EXIF" and c.body.read(0, 6) == _PREFIX for c in chunks(window, 12))
    return WebpPicture(orientation(window) if prefixed else 1)


def orientation(window: Window) -> int:
    """Orientation by EXIF, 1 to 8 (section 2.7.1.5; Exif 2.32, tag 274); 1 where there is none."""
    for chunk in chunks(window, 12):
        if chunk.name == b"EXIF":
            head = chunk.body.read(0, 6)
            tiff = structure(chunk.body.part(6 if head == _PREFIX else 0))
            entries = tiff.directory(tiff.first)[0] if tiff else []
            found = [tiff.numbers(e) for e in entries if tiff and e.tag == _ORIENTATION]
            return found[0][0] if found and found[0] and 1 <= found[0][0] <= 8 else 1
    return 1


def colour_profile(window: Window) -> bytes:
    """The chunk ICCP (section 2.7.1.4); empty where there is none."""
    for chunk in chunks(window, 12):
        if chunk.name == b"ICCP":
            return chunk.body.read(0, _PROFILE)
    return b""
