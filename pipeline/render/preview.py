"""A preview of a montage: small, quickly made, and only as much of it as was asked for."""

from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import judge
from pipeline.codecs import codec_of
from pipeline.config import Output
from pipeline.errors import StageError, UsageError
from pipeline.ffmpeg import made
from pipeline.ffmpeg.graph import Graph, OutputFile, read, write
from pipeline.media import encode
from pipeline.media.timebase import frames_in
from pipeline.render import join
from pipeline.render.cuts import CutPlan
from pipeline.render.timeline import Timeline
from pipeline.run import Run

_SIDE = 360  # pixels of the shorter side


@dataclass(frozen=True)
class Excerpt:
    """The first *seconds* of a film, or those that begin with a clip (SHA-256 or its start)."""

    seconds: float
    clip: str = ""


def excerpted(film: Timeline, excerpt: Excerpt) -> Timeline:
    """Return the part of a film that an excerpt asks for; at least one picture of one segment.

    :raises UsageError: no clip, or more than one, begins so.
    """
    shas = [segment.sha256 for segment in film.segments]
    found = [at for at, sha in enumerate(shas) if sha.startswith(excerpt.clip.lower())]
    if excerpt.clip and len(found) != 1:
        raise UsageError(f"{len(found)} clips of the montage begin with {excerpt.clip!r}")
    first, starts = found[0], film.starts
    room = frames_in(excerpt.seconds, film.output.fps)
    last = max(at for at, start in enumerate(starts) if at == first or start - starts[first] < room)
    segments = list(film.segments[first : last + 1])
    beyond = starts[last] + segments[-1].length - starts[first] - room
    fades = film.fades[first:last]
    if beyond > 0:
        # the last segment is cut where the time is up, but not within the fade at its beginning
        shortest = max(1, 2 * fades[-1] if fades else 1)
        stop = max(segments[-1].stop - beyond, segments[-1].start + shortest)
        segments[-1] = replace(segments[-1], stop=min(stop, segments[-1].stop))
    return replace(film, segments=tuple(segments), fades=fades)


def make(run: Run, plan: CutPlan) -> Path:
    """Join the film, reduce it in size, and replace the preview before.

    :raises StageError: a program failed.
    :raises NotClean: verification found something.
    """
    film, output = plan.film, plan.film.output
    suffix = codec_of(output).suffix
    final = run.workspace.montage / f"{run.config.montage.name}-{output.name}-preview{suffix}"
    with made.scratch(final.parent) as scratch:
        whole = join.join(run, plan, scratch)
        small = scratch.new("small", encode.most_bytes(output, film.frames))
        graph = Graph((_reduced(whole.path, small.path, output),))
        seconds = 300 + 10 * film.frames / output.fps
        run.ffmpeg.make("preview", graph, reads=(whole.path,), writes=(small,), seconds=seconds)
        if codec_of(output).judge(small.file, judge.Mp4Kind.MONTAGE).video.frames != film.frames:
            raise StageError("pictures are missing in the preview")
        small.publish(final)
        return final


def _reduced(whole: Path, small: Path, output: Output) -> OutputFile:
    share = min(1.0, _SIDE / min(output.width, output.height))
    width, height = (2 * max(32, round(side * share / 2)) for side in (output.width, output.height))
    draft = output.model_copy(update={"quality": "draft"})
    source = read(whole, {"f": "mov", "protocol_whitelist": "file", "threads": 1})
    picture = source.video().filter("scale", width, height, flags="fast_bilinear")
    options = encode.montage_arguments(output) | codec_of(draft).arguments(draft)
    return write(small, options, picture.filter("setsar", 1), [source.audio()])
