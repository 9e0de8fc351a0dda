"""What a store keeps, and what it must be able to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from pipeline.model import ClipResult

ORIGINALS, CLIPS, FILMS = "originals", "clips", "montage"
PIECES = "cache"  # cards and bridges of films, which can be made again
OWNER = "workspace.json"  # in a store: the note of whose it is
FOLDERS = (ORIGINALS, CLIPS, FILMS)
STILL = ".jpg"
_SHA256 = re.compile("[0-9a-f]{64}")
_SEAMS, _CARD, _SHORT = "seams", "card", 16
_KEY = re.compile(r"(.+)-([0-9a-f]{64})(\.[a-z0-9]+)")


@dataclass(frozen=True)
class FootageFile:
    """An original, a clip, a still or a film.

    ``path`` is from the workspace, as the ledger and the report write it.  ``sha256`` is the
    digest of the bytes; that of a still is the digest of the clip that it was made with.  ``still``
    is the digest of a clip's still; empty if it is not known.
    """

    path: str
    sha256: str
    still: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """The name of the object: content with other bytes has another name.

        So nothing is ever overwritten, and a late worker can't replace what came after it.
        """
        path = PurePosixPath(self.path)
        if path.name == self.sha256:
            return self.path
        return str(path.with_name(f"{path.stem}-{self.sha256}{path.suffix}"))

    @property
    def folder(self) -> str:
        """The folder that the key is in, with a slash at its end."""
        return f"{PurePosixPath(self.path).parent}/"

    def is_version(self, key: str) -> bool:
        """Whether a key is that of this file, with these bytes or with others."""
        path = PurePosixPath(self.path)
        name = f"{path.with_suffix('')}-"
        rest = key.removeprefix(name).removesuffix(path.suffix)
        return key.startswith(name) and _SHA256.fullmatch(rest) is not None

    @property
    def is_still(self) -> bool:
        """Whether it is a still, which is named by the digest of its clip."""
        return self.path.endswith(STILL)

    @property
    def digest(self) -> str:
        """The SHA-256 that the bytes must have; empty if it is not known."""
        return self.still if self.is_still else self.sha256


@dataclass(frozen=True)
class StoredObject:
    """An object in a store beyond the workspace folder; ``size`` in bytes."""

    key: str
    size: int


class FootageStore(Protocol):
    """A place for footage; several threads use it at once.

    Every method raises :class:`pipeline.errors.StoreError` if the store does not answer, refuses,
    or does not have the file.
    """

    is_beyond: bool
    """Whether footage is kept beyond the workspace folder."""
    root: Path
    """The folder that the paths of files at hand begin at."""

    def holds(self, file: FootageFile) -> bool:
        """Whether a file can be had, from the workspace folder or from beyond it."""

    def size(self, file: FootageFile) -> int:
        """Return the number of bytes of a file.

        :raises FileMissing: there is no such file.
        """

    def at_hand(self, files: Iterable[FootageFile]) -> AbstractContextManager[None]:
        """Have files at their paths below ``root`` while the block runs.

        Several threads may use a file at once.

        :raises BytesChanged: the store gave other bytes than it was given.
        """

    def publish(self, files: Iterable[FootageFile]) -> tuple[FootageFile, ...]:
        """Hand over files that are in the workspace folder; those that are not there are passed.

        When it returns, the store has confirmed each of them.

        :returns: the files whose bytes are not those of their name; they stay where they are.
        """

    def pieces(self, file: FootageFile, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file from *start* up to but not including *end*, in small pieces."""

    def beyond(self, folder: str) -> tuple[StoredObject, ...]:
        """What is in a folder beyond the workspace folder, such as ``clips/<sha256>/``."""

    def pieces_of(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of an object beyond the workspace folder.

        :raises FileMissing: there is no such object.
        """

    def delete(self, key: str) -> None:
        """Delete an object beyond the workspace folder; it may be gone already."""

    def stop(self) -> None:
        """Try nothing again from now on: the run ends, and must not wait for a store."""


def original(sha256: str) -> FootageFile:
    """The file of an original."""
    return FootageFile(f"{ORIGINALS}/{sha256[:2]}/{sha256}", sha256)


def still_of(clip: FootageFile) -> FootageFile:
    """The still that was made with a clip."""
    return FootageFile(str(PurePosixPath(clip.path).with_suffix(STILL)), clip.sha256, clip.still)


def files_of(result: ClipResult) -> tuple[FootageFile, ...]:
    """The clips of an outcome, without their stills."""
    return tuple(FootageFile(output.path, output.sha256, output.still) for output in result.outputs)


def versions_of(keys: Iterable[str]) -> dict[str, FootageFile]:
    """The files that objects keep, by their paths, if their names have a digest."""
    named = [match for key in sorted(keys) if (match := _KEY.fullmatch(key))]
    return {
        name + end: FootageFile(name + end, sha256)
        for name, sha256, end in (match.groups() for match in named)
    }


def name_in_bridge(original: str, clip: str) -> str:
    """What the name of a bridge has for a clip that it shows; for a card, both are empty.

    :param original: the SHA-256 of the original.
    :param clip: the SHA-256 of the clip.
    """
    return f"{original[:_SHORT]}-{clip[:_SHORT]}" if original else _CARD


def unknown_bridges(names: Iterable[str], results: Iterable[ClipResult]) -> Iterator[str]:
    """Yield the paths or keys of bridges that show an original or a clip which nobody knows.

    A clip that was made anew is another one, so what shows it as it was before is found too.  The
    names that an older version gave have originals only.

    :param results: the outcomes of all originals.
    """
    known = {_CARD}
    for result in results:
        shown = (result.sha256, *(output.sha256 for output in result.outputs))
        known.update(digest[:_SHORT] for digest in shown)
    for name in names:
        path = PurePosixPath(name)
        parts = path.stem.split("-")
        shows = {part for part in parts if part == _CARD or len(part) == _SHORT}
        if path.parent.name == _SEAMS and not known.issuperset(shows):
            yield name


def pieces_with(store: FootageStore, shas: Iterable[str]) -> tuple[str, ...]:
    """The objects with bridges of these originals, which have them in their names."""
    if not store.is_beyond:
        return ()
    names = [f"{sha256[:_SHORT]}-" for sha256 in shas]
    stored = store.beyond(f"{PIECES}/")
    return tuple(each.key for each in stored if any(name in each.key for name in names))


def film_copies(store: FootageStore, paths: Iterable[str]) -> tuple[str, ...]:
    """The copies of films beyond the workspace folder, by the paths of the films."""
    films = [FootageFile(path, "") for path in paths]
    stored = store.beyond(f"{FILMS}/") if films else ()
    return tuple(each.key for each in stored if any(film.is_version(each.key) for film in films))


def keys_of(store: FootageStore, sha256: str) -> tuple[str, ...]:
    """The objects beyond the workspace folder that an original and its clips have."""
    own = original(sha256)
    kept = [each.key for each in store.beyond(own.folder) if each.key == own.key]
    return (*kept, *(each.key for each in store.beyond(f"{CLIPS}/{sha256}/")))
