"""A drop folder as an inbox: files and folders of footage, with sidecars that say whose they are.

A file is a submission of its own, a folder is one submission of all files in it.  A file's sidecar
is ``IMG_1.MOV.json`` or ``IMG_1.json`` beside it, that of a folder is ``submission.json`` in it.
What is still written waits for the next run.  Symbolic links are never followed.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline import wording
from pipeline.config import InboxSection
from pipeline.errors import InboxError, reason_of
from pipeline.ingest import sidecar
from pipeline.ingest.folders import (
    is_at_rest,
    new_file,
    one_file,
    opened,
    unreadable,
    versioned_uid,
)
from pipeline.ingest.inbox import (
    Advance,
    Arrival,
    Gone,
    Inbox,
    Known,
    NewFile,
    NewMail,
    file_time,
    stable_name,
    uid_of,
)
from pipeline.ingest.sidecar import Sidecar
from pipeline.ingest.spool import Readable, disk_spool
from pipeline.ledger import Ledger
from pipeline.model import Filed, MailIdentity
from pipeline.workspace import Workspace

_UNFINISHED = re.compile(
    r".*\.(?:part|partial|tmp|temp|crdownload|download|opdownload|filepart|swp|aria2|!ut|!qb|bc!)"
    r"|[.~]syncthing[.~].*"
    r"|\..+\.[A-Za-z0-9]{6}",  # of rsync
    re.IGNORECASE,
)
_NO_FOOTAGE = re.compile(
    r"[.~].*|thumbs\.db|ehthumbs\.db|desktop\.ini|icon\r|__macosx", re.IGNORECASE
)
_SUFFIX = ".json"
_OF_A_FOLDER = "submission.json"
_MOST_FILES = 1000  # in one submission
_DEEPEST = 8  # folders in each other


@dataclass(frozen=True)
class _Bundle:
    """Files that belong together, and the sidecar that says whose they are.

    ``at``: the file or folder in the drop folder.  ``extra``: the path of the sidecar.
    ``is_ready``: whether nothing of it is still written.
    """

    at: Path
    files: tuple[Path, ...]
    extra: Path | None
    is_ready: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether it is one file without a sidecar."""
        return self.files == (self.at,) and self.extra is None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files, with the sidecar."""
        return (*self.files, self.extra) if self.extra else self.files


class DropInbox(Inbox):
    """A drop folder; files that were taken in may be moved to another folder."""

    def __init__(self, inbox: InboxSection, workspace: Workspace) -> None:
        """:raises InboxError: there is no such folder."""
        self._folder = inbox.resolve(inbox.path)
        if not self._folder.is_dir():
            raise InboxError(f"folder:{self._folder} is not a folder")
        self._spools = workspace.originals
        self._done = inbox.resolve(inbox.processed_folder) if inbox.processed_folder else None
        if self._done == self._folder:
            raise InboxError("[inbox] processed_folder is the folder that files are read from")
        self._bundles: dict[str, _Bundle] = {}
        self._remarks: list[str] = []
        self._waiting: list[Arrival] = []

    def new(self, known: Known) -> Sequence[Arrival]:
        """The files and folders that are not known.

        :raises InboxError: the folder can't be read.
        """
        try:
            seen = known("folder", str(self._folder), 0)
            return list(self._new(seen))
        except OSError as error:
            raise unreadable(self._folder, error) from error

    def waiting(self) -> Sequence[Arrival]:
        """What is still written, or can't be read."""
        return self._waiting

    def remarks(self) -> Sequence[str]:
        """Sentences about links, devices and sidecars."""
        return self._remarks

    def _new(self, seen: set[str]) -> Iterator[Arrival]:
        for bundle in self._found(self._folder):
            try:
                uid = self._uid(bundle)
                self._bundles[uid] = bundle
                # before folders were one submission, each file in them was one
                if uid in seen or all(self._versioned(path) in seen for path in bundle.paths):
                    continue
                arrival = self._arrival(uid, bundle)
                if bundle.is_ready and all(map(is_at_rest, bundle.paths)):
                    yield arrival
                else:
                    self._waiting.append(arrival)
            except FileNotFoundError:  # somebody moved or deleted it just now
                continue
            except OSError as error:
                self._leave(bundle.at, error)

    def _leave(self, path: Path, error: OSError) -> None:
        """Let a file or folder wait that can't be read; it keeps no other one waiting."""
        self._remark(path, f"can't be read: {reason_of(error)}")
        identity = MailIdentity("folder", str(self._folder), 0, uid_of(str(path)))
        moment = file_time(self._folder)
        self._waiting.append(NewFile(identity, 0, stable_name(path), moment))

    def _arrival(self, uid: str, bundle: _Bundle) -> Arrival:
        identity = MailIdentity("folder", str(self._folder), 0, uid)
        if bundle.is_plain:
            return new_file(identity, bundle.at)
        said = sidecar.read(bundle.extra) if bundle.extra else None
        if bundle.extra and said is None:
            self._remark(bundle.extra, "is not a valid sidecar; the footage is taken in")
        size = sum(path.stat().st_size for path in bundle.files)
        moment = max(map(file_time, bundle.files))
        return NewMail(
            identity, size, said.moment if said else None, moment, name=stable_name(bundle.at)
        )

    @contextmanager
    def open_raw(self, arrival: Arrival, advance: Advance) -> Iterator[Readable]:
        """Give a file itself, or files as the mail that they stand for.

        :raises Gone: one is not there any more, or has changed, also at the end of the block.
        :raises Unreadable: one can't be read.
        """
        uid = arrival.identity.uid
        bundle = self._bundles[uid]
        self._check_unchanged(bundle, uid)
        if bundle.is_plain:
            with opened(bundle.at) as file:
                yield file
        else:
            with disk_spool(self._spools) as spool:
                with one_file():
                    self._write_as_mail(bundle, spool)
                yield spool
        self._check_unchanged(bundle, uid)
        advance(arrival.size)

    def _check_unchanged(self, bundle: _Bundle, uid: str) -> None:
        """Look whether the files are those that were listed.

        :raises Gone: one is not there any more, or has changed.
        """
        with one_file():
            if self._uid(bundle) != uid:
                raise Gone

    @staticmethod
    def _write_as_mail(bundle: _Bundle, spool: IO[bytes]) -> None:
        said: Sidecar | None = sidecar.read(bundle.extra) if bundle.extra else None
        files = bundle.files if said else bundle.paths  # every other file gets a row
        for piece in sidecar.as_mail(said, files):
            spool.write(piece)

    # -- what is there --------------------------------------------------------------------

    def _found(self, folder: Path) -> Iterator[_Bundle]:
        """The submissions in the drop folder, by name."""
        names = {path.name: path for path in self._visible(folder)}
        files = {name: path for name, path in names.items() if path.is_file()}
        sidecars: dict[str, Path] = {}
        for name, path in files.items():
            for other in (f"{name}{_SUFFIX}", f"{path.stem}{_SUFFIX}"):
                if other in files and other != name and not name.lower().endswith(_SUFFIX):
                    sidecars.setdefault(name, files[other])
        taken = set(sidecars.values())
        for name, path in sorted(names.items()):
            try:
                if name not in files:
                    yield from self._folder_of(path)
                elif path not in taken and not self._is_lone_sidecar(path):
                    yield _Bundle(path, (path,), sidecars.get(name))
            except FileNotFoundError:  # somebody moved or deleted it just now
                continue
            except OSError as error:
                self._leave(path, error)

    def _is_lone_sidecar(self, path: Path) -> bool:
        """Whether a file is a sidecar whose footage has not come yet."""
        if not path.name.lower().endswith(_SUFFIX) or sidecar.read(path) is None:
            return False
        self._remark(path, "is a sidecar without footage; it waits for it")
        return True

    def _folder_of(self, folder: Path) -> Iterator[_Bundle]:
        files, unfinished = self._inside(folder, _DEEPEST)
        extra = folder / _OF_A_FOLDER
        media = tuple(path for path in files if path != extra)
        if len(media) > _MOST_FILES:
            self._remark(folder, f"holds more than {_MOST_FILES} files; make several folders of it")
        elif media:
            yield _Bundle(folder, media, extra if extra in files else None, not unfinished)
        elif files:
            self._remark(extra, "is a sidecar without footage; it waits for it")

    def _inside(self, folder: Path, depth: int) -> tuple[list[Path], bool]:
        """All files in a folder, and whether there are unfinished ones."""
        files: list[Path] = []
        unfinished = any(_UNFINISHED.fullmatch(name) for name in os.listdir(folder))  # noqa: PTH208 - names
        for path in self._visible(folder):
            if path.is_file():
                files.append(path)
            elif depth:
                more, others = self._inside(path, depth - 1)
                files, unfinished = files + more, unfinished or others
            else:
                self._remark(path, "lies too deep in other folders")
        return files, unfinished

    def _visible(self, folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if _UNFINISHED.fullmatch(path.name) or _NO_FOOTAGE.fullmatch(path.name):
                continue
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:  # somebody moved or deleted it just now
                continue
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                kind = "a symbolic link" if stat.S_ISLNK(mode) else "a device or a pipe"
                self._remark(path, f"is {kind}; it is left alone")
            elif path != self._done:
                yield path

    def _remark(self, path: Path, what: str) -> None:
        self._remarks.append(f"{wording.display_name(stable_name(path))} {what}")

    def _versioned(self, path: Path) -> str:
        return versioned_uid(path, self._folder)

    def _uid(self, bundle: _Bundle) -> str:
        uids = [self._versioned(path) for path in bundle.paths]
        return uids[0] if bundle.is_plain else uid_of("\0".join(uids))

    # -- moving ---------------------------------------------------------------------------

    def settle(self, ledger: Ledger) -> int:
        """Move what is safe in the ledger to the processed folder, if one is set.

        :returns: how many submissions were moved.
        :raises InboxError: a file can't be moved; it is taken in, and stays where it is.  The
            others are moved.
        """
        if self._done is None:
            return 0
        moved = 0
        fault: OSError | None = None
        place = ("folder", str(self._folder), 0)
        for uid in ledger.intake.uids_to_file(*place):
            bundle = self._bundles.get(uid)
            if bundle is None:
                continue
            try:
                if self._uid(bundle) != uid:
                    continue
                for path in bundle.paths:
                    _move(path, self._done / path.relative_to(self._folder))
                _remove_empty(bundle.at)
            except OSError as error:
                fault = fault or error
                continue
            ledger.intake.set_filed([MailIdentity(*place, uid)], Filed.YES)
            moved += 1
        if fault:
            raise InboxError(
                f"files can't be moved to [inbox] processed_folder: {reason_of(fault)}. They "
                "are taken in, and stay where they are until a later run moves them."
            ) from fault
        return moved


def _move(path: Path, wanted: Path) -> None:
    """Move a file; one that is there is never overwritten, the new one gets a number."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    number, target = 1, wanted
    while True:
        try:
            os.link(path, target)
            break
        except FileExistsError:
            number += 1
            target = wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
        except OSError:  # another device, or a file system without links
            if _copied(path, target):
                break
    path.unlink()


def _copied(path: Path, target: Path) -> bool:
    """Copy a file to another device; False if the target is there already."""
    with path.open("rb") as source:
        try:
            copy = target.open("xb")
        except FileExistsError:
            return False
        try:
            with copy:
                shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
        except OSError:
            target.unlink(missing_ok=True)
            raise
    with suppress(OSError):  # a memory card has no modes: the bytes are there all the same
        shutil.copystat(path, target)
    return True


def _remove_empty(folder: Path) -> None:
    """Remove a folder whose files were moved, if nothing else is in it."""
    if folder.is_dir():
        for path, _, _ in os.walk(folder, topdown=False):
            if not os.listdir(path):  # noqa: PTH208 - only whether there are any
                Path(path).rmdir()
