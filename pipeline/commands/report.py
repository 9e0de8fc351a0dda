"""``footage report``: the page, the JSON and the CSV."""

from __future__ import annotations

from dataclasses import asdict

from pipeline.commands.ending import Facts
from pipeline.review import report
from pipeline.run import Run


def write_report(run: Run) -> Facts:
    """Write the report where it changed."""
    done = report.write(run)
    run.console.say(f"report: {run.workspace.report / 'index.html'}")
    return {"report": asdict(done)}
