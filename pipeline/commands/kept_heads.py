"""The heads of the chain in the logs of runs: a chain that was made again does not fit them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.history import ChainHead, parse_head
from pipeline.workspace import Workspace

_LONGEST = 1 << 20  # of a line


@dataclass(frozen=True)
class KeptHead:
    """The newest event at the end of a run; ``path`` is that of its log, from the workspace."""

    path: str
    head: ChainHead


def in_logs(workspace: Workspace) -> list[KeptHead]:
    """The heads in the logs that still exist, the oldest run first."""
    return [
        KeptHead(workspace.relative(path), head)
        for path in sorted(workspace.logs.glob("*.jsonl"))
        for head in _heads(path)
    ]


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
