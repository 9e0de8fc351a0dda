"""Make one verified clip of one original; runs in a worker thread and does not use the ledger.

identify → find → probe → survey → encode → verify → publish.  Whatever an input does, the
outcome is a ``ClipResult``: accepted with its files in place, or refused with a reason.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline import carriers, formats, publishing
from pipeline.carriers.containers import heif
from pipeline.errors import BytesChanged, NotClean, Refused, place_of_fault
from pipeline.ffmpeg import faults, made, runner
from pipeline.ffmpeg.faults import ProgramFailed, ProgramFault
from pipeline.ffmpeg.made import Scratch
from pipeline.ffmpeg.sandbox import Limits
from pipeline.findings import Finding
from pipeline.formats import Format
from pipeline.media import (
    effort,
    identify,
    loudness,
    lut,
    probe,
    profile,
    survey,
    wholeness,
)
from pipeline.media.loudness import Correction, SoundSource
from pipeline.media.probed import Probe
from pipeline.media.profile import Profile
from pipeline.media.survey import FilmSource, Hearing
from pipeline.model import ClipResult, Kind, Reason, Refusal, Status
from pipeline.process import (
    cautions,
    chunk_plan,
    face_search,
    glance,
    graph,
    lookalikes,
    painting,
    second_look,
)
from pipeline.process.cautions import ClipSound
from pipeline.process.chunk_plan import ChunkPlan
from pipeline.process.clip_files import ClipFiles, Encoded, Job, verified
from pipeline.process.graph import ClipSource, GlanceTarget
from pipeline.process.recipe import Recipe
from pipeline.process.second_look import MaskedClip
from pipeline.protection import FoundFaces
from pipeline.run import Tools
from pipeline.store import files_of, original, still_of
from pipeline.texts import Detail


def make(job: Job, run: Tools) -> ClipResult:
    """Make a clip in one piece and publish its files, or say why there is none.

    :raises DiskFull: the disk is full; nothing about the clip is known then.
    :raises StoreError: the store does not answer; the same holds.
    :raises Stopping: the run is being stopped.
    """
    done = begin(job, run, 0)
    assert isinstance(done, ClipResult), "a clip in one piece has no chunks"
    return done


def begin(job: Job, run: Tools, chunk_s: int) -> ClipResult | ChunkPlan:
    """Make a clip as ``make`` does; of a long film return how it is to be made in chunks.

    :param chunk_s: how long a chunk is in seconds; 0: every clip is made in one piece.
    """
    try:
        with run.store.at_hand([original(job.sha256)]):
            done = _outcome(job, run, chunk_s)
            if _is_ended_from_outside(done):
                run.console.event("again", sha256=job.sha256)
                done = _outcome(job, run, chunk_s)
    except BytesChanged:
        changed = Refusal(Reason.INTERNAL, Detail.ORIGINAL_CHANGED)
        return refused(job.sha256, job.recipe, changed, ())
    if isinstance(done, ClipResult):
        publish(done, run)
    return done


def _is_ended_from_outside(done: ClipResult | ChunkPlan) -> bool:
    """Whether somebody, or a machine without memory, ended a program: that may pass."""
    refusal = done.refusal if isinstance(done, ClipResult) else None
    return refusal is not None and refusal.code is Detail.KILLED


def publish(result: ClipResult, run: Tools) -> None:
    """Hand the files of a clip to the store."""
    run.store.publish(file for clip in files_of(result) for file in (clip, still_of(clip)))


def _outcome(job: Job, run: Tools, chunk_s: int) -> ClipResult | ChunkPlan:
    found: tuple[Finding, ...] = ()
    identity = None
    try:
        _check_bytes(job)
        identity = identify.identify(job.original)
        if identity.format is not None:
            found = carriers.find(job.original, formats.reader_of)
        done = _begun(job, run, identity, chunk_s)
        if isinstance(done, ChunkPlan):
            return done.model_copy(update={"findings": found})
        return replace(done, findings=found)
    except Refused as outcome:
        refusal = outcome.refusal
    except ProgramFault as fault:
        refusal = fault.refusal
    except NotClean as fault:
        run.console.event("not-clean", sha256=job.sha256, problems=fault.problems)
        what = "; ".join(fault.problems[:3])
        refusal = Refusal(Reason.NOT_CLEAN, Detail.NOT_CLEAN, {"problems": what})
    except Exception as error:  # noqa: BLE001 - one clip's fault must not end the night
        # an exception's text could repeat what the file holds: only its kind and place are kept
        where = place_of_fault(error)
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


def _begun(
    job: Job, run: Tools, identity: identify.Identity, chunk_s: int
) -> ClipResult | ChunkPlan:
    if identity.refusal is not None:
        raise Refused(identity.refusal)
    assert identity.format is not None, "an archive is never a job"
    with made.scratch(run.workspace.clips / job.sha256) as scratch:
        seen, hearing = examined(job, run, identity.format, scratch)
        film = FilmSource(job.original, seen, scratch, job.recipe.max_source_seconds + 1)
        faces = face_search.found(run, film, job.recipe, job.found)
        plan = chunk_plan.planned(run.ffmpeg, film, hearing, chunk_s)
        if plan is not None:
            return plan.model_copy(update={"faces": faces})
        hidden = face_search.with_faces(job.recipe, faces)
        done = _repairing(replace(job, recipe=hidden), run, film, hearing)
    return accepted(job, run, done, faces)


def accepted(job: Job, run: Tools, done: Encoded, faces: FoundFaces | None) -> ClipResult:
    """Look at the finished files of a clip once more; return its outcome, without findings.

    :param faces: those that were found in the original.
    """
    seen, hidden = done.seen, face_search.with_faces(job.recipe, faces)
    clips = [
        MaskedClip(run.workspace.root / each.path, each, seen, hidden) for each in done.outputs
    ]
    warnings = (
        *cautions.of_faces(faces),
        *second_look.warnings(run, clips, job.recipe),
        *cautions.of_picture(seen, job.recipe, length_of(seen, job.recipe)),
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
    length = length_of(seen, job.recipe)
    if length > allowed:
        limit = round(allowed)
        raise Refused(
            Refusal(Reason.TOO_LONG, Detail.TOO_LONG, {"seconds": round(length), "allowed": limit})
        )
    seen = wholeness.examined(run.ffmpeg, job.original, seen)
    _admit(seen, job.recipe)
    return coloured(seen, job.original, run), hearing


def coloured(seen: Probe, path: Path, run: Tools) -> Probe:
    """Return the probe with the table that the colours have to go through, if any."""
    known = _profile(path, seen) if seen.still else None
    table = lut.table(seen.picture, known, still=seen.still)
    written = lut.written(table, run.workspace.cache) if table else None
    return replace(seen, picture=replace(seen.picture, table=written))


def _profile(path: Path, seen: Probe) -> Profile | None:
    if seen.picture.profile:
        return profile.understood(seen.picture.profile)
    return profile.profile(path, seen.format)


def _admit(seen: Probe, recipe: Recipe) -> None:
    """Refuse a file whose end is missing, where the configuration says so."""
    if seen.cut is not None and recipe.rejects_incomplete:
        raise Refused(wholeness.refusal(seen))


def length_of(seen: Probe, recipe: Recipe) -> float:
    """Return how long a clip is in seconds."""
    return recipe.still_seconds if seen.still else seen.length_s


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
        try:
            return _encode(job, run, film, replace(again, is_broken=True))
        except ProgramFailed as fault:
            if fault.may_pass:
                raise
    return _encode(job, run, film, Hearing(is_broken=True))


def correction_of(
    run: Tools, film: FilmSource, hearing: Hearing, recipe: Recipe
) -> Correction | None:
    """Measure how the sound of a film has to be corrected; None where there is none."""
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
    length, seen = length_of(film.probe, job.recipe), film.probe
    correction = correction_of(run, film, hearing, job.recipe)
    source = ClipSource(job.original, seen, job.recipe, correction, hearing.file)
    rate = None if seen.still else glance.rate_for(length)
    files = [
        ClipFiles.new(each, film, length)
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
        replace(verified(each, job, run), loudness_lufs=after.lufs, marks=marks) for each in files
    )
    for each, output in zip(files, outputs, strict=True):
        final = run.workspace.root / output.path
        each.movie.publish(final)
        each.still.publish(final.with_suffix(".jpg"))
    return Encoded(seen, outputs, small, ClipSound(hearing, correction, after))
