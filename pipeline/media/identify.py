"""What a file is, determined from its bytes and never from its name or its declared type.

An allow-list: footage is what a row of :mod:`pipeline.formats` recognises.  A playlist, a page or
a script, which would make a player open other files, is ``unsafe``; anything else is
``not-media``.  Pure Python over the first 64 KiB, so it may read any file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.formats import HEAD, Format, format_of
from pipeline.model import Kind, Reason, Refusal


@dataclass(frozen=True)
class Identity:
    """What a file is.

    ``format`` is set for footage: a photo or a video that can become a clip.  ``archive`` is
    "zip" or "tnef" for a file that holds other files.
    """

    kind: Kind
    format: Format | None = None
    archive: str | None = None
    refusal: Refusal | None = None


_ARCHIVES = ((b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"\x78\x9f\x3e\x22", "tnef"))
_SOUND = "a sound file without a picture"
_ASK = "which is not opened: ask for the files themselves"
_OTHER: tuple[tuple[re.Pattern[bytes], Reason, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), reason, name)
    for pattern, reason, name in (
        (rb".{4}ftypcrx ", Reason.UNSUPPORTED, "a raw photo"),
        (rb".{4}ftypM4[AB] |(?:RIFF|RF64).{4}WAVE|ID3|fLaC|#!AMR", Reason.NO_VIDEO, _SOUND),
        (rb"%PDF-", Reason.NOT_MEDIA, "a PDF document"),
        (rb"Rar!\x1a\x07", Reason.NOT_MEDIA, f"a RAR archive, {_ASK}"),
        (rb"7z\xbc\xaf\x27\x1c", Reason.NOT_MEDIA, f"a 7-Zip archive, {_ASK}"),
        (rb"\x1f\x8b", Reason.NOT_MEDIA, f"a gzip archive, {_ASK}"),
        (rb"MZ|\x7fELF", Reason.NOT_MEDIA, "a program"),
        (rb"\xd0\xcf\x11\xe0", Reason.NOT_MEDIA, "an office document"),
    )
)

# Text that makes a player open something else, or a browser run something.
_UNSAFE_TEXT: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (rb"\s*ffconcat\s+version|\s*file\s+['\"/\w]", "a list of files for FFmpeg"),
        (rb"\s*#EXTM3U|\s*#EXT-X-", "a playlist"),
        (rb"\s*\[playlist\]|\s*\[reference\]", "a playlist"),
        (rb"\s*v=0\s*[\r\n]+o=", "a session description"),
        (rb"\s*;ffmetadata", "metadata for FFmpeg"),
        (rb"\s*#!", "a script"),
        (rb"(?s)\s*(?:<\?xml.{0,2000}?)?<(?:!--.{0,2000}?-->\s*)?MPD\b", "a playlist"),
        (rb"(?s).{0,4000}?<svg\b", "an SVG picture, which can hold scripts and links"),
        (rb"(?s).{0,4000}?<(?:smil|asx|xspf|playlist)\b", "a playlist"),
        (rb"(?s).{0,4000}?<(?:!doctype\s+html|html|script|iframe)\b", "a web page"),
        (rb"\s*(?:rtsp|https?|mms|ftp|file)://\S+\s*$", "a link"),
    )
)


def identify(path: Path) -> Identity:
    """What the file at *path* is, by its first 64 KiB."""
    with path.open("rb") as file:
        return identify_head(file.read(HEAD))


def identify_head(head: bytes) -> Identity:
    """What a file is that begins with *head* (its first 64 KiB, or all of it)."""
    if not head.strip(b"\0"):
        return _refused(Reason.NOT_MEDIA, "the file is empty")
    if found := format_of(head):
        return Identity(found.kind, found)
    for magic, archive in _ARCHIVES:
        if head.startswith(magic):
            return Identity(Kind.ARCHIVE, archive=archive)
    for pattern, reason, name in _OTHER:
        if pattern.match(head):
            return _refused(reason, name)
    text = head.removeprefix(b"\xef\xbb\xbf")
    for pattern, name in _UNSAFE_TEXT:
        if pattern.match(text):
            return _refused(Reason.UNSAFE, f"{name}, not footage: not opened")
    return _refused(Reason.NOT_MEDIA, "neither a photo nor a video that we know")


def _refused(reason: Reason, detail: str) -> Identity:
    return Identity(Kind.OTHER, refusal=Refusal(reason, detail))
