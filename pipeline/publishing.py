"""How a file appears: whole or not at all.

A file is never written in place.  It grows under a temporary name that ends in ``.part``, in
the folder where it will live.  Then it is flushed to the disk and renamed, and the folder is
flushed after it.  So a reader sees a whole file or none, also after a power cut.  What a program
makes grows in a scratch folder, the only place where that program can write.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import NO_SPACE, DiskFull

PART = ".part"
_CHUNK = 1 << 20


@contextmanager
def _disk_full_is_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise DiskFull from error
        raise


def part_for(final: Path) -> Path:
    """A fresh temporary name beside *final*; its folder is made if need be."""
    final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return final.parent / f".{final.stem}-{uuid.uuid4().hex}{PART}"


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A fresh folder in *folder* for what programs write, gone behind the block.

    The next run sweeps away that of a killed run, and a program that is still alive then has no
    place left where it could leave something.
    """
    place = folder / f".{uuid.uuid4().hex}{PART}"
    place.mkdir(mode=0o700, parents=True)
    try:
        yield place
    finally:
        # what can't be removed now is swept at the end of the run, or before the next
        shutil.rmtree(place, ignore_errors=True)


def publish(part: Path, final: Path, mode: int = 0o600) -> None:
    """Flush *part* to the disk and rename it to *final*, which is one atomic step.

    :raises DiskFull: there is no room for it.
    """
    with _disk_full_is_named():
        with part.open("rb") as file:
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        part.replace(final)
        flush_folder(final.parent)


@contextmanager
def publishing(final: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Write a new file through its temporary name; nothing appears if the block raises.

    :raises DiskFull: there is no room for it.
    """
    part = part_for(final)
    try:
        with _disk_full_is_named(), part.open("xb") as file:
            yield file
        publish(part, final, mode)
    finally:
        part.unlink(missing_ok=True)


def write_text(final: Path, text: str, mode: int = 0o600) -> None:
    """Publish a small text file."""
    with publishing(final, mode) as file:
        file.write(text.encode("utf-8"))


def flush_folder(folder: Path) -> None:
    """Make a rename in *folder* outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def chunks(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from *start* to before *end*, in pieces of at most 1 MiB."""
    with path.open("rb") as file:
        file.seek(start)
        left = (end - start) if end is not None else None
        while left is None or left > 0:
            data = file.read(_CHUNK if left is None else min(_CHUNK, left))
            if not data:
                return
            if left is not None:
                left -= len(data)
            yield data
