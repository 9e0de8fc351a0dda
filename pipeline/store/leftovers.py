"""Delete what nobody knows from a store beyond the workspace folder.

A worker on another machine goes on for some seconds when its run is killed.  So it may publish a
clip after that clip got other masks, or after its sender took it back.  A store may also have
refused to delete, or the command that deletes was killed.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.ledger import Ledger
from pipeline.model import OriginalState
from pipeline.store.files import (
    CLIPS,
    ORIGINALS,
    PIECES,
    FootageStore,
    files_of,
    film_copies,
    original,
    pieces_with,
    still_of,
    unknown_bridges,
)


def delete_leftovers(store: FootageStore, ledger: Ledger) -> int:
    """Delete what is left of withdrawn footage, and files of clips that the ledger does not have.

    The bridges of clips that were made anew go too.  They are not counted, because each clip that
    is made anew leaves some, and a film needs others then.

    A file of a clip stays if its original is gone, because it may be the only copy of footage, and
    if the ledger has no outcome yet: it is looked at when the clip is made.

    :returns: how many objects were deleted.
    :raises StoreError: the store does not answer.
    """
    if not store.is_beyond:
        return 0
    withdrawn = ledger.custody.withdrawn()
    found = {*_withdrawn_originals(store, ledger), *_unknown(store, ledger)}
    if withdrawn:
        found |= {*pieces_with(store, withdrawn)}
        found |= {*film_copies(store, ledger.custody.montages_with([*withdrawn]))}
    pieces = (each.key for each in store.beyond(f"{PIECES}/"))
    for key in sorted(found.union(unknown_bridges(pieces, ledger.clips.results().values()))):
        store.delete(key)
    return len(found)


def _withdrawn_originals(store: FootageStore, ledger: Ledger) -> Iterator[str]:
    states = ledger.custody.states()
    for each in store.beyond(f"{ORIGINALS}/"):
        if states.get(each.key.rpartition("/")[2]) is OriginalState.WITHDRAWN:
            yield each.key


def _unknown(store: FootageStore, ledger: Ledger) -> Iterator[str]:
    states, results = ledger.custody.states(), ledger.clips.results()
    clips = [clip for result in results.values() for clip in files_of(result)]
    known = {file.key for clip in clips for file in (clip, still_of(clip))}
    for each in store.beyond(f"{CLIPS}/"):
        sha256 = each.key.split("/")[1]
        is_withdrawn = states.get(sha256) is OriginalState.WITHDRAWN
        is_old = sha256 in results and each.key not in known
        if is_withdrawn or (is_old and store.holds(original(sha256))):
            yield each.key
