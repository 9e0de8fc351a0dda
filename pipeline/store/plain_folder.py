"""What a store that is a plain folder does: nothing is beyond it."""

import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline import publishing
from pipeline.errors import FileMissing
from pipeline.store.files import FootageFile, StoredObject


class PlainFolder:
    """The part that is the same for a worker's folder and for the workspace folder."""

    is_beyond = False

    def __init__(self, root: Path) -> None:
        self.root = root

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

    def pieces(self, file: FootageFile, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file."""
        return publishing.read_chunks(self.root / file.path, start, end)

    def beyond(self, folder: str) -> tuple[StoredObject, ...]:
        """Nothing is beyond the folder."""
        del folder
        return ()

    def pieces_of(self, key: str) -> Iterator[bytes]:
        """Nothing is beyond the folder.

        :raises FileMissing: always.
        """
        raise FileMissing(f"{key} is not in a store")

    def delete(self, key: str) -> None:
        """Do nothing: nothing is beyond the folder."""

    def stop(self) -> None:
        """Do nothing: a folder answers at once."""
