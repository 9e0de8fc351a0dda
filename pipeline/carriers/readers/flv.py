"""FLV (Adobe Flash Video File Format 10.1, annex E): script data, and messages in the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.carriers import opaque, sei, text, xmp
from pipeline.carriers.window import Window
from pipeline.model import Carrier, Finding

_TAGS = 4000
_FRAMES = 48
_SIZE = 512 << 10
_VALUES = 4000
_PROGRAM = re.compile(r"Lav[fc][\d.]*")
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
    if name not in (b"onMetaData", b"onXMPData", b"onTextData", b"onCaption", b"onCuePoint"):
        yield Finding(Carrier.UNKNOWN_PART, opaque.kind_of(data))
        return
    if name in (b"onTextData", b"onCaption"):
        carrier = Carrier.SUBTITLE_TRACK if name == b"onTextData" else Carrier.CLOSED_CAPTIONS
        yield Finding(carrier, opaque.kind_of(data))
        return
    if b"<x:xmpmeta" in data:
        yield from xmp.read(data)
    for key, value in _Amf(data, 3 + len(name)).pairs():
        if key in _NEEDED or (key == "encoder" and _PROGRAM.fullmatch(value)):
            continue
        yield from text.tag(key, value, Carrier.CONTAINER_TAG, Carrier.CONTAINER_TAG)


class _Amf:
    """AMF0 values (Action Message Format 0, 2) as keys with texts; numbers count as texts."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._left = _VALUES

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Keys and values, at most 4,000, those of inner objects under their own keys."""
        yield from self._value("", 0)

    def _take(self, count: int) -> bytes:
        self._at += count
        return self._data[self._at - count : self._at]

    def _number(self, count: int) -> int:
        return int.from_bytes(self._take(count), "big")

    def _value(self, key: str, depth: int) -> Iterator[tuple[str, str]]:
        kind = self._take(1)
        self._left -= 1
        if self._left < 0 or depth > 8 or not kind:
            self._at = len(self._data)
        elif kind in (b"\0", b"\x0b"):  # number, date
            self._take(8 if kind == b"\0" else 10)
            yield key, "0"
        elif kind == b"\1":
            self._take(1)
        elif kind in (b"\2", b"\x0c", b"\x0f"):
            yield key, text.decode(self._take(self._number(2 if kind == b"\2" else 4)))
        elif kind in (b"\3", b"\x08"):
            self._take(4 if kind == b"\x08" else 0)
            yield from self._object(depth)
        elif kind == b"\x0a":
            for _ in range(min(self._number(4), _VALUES)):
                yield from self._value(key, depth + 1)
        elif kind not in (b"\5", b"\6"):
            self._at = len(self._data)

    def _object(self, depth: int) -> Iterator[tuple[str, str]]:
        while self._at < len(self._data):
            key = text.decode(self._take(self._number(2)))
            if not key and self._data[self._at : self._at + 1] == b"\x09":
                self._take(1)
                return
            yield from self._value(key, depth + 1)
