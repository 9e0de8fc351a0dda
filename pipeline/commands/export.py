"""``footage export``: the montage as a timeline for an editing program."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.commands.ending import Facts
from pipeline.commands.render import need_admitted
from pipeline.render import stage as render
from pipeline.render.interchange import TimelineFormat
from pipeline.run import Run


def write_timelines(run: Run, kind: str, names: Sequence[str]) -> Facts:
    """Write a timeline of the kind *kind* for each output, or for those of *names*.

    :raises UsageError: there is no such output.
    :raises StageError: no clip is admitted; the text says what waits.
    """
    admitted = need_admitted(run)
    outputs = render.outputs_named(run.config, names)
    paths = [render.export(run, output, admitted, TimelineFormat(kind)) for output in outputs]
    for path in paths:
        run.console.say(f"export: {run.workspace.root / path}")
    return {"export": paths}
