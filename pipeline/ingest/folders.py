"""Embedded inboxes of one file a mail: ``eml:`` and ``maildir:``.  Read in place, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import InboxError
from pipeline.ingest.inbox import (
    Advance,
    Gone,
    Known,
    MailRef,
    Spools,
    file_time,
    stable_name,
    uid_of,
)
from pipeline.ingest.spool import Readable
from pipeline.model import MailIdentity


class FileInbox:
    """Mails that are files; the kinds differ in where they lie and what names them."""

    scheme = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}

    def new(self, known: Known) -> list[MailRef]:
        """The mails that are not known, in the order of their names."""
        account, mailbox = self.scheme, str(self._folder)
        seen = known(account, mailbox, 0)
        refs = []
        try:
            for path, uid in self._mails():
                if uid in seen or uid in self._paths:
                    continue
                self._paths[uid] = path
                identity = MailIdentity(account, mailbox, 0, uid)
                refs.append(MailRef(identity, path.stat().st_size, file_time=file_time(path)))
        except OSError as error:
            raise unreadable(self._folder, error) from error
        return refs

    @contextmanager
    def raw(self, ref: MailRef, spools: Spools, advance: Advance) -> Iterator[Readable]:  # noqa: ARG002
        """The mail itself: nothing is copied."""
        path = self._paths[ref.identity.uid]
        if not path.is_file():
            raise Gone
        with path.open("rb") as file:
            yield file
        advance(ref.size)

    def close(self) -> None:
        """Nothing is held."""

    def _mails(self) -> Iterator[tuple[Path, str]]:
        raise NotImplementedError


class EmlInbox(FileInbox):
    """A folder of ``.eml`` files; one that changes is another mail."""

    scheme = "eml"

    def _mails(self) -> Iterator[tuple[Path, str]]:
        for path in sorted(self._folder.iterdir()):
            if path.suffix.lower() == ".eml" and path.is_file():
                stat = path.stat()
                yield path, f"{uid_of(stable_name(path))}:{stat.st_size}:{stat.st_mtime_ns}"


class MaildirInbox(FileInbox):
    """A Maildir: ``new`` and ``cur``; what stands before the flags names a mail for ever."""

    scheme = "maildir"

    def _mails(self) -> Iterator[tuple[Path, str]]:
        if not (self._folder / "cur").is_dir():
            raise InboxError(f"maildir:{self._folder} is no Maildir: it has no folder named cur")
        for name in ("cur", "new"):
            folder = self._folder / name
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if not path.name.startswith(".") and path.is_file():
                    yield path, uid_of(stable_name(path).partition(":")[0])


def unreadable(path: Path, error: OSError) -> InboxError:
    """The sentence for an inbox on disk that can't be read."""
    return InboxError(f"the inbox {path} can't be read: {error.strerror or error}")
