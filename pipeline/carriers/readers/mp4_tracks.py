"""The tracks of an MP4 file: picture and sound are silent, other tracks and names are not.

ISO/IEC 14496-12, 8.3 to 8.5 and 8.8; ISO/IEC 14496-15 for H.264 and H.265.
"""

import re
from collections.abc import Iterable, Iterator

from pipeline.carriers import embedded, opaque, sei, text
from pipeline.carriers.containers.boxes import IsoBox, boxes, find
from pipeline.carriers.readers import mp4_tags
from pipeline.carriers.readers.mp4_samples import SampledTrack, samples, samples_of, track
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding, What

_TRACKS = 64
_TEXT_TRACKS = 16  # of which many samples are read
_TEXTS = 256 << 10  # bytes that are searched
_OVERLAP = 1 << 10

# The boxes that each container in a track may hold.
_ALLOWED = {
    b"trak": b"tkhd tref edts mdia tapt load clip matt imap elng txas tsel".split(),
    b"mdia": b"mdhd hdlr minf elng".split(),
    b"minf": b"vmhd smhd gmhd nmhd sthd hmhd hdlr dinf stbl code".split(),
    b"stbl": b"stsd stts ctts cslg stsc stsz stz2 stco co64 stss stps stsh stdp sdtp sbgp sgpd padb"
    b" subs saiz saio csgp stvd".split(),
}
_ENTRY = frozenset(
    b"avcC hvcC av1C vpcC esds pasp colr clap btrt fiel gama chan wave mdcv clli SmDm CoLL dvcC"
    b" dvvC dvwC lhvC vexu hfov sv3d st3d dOps dfLa alac dac3 dec3 d263 damr ac-3 glbl m4ds jpgC"
    b" amve cclv sgpd pixi ccst auxi lvcC vvcC SDHD sinf samr frma mp4a enda ftab pcmC chnl"
    b" strf dvc1 ddts udts".split()
)
_VIDEO = frozenset(
    b"avc1 avc3 hvc1 hev1 dvh1 dvhe dva1 av01 vp08 vp09 mp4v jpeg mjpa mjpb mjpg png  raw  SVQ1"
    b" SVQ3 cvid h263 s263 H263 apcn apch apcs apco ap4h ap4x apcx ap4c 2vuy yuv2 v210 dvc  dvcp"
    b" dvsd rle  mp2v m2v1 mpeg vc-1 VC-1 MJPG AVdn AVDJ CFHD hap1 icod ffv1 FFV1 qdrw smc  tga "
    b" tiff gif  vvc1 encv".split(b" ")
) | frozenset((b"dvc ", b"rle ", b"png ", b"raw ", b"smc ", b"tga ", b"gif "))
_RECORDS = frozenset((b"hvcC", b"av1C"))
_PICTURES = frozenset((b"jpeg", b"mjpa", b"mjpb", b"mjpg", b"MJPG", b"png ", b"tiff"))
_TEXT_HANDLERS = frozenset((b"text", b"sbtl", b"subt", b"clcp", b"subp"))
# What cameras write beside the picture: GoPro's GPMF (gpmd), Google's CAMM, DJI's djmd and dbgi,
# Sony's rtmd.  These formats are made to hold positions: a sample without one only shows that
# the receiver had no fix at that moment.
_PLACED = frozenset((b"gpmd", b"camm", b"djmd", b"dbgi", b"rtmd", b"fdsc", b"Gpmf", b"mett"))
_TIMED = frozenset((b"tmcd", b"tc64"))  # SMPTE timecode gives the time of day
_SENSOR_SAMPLES = 24
_TEXT_FORMATS = frozenset((b"tx3g", b"text", b"wvtt", b"stpp", b"c608", b"c708", b"mp4s", b"sbtt"))

