"""Looks into one media file with PyAV and prints what it saw as JSON; runs in the sandbox.

    python -I probe_child.py FILE DEMUXER

Only numbers and FFmpeg's own names of codecs and formats come out, never a tag.  Times are
seconds from the beginning of the file's earliest stream, as FFmpeg counts them.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import av
from av.stream import Disposition

_NOT_FOOTAGE = (
    Disposition.attached_pic
    | Disposition.timed_thumbnails
    | Disposition.dependent
    | Disposition.still_image
)
_TRIES = 300  # packets to decode before a file without a first frame counts as corrupt


def main(path: str, demuxer: str) -> dict[str, Any]:
    """What the file holds; ``error`` alone where it can't be opened."""
    options = {"protocol_whitelist": "file", "enable_drefs": "0"}
    if demuxer == "gif":
        options = {"protocol_whitelist": "file", "ignore_loop": "1"}
    try:
        container = av.open(path, format=demuxer, options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError) as error:
        return {"error": type(error).__name__}
    with container:
        return _look(container)


def _look(container: Any) -> dict[str, Any]:
    videos = [s for s in container.streams.video if not s.disposition & _NOT_FOOTAGE]
    audios = [s for s in container.streams.audio if s.codec_context is not None]
    video = max(videos, key=_rank, default=None)
    audio = audios[0] if audios else None
    facts: dict[str, Any] = {
        "container": container.format.name.split(",")[0],
        "videos": len(container.streams.video),
        "encrypted": _encrypted(container),
        "video": None,
        "audio": None,
    }
    if video is None:
        return facts
    extents = _extents(container, [s for s in (video, audio) if s is not None])
    origin = _origin(container, extents)
    facts["video"] = _picture(container, video) | _span(extents[video.index], origin)
    if audio is not None:
        context = audio.codec_context
        facts["audio"] = {
            "index": audio.index,
            "codec": context.name,
            "sample_rate": context.sample_rate,
            "channels": context.channels,
        } | _span(extents[audio.index], origin)
    return facts


def _rank(stream: Any) -> tuple[bool, int, int]:
    """The picture to take: the default one, then the largest, then the first."""
    context = stream.codec_context
    pixels = context.width * context.height if context is not None else 0
    return bool(stream.disposition & Disposition.default), pixels, -stream.index


def _encrypted(container: Any) -> bool:
    return any(_tag(stream) in {"encv", "enca", "drmi", "drms"} for stream in container.streams)


def _tag(stream: Any) -> str:
    try:
        return str(stream.codec_context.codec_tag) if stream.codec_context else ""
    except UnicodeDecodeError:  # a tag of bytes that are no letters
        return ""


def _extents(container: Any, streams: list[Any]) -> dict[int, dict[str, Any]]:
    """Where the streams really begin and end, by reading all packets, not by the header."""
    seen = {
        stream.index: {
            "packets": 0,
            "start": None,
            "latest": None,
            "end": None,
            "base": stream.time_base,
        }
        for stream in streams
    }
    try:
        for packet in container.demux(*streams):
            if packet.pts is None or packet.size == 0 or packet.is_discard:
                continue
            entry = seen[packet.stream_index]
            entry["packets"] += 1
            start = packet.pts * entry["base"]
            end = start + (packet.duration or 0) * entry["base"]
            entry["latest"] = max(start, entry["latest"] or start)
            entry["start"] = start if entry["start"] is None else min(entry["start"], start)
            if entry["end"] is None or end > entry["end"]:
                entry["end"], entry["last"] = end, packet.duration or 0
    except (av.FFmpegError, ValueError, OSError):
        pass  # the rest of a broken file is not there; what came before it is
    return seen


def _origin(container: Any, extents: dict[int, dict[str, Any]]) -> float:
    """The time that FFmpeg calls 0."""
    if container.start_time is not None:
        return float(container.start_time) / 1_000_000
    starts = [float(e["start"]) for e in extents.values() if e["start"] is not None]
    return min(starts, default=0.0)


def _span(extent: dict[str, Any], origin: float) -> dict[str, Any]:
    start, end = extent["start"], extent["end"]
    return {
        "packets": extent["packets"],
        "start_s": None if start is None else float(start) - origin,
        "latest_s": None if start is None else float(extent["latest"]) - origin,
        "end_s": None if end is None else float(end) - origin,
        "last_has_length": bool(extent.get("last")),
    }


def _picture(container: Any, stream: Any) -> dict[str, Any]:
    context = stream.codec_context
    rate = stream.average_rate or stream.guessed_rate
    facts = {
        "index": stream.index,
        "codec": context.name if context else None,
        "width": context.width if context else 0,
        "height": context.height if context else 0,
        "fps": float(rate) if rate else None,
        # Matroska: the transparency stands beside the picture, in data of its own
        "alpha_beside": stream.metadata.get("alpha_mode") == "1",
        "frame": None,
    }
    frame = _first_frame(container, stream) if context else None
    if frame is not None:
        sar = stream.sample_aspect_ratio
        facts["frame"] = {
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
    return facts


def _first_frame(container: Any, stream: Any) -> Any:
    try:
        container.seek(0)
    except (av.FFmpegError, OSError):
        # a picture alone can't be wound back; open() again is what FFmpeg does too
        return _first_frame_of_new(container, stream)
    return _decode(container, stream)


def _first_frame_of_new(container: Any, stream: Any) -> Any:
    again = av.open(container.name, format=container.format.name.split(",")[0])
    return _decode(again, again.streams[stream.index])


def _decode(container: Any, stream: Any) -> Any:
    tries = 0
    for packet in container.demux(stream):
        tries += 1
        if tries > _TRIES:
            return None
        try:
            for frame in packet.decode():
                return frame
        except (av.FFmpegError, ValueError):
            continue
    return None


if __name__ == "__main__":
    json.dump(main(sys.argv[1], sys.argv[2]), sys.stdout)
