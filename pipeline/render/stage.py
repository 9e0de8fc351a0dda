"""``footage render``: the clips that the review admits, joined into one montage an output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import files
from pipeline.config import Config, Output
from pipeline.console import Console
from pipeline.errors import NotClean, StageError, UsageError
from pipeline.files import Workspace
from pipeline.ledger import Ledger
from pipeline.media import encode, verify
from pipeline.media.ffmpeg import Door
from pipeline.model import Row
from pipeline.render import assemble, cards, sidecars, timeline
from pipeline.render.timeline import Segment, Timeline

_VERSION = 1
_SUFFIXES: dict[verify.TextKind, str] = {
    "vtt": ".vtt",
    "chapters": ".chapters.txt",
    "json": ".json",
}


@dataclass(frozen=True)
class Rendered:
    """A montage: its path from the workspace, its length, and whether it was there already."""

    output: str
    path: str
    clips: int
    frames: int
    duration_s: float
    cached: bool


def outputs_named(config: Config, names: Sequence[str]) -> tuple[Output, ...]:
    """The outputs of these names, all for none.

    :raises UsageError: there is no such output.
    """
    known = {output.name: output for output in config.output}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no output {name!r}; there are: {', '.join(known)}")
    return tuple(known[name] for name in names) if names else config.output


def run(
    config: Config,
    ledger: Ledger,
    workspace: Workspace,
    door: Door,
    console: Console,
    *,
    admitted: Sequence[Row],
    outputs: Sequence[Output],
) -> list[Rendered]:
    """Render the admitted clips.

    :raises StageError: nothing is admitted, a clip's file is gone, or joining failed; the old
        montage stays.
    """
    if not admitted:
        raise StageError("no clip is admitted to the montage")
    rows = ledger.rows()
    made = []
    with console.task("render", len(outputs), "montages") as task:
        for output in outputs:
            plan = timeline.arrange(config, ledger, output, admitted, rows)
            if not plan.clips:
                raise StageError(f"no admitted clip has the output {output.name!r} yet")
            made.append(_render(config, ledger, workspace, door, plan))
            task.advance()
    return made


def _render(
    config: Config, ledger: Ledger, workspace: Workspace, door: Door, plan: Timeline
) -> Rendered:
    output = plan.output
    _present(workspace, plan)
    try:
        segments = _with_cards(config, workspace, door, plan)
        final = workspace.montage / f"{config.montage.name}-{output.name}.mp4"
        frames = sum(segment.frames for segment in segments)
        key = _key(segments, plan)
        path = workspace.relative(final)
        cached = ledger.montage_key(path) == key and final.exists()
        if not cached:
            sha256 = _publish(config, workspace, door, plan, segments, final)
            clips = [segment.sha256 for segment in segments if segment.sha256]
            ledger.record_montage(path, key, sha256, clips)
    except NotClean as fault:
        problems = "; ".join(fault.problems[:3])
        raise StageError(f"the montage is withheld, it was not clean: {problems}") from fault
    return Rendered(
        output.name, path, len(plan.clips), frames, round(frames / output.fps, 3), cached
    )


def _present(workspace: Workspace, plan: Timeline) -> None:
    gone = [clip for clip in plan.clips if not (workspace.root / clip.path).exists()]
    if gone:
        names = ", ".join(clip.sha256[:12] for clip in gone[:5])
        raise StageError(
            f"{len(gone)} admitted clips have no file ({names}); run `footage process`. "
            "The old montage stays."
        )


def _with_cards(
    config: Config, workspace: Workspace, door: Door, plan: Timeline
) -> tuple[Segment, ...]:
    segments = list(plan.clips)
    opening, closing = cards.opening(config), cards.closing(config)
    if opening is not None:
        segments.insert(0, cards.card(opening, "Opening", plan.output, workspace, door))
    if closing is not None:
        segments.append(cards.card(closing, "Closing", plan.output, workspace, door))
    return tuple(segments)


def _key(segments: tuple[Segment, ...], plan: Timeline) -> str:
    parts = [
        _VERSION,
        [(segment.content, segment.title, segment.caption) for segment in segments],
        [(out.sha256, out.why) for out in plan.left_out],
        encode.montage_arguments(plan.output),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _publish(
    config: Config,
    workspace: Workspace,
    door: Door,
    plan: Timeline,
    segments: tuple[Segment, ...],
    final: Path,
) -> str:
    """Make the montage and all beside it, judge it, and only then let it appear."""
    output = plan.output
    part, picture = files.part_for(final), files.part_for(final)
    beside = {kind: files.part_for(final) for kind in _SUFFIXES}
    try:
        assemble.join(segments, output, part, workspace, door)
        at = 0 if segments[0].sha256 else segments[0].frames  # behind the opening card
        assemble.poster(part, at + plan.clips[0].frames // 3, output, picture, door)
        sha256 = files.sha256_of(part)
        contents = sidecars.contents(config.campaign.name, sha256, segments, plan)
        texts: dict[verify.TextKind, str] = {
            "vtt": sidecars.subtitles(segments, output.fps),
            "chapters": sidecars.chapters(segments, output.fps),
            "json": contents,
        }
        for kind, text in texts.items():
            beside[kind].write_text(text, "utf-8")
            verify.judge_text(beside[kind], kind)
        files.publish(part, final)
        files.publish(picture, final.with_suffix(".jpg"))
        for kind, written in beside.items():
            files.publish(written, final.with_suffix(_SUFFIXES[kind]))
        return sha256
    finally:
        for path in (part, picture, *beside.values()):
            path.unlink(missing_ok=True)
