"""Opening, closing and chapter cards: composed with Pillow and MoviePy, encoded once like a clip.

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
from PIL import Image

from pipeline import judge, publishing
from pipeline.config import Config, Output
from pipeline.errors import StageError
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.media import encode
from pipeline.render import lettering
from pipeline.render.lettering import Words
from pipeline.render.timeline import Segment
from pipeline.workspace import Workspace

_VERSION = 3
_SECONDS = 3.0
_CHAPTER_SECONDS = 2.0
_FADE_S = 0.6


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


def chapter(category: str) -> Words:
    """The card before the clips of a category, named as people write it: "photo-action" is not."""
    name = " ".join(category.replace("-", " ").replace("_", " ").split())
    return Words(name[:1].upper() + name[1:], chapter=True)


def length(words: Words, output: Output) -> int:
    """How many pictures a card has."""
    return encode.frames_in(_CHAPTER_SECONDS if words.chapter else _SECONDS, output.fps)


def card(
    words: Words,
    title: str,
    config: Config,
    output: Output,
    workspace: Workspace,
    runner: FfmpegRunner,
) -> Segment:
    """The card as a segment, from the cache or made.

    :raises ConfigError: the logo or the font can't be read, or no font has the letters.
    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    style = lettering.look(config)
    frames = length(words, output)
    arguments = encode.card_arguments(output) | encode.cut_arguments(
        frames, encode.fade_frames(config.montage.transition_seconds, output.fps)
    )
    said = [words.title, words.lines, words.chapter]
    parts = [_VERSION, said, style.key, output.model_dump(), arguments]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    final = workspace.cache / f"card-{key}.mp4"
    if not final.exists():
        ground = lettering.ground(output, style)
        letters = _drawn(lettering.letters(words, output, style), ground, output, frames)
        with publishing.scratch_folder(workspace.cache) as place:
            part, behind = (
                publishing.part_path(place / "card"),
                publishing.part_path(place / "ground"),
            )
            behind.write_bytes(ground.tobytes())
            _encode(letters, behind, output, part, arguments, runner)
            judge.judge_clip(part)
            publishing.publish(part, final)
    facts = judge.judge_clip(final)
    return Segment(
        title=title,
        path=workspace.relative(final),
        content=publishing.sha256_of(final),
        frames=frames,
        extradata=facts.video.extradata,
        start=0,
        stop=facts.video.frames,
    )


@dataclass(frozen=True)
class _Letters:
    """What is written on a card, with the ground behind it: raw RGB pictures of *box*, pixels."""

    box: tuple[int, int, int, int]
    frames: int
    pictures: Iterator[bytes]

    @property
    def size(self) -> str:
        """Width and height as FFmpeg takes them."""
        left, top, right, bottom = self.box
        return f"{right - left}x{bottom - top}"


def _encode(
    letters: _Letters,
    ground: Path,
    output: Output,
    part: Path,
    arguments: dict[str, str | int],
    runner: FfmpegRunner,
) -> None:
    still = _raw(str(ground), output.size, output).filter("tpad", stop=-1, stop_mode="clone")
    written = _raw("pipe:0", letters.size, output)
    whole = ffmpeg.overlay(still, written, x=letters.box[0], y=letters.box[1], format="yuv420")
    shown = encode.labelled(whole.filter("trim", end_frame=letters.frames)).filter("setsar", 1)
    silence = ffmpeg.input(f"anullsrc=r={encode.SAMPLE_RATE}:cl=stereo", f="lavfi")["0"].filter(
        "atrim", end_sample=encode.samples_of(letters.frames, output.fps)
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
    cell = Permissions(reads=(ground,), writes=(part.parent,), limits=Limits(wall_s=300))
    ended = runner.run("card", argv, cell, feed=letters.pictures)
    if not ended.ok:
        raise StageError(f"a card could not be made: {' '.join(ended.said)}")


def _raw(path: str, size: str, output: Output) -> Any:
    """Pictures of raw RGB as the output's."""
    source = ffmpeg.input(path, f="rawvideo", pix_fmt="rgb24", s=size, framerate=output.fps)
    limited = source["0"].filter(
        "scale", out_color_matrix="bt709", out_range="tv", flags="accurate_rnd"
    )
    return limited.filter("format", "yuv420p")


def _drawn(writing: Image.Image, ground: Any, output: Output, frames: int) -> _Letters:
    """The part of a card that is written on, composed by MoviePy; the rest stands still."""
    from moviepy import CompositeVideoClip, ImageClip, vfx  # noqa: PLC0415 - slow to import

    seconds = frames / output.fps
    box = _even(writing.getbbox() or (0, 0, 1, 1))
    left, top, right, bottom = box
    behind = ImageClip(ground[top:bottom, left:right]).with_duration(seconds)
    letters = ImageClip(np.asarray(writing.crop(box))).with_duration(seconds)
    fade = [vfx.CrossFadeIn(_FADE_S), vfx.CrossFadeOut(_FADE_S)]
    film: Any = CompositeVideoClip([behind, letters.with_effects(fade)])

    def pictures() -> Iterator[bytes]:
        at_rest = b""
        for number in range(frames):
            moment = number / output.fps
            resting = _FADE_S < moment < seconds - _FADE_S
            if not (resting and at_rest):
                picture = np.ascontiguousarray(film.get_frame(moment), dtype=np.uint8).tobytes()
                at_rest = picture if resting else b""
            yield at_rest if resting else picture

    return _Letters(box, frames, pictures())


def _even(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The box on even pixels, which is where those of colour lie; outputs have even sizes."""
    left, top, right, bottom = box
    return left // 2 * 2, top // 2 * 2, -(-right // 2) * 2, -(-bottom // 2) * 2
