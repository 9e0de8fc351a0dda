"""Opening, closing and chapter cards: composed with Pillow and MoviePy, encoded like a clip.

A card shows words on a dark background, faded in and out.  It is cached under the hash of what it
shows, and made again only when that changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline import judge, publishing, texts, versions
from pipeline.codecs import codec_of
from pipeline.config import Config, Output
from pipeline.ffmpeg import made
from pipeline.ffmpeg.graph import Graph, OutputFile, Video, overlay, read, write
from pipeline.media import encode
from pipeline.media.timebase import SAMPLE_RATE, fade_frames, frames_in, samples_of
from pipeline.render import lettering
from pipeline.render.lettering import Pixels, Words
from pipeline.render.timeline import Segment
from pipeline.run import Run

_SECONDS = 3.0
_CHAPTER_SECONDS = 2.0
_FADE_S = 0.6


@dataclass(frozen=True)
class _CardPictures:
    """The part of a card that changes: raw RGB pictures of *area* (left, top, right, bottom)."""

    output: Output
    area: tuple[int, int, int, int]
    frames: int
    pictures: Iterator[bytes]


def opening(config: Config) -> Words | None:
    """Return the opening card's words; None for no card."""
    own = config.montage.opening_card
    text = config.campaign.name if own is None else own
    return Words(text, (" ".join(config.campaign.hashtags),)) if text.strip() else None


def closing(config: Config) -> Words | None:
    """Return the closing card's words; None for no card."""
    if not config.montage.closing_card:
        return None
    lines = (config.campaign.name, config.campaign.handle)
    return Words(texts.montage_words("thanks"), tuple(filter(None, lines)))


def chapter(category: str) -> Words:
    """Return the words of the card before a category: "Photo action" for ``photo-action``."""
    name = " ".join(category.replace("-", " ").replace("_", " ").split())
    return Words(name[:1].upper() + name[1:], chapter=True)


def length(words: Words, output: Output) -> int:
    """Return how many pictures a card has."""
    return frames_in(_CHAPTER_SECONDS if words.chapter else _SECONDS, output.fps)


def card(run: Run, words: Words, title: str, output: Output) -> Segment:
    """Return a card as a segment; make it if it is not cached.

    :raises ConfigError: the logo or the font can't be read, or no font has the letters.
    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    style = lettering.card_style(run.config)
    frames = length(words, output)
    fade = fade_frames(run.config.montage.transition_seconds, output.fps)
    arguments = encode.card_arguments(output) | encode.cut_arguments(frames, fade)
    said = [words.title, words.lines, words.chapter]
    parts = [versions.ENCODING, said, style.key, output.model_dump(), arguments]
    key = publishing.cache_key("card", versions.CARD, *parts)
    final = run.workspace.cache / f"card-{key}{codec_of(output).suffix}"
    if not publishing.is_cached(final):
        ground = lettering.ground(output, style)
        drawn = _drawn(lettering.letters(words, output, style), ground, output, frames)
        with made.scratch(run.workspace.cache) as scratch:
            behind = scratch.place("ground")
            behind.write_bytes(ground.tobytes())
            part = scratch.new("card", encode.most_bytes(output, frames))
            graph = Graph((_encoded(drawn, behind, part.path, arguments),))
            run.ffmpeg.make(
                "card", graph, reads=(behind,), writes=(part,), seconds=300, feed=drawn.pictures
            )
            codec_of(output).judge(part.file, judge.Mp4Kind.CLIP)
            part.publish(final)
    facts = codec_of(output).judge(final, judge.Mp4Kind.CLIP).video
    path, content = run.workspace.relative(final), publishing.sha256_of(final)
    return Segment(title, path, content, frames, facts.extradata, start=0, stop=facts.frames)


def _encoded(
    drawn: _CardPictures, ground: Path, part: Path, arguments: encode.Arguments
) -> OutputFile:
    """Lay the pictures over the background, with silence as sound."""
    output = drawn.output
    still = _raw(str(ground), output.size, output).filter("tpad", stop=-1, stop_mode="clone")
    left, top, right, bottom = drawn.area
    written = _raw("pipe:0", f"{right - left}x{bottom - top}", output)
    whole = overlay(still, written, x=left, y=top, format="yuv420")
    shown = encode.labelled(whole.filter("trim", end_frame=drawn.frames)).filter("setsar", 1)
    silence = read(f"anullsrc=r={SAMPLE_RATE}:cl=stereo", {"f": "lavfi"}).audio("0")
    silence = silence.filter("atrim", end_sample=samples_of(drawn.frames, output.fps))
    return write(part, arguments, shown, encode.clip_sound(silence))


def _raw(path: str, size: str, output: Output) -> Video:
    """Read pictures of raw RGB and convert them to the output's colours."""
    options = {"f": "rawvideo", "pix_fmt": "rgb24", "s": size, "framerate": output.fps}
    target = {"out_color_matrix": "bt709", "out_range": "tv", "flags": "accurate_rnd"}
    return read(path, options).video("0").filter("scale", **target).filter("format", "yuv420p")


def _drawn(writing: Image.Image, ground: Pixels, output: Output, frames: int) -> _CardPictures:
    """Compose the part of a card that has writing on it; the rest of the picture never changes."""
    from moviepy import CompositeVideoClip, ImageClip, vfx  # noqa: PLC0415 - slow to import

    seconds = frames / output.fps
    left, top, right, bottom = writing.getbbox() or (0, 0, 1, 1)
    # extended to even pixels, where chroma lies; outputs have even sizes
    left, top = left // 2 * 2, top // 2 * 2
    right, bottom = right + right % 2, bottom + bottom % 2
    area = (left, top, right, bottom)
    behind = ImageClip(ground[top:bottom, left:right]).with_duration(seconds)
    letters = ImageClip(np.asarray(writing.crop(area))).with_duration(seconds)
    fade = [vfx.CrossFadeIn(_FADE_S), vfx.CrossFadeOut(_FADE_S)]
    composed = CompositeVideoClip([behind, letters.with_effects(fade)])

    def pictures() -> Iterator[bytes]:
        at_rest = b""
        for number in range(frames):
            moment = number / output.fps
            resting = _FADE_S < moment < seconds - _FADE_S
            if not (resting and at_rest):
                picture = np.ascontiguousarray(composed.get_frame(moment), dtype=np.uint8).tobytes()
                at_rest = picture if resting else b""
            yield at_rest if resting else picture

    return _CardPictures(output, area, frames, pictures())
