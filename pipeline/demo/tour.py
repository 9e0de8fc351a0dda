"""``footage demo``: the whole way, on a sample inbox made on the spot."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pipeline import runner
from pipeline.config import load
from pipeline.console import Console
from pipeline.demo import sample
from pipeline.media.ffmpeg import Door
from pipeline.model import Status
from pipeline.runner import Bench


def walk(folder: Path, console: Console) -> tuple[int, dict[str, Any]]:
    """Make the sample in *folder* and run everything on it; the exit code and the facts.

    The facts hold ``summary``: three lines for a person.

    :raises UsageError: the folder holds something else.
    """
    door = Door("auto", console)
    try:
        config = load(sample.make(folder, door, console))
    finally:
        door.close()
    return runner.execute(config, console, "demo", _everything)


def _everything(bench: Bench) -> dict[str, Any]:
    facts = {**runner.take_in(bench), **runner.make_clips(bench), **runner.make_montages(bench)}
    facts |= runner.write_report(bench)
    return facts | {"summary": _summary(bench, facts["render"][0])}


def _summary(bench: Bench, film: dict[str, Any]) -> list[str]:
    rows = bench.ledger.rows()
    mails = len(bench.ledger.submissions())
    clips = sum(row.status is Status.ACCEPTED and row.result is not None for row in rows)
    doubles = sum(row.status is Status.DUPLICATE for row in rows)
    refused = Counter(
        row.refusal.reason.value
        for row in rows
        if row.refusal is not None and row.status is not Status.DUPLICATE
    )
    why = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
    root = bench.workspace.root
    return [
        f"Came in: {mails} mails, {len(rows)} attachments: {clips} clips, {doubles} sent twice.",
        f"Refused: {sum(refused.values())} ({why}).",
        f"Look at: {root / 'report' / 'index.html'} and {root / film['path']} "
        f"({film['duration_s']:.0f} s).",
    ]
