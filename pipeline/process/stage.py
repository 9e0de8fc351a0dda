"""``footage process``: every original without a finished clip gets one, or a reason.

What is to do is what the ledger knows minus what is done under the same recipe.  Clips run
side by side, one thread each, longest first; this thread alone writes to the ledger.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.late import late
from pipeline.ledger import Ledger
from pipeline.model import ClipResult, Reason, Refusal, Review, Status
from pipeline.process import recipe
from pipeline.process.progress import Progress
from pipeline.process.recipe import Recipe
from pipeline.run import Run
from pipeline.texts import Detail
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.media import caption
    from pipeline.process import clip, lookalikes
else:
    caption = late("pipeline.media.caption")
    clip, lookalikes = late("pipeline.process.clip"), late("pipeline.process.lookalikes")


@dataclass(frozen=True)
class ProcessSummary:
    """How many clips of this run came to which end."""

    accepted: int = 0
    rejected: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """All of them."""
        return self.accepted + self.rejected + self.failed


@dataclass(frozen=True)
class Plan:
    """What is to be done: originals (by SHA-256) with their recipes.

    ``agreed`` is the decoder configuration that the finished clips of each output share;
    ``renamed`` are finished clips whose category has another name now, and no other hashtags.
    """

    missing: tuple[tuple[str, Recipe], ...]
    agreed: dict[str, str]
    renamed: tuple[ClipResult, ...] = ()


def run(run: Run, only: Collection[str] | None = None) -> ProcessSummary:
    """Make what is missing.

    :param only: the originals to look at; None for all.
    :raises DiskFull: the disk is full; what was made is recorded.
    :raises ConfigError: the campaign's caption can't be written with any font here.
    """
    config, ledger, workspace = run.config, run.ledger, run.workspace
    todo = plan(config, ledger, workspace, only)
    for result in todo.renamed:
        ledger.clips.record(result)
    jobs, unwritable = _jobs(todo, workspace)
    for result in unwritable:
        ledger.clips.record(result)
    if not jobs:
        if _likeness_outlived(ledger):
            _note_lookalikes(ledger)
        return ProcessSummary(failed=len(unwritable))
    # longest first, so that no worker is left alone with the longest at the end
    sizes = {job.sha256: job.original.stat().st_size for job in jobs}
    jobs.sort(key=lambda job: -sizes[job.sha256])
    shop = clip.Shop(config, workspace, run.ffmpeg, run.console, todo.agreed)
    counts = Counter({Status.FAILED: len(unwritable)})
    progress = Progress(len(jobs))
    begun = time.monotonic()
    # counted in bytes of originals, which tell better than clips how much work is left
    with run.console.task("process", sum(sizes.values()), "B") as task:
        for result in _side_by_side(jobs, shop, _workers(config)):
            _tidy(workspace, result)
            ledger.clips.record(result)
            counts[result.status] += 1
            run.console.event(
                "clip",
                sha256=result.sha256,
                status=result.status,
                reason=result.refusal.reason if result.refusal else None,
            )
            progress = progress.after(sum(output.frames for output in result.outputs))
            task.advance(sizes[result.sha256], progress.line(time.monotonic() - begun))
    _note_lookalikes(ledger)
    return ProcessSummary(counts[Status.ACCEPTED], counts[Status.REJECTED], counts[Status.FAILED])


def plan(
    config: Config, ledger: Ledger, workspace: Workspace, only: Collection[str] | None = None
) -> Plan:
    """The clips that are not as they must be and can be made: their original is still there."""
    known = ledger.clips.results()
    reviews = ledger.reviews.current()
    missing, renamed = [], []
    agreed: dict[str, str] = {}
    for item, submission in ledger.clips.candidates():
        sha256 = item.sha256 or ""
        wanted = recipe.choose(config, item, submission, reviews.get(sha256, Review()))
        result = known.get(sha256)
        if result is not None and _done(result, wanted, workspace):
            agreed |= {output.name: output.extradata for output in result.outputs}
            if result.category != wanted.category:
                renamed.append(replace(result, category=wanted.category))
        elif (only is None or sha256 in only) and workspace.original(sha256).exists():
            missing.append((sha256, wanted))
    return Plan(tuple(missing), agreed, tuple(renamed))


def _done(result: ClipResult, wanted: Recipe, workspace: Workspace) -> bool:
    if result.status is Status.REJECTED:
        return result.recipe == wanted.refusal_key
    length = result.source.duration_s if result.source else None
    if result.recipe != wanted.key or (length or 0) > wanted.max_source_seconds:
        return False
    return all((workspace.root / output.path).exists() for output in result.outputs)


def _jobs(todo: Plan, workspace: Workspace) -> tuple[list[clip.Job], list[ClipResult]]:
    """What there is to do, and the clips whose reviewer wants words that no font here has.

    :raises ConfigError: the campaign's own words can't be written.
    """
    jobs, unwritable = [], []
    for sha256, wanted in todo.missing:
        try:
            strips = _strips(workspace, wanted)
        except ConfigError:
            if not wanted.dictated:
                raise
            refusal = Refusal(Reason.INTERNAL, Detail.UNWRITABLE_CAPTION)
            unwritable.append(clip.refused(sha256, wanted, refusal, ()))
        else:
            jobs.append(clip.Job(sha256, workspace.original(sha256), wanted, strips))
    return jobs, unwritable


def _strips(workspace: Workspace, wanted: Recipe) -> tuple[caption.Strip | None, ...]:
    return tuple(
        caption.strip(
            workspace.cache,
            wanted.caption,
            output.width,
            output.height,
            position=wanted.caption_position,
            style=wanted.caption_style,
        )
        for output in wanted.outputs
    )


def _workers(config: Config) -> int:
    return config.process.workers or len(os.sched_getaffinity(0))


def _side_by_side(jobs: list[clip.Job], shop: clip.Shop, workers: int) -> Iterator[ClipResult]:
    """The outcomes as they come; if anything ends the run, every program is ended first."""
    with ThreadPoolExecutor(workers, thread_name_prefix="clip") as pool:
        futures: list[Future[ClipResult]] = [pool.submit(clip.make, job, shop) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            shop.ffmpeg.close()
            pool.shutdown(cancel_futures=True)
            raise


def _likeness_outlived(ledger: Ledger) -> bool:
    """Whether a clip is noted as like one that is gone, as after a withdrawal."""
    clips = ledger.clips.results().values()
    there = {result.sha256[:12] for result in clips if result.outputs}
    return not {result.looks_like for result in clips if result.looks_like} <= there


def _note_lookalikes(ledger: Ledger) -> None:
    """Write down which clips look like one that was received before them, where that changed."""
    known = ledger.clips.results()
    made = [known[item.sha256] for item, _ in ledger.clips.candidates() if item.sha256 in known]
    found = lookalikes.find([_known(result) for result in made if result.outputs])
    for result in made:
        other = found.get(result.sha256, "")[:12] or None
        if other != result.looks_like:
            ledger.clips.record(replace(result, looks_like=other))


def _known(result: ClipResult) -> lookalikes.Known:
    length = result.source.duration_s if result.source else None
    return lookalikes.Known(result.sha256, result.outputs[0].marks, length)


def _tidy(workspace: Workspace, result: ClipResult) -> None:
    """Remove what an earlier recipe left in the clip's folder."""
    folder = workspace.clips / result.sha256
    keep = {f"{output.name}{suffix}" for output in result.outputs for suffix in (".mp4", ".jpg")}
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name not in keep:
                path.unlink()
        if not keep:
            folder.rmdir()
