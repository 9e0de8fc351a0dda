"""What stands beside a montage as text: subtitles, chapters, and the list of what went in."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipeline.render.timeline import Segment, Timeline


def starts(segments: tuple[Segment, ...], fps: int) -> Iterator[tuple[Segment, float, float]]:
    """Each segment with its beginning and end in the montage, in seconds."""
    at = 0
    for segment in segments:
        yield segment, at / fps, (at + segment.frames) / fps
        at += segment.frames


def subtitles(segments: tuple[Segment, ...], fps: int) -> str:
    """The captions as WebVTT (W3C, section 3)."""
    blocks = ["WEBVTT"]
    for segment, begin, end in starts(segments, fps):
        if segment.caption:
            text = segment.caption.replace("&", "&amp;").replace("<", "&lt;")
            blocks.append(f"{_clock(begin)} --> {_clock(end)}\n{text.replace('-->', '→')}")
    return "\n\n".join(blocks) + "\n"


def chapters(segments: tuple[Segment, ...], fps: int) -> str:
    """Times and neutral names, a line each, as video platforms take them."""
    lines = []
    for segment, begin, _ in starts(segments, fps):
        seconds = int(begin)
        hours, minutes = divmod(seconds // 60, 60)
        stamp = f"{minutes:02d}:{seconds % 60:02d}"
        lines.append(f"{f'{hours}:' if hours else ''}{stamp} {segment.title}")
    return "\n".join(lines) + "\n"


def contents(campaign: str, sha256: str, segments: tuple[Segment, ...], timeline: Timeline) -> str:
    """What went in, in order, and what did not, as JSON."""
    fps = timeline.output.fps
    frames = sum(segment.frames for segment in segments)
    listed = [
        {
            "title": segment.title,
            "kind": "clip" if segment.sha256 else "card",
            "sha256": segment.sha256 or None,
            "path": segment.path,
            "file_sha256": segment.content,
            "frames": segment.frames,
            "start_s": round(begin, 3),
            "end_s": round(end, 3),
            "caption": segment.caption,
        }
        for segment, begin, end in starts(segments, fps)
    ]
    data = {
        "schema": 1,
        "campaign": campaign,
        "output": timeline.output.name,
        "sha256": sha256,
        "fps": fps,
        "frames": frames,
        "duration_s": round(frames / fps, 3),
        "segments": listed,
        "left_out": [{"sha256": out.sha256, "why": out.why} for out in timeline.left_out],
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
