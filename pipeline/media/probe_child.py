"""Read one media file with PyAV and print facts about it as JSON; runs in the sandbox.

    python -I probe_child.py FILE DEMUXER [pick=KIND:NUMBER] [most=PIXELS] [NAME=VALUE…]

KIND is "item" or "track": the part of a HEIF file that is shown, by its number in the file.
PIXELS is how many all pictures together may have; when there are more, the reading ends.

Only numbers and FFmpeg's own names of codecs and formats come out, never a tag.  Times are
seconds from the beginning of the file's earliest stream, as FFmpeg counts them.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypedDict

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_NOT_FOOTAGE = Disposition.attached_pic | Disposition.timed_thumbnails
_NOT_FOOTAGE |= Disposition.dependent | Disposition.still_image
_ENCRYPTED = frozenset(("encv", "enca", "drmi", "drms"))
_TRIES = 300  # packets to decode before a file without a first frame counts as corrupt
_LOOKS = 30  # key frames at which a change of size is looked for in any case
_IN_BAND = frozenset(("avc3", "hev1"))  # MP4 in which parameters may come with the pictures
_SOUNDS = 16  # tracks of sound that are looked at
_ENCRYPTION = 50  # packets in which a sign of encryption is looked for
# Formats and codecs in which the size of the picture may change at a key frame.
_MAY_CHANGE = frozenset(("mpegts", "mpeg", "matroska", "flv", "asf", "ogg"))
_CHANGING = frozenset(("h264", "hevc", "vp8", "vp9", "av1", "mpeg2video", "mpeg4", "flv1"))
_OTHER = re.compile(r"[^A-Za-z0-9 ()+._-]")  # in the name of a layout: a name that the file gave
_LOOKED = 1 << 32  # pixels that are decoded to look for changes of size
_LEAST_PIXELS = 1 << 18  # that a picture counts for, however small it is
_BACK, _AHEAD = Fraction(1, 2), Fraction(1)  # seconds: jumps of a clock that was joined


class _Span(TypedDict):
    """When a stream begins, when its last packet begins, when it ends, in seconds."""

    packets: int
    start_s: float | None
    latest_s: float | None
    end_s: float | None
    last_has_length: bool


class _Frame(TypedDict):
    """The first picture; numbers of colours are code points of ITU-T H.273."""

    width: int
    height: int
    sar: list[int]
    rotation: int
    format: str
    depth: int
    range: int
    matrix: int
    transfer: int
    primaries: int
    interlaced: bool


class _Video(_Span):
    """The picture stream; ``frame`` is None where no picture can be decoded."""

    index: int
    codec: str
    fps: float | None
    alpha_beside: bool
    frame: _Frame | None
    sizes_change: bool


class _Sound(_Span):
    """A sound stream; ``layout`` is FFmpeg's name of its channels."""

    index: int
    codec: str
    layout: str


class _Part(TypedDict):
    """A stream of pictures by its number in the file; ``kind`` as in the arguments."""

    index: int
    kind: str
    number: int
    limited: bool


class _File(TypedDict):
    """What a file holds; ``container`` is FFmpeg's name of the format.

    ``sounds``: the default one first.  ``clock_breaks``: its clock begins anew or jumps, as in
    transport streams that were joined.  ``too_much``: its pictures have more pixels than were
    allowed; what is said of its length is then not the whole.
    """

    container: str
    encrypted: bool
    clock_breaks: bool
    too_much: bool
    video: _Video | None
    sounds: list[_Sound]
    parts: list[_Part]


@dataclass
class StreamExtent:
    """A stream's packets so far: the first and the last moment, ``last`` packet's length."""

    packets: int = 0
    start: Fraction | None = None
    latest: Fraction | None = None
    end: Fraction | None = None
    last: int = 0
    expected: Fraction | None = None  # when the next packet would be decoded
    back: bool = False
    ahead: bool = False

    def add(self, packet: Packet[Stream]) -> None:
        """Count a packet."""
        base = packet.time_base or Fraction(0)
        length = (packet.duration or 0) * base
        start = (packet.pts or 0) * base
        end = start + length
        self.packets += 1
        self.latest = max(start, self.latest or start)
        self.start = start if self.start is None else min(self.start, start)
        if self.end is None or end > self.end:
            self.end, self.last = end, packet.duration or 0
        if packet.dts is not None:
            dts = packet.dts * base
            if self.expected is not None:
                self.back |= dts < self.expected - _BACK
                self.ahead |= dts > self.expected + _AHEAD
            self.expected = dts + length

    def span(self, origin: float) -> _Span:
        """The moments in seconds after *origin*."""
        start, latest, end = (
            None if moment is None else float(moment) - origin
            for moment in (self.start, self.latest, self.end)
        )
        return {
            "packets": self.packets,
            "start_s": start,
            "latest_s": latest,
            "end_s": end,
            "last_has_length": bool(self.last),
        }


