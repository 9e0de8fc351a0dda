"""Make the pieces of a long clip, and join them; each of these is a job of its own.

The pictures of two chunks that follow each other are compared where they meet: a chunk makes a few
pictures more than it has, and they must be those with which the next one begins.  So what is wrong
with a film that was decoded from its middle is noticed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from pipeline import judge, publishing
from pipeline.codecs import codec_of
from pipeline.errors import Refused
from pipeline.ffmpeg import faults, made, runner
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.ffmpeg.graph import Graph
from pipeline.ffmpeg.made import MadeFile
from pipeline.ffmpeg.sandbox import Limits
from pipeline.media import effort, encode, identify, loudness, probe, wholeness
from pipeline.media.loudness import Loudness
from pipeline.media.survey import FilmSource, Hearing
from pipeline.model import ClipResult, Reason, Refusal
from pipeline.process import (
    chunk_graph,
    chunk_plan,
    clip,
    face_search,
    glance,
    lookalikes,
    painting,
)
from pipeline.process.cautions import ClipSound
from pipeline.process.chunk_graph import ChunkTarget
from pipeline.process.chunk_plan import MORE, ChunkPlan, ClipPiece, PieceFile, PieceKind, Prints
from pipeline.process.clip_files import ClipFiles, Encoded, Job, verified
from pipeline.process.graph import ClipSource, GlanceTarget
from pipeline.run import Tools
from pipeline.store import original
from pipeline.texts import Detail

_PRINT = re.compile(r"0,.*[, ]([0-9a-f]{32})")
_MOST_PRINTS = 1 << 16
_LONGEST_LINE = 1 << 10


@dataclass(frozen=True)
class _Making:
    """A long film that is worked on: the job, with all masks in its recipe, and the plan."""

    job: Job
    run: Tools
    plan: ChunkPlan
    film: FilmSource

    @property
    def outputs(self) -> list[ClipFiles]:
        """The files of the outputs, empty."""
        pairs = zip(self.job.recipe.outputs, self.job.strips, strict=True)
        return [ClipFiles.new(each, self.film, self.film.probe.length_s) for each in pairs]

    @property
    def rate(self) -> float:
        """How many small pictures a second are looked at: a whole number for each chunk."""
        seconds = self.plan.chunks[1].begin_s
        return int(glance.rate_for(self.film.probe.length_s) * seconds) / seconds

    def keep(self, number: int, files: Sequence[tuple[PieceKind, str, MadeFile]]) -> ClipPiece:
        """Publish the files of a piece where the job that joins them finds them."""
        kept = []
        for kind, output, file in files:
            known = PieceFile(output, kind, publishing.sha256_of(file.file))
            stored = known.stored(self.job.sha256, number)
            file.publish(self.run.workspace.root / stored.path)
            self.run.store.publish([stored])
            kept.append(known)
        return ClipPiece(files=tuple(kept))


def chunk(job: Job, run: Tools, plan: ChunkPlan, number: int) -> ClipPiece:
    """Make the pictures of a chunk.

    :raises Refused: the film has to be made in one piece; so does a :class:`ProgramFault`.
    """
    part = plan.chunks[number]
    with _opened(job, run, plan) as making:
        job, film = making.job, making.film
        targets = []
        files = making.outputs
        for each in files:
            span = chunk_plan.span(part, each.target.frames, each.target.output.fps)
            painted = painting.with_masks(replace(each.target, span=span), job.recipe, film)
            prints = film.scratch.new("prints", _MOST_PRINTS)
            targets.append((ChunkTarget(painted, span, prints.path), prints))
        small = film.scratch.new("glance", glance.MOST_BYTES)
        source = ClipSource(job.original, film.probe, job.recipe, None, chunk=part)
        ready = tuple(target for target, _ in targets)
        shown = chunk_graph.chunk_graph(source, ready, GlanceTarget(small.path, making.rate))
        writes = [small, *(prints for _, prints in targets)]
        writes += [file for each in files for file in (each.movie, each.still)]
        covers = [path for each in ready if each.clip.cover for path in each.clip.cover.paths]
        seconds = ready[0].span.shown / ready[0].clip.output.fps
        said, _ = _encoded(making, shown, writes, seconds, covers)
        if wholeness.judged(film.probe, said).cut is not None or faults.NOT_DECODED in said:
            raise _undone()
        kept: list[tuple[PieceKind, str, MadeFile]] = [("glance", "", small)]
        found = []
        for each, (target, prints) in zip(files, targets, strict=True):
            name = each.target.output.name
            kept.append(("movie", name, each.movie))
            if target.has_poster:
                kept.append(("still", name, each.still))
            found.append(_prints(prints, target))
        return making.keep(number, kept).model_copy(update={"prints": tuple(found)})


def sound(job: Job, run: Tools, plan: ChunkPlan) -> ClipPiece:
    """Make the sound of a clip in one go.

    :raises Refused: the film has to be made in one piece; so does a :class:`ProgramFault`.
    """
    with _opened(job, run, plan) as making:
        job, film = making.job, making.film
        correction = clip.correction_of(run, film, Hearing(plan.before), job.recipe)
        source = ClipSource(job.original, film.probe, job.recipe, correction)
        files = making.outputs
        targets = tuple(each.target for each in files)
        shown = chunk_graph.sound_graph(source, targets)
        movies = [each.movie for each in files]
        said, printed = _encoded(making, shown, movies, film.probe.length_s)
        if faults.NOT_DECODED in said:
            raise _undone()
        kept: list[tuple[PieceKind, str, MadeFile]] = [
            ("sound", each.target.output.name, each.movie) for each in files
        ]
        piece = making.keep(len(plan.chunks), kept)
        if correction is not None:
            before = chunk_plan.finite(correction.before) or correction.before
            correction = replace(correction, before=before)
        lufs = loudness.parse(printed).lufs
        return piece.model_copy(update={"correction": correction, "lufs": lufs})


def join(job: Job, run: Tools, plan: ChunkPlan, pieces: Sequence[ClipPiece]) -> ClipResult:
    """Join the pieces of a clip, verify and publish it.

    :param pieces: the chunks in their order, and the sound.
    :raises Refused: the film has to be made in one piece; so does a :class:`ProgramFault`.
    """
    stored = [file for n, piece in enumerate(pieces) for file in piece.stored(job.sha256, n)]
    with run.store.at_hand(stored), _opened(job, run, plan) as making:
        _check_joints(pieces)
        done = _joined(making, pieces)
        result = clip.accepted(job, run, done, plan.faces)
        clip.publish(result, run)
    return replace(result, findings=plan.findings)


@contextmanager
def _opened(job: Job, run: Tools, plan: ChunkPlan) -> Iterator[_Making]:
    """Probe an original again, and take what the survey found from the plan."""
    allowed = job.recipe.max_source_seconds
    with (
        run.store.at_hand([original(job.sha256)]),
        made.scratch(run.workspace.clips / job.sha256) as scratch,
    ):
        footage = identify.identify(job.original).format
        if footage is None:
            raise _undone()
        seen = chunk_plan.understood(
            probe.probe(run.ffmpeg, job.original, footage, allowed), plan.facts
        )
        effort.admit(seen.picture, allowed)
        seen = clip.coloured(seen, job.original, run)
        film = FilmSource(job.original, seen, scratch, allowed + 1)
        hidden = face_search.with_faces(job.recipe, plan.faces)
        yield _Making(replace(job, recipe=hidden), run, plan, film)


def _encoded(
    making: _Making,
    shown: Graph,
    writes: Sequence[MadeFile],
    seconds: float,
    covers: Sequence[Path] = (),
) -> tuple[tuple[str, ...], bytes]:
    """Run FFmpeg on the graph of a piece; return what it said and what it printed.

    :param covers: the files with the masks.
    """
    job, run, film = making.job, making.run, making.film
    others = [strip.path for strip in job.strips if strip]
    others += [film.probe.picture.table] if film.probe.picture.table else []
    others += covers
    limits = Limits.within(seconds * run.config.process.timeout_factor)
    permissions = made.permissions(writes, (job.original, *others), limits)
    ended = run.ffmpeg.run("encode", [runner.program(), *shown.arguments()], permissions)
    faults.check(ended, "encode", permissions)
    return ended.said, ended.stdout


def _prints(file: MadeFile, target: ChunkTarget) -> Prints:
    """Read the digests of the pictures at the ends of a chunk."""
    lines = [line for line in file.lines(_LONGEST_LINE) if not line.startswith("#")]
    found = [match[1] for line in lines if (match := _PRINT.fullmatch(line))]
    span = target.span
    if len(found) != min(MORE, span.count) + span.more:
        raise _undone()
    return tuple(found)


def _check_joints(pieces: Sequence[ClipPiece]) -> None:
    """Do nothing if each chunk goes on with the pictures with which the next one begins.

    :raises Refused: one does not.
    """
    for before, after in pairwise(pieces[:-1]):
        for ended, begun in zip(before.prints, after.prints, strict=True):
            if ended[-MORE:] != begun[:MORE]:
                raise _undone()


def _joined(making: _Making, pieces: Sequence[ClipPiece]) -> Encoded:
    """Join the pieces of each output, verify what came out, and publish it."""
    plan, run, film = making.plan, making.run, making.film
    small = _found(making, pieces, "glance", "", glance.MOST_BYTES)
    data = b"".join(file.file.read(glance.MOST_BYTES) for file in small)
    glanced = glance.read(io.BytesIO(data[: glance.MOST_BYTES]), making.rate)
    after, marks = Loudness(pieces[-1].lufs, 0.0), lookalikes.marks_of(glanced)
    files, outputs = [], []
    for each in making.outputs:
        output = each.target.output
        (still,) = _found(making, pieces, "still", output.name, each.still.most)
        _copy(making, pieces, each)
        files.append(replace(each, still=still))
        made_of = verified(files[-1], making.job, run)
        outputs.append(replace(made_of, loudness_lufs=after.lufs, marks=marks))
    for each, made_output in zip(files, outputs, strict=True):
        final = run.workspace.root / made_output.path
        each.movie.publish(final)
        each.still.publish(final.with_suffix(".jpg"))
    heard = ClipSound(Hearing(plan.before), pieces[-1].correction, after)
    return Encoded(film.probe, tuple(outputs), glanced, heard)


def _copy(making: _Making, pieces: Sequence[ClipPiece], files: ClipFiles) -> None:
    """Copy the pieces of an output into one film, after a look at each."""
    target, film = files.target, making.film
    output = target.output
    movies = _found(making, pieces, "movie", output.name, files.movie.most)
    (sound_file,) = _found(making, pieces, "sound", output.name, files.movie.most)
    lines = ["ffconcat version 1.0"]
    for part, movie in zip(making.plan.chunks, movies, strict=True):
        count = chunk_plan.span(part, target.frames, output.fps).count
        facts = codec_of(output).judge(movie.file, judge.Mp4Kind.PIECE).video
        if not encode.joins(facts, output, count, making.job.configurations[output.name]):
            raise _undone()
        quoted = str(movie.path).replace("'", r"'\''")
        lines += [f"file '{quoted}'", f"duration {count / output.fps:.9f}"]
    listed = film.scratch.place("chunks.txt")
    listed.write_text("\n".join([*lines, ""]), "utf-8")
    shown = chunk_graph.join_graph(target, listed, sound_file.path)
    reads = (listed, sound_file.path, *(movie.path for movie in movies))
    seconds = 300 + film.probe.length_s
    making.run.ffmpeg.make("encode", shown, seconds=seconds, reads=reads, writes=[files.movie])


def _found(
    making: _Making, pieces: Sequence[ClipPiece], kind: PieceKind, output: str, most: int
) -> list[MadeFile]:
    """Open the files of a kind that the pieces have, in their order.

    :raises ProgramLied: one is not what was made.
    """
    found = []
    for number, piece in enumerate(pieces):
        known = piece.of(kind, output)
        if known is None:
            continue
        path = making.run.store.root / known.stored(making.job.sha256, number).path
        file = making.film.scratch.opened(path, most)
        if publishing.sha256_of(file.file) != known.sha256:
            raise ProgramLied("a piece of a clip that was changed")
        found.append(file)
    return found


def _undone() -> Refused:
    """The film can't be made in chunks; nobody sees this refusal."""
    return Refused(Refusal(Reason.INTERNAL, Detail.NOT_JOINABLE))
