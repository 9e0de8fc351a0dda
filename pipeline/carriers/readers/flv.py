"""FLV (Adobe Flash Video File Format 10.1, annex E): script data, and messages in the picture."""

from collections.abc import Iterator
from itertools import islice

from pipeline.carriers import opaque, sei, text, xmp
from pipeline.carriers.window import Fields, Window
from pipeline.findings import Carrier, Finding

_TAGS = 4000
_FRAMES = 48
_SIZE = 512 << 10
_VALUES = 4000
_DEPTH = 8
_NEEDED = text.vocabulary(
    "duration width height videodatarate framerate videocodecid audiodatarate audiosamplerate"
    " audiosamplesize stereo audiocodecid filesize hasVideo hasAudio hasMetadata hasKeyframes"
    " hasCuePoints canSeekToEnd datasize videosize audiosize lasttimestamp lastkeyframetimestamp"
    " lastkeyframelocation times filepositions major_brand minor_version compatible_brands"
    " audiochannels audiodelay"
)


def read(window: Window) -> Iterator[Finding]:
    """What an FLV file gives away."""
    at = window.number(5, 4) + 4
    frames: list[bytes] = []
    for _ in range(_TAGS):
        head = window.read(at, 11)
        if len(head) < 11:
            break
        size = int.from_bytes(head[1:4], "big")
        body = window.part(at + 11, at + 11 + size)
        kind = head[0] & 31
        if kind == 18:
            yield from _script(body)
        elif kind == 9:
            # AVC: frame type and codec, packet type, time, then units by length
            if len(frames) < _FRAMES and body.read(0, 2)[1:] == b"\1":
                frames.append(body.read(5, _SIZE))
        elif kind != 8:
            yield from opaque.read(window.part(at), Carrier.UNKNOWN_PART)
            break
        at += 11 + size + 4
    yield from sei.read(frames, "h264")


def _script(body: Window) -> Iterator[Finding]:
    data = body.read(0, 1 << 20)
    name = data[3 : 3 + int.from_bytes(data[1:3], "big")] if data[:1] == b"\2" else b""
    carriers = {b"onTextData": Carrier.SUBTITLE_TRACK, b"onCaption": Carrier.CLOSED_CAPTIONS}
    if name not in (b"onMetaData", b"onXMPData", b"onCuePoint"):
        yield Finding(carriers.get(name, Carrier.UNKNOWN_PART), opaque.kind_of(data))
        return
    if b"<x:xmpmeta" in data:
        yield from xmp.read(data)
    fields = Fields(data, 3 + len(name))
    for key, value in islice(_texts(fields), _VALUES):
        if key not in _NEEDED and not (key == "encoder" and text.FFMPEG.fullmatch(value)):
            yield from text.tag(key, value, Carrier.CONTAINER_TAG)


def _texts(data: Fields, key: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The keys and texts of an AMF0 value (Action Message Format 0, 2); a number counts as "0"."""
    kind = data.take(1)
    if kind in (b"\0", b"\x0b"):  # a number, a date
        data.take(8 if kind == b"\0" else 10)
        yield key, "0"
    elif kind == b"\1":
        data.take(1)
    elif kind in (b"\2", b"\x0c", b"\x0f"):  # texts
        yield key, text.decode(data.take(data.number(2 if kind == b"\2" else 4)))
    elif kind in (b"\3", b"\x08") and depth < _DEPTH:  # objects
        data.take(4 if kind == b"\x08" else 0)
        yield from _members(data, depth + 1)
    elif kind == b"\x0a" and depth < _DEPTH:
        for _ in range(min(data.number(4), _VALUES)):
            yield from _texts(data, key, depth + 1)
    elif kind not in (b"\5", b"\6"):  # null, undefined; the size of any other is not known
        data.at = len(data.data)


def _members(data: Fields, depth: int) -> Iterator[tuple[str, str]]:
    while data.at < len(data.data):
        name = text.decode(data.take(data.number(2)))
        if not name and data.data[data.at : data.at + 1] == b"\x09":
            data.take(1)
            return
        yield from _texts(data, name, depth)
