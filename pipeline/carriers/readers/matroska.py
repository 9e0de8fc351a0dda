"""Matroska and WebM (RFC 9559): elements by allow-list."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.carriers import opaque, sei, text
from pipeline.carriers.containers.ebml import EbmlElement, elements
from pipeline.carriers.readers import matroska_ids as ids
from pipeline.carriers.window import Window, inflate
from pipeline.model import Carrier, Finding, What

_SIMPLE_TAGS = 4000
_CLUSTERS = 24
_SIZE = 512 << 10
_BLOCKS = 72  # of a track

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
    "BPS": re.compile(r"\d+"),
    "NUMBER_OF_FRAMES": re.compile(r"\d+"),
    "NUMBER_OF_BYTES": re.compile(r"\d+"),
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
        if element.number == ids.SEGMENT:
            yield from _segment(element)
        elif element.number == ids.EBML:
            continue
        elif element.number == ids.VOID:
            yield from _void(element.body)
        else:
            yield from opaque.read(element.body, Carrier.TRAILER)


def _segment(segment: EbmlElement) -> Iterator[Finding]:
    streams: dict[int, _Stream] = {}
    readers: _Readers = {
        ids.INFO: _info,
        ids.TAGS: lambda body: _children(body, {ids.TAG: _tag}),
        ids.CHAPTERS: lambda body: opaque.read(body, Carrier.CHAPTERS),
        ids.ATTACHMENTS: lambda body: _children(body, {ids.ATTACHED_FILE: _attachment}),
        ids.TRACKS: lambda body: _tracks(body, streams),
    }
    clusters = 0
    for element in _flat(segment.body):
        if element.number == ids.CLUSTER:
            clusters += 1
            # the first ones, then each whose number is a power of two
            if clusters <= _CLUSTERS or clusters & (clusters - 1) == 0:
                yield from _cluster(element, streams)
        elif element.number in readers:
            yield from readers[element.number](element.body)
        elif element.number not in ids.SILENT_TOP:
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
            if at and element.number in ids.IN_CLUSTER:
                continue
            yield element
            if element.open and element.number == ids.CLUSTER:
                following = element.body.start - window.start
        at = following


def _unknown(element: EbmlElement) -> Iterator[Finding]:
    if element.number == ids.VOID:
        yield from _void(element.body)
    elif element.number != ids.CRC:
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
        ids.DATE: lambda _: iter((Finding(Carrier.TIME, What.TIME),)),
        ids.MUXING_APP: _program,
        ids.WRITING_APP: _program,
        **dict.fromkeys(ids.INFO_TEXTS, lambda inner: _text(inner, Carrier.CONTAINER_TAG)),
    }
    yield from _children(body, readers, ids.SILENT_INFO)


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
        if entry.number != ids.TRACK_ENTRY:
            yield from _unknown(entry)
            continue
        fields = {element.number: element.body for element in elements(entry.body)}
        empty = body.part(body.size)
        private = fields.get(ids.CODEC_PRIVATE, empty).read(0, 4096)
        stream = _Stream(
            _number(fields.get(ids.TRACK_TYPE, empty)),
            _string(fields.get(ids.CODEC_ID, empty)),
            (private[4] & 3) + 1 if private[:1] == b"\1" and private[4:] else 4,
            private,
        )
        texts = dict.fromkeys(ids.TRACK_TEXTS, lambda inner: _text(inner, Carrier.STREAM_TAG))
        yield from _children(entry.body, texts, ids.SILENT_TRACK)
        videos += stream.kind == ids.VIDEO
        if videos > 1 and stream.kind == ids.VIDEO:
            yield Finding(Carrier.SECOND_IMAGE, What.OTHER)
        if len(streams) < 64:
            streams[_number(fields.get(ids.TRACK_NUMBER, empty))] = stream


def _cluster(cluster: EbmlElement, streams: dict[int, _Stream]) -> Iterator[Finding]:
    for element in elements(cluster.body):
        if element.number == ids.SIMPLE_BLOCK:
            _keep(element.body, streams)
        elif element.number == ids.BLOCK_GROUP:
            for inner in elements(element.body):
                if inner.number == ids.BLOCK:
                    _keep(inner.body, streams)
                elif inner.number == ids.BLOCK_ADDITIONS:
                    yield from _additions(inner.body)
                elif inner.number not in ids.SILENT_BLOCK:
                    yield from _unknown(inner)
        elif cluster.open and element.number not in ids.IN_CLUSTER:
            return
        elif element.number not in ids.IN_CLUSTER:
            yield from _unknown(element)


def _additions(body: Window) -> Iterator[Finding]:
    """BlockMore (RFC 9559, 5.1.3.5.2): alpha of VP8/9 and light of HDR10+ are silent."""
    for more in elements(body):
        kind, data = 1, b""
        for element in elements(more.body):
            if element.number == ids.BLOCK_ADD_ID:
                kind = _number(element.body)
            elif element.number == ids.BLOCK_ADDITIONAL:
                data = element.body.read(0, 4096)
        if kind not in (1, 4) or opaque.has_location(data):
            yield Finding(Carrier.USER_DATA, opaque.kind_of(data))


def _keep(body: Window, streams: dict[int, _Stream]) -> None:
    """Keep a block of a picture, text or data track, to read it later (RFC 9559, 10.1)."""
    head = body.read(0, 8)
    if not head:
        return
    wide = 9 - head[0].bit_length() if head[0] else 8
    number = int.from_bytes(head[:wide], "big") & ((1 << (7 * wide)) - 1)
    stream = streams.get(number)
    if stream is None or stream.kind == ids.AUDIO or len(stream.blocks) >= _BLOCKS:
        return
    if stream.kind == ids.VIDEO and not sei.codec_of(stream.codec):
        return
    stream.blocks.append(body.read(wide + 3, _SIZE))


def _content(stream: _Stream) -> Iterator[Finding]:
    if stream.kind == ids.VIDEO:
        codec = sei.codec_of(stream.codec)
        yield from sei.read(stream.blocks, codec, stream.width, stream.private)
    elif stream.kind != ids.AUDIO:
        subtitle = stream.kind == ids.SUBTITLE
        carrier = Carrier.SUBTITLE_TRACK if subtitle else Carrier.DATA_TRACK
        yield Finding(carrier, What.OTHER)
        # blocks may be packed (ContentCompression of RFC 9559, 5.1.4.1.31.4)
        texts = (inflate(block, 4096) or block[:4096] for block in stream.blocks)
        if opaque.has_location(b"\n".join((stream.private, *texts))):
            yield Finding(carrier, What.LOCATION)


def _tag(body: Window) -> Iterator[Finding]:
    stream = any(
        inner.number in ids.TAG_TRACK and inner.body.read(0, 8).strip(b"\0")
        for target in elements(body)
        if target.number == ids.TARGETS
        for inner in elements(target.body)
    )
    carrier = Carrier.STREAM_TAG if stream else Carrier.CONTAINER_TAG
    readers = {ids.SIMPLE_TAG: lambda inner: _simple(inner, carrier, 0)}
    yield from _children(body, readers, frozenset((ids.TARGETS,)))


def _simple(body: Window, carrier: Carrier, depth: int) -> Iterator[Finding]:
    """A SimpleTag (RFC 9559, 5.1.8.1.2), which may hold others."""
    key, value = "", ""
    for element in elements(body):
        if element.number == ids.TAG_NAME:
            key = _string(element.body)
        elif element.number == ids.TAG_STRING:
            value = _string(element.body)
        elif element.number == ids.TAG_BINARY:
            yield from opaque.read(element.body, carrier)
        elif element.number == ids.SIMPLE_TAG and depth < 6:
            yield from _simple(element.body, carrier, depth + 1)
        elif element.number not in ids.SILENT_TAG:
            yield from _unknown(element)
    plain = _PLAIN_TAGS.get(key.upper())
    if key.startswith("_STATISTICS_"):
        yield from [Finding(Carrier.TIME, What.TIME)] if "DATE" in key else []
    elif plain is None or not plain.fullmatch(value):
        yield from text.tag(key, value, carrier)


def _attachment(body: Window) -> Iterator[Finding]:
    parts = {element.number: element.body for element in elements(body)}
    texts = " ".join(_string(parts[n]) for n in ids.ATTACHED_TEXTS if n in parts)
    mime = _string(parts[ids.FILE_MIME]) if ids.FILE_MIME in parts else ""
    cover = mime.startswith("image/") and "cover" in texts.lower()
    if text.holds_place(texts):
        yield Finding(Carrier.ATTACHMENT, What.LOCATION)
    yield Finding(Carrier.ATTACHMENT, What.OTHER)
    if ids.FILE_DATA in parts:
        carrier = Carrier.COVER_PICTURE if cover else Carrier.ATTACHMENT
        yield from parts[ids.FILE_DATA].inside(carrier)
