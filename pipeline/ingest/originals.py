"""Writes attachments to the disk: streamed, hashed, identified, published.

The name of an original is the SHA-256 of its bytes, so a second try gives the same name, and
nothing that a sender wrote becomes a path.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile

from pipeline import publishing
from pipeline.errors import Refused
from pipeline.formats import HEAD
from pipeline.ingest import spool as spools
from pipeline.ingest import whole
from pipeline.ingest.decode import Incomplete
from pipeline.ledger import Ledger
from pipeline.media import identify
from pipeline.media.identify import Identity
from pipeline.model import OriginalState, Reason, Refusal
from pipeline.texts import Detail
from pipeline.workspace import Workspace

_GONE = {OriginalState.PURGED, OriginalState.WITHDRAWN}
_TRUNCATED = Refusal(Reason.TRUNCATED_TRANSFER, Detail.TRANSFER_CUT)


@dataclass(frozen=True)
class Stored:
    """What became of one stream of bytes.

    ``sha256`` is None and ``refusal`` is set if not all bytes were read.  ``path`` is None if there
    is no original on the disk.  ``size``: the number of bytes that were read.
    """

    identity: Identity
    head: bytes
    size: int
    sha256: str | None = None
    path: Path | None = None
    refusal: Refusal | None = None


class Originals:
    """Writes the attachments of a mail; then all of them are published, or all are forgotten."""

    def __init__(
        self, workspace: Workspace, ledger: Ledger, limit_mb: int, *, by_hand: bool = False
    ) -> None:
        """*by_hand*: bytes that somebody withdrew are kept again."""
        self._workspace, self._ledger, self._by_hand = workspace, ledger, by_hand
        self._limit_mb = limit_mb
        self._held: dict[str, Path | None] = {}  # to be published; None if it is published already

    @property
    def limit(self) -> int:
        """The largest attachment, in bytes."""
        return self._limit_mb * 1_000_000

    def keep(self, pieces: Iterable[bytes]) -> Stored:
        """Write a stream to a temporary file, which waits for :meth:`publish`.

        A stream that breaks off or is too large leaves nothing.  *pieces* may raise Refused or
        Incomplete, which becomes the refusal.

        :raises OSError: the disk is full, or fails.
        """
        part = publishing.part_path(self._workspace.originals / "incoming")
        digest = hashlib.sha256()
        head, size = b"", 0
        refusal: Refusal | None = None
        try:
            with part.open("xb") as file:
                part.chmod(0o600)
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
            path = self._hold(part, sha256, size)
            return Stored(identity, head, size, sha256, path, identity.refusal)
        finally:
            if part not in self._held.values():
                part.unlink(missing_ok=True)

    def publish(self) -> None:
        """Rename what was kept to its final names.  Afterwards all of it survives a power cut.

        :raises OSError: the disk is full, or fails.
        """
        for sha256, part in self._held.items():
            if part is not None:
                final = self._workspace.original(sha256)
                if not final.parent.is_dir():
                    final.parent.mkdir(mode=0o700)
                    publishing.flush_folder(self._workspace.originals)
                publishing.publish(part, final)
            if self._ledger.custody.state(sha256) in _GONE:
                self._ledger.custody.set_state(sha256, OriginalState.KEPT)
        self._held.clear()

    def forget(self) -> None:
        """Delete what was kept and not published."""
        for part in self._held.values():
            if part is not None:
                part.unlink(missing_ok=True)
        self._held.clear()

    def spool(self) -> SpooledTemporaryFile[bytes]:
        """A temporary file for a mail."""
        return spools.spool(self._workspace.originals)

    def nested_spool(self) -> SpooledTemporaryFile[bytes]:
        """A temporary file for a mail inside a mail."""
        return spools.spool(self._workspace.originals, spools.NESTED_MEMORY)

    def _hold(self, part: Path, sha256: str, size: int) -> Path | None:
        """The file that holds the bytes: *part*, or the original if it is published already."""
        state = self._ledger.custody.state(sha256)
        if state is OriginalState.WITHDRAWN and not self._by_hand:
            return None
        final = self._workspace.original(sha256)
        if final.is_file() and final.stat().st_size == size:
            self._held[sha256] = None
            return final
        held = self._held.setdefault(sha256, part)
        assert held is not None
        return held

    def _too_large(self) -> Refusal:
        return Refusal(Reason.TOO_LARGE, Detail.TOO_LARGE, {"limit_mb": self._limit_mb})
