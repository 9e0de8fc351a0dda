"""``footage retry``: failed clips are processed again."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.commands.ending import Facts
from pipeline.errors import UsageError
from pipeline.model import Status
from pipeline.run import Run


def put_back(run: Run, prefixes: Sequence[str]) -> Facts:
    """Forget the outcomes of failed clips, so that the next ``footage process`` makes them.

    :param prefixes: beginnings of SHA-256; none means all failed clips.

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
    run.console.say(f"retry: {len(chosen)} clips can be made again; next: footage process")
    return {"retry": chosen}
