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
        """Delete what killed runs left in the folder.

        :raises StoreError: it can't be used.
        """
        self.url = url
        self._root = Path(unquote(urlsplit(url).path))
        self._incoming = self._root / _INCOMING
        with self._named():
            for path in self._incoming.iterdir() if self._incoming.is_dir() else ():
                if path.lstat().st_mtime < time.time() - _ABANDONED_S:
                    removed(path)

    def begin(self) -> None:
        """Make the folder.  Later it is never made: it may only not be mounted."""
        with self._named():
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._incoming.mkdir(mode=0o700, exist_ok=True)

    def overlaps(self, folder: Path) -> bool:
        """Whether one folder is in the other, also by a link or a second mount."""
        return _is_in(self._root, folder) or _is_in(folder, self._root)

    def put(self, key: str, file: Path, *, replace: bool = False) -> bool:
        """Copy a file beside the others, flush it, and give it its name in one step."""
        final = self._root / key
        part = self._incoming / f"{uuid.uuid4().hex}{publishing.PART}"
        with self._named():
            if not replace and final.exists():
                self._refuse_itself(final, file)
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

    def try_writing(self, key: str) -> None:
        """Write a file beside the others, as ``put`` does first, and delete it."""
        del key
        part = self._incoming / f"{uuid.uuid4().hex}{publishing.PART}"
        with self._named():
            part.touch(mode=0o600)
            part.unlink()

    def size(self, key: str) -> int | None:
        """The size of a file."""
        with self._named(), suppress(FileNotFoundError):
            found = (self._root / key).lstat()
            return found.st_size if stat.S_ISREG(found.st_mode) else None
        self._require()
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
        self._require()
        for place, _, names in os.walk(self._root / folder, onerror=self._refuse):
            for name in names:
                path = Path(place, name)
                if (size := self.size(key := path.relative_to(self._root).as_posix())) is not None:
                    yield StoredObject(key, size)

    def delete(self, key: str) -> None:
        """Delete a file, and its folder if that is empty then."""
        path = self._root / key
        self._require()
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

    def _require(self) -> None:
        """Ask whether the store is there: the empty folder of a mount looks like a store.

        :raises StoreError: it is not there.
        """
        if not self._incoming.is_dir():
            raise StoreError(
                f"the store {self.url} is not there (no folder {_INCOMING!r} is in it): is it "
                "mounted? Nothing is lost"
            )

    def _refuse(self, error: OSError) -> None:
        """Pass on a fault of a list; a folder that was just deleted is not a fault."""
        if not isinstance(error, FileNotFoundError):
            with self._named():
                raise error

    def _refuse_itself(self, final: Path, file: Path) -> None:
        """Refuse a file that is in the store already by its own path: it has no copy."""
        if final.samefile(file):
            raise StoreError(
                f"{file} is in the store {self.url} by its own path, so it would be deleted as a "
                "copy of itself. Choose a folder outside of the workspace as the store"
            )

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            self._require()
            raise FileMissing(f"a file is not in the store {self.url}") from error
        except OSError as error:
            raise StoreError(
                f"the store {self.url} can't be used: {reason_of(error)}; nothing is lost"
            ) from error


def _is_in(inner: Path, outer: Path) -> bool:
    """Whether a folder is in another one or is the same; either may not exist yet."""
    inner, outer = inner.resolve(), outer.resolve()
    above = [inner, *inner.parents]
    return outer in above or (
        outer.exists() and any(each.exists() and each.samefile(outer) for each in above)
    )
