"""The heads of the chain outside of the ledger: a chain that was made again does not fit them.

They are in the logs of runs, and in a file for each day that every change of the ledger adds to.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import publishing
from pipeline.history import ChainHead, HeadsSeen, parse_head
from pipeline.ledger import Ledger
from pipeline.workspace import Workspace

_LONGEST = 1 << 20  # of a line
_LARGEST = 1 << 30  # of a file: its first bytes are read
_OPEN_DAYS = 2  # files that may still grow


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

    What a former run has found in this chain is not read again, so it takes no longer from year
    to year.  ``footage verify`` reads all.  The files are read before the chain, which may grow
    meanwhile.
    """
    return not ledger.chain.has_all(_since(workspace, ledger.runs.heads_seen())[0])


def note_seen(workspace: Workspace, ledger: Ledger, run_id: str) -> None:
    """Record in the run that goes on which kept heads are in the chain, if all are."""
    heads, days = _since(workspace, ledger.runs.heads_seen())
    if ledger.chain.has_all(heads):
        ledger.runs.note_heads(HeadsSeen(days, run_id))


def _since(workspace: Workspace, seen: HeadsSeen) -> tuple[set[ChainHead], dict[str, int]]:
    """The heads that were not read yet, and how far the newest files of days are read now."""
    heads = set[ChainHead]()
    for path in workspace.logs.glob("*.jsonl"):
        if path.stem >= seen.before:
            heads.update(_heads(path))
    ends = {}
    for path in sorted(workspace.heads.glob("*.txt")):
        # a program that began before midnight may still write into the file of the day before
        if path.name >= min(seen.days, default=""):
            ends[path.name] = _read_day(path, seen.days.get(path.name, 0), heads)
    return heads, dict(sorted(ends.items())[-_OPEN_DAYS:])


def _read_day(path: Path, start: int, heads: set[ChainHead]) -> int:
    """Add the heads of a day's file from a place on; return where its last whole line ends."""
    try:
        with publishing.open_regular(path) as file:
            end = file.seek(start if start <= path.stat().st_size else 0)
            while end < _LARGEST and (line := file.readline(_LONGEST)):
                end += len(line) if line.endswith(b"\n") else 0
                with contextlib.suppress(ValueError):
                    heads.add(parse_head(line.decode("ascii", "replace")))
    except OSError:
        return start
    return end


def _heads_of_day(path: Path) -> Iterator[ChainHead]:
    """The heads in the file of a day, the highest number first; what is not whole is passed over.

    The number of an event is there more than once if an older ledger was put back.
    """
    found = set()
    try:
        with publishing.open_regular(path) as file:
            while file.tell() < _LARGEST and (line := file.readline(_LONGEST)):
                with contextlib.suppress(ValueError):
                    found.add(parse_head(line.decode("ascii", "replace")))
    except OSError:
        return
    yield from sorted(found, key=lambda head: (-head.number, head.hash))


def _heads(path: Path) -> Iterator[ChainHead]:
    """The heads in a log; a line that is not whole is passed over."""
    try:
        with publishing.open_regular(path) as file:
            while file.tell() < _LARGEST and (line := file.readline(_LONGEST)):
                if b'"custody"' not in line:
                    continue
                try:
                    event = json.loads(line)
                    if event["event"] == "custody":
                        yield parse_head(str(event["head"]))
                except (ValueError, TypeError, KeyError, RecursionError):
                    continue
    except OSError:
        return