_NAMES = re.compile(
    r"(?:VideoHandler?|SoundHandler?|DataHandler?|SubtitleHandler|Core Media (?:Video|Audio|Data"
    r" Handler)|Apple (?:Video|Sound|Alias Data) (?:Media )?Handler|ISO Media file produced by"
    r" Google Inc\.[ \d/:.A-Za-z]{0,40}|(?:GPAC )?ISO (?:Video|Audio) Handler|Video|Audio|Sound"
    r"|video handler|sound handler|vide|soun|Mainconcept.{0,40}"
    r"|L-SMASH (?:Video|Audio) Handler|Bento4 (?:Video|Sound) Handler|TimeCodeHandler)?",
    re.ASCII,
)
_COMPRESSORS = re.compile(
    r"(?:Lavc[\d.]*(?: \w+)?|H\.26[345]|HEVC(?: Coding)?|AVC Coding|JVT/AVC Coding|Photo - JPEG"
    r"|Motion JPEG(?: [AB])?|Apple ProRes[ \w()]{0,20}|MPEG-4 Video|Sorenson Video \d?|VPC Coding"
    r"|AV1 Coding|AOM Coding|PNG|H\.264/AVC)?",
    re.ASCII,
)


def read(film: Window, file: Window, moofs: list[tuple[Window, int]]) -> Iterator[Finding]:
    """What the tracks of *film* (the body of ``moov``) give away.

    :param moofs: the bodies of the movie fragments, each with its position in the file.
    """
    bodies = list(find(film, b"trak"))
    all_tracks = [track(body) for body in bodies[:_TRACKS]]
    if len(bodies) > _TRACKS:
        yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
    chapters = {number for each in all_tracks for number in each.references.get(b"chap", ())}
    videos = worded = 0
    for body, each in zip(bodies, all_tracks, strict=False):
        yield from _structure(body)
        if each.handler == b"soun":
            yield from _sound(each)
            continue
        texts = _is_text(each) or (each.number in chapters and each.handler != b"vide")
        worded += texts
        texts = texts and worded <= _TEXT_TRACKS
        content = [
            *samples(each, file, texts=texts),
            *samples_of(each, moofs, file, texts=texts),
        ]
        if each.handler == b"vide" and each.number not in chapters:
            videos += 1
            if videos > 1:
                yield Finding(Carrier.SECOND_IMAGE, What.OTHER)
            yield from _picture(each, content, file)
        elif each.number in chapters:
            yield from _chapters(each, content, file)
        else:
            yield from _other(each, content, file)


def times(header: Window) -> Iterator[Finding]:
    """Creation and modification in ``mvhd``, ``tkhd``, ``mdhd`` (8.2.2), seconds from 1904."""
    width = 8 if header.read(0, 1) == b"\1" else 4
    if header.read(4, 2 * width).strip(b"\0"):
        yield Finding(Carrier.TIME, What.TIME)


def _structure(body: Window, kind: bytes = b"trak") -> Iterator[Finding]:
    """The boxes of a track, down to the sample table."""
    for box in boxes(body):
        if box.kind in (b"tkhd", b"mdhd"):
            yield from times(box.body)
        elif box.kind == b"hdlr":
            yield from _name(box.body)
        elif box.kind not in _ALLOWED[kind]:
            yield from _extra(box)
        elif box.kind in _ALLOWED:
            yield from _structure(box.body, box.kind)


def _extra(box: IsoBox) -> Iterator[Finding]:
    if box.kind == b"udta":
        yield from mp4_tags.user_data(box.body, track=True)
    elif box.kind == b"meta":
        yield from mp4_tags.metadata(box.body, Carrier.STREAM_TAG)
    else:
        yield from mp4_tags.common_box(box)


def _name(handler: Window) -> Iterator[Finding]:
    """The name of a handler (8.4.3), which cameras and people fill with any text."""
    data = handler.read(24, 4096)
    # QuickTime puts the length first, ISO ends with a zero
    if data and data[0] == len(data.rstrip(b"\0")) - 1:
        data = data[1:]
    name = text.decode(data).strip("\0 \t\r\n\x0b\x0c\x0f\x10\x1f")
    if not _NAMES.fullmatch(name):
        yield Finding(Carrier.STREAM_TAG, text.kind_of(name))


