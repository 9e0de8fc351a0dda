"""``footage demo``: make the sample inbox and run every stage on it."""

from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

from pipeline.commands import session
from pipeline.commands.ending import Ending, Facts
from pipeline.commands.render import render_admitted
from pipeline.commands.stages import make_clips, take_in, write_report
from pipeline.config import load
from pipeline.console import Console
from pipeline.demo import sample
from pipeline.model import Status
from pipeline.render.stage import Rendered
from pipeline.run import Run


def walk(folder: Path, console: Console) -> Ending:
    """Make the sample in *folder* and run everything on it.

    The facts hold ``summary``: three lines for a person.

    :raises UsageError: the folder holds something else.
    """
    config = load(sample.make(folder, console))
    summary: list[str] = []
    ending = session.execute(config, console, "demo", lambda run: _do_all(run, summary))
    return replace(ending, lines=tuple(summary))


def _do_all(run: Run, summary: list[str]) -> Facts:
    facts = take_in(run) | make_clips(run)
    films = render_admitted(run)
    facts |= {"render": [asdict(film) for film in films]} | write_report(run)
    summary += _summary(run, films[0])
    return facts | {"summary": summary}


def _summary(run: Run, film: Rendered) -> list[str]:
    rows = run.ledger.clips.rows()
    mails = len(run.ledger.intake.submissions())
    clips = sum(row.status is Status.ACCEPTED and row.result is not None for row in rows)
    once = [row for row in rows if row.status is not Status.DUPLICATE]
    refused = Counter(row.refusal.reason.value for row in once if row.refusal is not None)
    why = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
    twice, root = len(rows) - len(once), run.workspace.root
    return [
        f"Came in: {mails} mails, {len(rows)} attachments: {clips} clips, {twice} sent twice.",
        f"Refused: {sum(refused.values())} ({why}).",
        f"Look at: {root / 'report' / 'index.html'} and {root / film.path} "
        f"({film.duration_s:.0f} s).",
    ]
