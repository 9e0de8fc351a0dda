"""The default store: the workspace folder itself, without any copy."""

import stat
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext

from pipeline import publishing
from pipeline.errors import FileMissing
from pipeline.store.files import FootageFile, StoredObject
from pipeline.workspace import Workspace


class WorkspaceFolder:
    """Keeps all footage in the workspace folder; nothing is beyond it."""

    is_beyond = False

    def __init__(self, workspace: Workspace) -> None:
        self.root = workspace.root

    def holds(self, file: FootageFile) -> bool:
        """Whether a file is there."""
        return (self.root / file.path).exists()

    def size(self, file: FootageFile) -> int:
        """Return the number of bytes of a file."""
        try:
            found = (self.root / file.path).lstat()
        except FileNotFoundError as error:
            raise FileMissing(f"{file.path} is not in the workspace") from error
        if not stat.S_ISREG(found.st_mode):
            raise FileMissing(f"{file.path} is not a file")
        return found.st_size

    def at_hand(self, files: Iterable[FootageFile]) -> AbstractContextManager[None]:
        """Do nothing: every file is at hand."""
        del files
        return nullcontext()

    def publish(self, files: Iterable[FootageFile]) -> tuple[FootageFile, ...]:
        """Do nothing: a file in the workspace folder is published."""
        del files
        return ()

    def pieces(self, file: FootageFile, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file."""
        return publishing.read_chunks(self.root / file.path, start, end)

    def beyond(self, folder: str) -> tuple[StoredObject, ...]:
        """Nothing is beyond the workspace folder."""
        del folder
        return ()

    def pieces_of(self, key: str) -> Iterator[bytes]:
        """Nothing is beyond the workspace folder.

        :raises FileMissing: always.
        """
        raise FileMissing(f"{key} is not in a store")

    def delete(self, key: str) -> None:
        """Do nothing: nothing is beyond the workspace folder."""

    def stop(self) -> None:
        """Do nothing: a folder answers at once."""
