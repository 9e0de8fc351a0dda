"""The heads of the chain outside of the ledger: a chain that was made again does not fit them.

They are in the logs of runs, and in a file for each day that every change of the ledger adds to.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.history import ChainHead, parse_head
from pipeline.ledger import Ledger
from pipeline.workspace import Workspace

OLDER = (
    "the ledger is older than its logs, or its chain was made again: it may have forgotten what "
    "was decided or taken back since. Run footage verify, and see docs/custody.md"
)
_LONGEST = 1 << 20  # of a line


@dataclass(frozen=True)
class KeptHead:
    """The newest event at some moment; ``path`` is that of the file, from the workspace."""

    path: str
    head: ChainHead


def in_logs(workspace: Workspace) -> list[KeptHead]:
    """The heads in the files that still exist, those of each kind by time."""
    of_runs = [
        KeptHead(workspace.relative(path), head)
        for path in sorted(workspace.logs.glob("*.jsonl"))
        for head in _heads(path)
    ]
    of_days = [
        KeptHead(workspace.relative(path), head)
        for path in sorted(workspace.heads.glob("*.txt"))
        for head in _heads_of_day(path)
    ]
    return of_runs + of_days


def is_ledger_older(workspace: Workspace, ledger: Ledger) -> bool:
    """Whether the chain lacks an event that was written beside it: an older ledger was put back.

    The files are read before the chain, which may grow meanwhile.
    """
    return any(not ledger.chain.holds(kept.head) for kept in in_logs(workspace))


def _heads_of_day(path: Path) -> Iterator[ChainHead]:
    """The heads in the file of a day, the highest number first; what is not whole is passed over.

    The number of an event is there more than once if an older ledger was put back.
    """
    found = set()
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            while line := file.readline(_LONGEST):
                with contextlib.suppress(ValueError):
                    found.add(parse_head(line))
    except OSError:
        return
    yield from sorted(found, key=lambda head: (-head.number, head.hash))


def _heads(path: Path) -> Iterator[ChainHead]:
    """The heads in a log; a line that is not whole is passed over."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            while line := file.readline(_LONGEST):
                if '"custody"' not in line:
                    continue
                try:
                    event = json.loads(line)
                    if event["event"] == "custody":
                        yield parse_head(str(event["head"]))
                except (ValueError, TypeError, KeyError):
                    continue
    except OSError:
        return
