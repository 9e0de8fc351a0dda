"""Stream the clips of a film out of a store: only a few of them are on the disk at a time.

FFmpeg reads each clip once, in order, through a named pipe (fifo(7)), so it needs no network and no
other file.  Clips are fetched a little ahead of where the film is joined, and deleted behind it.
Pictures and sound are read by two programs; both get a clip from the same copy.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pipeline import publishing
from pipeline.errors import FootageError, StageError, Stopping, named
from pipeline.render.cuts import CutPlan, Stretch
from pipeline.run import Run
from pipeline.store import FootageFile, FootageStore

# One of the two programs may have to be ahead of the other by a second of the film, because FFmpeg
# looks at the beginning of a stream first.  So there are many clips if they are short.
_MOST_CLIPS = 64
_MOST_BYTES = 512_000_000
_FEWEST_CLIPS = 3
_FETCHERS = 4
_PIECE = 1 << 20


@dataclass(frozen=True)
class FilmFiles:
    """Where the programs that join a film find its files.

    ``pictures`` and ``sound`` have the path of each clip that is streamed, by its path in the
    workspace.  ``reads``: what the programs may read.  ``stop`` lets no program wait for a file any
    longer.
    """

    root: Path
    reads: tuple[Path, ...]
    pictures: Mapping[str, Path] = field(default_factory=dict)
    sound: Mapping[str, Path] = field(default_factory=dict)
    stop: Callable[[], object] = lambda: None

    @contextmanager
    def until_one_fails(self) -> Iterator[None]:
        """Run one of the programs in the block; if it fails, the other one waits no longer.

        It might wait for a clip that comes only when the first one has read what is before it.
        """
        try:
            yield
        except BaseException:
            self.stop()
            raise

    @property
    def is_streamed(self) -> bool:
        """Whether a program may have to wait for a file."""
        return bool(self.sound)

    def picture(self, path: str) -> Path:
        """Where the pictures of a file are read."""
        return self.pictures.get(path, self.root / path)

    def heard(self, path: str) -> Path:
        """Where the sound of a file is read."""
        return self.sound.get(path, self.root / path)


@contextmanager
def opened(run: Run, plan: CutPlan) -> Iterator[FilmFiles]:
    """Have the clips of a film at hand while the block runs: in their folder, or as streams.

    :raises StoreError: the store does not answer, or gave other bytes than it was given.
    """
    workspace = run.workspace
    if not run.store.is_beyond:
        yield FilmFiles(workspace.root, (workspace.clips, workspace.cache))
        return
    clips = [segment for segment in plan.film.segments if segment.sha256]
    files = [FootageFile(clip.path, clip.content) for clip in clips]
    copied = {piece.segment.path for piece in plan.pieces if isinstance(piece, Stretch)}
    readers = ([file for file in files if file.path in copied], files)
    with publishing.scratch_folder(workspace.cache) as folder, ExitStack() as begun:
        window = ClipWindow(run.store, files, Counter(each for some in readers for each in some))
        begun.enter_context(window)
        pipes = []
        for number, reader in enumerate(readers):
            named = {file: folder / f"{number}-{at}.mp4" for at, file in enumerate(reader)}
            begun.enter_context(Feeder(window, named))
            pipes.append({file.path: path for file, path in named.items()})
        try:
            pictures, heard = pipes
            yield FilmFiles(workspace.root, (folder, workspace.cache), pictures, heard, window.end)
        except StageError as fault:
            # a program that gets no more bytes fails too, but it is not the cause
            if window.error is not None:
                raise window.error from fault
            raise


class ClipWindow:
    """Clips in order, of which a few are on the disk: from the last reader to a little ahead."""

    def __init__(
        self, store: FootageStore, files: Sequence[FootageFile], uses: Mapping[FootageFile, int]
    ) -> None:
        """*uses*: how many readers each file has, one at least."""
        self.error: FootageError | None = None
        self._store, self._files, self._left = store, files, {**uses}
        self._changed = threading.Condition()
        self._next = self._bytes = 0
        self._held: dict[FootageFile, ExitStack] = {}
        self._begun: set[FootageFile] = set()
        self._is_over = False
        self._threads = [
            threading.Thread(target=self._fetch_all, name="clip-fetcher") for _ in range(_FETCHERS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        for thread in self._threads:
            thread.join()
        for held in self._held.values():
            held.close()

    @contextmanager
    def at_hand(self, file: FootageFile) -> Iterator[Path]:
        """Wait for a file, and give it to a reader; after the last reader it is deleted.

        :raises Stopping: it does not come any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: file in self._held or self._is_over)
            if file not in self._held:
                raise Stopping
        try:
            yield self._store.root / file.path
        finally:
            with self._changed:
                self._left[file] -= 1
                if not self._left[file]:
                    self._held.pop(file).close()
                    self._begun.remove(file)
                    self._bytes -= self._store.size(file)
                    self._changed.notify_all()

    def _fetch_all(self) -> None:
        try:
            while (file := self._taken()) is not None:
                held = ExitStack()
                held.enter_context(self._store.at_hand([file]))
                with self._changed:
                    self._held[file] = held
                    self._changed.notify_all()
        except Exception as error:  # noqa: BLE001 - whatever it is, the readers may not wait
            self.end(named(error))

    def _taken(self) -> FootageFile | None:
        """The next file to fetch, as soon as there is room for it; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._has_room)
            if self._is_over or self._next == len(self._files):
                return None
            file = self._files[self._next]
            self._next += 1
            self._begun.add(file)
            self._bytes += self._store.size(file)
            return file

    @property
    def _has_room(self) -> bool:
        if self._next == len(self._files) or len(self._begun) < _FEWEST_CLIPS:
            return True
        size = self._store.size(self._files[self._next])
        return len(self._begun) < _MOST_CLIPS and self._bytes + size <= _MOST_BYTES

    def end(self, error: FootageError | None = None) -> None:
        """Fetch no more, and let no reader wait any longer; *error* is why."""
        with self._changed:
            self.error = self.error or error
            self._is_over = True
            self._changed.notify_all()


class Feeder:
    """Writes clips into pipes, one after the other, in a thread."""

    def __init__(self, window: ClipWindow, pipes: Mapping[FootageFile, Path]) -> None:
        for pipe in pipes.values():
            os.mkfifo(pipe, 0o600)
        self._window, self._pipes = window, pipes
        self._pipe: Path | None = None  # that is opened next or now
        self._opened = threading.Event()  # the pipe has a reader, or no other is opened
        self._is_over = False
        self._thread = threading.Thread(target=self._feed, name="clip-feeder")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread; it may wait for a program that is gone, to open a pipe or to read it.

        A reader lets it open the pipe.  Without any reader it can't write, and ends.
        """
        self._is_over = True
        self._window.end()
        if self._pipe is not None:
            reader = os.open(self._pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._opened.wait()
            os.close(reader)
        self._thread.join()

    def _feed(self) -> None:
        try:
            self._feed_all()
        finally:
            self._opened.set()

    def _feed_all(self) -> None:
        for file, pipe in self._pipes.items():
            # set before the check, so that __exit__ can open the pipe that this thread waits at
            self._opened.clear()
            self._pipe = pipe
            if self._is_over:
                return
            with contextlib.suppress(BrokenPipeError), pipe.open("wb") as stream:
                self._opened.set()
                if self._is_over:
                    return
                try:
                    with self._window.at_hand(file) as path, path.open("rb") as clip:
                        shutil.copyfileobj(clip, stream, _PIECE)
                except Stopping:
                    return
        self._pipe = None
