"""One original's way to a verified clip; runs in a worker thread and touches no ledger.

identify → find → probe → measure → encode → verify → publish.  Whatever an input does, the
outcome is a ``ClipResult``: accepted with its files in place, or refused with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import carriers, formats, judge, publishing
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import FootageError, NotClean, Refused, place_of
from pipeline.ffmpeg import faults
from pipeline.ffmpeg.runner import FfmpegRunner, ProgramResult, program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.media import encode, identify, loudness, lut, probe, profile
from pipeline.media.caption import Strip
from pipeline.model import ClipOutput, ClipResult, Finding, Reason, Refusal, Status
from pipeline.process import cautions, glance, graph
from pipeline.process.recipe import Recipe
from pipeline.texts import Detail
from pipeline.workspace import Workspace

_MIN_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Job:
    """What is to be done: an original, its recipe, and the caption strip of each output."""

    sha256: str
    original: Path
    recipe: Recipe
    strips: tuple[Strip | None, ...]


@dataclass(frozen=True)
class Shop:
    """What a worker works with.

    ``agreed`` holds, by output, the decoder configuration that all its clips share; the
    first clip of an output sets it.
    """

    config: Config
    workspace: Workspace
    ffmpeg: FfmpegRunner
    console: Console
    agreed: dict[str, str]


@dataclass(frozen=True)
class _Made:
    """The files of a clip before they are published."""

    outputs: tuple[ClipOutput, ...]
    parts: tuple[tuple[Path, Path], ...]
    measured: loudness.Measured
    seen: glance.Glance


def make(job: Job, shop: Shop) -> ClipResult:
    """Make a clip, or say why there is none.

    :raises DiskFull: the disk is full; nothing about the clip is known then.
    :raises Stopping: the run is being stopped.
    """
    found: tuple[Finding, ...] = ()
    try:
        identity = identify.identify(job.original)
        if identity.format is not None:
            found = carriers.find(job.original, formats.reader_of)
        return replace(_accepted(job, shop, identity), findings=found)
    except Refused as outcome:
        refusal = outcome.refusal
    except NotClean as fault:
        shop.console.event("not-clean", sha256=job.sha256, problems=fault.problems)
        kinds = "; ".join(fault.problems[:3])
        refusal = Refusal(Reason.NOT_CLEAN, Detail.NOT_CLEAN, {"problems": kinds})
    except FootageError:
        raise
    except Exception as error:  # noqa: BLE001 - one clip's fault must not end the night
        # an exception's text could repeat what the file holds: only its kind and place are kept
        where = place_of(error)
        shop.console.event("internal", sha256=job.sha256, where=where)
        refusal = Refusal(Reason.INTERNAL, Detail.PROGRAM_FAILED, {"place": where})
    return refused(job.sha256, job.recipe, refusal, found)


def refused(
    sha256: str, wanted: Recipe, refusal: Refusal, found: tuple[Finding, ...]
) -> ClipResult:
    """The outcome for an original of which there is no clip."""
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


def _accepted(job: Job, shop: Shop, identity: identify.Identity) -> ClipResult:
    if identity.refusal is not None:
        raise Refused(identity.refusal)
    assert identity.format is not None, "an archive is never a job"
    seen = probe.probe(shop.ffmpeg, job.original, identity.format)
    length = job.recipe.still_seconds if seen.still else seen.length_s
    if length > job.recipe.max_source_seconds:
        raise Refused(
            Refusal(
                Reason.TOO_LONG,
                Detail.TOO_LONG,
                {"seconds": round(length), "allowed": round(job.recipe.max_source_seconds)},
            )
        )
    correction = None
    if seen.sound is not None:
        correction = loudness.correct(
            shop.ffmpeg,
            job.original,
            graph.input_arguments(seen),
            seen.sound.index,
            seconds=length,
            target_lufs=job.recipe.loudness_lufs,
        )
    seen = replace(seen, picture=_with_table(job, shop, seen))
    made = _encode(job, shop, seen, correction, length)
    return ClipResult(
        sha256=job.sha256,
        recipe=job.recipe.key,
        status=Status.ACCEPTED,
        clean=True,
        source=seen.source(),
        caption=job.recipe.caption,
        category=job.recipe.category,
        warnings=(
            *cautions.of_picture(seen, job.recipe, length),
            *glance.cautions(made.seen),
            *cautions.of_sound(seen, job.recipe, correction, made.measured),
        ),
        outputs=made.outputs,
    )


def _with_table(job: Job, shop: Shop, seen: probe.Probe) -> probe.Picture:
    """The picture with the table that its colours have to go through, if any."""
    named = profile.profile(job.original, seen.format) if seen.still else None
    table = lut.table(seen.picture, named)
    path = lut.written(table, shop.workspace.cache) if table else None
    return replace(seen.picture, table=path)


def _encode(
    job: Job,
    shop: Shop,
    seen: probe.Probe,
    correction: loudness.Correction | None,
    length: float,
) -> _Made:
    """The one encode, its verification, and the publishing of what passed."""
    rate = None if seen.still else glance.rate_for(length)
    wall = max(_MIN_TIMEOUT_S, length * shop.config.process.timeout_factor)
    with publishing.scratch_folder(shop.workspace.clips / job.sha256) as place:
        targets = tuple(
            graph.Target(
                output=output,
                frames=graph.frames_of(seen, length, output),
                strip=strip,
                movie=publishing.part_path(place / f"{output.name}.mp4"),
                still=publishing.part_path(place / f"{output.name}.jpg"),
            )
            for output, strip in zip(job.recipe.outputs, job.strips, strict=True)
        )
        look = graph.Look(publishing.part_path(place / "look"), rate)
        strips = tuple(target.strip.path for target in targets if target.strip)
        tables = (seen.picture.table,) if seen.picture.table else ()
        cell = Permissions(
            reads=(job.original, *strips, *tables),
            writes=(place,),
            limits=Limits(wall_s=wall, cpu_s=int(wall * 4)),
        )
        wanted = graph.arguments(job.original, seen, job.recipe, correction, targets, look)
        ended = shop.ffmpeg.run("encode", [program(), *wanted], cell)
        _gate(ended, targets, wall)
        glanced = glance.read(look.path, rate)
        made = _verified(job.sha256, targets, shop, loudness.read(ended.stdout), glanced)
        for part, final in made.parts:
            publishing.publish(part, final)
        return made


def _gate(ended: ProgramResult, targets: tuple[graph.Target, ...], wall: float) -> None:
    """Turn a failed encode into the reason that its row shows."""
    faults.look(ended, wall)
    whole = all(t.movie.exists() and t.movie.stat().st_size for t in targets)
    if not ended.ok or not whole:
        if not ended.said:
            raise Refused(Refusal(Reason.CORRUPT, Detail.DECODING_FAILED))
        phrase = ended.said[0]  # from the runner's list of phrases, never a decoder's free text
        raise Refused(Refusal(Reason.CORRUPT, Detail.DECODING_FAILED_SAID, {"phrase": phrase}))


def _verified(
    sha256: str,
    targets: tuple[graph.Target, ...],
    shop: Shop,
    measured: loudness.Measured,
    seen: glance.Glance,
) -> _Made:
    outputs, parts = [], []
    marks = glance.marks(seen)
    for target in targets:
        output = target.output
        facts = judge.judge_clip(target.movie)
        judge.judge_jpeg(target.still)
        samples = encode.samples_of(target.frames, output.fps)
        lossless = next(sound for sound in facts.audio if sound.codec == "alac")
        agreed = shop.agreed.setdefault(output.name, facts.video.extradata)
        exact = (
            facts.video.frames == target.frames
            and facts.video.ticks_per_frame == encode.TICKS
            and facts.video.timescale == output.fps * encode.TICKS
            and (facts.video.width, facts.video.height) == (output.width, output.height)
            and lossless.samples == samples
            and facts.video.extradata == agreed
        )
        if facts.video.frames == 0:
            raise Refused(Refusal(Reason.CORRUPT, Detail.UNDECODABLE))
        if not exact:
            raise Refused(Refusal(Reason.INTERNAL, Detail.NOT_JOINABLE))
        final = shop.workspace.clip(sha256, output.name)
        parts += [(target.movie, final), (target.still, final.with_suffix(".jpg"))]
        outputs.append(
            ClipOutput(
                name=output.name,
                path=shop.workspace.relative(final),
                sha256=publishing.sha256_of(target.movie),
                width=output.width,
                height=output.height,
                fps=output.fps,
                frames=target.frames,
                duration_s=round(target.frames / output.fps, 3),
                loudness_lufs=measured.loudness_lufs,
                extradata=facts.video.extradata,
                marks=marks,
            )
        )
    return _Made(tuple(outputs), tuple(parts), measured, seen)
