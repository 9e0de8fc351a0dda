"""Have stills at hand for the report and the contact sheets; a lost one must not stop a night."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from pipeline.errors import BytesChanged, FileMissing
from pipeline.store.files import FootageFile, FootageStore, original


@contextmanager
def stills_at_hand(
    store: FootageStore, stills: Sequence[FootageFile]
) -> Iterator[tuple[FootageFile, ...]]:
    """Have stills at their paths while the block runs; give those that are gone or were changed.

    A still that a clip never had is not at hand, and is not given either.
    """
    with ExitStack() as held:
        lost: list[FootageFile] = []
        try:
            held.enter_context(store.at_hand(stills))
        except (BytesChanged, FileMissing):
            # fetched one by one, to find out which it is
            for still in stills:
                try:
                    held.enter_context(store.at_hand([still]))
                except (BytesChanged, FileMissing):
                    lost.append(still)
        yield (*lost, *(still for still in stills if still.digest and not store.holds(still)))


def discard(store: FootageStore, sha256: str, still: FootageFile) -> bool:
    """Delete a lost still of an original from the store, so that its clip is made again.

    :returns: whether it can be made again: without the original nothing is deleted.
    """
    if not store.holds(original(sha256)):
        return False
    store.delete(still.key)
    return True
