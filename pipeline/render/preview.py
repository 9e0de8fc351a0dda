"""A look at a film before it is made: small, quick, and as much of it as was asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import ffmpeg

from pipeline import judge, publishing
from pipeline.errors import StageError, UsageError
from pipeline.ffmpeg.runner import program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.media import encode
from pipeline.render import making
from pipeline.render.timeline import Film
from pipeline.run import Run

_SIDE = 360  # pixels of the shorter side


@dataclass(frozen=True)
class Excerpt:
    """The first *seconds* of a film, or of what follows from a clip on (SHA-256 or its start)."""

    seconds: float
    clip: str = ""


def excerpted(film: Film, excerpt: Excerpt) -> Film:
    """The part of a film that an excerpt asks for; at least one picture of one segment.

    :raises UsageError: no clip, or more than one, begins so.
    """
    first = 0
    if excerpt.clip:
        shas = [segment.sha256 for segment in film.segments]
        found = [at for at, sha in enumerate(shas) if sha.startswith(excerpt.clip.lower())]
        if len(found) != 1:
            raise UsageError(f"{len(found)} clips of the montage begin with {excerpt.clip!r}")
        first = found[0]
    room = encode.frames_in(excerpt.seconds, film.output.fps)
    starts = film.starts
    last = max(at for at, start in enumerate(starts) if at == first or start - starts[first] < room)
    segments = list(film.segments[first : last + 1])
    beyond = starts[last] + segments[-1].length - starts[first] - room
    fades = film.fades[first:last]
    if beyond > 0:
        # the last is cut where the time is up, but not within the fade that it begins with
        shortest = max(1, 2 * fades[-1] if fades else 1)
        stop = max(segments[-1].stop - beyond, segments[-1].start + shortest)
        segments[-1] = replace(segments[-1], stop=min(stop, segments[-1].stop))
    return replace(film, segments=tuple(segments), fades=fades)


def make(run: Run, film: Film) -> Path:
    """Join the film and make it small, in place of the preview before.

    :raises StageError: a program failed.
    :raises NotClean: verification found something.
    """
    output = film.output
    name = f"{run.config.montage.name}-{output.name}-preview.mp4"
    final = run.workspace.montage / name
    with publishing.scratch_folder(final.parent) as place:
        part, small = publishing.part_path(place / "whole"), publishing.part_path(place / "small")
        making.join(run, film, part)
        argv = [program(), *_arguments(part, small, film)]
        seconds = film.frames / output.fps
        limits = Limits(wall_s=max(300.0, 10 * seconds))
        cell = Permissions(reads=(part,), writes=(place,), limits=limits)
        if not run.ffmpeg.run("preview", argv, cell).ok:
            raise StageError("the preview could not be made")
        if judge.judge_montage(small).video.frames != film.frames:
            raise StageError("pictures are missing in the preview")
        publishing.publish(small, final)
        return final


def _arguments(part: Path, small: Path, film: Film) -> list[str]:
    output = film.output
    share = min(1.0, _SIDE / min(output.width, output.height))
    size = [2 * max(32, round(side * share / 2)) for side in (output.width, output.height)]
    draft = output.model_copy(update={"quality": "draft"})
    source = ffmpeg.input(str(part), f="mov", protocol_whitelist="file", threads=1)
    node = ffmpeg.output(
        source["v:0"].filter("scale", *size, flags="fast_bilinear").filter("setsar", 1),
        source["a:0"],
        str(small),
        **encode.montage_arguments(output) | encode.video_arguments(draft),
    ).global_args("-nostdin", "-hide_banner", "-v", "error")
    return [str(argument) for argument in node.overwrite_output().get_args()]
