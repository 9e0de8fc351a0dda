"""Where originals, clips and films are kept: in the workspace folder, or in a store beyond it.

The ledger, the lock, scratch files and caches are always in the workspace folder.  With a store
beyond it, the folder is also the place where each file begins: it is complete here before it is
published there, and it is deleted here only when the store has confirmed it.  So a file is here,
there, or for a while in both places, and a killed run loses nothing.
"""

from pipeline.store.files import (
    FILMS,
    FOLDERS,
    ORIGINALS,
    PIECES,
    FootageFile,
    FootageStore,
    StoredObject,
    files_of,
    film_copies,
    keys_of,
    name_in_bridge,
    original,
    pieces_with,
    still_of,
    unknown_bridges,
    versions_of,
)
from pipeline.store.folder import WorkspaceFolder

__all__ = [
    "FILMS",
    "FOLDERS",
    "ORIGINALS",
    "PIECES",
    "FootageFile",
    "FootageStore",
    "StoredObject",
    "WorkspaceFolder",
    "files_of",
    "film_copies",
    "keys_of",
    "name_in_bridge",
    "original",
    "pieces_with",
    "still_of",
    "unknown_bridges",
    "versions_of",
]
