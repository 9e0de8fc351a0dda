"""What every inbox offers to the stage, and the one function that opens one.

The kinds of inboxes are listed in :mod:`pipeline.config.inbox`, with the class that reads each.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pipeline import wording
from pipeline.errors import InboxError
from pipeline.ingest.spool import Readable
from pipeline.model import MailIdentity

if TYPE_CHECKING:  # the process that takes mails apart has no configuration and no ledger
    from pipeline.config import InboxSection
    from pipeline.ledger import Ledger
    from pipeline.workspace import Workspace

Advance = Callable[[int], None]
"""Takes the number of bytes that have come since the last call."""

Known = Callable[[str, str, int], set[str]]
"""Given account, mailbox and UIDVALIDITY: the UIDs that were taken in already."""


@dataclass(frozen=True)
class NewMail:
    """A mail that was not taken in yet.

    ``size`` in bytes, as the inbox gives it, for the progress bar only.  ``received``: the server's
    INTERNALDATE.  ``file_time``: when the file that holds the mail was last changed.  ``name``: of
    the file or folder that stands for a mail.
    """

    identity: MailIdentity
    size: int
    received: datetime | None = None
    file_time: datetime | None = None
    name: str = ""

    @property
    def moment(self) -> datetime | None:
        """When the mail came, as far as the inbox knows."""
        return self.received or self.file_time


@dataclass(frozen=True)
class NewFile:
    """A file that is footage itself and was not taken in yet.

    ``size`` in bytes.  ``moment``: when it was last changed.
    """

    identity: MailIdentity
    size: int
    name: str
    moment: datetime


Arrival = NewMail | NewFile


def shown_name(arrival: Arrival) -> str:
    """What people know a mail or file by: the name of its file, without a place, or its UID."""
    return wording.display_name(arrival.name) if arrival.name else arrival.identity.uid


@runtime_checkable
class Inbox(Protocol):
    """A place where footage arrives.  Reading it changes nothing in it."""

    def new(self, known: Known) -> Sequence[Arrival]:
        """The mails or files that are not known, oldest first.

        :raises InboxError: the inbox can't be reached or read.
        """
        ...

    def open_raw(self, arrival: Arrival, advance: Advance) -> AbstractContextManager[Readable]:
        """Give the bytes of a mail or file, for the length of a block.

        :raises Gone: it is not there any more; also at the end of the block.
        :raises Unreadable: it is there, and the server can't give it.
        :raises InboxError: the inbox can't be reached or read.
        """
        ...

    def waiting(self) -> Sequence[Arrival]:
        """What is there and not complete, so that :meth:`new` did not give it."""
        return ()

    def remarks(self) -> Sequence[str]:
        """Sentences about what :meth:`new` found and left alone."""
        return ()

    def settle(self, ledger: Ledger) -> int:  # noqa: ARG002 - for inboxes that file nothing
        """Tell the server which mails are safe, after all new ones were taken in.

        :returns: how many mails were moved.
        :raises InboxError: the inbox can't be reached.
        """
        return 0

    def close(self) -> None:
        """Close what is open: a connection, a file."""
        return


class Gone(Exception):
    """Somebody else deleted or moved a mail between listing and reading."""


class Unreadable(InboxError):
    """The server can be reached, but twice gave no sensible answer to this one question."""


def open_inbox(section: InboxSection, workspace: Workspace) -> Inbox:
    """Open an inbox of the configuration; an IMAP inbox connects later.

    :raises InboxError: there is no such inbox.
    """
    module, _, name = section.kind.reader.partition(".")
    reader = getattr(import_module(f"pipeline.ingest.{module}"), name)
    inbox: Inbox = reader(section, workspace)
    return inbox


def file_time(path: Path) -> datetime:
    """When a file was last changed."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def stable_name(path: Path) -> str:
    """A file's name as the ledger can store it, also if it is not valid UTF-8."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")


def uid_of(name: str) -> str:
    """A hash that the ledger stores instead of a file's name, because a name can tell a place."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
