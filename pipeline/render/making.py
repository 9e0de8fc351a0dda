"""Making a montage and all that stands beside it; nothing appears before all is judged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import files, wording
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import StageError
from pipeline.files import Workspace
from pipeline.ledger import Ledger
from pipeline.media import encode, verify
from pipeline.media.ffmpeg import Door
from pipeline.render import assemble, music, seams, sheet, sidecars
from pipeline.render.timeline import Film

_VERSION = 3
_TRIES = 4  # at the loudness of a mix
_FILM, _POSTER, _SHEET, _SUMS = ".mp4", ".jpg", ".sheet.jpg", ".sha256"
_TEXTS: dict[str, verify.TextKind] = {
    ".vtt": "vtt",
    ".chapters.txt": "chapters",
    ".credits.txt": "chapters",
    ".json": "json",
    _SUMS: "sums",
}
_SUFFIXES = (_FILM, _POSTER, _SHEET, *_TEXTS)


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
        config.report.sender,
        [
            (
                segment.content,
                segment.start,
                segment.stop,
                segment.title,
                segment.caption,
                segment.category,
                segment.sender,
            )
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
    with files.scratch(final.parent) as place:
        parts = {suffix: files.part_for(place / f"montage{suffix}") for suffix in _SUFFIXES}
        join(shop, film, parts[_FILM])
        at = next(number for number, segment in enumerate(film.segments) if segment.sha256)
        shown = film.starts[at] + film.segments[at].length // 3
        assemble.poster(parts[_FILM], shown, film.output, parts[_POSTER], shop.door)
        sheet.make(film, parts[_SHEET], shop.workspace, shop.door)
        sums = {_FILM: files.sha256_of(parts[_FILM])}
        for suffix, text in _texts(shop, film, sums[_FILM]).items():
            parts[suffix].write_text(text, "utf-8")
        sums |= {suffix: files.sha256_of(parts[suffix]) for suffix in _SUFFIXES[1:-1]}
        lines = (f"{sums[suffix]}  {final.with_suffix(suffix).name}\n" for suffix in sums)
        parts[_SUMS].write_text("".join(lines), "utf-8")
        for suffix, kind in _TEXTS.items():
            verify.judge_text(parts[suffix], kind)
        for suffix, part in parts.items():
            files.publish(part, final.with_suffix(suffix))
        return sums[_FILM]


def _texts(shop: Shop, film: Film, sha256: str) -> dict[str, str]:
    """What stands beside a montage as text, by suffix."""
    how = shop.config.report.sender
    senders = [_shown(segment.sender, how) for segment in film.segments]
    return {
        ".vtt": sidecars.subtitles(film),
        ".chapters.txt": sidecars.chapters(film),
        ".credits.txt": sheet.listed(film, senders),
        ".json": sidecars.contents(shop.config.campaign.name, sha256, film),
    }


def _shown(sender: str, how: str) -> str:
    """A sender as the report shows it."""
    if how == "none" or not sender:
        return ""
    return wording.plain(sender if how == "full" else wording.masked_sender(sender), 200)


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
            joints=assembly.joints,
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
