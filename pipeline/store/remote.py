"""Keeps footage in a bucket; a file is in the workspace folder only while it is worked on.

A file that is in the folder counts, whatever is in the bucket: it is either on its way there, or a
copy that was fetched.  It is deleted here only after the bucket has confirmed its bytes.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pipeline import publishing
from pipeline.errors import BytesChanged, FileMissing
from pipeline.removal import removed
from pipeline.store.bucket import PIECE, Bucket
from pipeline.store.files import CLIPS, FILMS, OWNER, PIECES, FootageFile, StoredObject
from pipeline.workspace import Workspace

T = TypeVar("T")

_SIDE_BY_SIDE = 4  # files that are sent or fetched at a time
_KEPT_HERE = (f"{FILMS}/", f"{PIECES}/")
_TRIES = 3  # to get the right bytes into the bucket, and out of it


@dataclass
class Traffic:
    """How many bytes were fetched from a bucket and sent to it."""

    fetched: int = 0
    sent: int = 0


@dataclass
class _Use:
    """How many threads use a file that is here, and whether it was fetched for them."""

    users: int = 0
    is_fetched: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class BucketStore:
    """A bucket with the workspace folder in front of it."""

    is_beyond = True

    def __init__(self, workspace: Workspace, bucket: Bucket) -> None:
        self.bucket, self.traffic = bucket, Traffic()
        self.root = workspace.root
        self._lock = threading.Lock()
        self._listed: set[str] = set()
        self._uses: defaultdict[FootageFile, _Use] = defaultdict(_Use)
        # the sizes of objects by their keys, by their folders: asking for each would be slow
        self._sizes: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def holds(self, file: FootageFile) -> bool:
        """Whether a file is here, or was in the bucket when it was listed."""
        if (self.root / file.path).exists():
            return True
        return file.key in self._known(file.folder)

    def size(self, file: FootageFile) -> int:
        """Return the number of bytes of a file."""
        with suppress(FileNotFoundError):
            return (self.root / file.path).stat().st_size
        with self._lock:
            size = self._sizes[file.folder].get(file.key)
        if size is None:
            size = self.bucket.size(file.key)
        if size is None:
            raise self._missing(file)
        with self._lock:
            self._sizes[file.folder][file.key] = size
        return size

    @contextmanager
    def at_hand(self, files: Iterable[FootageFile]) -> Iterator[None]:
        """Fetch what is not here, and delete it again when nobody uses it any more."""
        wanted = [*dict.fromkeys(files)]
        with self._lock:
            for file in wanted:
                self._uses[file].users += 1
        try:
            self._side_by_side(self._have, wanted)
            yield
        finally:
            for file in wanted:
                self._release(file)

    def publish(self, files: Iterable[FootageFile]) -> tuple[FootageFile, ...]:
        """Send what is here, wait for the bucket to confirm it, and delete it here.

        A film stays here too, because editors look for it here; a piece, because the next film
        needs it.
        """
        here = [file for file in files if (self.root / file.path).is_file()]
        sent = self._side_by_side(self._send, here)
        return tuple(file for file, done in zip(here, sent, strict=True) if not done)

    def pieces(self, file: FootageFile, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file."""
        with suppress(FileNotFoundError):
            yield from publishing.read_chunks(self.root / file.path, start, end)
            return
        size = self.size(file)
        end = size if end is None else min(end, size)
        yield from self._read(file.key, start, end)

    def beyond(self, folder: str) -> tuple[StoredObject, ...]:
        """What is in a folder of the bucket, and in the folders in it."""
        top = folder.partition("/")[0]
        if folder == f"{CLIPS}/":  # each run asks for it, and then for the files of each clip
            self._known(folder)
        with self._lock:
            if top in self._listed and (folder == f"{CLIPS}/" or folder.count("/") > 1):
                known = [self._sizes[folder]] if folder.count("/") > 1 else self._sizes.values()
                stored = [each for sizes in known for each in sizes.items()]
                return tuple(StoredObject(*each) for each in stored if each[0].startswith(folder))
        return tuple(self.bucket.listed(folder))

    def pieces_of(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of an object."""
        size = self.bucket.size(key)
        if size is None:
            raise FileMissing(f"{key} is not in the store {self.bucket.url}")
        yield from self._read(key, 0, size)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self.bucket.delete(key)
        with self._lock:
            self._sizes[f"{key.rpartition('/')[0]}/"].pop(key, None)

    def stop(self) -> None:
        """Try nothing again from now on."""
        self.bucket.stop()

    def try_writing(self) -> None:
        """Try whether this login may write into the bucket, if anybody has used that yet.

        :raises StoreError: the bucket does not answer, or refuses.
        """
        if self.bucket.size(OWNER) is not None:
            self.bucket.try_writing(OWNER)

    def _known(self, folder: str) -> dict[str, int]:
        """The sizes of the objects of a folder; the first question lists all such folders."""
        top = folder.partition("/")[0]
        with self._lock:
            if top not in self._listed:
                for each in self.bucket.listed(f"{top}/"):
                    self._sizes[f"{each.key.rpartition('/')[0]}/"][each.key] = each.size
                self._listed.add(top)
            return self._sizes[folder]

    def _have(self, file: FootageFile) -> None:
        """Fetch a file if it is not here; another thread that wants it too waits."""
        use = self._uses[file]
        with use.lock:
            if not (self.root / file.path).exists():
                use.is_fetched = True
                for attempt in range(1, _TRIES + 1):
                    try:
                        self._fetch(file)
                        break
                    except (BytesChanged, FileMissing):
                        if attempt == _TRIES:
                            raise

    def _release(self, file: FootageFile) -> None:
        """End a use of a file; the last one deletes what was fetched."""
        with self._lock:
            use = self._uses[file]
            use.users -= 1
            if not use.users:
                del self._uses[file]
                if use.is_fetched:
                    self._forget(file)

    def _fetch(self, file: FootageFile) -> None:
        """Fetch a file to its path; a still may be missing."""
        if file.is_still and file.key not in self._known(file.folder):
            return
        digest = hashlib.sha256()
        with publishing.new_file(self.root / file.path) as copy:
            for piece in self._read(file.key, 0, self.size(file)):
                digest.update(piece)
                copy.write(piece)
            if file.digest and digest.hexdigest() != file.digest:
                raise BytesChanged(file.key)

    def _send(self, file: FootageFile) -> bool:
        """Send a file; False if its bytes are not those of its name."""
        path = self.root / file.path
        sha256, size = publishing.sha256_of(path), path.stat().st_size
        if file.digest and sha256 != file.digest:
            return False
        self.put(file.key, path)
        with self._lock:
            self._sizes[file.folder][file.key] = size
        if not file.path.startswith(_KEPT_HERE):
            self._forget(file)
        return True

    def put(self, key: str, path: Path) -> None:
        """Send a file as an object, and have the bucket confirm its bytes.

        :raises BytesChanged: it gives other bytes back.
        """
        sha256, size = publishing.sha256_of(path), path.stat().st_size
        for attempt in range(_TRIES):
            is_new = self.bucket.put(key, path, replace=attempt > 0)
            self.traffic.sent += size if is_new else 0
            if (is_new and self.bucket.checks_bytes) or self.digest(key) == sha256:
                return
        raise BytesChanged(key)

    def digest(self, key: str) -> str:
        """The SHA-256 of what the bucket gives back; empty if that is nothing, or not all."""
        digest = hashlib.sha256()
        try:
            for piece in self.pieces_of(key):
                digest.update(piece)
        except (FileMissing, BytesChanged):
            return ""
        return digest.hexdigest()

    def _read(self, key: str, start: int, end: int) -> Iterator[bytes]:
        for at in range(start, end, PIECE):
            stop = min(at + PIECE, end)
            piece = self.bucket.read(key, at, stop)
            self.traffic.fetched += len(piece)
            if len(piece) != stop - at:
                raise BytesChanged(key)
            yield piece

    def _forget(self, file: FootageFile) -> None:
        """Delete a file here; the folder of a clip too, if nothing else is in it."""
        path = self.root / file.path
        removed(path)
        if file.path.startswith(f"{CLIPS}/"):
            with suppress(OSError):
                path.parent.rmdir()

    def _missing(self, file: FootageFile) -> FileMissing:
        return FileMissing(f"{file.key} is not in the store {self.bucket.url}")

    def _side_by_side(
        self, act: Callable[[FootageFile], T], files: Sequence[FootageFile]
    ) -> list[T]:
        """Do something with several files at a time; after an error no further one is begun."""
        if len(files) < 2:
            return [act(file) for file in files]
        with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="store") as pool:
            try:
                return list(pool.map(act, files))
            except BaseException as error:
                if not isinstance(error, Exception):
                    self.stop()
                pool.shutdown(cancel_futures=True)
                raise
