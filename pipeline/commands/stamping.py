"""Time stamps of the chain of custody: the newest event after each night, checked later.

A stamp proves that the chain up to this event was there at that time, also to somebody who does not
trust this machine.  ``stamps/stamp-000012.txt`` has the event as ``NUMBER:HASH``, and the ``.tsr``
beside it is the answer of the server, which ``openssl ts -verify`` reads too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import publishing
from pipeline.commands.ending import Facts
from pipeline.config import Config
from pipeline.errors import FootageError, StageError, from_os_error
from pipeline.history import ChainHead, parse_head
from pipeline.ledger import Ledger
from pipeline.run import Run
from pipeline.wording import counted
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from types import ModuleType

_HEAD, _STAMP = ".txt", ".tsr"
_LARGEST = 1 << 16


@dataclass(frozen=True)
class StampedEvent:
    """An event of the chain that has a time stamp.

    ``path`` is from the workspace.  ``fault``: why the stamp proves nothing; empty if it does.
    ``is_cut``: the stamp is good, and the chain does not have the event.
    """

    path: str
    number: int
    at: str = ""
    authority: str = ""
    fault: str = ""
    is_cut: bool = False


def stamp_head(run: Run) -> Facts:
    """Have the newest event of the chain stamped, if the configuration names a server.

    What fails is a warning: the next night tries again.
    """
    custody = run.config.custody
    if not custody.timestamp:
        return {}
    head = run.ledger.chain.head()
    try:
        stamps = _stamps()
        roots = stamps.read_roots(custody.resolve(custody.timestamp_ca))
        answer = stamps.ask(custody.timestamp, str(head).encode(), roots)
        stamp = stamps.check(answer, str(head).encode(), roots)
        path = _store(run.workspace, head, answer)
    except FootageError as error:
        run.console.warn(f"time stamp: {error}; the next night tries again")
        return {"timestamp": {"head": str(head), "at": None}}
    run.console.say(f"time stamp: event {head.number} was there at {stamp.at}, {path}")
    return {"timestamp": {"head": str(head), "at": stamp.at}}


def examine(config: Config) -> str:
    """Check that stamps can be made here, without asking the server for one.

    :raises StageError: a package is missing, or the certificates can't be read.
    """
    custody = config.custody
    roots = _stamps().read_roots(custody.resolve(custody.timestamp_ca))
    return f"{custody.timestamp}, checked with {counted(len(roots), 'certificate')}"


def stamped_events(config: Config, ledger: Ledger, workspace: Workspace) -> list[StampedEvent]:
    """Check all stamps of a workspace.

    :raises StageError: there are stamps and they can't be checked here.
    """
    paths = sorted(workspace.stamps.glob(f"*{_STAMP}"))
    if not paths:
        return []
    custody = config.custody
    if not custody.timestamp_ca:
        raise StageError("they need [custody] timestamp_ca, the certificates of the authority")
    stamps = _stamps()
    roots = stamps.read_roots(custody.resolve(custody.timestamp_ca))
    found = []
    for path in paths:
        name = workspace.relative(path)
        head = ChainHead(0, "")
        try:
            message = _read(path.with_suffix(_HEAD))
            head = parse_head(message.decode("ascii"))
            stamp = stamps.check(_read(path), message, roots)
        except (FootageError, ValueError, OSError) as error:
            found.append(StampedEvent(name, head.number, fault=str(error)))
            continue
        is_cut = not ledger.chain.holds(head)
        found.append(StampedEvent(name, head.number, stamp.at, stamp.authority, is_cut=is_cut))
    return found


def lines(events: list[StampedEvent]) -> Iterator[str]:
    """Say what the stamps prove: the newest good one, and how many there are."""
    good = [each for each in events if not each.fault and not each.is_cut]
    if good:
        newest = max(good, key=lambda each: each.number)
        by = f" by {newest.authority}" if newest.authority else ""
        yield (
            f"its time stamps are good: {len(good)}; event {newest.number} was there at "
            f"{newest.at}, stamped{by}"
        )


def _store(workspace: Workspace, head: ChainHead, answer: bytes) -> str:
    """Keep a stamp; the head comes first, so that no stamp is there without it."""
    path = workspace.stamps / f"stamp-{head.number:06}{_STAMP}"
    try:
        workspace.stamps.mkdir(mode=0o700, exist_ok=True)
        publishing.write_text(path.with_suffix(_HEAD), str(head))
        with publishing.new_file(path) as file:
            file.write(answer)
    except OSError as error:
        raise from_os_error(error) from error
    return workspace.relative(path)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST)


def _stamps() -> ModuleType:
    """The module that needs the optional parts.

    :raises StageError: they are not installed.
    """
    try:
        from pipeline import stamps  # noqa: PLC0415 - needs the optional parts
    except ImportError as error:
        raise StageError("time stamps need packages that are not installed: make extras") from error
    return stamps