@dataclass
class Pictures:
    """The pictures of a stream that were decoded: the first, and later ones at key frames.

    A change of size is looked for at the first key frames, then once a second, and less often in
    long files, since key frames are expensive to decode.
    """

    stream: VideoStream
    may_change: bool
    first: VideoFrame | None = None
    sizes: set[tuple[int, int]] = field(default_factory=set)
    tries: int = 0
    looks: int = 0
    last_s: float = 0.0
    looked: int = 0

    @property
    def pixels(self) -> int:
        """How many pixels a picture counts for."""
        context = self.stream.codec_context
        return max(context.width * context.height if context is not None else 0, _LEAST_PIXELS)

    def add(self, packet: Packet[Stream]) -> None:
        """Decode a packet if anything can be learnt from it."""
        if self.first is None:
            self.tries += 1
            if self.tries <= _TRIES:
                self._decode(packet)
        elif packet.is_keyframe and packet.dts is not None:
            described = packet.has_sidedata("new_extradata")
            second = float(packet.dts * (packet.time_base or 0))
            due = self.looks < _LOOKS or abs(second - self.last_s) > max(1.0, second / 50)
            if (described or (self.may_change and due)) and self.looked < _LOOKED:
                self.looks, self.last_s = self.looks + 1, second
                self.looked += self.pixels
                self._decode(packet)

    def finish(self) -> None:
        """Take the pictures that the decoder still holds."""
        if self.first is None or self.may_change:
            self._decode(None)

    def _decode(self, packet: Packet[Stream] | None) -> None:
        try:
            frames = self.stream.decode(packet)
        except (av.FFmpegError, ValueError):
            return
        self.first = self.first or next(iter(frames), None)
        self.sizes |= {(frame.width, frame.height) for frame in frames}


def main(path: str, demuxer: str, *pairs: str) -> _File | None:
    """What the file holds; None where it can't be opened.

    :param pairs: options for the demuxer, each as NAME=VALUE.
    """
    options = dict(pair.split("=", 1) for pair in pairs)
    pick, most = options.pop("pick", ""), int(options.pop("most", 1 << 62))
    options = options or {"enable_drefs": "0"}
    options["protocol_whitelist"] = "file"
    try:
        container = av.open(path, format=demuxer, options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError):
        return None
    with container:
        return _facts(container, pick, most)


def _facts(container: InputContainer, pick: str, most: int) -> _File:
    parts = [_part(stream) for stream in container.streams.video]
    picked = [part["index"] for part in parts if f"{part['kind']}:{part['number']}" == pick]
    videos = [s for s in container.streams.video if not s.disposition & _NOT_FOOTAGE]
    videos = [s for s in container.streams.video if s.index in picked] or videos
    video = max(videos, key=_rank, default=None)
    audios = [s for s in container.streams.audio if s.codec_context is not None][:_SOUNDS]
    audios.sort(key=lambda stream: not stream.disposition & Disposition.default)
    name = container.format.name.split(",")[0]
    pictures = None
    if video is not None and video.codec_context is not None:
        may_change = name in _MAY_CHANGE and _codec(video) in _CHANGING
        pictures = Pictures(video, may_change or _tag(video) in _IN_BAND)
    extents = {s.index: StreamExtent() for s in (video, *audios) if s is not None}
    scan = Scan(pictures, extents, most)
    scan.read(container, [s for s in (video, *audios) if s is not None])
    spans = scan.spans(container)
    return {
        "container": name,
        "encrypted": scan.encrypted or any(_tag(s) in _ENCRYPTED for s in container.streams),
        "clock_breaks": scan.clock_breaks,
        "too_much": scan.too_much,
        "video": _video(video, pictures, spans[video.index]) if video is not None else None,
        "sounds": [
            {
                "index": audio.index,
                "codec": _codec(audio),
                "layout": _OTHER.sub("", audio.codec_context.layout.name)[:200],
                **spans[audio.index],
            }
            for audio in audios
        ],
        "parts": parts,
    }


