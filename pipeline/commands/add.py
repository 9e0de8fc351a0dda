"""``footage add``: files that came by another way than mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.ingest import add as adding
from pipeline.run import Run


def add(run: Run, paths: Sequence[Path]) -> dict[str, Any]:
    """``footage add``."""
    done = adding.add(run, paths)
    run.console.say(f"add: {done.attachments} files taken in, {done.seen_again} known already")
    return {"add": asdict(done)}
