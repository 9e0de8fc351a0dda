"""What is in the workspace folder and belongs into the store beyond it.

An original is recorded before it is sent, and a clip is published before it is recorded.  So what
a killed or cut run left here is what the ledger knows and the folder has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from pipeline.errors import StoreError
from pipeline.ledger import Ledger
from pipeline.model import OriginalState
from pipeline.store.files import FootageFile, FootageStore, files_of, original, still_of
from pipeline.workspace import Workspace

_MOST_WAITING = 1_000_000_000  # bytes
_SHA256 = re.compile("[0-9a-f]{64}")


def send(store: FootageStore, ledger: Ledger, workspace: Workspace) -> tuple[FootageFile, ...]:
    """Publish what is still here.

    :returns: the files whose bytes are not those of their name; they stay here.
    :raises StoreError: the store does not answer, or refuses; what is left stays here.
    """
    if not store.is_beyond:
        return ()
    return store.publish([*_originals(ledger, workspace), *_clips(ledger, workspace)])


class Outbox:
    """Sends originals already while mail comes in, so that a large night fits on the disk."""

    def __init__(self, store: FootageStore, ledger: Ledger, workspace: Workspace) -> None:
        self._store, self._ledger, self._workspace = store, ledger, workspace
        self._waiting = 0

    def add(self, size: int) -> None:
        """Count what came in, in bytes; send all once it is much."""
        self._waiting += size
        if self._waiting > _MOST_WAITING:
            self._waiting = 0
            # if it fails, it is tried again at the end of ingest, and then it is an error
            with suppress(StoreError):
                send(self._store, self._ledger, self._workspace)


def _originals(ledger: Ledger, workspace: Workspace) -> Iterator[FootageFile]:
    names = [path.name for path in workspace.originals.glob("??/*") if _SHA256.fullmatch(path.name)]
    if names:
        states = ledger.custody.states()
        yield from (original(name) for name in names if states.get(name) is OriginalState.KEPT)


def _clips(ledger: Ledger, workspace: Workspace) -> Iterator[FootageFile]:
    names = [path.name for path in workspace.clips.iterdir()]
    if names:
        results = ledger.clips.results()
        for name in names:
            for clip in files_of(results[name]) if name in results else ():
                yield from (clip, still_of(clip))
