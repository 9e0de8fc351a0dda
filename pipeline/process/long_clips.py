"""Clips that are made in chunks: which pieces are finished, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.model import ClipResult
from pipeline.process.chunk_plan import ChunkPlan, ClipPiece
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

    def files(self) -> list[FootageFile]:
        """The files of its finished pieces."""
        original = self.task.sha256
        return [file for n, piece in self.made.items() for file in piece.stored(original, n)]

    def _task(self, **more: object) -> ClipTask:
        return self.task.model_copy(update={"plan": self.plan, **more})


class LongClips:
    """The clips of a run that are made in chunks.

    If a piece can't be made, or the pieces do not fit, the clip is made in one piece.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._clips: dict[str, LongClip] = {}
        self._whole: set[str] = set()

    def follow(self, task: ClipTask, result: ClipStep) -> Sequence[ClipTask] | None:
        """Return the tasks that a result calls for; None if it is the outcome of a clip."""
        sha256 = task.sha256
        if isinstance(result, ChunkPlan):
            self._clips[sha256] = LongClip(task, result)
            return self._clips[sha256].tasks
        if task.part == "clip":
            self._whole.discard(sha256)
            return None
        if not self.is_wanted(task):
            if isinstance(result, ClipPiece):
                self._delete(result.stored(sha256, task.number))
            return ()
        clip = self._clips[sha256]
        if isinstance(result, ClipPiece):
            clip.made[task.number] = result
            return () if clip.joined is None else (clip.joined,)
        del self._clips[sha256]
        self._delete(clip.files())
        if isinstance(result, ClipResult):
            return None
        self._whole.add(sha256)
        return (clip.whole,)

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