def _sound(each: SampledTrack) -> Iterator[Finding]:
    """Sound is silent; a position in its sample entries is not."""
    if any(opaque.has_location(entry.read(0, 4096)) for entry in each.entries):
        yield Finding(Carrier.STREAM_TAG, What.LOCATION)


def _picture(each: SampledTrack, content: list[bytes], file: Window) -> Iterator[Finding]:
    for kind, entry in zip(each.formats, each.entries, strict=True):
        if kind not in _VIDEO:
            yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
        yield from _entry(entry)
        record = next(
            (b.body.read(0, 4096) for b in boxes(entry.part(78)) if b.kind in _RECORDS), b""
        )
        codec = sei.codec_of(kind.decode("latin-1"))
        yield from sei.read(content, codec, each.width, record)
        if kind in _PICTURES:
            for data in content[:2]:
                found = set(file.wrap(data).inside(Carrier.COVER_PICTURE))
                yield from found - {Finding(Carrier.COVER_PICTURE, What.OTHER)}


def _entry(entry: Window) -> Iterator[Finding]:
    """A visual sample entry (8.5.2): the name of the compressor, and the boxes after it."""
    data = entry.read(42, 32)
    name = text.decode(data[1 : 1 + min(data[0], 31)] if data else b"").strip("\0 \n")
    if not _COMPRESSORS.fullmatch(name):
        yield Finding(Carrier.STREAM_TAG, text.kind_of(name))
    for box in boxes(entry.part(78)):
        if box.kind == b"colr" and box.body.read(0, 4) in (b"prof", b"rICC"):
            yield from embedded.icc(box.body.read(4, embedded.PROFILE))
        elif box.kind and box.kind not in _ENTRY:
            yield from _extra(box)


def _chapters(each: SampledTrack, content: list[bytes], file: Window) -> Iterator[Finding]:
    yield Finding(Carrier.CHAPTERS, What.OTHER)
    if each.handler == b"vide":
        for data in content[:8]:
            yield from file.wrap(data).inside(Carrier.CHAPTERS)
    else:
        yield from _texts(Carrier.CHAPTERS, content, file)


def _is_text(each: SampledTrack) -> bool:
    return each.handler in _TEXT_HANDLERS or not _TEXT_FORMATS.isdisjoint(each.formats)


def _other(each: SampledTrack, content: list[bytes], file: Window) -> Iterator[Finding]:
    formats = set(each.formats)
    if _is_text(each):
        captions = each.handler == b"clcp" or formats & {b"c608", b"c708"}
        carrier = Carrier.CLOSED_CAPTIONS if captions else Carrier.SUBTITLE_TRACK
        yield Finding(carrier, What.OTHER)
        yield from _texts(carrier, content, file)
        return
    yield from _telemetry(formats, content)
    for entry in each.entries:
        yield from opaque.scan(entry, Carrier.TELEMETRY_TRACK)


def _texts(carrier: Carrier, content: Iterable[bytes], file: Window) -> Iterator[Finding]:
    """The texts of a track, joined, because a position may be spread over several."""
    joined = b"\n".join(data.strip(b"\0")[:4096] for data in content)
    for at in range(0, min(len(joined), _TEXTS), text.LIMIT - _OVERLAP):
        file.budget.take(0)
        if opaque.has_location(joined[at : at + text.LIMIT]):
            yield Finding(carrier, What.LOCATION)
            return


def _telemetry(formats: set[bytes], content: list[bytes]) -> Iterator[Finding]:
    """A track that is neither picture, sound nor text; Apple's sensors are in ``mebx``."""
    if formats & _TIMED:
        yield Finding(Carrier.DATA_TRACK, What.TIME)
        return
    placed = bool(formats & _PLACED)
    carrier = Carrier.TELEMETRY_TRACK if placed or b"mebx" in formats else Carrier.DATA_TRACK
    yield Finding(carrier, What.LOCATION if placed else What.OTHER)
    if any(opaque.has_location(data[: 16 << 10]) for data in content[:_SENSOR_SAMPLES]):
        yield Finding(carrier, What.LOCATION)
