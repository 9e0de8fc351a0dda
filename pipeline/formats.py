"""The file formats that become clips: one row a format.

Identify, the readers, the probe and docs/formats.md follow this table.  To add a format, write
its reader in ``carriers/readers`` and a row here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.carriers import Reader, Window
from pipeline.carriers.containers import ending, heif_links, stream_ending
from pipeline.carriers.containers import heif as heif_boxes
from pipeline.carriers.containers import jpeg as jpeg_segments
from pipeline.carriers.containers import jpegxl as jpegxl_codestream
from pipeline.carriers.containers import png as png_chunks
from pipeline.carriers.containers import tiff as tiff_directories
from pipeline.carriers.containers import webp as webp_chunks
from pipeline.carriers.containers.ending import CutReader
from pipeline.carriers.containers.heif import HeifPicture
from pipeline.carriers.containers.heif_links import HeifFilm
from pipeline.carriers.containers.jpegxl import JpegXlPicture
from pipeline.carriers.containers.tiff import TiffPicture
from pipeline.carriers.containers.webp import Animation, WebpPicture
from pipeline.carriers.readers import (
    asf,
    avi,
    bmp,
    flv,
    gif,
    id3,
    jpeg,
    jpegxl,
    matroska,
    mp4,
    mpegps,
    mpegts,
    ogg,
    png,
    sidecar,
    sound,
    tiff,
    webp,
)
from pipeline.model import Kind

PictureHeaders = HeifFilm | HeifPicture | Animation | WebpPicture | TiffPicture | JpegXlPicture
Magic = Callable[[bytes], bool]
HEAD = 65536


@dataclass(frozen=True)
class Format:
    """A file format that becomes a clip.

    ``magic`` recognises it by the file's first 64 KiB; the first row that matches wins.
    ``demuxer`` is the FFmpeg demuxer that opens it; no other may guess.  ``reader`` finds what
    a file of it gives away.  ``colour_profile`` takes the ICC profile out of a photo.
    ``headers`` reads what FFmpeg doesn't tell of it, None where the file holds nothing of the
    kind.  ``may_move``: a picture format that can be an animation; further pictures in other
    picture formats are second images.  ``options`` are FFmpeg's options for opening it.
    ``ending`` finds out whether its end is missing.
    """

    name: str
    kind: Kind
    magic: Magic
    demuxer: str
    reader: Reader
    colour_profile: Callable[[Window], bytes] | None = None
    headers: Callable[[Window], PictureHeaders | None] | None = None
    may_move: bool = False
    options: tuple[tuple[str, str], ...] = ()
    ending: CutReader | None = None


_STILL_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"avio"))
_SEQUENCE_BRANDS = frozenset((b"hevc", b"hevx", b"msf1", b"avis"))
_REFUSED_BRANDS = frozenset((b"crx ", b"M4A ", b"M4B "))  # raw photos, sound alone
_QUICKTIME_BOXES = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))


def _begins(*words: bytes) -> Magic:
    return lambda head: head.startswith(words)


def _riff(*forms: bytes, animated: bool | None = None) -> Magic:
    """RIFF of one of *forms*; *animated*: whether a chunk ANIM is near its start."""
    return lambda head: (
        head[:4] in (b"RIFF", b"RF64")
        and head[8:12] in forms
        and animated in (None, b"ANIM" in head[12:64])
    )


def _base_media(name: str) -> Magic:
    return lambda head: _base_media_name(head) == name


def _base_media_name(head: bytes) -> str:
    """MP4, QuickTime, 3GPP, HEIF and AVIF by their brands (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] != b"ftyp":
        return "quicktime" if head[4:8] in _QUICKTIME_BOXES else ""
    major = head[8:12]
    size = min(int.from_bytes(head[:4], "big"), len(head), 256)
    brands = {head[at : at + 4] for at in range(16, size, 4)} | {major}
    if major in _REFUSED_BRANDS:
        return ""
    if major in _SEQUENCE_BRANDS or b"avis" in brands:
        moves = heif_links.film(Window.over(head)) is not None
        if moves or (major in _SEQUENCE_BRANDS and not brands & _STILL_BRANDS):
            return "avif sequence" if b"avis" in brands else "heif sequence"
        return "avif" if brands & {b"avif", b"avis"} else "heif"
    if major in _STILL_BRANDS or (brands & _STILL_BRANDS and not brands & {b"isom", b"mp42"}):
        return "avif" if brands & {b"avif", b"avis"} else "heif"
    if major == b"qt  ":
        return "quicktime"
    return "3gp" if major[:3] in (b"3gp", b"3g2") else "mp4"


def _transport_stream(head: bytes) -> bool:
    """Sync bytes at a constant distance: 188, or 192 in AVCHD (ISO/IEC 13818-1, 2.4.3.2)."""
    return any(
        len(head) >= first + 4 * size
        and all(head[first + index * size] == 0x47 for index in range(4))
        for size, first in ((188, 0), (192, 4), (204, 0))
    )


def _webm(head: bytes) -> bool:
    """Matroska whose DocType is webm (RFC 9559, section 4)."""
    return head.startswith(_EBML) and b"\x42\x82\x84webm" in head[:100]


_EBML = b"\x1aE\xdf\xa3"
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"

