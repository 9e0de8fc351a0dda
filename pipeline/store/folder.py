"""The default store: the workspace folder itself, without any copy."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from pipeline.store.files import FootageFile
from pipeline.store.plain_folder import PlainFolder
from pipeline.workspace import Workspace


class WorkspaceFolder(PlainFolder):
    """Keeps all footage in the workspace folder; nothing is beyond it."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace.root)

    def at_hand(self, files: Iterable[FootageFile]) -> AbstractContextManager[None]:
        """Do nothing: every file is at hand."""
        del files
        return nullcontext()

    def publish(self, files: Iterable[FootageFile]) -> tuple[FootageFile, ...]:
        """Do nothing: a file in the workspace folder is published."""
        del files
        return ()
