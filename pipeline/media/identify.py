"""What a file is, told by its bytes and never by its name or its declared type.

An allow-list: what is not recognised is ``not-media``; what is recognised as a playlist, a
page or a script, which would make a player open other files, is ``unsafe``.  Pure Python
over the first 64 KiB, so it may look at anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.model import Kind, Reason, Refusal

HEAD = 65536


@dataclass(frozen=True)
class Identity:
    """What a file is.

    ``demuxer`` is the FFmpeg demuxer that opens it (no other may guess), empty where FFmpeg
    has no business with it.  ``archive`` is "zip" or "tnef" where files are inside.
    """

    kind: Kind
    name: str
    demuxer: str = ""
    archive: str | None = None
    refusal: Refusal | None = None


def _video(name: str, demuxer: str) -> Identity:
    return Identity(Kind.VIDEO, name, demuxer)


def _image(name: str, demuxer: str) -> Identity:
    return Identity(Kind.IMAGE, name, demuxer)


def _refused(kind: Kind, name: str, reason: Reason, detail: str) -> Identity:
    return Identity(kind, name, refusal=Refusal(reason, detail))


_STILL_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"avio"))
_SEQUENCE_BRANDS = frozenset((b"hevc", b"hevx", b"msf1", b"avis"))
_MP4_BOXES = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))

_MAGIC: tuple[tuple[bytes, Identity], ...] = (
    (b"\xff\xd8\xff", _image("jpeg", "jpeg_pipe")),
    (b"\x89PNG\r\n\x1a\n", _image("png", "png_pipe")),
    (b"GIF87a", _image("gif", "gif")),
    (b"GIF89a", _image("gif", "gif")),
    (b"II*\0", _image("tiff", "tiff_pipe")),
    (b"MM\0*", _image("tiff", "tiff_pipe")),
    (b"BM", _image("bmp", "bmp_pipe")),
    (b"\xff\x0a", _image("jpegxl", "jpegxl_anim")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _image("jpegxl", "jpegxl_anim")),
    (b"\x1aE\xdf\xa3", _video("matroska", "matroska")),
    (b"OggS", _video("ogg", "ogg")),
    (b"FLV\x01", _video("flv", "flv")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _video("asf", "asf")),
    (b"\0\0\x01\xba", _video("mpeg-ps", "mpeg")),
    (b"\0\0\x01\xb3", _video("mpeg-video", "mpegvideo")),
    (b"PK\x03\x04", Identity(Kind.ARCHIVE, "zip", archive="zip")),
    (b"PK\x05\x06", Identity(Kind.ARCHIVE, "zip", archive="zip")),
    (b"\x78\x9f\x3e\x22", Identity(Kind.ARCHIVE, "winmail.dat", archive="tnef")),
)

_OTHER: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document"),
    (b"Rar!\x1a\x07", "a RAR archive, which is not opened: ask for the files themselves"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive, which is not opened: ask for the files themselves"),
    (b"\x1f\x8b", "a gzip archive, which is not opened: ask for the files themselves"),
    (b"ID3", "a sound file without a picture"),
    (b"fLaC", "a sound file without a picture"),
    (b"#!AMR", "a sound file without a picture"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
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
        return _refused(Kind.OTHER, "empty", Reason.NOT_MEDIA, "the file is empty")
    return _media(head) or _known_but_not_footage(head)


def _media(head: bytes) -> Identity | None:
    if head[4:8] == b"ftyp" or head[4:8] in _MP4_BOXES:
        return _isobmff(head)
    if head[:4] in (b"RIFF", b"RF64"):
        return _riff(head)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and b"acTL" in head[:4096]:
        return _image("png", "apng")
    for magic, identity in _MAGIC:
        if head.startswith(magic):
            return identity
    return _video("mpeg-ts", "mpegts") if _transport_stream(head) else None


def _known_but_not_footage(head: bytes) -> Identity:
    for magic, name in _OTHER:
        if head.startswith(magic):
            reason = Reason.NO_VIDEO if name.startswith("a sound") else Reason.NOT_MEDIA
            return _refused(Kind.OTHER, name, reason, name)
    text = head.removeprefix(b"\xef\xbb\xbf")
    for pattern, name in _UNSAFE_TEXT:
        if pattern.match(text):
            return _refused(Kind.OTHER, name, Reason.UNSAFE, f"{name}, not footage: not opened")
    return _refused(
        Kind.OTHER, "unknown", Reason.NOT_MEDIA, "neither a photo nor a video that we know"
    )


def _isobmff(head: bytes) -> Identity:
    """MP4, QuickTime, 3GPP, HEIF and AVIF by their brands (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] == b"ftyp":
        major = head[8:12]
        size = int.from_bytes(head[:4], "big")
        brands = {head[at : at + 4] for at in range(16, min(size, len(head), 256), 4)} | {major}
        if major in (b"crx ", b"M4A ", b"M4B "):
            reason = Reason.UNSUPPORTED if major == b"crx " else Reason.NO_VIDEO
            detail = "a raw photo" if major == b"crx " else "a sound file without a picture"
            return _refused(Kind.OTHER, detail, reason, detail)
        if major in _SEQUENCE_BRANDS:
            return _video("heif sequence", "mov")
        if major in _STILL_BRANDS or (brands & _STILL_BRANDS and not brands & {b"isom", b"mp42"}):
            return _image("avif" if brands & {b"avif", b"avis"} else "heif", "mov")
    return _video("mp4", "mov")


def _riff(head: bytes) -> Identity:
    form = head[8:12]
    if form == b"WEBP":
        return _image("webp", "webp_anim" if b"ANIM" in head[12:64] else "webp_pipe")
    if form in (b"AVI ", b"AVIX"):
        return _video("avi", "avi")
    if form == b"WAVE":
        return _refused(Kind.OTHER, "wav", Reason.NO_VIDEO, "a sound file without a picture")
    return _refused(
        Kind.OTHER, "riff", Reason.NOT_MEDIA, "neither a photo nor a video that we know"
    )


def _transport_stream(head: bytes) -> bool:
    """Sync bytes at a constant distance: 188, or 192 in AVCHD (ISO/IEC 13818-1, 2.4.3.2)."""
    return any(
        len(head) >= first + 4 * size
        and all(head[first + index * size] == 0x47 for index in range(4))
        for size, first in ((188, 0), (192, 4), (204, 0))
    )
