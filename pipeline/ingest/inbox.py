"""What every kind of inbox offers to the stage, and which kind an address names."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Protocol

from pipeline.ingest.spool import Readable
from pipeline.model import MailIdentity

Advance = Callable[[int], None]
"""Told how many bytes more have come."""

Known = Callable[[str, str, int], set[str]]
"""Given account, mailbox and UIDVALIDITY: the UIDs that were taken in already."""

Spools = Callable[[], SpooledTemporaryFile[bytes]]
"""Makes a temporary file for a mail."""


@dataclass(frozen=True)
class MailRef:
    """A mail that was not taken in yet.

    ``received``: the server's INTERNALDATE; ``file_time``: of the file that holds it.
    ``size`` in bytes is what the inbox says, for the progress bar alone.  ``name``: of a file
    that is no mail but footage itself.
    """

    identity: MailIdentity
    size: int
    received: datetime | None = None
    file_time: datetime | None = None
    name: str | None = None


class Inbox(Protocol):
    """A place where footage arrives.  Reading changes nothing in it."""

    def new(self, known: Known) -> list[MailRef]:
        """The mails that are not known, oldest first.

        :raises InboxError: it can't be reached or read.
        """
        ...

    def raw(
        self, ref: MailRef, spools: Spools, advance: Advance
    ) -> AbstractContextManager[Readable]:
        """The mail's bytes, for the length of a block.

        :raises Gone: it is not there any more.
        :raises InboxError: it can't be reached or read.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Gone(Exception):
    """A mail was deleted or moved by somebody else between listing and reading."""


def file_time(path: Path) -> datetime:
    """When a file was last changed."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def stable_name(path: Path) -> str:
    """A file's name as the ledger can hold it, also where it is no valid UTF-8."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")


def uid_of(name: str) -> str:
    """What stands for a file's name in the ledger: a hash, since a name can tell a place."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
