"""Warnings about the films that exist: what they show and should not."""

from collections.abc import Iterator

from pipeline.review import alike
from pipeline.review.admission import Admission
from pipeline.run import Run

_MOST_NAMED = 5  # clips in a line


def warn(run: Run) -> None:
    """Name the films that must not be shown any more, and the clips that hide too little.

    It is called when a command is over, because only then is known which films were made again.
    """
    for line in (*_stale(run), *_bare(run)):
        run.console.warn(line)


def _stale(run: Run) -> Iterator[str]:
    for film in run.ledger.runs.montages():
        if film.stale and (run.workspace.root / film.path).exists():
            yield (
                f"{film.path} is out of date: it may show a clip that was taken back, or a clip as "
                "it was before its masks or its sound were changed; delete it, or run footage "
                "render"
            )


def _bare(run: Run) -> Iterator[str]:
    rows = run.ledger.clips.rows()
    bare = alike.bare_in_films(rows, Admission.of(run.config, run.ledger, rows))
    if bare:
        names = ", ".join(row.sha256[:12] for row in bare[:_MOST_NAMED])
        more = ", …" if len(bare) > _MOST_NAMED else ""
        yield (
            f"clips that hide less than a clip that looks the same: {len(bare)} ({names}{more}); "
            "compare them in the report, and mask or reject them"
        )
