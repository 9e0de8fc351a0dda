"""``footage export``: the montage as a timeline for an editing program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.commands.nightly import admitted_rows, what_waits
from pipeline.errors import StageError
from pipeline.render import interchange
from pipeline.render import stage as render
from pipeline.run import Run


def export(run: Run, kind: interchange.Format, names: Sequence[str]) -> dict[str, Any]:
    """``footage export``."""
    admitted = admitted_rows(run)
    if not admitted:
        raise StageError(what_waits(run))
    outputs = render.outputs_named(run.config, names)
    paths = [render.export(run, output, admitted, kind) for output in outputs]
    for path in paths:
        run.console.say(f"export: {run.workspace.root / path}")
    return {"export": paths}