# fmt: off
FORMATS: tuple[Format, ...] = (
    *(Format(name, Kind.VIDEO, _base_media(name), "mov", mp4.read,
             ending=ending.base_media)
      for name in ("mp4", "quicktime", "3gp")),
    *(Format(name, Kind.VIDEO, _base_media(name), "mov", mp4.read,
             headers=heif_links.film,
             ending=ending.base_media)
      for name in ("heif sequence", "avif sequence")),
    *(Format(name, Kind.IMAGE, _base_media(name), "mov", mp4.read,
             colour_profile=heif_boxes.colour_profile, headers=heif_boxes.picture,
             ending=ending.base_media)
      for name in ("heif", "avif")),
    Format("webp", Kind.IMAGE, _riff(b"WEBP", animated=False), "webp_pipe", webp.read,
           colour_profile=webp_chunks.colour_profile, headers=webp_chunks.picture,
           ending=ending.riff_end),
    Format("webp", Kind.IMAGE, _riff(b"WEBP", animated=True), "webp_anim", webp.read,
           colour_profile=webp_chunks.colour_profile, headers=webp_chunks.animation,
           may_move=True, ending=ending.riff_end),
    Format("avi", Kind.VIDEO, _riff(b"AVI ", b"AVIX"), "avi", avi.read,
           ending=ending.riff_end),
    Format("png", Kind.IMAGE, lambda head: head.startswith(png_chunks.SIGNATURE)
           and b"acTL" in head[:4096], "apng", png.read,
           colour_profile=png_chunks.colour_profile, may_move=True, ending=ending.png_end),
    Format("png", Kind.IMAGE, _begins(png_chunks.SIGNATURE), "png_pipe", png.read,
           colour_profile=png_chunks.colour_profile, ending=ending.png_end),
    Format("jpeg", Kind.IMAGE, _begins(b"\xff\xd8\xff"), "jpeg_pipe", jpeg.read,
           colour_profile=jpeg_segments.colour_profile, ending=ending.jpeg_end),
    Format("gif", Kind.IMAGE, _begins(b"GIF87a", b"GIF89a"), "gif", gif.read,
           may_move=True, options=(("ignore_loop", "1"),), ending=gif.cut),
    Format("tiff", Kind.IMAGE, _begins(b"II*\0", b"MM\0*"), "tiff_pipe", tiff.read,
           colour_profile=tiff_directories.colour_profile, headers=tiff_directories.picture,
           ending=ending.tiff_end),
    Format("bmp", Kind.IMAGE, _begins(b"BM"), "bmp_pipe", bmp.read, ending=ending.bmp),
    Format("jpegxl", Kind.IMAGE, _begins(*_JPEG_XL), "jpegxl_pipe", jpegxl.read,
           headers=jpegxl_codestream.picture, ending=ending.jpeg_xl),
    Format("webm", Kind.VIDEO, _webm, "matroska", matroska.read, ending=ending.matroska),
    Format("matroska", Kind.VIDEO, _begins(_EBML), "matroska", matroska.read,
           ending=ending.matroska),
    Format("ogg", Kind.VIDEO, _begins(b"OggS"), "ogg", ogg.read, ending=ending.ogg),
    Format("flv", Kind.VIDEO, _begins(b"FLV\x01"), "flv", flv.read, ending=stream_ending.flv),
    Format("asf", Kind.VIDEO, _begins(_ASF), "asf", asf.read, ending=ending.asf),
    Format("mpeg-ps", Kind.VIDEO, _begins(b"\0\0\x01\xba"), "mpeg", mpegps.read,
           ending=stream_ending.program_stream),
    Format("mpeg-video", Kind.VIDEO, _begins(b"\0\0\x01\xb3"), "mpegvideo", mpegps.read_video,
           ending=stream_ending.video),
    Format("mpeg-ts", Kind.VIDEO, _transport_stream, "mpegts", mpegts.read,
           ending=stream_ending.transport_stream),
)
# fmt: on


# Files that become no clip and can give something away: sound, raw photos, notes of programs.
NO_FOOTAGE: tuple[tuple[Magic, Reader], ...] = (
    (_begins(b"ID3"), id3.read),
    (_begins(b"fLaC"), sound.flac),
    (_riff(b"WAVE"), sound.wave),
    (lambda head: head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"), sound.aiff),
    (_begins(b"caff"), sound.core_audio),
    (lambda head: head[4:8] == b"ftyp", mp4.read),
    (lambda head: head[:1] == b"\xff" and b"\xe2" <= head[1:2] <= b"\xfd", id3.read),
    (_begins(b"\x1c\x01\x5a", b"\x1c\x01\0", b"\x1c\x02"), sidecar.records),
    (lambda head: head[8:12] == b".FIT", sidecar.flight),
)


def format_of(head: bytes) -> Format | None:
    """The format of a file that begins with *head*, its first 64 KiB; None for any other."""
    return next((row for row in FORMATS if row.magic(head)), None)


def reader_of(head: bytes) -> Reader | None:
    """The reader for a file that begins with *head*, footage or not; None where there is none."""
    found = format_of(head)
    if found is not None:
        return found.reader
    other = (reader for magic, reader in NO_FOOTAGE if magic(head))
    return next(other, None) or sidecar.reader(head)
