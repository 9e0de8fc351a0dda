"""The default store: the workspace folder itself, without any copy."""

import stat
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from pipeline.errors import FileMissing
from pipeline.store.files import FootageFile
from pipeline.store.plain_folder import PlainFolder
from pipeline.workspace import Workspace


class WorkspaceFolder(PlainFolder):
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
