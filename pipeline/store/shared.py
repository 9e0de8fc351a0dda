"""A folder that several machines share, such as one on NFS, as a store."""

from __future__ import annotations

import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline import publishing
from pipeline.errors import FileMissing, StoreError, reason_of
from pipeline.removal import removed
from pipeline.store.files import ORIGINALS, StoredObject

_INCOMING = "incoming"
_ABANDONED_S = 3600  # the age from which a file in it has no writer any more


class SharedFolder:
    """A folder that only its owner can enter."""

    checks_bytes = False

    def __init__(self, url: str) -> None:
        """Make the folder if it does not exist, and delete what killed runs left in it.

        :raises StoreError: it can't be used.
        """
        self.url = url
        self._root = Path(unquote(urlsplit(url).path))
        self._incoming = self._root / _INCOMING
        with self._named():
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._incoming.mkdir(mode=0o700, exist_ok=True)
            for path in self._incoming.iterdir():
                if path.lstat().st_mtime < time.time() - _ABANDONED_S:
                    removed(path)

    def put(self, key: str, file: Path, *, replace: bool = False) -> bool:
        """Copy a file beside the others, flush it, and give it its name in one step."""
        final = self._root / key
        part = self._incoming / f"{uuid.uuid4().hex}{publishing.PART}"
        with self._named():
            if not replace and final.exists():
                return False
            # the mode does not count for folders that are made on the way
            for folder in reversed(Path(key).parents[:-1]):
                (self._root / folder).mkdir(mode=0o700, exist_ok=True)
            try:
                with file.open("rb") as source, part.open("xb") as copy:
                    os.fchmod(copy.fileno(), 0o600)
                    shutil.copyfileobj(source, copy, 1 << 20)
                    copy.flush()
                    os.fsync(copy.fileno())
                if replace:
                    part.replace(final)
                else:
                    os.link(part, final)  # the only step of NFS that refuses a name in use
                publishing.flush_folder(final.parent)
            except FileExistsError:
                return False
            finally:
                part.unlink(missing_ok=True)
        return True

    def size(self, key: str) -> int | None:
        """The size of a file."""
        with self._named(), suppress(FileNotFoundError):
            found = (self._root / key).lstat()
            return found.st_size if stat.S_ISREG(found.st_mode) else None
        return None

    def read(self, key: str, start: int, end: int) -> bytes:
        """Read a part of a file."""
        with self._named():
            handle = os.open(self._root / key, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                file.seek(start)
                return file.read(end - start)

    def listed(self, folder: str) -> Iterator[StoredObject]:
        """List the files below a folder."""
        for place, _, names in os.walk(self._root / folder):
            for name in names:
                path = Path(place, name)
                if (size := self.size(key := path.relative_to(self._root).as_posix())) is not None:
                    yield StoredObject(key, size)

    def delete(self, key: str) -> None:
        """Delete a file, and its folder if that is empty then."""
        path = self._root / key
        with self._named():
            path.unlink(missing_ok=True)
            if not key.startswith(f"{ORIGINALS}/"):  # another machine may just use that folder
                with suppress(OSError):
                    path.parent.rmdir()

    def stop(self) -> None:
        """Do nothing: no step is tried again."""

    def faults(self, folder: str) -> Iterator[str]:
        """Ask who can enter the folder."""
        del folder
        with self._named():
            found = self._root.stat()
        if found.st_uid != os.geteuid():
            yield "it belongs to another user"
        if found.st_mode & 0o077:
            yield f"others can enter it: chmod 700 {self._root}"

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise FileMissing(f"a file is not in the store {self.url}") from error
        except OSError as error:
            raise StoreError(
                f"the store {self.url} can't be used: {reason_of(error)}; nothing is lost"
            ) from error
