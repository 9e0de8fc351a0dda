"""Cards and bridges as files: made by workers, checked here, cached, and copied into the store.

The cache has what a film needs beside its clips.  What is missing is fetched from the store, so a
new coordinator makes nothing again.  The rest is handed out (``jobs/handout``).  A file from a
worker or from the store is judged and hashed here before it gets its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from pipeline import publishing
from pipeline.config import Section
from pipeline.errors import BytesChanged, FileMissing, NotClean, StageError
from pipeline.ffmpeg import made
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.ffmpeg.made import MadeFile
from pipeline.jobs.handout import Following
from pipeline.jobs.wire import JobAnswer, JobTask, Sha256
from pipeline.model import Refusal
from pipeline.removal import removed
from pipeline.run import Run, Tools
from pipeline.store import PIECES, FootageFile, versions_of
from pipeline.store.delivery import delivered
from pipeline.workspace import Workspace

_SIDE_BY_SIDE = 4  # pieces that are fetched at a time


class MadePiece(Section):
    """A file that a worker has made: its path from the workspace, and its digest."""

    path: str
    sha256: Sha256


class PiecesAnswer(JobAnswer[tuple[MadePiece, ...]]):
    """The files of a task, in its order."""


@dataclass(frozen=True)
class WantedPiece:
    """A file that a film needs.

    ``most``: how many bytes it can have.  ``check`` judges it.
    """

    path: str
    most: int
    check: Callable[[BufferedReader], object]
    """:raises NotClean: it holds something that is not on the allow-list.
    :raises ProgramLied: it is another file than was asked for.
    """


class PiecesTask(JobTask):
    """A task that makes pieces."""

    @property
    def paths(self) -> tuple[str, ...]:
        """What it makes, from the workspace."""
        raise NotImplementedError

    @property
    def subject(self) -> str:
        """The first file."""
        return self.paths[0]


def missing(run: Run, wanted: Sequence[WantedPiece]) -> list[WantedPiece]:
    """Fetch pieces that are in the store and not in the cache; return those that are nowhere.

    :raises StoreError: the store does not answer.
    """
    here: list[WantedPiece] = []
    away: list[WantedPiece] = []
    for piece in wanted:
        is_here = publishing.is_cached(run.workspace.root / piece.path)
        (here if is_here else away).append(piece)
    if not run.store.is_beyond:
        return away
    stored = versions_of(each.key for each in run.store.beyond(f"{PIECES}/"))
    unsent = [run.workspace.root / piece.path for piece in here if piece.path not in stored]
    run.store.publish(_file(run.workspace, path) for path in unsent)
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="pieces") as pool:
        found = pool.map(lambda piece: _found(run, piece, stored.get(piece.path)), away)
        return [piece for piece, is_found in zip(away, found, strict=True) if not is_found]


def deliver(tools: Tools, task: PiecesTask, paths: Iterable[str]) -> PiecesAnswer:
    """Hand finished pieces over to the store, and answer with them."""
    files = [_file(tools.workspace, tools.workspace.root / path) for path in paths]
    tools.store.publish(files)
    if task.build:  # a worker keeps nothing
        for file in files:
            removed(tools.workspace.root / file.path)
    return PiecesAnswer(result=tuple(MadePiece(path=f.path, sha256=f.sha256) for f in files))


@dataclass(frozen=True)
class PieceRules:
    """What a run does with the pieces that workers make; see ``jobs/handout``."""

    run: Run
    wanted: Mapping[str, WantedPiece]
    counts: Counter[str] = field(default_factory=Counter)
    answer = PiecesAnswer

    def begin(self, task: PiecesTask) -> bool:
        """Begin at once: an editor waits for it."""
        del task
        return True

    def end(self, task: PiecesTask) -> None:
        """Do nothing: pieces have no limits of a night."""

    def possible(self, task: PiecesTask, result: tuple[MadePiece, ...]) -> dict[str, bool]:
        """Whether it is made of the files that were asked for."""
        return {"file": tuple(each.path for each in result) == task.paths}

    def take(self, task: PiecesTask, result: tuple[MadePiece, ...]) -> None:
        """Judge the files, and give them their names."""
        del task
        for each in result:
            file, piece = FootageFile(each.path, each.sha256), self.wanted[each.path]
            if self.run.store.is_beyond:
                _fetch(self.run, piece, file)
            else:
                _take(self.run, piece, file)

    def follow(self, task: PiecesTask, result: tuple[MadePiece, ...]) -> Following[PiecesTask]:
        """Return no task: each result is the end of its job."""
        del task, result
        return Following(is_end=True)

    def attempts(self, task: PiecesTask, lost: str) -> int:
        """Count an attempt of this run."""
        del lost
        self.counts[task.subject] += 1
        return self.counts[task.subject]

    def failed(self, task: PiecesTask, refusal: Refusal) -> tuple[MadePiece, ...]:
        """End the film, which needs it.

        :raises StageError: always.
        """
        raise StageError(
            f"a {task.kind} of the montage could not be made: {refusal.detail}. The old montage "
            "stays; see the log, then run again"
        )


def _file(workspace: Workspace, path: Path) -> FootageFile:
    return FootageFile(workspace.relative(path), publishing.sha256_of(path))


def _found(run: Run, piece: WantedPiece, file: FootageFile | None) -> bool:
    """Fetch a piece that was published before; one that can't be right is deleted there."""
    if file is None:
        return False
    try:
        _fetch(run, piece, file)
    except (ProgramLied, NotClean):
        return False
    return True


def _fetch(run: Run, piece: WantedPiece, file: FootageFile) -> None:
    """Fetch a piece from the store, judge it, and give it its name in the cache.

    :raises ProgramLied: the store has no such file; what it has instead is deleted.
    :raises NotClean: it holds something that is not on the allow-list; it is deleted.
    """
    try:
        with made.scratch(run.workspace.cache) as scratch:
            _copy(run, piece, file, scratch.place("piece"))
    except (BytesChanged, FileMissing) as error:
        run.store.delete(file.key)
        raise ProgramLied("a file with other bytes than it says") from error
    except (ProgramLied, NotClean):
        run.store.delete(file.key)
        raise


def _copy(run: Run, piece: WantedPiece, file: FootageFile, place: Path) -> None:
    if run.store.size(file) > piece.most:
        raise ProgramLied("a file larger than it can be")
    with place.open("xb") as copy:
        for data in run.store.pieces(file):
            copy.write(data)
    with closing(MadeFile(place, piece.most, is_new=False)) as part:
        _publish(run, part, piece, file)


def _take(run: Run, piece: WantedPiece, file: FootageFile) -> None:
    """Judge a piece that a worker left in the shared workspace, and give it its name."""
    path = run.workspace.root / delivered(file)
    with closing(MadeFile(path, piece.most, is_new=False)) as part:
        _publish(run, part, piece, file)


def _publish(run: Run, part: MadeFile, piece: WantedPiece, file: FootageFile) -> None:
    piece.check(part.file)
    if publishing.sha256_of(part.file) != file.sha256:
        raise ProgramLied("a file with other bytes than it says")
    final = run.workspace.root / piece.path
    final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part.publish(final)
