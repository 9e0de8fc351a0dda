"""A store for a worker: the folder of a workspace that the coordinator's machine shares with it.

The worker reads originals, clips and cards there.  It leaves a finished file under a name that ends
in ``.part``, which is made of its digest.  The coordinator judges the file and gives it its final
name; what it does not take is swept by the next run.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath

from pipeline import publishing
from pipeline.errors import StoreError, reason_of
from pipeline.store.files import CLIPS, FootageFile
from pipeline.store.plain_folder import PlainFolder
from pipeline.workspace import Workspace


class DeliveryFolder(PlainFolder):
    """Originals from a shared workspace, clips back into it."""

    def __init__(self, scratch: Workspace, shared: Path) -> None:
        """*scratch* is the worker's own folder; its originals are those of *shared*."""
        super().__init__(shared)
        self._scratch = scratch.root
        scratch.originals = shared / scratch.originals.name

    def at_hand(self, files: Iterable[FootageFile]) -> AbstractContextManager[None]:
        """Do nothing: files are read where they are.

        :raises StoreError: the shared folder is not there, or does not have one of them.
        """
        if not all(map(self.holds, files)):
            raise StoreError(f"a file can't be read in {self.root}: is it shared with us?")
        return nullcontext()

    def publish(self, files: Iterable[FootageFile]) -> tuple[FootageFile, ...]:
        """Leave finished files for the coordinator."""
        for file in files:
            source = self._scratch / file.path
            if not source.exists():
                continue
            final = self.root / delivered(file)
            # a folder of another machine is another file system, so the file is copied
            with source.open("rb") as finished, publishing.new_file(final) as copy:
                shutil.copyfileobj(finished, copy, 1 << 20)
            source.unlink()
        return ()

    def try_writing(self) -> None:
        """Write a file into the shared folder, and delete it.

        :raises StoreError: it can't be written.
        """
        trial = self.root / CLIPS / f".{uuid.uuid4().hex}{publishing.PART}"
        try:
            trial.parent.mkdir(mode=0o700, exist_ok=True)
            trial.touch(mode=0o600)
            trial.unlink()
        except OSError as error:
            raise StoreError(
                f"nothing can be written into {trial.parent}: {reason_of(error)}; does it belong "
                "to the user of this worker?"
            ) from error


def delivered(file: FootageFile) -> str:
    """Where a worker leaves a file, from the workspace."""
    path = PurePosixPath(file.key)
    return str(path.with_name(f".{path.name}{publishing.PART}"))
