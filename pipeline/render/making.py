"""Making a montage and all that stands beside it; nothing appears before all is judged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from pipeline import judge, publishing, wording
from pipeline.config import Config
from pipeline.errors import StageError
from pipeline.media import encode
from pipeline.render import assemble, music, seams, sheet, sidecars
from pipeline.render.timeline import Film
from pipeline.run import Run

_VERSION = 3
_TRIES = 4  # at the loudness of a mix
_FILM, _POSTER, _SHEET, _SUMS = ".mp4", ".jpg", ".sheet.jpg", ".sha256"
_TEXTS: dict[str, judge.TextKind] = {
    ".vtt": "vtt",
    ".chapters.txt": "chapters",
    ".credits.txt": "chapters",
    ".json": "json",
    _SUMS: "sums",
}
_SUFFIXES = (_FILM, _POSTER, _SHEET, *_TEXTS)


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
        parts += [publishing.sha256_of(music.source(config)), config.montage.music_lufs]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def publish(run: Run, film: Film, final: Path) -> str:
    """Make the montage and all beside it, judge it, and only then let it appear.

    :returns: the SHA-256 of the montage.
    :raises StageError: a program failed, or frames or samples are missing.
    :raises NotClean: verification found something.
    """
    with publishing.scratch_folder(final.parent) as place:
        parts = {suffix: publishing.part_path(place / f"montage{suffix}") for suffix in _SUFFIXES}
        join(run, film, parts[_FILM])
        at = next(number for number, segment in enumerate(film.segments) if segment.sha256)
        shown = film.starts[at] + film.segments[at].length // 3
        assemble.poster(parts[_FILM], shown, film.output, parts[_POSTER], run.ffmpeg)
        sheet.make(film, parts[_SHEET], run.workspace, run.ffmpeg)
        sums = {_FILM: publishing.sha256_of(parts[_FILM])}
        for suffix, text in _texts(run, film, sums[_FILM]).items():
            parts[suffix].write_text(text, "utf-8")
        sums |= {suffix: publishing.sha256_of(parts[suffix]) for suffix in _SUFFIXES[1:-1]}
        lines = (f"{sums[suffix]}  {final.with_suffix(suffix).name}\n" for suffix in sums)
        parts[_SUMS].write_text("".join(lines), "utf-8")
        for suffix, kind in _TEXTS.items():
            judge.judge_text(parts[suffix], kind)
        for suffix, part in parts.items():
            publishing.publish(part, final.with_suffix(suffix))
        return sums[_FILM]


def _texts(run: Run, film: Film, sha256: str) -> dict[str, str]:
    """What stands beside a montage as text, by suffix."""
    style = run.config.report.sender
    senders = [wording.shown_sender(segment.sender, style) for segment in film.segments]
    return {
        ".vtt": sidecars.subtitles(film),
        ".chapters.txt": sidecars.chapters(film),
        ".credits.txt": sheet.listed(film, senders),
        ".json": sidecars.contents(run.config.campaign.name, sha256, film),
    }


def join(run: Run, film: Film, part: Path) -> None:
    """Make the bridges that are not there yet, then the film; what is there isn't counted.

    :raises StageError: a program failed, or frames or samples are missing.
    :raises NotClean: verification found something.
    """
    assembly = assemble.prepare(film, run.workspace)
    todo = seams.missing(assembly.pieces, film.transition, film.output, run.workspace)
    frames = sum(bridge.frames for bridge in todo.values())
    with run.console.task("crossfades", frames, "pictures") as task:
        seams.make(
            todo,
            film.transition,
            film.output,
            run.workspace,
            run.ffmpeg,
            joints=assembly.joints,
            workers=run.config.process.workers,
            done=task.advance,
        )
    if run.config.montage.music:
        with music.decoded(run.config, run.workspace, run.ffmpeg) as (samples, gain):
            _mastered(run, assembly, part, assemble.Bed(samples, gain, music.Master()))
    else:
        _joined(run, assembly, part, None)


def _mastered(run: Run, assembly: assemble.Assembly, part: Path, bed: assemble.Bed) -> None:
    """Join with the music, listen, and join again until the whole is as loud as it must be."""
    seconds = assembly.film.frames / assembly.film.output.fps
    for _ in range(_TRIES):
        _joined(run, assembly, part, bed)
        measured = music.measure(part, run.ffmpeg, seconds)
        better = bed.master.corrected(measured)
        if better is None:
            return
        bed = replace(bed, master=better)
    if measured.peak_dbtp > music.PEAK_DBTP:
        raise StageError("the music could not be mixed below -1 dBTP; choose another file")
    run.console.warn(f"the montage is at {measured.loudness_lufs:.1f} LUFS instead of -16")


def _joined(run: Run, assembly: assemble.Assembly, part: Path, bed: assemble.Bed | None) -> None:
    seconds = assembly.film.frames // assembly.film.output.fps
    with run.console.task("join", seconds, "seconds") as task:
        assemble.join(assembly, part, run.workspace, run.ffmpeg, task.advance, bed)
