"""Writes attachments into the scratch folder of the taking process: streamed, hashed, identified.

:mod:`pipeline.ingest.keeping` publishes them.  The name of an original is the SHA-256 of its bytes,
so a second try gives the same name, and nothing that a sender wrote becomes a path.
"""

import hashlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile

from pipeline import publishing
from pipeline.errors import Refused
from pipeline.formats import HEAD
from pipeline.ingest import spool as spools
from pipeline.ingest import whole
from pipeline.ingest.decode import Incomplete
from pipeline.media import identify
from pipeline.media.identify import Identity
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_TRUNCATED = Refusal(Reason.TRUNCATED_TRANSFER, Detail.TRANSFER_CUT)


@dataclass(frozen=True)
class Stored:
    """What became of one stream of bytes.

    ``sha256`` is None and ``refusal`` is set if not all bytes were read.  ``path`` is None if the
    bytes are not kept.  ``size``: the number of bytes that were read.
    """

    identity: Identity
    head: bytes
    size: int
    sha256: str | None = None
    path: Path | None = None
    refusal: Refusal | None = None


def _private(path: str, flags: int) -> int:
    """Open a new file for its owner alone; the sandbox lets no mode be changed."""
    return os.open(path, flags, 0o600)


class Originals:
    """Writes the attachments of a mail into one folder."""

    def __init__(self, folder: Path, limit_mb: int, withdrawn: Collection[str] = ()) -> None:
        """*withdrawn*: the SHA-256 of bytes that somebody took back; they are not kept again."""
        self._folder, self._withdrawn = folder, withdrawn
        self._limit_mb = limit_mb
        self.held: dict[str, Path] = {}

    @property
    def limit(self) -> int:
        """The largest attachment, in bytes."""
        return self._limit_mb * 1_000_000

    def keep(self, pieces: Iterable[bytes]) -> Stored:
        """Write a stream to a temporary file, which is in ``held`` then.

        A stream that breaks off or is too large leaves nothing.  *pieces* may raise Refused or
        Incomplete, which becomes the refusal.

        :raises OSError: the disk is full, or fails.
        """
        part = publishing.part_path(self._folder / "incoming")
        digest = hashlib.sha256()
        head, size = b"", 0
        refusal: Refusal | None = None
        try:
            with open(part, "xb", opener=_private) as file:
                try:
                    for piece in pieces:
                        size += len(piece)
                        if size > self.limit:
                            refusal = self._too_large()
                            break
                        if len(head) < HEAD:
                            head += piece[: HEAD - len(head)]
                        digest.update(piece)
                        file.write(piece)
                except Incomplete:
                    # a mail without an end, or base64 without padding, may hold a whole file
                    file.flush()
                    refusal = None if whole.is_whole(part) else _TRUNCATED
                except Refused as refused:
                    refusal = refused.refusal
            identity = identify.identify_head(head)
            if refusal is not None:
                return Stored(identity, head, size, refusal=refusal)
            sha256 = digest.hexdigest()
            path = self._hold(part, sha256)
            return Stored(identity, head, size, sha256, path, identity.refusal)
        finally:
            if part not in self.held.values():
                part.unlink(missing_ok=True)

    def forget(self) -> None:
        """Delete what was kept."""
        self.keep_only(())

    def keep_only(self, wanted: Collection[str]) -> None:
        """Delete what was kept, but not the files with these SHA-256.

        A mail with too many files has some that get no row; its last row says that.
        """
        for sha256 in self.held.keys() - set(wanted):
            self.held.pop(sha256).unlink(missing_ok=True)

    def spool(self) -> SpooledTemporaryFile[bytes]:
        """A temporary file for a mail."""
        return spools.spool(self._folder)

    def nested_spool(self) -> SpooledTemporaryFile[bytes]:
        """A temporary file for a mail inside a mail."""
        return spools.spool(self._folder, spools.NESTED_MEMORY)

    def _hold(self, part: Path, sha256: str) -> Path | None:
        """The file that holds the bytes: *part*, or the first one with the same bytes."""
        return None if sha256 in self._withdrawn else self.held.setdefault(sha256, part)

    def _too_large(self) -> Refusal:
        return Refusal(Reason.TOO_LARGE, Detail.TOO_LARGE, {"limit_mb": self._limit_mb})
