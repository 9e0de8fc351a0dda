"""What a file is, determined from its bytes and never from its name or its declared type.

An allow-list: footage is what a row of :mod:`pipeline.formats` recognises.  A playlist, a page or
a script, which would make a player open other files, is ``unsafe``; anything else is
``not-media``.  Pure Python over the first 64 KiB, so it may read any file.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.formats import HEAD, Format, format_of
from pipeline.model import Kind, Reason, Refusal
from pipeline.texts import Detail


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
# Other files that people send, by their first bytes.
_OTHER = tuple(
    (re.compile(pattern, re.DOTALL), Refusal(reason, detail, values))
    for pattern, reason, detail, values in (
        (rb".{4}ftypcrx ", Reason.UNSUPPORTED, Detail.RAW_PHOTO, {}),
        (rb".{4}ftypM4[AB] |R(?:IFF|F64).{4}WAVE", Reason.NO_VIDEO, Detail.SOUND_FILE, {}),
        (rb"ID3|fLaC|#!AMR", Reason.NO_VIDEO, Detail.SOUND_FILE, {}),
        (rb"%PDF-", Reason.NOT_MEDIA, Detail.PDF, {}),
        (rb"Rar!\x1a\x07", Reason.NOT_MEDIA, Detail.CLOSED_ARCHIVE, {"format": "RAR"}),
        (rb"7z\xbc\xaf\x27\x1c", Reason.NOT_MEDIA, Detail.CLOSED_ARCHIVE, {"format": "7-Zip"}),
        (rb"\x1f\x8b", Reason.NOT_MEDIA, Detail.CLOSED_ARCHIVE, {"format": "gzip"}),
        (rb"MZ|\x7fELF", Reason.NOT_MEDIA, Detail.PROGRAM, {}),
        (rb"\xd0\xcf\x11\xe0", Reason.NOT_MEDIA, Detail.OFFICE_DOCUMENT, {}),
    )
)

# Text that makes a player open something else, or a browser run something.
_UNSAFE_TEXT = tuple(
    (re.compile(pattern, re.IGNORECASE), Refusal(Reason.UNSAFE, detail))
    for pattern, detail in (
        (rb"\s*ffconcat\s+version|\s*file\s+['\"/\w]", Detail.FFMPEG_LIST),
        (rb"\s*#EXTM3U|\s*#EXT-X-", Detail.PLAYLIST),
        (rb"\s*\[playlist\]|\s*\[reference\]", Detail.PLAYLIST),
        (rb"\s*v=0\s*[\r\n]+o=", Detail.SESSION_DESCRIPTION),
        (rb"\s*;ffmetadata", Detail.FFMPEG_METADATA),
        (rb"\s*#!", Detail.SCRIPT),
        (rb"(?s)\s*(?:<\?xml.{0,2000}?)?<(?:!--.{0,2000}?-->\s*)?MPD\b", Detail.PLAYLIST),
        (rb"(?s).{0,4000}?<svg\b", Detail.SVG),
        (rb"(?s).{0,4000}?<(?:smil|asx|xspf|playlist)\b", Detail.PLAYLIST),
        (rb"(?s).{0,4000}?<(?:!doctype\s+html|html|script|iframe)\b", Detail.WEB_PAGE),
        (rb"\s*(?:rtsp|https?|mms|ftp|file)://\S+\s*$", Detail.LINK),
    )
)


def identify(path: Path) -> Identity:
    """What the file at *path* is, by its first 64 KiB."""
    with path.open("rb") as file:
        return identify_head(file.read(HEAD))


def identify_head(head: bytes) -> Identity:
    """What a file is that begins with *head* (its first 64 KiB, or all of it)."""
    if not head.strip(b"\0"):
        return Identity(Kind.OTHER, refusal=Refusal(Reason.NOT_MEDIA, Detail.EMPTY_FILE))
    if found := format_of(head):
        return Identity(found.kind, found)
    for magic, archive in _ARCHIVES:
        if head.startswith(magic):
            return Identity(Kind.ARCHIVE, archive=archive)
    text = head.removeprefix(b"\xef\xbb\xbf")
    tables = ((head, _OTHER), (text, _UNSAFE_TEXT))
    known = (refusal for data, rows in tables for pattern, refusal in rows if pattern.match(data))
    unknown = Refusal(Reason.NOT_MEDIA, Detail.UNKNOWN_FORMAT)
    return Identity(Kind.OTHER, refusal=next(known, unknown))
