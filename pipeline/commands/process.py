"""``footage process``: the clips that are missing."""

from __future__ import annotations

from dataclasses import asdict

from pipeline.commands.ending import Facts
from pipeline.commands.purge import delete_old_originals
from pipeline.process import stage as process
from pipeline.run import Run


def make_clips(run: Run) -> Facts:
    """Make the missing clips; with no days of retention, delete their originals at once."""
    done = process.run(run)
    run.console.say(
        f"process: {done.accepted} clips made, {done.rejected} refused, {done.failed} failed"
    )
    facts: Facts = {"process": asdict(done)}
    if run.config.workspace.retain_originals_days == 0:
        facts |= delete_old_originals(run)
    return facts
