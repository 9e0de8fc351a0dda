"""Opening and closing cards: composed with Pillow and MoviePy, encoded once like a clip.

A card is calm: the words on a dark ground, faded in and out.  It is kept under the hash of
what it shows and made again only when that changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from PIL import Image, ImageDraw

from pipeline import files
from pipeline.config import Config, Output
from pipeline.errors import StageError
from pipeline.files import Workspace
from pipeline.media import encode, fonts, verify
from pipeline.media.ffmpeg import Door, program
from pipeline.media.sandbox import Cell, Limits
from pipeline.render.timeline import Segment

_VERSION = 1
_SECONDS = 3.0
_FADE_S = 0.6
_GROUND = ((16, 42, 54), (9, 22, 32))  # from top to bottom
_INK = (244, 247, 246)
_QUIET_INK = (167, 199, 202)
_SAFE = 0.08


@dataclass(frozen=True)
class Words:
    """What a card says: a title and quieter lines below it."""

    title: str
    lines: tuple[str, ...]


def opening(config: Config) -> Words | None:
    """The opening card's words; None where there is no card."""
    text = config.montage.opening_card
    text = config.campaign.name if text is None else text
    return Words(text, (" ".join(config.campaign.hashtags),)) if text.strip() else None


def closing(config: Config) -> Words | None:
    """The closing card's words; None where there is no card."""
    if not config.montage.closing_card:
        return None
    lines = (config.campaign.name, config.campaign.handle)
    return Words("Thank you", tuple(filter(None, lines)))


def length(output: Output) -> int:
    """How many pictures a card has."""
    return encode.frames_in(_SECONDS, output.fps)


def card(
    words: Words, title: str, config: Config, output: Output, workspace: Workspace, door: Door
) -> Segment:
    """The card as a segment, from the cache or made.

    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    frames = length(output)
    arguments = encode.clip_arguments(output) | encode.cut_arguments(
        frames, encode.fade_frames(config.montage.transition_seconds, output.fps)
    )
    parts = [_VERSION, words.title, words.lines, output.model_dump(), arguments]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    final = workspace.cache / f"card-{key}.mp4"
    if not final.exists():
        part = files.part_for(final)
        try:
            _encode(words, output, frames, part, arguments, door)
            verify.judge_clip(part)
            files.publish(part, final)
        finally:
            part.unlink(missing_ok=True)
    facts = verify.judge_clip(final)
    return Segment(
        title=title,
        path=workspace.relative(final),
        content=files.sha256_of(final),
        frames=facts.video.frames,
        extradata=facts.video.extradata,
        start=0,
        stop=facts.video.frames,
    )


def _encode(
    words: Words,
    output: Output,
    frames: int,
    part: Path,
    arguments: dict[str, str | int],
    door: Door,
) -> None:
    picture = ffmpeg.input(
        "pipe:0", f="rawvideo", pix_fmt="rgb24", s=output.size, framerate=output.fps
    )
    shown = (
        picture["0"]
        .filter("scale", out_color_matrix="bt709", out_range="tv", flags="accurate_rnd")
        .filter("format", "yuv420p")
        .filter(
            "setparams",
            range="tv",
            colorspace="bt709",
            color_primaries="bt709",
            color_trc="bt709",
            field_mode="prog",
        )
        .filter("setsar", 1)
    )
    silence = ffmpeg.input(f"anullsrc=r={encode.SAMPLE_RATE}:cl=stereo", f="lavfi")["0"].filter(
        "atrim", end_sample=encode.samples_of(frames, output.fps)
    )
    both = silence.filter_multi_output("asplit", 2)
    node = ffmpeg.output(
        shown,
        both[0].filter("aformat", sample_fmts="fltp", channel_layouts="stereo"),
        both[1].filter("aformat", sample_fmts="s16p", channel_layouts="stereo"),
        str(part),
        **arguments,
    ).global_args("-hide_banner", "-v", "error")
    argv = [program(), *map(str, node.overwrite_output().get_args())]
    cell = Cell(writes=(part.parent,), limits=Limits(wall_s=300))
    ended = door.run("card", argv, cell, feed=_frames(words, output, frames))
    if not ended.ok:
        raise StageError(f"the card {words.title!r} could not be made: {' '.join(ended.said)}")


def _frames(words: Words, output: Output, frames: int) -> Iterator[bytes]:
    """The card's pictures as raw RGB, composed by MoviePy."""
    from moviepy import CompositeVideoClip, ImageClip, vfx  # noqa: PLC0415 - slow to import

    seconds = frames / output.fps
    ground = ImageClip(_ground(output)).with_duration(seconds)
    drawn = _letters(words, output)
    box = drawn.getbbox() or (0, 0, 1, 1)  # only what is written on needs composing
    letters = ImageClip(np.asarray(drawn.crop(box))).with_duration(seconds)
    fade = [vfx.CrossFadeIn(_FADE_S), vfx.CrossFadeOut(_FADE_S)]
    film: Any = CompositeVideoClip([ground, letters.with_effects(fade).with_position(box[:2])])
    at_rest = b""
    for number in range(frames):
        moment = number / output.fps
        resting = _FADE_S < moment < seconds - _FADE_S
        if not (resting and at_rest):
            picture = np.ascontiguousarray(film.get_frame(moment), dtype=np.uint8).tobytes()
            at_rest = picture if resting else b""
        yield at_rest if resting else picture


def _ground(output: Output) -> Any:
    """A still ground that grows darker from top to bottom; array of height, width, 3."""
    top, bottom = (np.array(colour, dtype=np.float64) for colour in _GROUND)
    share = np.linspace(0, 1, output.height)[:, None]
    column = np.rint(top * (1 - share) + bottom * share).astype(np.uint8)
    return np.repeat(column[:, None, :], output.width, axis=1)


def _letters(words: Words, output: Output) -> Image.Image:
    image = Image.new("RGBA", (output.width, output.height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    side = min(output.width, output.height)
    room = round(output.width * (1 - 2 * _SAFE))
    blocks = [
        (line, size, ink)
        for text, size, ink in (
            (words.title, round(side * 0.1), _INK),
            *((line, round(side * 0.045), _QUIET_INK) for line in words.lines),
        )
        for line, size in _wrapped(text, size, room)
    ]
    height = sum(round(size * 1.4) for _, size, _ in blocks)
    y = (output.height - height) // 2
    for line, size, ink in blocks:
        font = fonts.font_for(line, size)
        draw.text(
            (output.width // 2, y + round(size * 0.7)), line, font=font, fill=ink, anchor="mm"
        )
        y += round(size * 1.4)
    return image


def _wrapped(text: str, size: int, room: int) -> list[tuple[str, int]]:
    """The lines of *text* within *room* pixels, in a size that lets its longest word in."""
    words = text.split()
    widest = max((fonts.font_for(word, size).getlength(word) for word in words), default=0)
    if widest > room:
        size = max(8, int(size * room / widest))
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and fonts.font_for(longer, size).getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return [(line, size) for line in lines]
