"""What a file is, determined from its bytes and never from its name or its declared type.

An allow-list: footage is what a row of :mod:`pipeline.formats` recognises.  A playlist, a page or
a script, which would make a player open other files, is ``unsafe``; anything else is
``not-media``.  Pure Python over the first 64 KiB, so it may read any file.
"""

import binascii
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.formats import HEAD, Format, format_of
from pipeline.model import Kind, Reason, Refusal
from pipeline.texts import Detail


@dataclass(frozen=True)
class Identity:
    """What a file is.

    ``format`` is set for footage: a photo or a video that can become a clip.  ``archive`` names
    the reader of :mod:`pipeline.ingest.archives` for a file that holds other files.
    """

    kind: Kind
    format: Format | None = None
    archive: str | None = None
    refusal: Refusal | None = None


_ARCHIVES = tuple(
    (re.compile(pattern, re.DOTALL), archive)
    for pattern, archive in (
        (rb"PK(?:\x03\x04|\x05\x06|\x07\x08PK|00PK\x03\x04)", "zip"),
        (rb"\x78\x9f\x3e\x22", "tnef"),
        (rb"\x1f\x8b\x08", "gzip"),
        (rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", "bzip2"),
        (rb"\xfd7zXZ\0", "xz"),
        (rb"\0\x05\x16\0\0[\x01\x02]\0\0", "applesingle"),
        # ContentInfo with signedData (RFC 5652, sections 3 and 5.1)
        (rb"\x30[\x80-\x84].{0,4}?\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "signed"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
        (rb".{0,4000}?\(This file must be converted with BinHex", "binhex"),
    )
)
_ENCODED = re.compile(
    rb"(?:\A|\n)(?:begin [0-7]{3,4} \S[^\n]{0,250}\n[!-`][ -`]{0,100}\r?\n"
    rb"|=ybegin [^\n]{0,300}name=)"
)
_BASE64 = re.compile(rb"\s{0,100}((?:[A-Za-z0-9+/]{40,1000}\r?\n){4})")
# What a mail begins with (RFC 5322), after what mailbox files and Apple's ``.emlx`` put first.
_ENVELOPE = re.compile(rb"\s{0,20}(?:\d{1,12}[ \t]{0,20}\r?\n)?(?:>?From [^\n]{0,200}\n)?")
_HEADER = re.compile(rb"(?:[!-9;-~]{1,100}:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
_OF_MAIL = re.compile(
    rb"(?im)^(from|received|return-path|message-id|mime-version|subject|date|to|delivered-to"
    rb"|content-type)[ \t]*:"
)
_ENOUGH_FIELDS = 3
_TAR_SUM = slice(148, 156)  # the checksum, which counts as blanks
# Other files that people send, by their first bytes.
_OTHER = tuple(
    (re.compile(pattern, re.DOTALL), Refusal(reason, detail, values))
    for pattern, reason, detail, values in (
        # PNG begins so that changed line ends and a lost eighth bit are seen (PNG, section 5.2)
        (
            rb"\x89PNG\r\n\x1a\r\n|\x89PNG\n\x1a\n|\x09PNG\r\n\x1a\n",
            Reason.CORRUPT,
            Detail.LINE_ENDS_CHANGED,
            {},
        ),
        (rb".{4}ftypcrx ", Reason.UNSUPPORTED, Detail.RAW_PHOTO, {}),
        # Panasonic, Olympus, Fujifilm, Sigma, Minolta, Canon
        (
            rb"IIU\0|IIR[OS]|MMOR|FUJIFILMCCD-RAW|FOVb|\0MRM|II\x1a\0\0\0HEAP",
            *(Reason.UNSUPPORTED, Detail.RAW_PHOTO, {}),
        ),
        (rb"II\+\0|MM\0\+", Reason.UNSUPPORTED, Detail.TIFF_KIND, {}),  # BigTIFF
        # Photoshop, JPEG 2000, JPEG XR, OpenEXR, GIMP, DPX, Radiance, QOI, Netpbm
        (
            rb"8BPS\0|\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51|II\xbc\x01|v/1\x01|gimp xcf"
            rb"|SDPX|XPDS|#\?RADIANCE\n|qoif|P7\nWIDTH|P[1-6]\s{1,9}(?:#|\d{1,6}\s{1,9}\d{1,6}\s)",
            *(Reason.UNSUPPORTED, Detail.PICTURE_KIND, {}),
        ),
        # DV, MXF, RealMedia, YUV4MPEG, IVF, NUT, bare H.264 and H.265 (with a sequence or video
        # parameter set first)
        (
            rb"\x1f\x07\0[\x3f\xbf]|\x06\x0e\x2b\x34\x02\x05|\.RMF\0|YUV4MPEG2 |DKIF\0\0"
            rb"|nut/multimedia"
            rb"|\0\0\0?\x01(?:\x09.\0\0\0?\x01)?[\x27\x47\x67][\x42\x4d\x58\x64\x6e\x7a\xf4]"
            rb"|\0\0\0?\x01(?:\x46\x01.\0\0\0?\x01)?\x40\x01",
            *(Reason.UNSUPPORTED, Detail.VIDEO_KIND, {}),
        ),
        (rb".{4}ftypM4[AB] |R(?:IFF|F64).{4}WAVE", Reason.NO_VIDEO, Detail.SOUND_FILE, {}),
        (rb"ID3|fLaC|#!AMR|caff|\.snd|FORM.{4}AIF[FC]", Reason.NO_VIDEO, Detail.SOUND_FILE, {}),
        # frames of AAC (ADTS) and of MP3, with a bit rate and a sample rate that exist
        (rb"\xff[\xf0\xf1\xf8\xf9][\x40-\x7f]", Reason.NO_VIDEO, Detail.SOUND_FILE, {}),
        (rb"\xff[\xf2-\xf5\xfa-\xfd][\x10-\xeb]", Reason.NO_VIDEO, Detail.SOUND_FILE, {}),
        (rb"%PDF-", Reason.NOT_MEDIA, Detail.PDF, {}),
        (rb"Rar!\x1a\x07", Reason.NOT_MEDIA, Detail.CLOSED_ARCHIVE, {"format": "RAR"}),
        (rb"7z\xbc\xaf\x27\x1c", Reason.NOT_MEDIA, Detail.CLOSED_ARCHIVE, {"format": "7-Zip"}),
        *(
            (magic, Reason.NOT_MEDIA, Detail.CLOSED_ARCHIVE, {"format": name})
            for magic, name in (
                (rb"MSCF\0\0\0\0", "cabinet"),
                (rb"\x28\xb5\x2f\xfd", "Zstandard"),
                (rb"\x04\x22\x4d\x18", "LZ4"),
                (rb"\x1f[\x9d\xa0]", "compress"),
                (rb".{2}-lh[0-9dx]-", "LHA"),
                (rb"\x60\xea.{2}.{0,40}?", "ARJ"),
                (rb".{7}\*\*ACE\*\*", "ACE"),
                (rb"SIT!|StuffIt", "StuffIt"),
                (rb"xar!", "xar"),
                (rb"\x5d\0\0.{2}.{8}", "LZMA"),
                (rb"LZIP", "lzip"),
            )
        ),
        # EnvelopedData, AuthEnvelopedData (RFC 5652, 6.1; RFC 5083)
        (
            rb"\x30[\x80-\x84].{0,4}?\x06(?:\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07[\x03\x06]"
            rb"|\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17)",
            *(Reason.ENCRYPTED, Detail.ENCRYPTED_MAIL, {}),
        ),
        (rb".{0,4000}?-----BEGIN PGP MESSAGE-----", Reason.ENCRYPTED, Detail.ENCRYPTED_MAIL, {}),
        # a session key for somebody (RFC 9580, section 5.1)
        (
            rb"(?:\x84.|\x85..|\xc1[\0-\xbf]|\xc1[\xc0-\xdf].)[\x03\x06].{8}",
            *(Reason.ENCRYPTED, Detail.ENCRYPTED_FILE, {}),
        ),
        (rb"(?:\x8c|\xc3)[\x0d-\x3f]\x04[\x07-\x09]", Reason.ENCRYPTED, Detail.ENCRYPTED_FILE, {}),
        (rb"-----BEGIN (?:PKCS7|CMS)-----", Reason.UNSUPPORTED, Detail.SIGNED_MAIL, {}),
        (rb"MZ|\x7fELF", Reason.NOT_MEDIA, Detail.PROGRAM, {}),
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
    if is_tar(head):
        return Identity(Kind.ARCHIVE, archive="tar")
    if found := format_of(head):
        return Identity(found.kind, found)
    text = head.removeprefix(b"\xef\xbb\xbf")
    archive = next((name for magic, name in _ARCHIVES if magic.match(head)), None)
    archive = archive or ("mail" if is_mail(text) else None)
    if archive is not None:
        return Identity(Kind.ARCHIVE, archive=archive)
    tables = ((head, _OTHER), (text, _UNSAFE_TEXT))
    known = (refusal for data, rows in tables for pattern, refusal in rows if pattern.match(data))
    refusal = next(known, None)
    if refusal is None and (_ENCODED.search(head) or _holds_base64(head)):
        return Identity(Kind.ARCHIVE, archive="encoded")
    unknown = Refusal(Reason.NOT_MEDIA, Detail.UNKNOWN_FORMAT)
    return Identity(Kind.OTHER, refusal=refusal or unknown)


def is_tar(head: bytes) -> bool:
    """Whether a file begins with a header of tar whose checksum is right (POSIX pax, ustar)."""
    block = head[:512]
    written = block[_TAR_SUM].strip(b" \0")
    if len(block) < 512 or not re.fullmatch(rb"[0-7]{1,7}", written) or not block[0]:
        return False
    return int(written, 8) == sum(block) - sum(block[_TAR_SUM]) + 8 * ord(" ")


def is_mail(head: bytes) -> bool:
    """Whether a file begins like a mail: nothing but fields, and enough that only mails have."""
    begin = _ENVELOPE.match(head)
    fields = _HEADER.match(head, begin.end() if begin else 0)
    if fields is None:
        return False
    names = {name.lower() for name in _OF_MAIL.findall(fields[0])}
    rest = head[fields.end() : fields.end() + 2]
    ends = rest[:1] in (b"", b"\n") or rest in (b"\r\n", b"--")
    return len(names) >= _ENOUGH_FIELDS and (ends or len(names) > _ENOUGH_FIELDS)


def _holds_base64(head: bytes) -> bool:
    """Whether a text is base64 of a photo or a video."""
    found = _BASE64.match(head)
    if found is None:
        return False
    joined = b"".join(found[1].split())
    return format_of(binascii.a2b_base64(joined[: len(joined) // 4 * 4])) is not None
