"""Make one verified clip of one original; runs in a worker thread and does not use the ledger.

identify → find → probe → measure → encode → verify → publish.  Whatever an input does, the
outcome is a ``ClipResult``: accepted with its files in place, or refused with a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import carriers, formats, judge, publishing
from pipeline.codecs import codec_of
from pipeline.errors import DiskFull, FootageError, NotClean, Refused, named, place_of
from pipeline.ffmpeg.faults import ProgramFailed
from pipeline.media import encode, identify, loudness, lut, probe, profile
from pipeline.media.caption import Strip
from pipeline.media.loudness import Loudness, SoundSource
from pipeline.media.timebase import samples_of
from pipeline.model import ClipOutput, ClipResult, Finding, Reason, Refusal, Status
from pipeline.process import cautions, glance, graph
from pipeline.process.graph import ClipSource, ClipTarget, GlanceTarget
from pipeline.process.recipe import Recipe
from pipeline.run import Run
from pipeline.texts import Detail


@dataclass(frozen=True)
class Job:
    """What is to be done: an original, its recipe, and the caption strip of each output.

    ``configurations`` is the decoder configuration that the clips of each output must have, by
    the output's name (see ``reference``).
    """

    sha256: str
    original: Path
    recipe: Recipe
    strips: tuple[Strip | None, ...]
    configurations: Mapping[str, str]


def make(job: Job, run: Run) -> ClipResult:
    """Make a clip, or say why there is none.

    :raises DiskFull: the disk is full; nothing about the clip is known then.
    :raises Stopping: the run is being stopped.
    """
    found: tuple[Finding, ...] = ()
    try:
        identity = identify.identify(job.original)
        if identity.format is not None:
            found = carriers.find(job.original, formats.reader_of)
        return replace(_accepted(job, run, identity), findings=found)
    except Refused as outcome:
        refusal = outcome.refusal
    except ProgramFailed as fault:
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


def _accepted(job: Job, run: Run, identity: identify.Identity) -> ClipResult:
    if identity.refusal is not None:
        raise Refused(identity.refusal)
    assert identity.format is not None, "an archive is never a job"
    recipe = job.recipe
    seen = probe.probe(run.ffmpeg, job.original, identity.format)
    length = recipe.still_seconds if seen.still else seen.length_s
    if length > recipe.max_source_seconds:
        allowed = round(recipe.max_source_seconds)
        raise Refused(
            Refusal(
                Reason.TOO_LONG, Detail.TOO_LONG, {"seconds": round(length), "allowed": allowed}
            )
        )
    correction = None
    if seen.sound is not None:
        options = graph.input_options(seen)
        sound = SoundSource(job.original, options, seen.sound.index, length)
        correction = loudness.correct(run.ffmpeg, sound, recipe.loudness_lufs)
    # the table that its colours have to go through, if any
    named = profile.profile(job.original, seen.format) if seen.still else None
    table = lut.table(seen.picture, named)
    path = lut.written(table, run.workspace.cache) if table else None
    seen = replace(seen, picture=replace(seen.picture, table=path))
    source = ClipSource(job.original, seen, recipe, correction)
    outputs, heard, glanced = _encode(job, run, source, length)
    return ClipResult(
        sha256=job.sha256,
        recipe=recipe.key,
        status=Status.ACCEPTED,
        clean=True,
        source=seen.source(),
        caption=recipe.caption,
        category=recipe.category,
        warnings=(
            *cautions.of_picture(seen, recipe, length),
            *glance.cautions(glanced),
            *cautions.of_sound(seen, recipe, correction, heard),
        ),
        outputs=outputs,
    )


def _encode(
    job: Job, run: Run, source: ClipSource, length: float
) -> tuple[tuple[ClipOutput, ...], Loudness, glance.Glance]:
    """Encode and verify the files of a clip, and publish them if all are as they must be.

    :returns: the files, and what was measured of their sound and pictures.
    """
    rate = None if source.probe.still else glance.rate_for(length)
    with publishing.scratch_folder(run.workspace.clips / job.sha256) as folder:
        targets = tuple(
            ClipTarget(
                output=output,
                frames=graph.frames_of(source.probe, length, output),
                strip=strip,
                movie=folder / f"{output.name}{codec_of(output).suffix}",
                still=folder / f"{output.name}.jpg",
            )
            for output, strip in zip(job.recipe.outputs, job.strips, strict=True)
        )
        glanced = GlanceTarget(folder / "glance", rate)
        strips = (strip.path for strip in job.strips if strip)
        printed = run.ffmpeg.make(
            "encode",
            graph.clip_graph(source, targets, glanced),
            reads=(job.original, *strips, *filter(None, [source.probe.picture.table])),
            scratch=folder,
            seconds=length * run.config.process.timeout_factor,
        )
        if not all(target.movie.exists() and target.movie.stat().st_size for target in targets):
            raise Refused(Refusal(Reason.CORRUPT, Detail.DECODING_FAILED))
        heard = loudness.parse(printed)
        seen = glance.read(glanced.path, rate)
        marks = glance.marks(seen)
        outputs = tuple(
            replace(_verified(target, job, run), loudness_lufs=heard.lufs, marks=marks)
            for target in targets
        )
        for target, output in zip(targets, outputs, strict=True):
            final = run.workspace.root / output.path
            publishing.publish(target.movie, final)
            publishing.publish(target.still, final.with_suffix(".jpg"))
        return outputs, heard, seen


def _verified(target: ClipTarget, job: Job, run: Run) -> ClipOutput:
    """Judge the files of an output; return what the ledger keeps of it.

    :raises NotClean: a file holds something that is not on the allow-list.
    :raises Refused: there is no picture in it, or it would not join other clips by copy.
    """
    output = target.output
    facts = codec_of(output).judge(target.movie, judge.Mp4Kind.CLIP)
    judge.judge_still(target.still)
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
        sha256=publishing.sha256_of(target.movie),
        width=output.width,
        height=output.height,
        fps=output.fps,
        frames=target.frames,
        duration_s=round(target.frames / output.fps, 3),
        loudness_lufs=None,
        extradata=facts.video.extradata,
    )
