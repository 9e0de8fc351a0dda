"""The files of a clip: what is to be made, where it grows, and what is checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline import judge, publishing
from pipeline.codecs import codec_of
from pipeline.config import Output
from pipeline.errors import Refused
from pipeline.ffmpeg.made import MadeFile
from pipeline.media import encode
from pipeline.media.caption import Strip
from pipeline.media.probed import Probe
from pipeline.media.survey import FilmSource
from pipeline.media.timebase import samples_of
from pipeline.model import ClipOutput, Reason, Refusal
from pipeline.process import glance, graph
from pipeline.process.cautions import ClipSound
from pipeline.process.graph import ClipTarget
from pipeline.process.recipe import Recipe
from pipeline.protection import FoundFaces
from pipeline.run import Tools
from pipeline.texts import Detail


@dataclass(frozen=True)
class Job:
    """What is to be done: an original, its recipe, and the caption strip of each output.

    ``configurations`` is the decoder configuration that the clips of each output must have, by
    the output's name (see ``reference``).  ``found``: the faces that are known of the original.
    """

    sha256: str
    original: Path
    recipe: Recipe
    strips: tuple[Strip | None, ...]
    configurations: Mapping[str, str]
    found: FoundFaces | None = None


@dataclass(frozen=True)
class Encoded:
    """What is known of the original, the files of its clip, and what was measured of them."""

    seen: Probe
    outputs: tuple[ClipOutput, ...]
    glanced: glance.Glance
    sound: ClipSound


@dataclass(frozen=True)
class ClipFiles:
    """The files of one output while they are made."""

    target: ClipTarget
    movie: MadeFile
    still: MadeFile

    @classmethod
    def new(cls, wanted: tuple[Output, Strip | None], film: FilmSource, length: float) -> Self:
        """Make the files of an output empty, for a clip of *length* seconds."""
        output, strip = wanted
        frames = graph.frames_of(film.probe, length, output)
        most = encode.most_bytes(output, frames)
        movie = film.scratch.new(f"{output.name}{codec_of(output).suffix}", most)
        most = encode.most_still(output.width, output.height)
        still = film.scratch.new(f"{output.name}.jpg", most)
        return cls(ClipTarget(output, frames, strip, movie.path, still.path), movie, still)


def verified(files: ClipFiles, job: Job, run: Tools) -> ClipOutput:
    """Judge the files of an output; return what the ledger keeps of it.

    :raises NotClean: a file holds something that is not on the allow-list.
    :raises Refused: there is no picture in it, or it would not join other clips by copy.
    """
    target, output = files.target, files.target.output
    facts = codec_of(output).judge(files.movie.file, judge.Mp4Kind.CLIP)
    judge.judge_still(files.still.file)
    lossless = next(sound for sound in facts.audio if sound.codec == "alac")
    exact = (
        encode.joins(facts.video, output, target.frames, job.configurations[output.name])
        and (facts.video.width, facts.video.height) == (output.width, output.height)
        and lossless.samples == samples_of(target.frames, output.fps)
    )
    if facts.video.frames == 0:
        raise Refused(Refusal(Reason.CORRUPT, Detail.UNDECODABLE))
    if not exact:
        raise Refused(Refusal(Reason.INTERNAL, Detail.NOT_JOINABLE))
    final = run.workspace.clip(job.sha256, output.name, codec_of(output).suffix)
    return ClipOutput(
        name=output.name,
        path=run.workspace.relative(final),
        sha256=publishing.sha256_of(files.movie.file),
        width=output.width,
        height=output.height,
        fps=output.fps,
        frames=target.frames,
        duration_s=round(target.frames / output.fps, 3),
        loudness_lufs=None,
        extradata=facts.video.extradata,
        hides=job.recipe.hides,
        still=publishing.sha256_of(files.still.file),
        fit=output.fit,
        still_motion=job.recipe.still_motion,
    )
