"""Publishes the files of a mail: all of them, or none.

The process that took the mail apart wrote them.  It read a stranger's bytes, so nothing that it
says is believed: a file is moved to a name of ours first, and must be a regular file of our own.
"""

import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from pipeline import publishing
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.ffmpeg.made import MadeFile
from pipeline.ingest.faults import Untrue
from pipeline.ledger import Ledger
from pipeline.model import OriginalState
from pipeline.removal import removed
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
            self._held[sha256] = part
            try:
                _take_out(folder / name, part, sizes[sha256])
            except ProgramLied as error:
                raise Untrue("file") from error

    def publish(self) -> None:
        """Rename what is held to its final names.  Afterwards all of it survives a power cut.

        :raises OSError: the disk is full, or fails.
        """
        for sha256, part in self._held.items():
            final = self._workspace.original(sha256)
            size = part.stat().st_size
            if not final.is_file() or final.stat().st_size != size:
                if not final.parent.is_dir():
                    final.parent.mkdir(mode=0o700)
                    publishing.flush_folder(self._workspace.originals)
                with closing(MadeFile(part, size, is_new=False)) as file:
                    file.publish(final)
            if self._custody.state(sha256) in _GONE:
                self._custody.set_state(sha256, OriginalState.KEPT)
        self.forget()

    def forget(self) -> None:
        """Delete what is held and was not published."""
        for part in self._held.values():
            removed(part)
        self._held.clear()


def _take_out(path: Path, part: Path, size: int) -> None:
    """Move a file of *size* bytes to *part*, where the taking process can't reach it.

    :raises ProgramLied: it is not a file of ours, or has another size.
    """
    with closing(MadeFile(path, size, is_new=False)) as file:
        file.move(part)
        if file.finished().size != size:
            raise ProgramLied("a file of another size")
