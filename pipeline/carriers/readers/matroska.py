"""Matroska and WebM (RFC 9559): elements by allow-list."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.carriers import opaque, sei, text
from pipeline.carriers.containers.ebml import EbmlElement, elements
from pipeline.carriers.window import Window, inflate
from pipeline.findings import Carrier, Finding, What

_SIMPLE_TAGS = 4000
_CLUSTERS = 24
_SIZE = 512 << 10
_BLOCKS = 72  # of a track

# Numbers of elements (RFC 9559, 5.1), by what is done with them.
_EBML, _VOID, _CRC = 0x1A45DFA3, 0xEC, 0xBF
_SEGMENT = 0x18538067
_INFO, _TRACKS, _CLUSTER = 0x1549A966, 0x1654AE6B, 0x1F43B675
_CUES, _SEEK_HEAD = 0x1C53BB6B, 0x114D9B74
_TAGS, _CHAPTERS, _ATTACHMENTS = 0x1254C367, 0x1043A770, 0x1941A469

_SILENT_TOP = frozenset((_CUES, _SEEK_HEAD, _CRC))

_DATE, _MUXING_APP, _WRITING_APP = 0x4461, 0x4D80, 0x5741
_INFO_TEXTS = frozenset((0x7BA9, 0x7384, 0x3C83AB, 0x3E83BB))  # title and file names
_SILENT_INFO = frozenset((0x2AD7B1, 0x4489, 0x73A4, 0x3CB923, 0x3EB923, 0x4444, 0x6924, _CRC))

_TRACK_ENTRY, _TRACK_NUMBER, _TRACK_TYPE = 0xAE, 0xD7, 0x83
_CODEC_ID, _CODEC_PRIVATE = 0x86, 0x63A2
_TRACK_TEXTS = frozenset((0x536E, 0x258688, 0x3A9697, 0x3B4040, 0x26B240))
_VIDEO, _AUDIO, _SUBTITLE = 1, 2, 0x11
_SILENT_TRACK = frozenset(
    (
        *(_TRACK_NUMBER, _TRACK_TYPE, _CODEC_ID, _CODEC_PRIVATE, _CRC, 0x73C5, 0xB9, 0x88, 0x55AA),
        *(0x55AB, 0x55AC, 0x55AD, 0x55AE, 0x55AF, 0x9C, 0x6DE7, 0x6DF8, 0x23E383, 0x234E7A),
        *(0x23314F, 0x537F, 0x55EE, 0x41E4, 0x22B59C, 0x22B59D, 0xAA, 0x6FAB, 0x56AA, 0x56BB),
        *(0x6624, 0xE0, 0xE1, 0xE2, 0xC0, 0xC4, 0xC1, 0xC6, 0xC7, 0x6D80),
    )
)

_SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0xA3, 0xA0, 0xA1
_BLOCK_ADDITIONS, _BLOCK_ADD_ID, _BLOCK_ADDITIONAL = 0x75A1, 0xEE, 0xA5
_SILENT_BLOCK = frozenset((0x9B, 0xFA, 0xFB, 0xA4, 0x75A2, 0x8E, 0xFD, 0xA2, 0xC8, _CRC))
_IN_CLUSTER = frozenset((_SIMPLE_BLOCK, _BLOCK_GROUP, 0xE7, 0xA7, 0xAB, 0x5854, 0xAF, _CRC))

_TAG, _TARGETS, _SIMPLE_TAG = 0x7373, 0x63C0, 0x67C8
_TAG_TRACK = frozenset((0x63C5, 0x63C9, 0x63C4, 0x63C6))
_TAG_NAME, _TAG_STRING, _TAG_BINARY = 0x45A3, 0x4487, 0x4485
_SILENT_TAG = frozenset((0x447A, 0x447B, 0x4484, 0x44B4, _CRC))

_ATTACHED_FILE, _FILE_DATA, _FILE_MIME = 0x61A7, 0x465C, 0x4660
_ATTACHED_TEXTS = (0x466E, 0x467E)  # name, description

_PROGRAM = re.compile(r"(?:Lav[fc][\d.]*(?: [\w.-]+)?|libwebm-[\d.]+|libebml [\w. +-]{0,60})?")
# Tags that muxers write about the streams, with the values that give nothing away.
_PLAIN_TAGS = {
    "ENCODER": _PROGRAM,
    "DURATION": re.compile(r"[\d:.]+"),
    "HANDLER_NAME": re.compile(r"(?:Video|Sound)Handler"),
    "VENDOR_ID": re.compile(r"\[0\]\[0\]\[0\]\[0\]|FFMP"),
    "MAJOR_BRAND": re.compile(r"\w{2,4} ?"),
    "MINOR_VERSION": re.compile(r"\d+"),
    "COMPATIBLE_BRANDS": re.compile(r"[\w ]{2,80}"),
    **dict.fromkeys(("BPS", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES"), re.compile(r"\d+")),
    "ALPHA_MODE": re.compile(r"\d"),
}


_Readers = Mapping[int, Callable[[Window], Iterator[Finding]]]


@dataclass
class _Stream:
    """A track while its blocks are collected."""

    kind: int = 0
    codec: str = ""
    width: int = 4
    private: bytes = b""
    blocks: list[bytes] = field(default_factory=list)


def read(window: Window) -> Iterator[Finding]:
    """What the file gives away; of the clusters, a sample is read."""
    for element in elements(window):
        if element.number == _SEGMENT:
            yield from _segment(element)
        elif element.number == _VOID:
            yield from _void(element.body)
        elif element.number != _EBML:
            yield from opaque.read(element.body, Carrier.TRAILER)


def _segment(segment: EbmlElement) -> Iterator[Finding]:
    streams: dict[int, _Stream] = {}
    readers: _Readers = {
        _INFO: _info,
        _TAGS: lambda body: _children(body, {_TAG: _tag}),
        _CHAPTERS: lambda body: opaque.read(body, Carrier.CHAPTERS),
        _ATTACHMENTS: lambda body: _children(body, {_ATTACHED_FILE: _attachment}),
        _TRACKS: lambda body: _tracks(body, streams),
    }
    clusters = 0
    for element in _flat(segment.body):
        if element.number == _CLUSTER:
            clusters += 1
            # the first ones, then each whose number is a power of two
            if clusters <= _CLUSTERS or clusters & (clusters - 1) == 0:
                yield from _cluster(element, streams)
        elif element.number in readers:
            yield from readers[element.number](element.body)
        elif element.number not in _SILENT_TOP:
            yield from _unknown(element)
    for stream in streams.values():
        yield from _content(stream)


def _children(
    body: Window, readers: _Readers, silent: frozenset[int] = frozenset()
) -> Iterator[Finding]:
    """What the elements in *body* give away: each by its reader, unless it is *silent*."""
    for element in elements(body):
        if element.number in readers:
            yield from readers[element.number](element.body)
        elif element.number not in silent:
            yield from _unknown(element)


def _flat(window: Window) -> Iterator[EbmlElement]:
    """The elements of a segment, with those that follow the blocks of an open cluster.

    A live recording is a row of open clusters; each one reaches to the end of the file.
    """
    at: int | None = 0
    while at is not None:
        following = None
        for element in elements(window, at):
            if at and element.number in _IN_CLUSTER:
                continue
            yield element
            if element.open and element.number == _CLUSTER:
                following = element.body.start - window.start
        at = following


def _unknown(element: EbmlElement) -> Iterator[Finding]:
    if element.number == _VOID:
        yield from _void(element.body)
    elif element.number != _CRC:
        yield from opaque.read(element.body, Carrier.UNKNOWN_PART)


def _void(body: Window) -> Iterator[Finding]:
    """Void is for unused space (RFC 8794, 11.3.2): anything in it is reported."""
    data = body.read(0, 64 << 10)
    if data.strip(data[:1] if data[:1] in (b"\0", b"\xff") else b"\0"):
        yield from opaque.read(body, Carrier.UNKNOWN_PART)


def _string(body: Window) -> str:
    return text.decode(body.read(0, 64 << 10)).strip("\0 ")


def _number(body: Window) -> int:
    return int.from_bytes(body.read(0, 8), "big")


def _info(body: Window) -> Iterator[Finding]:
    readers: _Readers = {
        _DATE: lambda _: iter((Finding(Carrier.TIME, What.TIME),)),
        _MUXING_APP: _program,
        _WRITING_APP: _program,
        **dict.fromkeys(_INFO_TEXTS, lambda inner: _text(inner, Carrier.CONTAINER_TAG)),
    }
    yield from _children(body, readers, _SILENT_INFO)


def _program(body: Window) -> Iterator[Finding]:
    if not _PROGRAM.fullmatch(_string(body)):
        yield Finding(Carrier.DEVICE, What.IDENTITY)
        yield from _text(body, Carrier.CONTAINER_TAG)


def _text(body: Window, carrier: Carrier) -> Iterator[Finding]:
    name = _string(body)
    handler = carrier is Carrier.STREAM_TAG and _PLAIN_TAGS["HANDLER_NAME"].fullmatch(name)
    if name and not handler:
        yield Finding(carrier, text.kind_of(name))


def _tracks(body: Window, streams: dict[int, _Stream]) -> Iterator[Finding]:
    videos = 0
    for entry in elements(body):
        if entry.number != _TRACK_ENTRY:
            yield from _unknown(entry)
            continue
        fields = {element.number: element.body for element in elements(entry.body)}
        empty = body.part(body.size)
        private = fields.get(_CODEC_PRIVATE, empty).read(0, 4096)
        stream = _Stream(
            _number(fields.get(_TRACK_TYPE, empty)),
            _string(fields.get(_CODEC_ID, empty)),
            (private[4] & 3) + 1 if private[:1] == b"\1" and private[4:] else 4,
            private,
        )
        texts = dict.fromkeys(_TRACK_TEXTS, lambda inner: _text(inner, Carrier.STREAM_TAG))
        yield from _children(entry.body, texts, _SILENT_TRACK)
        videos += stream.kind == _VIDEO
        if videos > 1 and stream.kind == _VIDEO:
            yield Finding(Carrier.SECOND_IMAGE, What.OTHER)
        if len(streams) < 64:
            streams[_number(fields.get(_TRACK_NUMBER, empty))] = stream


def _cluster(cluster: EbmlElement, streams: dict[int, _Stream]) -> Iterator[Finding]:
    readers: _Readers = {_BLOCK: lambda body: _keep(body, streams), _BLOCK_ADDITIONS: _additions}
    for element in elements(cluster.body):
        if element.number == _SIMPLE_BLOCK:
            yield from _keep(element.body, streams)
        elif element.number == _BLOCK_GROUP:
            yield from _children(element.body, readers, _SILENT_BLOCK)
        elif cluster.open and element.number not in _IN_CLUSTER:
            return
        elif element.number not in _IN_CLUSTER:
            yield from _unknown(element)


def _additions(body: Window) -> Iterator[Finding]:
    """BlockMore (RFC 9559, 5.1.3.5.2): alpha of VP8/9 and light of HDR10+ are silent."""
    for more in elements(body):
        kind, data = 1, b""
        for element in elements(more.body):
            if element.number == _BLOCK_ADD_ID:
                kind = _number(element.body)
            elif element.number == _BLOCK_ADDITIONAL:
                data = element.body.read(0, 4096)
        if kind not in (1, 4) or opaque.has_location(data):
            yield Finding(Carrier.USER_DATA, opaque.kind_of(data))


def _keep(body: Window, streams: dict[int, _Stream]) -> Iterator[Finding]:
    """Keep a block of a picture, text or data track, to read it later (RFC 9559, 10.1)."""
    head = body.read(0, 8)
    wide = 9 - head[0].bit_length() if head[:1].strip(b"\0") else 8
    number = int.from_bytes(head[:wide], "big") & ((1 << (7 * wide)) - 1)
    stream = streams.get(number, _Stream(_AUDIO))
    unread = stream.kind == _VIDEO and not sei.codec_of(stream.codec)
    if head and not unread and stream.kind != _AUDIO and len(stream.blocks) < _BLOCKS:
        stream.blocks.append(body.read(wide + 3, _SIZE))
    yield from ()


def _content(stream: _Stream) -> Iterator[Finding]:
    if stream.kind == _VIDEO:
        codec = sei.codec_of(stream.codec)
        yield from sei.read(stream.blocks, codec, stream.width, stream.private)
    elif stream.kind != _AUDIO:
        subtitle = stream.kind == _SUBTITLE
        carrier = Carrier.SUBTITLE_TRACK if subtitle else Carrier.DATA_TRACK
        yield Finding(carrier, What.OTHER)
        # blocks may be packed (ContentCompression of RFC 9559, 5.1.4.1.31.4)
        texts = (inflate(block, 4096) or block[:4096] for block in stream.blocks)
        if opaque.has_location(b"\n".join((stream.private, *texts))):
            yield Finding(carrier, What.LOCATION)


def _tag(body: Window) -> Iterator[Finding]:
    stream = any(
        inner.number in _TAG_TRACK and inner.body.read(0, 8).strip(b"\0")
        for target in elements(body)
        if target.number == _TARGETS
        for inner in elements(target.body)
    )
    carrier = Carrier.STREAM_TAG if stream else Carrier.CONTAINER_TAG
    readers = {_SIMPLE_TAG: lambda inner: _simple(inner, carrier, 0)}
    yield from _children(body, readers, frozenset((_TARGETS,)))


def _simple(body: Window, carrier: Carrier, depth: int) -> Iterator[Finding]:
    """A SimpleTag (RFC 9559, 5.1.8.1.2), which may hold others."""
    key, value = "", ""
    for element in elements(body):
        if element.number == _TAG_NAME:
            key = _string(element.body)
        elif element.number == _TAG_STRING:
            value = _string(element.body)
        elif element.number == _TAG_BINARY:
            yield from opaque.read(element.body, carrier)
        elif element.number == _SIMPLE_TAG and depth < 6:
            yield from _simple(element.body, carrier, depth + 1)
        elif element.number not in _SILENT_TAG:
            yield from _unknown(element)
    plain = _PLAIN_TAGS.get(key.upper())
    if key.startswith("_STATISTICS_"):
        yield from [Finding(Carrier.TIME, What.TIME)] if "DATE" in key else []
    elif plain is None or not plain.fullmatch(value):
        yield from text.tag(key, value, carrier)


def _attachment(body: Window) -> Iterator[Finding]:
    parts = {element.number: element.body for element in elements(body)}
    texts = " ".join(_string(parts[n]) for n in _ATTACHED_TEXTS if n in parts)
    mime = _string(parts[_FILE_MIME]) if _FILE_MIME in parts else ""
    cover = mime.startswith("image/") and "cover" in texts.lower()
    if text.holds_place(texts):
        yield Finding(Carrier.ATTACHMENT, What.LOCATION)
    yield Finding(Carrier.ATTACHMENT, What.OTHER)
    if _FILE_DATA in parts:
        carrier = Carrier.COVER_PICTURE if cover else Carrier.ATTACHMENT
        yield from parts[_FILE_DATA].inside(carrier)
