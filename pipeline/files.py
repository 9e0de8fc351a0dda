"""The workspace on disk, and the one door through which a file appears in it.

A file is never written in place: it grows under a temporary name that ends in ``.part`` in
the folder where it will live, is flushed to the disk, renamed, and the folder is flushed
after it.  So a reader sees a whole file or none, also after a power cut.  What a program makes
grows in a scratch folder, which is all that the program can write to.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import WorkspaceBusy

PART = ".part"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Workspace:
    """Where things are, below one folder that only its owner can enter."""

    root: Path

    @property
    def ledger(self) -> Path:
        """The SQLite ledger."""
        return self.root / "ledger.db"

    @property
    def originals(self) -> Path:
        """The only folder where a location may still be."""
        return self.root / "originals"

    @property
    def clips(self) -> Path:
        """Cleaned and normalized clips, a folder for each original."""
        return self.root / "clips"

    @property
    def report(self) -> Path:
        """The report for the reviewers."""
        return self.root / "report"

    @property
    def montage(self) -> Path:
        """The compiled montages and what stands beside them."""
        return self.root / "montage"

    @property
    def logs(self) -> Path:
        """One file of JSON lines a run."""
        return self.root / "logs"

    @property
    def cache(self) -> Path:
        """What can be made again: cards, caption strips."""
        return self.root / "cache"

    def original(self, sha256: str) -> Path:
        """The place of an original, content-addressed."""
        return self.originals / sha256[:2] / sha256

    def clip(self, sha256: str, output: str, suffix: str = ".mp4") -> Path:
        """The place of a finished clip of one output."""
        return self.clips / sha256 / f"{output}{suffix}"

    def relative(self, path: Path) -> str:
        """A path as the report and the ledger name it: from the workspace, with slashes."""
        return path.relative_to(self.root).as_posix()

    def create(self) -> None:
        """Make the folders, closed to everybody but the owner."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        for folder in (
            self.originals,
            self.clips,
            self.report,
            self.montage,
            self.logs,
            self.cache,
        ):
            folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def hold(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace for a run; the kernel lets go of it when the holder dies.

    :raises WorkspaceBusy: another process holds it.
    """
    workspace.create()
    with (workspace.root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorkspaceBusy(
                f"another run holds the workspace {workspace.root}; nothing was changed. "
                "Wait until it has ended and try again."
            ) from error
        yield


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
    """Flush *part* to the disk and give it its final name, in one step that can't be half done."""
    with part.open("rb") as file:
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    part.replace(final)
    flush_folder(final.parent)


@contextmanager
def publishing(final: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Write a new file through its temporary name; nothing appears if the block raises."""
    part = part_for(final)
    try:
        with part.open("xb") as file:
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


def sweep(workspace: Workspace) -> int:
    """Remove what a killed run left half-written; only the holder of the workspace may.

    :returns: how many temporary files and scratch folders there were.
    """
    swept = 0
    # os.walk looks at no file itself: with thousands of folders that is ten times as quick
    for folder, folders, names in os.walk(workspace.root):
        for name in [name for name in folders if name.endswith(PART)]:
            shutil.rmtree(Path(folder, name), ignore_errors=True)
            folders.remove(name)
            swept += 1
        for name in [name for name in names if name.endswith(PART)]:
            Path(folder, name).unlink(missing_ok=True)
            swept += 1
    return swept


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
