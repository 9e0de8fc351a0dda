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
from pipeline.render import assemble, cards, seams, sidecars, timeline
from pipeline.render.timeline import Film, Segment, Timeline

_VERSION = 2
_SUFFIXES: dict[verify.TextKind, str] = {
    "vtt": ".vtt",
    "chapters": ".chapters.txt",
    "json": ".json",
}


@dataclass(frozen=True)
class Shop:
    """What a montage is made with."""

    config: Config
    ledger: Ledger
    workspace: Workspace
    door: Door
    console: Console


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
    seams.forget(workspace, {row.attachment.sha256 or "" for row in rows if row.result})
    made = []
    shop = Shop(config, ledger, workspace, door, console)
    for output in outputs:
        beside = cards.length(output) * len(_cards(config))
        plan = timeline.arrange(config, ledger, output, admitted, rows, beside=beside)
        if not plan.clips:
            raise StageError(f"no admitted clip goes into the montage of {output.name!r}")
        made.append(_render(shop, plan))
    return made


def _render(shop: Shop, plan: Timeline) -> Rendered:
    workspace, output = shop.workspace, plan.output
    _present(workspace, plan)
    try:
        film = timeline.film(shop.config, plan, _with_cards(shop, plan))
        final = workspace.montage / f"{shop.config.montage.name}-{output.name}.mp4"
        key = _key(film)
        path = workspace.relative(final)
        cached = shop.ledger.montage_key(path) == key and final.exists()
        if not cached:
            sha256 = _publish(shop, film, final)
            clips = [segment.sha256 for segment in film.segments if segment.sha256]
            shop.ledger.record_montage(path, key, sha256, clips)
    except NotClean as fault:
        problems = "; ".join(fault.problems[:3])
        raise StageError(f"the montage is withheld, it was not clean: {problems}") from fault
    length = round(film.frames / output.fps, 3)
    return Rendered(output.name, path, len(plan.clips), film.frames, length, cached)


def _present(workspace: Workspace, plan: Timeline) -> None:
    gone = [clip for clip in plan.clips if not (workspace.root / clip.path).exists()]
    if gone:
        names = ", ".join(clip.sha256[:12] for clip in gone[:5])
        raise StageError(
            f"{len(gone)} admitted clips have no file ({names}); run `footage process`. "
            "The old montage stays."
        )


def _cards(config: Config) -> list[cards.Words]:
    return [words for words in (cards.opening(config), cards.closing(config)) if words]


def _with_cards(shop: Shop, plan: Timeline) -> tuple[Segment, ...]:
    def made(words: cards.Words, title: str) -> Segment:
        return cards.card(words, title, shop.config, plan.output, shop.workspace, shop.door)

    segments = list(plan.clips)
    opening, closing = cards.opening(shop.config), cards.closing(shop.config)
    if opening is not None:
        segments.insert(0, made(opening, "Opening"))
    if closing is not None:
        segments.append(made(closing, "Closing"))
    return tuple(segments)


def _key(film: Film) -> str:
    parts = [
        _VERSION,
        [
            (segment.content, segment.start, segment.stop, segment.title, segment.caption)
            for segment in film.segments
        ],
        (film.fades, film.transition if any(film.fades) else ""),
        [(out.sha256, out.why) for out in film.left_out],
        encode.piece_arguments(film.output),
        encode.montage_arguments(film.output),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _publish(shop: Shop, film: Film, final: Path) -> str:
    """Make the montage and all beside it, judge it, and only then let it appear."""
    workspace, door, output = shop.workspace, shop.door, film.output
    part, picture = files.part_for(final), files.part_for(final)
    beside = {kind: files.part_for(final) for kind in _SUFFIXES}
    try:
        assembly = assemble.prepare(film, workspace)
        _bridge(shop, assembly)
        assemble.join(assembly, part, workspace, door)
        at = next(number for number, segment in enumerate(film.segments) if segment.sha256)
        shown = film.starts[at] + film.segments[at].length // 3
        assemble.poster(part, shown, output, picture, door)
        sha256 = files.sha256_of(part)
        texts: dict[verify.TextKind, str] = {
            "vtt": sidecars.subtitles(film),
            "chapters": sidecars.chapters(film),
            "json": sidecars.contents(shop.config.campaign.name, sha256, film),
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


def _bridge(shop: Shop, assembly: assemble.Assembly) -> None:
    """Make the bridges that are not there yet; what is there costs nothing and isn't counted."""
    film = assembly.film
    todo = seams.missing(assembly.pieces, film.transition, film.output, shop.workspace)
    frames = sum(bridge.frames for bridge in todo.values())
    with shop.console.task("crossfades", frames, "pictures") as task:
        seams.make(
            todo,
            film.transition,
            film.output,
            shop.workspace,
            shop.door,
            workers=shop.config.process.workers,
            done=task.advance,
        )
