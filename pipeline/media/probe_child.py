"""Read one media file with PyAV and print facts about it as JSON; runs in the sandbox.

    python -I probe_child.py FILE DEMUXER [NAME=VALUE…]

Only numbers and FFmpeg's own names of codecs and formats come out, never a tag.  Times are
seconds from the beginning of the file's earliest stream, as FFmpeg counts them.
"""

import json
import sys
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TypedDict

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_NOT_FOOTAGE = Disposition.attached_pic | Disposition.timed_thumbnails
_NOT_FOOTAGE |= Disposition.dependent | Disposition.still_image
_ENCRYPTED = frozenset(("encv", "enca", "drmi", "drms"))
_TRIES = 300  # packets to decode before a file without a first frame counts as corrupt


class StreamSpan(TypedDict):
    """When a stream begins, when its last packet begins, when it ends, in seconds."""

    packets: int
    start_s: float | None
    latest_s: float | None
    end_s: float | None
    last_has_length: bool


class FirstFrame(TypedDict):
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


class ProbedVideo(StreamSpan):
    """The picture stream; ``frame`` is None where no picture can be decoded."""

    index: int
    codec: str
    fps: float | None
    alpha_beside: bool
    frame: FirstFrame | None


class ProbedSound(StreamSpan):
    """The sound stream."""

    index: int
    codec: str


class ProbedFile(TypedDict):
    """What a file holds; ``container`` is FFmpeg's name of the format."""

    container: str
    encrypted: bool
    video: ProbedVideo | None
    audio: ProbedSound | None


@dataclass
class StreamExtent:
    """A stream's packets so far: the first and the last moment, ``last`` packet's length."""

    packets: int = 0
    start: Fraction | None = None
    latest: Fraction | None = None
    end: Fraction | None = None
    last: int = 0

    def span(self, origin: float) -> StreamSpan:
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


def main(path: str, demuxer: str, *pairs: str) -> ProbedFile | None:
    """What the file holds; None where it can't be opened.

    :param pairs: options for the demuxer, each as NAME=VALUE.
    """
    options = dict(pair.split("=", 1) for pair in pairs) or {"enable_drefs": "0"}
    options["protocol_whitelist"] = "file"
    try:
        container = av.open(path, format=demuxer, options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError):
        return None
    with container:
        return _facts(container)


def _facts(container: InputContainer) -> ProbedFile:
    videos = [s for s in container.streams.video if not s.disposition & _NOT_FOOTAGE]
    audios = [s for s in container.streams.audio if s.codec_context is not None]
    video, audio = max(videos, key=_rank, default=None), next(iter(audios), None)
    facts: ProbedFile = {
        "container": container.format.name.split(",")[0],
        "encrypted": any(_tag(stream) in _ENCRYPTED for stream in container.streams),
        "video": None,
        "audio": None,
    }
    if video is None:
        return facts
    spans = _spans(container, [s for s in (video, audio) if s is not None])
    facts["video"] = _video(container, video, spans[video.index])
    if audio is not None:
        name = audio.codec_context.name
        facts["audio"] = {"index": audio.index, "codec": name, **spans[audio.index]}
    return facts


def _rank(stream: VideoStream) -> tuple[bool, int, int]:
    """The picture to take: the default one, then the largest, then the first."""
    context = stream.codec_context
    pixels = context.width * context.height if context is not None else 0
    return bool(stream.disposition & Disposition.default), pixels, -stream.index


def _tag(stream: Stream) -> str:
    try:
        return str(stream.codec_context.codec_tag) if stream.codec_context else ""
    except UnicodeDecodeError:  # the bytes of the tag are not letters
        return ""


def _spans(
    container: InputContainer, streams: list[VideoStream | AudioStream]
) -> dict[int, StreamSpan]:
    """Where the streams really begin and end, by reading all packets, not by the header."""
    seen = {stream.index: StreamExtent() for stream in streams}
    try:
        for packet in container.demux(*streams):
            if packet.pts is None or packet.size == 0 or packet.is_discard:
                continue
            extent = seen[packet.stream_index]
            extent.packets += 1
            base = packet.stream.time_base or Fraction(0)
            start = packet.pts * base
            end = start + (packet.duration or 0) * base
            extent.latest = max(start, extent.latest or start)
            extent.start = start if extent.start is None else min(extent.start, start)
            if extent.end is None or end > extent.end:
                extent.end, extent.last = end, packet.duration or 0
    except (av.FFmpegError, ValueError, OSError):
        pass  # the rest of a broken file is lost; the part before it counts
    if container.start_time is not None:  # the time that FFmpeg calls 0
        origin = float(container.start_time) / 1_000_000
    else:
        starts = (float(e.start) for e in seen.values() if e.start is not None)
        origin = min(starts, default=0.0)
    return {index: extent.span(origin) for index, extent in seen.items()}


def _video(container: InputContainer, stream: VideoStream, span: StreamSpan) -> ProbedVideo:
    context = stream.codec_context
    rate = stream.average_rate or stream.guessed_rate
    frame = _first_frame(container, stream) if context else None
    return {
        "index": stream.index,
        "codec": context.name if context else "",
        "fps": float(rate) if rate else None,
        # in Matroska, the transparency is in extra data beside the picture
        "alpha_beside": stream.metadata.get("alpha_mode") == "1",
        "frame": _frame(stream, frame) if frame else None,
        **span,
    }


def _frame(stream: VideoStream, frame: VideoFrame) -> FirstFrame:
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


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame | None:
    try:
        container.seek(0)
    except (av.FFmpegError, OSError):
        # a single picture can't be rewound; FFmpeg opens it again too
        container = av.open(container.name, format=container.format.name.split(",")[0])
        stream = next(s for s in container.streams.video if s.index == stream.index)
    for packet in islice(container.demux(stream), _TRIES):
        try:
            if frames := packet.decode():
                return frames[0]
        except (av.FFmpegError, ValueError):
            continue
    return None


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
