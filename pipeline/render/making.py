"""Making a montage and all that stands beside it; nothing appears before all is judged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import files
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import StageError
from pipeline.files import Workspace
from pipeline.ledger import Ledger
from pipeline.media import encode, verify
from pipeline.media.ffmpeg import Door
from pipeline.render import assemble, music, seams, sidecars
from pipeline.render.timeline import Film

_VERSION = 2
_TRIES = 4  # at the loudness of a mix
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


def key(film: Film, config: Config) -> str:
    """The hash of all that decides a montage's bytes and what stands beside it."""
    parts = [
        _VERSION,
        config.campaign.name,
        [
            (segment.content, segment.start, segment.stop, segment.title, segment.caption)
            for segment in film.segments
        ],
        (film.fades, film.transition if any(film.fades) else ""),
        [(out.sha256, out.why) for out in film.left_out],
        encode.piece_arguments(film.output),
        encode.montage_arguments(film.output),
    ]
    if config.montage.music:
        parts += [files.sha256_of(music.source(config)), config.montage.music_lufs]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def publish(shop: Shop, film: Film, final: Path) -> str:
    """Make the montage and all beside it, judge it, and only then let it appear.

    :returns: the SHA-256 of the montage.
    :raises StageError: a program failed, or frames or samples are missing.
    :raises NotClean: verification found something.
    """
    part, picture = files.part_for(final), files.part_for(final)
    beside = {kind: files.part_for(final) for kind in _SUFFIXES}
    try:
        join(shop, film, part)
        at = next(number for number, segment in enumerate(film.segments) if segment.sha256)
        shown = film.starts[at] + film.segments[at].length // 3
        assemble.poster(part, shown, film.output, picture, shop.door)
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


def join(shop: Shop, film: Film, part: Path) -> None:
    """Make the bridges that are not there yet, then the film; what is there isn't counted.

    :raises StageError: a program failed, or frames or samples are missing.
    :raises NotClean: verification found something.
    """
    assembly = assemble.prepare(film, shop.workspace)
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
    if shop.config.montage.music:
        with music.decoded(shop.config, shop.workspace, shop.door) as (samples, gain):
            _mastered(shop, assembly, part, assemble.Bed(samples, gain, music.Master()))
    else:
        _joined(shop, assembly, part, None)


def _mastered(shop: Shop, assembly: assemble.Assembly, part: Path, bed: assemble.Bed) -> None:
    """Join with the music, listen, and join again until the whole is as loud as it must be."""
    seconds = assembly.film.frames / assembly.film.output.fps
    for _ in range(_TRIES):
        _joined(shop, assembly, part, bed)
        measured = music.measure(part, shop.door, seconds)
        better = bed.master.corrected(measured)
        if better is None:
            return
        bed = replace(bed, master=better)
    if measured.peak_dbtp > music.PEAK_DBTP:
        raise StageError("the music could not be mixed below -1 dBTP; choose another file")
    shop.console.warn(f"the montage is at {measured.loudness_lufs:.1f} LUFS instead of -16")


def _joined(shop: Shop, assembly: assemble.Assembly, part: Path, bed: assemble.Bed | None) -> None:
    seconds = assembly.film.frames // assembly.film.output.fps
    with shop.console.task("join", seconds, "seconds") as task:
        assemble.join(assembly, part, shop.workspace, shop.door, task.advance, bed)
