"""The text files beside a montage: subtitles, chapters, credits, and the list of its segments."""

import json
from collections.abc import Iterator, Sequence

from pipeline.render.timeline import Segment, Timeline


def times(film: Timeline) -> Iterator[tuple[Segment, float]]:
    """Yield each segment with its beginning in the montage, in seconds."""
    for segment, start, _, _ in film.placed():
        yield segment, start / film.output.fps


def subtitles(film: Timeline) -> str:
    """Return the captions as WebVTT (W3C, section 3); in a fade, one ends in the middle.

    Below the caption is the name of the sender, if the sender wants it shown.
    """
    blocks = ["WEBVTT"]
    fps = film.output.fps
    for segment, start, before, after in film.placed():
        shown_words = "\n".join(filter(None, (segment.caption, segment.credit)))
        if shown_words:
            begin, end = start / fps, (start + segment.length) / fps
            shown = f"{_clock(begin + before / 2 / fps)} --> {_clock(end - after / 2 / fps)}"
            text = shown_words.replace("&", "&amp;").replace("<", "&lt;")
            blocks.append(f"{shown}\n{text.replace('-->', '→')}")
    return "\n\n".join(blocks) + "\n"


def chapters(film: Timeline) -> str:
    """Return times and neutral names, a line each, as video platforms read them."""
    lines = [f"{stamp(begin)} {segment.title}" for segment, begin in times(film)]
    return "\n".join(lines) + "\n"


def credit_lines(film: Timeline, senders: Sequence[str]) -> str:
    """Return time, title and sender of each clip, a line each, for the credits.

    The name that a sender wants shown takes the place of the sender.

    :param senders: as they may be shown, one for each segment.
    """
    lines = []
    for (segment, begin), sender in zip(times(film), senders, strict=True):
        if segment.sha256:
            words = [
                segment.title,
                segment.credit or sender,
                segment.category or "",
                segment.sha256[:12],
            ]
            lines.append(f"{stamp(begin)} {' · '.join(filter(None, words))}")
    return "\n".join(lines) + "\n"


def contents(campaign: str, sha256: str, film: Timeline) -> str:
    """Return the segments in order, and the clips that were left out and why, as JSON.

    ``in_frame`` and ``out_frame`` count in the clip's file; ``fade_in_frames`` overlap the
    segment before.
    """
    fps = film.output.fps
    listed = [
        {
            "title": segment.title,
            "kind": "clip" if segment.sha256 else "card",
            "sha256": segment.sha256 or None,
            "path": segment.path,
            "file_sha256": segment.content,
            "frames": segment.length,
            "in_frame": segment.start,
            "out_frame": segment.stop,
            "fade_in_frames": fade,
            "start_s": round(start / fps, 3),
            "end_s": round((start + segment.length) / fps, 3),
            "caption": segment.caption,
            "category": segment.category,
            "credit": segment.credit or None,
        }
        for segment, start, fade, _ in film.placed()
    ]
    data = {
        "schema": 1,
        "campaign": campaign,
        "output": film.output.name,
        "sha256": sha256,
        "fps": fps,
        "frames": film.frames,
        "duration_s": round(film.frames / fps, 3),
        "transition": film.transition if any(film.fades) else None,
        "segments": listed,
        "left_out": [{"sha256": out.sha256, "why": out.why} for out in film.left_out],
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def stamp(moment: float) -> str:
    """Write a time in seconds as video platforms do: 02:07, 1:02:07."""
    seconds = int(moment)
    hours, minutes = divmod(seconds // 60, 60)
    return f"{f'{hours}:' if hours else ''}{minutes:02d}:{seconds % 60:02d}"


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
