"""All errors that the program raises on purpose, each with its exit code.

Exit codes are part of the interface: 1 means that a stage could not finish (nothing is lost, run
again), 2 wrong usage or configuration, 75 that another run holds the workspace (``EX_TEMPFAIL``
of sysexits.h).  The text of an error is shown to a person.  It says what happened and what to do,
and never holds a value that a sender wrote.

``named`` and ``from_os_error`` turn all other errors into one of these.
"""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model import Refusal

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FootageError(Exception):
    """Base of all errors that end a command with a plain sentence instead of a traceback.

    ``facts``: what ``--json`` and the ledger's record of the run hold beside the sentence.
    """

    exit_code = 1
    facts: Mapping[str, object] = MappingProxyType({})


class StageError(FootageError):
    """A stage could not finish; its work so far is kept, and the next run continues it."""


class ConfigError(FootageError):
    """The configuration or the usage is wrong; ``problems`` holds a line for each fault.

    ``character`` is the Unicode name of the one that no font here has, if that is the fault.
    """

    exit_code = 2

    def __init__(self, problems: list[str], character: str = "") -> None:
        super().__init__("\n".join(problems))
        self.problems, self.character = problems, character


class UsageError(FootageError):
    """A command was asked for something that does not exist or makes no sense."""

    exit_code = 2


class Stopping(FootageError):
    """The run was asked to stop, by Ctrl-C or SIGTERM."""

    def __init__(self) -> None:
        super().__init__("stopped; nothing is lost, run again to go on")


class DiskFull(StageError):
    """The disk has no room for a file, or the user's quota is used up."""

    def __init__(self) -> None:
        super().__init__("the disk is full; free some space and run again. Nothing is lost")


class WorkspaceBusy(FootageError):
    """Another run holds the workspace."""

    exit_code = 75


class LedgerError(FootageError):
    """The ledger can't be opened, read or written; nothing of what was recorded is lost."""


class RowUnreadable(LedgerError):
    """A row of the ledger holds something that no version of the program writes."""

    def __init__(self) -> None:
        super().__init__(
            "a row of the ledger can't be read, because it was changed or is damaged: footage "
            "verify names it; see docs/custody.md"
        )


class InboxError(StageError):
    """The mailbox could not be reached, signed in to, or read to its end."""


class StoreError(StageError):
    """The store of footage does not answer, refuses, or does not have a file."""


class FileMissing(StoreError):
    """A file is neither in the workspace folder nor in the store."""


class BytesChanged(StoreError):
    """The store gave other bytes than it was given."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"the store gave other bytes than it was given for {key}; footage verify names all "
            "such files, and footage doctor --repair makes clips and stills again"
        )


class SandboxUnavailable(StageError):
    """The configuration requires a sandbox that this machine does not have."""


class InternalError(FootageError):
    """The program itself is at fault; ``trace`` holds the lines that led there, and no values."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            f"the program itself failed ({place_of(error)}); what was finished is kept. Please "
            "report it, with what --verbose adds"
        )
        self.trace = tuple(traceback.format_tb(error.__traceback__))


class NotClean(Exception):
    """A finished file holds something that is not on the allow-list.

    ``problems`` names what and where by kind (a box type, a segment, a stream), never by value.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Refused(Exception):
    """One original gives no clip, for a reason that its row shows; the run goes on."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.reason}: {refusal.code}")
        self.refusal = refusal


def named(error: BaseException) -> FootageError:
    """The error of ours that a command ends with when *error* is raised."""
    match error:
        case FootageError():
            return error
        case KeyboardInterrupt():
            return Stopping()
        case OSError():
            return from_os_error(error)
        case _:
            return InternalError(error)


def from_os_error(error: OSError) -> StageError:
    """Make the sentence for an error of the operating system.

    A file's name may hold a location that its sender wrote, so it is masked.
    """
    if error.errno in NO_SPACE:
        return DiskFull()
    reason = reason_of(error)
    if not isinstance(error.filename, str | bytes):
        return StageError(f"a file could not be read or written: {reason}")
    from pipeline import places  # noqa: PLC0415 - its patterns are compiled only when needed

    name = places.masked(os.fsdecode(error.filename))
    return StageError(f"{name} could not be read or written: {reason}")


def reason_of(error: OSError) -> str:
    """What the operating system says about an error, without its number and the file's name."""
    return error.strerror or (str(error) if error.errno is None else "") or "an unknown fault"


def place_of_fault(error: Exception) -> str:
    """Return :func:`place_of` an error that costs one clip, and not the night.

    :raises FootageError: it is one of ours, or the disk is full.
    """
    ours = named(error)
    if isinstance(error, FootageError):
        raise error
    if isinstance(ours, DiskFull):
        raise ours from error
    return place_of(error)


def place_of(error: BaseException) -> str:
    """The kind of an error and the line that raised it; its text could repeat a file's content."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
