"""Opening, closing and chapter cards: composed with Pillow and MoviePy, encoded like a clip.

A card shows words on a dark background, faded in and out.  It is cached under the hash of what it
shows, and made again only when that changes.
"""

import base64
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, StringConstraints

from pipeline import judge, publishing, texts, versions
from pipeline.codecs import Arguments, codec_of
from pipeline.config import Config, Output
from pipeline.ffmpeg import made
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.ffmpeg.graph import Graph, OutputFile, Video, overlay, read, write
from pipeline.jobs.handout import Dispatcher
from pipeline.jobs.kinds import JobWork
from pipeline.media import encode
from pipeline.media.timebase import SAMPLE_RATE, fade_frames, frames_in, samples_of
from pipeline.render import lettering, pieces
from pipeline.render.lettering import CardStyle, Colour, Pixels, Words
from pipeline.render.pieces import PieceRules, PiecesAnswer, PiecesTask, WantedPiece
from pipeline.render.timeline import Segment
from pipeline.run import Run, Tools
from pipeline.store import PIECES

_SECONDS = 3.0
_CHAPTER_SECONDS = 2.0
_FADE_S = 0.6

Sides = tuple[int, int, int, int]
"""The left, top, right and bottom side of a part of a picture, in pixels."""


@dataclass(frozen=True)
class _CardPictures:
    """The part of a card that changes: raw RGB pictures of *area*."""

    output: Output
    area: Sides
    frames: int
    pictures: Callable[[], Iterator[bytes]]


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


class CardTask(PiecesTask):
    """A card to be made.

    ``writing``: the part of the card that has letters, as RGBA, compressed by zlib, in base64; so a
    worker needs neither the font nor the logo.  ``area`` is where it is.
    ``colours``: those of the background, at the top and at the bottom.  ``fade``: see
    ``encode.cut_arguments``.
    """

    kind: Literal["card"] = "card"
    path: Annotated[str, StringConstraints(pattern=r"^cache/card-[0-9a-f]{32}\.[a-z0-9]{1,8}$")]
    output: Output
    frames: Annotated[int, Field(gt=0, lt=1000)]
    fade: int
    colours: tuple[Colour, Colour]
    area: Sides
    writing: str

    @property
    def paths(self) -> tuple[str, ...]:
        """Its file."""
        return (self.path,)


@dataclass(frozen=True)
class _Card:
    """A card of a film, and its path from the workspace."""

    words: Words
    output: Output
    frames: int
    path: str

    @property
    def wanted(self) -> WantedPiece:
        most = encode.most_bytes(self.output, self.frames)
        return WantedPiece(self.path, most, partial(_check, card=self))


def make(run: Run, jobs: Dispatcher, wanted: Iterable[tuple[Words, Output]]) -> None:
    """Make the cards that are missing.

    :raises ConfigError: the logo or the font can't be read, or no font has the letters.
    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in one.
    """
    style = lettering.card_style(run.config)
    found = {card.path: card for each in wanted for card in [_card(run.config, style, *each)]}
    away = pieces.missing(run, [card.wanted for card in found.values()])
    tasks = [_task(run.config, style, found[piece.path]) for piece in away]
    rules = PieceRules(run, {path: card.wanted for path, card in found.items()})
    for _ in jobs.results(rules, tasks):
        pass


def card(run: Run, words: Words, title: str, output: Output) -> Segment:
    """Return a card that was made as a segment.

    :raises NotClean: verification found something in it.
    """
    path = _card(run.config, lettering.card_style(run.config), words, output).path
    facts = codec_of(output).judge(run.workspace.root / path, judge.Mp4Kind.CLIP).video
    content = publishing.sha256_of(run.workspace.root / path)
    return Segment(title, path, content, facts.frames, facts.extradata, start=0, stop=facts.frames)


def do(task: CardTask, tools: Tools) -> PiecesAnswer:
    """Make a card.

    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    output = task.output
    ground = lettering.ground(output, *task.colours)
    drawn = _drawn(task, ground)
    arguments = _arguments(output, task.frames, task.fade)
    with made.scratch(tools.workspace.cache) as scratch:
        behind = scratch.place("ground")
        behind.write_bytes(ground.tobytes())
        part = scratch.new("card", encode.most_bytes(output, task.frames))
        graph = Graph((_encoded(drawn, behind, part.path, arguments),))
        tools.ffmpeg.make(
            "card", graph, reads=(behind,), writes=(part,), seconds=300, feed=drawn.pictures
        )
        codec_of(output).judge(part.file, judge.Mp4Kind.CLIP)
        part.publish(tools.workspace.root / task.path)
    return pieces.deliver(tools, task, task.paths)


WORK = JobWork(CardTask, do)


def _card(config: Config, style: CardStyle, words: Words, output: Output) -> _Card:
    frames = length(words, output)
    arguments = _arguments(output, frames, _fade(config, output))
    said = [words.title, words.lines, words.chapter]
    parts = [versions.ENCODING, said, style.key, output.model_dump(), arguments]
    key = publishing.cache_key("card", versions.CARD, *parts)
    return _Card(words, output, frames, f"{PIECES}/card-{key}{codec_of(output).suffix}")


def _task(config: Config, style: CardStyle, card: _Card) -> CardTask:
    writing = lettering.letters(card.words, card.output, style)
    left, top, right, bottom = writing.getbbox() or (0, 0, 1, 1)
    # extended to even pixels, where chroma lies; outputs have even sizes
    left, top = left // 2 * 2, top // 2 * 2
    area = (left, top, right + right % 2, bottom + bottom % 2)
    packed = zlib.compress(writing.crop(area).tobytes(), 1)
    return CardTask(
        path=card.path,
        output=card.output,
        frames=card.frames,
        fade=_fade(config, card.output),
        colours=(style.ground, style.ground_below),
        area=area,
        writing=base64.b64encode(packed).decode("ascii"),
        timeout_factor=config.process.timeout_factor,
    )


def _fade(config: Config, output: Output) -> int:
    return fade_frames(config.montage.transition_seconds, output.fps)


def _arguments(output: Output, frames: int, fade: int) -> Arguments:
    return encode.card_arguments(output) | encode.cut_arguments(frames, fade)


def _check(file: BufferedReader, card: _Card) -> None:
    facts = codec_of(card.output).judge(file, judge.Mp4Kind.CLIP)
    exact = samples_of(card.frames, card.output.fps)
    size = (facts.video.width, facts.video.height)
    fits = encode.joins(facts.video, card.output, card.frames, facts.video.extradata)
    lossless = [sound.samples for sound in facts.audio if sound.codec == "alac"]
    if not fits or size != (card.output.width, card.output.height) or lossless != [exact]:
        raise ProgramLied("a file that is not the card that was asked for")


def _encoded(drawn: _CardPictures, ground: Path, part: Path, arguments: Arguments) -> OutputFile:
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


def _drawn(task: CardTask, ground: Pixels) -> _CardPictures:
    """Compose the part of a card that has writing on it; the rest of the picture never changes."""
    from moviepy import CompositeVideoClip, ImageClip, vfx  # noqa: PLC0415 - slow to import

    output, frames = task.output, task.frames
    seconds = frames / output.fps
    left, top, right, bottom = task.area
    shape = (bottom - top, right - left, 4)
    unpacked = zlib.decompressobj().decompress(base64.b64decode(task.writing), math.prod(shape))
    writing = np.frombuffer(unpacked, np.uint8).reshape(shape)
    behind = ImageClip(ground[top:bottom, left:right]).with_duration(seconds)
    letters = ImageClip(writing).with_duration(seconds)
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

    return _CardPictures(output, task.area, frames, pictures)
