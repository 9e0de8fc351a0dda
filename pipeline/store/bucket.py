"""What is asked of a place beyond the workspace folder, and which kinds of places there are.

A kind of store is a row of :data:`KINDS` and a class with the methods of :class:`Bucket`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import unquote, urlsplit

from pipeline.store.files import StoredObject

PIECE = 4 << 20  # bytes that are read at a time


class Bucket(Protocol):
    """A place for objects with a name; several threads use it at once.

    Every method raises :class:`pipeline.errors.StoreError` if the place does not answer or
    refuses, after it was tried for a while.
    """

    url: str
    checks_bytes: bool
    """Whether the place itself compares what it gets with a SHA-256 that is sent along."""

    def begin(self) -> None:
        """Make the place if it does not exist; once, before it is used for the first time."""

    def overlaps(self, folder: Path) -> bool:
        """Whether the place is a folder of this machine that is in *folder*, or around it."""

    def put(self, key: str, file: Path, *, replace: bool = False) -> bool:
        """Publish a file as an object: all of it, or nothing.

        :param replace: also if there is such an object.
        :returns: False if there is one already, which stays as it is.
        """

    def try_writing(self, key: str) -> None:
        """Try whether an object can be written; leave nothing, also if the process is killed here.

        :param key: of an object that exists.
        """

    def size(self, key: str) -> int | None:
        """The number of bytes of an object; None if there is none."""

    def read(self, key: str, start: int, end: int) -> bytes:
        """The bytes of an object from *start* up to but not including *end*."""

    def listed(self, folder: str) -> Iterator[StoredObject]:
        """The objects whose name begins with *folder*, which has a slash at its end."""

    def delete(self, key: str) -> None:
        """Delete an object; it may be gone already."""

    def stop(self) -> None:
        """Try no step again from now on."""

    def faults(self, folder: str) -> Iterator[str]:
        """Try what only this kind of place can do wrong, with objects in *folder*.

        :returns: a sentence for each promise that it breaks.
        """


@dataclass(frozen=True)
class StoreKind:
    """A kind of store: its address as the documentation writes it, its form, and its class."""

    address: str
    pattern: str
    module: str

    def opened(self, url: str) -> Bucket:
        """Open the store of an address."""
        name, _, kind = self.module.rpartition(".")
        opening = getattr(import_module(f"pipeline.store.{name}"), kind)
        return cast("Bucket", opening(url))


_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}"
_PREFIX = r"(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,8}"
_LETTER = r"(?!%[01]|%7[Ff])[^?#\x00-\x1f\x7f]"  # no control character, which no folder has
KINDS = (
    StoreKind("s3://BUCKET/PREFIX", rf"s3://{_NAME}{_PREFIX}", "cloud.CloudBucket"),
    StoreKind("gs://BUCKET/PREFIX", rf"gs://{_NAME}{_PREFIX}", "cloud.CloudBucket"),
    StoreKind("az://ACCOUNT/CONTAINER/PREFIX", rf"az://{_NAME}/{_NAME}{_PREFIX}",
              "cloud.CloudBucket"),
    StoreKind("file:///FOLDER", rf"file:///(?:{_LETTER})+", "shared.SharedFolder"),
)  # fmt: skip


def folder_of(url: str) -> Path | None:
    """The folder that an address names; None if the store is not a folder."""
    return Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None


def kind_of(url: str) -> StoreKind | None:
    """The kind of store that an address names; None if it names none."""
    return next((kind for kind in KINDS if re.fullmatch(kind.pattern, url)), None)
