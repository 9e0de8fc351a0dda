"""Publishes the files of a mail: all of them, or none.

The process that took the mail apart wrote them.  It read a stranger's bytes, so nothing that it
says is believed: a file is moved to a name of ours first, and must be a regular file of our own.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from pipeline import publishing
from pipeline.ingest.faults import Untrue
from pipeline.ledger import Ledger
from pipeline.model import OriginalState
from pipeline.workspace import Workspace

_GONE = {OriginalState.PURGED, OriginalState.WITHDRAWN, OriginalState.LOST}
_NAME = re.compile(r"\.incoming-[0-9a-f]{32}" + re.escape(publishing.PART))


class Keeping:
    """Holds the files of a mail until it is known whether they are published or forgotten."""

    def __init__(self, workspace: Workspace, ledger: Ledger) -> None:
        self._workspace, self._custody = workspace, ledger.custody
        self._held: dict[str, Path] = {}

    def hold(
        self, folder: Path, untrusted_files: Mapping[str, str], sizes: Mapping[str, int]
    ) -> None:
        """Take files out of the scratch folder of the taking process.

        :param untrusted_files: their names in *folder*, by SHA-256.
        :param sizes: the size of each in bytes, by SHA-256.
        :raises Untrue: one is not what the process said that it is.
        """
        if untrusted_files.keys() != sizes.keys():
            raise Untrue("files")
        for sha256, name in untrusted_files.items():
            if not _NAME.fullmatch(name):
                raise Untrue("name")
            part = publishing.part_path(self._workspace.originals / "incoming")
            try:
                (folder / name).rename(part)
            except FileNotFoundError as error:
                raise Untrue("missing file") from error
            self._held[sha256] = part
            found = part.lstat()
            is_ours = found.st_uid == os.geteuid() and found.st_nlink == 1
            if not stat.S_ISREG(found.st_mode) or not is_ours or found.st_size != sizes[sha256]:
                raise Untrue("file")

    def publish(self) -> None:
        """Rename what is held to its final names.  Afterwards all of it survives a power cut.

        :raises OSError: the disk is full, or fails.
        """
        for sha256, part in self._held.items():
            final = self._workspace.original(sha256)
            if not final.is_file() or final.stat().st_size != part.stat().st_size:
                if not final.parent.is_dir():
                    final.parent.mkdir(mode=0o700)
                    publishing.flush_folder(self._workspace.originals)
                publishing.publish(part, final)
            if self._custody.state(sha256) in _GONE:
                self._custody.set_state(sha256, OriginalState.KEPT)
        self.forget()

    def forget(self) -> None:
        """Delete what is held and was not published."""
        for part in self._held.values():
            if not part.is_dir() or part.is_symlink():
                part.unlink(missing_ok=True)
        self._held.clear()
