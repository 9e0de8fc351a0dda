"""``footage retry``: failed clips are put back in line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.errors import UsageError
from pipeline.model import Status
from pipeline.run import Run


def put_back(run: Run, prefixes: Sequence[str]) -> dict[str, Any]:
    """``footage retry``: the failed clips' outcomes are forgotten; the next process makes them.

    :raises UsageError: a prefix fits no failed clip.
    """
    failed = [
        sha for sha, clip in run.ledger.clips.results().items() if clip.status is Status.FAILED
    ]
    chosen = [sha for sha in failed if not prefixes or sha.startswith(tuple(prefixes))]
    for prefix in prefixes:
        if not any(sha.startswith(prefix) for sha in failed):
            raise UsageError(f"no failed clip begins with {prefix!r}")
    run.ledger.clips.forget(chosen)
    run.console.say(f"retry: {len(chosen)} clips are back in line; next: footage process")
    return {"retry": chosen}
