"""AVI (OpenDML 1.02): lists and chunks by allow-list, and the first frames."""

import re
from collections.abc import Iterator

from pipeline.carriers import opaque, sei, text, trailer, xmp
from pipeline.carriers.containers.riff import RiffChunk, chunks
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding, What

_FRAMES = 48
_SIZE = 512 << 10
_NEEDED = frozenset((b"avih", b"strh", b"strf", b"indx", b"vprp", b"idx1", b"dmlh"))
_FRAME = re.compile(rb"\d\d(?:d[bcd]|wb|pc|tx|sb|iv)|ix\d\d")

# Space that was kept for an index, and FFmpeg's name, followed by zeros.
_RESERVED = re.compile(
    rb"(?:Lavf[\d.]*|\x04\x00\x00[\x00\x01].{4}\d\d(?:d[bc]|wb|sb|tx)|odmldmlh.{4})?\x00*",
    re.DOTALL,
)

# INFO chunks (Microsoft's RIFF, and those that cameras and programs added) and the chunks of the
# EXIF list (EXIF 2.32, annex on WAV and AVI), by a word for their subject.
_SUBJECTS = text.subjects(
    {
        "location": b"IARL ICNT ILOC LOCA",
        "person": b"IART ICMS ICOP IENG ITCH IWRI",
        "device": b"ISFT IMAK IMOD ICAM ecor emdl emnt",
        "date": b"ICRD IDIT ISMP DTIM YEAR etim",
    }
)


def read(window: Window) -> Iterator[Finding]:
    """What an AVI file gives away, with its first 48 frames."""
    end = 0
    for count, riff in enumerate(chunks(window)):
        if riff.group != b"RIFF" or riff.name not in (b"AVI ", b"AVIX") or count > 4096:
            end = riff.start
            break
        end = riff.start + 12 + riff.body.size
        yield from _list(riff.body, [])
    yield from trailer.read(window.part(end + (end & 1)))


def _list(body: Window, codecs: list[str]) -> Iterator[Finding]:
    for chunk in chunks(body):
        if not chunk.group:
            if chunk.name == b"strh":
                yield from _stream(chunk.body)
            elif chunk.name == b"strf":
                codecs.append(chunk.body.read(16, 4).decode("latin-1"))
            elif chunk.name not in _NEEDED:
                yield from _chunk(chunk)
        elif chunk.name in (b"hdrl", b"strl", b"odml"):
            yield from _list(chunk.body, codecs)
        elif chunk.name == b"movi":
            yield from _frames(chunk.body, codecs)
        elif chunk.name in (b"INFO", b"exif"):
            yield from info(chunk.body)
        else:
            # Nikon's ncdt, Pentax's hydt and others: notes of a maker
            yield Finding(Carrier.DEVICE, What.IDENTITY)
            yield from opaque.read(chunk.body, Carrier.UNKNOWN_PART)


def _stream(header: Window) -> Iterator[Finding]:
    kind = header.read(0, 4)
    if kind == b"txts":
        yield Finding(Carrier.SUBTITLE_TRACK, What.OTHER)
    elif kind not in (b"vids", b"auds", b"iavs"):
        yield Finding(Carrier.DATA_TRACK, What.OTHER)


def _chunk(chunk: RiffChunk) -> Iterator[Finding]:
    if chunk.name in (b"JUNK", b"junk", b"JUNQ", b"PAD "):
        data = chunk.body.read(0, 64 << 10)
        if data.strip(data[:1]) and not _RESERVED.fullmatch(data):
            yield from opaque.read(chunk.body, Carrier.UNKNOWN_PART)
    elif chunk.name == b"strn":
        yield from text.tag("title", _text(chunk), Carrier.STREAM_TAG)
    elif chunk.name in (b"IDIT", b"ISMP"):
        yield Finding(Carrier.TIME, What.TIME)
    elif chunk.name == b"_PMX":
        yield from xmp.read(chunk.body.read(0, xmp.LIMIT))
    elif chunk.name == b"strd":
        yield Finding(Carrier.DEVICE, What.IDENTITY)
        yield from opaque.scan(chunk.body, Carrier.STREAM_TAG)
    elif not _FRAME.fullmatch(chunk.name):
        yield from opaque.read(chunk.body, Carrier.UNKNOWN_PART)


def info(body: Window) -> Iterator[Finding]:
    """The texts of an INFO list, as AVI and WAV have it."""
    for chunk in chunks(body):
        value = _text(chunk)
        if chunk.name == b"ISFT" and text.FFMPEG.fullmatch(value):
            continue
        if chunk.name not in (b"ever", b"erel"):
            key = _SUBJECTS.get(chunk.name, "text")
            yield from text.tag(key, value, Carrier.CONTAINER_TAG)


def _text(chunk: RiffChunk) -> str:
    data = chunk.body.read(0, 64 << 10)
    return text.decode(data.strip(b"\0")).strip(" \0\r\n") or opaque.words(data)


def _frames(movi: Window, codecs: list[str]) -> Iterator[Finding]:
    """The first frames: SEI of H.264, segments of motion JPEG, texts."""
    pictures: dict[int, list[bytes]] = {}
    for count, chunk in enumerate(_flat(movi)):
        if count >= 4 * _FRAMES:
            break
        if chunk.name[2:] in (b"dc", b"db") and chunk.name[:2].isdigit():
            frames = pictures.setdefault(int(chunk.name[:2]), [])
            if len(frames) < _FRAMES:
                frames.append(chunk.body.read(0, _SIZE))
        elif not _FRAME.fullmatch(chunk.name):
            yield from _chunk(chunk)
        if chunk.name[2:] in (b"tx", b"sb"):
            yield from opaque.read(chunk.body.part(0, 1 << 16), Carrier.SUBTITLE_TRACK)
    for number, frames in pictures.items():
        codec = sei.codec_of(codecs[number]) if number < len(codecs) else ""
        yield from sei.read(frames, codec, 0)
        if codec == "" and frames[0].startswith(b"\xff\xd8"):
            found = set(movi.wrap(frames[0]).inside(Carrier.COVER_PICTURE))
            yield from {each for each in found if each.carrier is not Carrier.COVER_PICTURE}


def _flat(movi: Window) -> Iterator[RiffChunk]:
    for chunk in chunks(movi):
        if chunk.group and chunk.name == b"rec ":
            yield from chunks(chunk.body)
        else:
            yield chunk
