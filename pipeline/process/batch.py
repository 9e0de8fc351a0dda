"""Many clips at once: made side by side, one thread each, smallest first.

What is small comes first, so that a night that ends early has made as many as it can.  An original
that broke, or kept busy, a program before comes last, so that it costs no other clip its turn.

Only the calling thread writes to the ledger.
"""

import contextlib
import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from pipeline.errors import ConfigError
from pipeline.ffmpeg import runner
from pipeline.ledger import Ledger
from pipeline.media import caption
from pipeline.media.caption import Strip
from pipeline.model import ClipResult, Reason, Refusal, Status
from pipeline.process import clip, lookalikes, reference
from pipeline.process.clip import Job
from pipeline.process.night import NightBudget
from pipeline.process.recipe import Recipe
from pipeline.publishing import PART
from pipeline.removal import removed
from pipeline.run import Run
from pipeline.store import files_of, original, still_of
from pipeline.texts import Detail
from pipeline.workspace import Workspace


def make(run: Run, missing: Sequence[tuple[str, Recipe]], night: NightBudget) -> Counter[Status]:
    """Make clips and record what became of each; return how many came to which end.

    :param missing: originals, by SHA-256, each with its recipe.
    :param night: what the run has room for; it notes which clips wait.
    :raises DiskFull: the disk is full; what was made is recorded.
    :raises ConfigError: no font here can write the campaign's caption.
    """
    jobs, unwritable = _jobs(run, missing)
    for result in unwritable:
        run.ledger.clips.record(result)
    counts = Counter({Status.FAILED: len(unwritable)})
    if not jobs:
        return counts
    run.ledger.chain.note_program(*runner.build())
    sizes = {job.sha256: run.store.size(original(job.sha256)) for job in jobs}
    troubled = run.ledger.clips.troubled()
    jobs.sort(key=lambda job: (job.sha256 in troubled, sizes[job.sha256]))
    begun, clips, frames = time.monotonic(), 0, 0
    # progress counts bytes of originals, since their number predicts the work better than clips
    with run.console.task("process", sum(sizes.values()), "B") as task:
        for result in _side_by_side(jobs, run, night):
            _tidy(run, result)
            run.ledger.clips.record(result)
            counts[result.status] += 1
            why = result.refusal.reason if result.refusal else None
            run.console.event("clip", sha256=result.sha256, status=result.status, reason=why)
            clips, frames = clips + 1, frames + sum(output.frames for output in result.outputs)
            rate = frames / max(time.monotonic() - begun, 1e-3)
            line = f"{clips} of {len(jobs)} clips, {frames:,} frames, {rate:.0f} frames/s"
            task.advance(sizes[result.sha256], line)
    return counts


def note_lookalikes(ledger: Ledger) -> None:
    """Record which clips look like one that was received before them, where that changed."""
    known = ledger.clips.results()
    made = [known[item.sha256] for item, _ in ledger.clips.candidates() if item.sha256 in known]
    found = lookalikes.find([_known(result) for result in made if result.outputs])
    for result in made:
        other = found.get(result.sha256, "")[:12] or None
        if other != result.looks_like:
            ledger.clips.describe(replace(result, looks_like=other))


def _known(result: ClipResult) -> lookalikes.ClipMarks:
    length = result.source.duration_s if result.source else None
    return lookalikes.ClipMarks(result.sha256, result.outputs[0].marks, length)


def _jobs(run: Run, missing: Sequence[tuple[str, Recipe]]) -> tuple[list[Job], list[ClipResult]]:
    """Return the clips to make, and the outcomes of those whose reviewer's words have no font.

    :raises ConfigError: no font here can write the campaign's own words.
    """
    writable: list[Job] = []
    unwritable = []
    for sha256, wanted in missing:
        try:
            strips = _strips(run.workspace, wanted)
            place = run.workspace.original(sha256)
            writable.append(Job(sha256, place, wanted, strips, configurations={}))
        except ConfigError as error:
            if not wanted.dictated:
                raise
            refusal = Refusal(Reason.INTERNAL, Detail.UNWRITABLE_CAPTION)
            if error.character:
                refusal = Refusal(
                    Reason.INTERNAL, Detail.UNWRITABLE_CHARACTER, {"character": error.character}
                )
            unwritable.append(clip.refused(sha256, wanted, refusal, ()))
    known = reference.decoder_configurations(run, run.config.output if writable else ())
    return [replace(job, configurations=known) for job in writable], unwritable


def _strips(workspace: Workspace, wanted: Recipe) -> tuple[Strip | None, ...]:
    appearance = (wanted.caption_position, wanted.caption_style)
    return tuple(
        caption.strip(workspace.cache, wanted.caption, (output.width, output.height), appearance)
        for output in wanted.outputs
    )


def _side_by_side(jobs: Sequence[Job], run: Run, night: NightBudget) -> Iterator[ClipResult]:
    """Yield the outcomes as they come; if anything ends the run, end every program first."""
    workers = run.config.process.workers or len(os.sched_getaffinity(0))
    waiting = deque(jobs)
    begun: dict[Future[ClipResult], Job] = {}
    ended: list[Future[ClipResult]] = []
    with ThreadPoolExecutor(workers, thread_name_prefix="clip") as pool:
        try:
            while waiting or begun or ended:
                while waiting and len(begun) < workers:
                    job = waiting.popleft()
                    if night.begin(job.sha256):
                        begun[pool.submit(clip.make, job, run)] = job
                # the workers go on while what ended is recorded
                yield from (future.result() for future in ended)
                ended = [*wait(begun, return_when=FIRST_COMPLETED).done]
                for future in ended:
                    night.end(begun.pop(future).sha256)
        except BaseException:
            run.ffmpeg.close()
            pool.shutdown(cancel_futures=True)
            raise


def _tidy(run: Run, result: ClipResult) -> None:
    """Remove what an earlier recipe left in the clip's folder, and beyond it in the store."""
    workspace = run.workspace
    folder = workspace.clips / result.sha256
    files = files_of(result)
    known = {file.key for clip in files for file in (clip, still_of(clip))}
    for stored in run.store.beyond(f"{workspace.relative(folder)}/"):
        if stored.key not in known:
            run.store.delete(stored.key)
    finals = {workspace.root / clip.path for clip in files}
    keep = finals | {path.with_suffix(".jpg") for path in finals}
    if folder.is_dir():
        # what can't be deleted is left to the sweep
        for path in {*folder.iterdir()} - keep:
            if path.suffix != PART:
                removed(path)
        if not keep:
            with contextlib.suppress(OSError):
                folder.rmdir()
