"""``footage add``: files that came by another way than mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.commands.ending import Facts
from pipeline.ingest.add import add
from pipeline.run import Run


def add_files(run: Run, paths: Sequence[Path]) -> Facts:
    """Take in *paths*, each as a submission of its own."""
    done = add(run, paths)
    run.console.say(f"add: {done.attachments} files taken in, {done.seen_again} known already")
    return {"add": asdict(done)}
