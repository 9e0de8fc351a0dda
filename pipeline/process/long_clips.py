"""Clips that are made in chunks: which pieces are finished, and what comes next."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.jobs.handout import Following
from pipeline.media import encode
from pipeline.model import ClipResult, Wait
from pipeline.process import chunk_plan
from pipeline.process.chunk_plan import ChunkPlan, ClipPiece
from pipeline.process.night import NightBudget
from pipeline.process.wire import ClipStep, ClipTask
from pipeline.removal import removed
from pipeline.run import Run
from pipeline.store import FootageFile


@dataclass(frozen=True)
class LongClip:
    """A clip that is made in chunks: its task, how it is made, and the pieces that are finished."""

    task: ClipTask
    plan: ChunkPlan
    made: dict[int, ClipPiece] = field(default_factory=dict)

    @property
    def tasks(self) -> list[ClipTask]:
        """The tasks of its pieces: the sound and the chunks."""
        last = len(self.plan.chunks)
        sound = self._task(part="sound", number=last)
        return [sound, *(self._task(part="chunk", number=number) for number in range(last))]

    @property
    def joined(self) -> ClipTask | None:
        """The task that joins the pieces; None while one is missing."""
        if len(self.made) <= len(self.plan.chunks):
            return None
        pieces = tuple(self.made[number] for number in range(len(self.made)))
        return self._task(part="join", pieces=pieces)

    @property
    def whole(self) -> ClipTask:
        """The task that makes it in one piece."""
        return self.task.model_copy(update={"chunk_s": 0})

    @property
    def room(self) -> int:
        """About how many bytes it still needs: the pieces that are missing, and the film."""
        length = chunk_plan.length_of(self.plan.facts)
        outputs = self.task.recipe.outputs
        film = sum(encode.usual_bytes(each, math.ceil(length * each.fps)) for each in outputs)
        missing = 1 - len(self.made) / (len(self.plan.chunks) + 1)
        return round(film * (1 + missing))

    def files(self) -> list[FootageFile]:
        """The files of its finished pieces."""
        original = self.task.sha256
        return [file for n, piece in self.made.items() for file in piece.stored(original, n)]

    def _task(self, **more: object) -> ClipTask:
        return self.task.model_copy(update={"plan": self.plan, **more})


class LongClips:
    """The clips of a run that are made in chunks.

    If a piece can't be made, or the pieces do not fit, the clip is made in one piece.  A clip for
    which the disk has no room is held back until another one is finished.
    """

    def __init__(self, run: Run, night: NightBudget) -> None:
        self._run, self._night = run, night
        self._clips: dict[str, LongClip] = {}
        self._held: list[LongClip] = []
        self._whole: set[str] = set()

    def follow(self, task: ClipTask, result: ClipStep) -> Following[ClipTask]:
        """Return the tasks that a result calls for, and whether it is the outcome of a clip."""
        sha256 = task.sha256
        if isinstance(result, ChunkPlan):
            self._held.append(LongClip(task, result))
            return Following(self._begin())
        if task.part == "clip":
            self._whole.discard(sha256)
            return Following(is_end=True)
        if not self.is_wanted(task):
            if isinstance(result, ClipPiece):
                self._delete(result.stored(sha256, task.number))
            return Following()
        clip = self._clips[sha256]
        if isinstance(result, ClipPiece):
            clip.made[task.number] = result
            self._night.keep_room(sha256, clip.room)
            return Following(() if clip.joined is None else (clip.joined,))
        del self._clips[sha256]
        self._night.release(sha256)
        self._delete(clip.files())
        if isinstance(result, ClipResult):
            return Following(self._go_on(), is_end=True)
        self._whole.add(sha256)
        return Following((clip.whole, *self._go_on()))

    def _go_on(self) -> list[ClipTask]:
        """Return the tasks of the clips that were held back, if there is time and room for them."""
        if self._night.is_over():
            self._leave(Wait.NIGHT_OVER)
        return self._begin()

    def _begin(self) -> list[ClipTask]:
        """Return the tasks of the clips that there is room for.

        What is still held back when no other clip is left waits for the next run.
        """
        begun = []
        for clip in [*self._held]:
            if self._night.has_room(clip.room):
                self._held.remove(clip)
                self._clips[clip.task.sha256] = clip
                self._night.keep_room(clip.task.sha256, clip.room)
                begun += clip.tasks
        if not self._clips:
            self._leave(Wait.DISK)
        return begun

    def _leave(self, why: Wait) -> None:
        """Leave the clips that are held back to the next run."""
        self._night.waits |= dict.fromkeys((clip.task.sha256 for clip in self._held), why)
        self._held.clear()

    def is_wanted(self, task: ClipTask) -> bool:
        """Whether a clip is still made in the chunks that a task is one of."""
        clip = self._clips.get(task.sha256)
        return clip is not None and clip.plan is task.plan

    def is_begun(self, task: ClipTask) -> bool:
        """Whether a task goes on with a clip that was begun in this run."""
        return task.part != "clip" or task.sha256 in self._whole

    def _delete(self, files: Iterable[FootageFile]) -> None:
        for file in files:
            removed(self._run.workspace.root / file.path)
            if self._run.store.is_beyond:
                self._run.store.delete(file.key)
