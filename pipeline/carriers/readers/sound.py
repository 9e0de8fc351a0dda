"""Files of sound: FLAC (RFC 9639), WAV and AIFF, by their metadata.  They become no clip."""

import struct
from collections.abc import Iterator

from pipeline.carriers import notes, opaque, text, xmp
from pipeline.carriers.containers.riff import RiffChunk, chunks
from pipeline.carriers.readers import avi, ogg
from pipeline.carriers.window import Fields, Window
from pipeline.findings import Carrier, Finding, What

_BLOCKS = 1000
_VALUE = 1 << 20
_PADDING, _COMMENTS, _CUES, _PICTURE = 1, 4, 5, 6
_SILENT_BLOCKS = frozenset((0, 3))  # what the sound is, and where its frames are
_SILENT_WAV = frozenset(
    b"data|fmt |fact|cue |smpl|inst|PEAK|peak|JUNK|junk|PAD |FLLR|ds64|plst|slnt|wavl".split(b"|")
)
_SILENT_AIFF = frozenset((b"COMM", b"SSND", b"FVER", b"INST", b"SAXL"))
_AIFF = {
    b"NAME": "title",
    b"AUTH": "author",
    b"(c) ": "copyright",
    b"ANNO": "text",
    b"COMT": "text",
    b"APPL": "software",
}


def flac(window: Window) -> Iterator[Finding]:
    """What a FLAC file gives away (RFC 9639, section 8)."""
    at = 4
    for _ in range(_BLOCKS):
        head = window.read(at, 4)
        if len(head) < 4:
            return
        kind, size = head[0] & 0x7F, int.from_bytes(head[1:], "big")
        yield from _block(kind, window.part(at + 4, at + 4 + size))
        at += 4 + size
        if head[0] & 0x80:
            break


def _block(kind: int, body: Window) -> Iterator[Finding]:
    if kind == _COMMENTS:
        yield from ogg.comments(body, body.read(0, 8 << 20))
    elif kind == _PICTURE:
        yield from picture(body)
    elif kind == _CUES:
        yield from opaque.read(body, Carrier.CHAPTERS)
    elif kind == _PADDING:
        if body.read(0, 64 << 10).strip(b"\0"):
            yield from opaque.read(body, Carrier.UNKNOWN_PART)
    elif kind not in _SILENT_BLOCKS:
        yield from opaque.read(body, Carrier.UNKNOWN_PART)


def picture(body: Window) -> Iterator[Finding]:
    """A picture with its description (RFC 9639, 8.8), as Vorbis comments hold it too."""
    at = 4
    for _ in range(2):  # its type, its description
        size = int.from_bytes(body.read(at, 4), "big")
        if opaque.has_location(body.read(at + 4, min(size, 4096))):
            yield Finding(Carrier.COVER_PICTURE, What.LOCATION)
        at += 4 + size
    at += 20
    yield from body.part(at).inside(Carrier.COVER_PICTURE)


def wave(window: Window) -> Iterator[Finding]:
    """What a WAV file gives away, with the chunks of broadcasters (EBU Tech 3285)."""
    for riff in chunks(window):
        if riff.group not in (b"RIFF", b"RF64") or riff.name != b"WAVE":
            yield from opaque.read(window.part(riff.start), Carrier.TRAILER)
            return
        for chunk in chunks(riff.body):
            yield from _wave_chunk(chunk)


def _wave_chunk(chunk: RiffChunk) -> Iterator[Finding]:
    name = chunk.name
    if chunk.group and name in (b"INFO", b"exif"):
        yield from avi.info(chunk.body)
    elif chunk.group and name == b"adtl":  # labels of cues
        yield from opaque.read(chunk.body, Carrier.CHAPTERS)
    elif name.lower() == b"id3 ":
        yield from chunk.body.inside(Carrier.CONTAINER_TAG)
    elif name in (b"iXML", b"axml", b"aXML"):
        yield from opaque.read(chunk.body, Carrier.CONTAINER_TAG)
        data = text.decode(chunk.body.read(0, _VALUE), _VALUE)
        yield from notes.xml(data, Carrier.XMP_POSITION)
    elif name == b"_PMX":
        yield from xmp.read(chunk.body.read(0, xmp.LIMIT))
    elif name == b"bext":
        yield Finding(Carrier.TIME, What.TIME)
        yield from opaque.read(chunk.body, Carrier.CONTAINER_TAG)
    elif name not in _SILENT_WAV:
        yield from opaque.read(chunk.body, Carrier.UNKNOWN_PART)


def aiff(window: Window) -> Iterator[Finding]:
    """What an AIFF file gives away (AIFF 1.3): chunks as in RIFF, with the other byte order."""
    at = 12
    for _ in range(_BLOCKS):
        head = window.read(at, 8)
        if len(head) < 8:
            return
        name, size = struct.unpack(">4sI", head)
        body = window.part(at + 8, at + 8 + size)
        if name == b"ID3 ":
            yield from body.inside(Carrier.CONTAINER_TAG)
        elif name == b"MARK":
            yield from opaque.read(body, Carrier.CHAPTERS)
        elif name in _AIFF:
            value = text.decode(body.read(0, 64 << 10)).strip("\0 ")
            yield from text.tag(_AIFF[name], value, Carrier.CONTAINER_TAG)
        elif name not in _SILENT_AIFF:
            yield from opaque.read(body, Carrier.UNKNOWN_PART)
        at += 8 + size + (size & 1)


def core_audio(window: Window) -> Iterator[Finding]:
    """What a CAF file gives away (Core Audio Format 1.0): its texts are pairs of name and value."""
    at = 8
    for _ in range(_BLOCKS):
        head = Fields(window.read(at, 12))
        name, size = head.take(4), head.number(8)
        if len(head.data) < 12:
            return
        body = window.part(at + 12, at + 12 + size)
        if name == b"info":
            words = text.decode(body.read(4, 64 << 10)).split("\0")
            for key, value in zip(words[::2], words[1::2], strict=False):
                yield from text.tag(key, value, Carrier.CONTAINER_TAG)
        elif name not in (b"desc", b"data", b"pakt", b"chan", b"kuki", b"free"):
            yield from opaque.read(body, Carrier.UNKNOWN_PART)
        at += 12 + size