def _part(stream: VideoStream) -> _Part:
    limited = stream.codec_context is not None and int(stream.codec_context.color_range) == 1
    kind = "track" if stream.frames > 1 else "item"
    return {"index": stream.index, "kind": kind, "number": stream.id, "limited": limited}


def _rank(stream: VideoStream) -> tuple[bool, int, int]:
    """The picture to take: the default one, then the largest, then the first."""
    context = stream.codec_context
    pixels = context.width * context.height if context is not None else 0
    return bool(stream.disposition & Disposition.default), pixels, -stream.index


def _codec(stream: VideoStream | AudioStream) -> str:
    """The name of the codec, not that of the decoder which happens to be built in."""
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else ""


def _tag(stream: Stream) -> str:
    try:
        return str(stream.codec_context.codec_tag) if stream.codec_context else ""
    except UnicodeDecodeError:  # the bytes of the tag are not letters
        return ""


@dataclass
class Scan:
    """All packets of a file, read once: where streams begin and end is not left to the header."""

    pictures: Pictures | None
    extents: dict[int, StreamExtent]
    most: int
    encrypted: bool = False
    too_much: bool = False

    def read(self, container: InputContainer, streams: list[VideoStream | AudioStream]) -> None:
        """Read the packets of *streams*; of a broken file, those before the fault."""
        count = pixels = 0
        try:
            # without a stream, PyAV would read all of them
            for packet in container.demux(*streams) if streams else ():
                if packet.size == 0:
                    continue
                count += 1
                if count <= _ENCRYPTION:
                    self.encrypted |= packet.has_sidedata("encryption_info")
                if self.pictures and packet.stream_index == self.pictures.stream.index:
                    self.pictures.add(packet)
                    pixels += self.pictures.pixels
                # a packet of sound costs as much as a twentieth of a picture
                self.too_much = pixels + count * (_LEAST_PIXELS // 20) > self.most
                if self.too_much:
                    break
                if packet.pts is not None and not packet.is_discard:
                    self.extents[packet.stream_index].add(packet)
        except (av.FFmpegError, ValueError, OSError):
            pass
        if self.pictures:
            self.pictures.finish()

    @property
    def clock_breaks(self) -> bool:
        """Whether a stream's clock goes back, or those of all streams jump ahead."""
        extents = [extent for extent in self.extents.values() if extent.packets > 1]
        ahead = len(extents) > 1 and all(extent.ahead for extent in extents)
        return ahead or any(extent.back for extent in extents)

    def spans(self, container: InputContainer) -> dict[int, _Span]:
        """When each stream begins and ends, in seconds after the time that FFmpeg calls 0."""
        if container.start_time is not None:
            origin = float(container.start_time) / 1_000_000
        else:
            starts = (float(e.start) for e in self.extents.values() if e.start is not None)
            origin = min(starts, default=0.0)
        return {index: extent.span(origin) for index, extent in self.extents.items()}


def _video(stream: VideoStream, pictures: Pictures | None, span: _Span) -> _Video:
    rate = stream.average_rate or stream.guessed_rate
    frame = pictures.first if pictures else None
    return {
        "index": stream.index,
        "codec": _codec(stream),
        "fps": float(rate) if rate else None,
        # in Matroska, the transparency is in extra data beside the picture
        "alpha_beside": stream.metadata.get("alpha_mode") == "1",
        "frame": _frame(stream, frame) if frame else None,
        "sizes_change": pictures is not None and len(pictures.sizes) > 1,
        **span,
    }


def _frame(stream: VideoStream, frame: VideoFrame) -> _Frame:
    sar = stream.sample_aspect_ratio
    return {
        "width": frame.width,
        "height": frame.height,
        "sar": [sar.numerator, sar.denominator] if sar else [1, 1],
        "rotation": frame.rotation,
        "format": frame.format.name,
        "depth": max(component.bits for component in frame.format.components),
        "range": int(frame.color_range),
        "matrix": int(frame.colorspace),
        "transfer": int(frame.color_trc),
        "primaries": int(frame.color_primaries),
        "interlaced": bool(frame.interlaced_frame),
    }


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
