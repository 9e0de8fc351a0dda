"""How a file appears: whole or not at all.

A file is never written in place.  It is written under a temporary name that ends in ``.part``,
in its final folder.  Then it is flushed to the disk and renamed, and the folder is flushed after
it.  So a reader sees a whole file or none, also after a power cut.  A program writes into a
scratch folder, which is the only place where it can write.
"""

import errno
import hashlib
import json
import os
import re
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import NO_SPACE, DiskFull
from pipeline.removal import removed

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


def part_path(final: Path) -> Path:
    """A new temporary name beside *final*; its folder is made if it does not exist."""
    final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return final.parent / f".{final.stem}-{uuid.uuid4().hex}{PART}"


def sweep_beside(final: Path) -> None:
    """Delete the temporary files of *final* that a killed run left.

    The next run deletes those in the workspace; this is for a file outside of it.
    """
    own = re.compile(re.escape(f".{final.stem}-") + "[0-9a-f]{32}" + re.escape(PART))
    if final.parent.is_dir():
        for path in final.parent.iterdir():
            if own.fullmatch(path.name):
                removed(path)


@contextmanager
def scratch_folder(folder: Path, final: Path | None = None) -> Iterator[Path]:
    """Make a new folder in *folder* for what programs write, and delete it after the block.

    If the run is killed, the next run deletes it.  A program that is still alive then has no
    folder left to write into.

    :param final: what it is for, if that is outside of the workspace; see ``sweep_beside``.
    """
    stem = f"{final.stem}-" if final else ""
    place = folder / f".{stem}{uuid.uuid4().hex}{PART}"
    place.mkdir(mode=0o700, parents=True)
    try:
        yield place
    finally:
        # what can't be deleted now is swept at the end of the run, or before the next one
        removed(place)


def publish(part: Path, final: Path, mode: int = 0o600) -> None:
    """Flush *part* to the disk and rename it to *final*, which is one atomic step.

    :raises DiskFull: there is no room for it.
    """
    with part.open("rb") as file:
        publish_open(file, part, final, mode)


def publish_open(file: BinaryIO, part: Path, final: Path, mode: int = 0o600) -> None:
    """Publish a file that is open already; *part* is its name.

    :raises DiskFull: there is no room for it.
    """
    with _disk_full_is_named():
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
        part.replace(final)
        flush_folder(final.parent)


def move(path: Path, final: Path) -> None:
    """Move a file within the workspace in one atomic step, which survives a power cut."""
    final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.replace(final)
    flush_folder(final.parent)
    flush_folder(path.parent)


@contextmanager
def new_file(final: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Write a file under a temporary name, and publish it after the block.

    Nothing appears if the block raises.

    :raises DiskFull: there is no room for it.
    """
    part = part_path(final)
    try:
        with _disk_full_is_named(), part.open("xb") as file:
            yield file
        publish(part, final, mode)
    finally:
        part.unlink(missing_ok=True)


def write_text(final: Path, text: str, mode: int = 0o600) -> None:
    """Publish a small text file."""
    with new_file(final, mode) as file:
        file.write(text.encode("utf-8"))


def add_line(path: Path, line: str) -> None:
    """Add a line to the end of a file, in one write; the file is made if its folder is there.

    Nothing is written if there is no such folder.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(path, flags | os.O_NONBLOCK, 0o600)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        size = os.fstat(handle).st_size
        # a full disk may have cut off the line before
        is_cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, b"\n" * is_cut + f"{line}\n".encode())
    finally:
        os.close(handle)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; opening anything else could wait for ever.

    :raises OSError: it is not a regular file, or can't be opened.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError
    return os.fdopen(handle, "rb")


def flush_folder(folder: Path) -> None:
    """Flush a folder, so that a rename in it survives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cache_key(kind: str, version: int, *parts: object) -> str:
    """Return the key under which a file is kept: a hash of all that decides its bytes.

    :param kind: what is made; different kinds never share a key.
    :param version: of the code that makes it, see ``versions``.
    :param parts: values that JSON can hold; the order of the keys in a mapping does not matter.
    :returns: 32 hex digits.
    """
    text = json.dumps([kind, version, *parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_cached(path: Path) -> bool:
    """Whether a file of the cache is there; it counts as used now, see ``disk.trim_cache``."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def sha256_of(source: Path | BufferedReader) -> str:
    """The SHA-256 of the bytes of a file, in hex; of an open file, those that are still ahead."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.file_digest(source, "sha256").hexdigest()


def read_chunks(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from *start* up to but not including *end*, at most 1 MiB at a time."""
    with path.open("rb") as file:
        file.seek(start)
        while data := file.read(_CHUNK if end is None else min(_CHUNK, end - file.tell())):
            yield data
