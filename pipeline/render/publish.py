"""Make a montage and the files beside it; nothing appears before all of them are judged."""

import hashlib
import json
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path

from pipeline import addressees, judge, publishing, versions, wording
from pipeline.codecs import codec_of
from pipeline.config import Config
from pipeline.ffmpeg import made
from pipeline.media import encode
from pipeline.render import join, music, sheet, sidecars
from pipeline.render.cuts import CutPlan
from pipeline.render.timeline import Timeline
from pipeline.run import Run

_POSTER, _SHEET, _SUMS = ".jpg", ".sheet.jpg", ".sha256"
_TEXTS: dict[str, judge.TextKind] = {
    ".vtt": "vtt",
    ".chapters.txt": "chapters",
    ".credits.txt": "credits",
    ".json": "json",
    _SUMS: "sums",
}

BESIDE = (_POSTER, _SHEET, *_TEXTS)
"""The suffixes of the files that are published beside a montage."""


def key(film: Timeline, config: Config) -> str:
    """Return the hash of all that decides the bytes of a montage and of the files beside it."""
    parts = [versions.SEAM, versions.ENCODING, *_contents(film, config)]
    if config.montage.music:
        parts.append(versions.MUSIC)
    return publishing.cache_key("montage", versions.MONTAGE, *parts)


def former_keys(film: Timeline, config: Config) -> tuple[str, ...]:
    """Return the key of the former formula, if the same montage was made under it."""
    unchanged = (versions.MONTAGE, versions.SEAM, versions.ENCODING) == (4, 3, 1)
    if not unchanged or config.montage.music:
        return ()
    text = json.dumps([3, *_contents(film, config)])
    return (hashlib.sha256(text.encode()).hexdigest()[:32],)


def _contents(film: Timeline, config: Config) -> list[object]:
    shown = attrgetter("content", "start", "stop", "title", "caption", "category", "sender")
    contents: list[object] = [
        config.campaign.name,
        config.report.sender,
        [shown(segment) for segment in film.segments],
        (film.fades, film.transition if any(film.fades) else ""),
        [(out.sha256, out.why) for out in film.left_out],
        encode.piece_arguments(film.output),
        encode.montage_arguments(film.output),
    ]
    credited = [segment.credit for segment in film.segments]
    if any(credited):  # the keys of montages without names stay as they were
        contents.append(credited)
    if config.montage.music:
        contents += [publishing.sha256_of(music.source(config)), config.montage.music_lufs]
    return contents


def publish(run: Run, plan: CutPlan, final: Path, numbers: Mapping[str, int]) -> str:
    """Make the montage and the files beside it, judge them, and only then publish them.

    Several threads may do this for different montages.

    :param numbers: of the senders, as the ledger counts them.
    :returns: the SHA-256 of the montage.
    :raises StageError: a program failed, or frames or samples are missing.
    :raises NotClean: verification found something.
    """
    film = plan.film
    movie = codec_of(film.output).suffix
    with made.scratch(final.parent) as scratch:
        montage = join.join(run, plan, scratch)
        parts = {
            movie: montage,
            _POSTER: sheet.poster(run, film, montage.path, scratch),
            _SHEET: sheet.make(run, film, scratch),
        }
        sums = {suffix: publishing.sha256_of(part.file) for suffix, part in parts.items()}
        texts = _texts(run.config, film, sums[movie], numbers)
        for suffix, text in texts.items():
            sums[suffix] = hashlib.sha256(text.encode()).hexdigest()
        lines = (f"{sha256}  {final.with_suffix(suffix).name}\n" for suffix, sha256 in sums.items())
        texts[_SUMS] = "".join(lines)
        for suffix, kind in _TEXTS.items():
            judge.judge_text(texts[suffix], kind)
        for suffix, part in parts.items():
            part.publish(final.with_suffix(suffix))
        for suffix, text in texts.items():
            publishing.write_text(final.with_suffix(suffix), text)
        return sums[movie]


def _texts(
    config: Config, film: Timeline, sha256: str, numbers: Mapping[str, int]
) -> dict[str, str]:
    """Return the text files beside a montage, by suffix."""
    style = config.report.sender
    senders = [
        wording.shown_sender(segment.sender, style, numbers.get(addressees.person(segment.sender)))
        for segment in film.segments
    ]
    return {
        ".vtt": sidecars.subtitles(film),
        ".chapters.txt": sidecars.chapters(film),
        ".credits.txt": sidecars.credit_lines(film, senders),
        ".json": sidecars.contents(config.campaign.name, sha256, film),
    }
