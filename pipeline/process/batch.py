"""Many clips at once: handed out to an engine, smallest first.

Small clips come first, so that a night that ends early has made as many as it can.  An original
that once broke a program, or kept it busy, comes last, so that no other clip has to wait for it.

Only the calling thread writes to the ledger.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pipeline.errors import ConfigError
from pipeline.ffmpeg import runner
from pipeline.jobs.handout import Dispatcher
from pipeline.ledger import Ledger
from pipeline.model import ClipResult, Reason, Refusal, Review, Status
from pipeline.process import chunk_plan, clip, lookalikes, making, recording, reference
from pipeline.process.belief import ClipRules
from pipeline.process.night import NightBudget
from pipeline.process.recipe import Recipe
from pipeline.process.wire import ClipTask
from pipeline.protection import FoundFaces
from pipeline.run import Run
from pipeline.store import files_of, original
from pipeline.store.files import CLIPS
from pipeline.texts import Detail


def make(run: Run, missing: Sequence[tuple[str, Recipe]], night: NightBudget) -> Counter[Status]:
    """Make clips and record what became of each; return how many came to which end.

    :param missing: originals, by SHA-256, each with its recipe.
    :param night: what the run has room for; it notes which clips wait.
    :raises DiskFull: the disk is full; what was made is recorded.
    :raises ConfigError: no font here can write the campaign's caption.
    """
    tasks, unwritable = _tasks(run, missing)
    for result in unwritable:
        run.ledger.clips.record(result)
    counts = Counter({Status.FAILED: len(unwritable)})
    if not tasks:
        return counts
    _delete_old_pieces(run, tasks)
    run.ledger.chain.note_program(*runner.build())
    sizes = {sha256: run.store.size(original(sha256)) for sha256 in tasks}
    troubled = run.ledger.clips.troubled()
    order = sorted(tasks, key=lambda sha256: (sha256 in troubled, sizes[sha256]))
    ordered = [tasks[sha256] for sha256 in order]
    begun, clips, frames = time.monotonic(), 0, 0
    # progress counts bytes of originals, since their number predicts the work better than clips
    with Dispatcher(run) as jobs, run.console.task("process", sum(sizes.values()), "B") as task:
        for result in _outcomes(jobs, ClipRules(run, night), ordered):
            if (kept := _last_copy(run, result)) is not None:
                hides = tasks[result.sha256].recipe.hides
                if any(output.hides != hides for output in kept.outputs):
                    recording.delete_shown(run, result.sha256)
                counts[result.status] += 1
                run.console.warn(
                    f"process: the original {result.sha256[:12]} does not have the bytes any more "
                    "that were received, so its clip stays as it was made before; see: footage "
                    "verify"
                )
                continue
            recording.record(run, result)
            counts[result.status] += 1
            why = result.refusal.reason if result.refusal else None
            run.console.event("clip", sha256=result.sha256, status=result.status, reason=why)
            clips, frames = clips + 1, frames + sum(output.frames for output in result.outputs)
            rate = frames / max(time.monotonic() - begun, 1e-3)
            line = f"{clips} of {len(tasks)} clips, {frames:,} frames, {rate:.0f} frames/s"
            task.advance(sizes[result.sha256], line)
    return counts


def _last_copy(run: Run, result: ClipResult) -> ClipResult | None:
    """Return the finished clip of an original that was damaged: it is all that is left of it."""
    if result.refusal is None or result.refusal.code is not Detail.ORIGINAL_CHANGED:
        return None
    before = run.ledger.clips.result(result.sha256)
    files = files_of(before) if before else ()
    return before if files and all(map(run.store.holds, files)) else None


def search(run: Run, unsearched: Sequence[tuple[str, Recipe]], night: NightBudget) -> None:
    """Look for faces in the originals of finished clips, and record what was found.

    What there is no time for is left to the next run.

    :param unsearched: originals, by SHA-256, each with the recipe of its clip.
    :raises DiskFull: the disk is full; what was found is recorded.
    """
    if not unsearched:
        return
    clips = run.ledger.clips.results()
    tasks = [
        ClipTask(
            sha256=sha256,
            key=wanted.key,
            recipe=wanted,
            configurations={},
            timeout_factor=run.config.process.timeout_factor,
            made=clips[sha256],
        )
        for sha256, wanted in unsearched
    ]
    rules = ClipRules(run, replace(night, waits={}))
    with Dispatcher(run) as jobs, run.console.task("faces", len(tasks), "clips") as task:
        for result in _outcomes(jobs, rules, tasks):
            run.ledger.clips.describe(result)
            task.advance(1, "")


def note_lookalikes(ledger: Ledger) -> None:
    """Record which clips look like one that was received before them, where that changed."""
    known = ledger.clips.results()
    made = [known[item.sha256] for item, _ in ledger.clips.candidates() if item.sha256 in known]
    clips = [result for result in made if result.outputs]
    reviews = ledger.reviews.current()
    marks = [_marks_of(clip, reviews.get(clip.sha256, Review())) for clip in clips]
    found = lookalikes.find(marks)
    for result in clips:
        other = found.get(result.sha256, "")[:12]  # empty: it was compared, and is like no other
        if other != result.looks_like:
            ledger.clips.describe(replace(result, looks_like=other))


def _marks_of(result: ClipResult, review: Review) -> lookalikes.ClipMarks:
    output, source = result.outputs[0], result.source
    masks = review.masks if output.hides else ()
    if output.faces and source is not None and source.faces is not None:
        masks += source.faces.masks
    length = source.duration_s if source else None
    return lookalikes.ClipMarks(result.sha256, output.marks, length, result.looks_like, masks)


def _tasks(
    run: Run, missing: Sequence[tuple[str, Recipe]]
) -> tuple[dict[str, ClipTask], list[ClipResult]]:
    """Return the clips to make, and the outcomes of those whose reviewer's words have no font.

    :raises ConfigError: no font here can write the campaign's own words.
    """
    writable: list[tuple[str, Recipe]] = []
    unwritable = []
    for sha256, wanted in missing:
        try:
            making.strips(run.workspace, wanted)
            writable.append((sha256, wanted))
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
    found = _found(run) if any(wanted.faces != "off" for _, wanted in writable) else {}
    tasks = {
        sha256: ClipTask(
            sha256=sha256,
            key=wanted.key,
            recipe=wanted,
            configurations=known,
            timeout_factor=run.config.process.timeout_factor,
            found=found.get(sha256),
        )
        for sha256, wanted in writable
    }
    return tasks, unwritable


def _found(run: Run) -> dict[str, FoundFaces]:
    """The faces that are known, by the SHA-256 of the original."""
    return {
        sha256: result.source.faces
        for sha256, result in run.ledger.clips.results().items()
        if result.source is not None and result.source.faces is not None
    }


def _outcomes(
    jobs: Dispatcher, rules: ClipRules, tasks: Sequence[ClipTask]
) -> Iterator[ClipResult]:
    for result in jobs.results(rules, tasks):
        assert isinstance(result, ClipResult), "what follows a plan or a piece is handed out"
        yield result


def _delete_old_pieces(run: Run, originals: Iterable[str]) -> None:
    """Delete the pieces of clips that a killed run left in the store; the sweep deletes others."""
    for sha256 in originals if run.store.is_beyond else ():
        for stored in run.store.beyond(f"{CLIPS}/{sha256}/"):
            if chunk_plan.is_piece(stored.key):
                run.store.delete(stored.key)
