"""Make one verified clip of one original; runs in a worker thread and does not use the ledger.

identify → find → probe → survey → encode → verify → publish.  Whatever an input does, the
outcome is a ``ClipResult``: accepted with its files in place, or refused with a reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pipeline import carriers, formats, judge, publishing
from pipeline.carriers.containers import heif
from pipeline.codecs import codec_of
from pipeline.config import Output
from pipeline.errors import (
    BytesChanged,
    DiskFull,
    FootageError,
    NotClean,
    Refused,
    named,
    place_of,
)
from pipeline.ffmpeg import faults, made, runner
from pipeline.ffmpeg.faults import ProgramFailed, ProgramFault
from pipeline.ffmpeg.made import MadeFile, Scratch
from pipeline.ffmpeg.sandbox import Limits
from pipeline.formats import Format
from pipeline.media import (
    effort,
    encode,
    identify,
    loudness,
    lut,
    probe,
    profile,
    survey,
    wholeness,
)
from pipeline.media.caption import Strip
from pipeline.media.loudness import Correction, SoundSource
from pipeline.media.probed import Probe
from pipeline.media.profile import Profile
from pipeline.media.survey import FilmSource, Hearing
from pipeline.media.timebase import samples_of
from pipeline.model import ClipOutput, ClipResult, Finding, Kind, Reason, Refusal, Status
from pipeline.process import cautions, face_search, glance, graph, lookalikes, painting, second_look
from pipeline.process.cautions import ClipSound
from pipeline.process.graph import ClipSource, ClipTarget, GlanceTarget
from pipeline.process.recipe import Recipe
from pipeline.process.second_look import MaskedClip
from pipeline.protection import FoundFaces
from pipeline.run import Tools
from pipeline.store import files_of, original, still_of
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
class _ClipFiles:
    """The files of one output while they are made."""

    target: ClipTarget
    movie: MadeFile
    still: MadeFile

    @classmethod
    def new(cls, wanted: tuple[Output, Strip | None], film: FilmSource, length: float) -> Self:
        output, strip = wanted
        frames = graph.frames_of(film.probe, length, output)
        most = encode.most_bytes(output, frames)
        movie = film.scratch.new(f"{output.name}{codec_of(output).suffix}", most)
        most = encode.most_still(output.width, output.height)
        still = film.scratch.new(f"{output.name}.jpg", most)
        return cls(ClipTarget(output, frames, strip, movie.path, still.path), movie, still)


def make(job: Job, run: Tools) -> ClipResult:
    """Make a clip and publish its files, or say why there is none.

    :raises DiskFull: the disk is full; nothing about the clip is known then.
    :raises StoreError: the store does not answer; the same holds.
    :raises Stopping: the run is being stopped.
    """
    try:
        with run.store.at_hand([original(job.sha256)]):
            result = _outcome(job, run)
    except BytesChanged:
        changed = Refusal(Reason.INTERNAL, Detail.ORIGINAL_CHANGED)
        return refused(job.sha256, job.recipe, changed, ())
    run.store.publish(file for clip in files_of(result) for file in (clip, still_of(clip)))
    return result


def _outcome(job: Job, run: Tools) -> ClipResult:
    found: tuple[Finding, ...] = ()
    identity = None
    try:
        _check_bytes(job)
        identity = identify.identify(job.original)
        if identity.format is not None:
            found = carriers.find(job.original, formats.reader_of)
        return replace(_accepted(job, run, identity), findings=found)
    except Refused as outcome:
        refusal = outcome.refusal
    except ProgramFault as fault:
        refusal = fault.refusal
    except NotClean as fault:
        run.console.event("not-clean", sha256=job.sha256, problems=fault.problems)
        what = "; ".join(fault.problems[:3])
        refusal = Refusal(Reason.NOT_CLEAN, Detail.NOT_CLEAN, {"problems": what})
    except FootageError:
        raise
    except Exception as error:  # one clip's fault must not end the night
        if isinstance(full := named(error), DiskFull):
            raise full from error
        # an exception's text could repeat what the file holds: only its kind and place are kept
        where = place_of(error)
        run.console.event("internal", sha256=job.sha256, where=where)
        refusal = Refusal(Reason.INTERNAL, Detail.PROGRAM_FAILED, {"place": where})
    if identity is not None and identity.format is not None:
        refusal = wholeness.explained(job.original, identity.format, refusal)
    return refused(job.sha256, job.recipe, refusal, found)


def refused(
    sha256: str, wanted: Recipe, refusal: Refusal, found: tuple[Finding, ...]
) -> ClipResult:
    """Return the outcome for an original that gives no clip."""
    status = refusal.reason.status
    return ClipResult(
        sha256=sha256,
        recipe=wanted.refusal_key if status is Status.REJECTED else wanted.key,
        status=status,
        refusal=refusal,
        findings=found,
        clean=False if refusal.reason is Reason.NOT_CLEAN else None,
        category=wanted.category,
    )


def _check_bytes(job: Job) -> None:
    """Refuse an original that does not have the bytes of its name.

    The process that took the mail apart gave it that name, and a disk can lose bytes.
    """
    if publishing.sha256_of(job.original) != job.sha256:
        raise Refused(Refusal(Reason.INTERNAL, Detail.ORIGINAL_CHANGED))


def _accepted(job: Job, run: Tools, identity: identify.Identity) -> ClipResult:
    if identity.refusal is not None:
        raise Refused(identity.refusal)
    assert identity.format is not None, "an archive is never a job"
    with made.scratch(run.workspace.clips / job.sha256) as scratch:
        seen, hearing = examined(job, run, identity.format, scratch)
        film = FilmSource(job.original, seen, scratch, job.recipe.max_source_seconds + 1)
        faces = face_search.found(run, film, job.recipe, job.found)
        hidden = face_search.with_faces(job.recipe, faces)
        done = _repairing(replace(job, recipe=hidden), run, film, hearing)
        seen = done.seen
        clips = [
            MaskedClip(run.workspace.root / each.path, each, seen, hidden) for each in done.outputs
        ]
        faces_seen = second_look.warnings(run, clips, job.recipe)
    warnings = (
        *cautions.of_faces(faces),
        *faces_seen,
        *cautions.of_picture(seen, job.recipe, _length(film, job.recipe)),
        *glance.cautions(done.glanced),
        *cautions.of_sound(seen, job.recipe, done.sound),
    )
    return ClipResult(
        sha256=job.sha256,
        recipe=job.recipe.key,
        status=Status.ACCEPTED,
        clean=True,
        source=replace(seen.source(), faces=faces),
        caption=job.recipe.caption,
        category=job.recipe.category,
        warnings=tuple(dict.fromkeys(warnings)),
        outputs=tuple(
            replace(each, hides=job.recipe.hides, faces=job.recipe.always_by)
            for each in done.outputs
        ),
    )


def examined(job: Job, run: Tools, footage: Format, scratch: Scratch) -> tuple[Probe, Hearing]:
    """Probe an original, and survey it if it is a film.

    :raises Refused: it can't become a clip.
    :raises ProgramFault: a program failed, or what it said can't be true.
    """
    allowed = job.recipe.max_source_seconds
    effort.admit_scans(job.original, footage)
    seen, hearing = probe.probe(run.ffmpeg, job.original, footage, allowed), Hearing()
    effort.admit(seen.picture, allowed)
    film = FilmSource(job.original, seen, scratch, allowed + 1)
    if footage.kind is Kind.VIDEO:
        seen, hearing = survey.survey(run.ffmpeg, film)
    elif footage.headers is heif.picture and seen.picture.stream.isdigit():
        seen = survey.sized(run.ffmpeg, film)
    effort.admit(seen.picture, allowed)
    length = _length(replace(film, probe=seen), job.recipe)
    if length > allowed:
        limit = round(allowed)
        raise Refused(
            Refusal(Reason.TOO_LONG, Detail.TOO_LONG, {"seconds": round(length), "allowed": limit})
        )
    seen = wholeness.examined(run.ffmpeg, job.original, seen)
    _admit(seen, job.recipe)
    # the table that its colours have to go through, if any
    named = _profile(job.original, seen) if seen.still else None
    table = lut.table(seen.picture, named, still=seen.still)
    path = lut.written(table, run.workspace.cache) if table else None
    return replace(seen, picture=replace(seen.picture, table=path)), hearing


def _profile(path: Path, seen: Probe) -> Profile | None:
    if seen.picture.profile:
        return profile.understood(seen.picture.profile)
    return profile.profile(path, seen.format)


def _admit(seen: Probe, recipe: Recipe) -> None:
    """Refuse a file whose end is missing, where the configuration says so."""
    if seen.cut is not None and recipe.rejects_incomplete:
        raise Refused(wholeness.refusal(seen))


def _length(film: FilmSource, recipe: Recipe) -> float:
    return recipe.still_seconds if film.probe.still else film.probe.length_s


def _repairing(job: Job, run: Tools, film: FilmSource, hearing: Hearing) -> Encoded:
    """Encode a clip; if that fails with its sound, repair the sound, and at last leave it out.

    Trouble in the sound must not cost the picture.  A program that waits for ever is tried once
    more, with the sound in a file of its own, so that nothing waits for the film's other stream.
    """
    stuck = False
    try:
        return _encode(job, run, film, hearing)
    except ProgramFailed as fault:
        stuck = fault.is_stuck
        if hearing.loudness is None and stuck:
            return _encode(job, run, film, hearing)
        if hearing.loudness is None or not (fault.is_reported or stuck):
            raise
    _, again = survey.repaired(run.ffmpeg, film)
    if stuck and again.loudness is not None:
        return _encode(job, run, film, again)
    if again.loudness is not None:
        with contextlib.suppress(ProgramFailed):
            return _encode(job, run, film, replace(again, is_broken=True))
    return _encode(job, run, film, Hearing(is_broken=True))


def _correction(
    run: Tools, film: FilmSource, hearing: Hearing, recipe: Recipe
) -> Correction | None:
    """Measure how the sound has to be corrected; None where there is none."""
    before = hearing.loudness
    if before is None or film.probe.sound is None:
        return None
    length, changes = film.probe.length_s, recipe.sounds
    if hearing.file is None:
        options = survey.input_options(film.probe)
        sound = SoundSource(film.path, options, film.probe.sound.index, length, changes)
    else:
        sound = SoundSource(hearing.file, survey.REPAIRED, 0, length, changes)
    if changes:  # what is muted is not part of the loudness
        before = replace(loudness.measure(run.ffmpeg, sound), clipped=before.clipped)
    return loudness.correct(run.ffmpeg, sound, before, recipe.loudness_lufs)


def _encode(job: Job, run: Tools, film: FilmSource, hearing: Hearing) -> Encoded:
    """Encode and verify the files of a clip, and publish them if all are as they must be."""
    length, seen = _length(film, job.recipe), film.probe
    correction = _correction(run, film, hearing, job.recipe)
    source = ClipSource(job.original, seen, job.recipe, correction, hearing.file)
    rate = None if seen.still else glance.rate_for(length)
    files = [
        _ClipFiles.new(each, film, length)
        for each in zip(job.recipe.outputs, job.strips, strict=True)
    ]
    files = [
        replace(each, target=painting.with_masks(each.target, job.recipe, film)) for each in files
    ]
    targets = tuple(each.target for each in files)
    small_file = film.scratch.new("glance", glance.MOST_BYTES)
    glanced = GlanceTarget(small_file.path, rate)
    strips = [strip.path for strip in job.strips if strip]
    strips += [path for target in targets if target.cover for path in target.cover.paths]
    others = filter(None, [seen.picture.table, hearing.file])
    limits = Limits.within(length * run.config.process.timeout_factor)
    writes = [small_file, *(file for each in files for file in (each.movie, each.still))]
    permissions = made.permissions(writes, (job.original, *strips, *others), limits)
    argv = [runner.program(), *graph.clip_graph(source, targets, glanced).arguments()]
    ended = run.ffmpeg.run("encode", argv, permissions)
    faults.check(ended, "encode", permissions)
    seen = wholeness.judged(seen, ended.said)
    _admit(seen, job.recipe)
    if not all(each.movie.size for each in files):
        raise Refused(Refusal(Reason.CORRUPT, Detail.DECODING_FAILED))
    after = loudness.parse(ended.stdout)
    small = glance.read(small_file.file, rate)
    marks = lookalikes.marks_of(small)
    outputs = tuple(
        replace(_verified(each, job, run), loudness_lufs=after.lufs, marks=marks) for each in files
    )
    for each, output in zip(files, outputs, strict=True):
        final = run.workspace.root / output.path
        each.movie.publish(final)
        each.still.publish(final.with_suffix(".jpg"))
    return Encoded(seen, outputs, small, ClipSound(hearing, correction, after))


def _verified(files: _ClipFiles, job: Job, run: Tools) -> ClipOutput:
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
    )
