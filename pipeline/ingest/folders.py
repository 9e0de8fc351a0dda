"""Inboxes whose mails or files are files on the disk: ``eml:`` and ``maildir:``.

They are read in place and never changed.
"""

import fcntl
import os
import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.config import InboxSection
from pipeline.errors import NO_SPACE, InboxError, reason_of
from pipeline.ingest.inbox import (
    Advance,
    Arrival,
    Gone,
    Inbox,
    Known,
    NewFile,
    NewMail,
    Unreadable,
    file_time,
    stable_name,
    uid_of,
)
from pipeline.ingest.spool import Readable
from pipeline.model import MailIdentity
from pipeline.workspace import Workspace

QUIET_S = 60.0


class FileInbox(Inbox):
    """An inbox of files; the kinds differ in which files they take and how these are known."""

    def __init__(self, account: str, mailbox: str) -> None:
        """*account* and *mailbox* name the inbox in the ledger."""
        self._account, self._mailbox = account, mailbox
        self._paths: dict[str, Path] = {}

    @abstractmethod
    def files(self) -> Iterator[tuple[Path, str]]:
        """Each file with its UID, in the order in which they are taken in."""

    def arrival(self, identity: MailIdentity, path: Path) -> Arrival:
        """The record of a new file."""
        size, moment = path.stat().st_size, file_time(path)
        return NewMail(identity, size, file_time=moment, name=stable_name(path))

    def new(self, known: Known) -> Sequence[Arrival]:
        """The files that are not known.

        :raises InboxError: the inbox can't be read.
        """
        try:
            return self.new_files(known)
        except OSError as error:
            raise unreadable(self._mailbox, error) from error

    def new_files(self, known: Known) -> Sequence[Arrival]:
        """The files that are not known, each once.

        :raises OSError: one of them can't be read.
        """
        seen = known(self._account, self._mailbox, 0)
        arrivals = []
        for path, uid in self.files():
            if uid not in seen and uid not in self._paths:
                identity = MailIdentity(self._account, self._mailbox, 0, uid)
                with suppress(FileNotFoundError):  # somebody moved or deleted it just now
                    arrivals.append(self.arrival(identity, path))
                    self._paths[uid] = path
        return arrivals

    @contextmanager
    def open_raw(self, arrival: Arrival, advance: Advance) -> Iterator[Readable]:
        """Give the file itself: nothing is copied.

        :raises Gone: it is not there any more.
        :raises Unreadable: it can't be opened.
        """
        with opened(self._paths[arrival.identity.uid]) as file:
            yield file
        advance(arrival.size)


class EmlInbox(FileInbox):
    """A folder of ``.eml`` files; a file that changes is another mail, except for its marks."""

    def __init__(self, inbox: InboxSection, _workspace: Workspace) -> None:
        self._folder = inbox.resolve(inbox.path)
        super().__init__("eml", str(self._folder))

    def files(self) -> Iterator[tuple[Path, str]]:
        """The ``.eml`` files, by name, size and time."""
        for path in sorted(self._folder.iterdir()):
            if path.suffix.lower() == ".eml" and path.is_file():
                with suppress(FileNotFoundError):  # somebody moved or deleted it just now
                    yield path, versioned_uid(path, self._folder)


class MaildirInbox(FileInbox):
    """A Maildir: ``new`` and ``cur``.  The name before the flags identifies a mail for ever.

    A mail with the flag T (trashed) is left out: its reader has deleted it.
    """

    def __init__(self, inbox: InboxSection, _workspace: Workspace) -> None:
        self._folder = inbox.resolve(inbox.path)
        super().__init__("maildir", str(self._folder))

    def files(self) -> Iterator[tuple[Path, str]]:
        """The mails, by their names without the flags."""
        if not (self._folder / "cur").is_dir():
            raise InboxError(f"maildir:{self._folder} is not a Maildir: it has no folder named cur")
        for name in ("cur", "new"):
            folder = self._folder / name
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                unique, _, flags = stable_name(path).partition(":2,")
                if not unique.startswith(".") and "T" not in flags and path.is_file():
                    yield path, uid_of(unique.partition(":")[0])


def new_file(identity: MailIdentity, path: Path) -> NewFile:
    """The record of a file that is footage itself."""
    return NewFile(identity, path.stat().st_size, stable_name(path), file_time(path))


@contextmanager
def one_file() -> Iterator[None]:
    """Raise what costs no other file of an inbox where one is gone, or can't be read.

    :raises Gone: it is not there any more.
    :raises Unreadable: it can't be read.
    :raises OSError: the disk is full.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise Gone from error
    except OSError as error:
        if error.errno in NO_SPACE:
            raise
        raise Unreadable(f"a file can't be read: {reason_of(error)}") from error


def opened(path: Path) -> BinaryIO:
    """Open a file of an inbox.

    :raises Gone: it is not there any more.
    :raises Unreadable: it can't be opened.
    """
    with one_file():
        if not path.is_file():  # opening anything else could wait for ever
            raise Gone
        return path.open("rb")


def is_at_rest(path: Path) -> bool:
    """Whether no program writes to a file any more, as far as one can tell without waiting."""
    with path.open("rb") as file:
        try:
            # a read lease is refused while anybody has the file open for writing (fcntl(2))
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except BlockingIOError:
            return False
        except (OSError, AttributeError):
            return time.time() - path.stat().st_mtime >= QUIET_S
    return True


def unreadable(place: object, error: OSError) -> InboxError:
    """The sentence for an inbox on the disk that can't be read."""
    return InboxError(f"the inbox {place} can't be read: {reason_of(error)}")


def versioned_uid(path: Path, folder: Path) -> str:
    """A UID that changes with the file."""
    stat = path.stat()
    name = os.fsencode(path.relative_to(folder)).decode("utf-8", "backslashreplace")
    return f"{uid_of(name)}:{stat.st_size}:{stat.st_mtime_ns}"
