"""A row of the report as data: an attachment with its clip, its review and its warnings."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction

from pipeline.caution import Caution
from pipeline.config import Config, Output
from pipeline.media import fitting
from pipeline.model import ClipOutput, ClipResult, Decision, Row, Source, Status, Wait
from pipeline.review import alike, deciders
from pipeline.review.admission import Admission
from pipeline.review.deciders import DecisionMade
from pipeline.review.presenting import JsonObject, review_data, shown_text, shown_values
from pipeline.review.rules import has_clip, hides_what_it_should

# fields of an output that only the program uses
_INTERNAL = {"extradata", "marks", "hides", "still", "faces", "fit", "still_motion"}


@dataclass(frozen=True)
class ClipFacts:
    """What the rows of a report show beside themselves, by the SHA-256 of the original.

    ``waits``: why a clip was left for the next run.  ``made``: who decided on it last.  ``bare``:
    the look-alike that hides more (see :func:`pipeline.review.alike.bare`).
    """

    config: Config
    waits: Mapping[str, Wait]
    admission: Admission
    made: Mapping[str, DecisionMade]
    bare: Mapping[str, str]


def of(row: Row, facts: ClipFacts) -> JsonObject:
    """Return the line of a row in ``clips``."""
    item = row.attachment
    result = _outcome(row)
    found = set(item.findings) | set(result.findings if result else ())
    return {
        "sha256": item.sha256,
        "submission": row.submission,
        "parent": row.parent_sha256,
        "filename": shown_text(item.filename),
        "kind": item.kind,
        "status": row.status,
        "waits": facts.waits.get(row.sha256) if row.status is Status.PENDING else None,
        "reason": {"code": row.refusal.reason, "detail": shown_text(row.refusal.detail)}
        if row.refusal
        else None,
        "duplicate_of": row.duplicate_of,
        "pair": row.pair,
        "metadata": {
            "found": [vars(finding) for finding in sorted(found)],
            "clean": result.clean if result else None,
        },
        "source": _source(result.source) if result and result.source else None,
        **(_faces(result.source) if result and result.source else {}),
        "caption": shown_text(result.caption) if result else "",
        "category": shown_text(result.category) if result and result.category is not None else None,
        "warnings": _warnings(row, facts.bare),
        "outputs": [_output(output, result, facts.config) for output in result.outputs]
        if result and not row.is_hidden_with_film
        else [],
        "review": review_data(row.review),
        "held_by": list(row.held_by),
        **({} if hides_what_it_should(row) else {"to_be_made_anew": True}),
        **({"hidden_with_film": True} if row.is_hidden_with_film else {}),
        **({"original_deleted": True} if has_clip(row) and not row.has_original else {}),
        "consent": row.consent,
        **_two_people(row, facts.admission),
        **_decided(row, facts.made.get(row.sha256)),
    }


def _outcome(row: Row) -> ClipResult | None:
    """What became of a row.

    A withdrawn clip is gone.  A part that ingest refused was never processed, even if the same
    bytes became a clip in another submission.
    """
    is_gone = row.status is Status.WITHDRAWN or row.attachment.refusal
    return None if is_gone else row.result


def _two_people(row: Row, admission: Admission) -> JsonObject:
    """Why two people must approve a clip; nothing if one is enough."""
    if not admission.needs_two(row):
        return {}
    return {"two_people": "mail" if row.sha256 in admission.came_for else "review"}


def _decided(row: Row, made: DecisionMade | None) -> JsonObject:
    """Who decided on a clip, and when; nothing if it has no decision."""
    if row.review.decision is Decision.UNDECIDED:
        return {}
    names, at = deciders.deciders(row.review, made)
    return {"decided": {"by": list(map(shown_text, names)), "at": at}}


def _source(source: Source) -> JsonObject:
    return shown_values({key: value for key, value in vars(source).items() if key != "faces"})


def _faces(source: Source) -> JsonObject:
    """Give the masks for the faces that were found; nothing if nobody looked for faces."""
    found = source.faces
    if found is None:
        return {}
    return shown_values({"faces": [asdict(mask) for mask in found.masks]})


def _warnings(row: Row, bare: Mapping[str, str]) -> list[str]:
    """The warnings of a row; *bare* has the look-alikes that hide more."""
    result = _outcome(row)
    return [*map(shown_text, result.warnings), *alike.warnings(row, bare)] if result else []


def _output(output: ClipOutput, result: ClipResult, config: Config) -> JsonObject:
    shown = {key: value for key, value in vars(output).items() if key not in _INTERNAL}
    made = _made_by(output, config)
    if result.source is None or made is None:
        return shown_values(shown)
    source = result.source
    motion = output.still_motion or config.process.still_motion
    moves = source.duration_s is None and motion == "drift"
    aspect = Fraction(max(source.width, 1), max(source.height, 1))
    place = fitting.source_place(aspect, made, output.frames if moves else None)
    # where pictures change their size, masks are drawn on the frame
    frame = {"frame": made.frame} if Caution.SIZE_CHANGES in result.warnings else {}
    return shown_values({**shown, "source_at": shown_values(vars(place)), **frame})


def _made_by(output: ClipOutput, config: Config) -> Output | None:
    """The settings by which a finished film was made, which may differ from those of today.

    An older version did not record the fit: it is that of today then.  None if there is none.
    """
    today = next((each for each in config.output if each.name == output.name), None)
    fit = output.fit or (today and today.fit)
    size, fps = f"{output.width}x{output.height}", output.fps
    return Output().model_copy(update={"size": size, "fps": fps, "fit": fit}) if fit else None
