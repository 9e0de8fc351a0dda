"""Matroska and WebM (RFC 9559): elements by allow-list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

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


@dataclass
class _Stream:
    """A track while its blocks are collected."""

    kind: int = 0
    codec: str = ""
    width: int = 4
    private: bytes = b""
    blocks: int = 0


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
    blocks: dict[int, list[bytes]] = {}
    readers = {
        ids.INFO: _info,
        ids.TAGS: _tags,
        ids.CHAPTERS: _chapters,
        ids.ATTACHMENTS: _attachments,
    }
    clusters = 0
    for element in _flat(segment.body):
        if element.number == ids.CLUSTER:
            clusters += 1
            # the first ones, then each whose number is a power of two
            if clusters <= _CLUSTERS or clusters & (clusters - 1) == 0:
                yield from _cluster(element, streams, blocks)
        elif element.number == ids.TRACKS:
            yield from _tracks(element.body, streams)
        elif element.number in readers:
            yield from readers[element.number](element.body)
        elif element.number not in ids.SILENT_TOP:
            yield from _unknown(element)
    for number, stream in streams.items():
        yield from _content(stream, blocks.get(number, []))


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


def _info(body: Window) -> Iterator[Finding]:
    for element in elements(body):
        if element.number == ids.DATE:
            yield Finding(Carrier.TIME, What.TIME)
        elif element.number in (ids.MUXING_APP, ids.WRITING_APP):
            name = _string(element.body)
            if not _PROGRAM.fullmatch(name):
                yield Finding(Carrier.DEVICE, What.IDENTITY)
                yield Finding(Carrier.CONTAINER_TAG, text.kind_of(name))
        elif element.number in ids.INFO_TEXTS:
            if name := _string(element.body):
                yield Finding(Carrier.CONTAINER_TAG, text.kind_of(name))
        elif element.number not in ids.SILENT_INFO:
            yield from _unknown(element)


def _tracks(body: Window, streams: dict[int, _Stream]) -> Iterator[Finding]:
    videos = 0
    for entry in elements(body):
        if entry.number != ids.TRACK_ENTRY:
            yield from _unknown(entry)
            continue
        stream, number = _Stream(), 0
        for element in elements(entry.body):
            if element.number == ids.TRACK_NUMBER:
                number = int.from_bytes(element.body.read(0, 8), "big")
            elif element.number == ids.TRACK_TYPE:
                stream.kind = int.from_bytes(element.body.read(0, 8), "big")
            elif element.number == ids.CODEC_ID:
                stream.codec = _string(element.body)
            elif element.number == ids.CODEC_PRIVATE:
                private = stream.private = element.body.read(0, 4096)
                stream.width = (private[4] & 3) + 1 if private[:1] == b"\1" and private[4:] else 4
            yield from _track_field(element)
        videos += stream.kind == ids.VIDEO
        if videos > 1 and stream.kind == ids.VIDEO:
            yield Finding(Carrier.SECOND_IMAGE, What.OTHER)
        if len(streams) < 64:
            streams[number] = stream


def _track_field(element: EbmlElement) -> Iterator[Finding]:
    if element.number in ids.TRACK_TEXTS:
        name = _string(element.body)
        if name and not _PLAIN_TAGS["HANDLER_NAME"].fullmatch(name):
            yield Finding(Carrier.STREAM_TAG, text.kind_of(name))
    elif element.number == ids.CODEC_PRIVATE:
        yield from ()
    elif element.number not in ids.SILENT_TRACK:
        yield from _unknown(element)


def _cluster(
    cluster: EbmlElement, streams: dict[int, _Stream], blocks: dict[int, list[bytes]]
) -> Iterator[Finding]:
    for element in elements(cluster.body):
        if element.number == ids.SIMPLE_BLOCK:
            _keep(element.body, streams, blocks)
        elif element.number == ids.BLOCK_GROUP:
            for inner in elements(element.body):
                if inner.number == ids.BLOCK:
                    _keep(inner.body, streams, blocks)
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
                kind = int.from_bytes(element.body.read(0, 8), "big")
            elif element.number == ids.BLOCK_ADDITIONAL:
                data = element.body.read(0, 4096)
        if kind not in (1, 4) or opaque.has_location(data):
            yield Finding(Carrier.USER_DATA, opaque.kind_of(data))


def _keep(body: Window, streams: dict[int, _Stream], blocks: dict[int, list[bytes]]) -> None:
    """Keep a block of a picture, text or data track, to read it later (RFC 9559, 10.1)."""
    head = body.read(0, 8)
    if not head:
        return
    wide = 9 - head[0].bit_length() if head[0] else 8
    number = int.from_bytes(head[:wide], "big") & ((1 << (7 * wide)) - 1)
    stream = streams.get(number)
    if stream is None or stream.kind == ids.AUDIO or stream.blocks >= _BLOCKS:
        return
    if stream.kind == ids.VIDEO and not sei.codec_of(stream.codec):
        return
    stream.blocks += 1
    blocks.setdefault(number, []).append(body.read(wide + 3, _SIZE))


def _content(stream: _Stream, blocks: list[bytes]) -> Iterator[Finding]:
    if stream.kind == ids.VIDEO:
        codec = sei.codec_of(stream.codec)
        yield from sei.read(blocks, codec, stream.width, stream.private)
    elif stream.kind != ids.AUDIO:
        subtitle = stream.kind == ids.SUBTITLE
        carrier = Carrier.SUBTITLE_TRACK if subtitle else Carrier.DATA_TRACK
        yield Finding(carrier, What.OTHER)
        # blocks may be packed (ContentCompression of RFC 9559, 5.1.4.1.31.4)
        texts = (inflate(block, 4096) or block[:4096] for block in blocks)
        if opaque.has_location(b"\n".join((stream.private, *texts))):
            yield Finding(carrier, What.LOCATION)


def _tags(body: Window) -> Iterator[Finding]:
    for tag in elements(body):
        if tag.number != ids.TAG:
            yield from _unknown(tag)
            continue
        stream = any(
            inner.number in ids.TAG_TRACK and inner.body.read(0, 8).strip(b"\0")
            for target in elements(tag.body)
            if target.number == ids.TARGETS
            for inner in elements(target.body)
        )
        carrier = Carrier.STREAM_TAG if stream else Carrier.CONTAINER_TAG
        for element in elements(tag.body):
            if element.number == ids.SIMPLE_TAG:
                yield from _simple(element.body, carrier, 0)
            elif element.number != ids.TARGETS:
                yield from _unknown(element)


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


def _chapters(body: Window) -> Iterator[Finding]:
    yield from opaque.read(body, Carrier.CHAPTERS)


def _attachments(body: Window) -> Iterator[Finding]:
    for attached in elements(body):
        if attached.number != ids.ATTACHED_FILE:
            yield from _unknown(attached)
            continue
        parts = {element.number: element.body for element in elements(attached.body)}
        texts = " ".join(_string(parts[n]) for n in ids.ATTACHED_TEXTS if n in parts)
        mime = _string(parts[ids.FILE_MIME]) if ids.FILE_MIME in parts else ""
        cover = mime.startswith("image/") and "cover" in texts.lower()
        if text.holds_place(texts):
            yield Finding(Carrier.ATTACHMENT, What.LOCATION)
        yield Finding(Carrier.ATTACHMENT, What.OTHER)
        if ids.FILE_DATA in parts:
            yield from parts[ids.FILE_DATA].inside(
                Carrier.COVER_PICTURE if cover else Carrier.ATTACHMENT
            )
