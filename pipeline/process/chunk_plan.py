"""How a long film is made in chunks: plain data, which travels to workers and back.

A film of two minutes or more is always made in chunks of a minute, however many workers there are.
So its bytes do not depend on the number of workers, and one film uses all of them.  The sound is
made in one go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline import publishing
from pipeline.config import Section
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.findings import Finding
from pipeline.media import survey
from pipeline.media.loudness import Correction, Loudness
from pipeline.media.probed import Probe
from pipeline.media.survey import FilmSource, Hearing
from pipeline.protection import FoundFaces
from pipeline.store import FootageFile
from pipeline.store.files import CLIPS

SECONDS = 60  # of a chunk
MORE = 8  # pictures after the end of a chunk, which are compared with the first of the next one
_DEMUXERS = frozenset(("mov", "matroska"))  # of formats with an index, so that seeking is cheap
_MOST_BEFORE = 0.5  # of a chunk: what may be decoded before its first picture
_SPARE_S = 4.0  # of the same, where chunks are short
_SILENT_DB = -200.0
_PIECE = ".piece-"

PieceKind = Literal["movie", "still", "glance", "sound"]

_Time = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
_Second = Annotated[int, Field(ge=0, le=1_000_000)]
_Count = Annotated[int, Field(ge=0, le=1 << 40)]
_Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,64}$")]
_Print = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Prints = Annotated[tuple[_Print, ...], Field(max_length=2 * MORE)]


@dataclass(frozen=True)
class Chunk:
    """A stretch of a clip that is made alone, in seconds of the clip.

    ``end_s`` is None for the last one.  Reading the film begins at ``seek_s`` or before it; the
    pictures before ``from_s`` are decoded and dropped.
    """

    begin_s: _Second
    end_s: _Second | None
    seek_s: _Second
    from_s: _Time


@dataclass(frozen=True)
class Span:
    """The pictures of an output that a chunk has: from *first* up to but not including *stop*.

    ``more`` pictures after them are made too, and compared with those of the next chunk.
    """

    first: int
    stop: int
    more: int

    @property
    def count(self) -> int:
        """How many pictures the chunk has."""
        return self.stop - self.first

    @property
    def shown(self) -> int:
        """How many pictures are made."""
        return self.count + self.more


@dataclass(frozen=True)
class FilmFacts:
    """What the survey found in a film, beside what the probe finds again at once.

    ``sound`` is the index of the track that is heard; None for a film without sound.  The shape of
    the picture is ``over`` to ``under``.
    """

    width: _Count
    height: _Count
    over: _Count
    under: Annotated[int, Field(ge=1, le=1 << 40)]
    start_s: _Time
    latest_s: _Time
    end_s: _Time
    packets: _Count
    sound: _Count | None
    sound_s: _Time


class ChunkPlan(Section):
    """A long film that is to be made in chunks, and all that was found out about it.

    ``before``: the loudness of its sound.  ``faces``: those that were looked for.
    """

    facts: FilmFacts
    chunks: Annotated[tuple[Chunk, ...], Field(min_length=2, max_length=10_000)]
    before: Loudness | None
    faces: FoundFaces | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class PieceFile:
    """A file of a piece: of which output, what it is, and the digest of its bytes.

    The small pictures by which a clip is judged are those of no output: its name is empty then.
    """

    output: _Name
    kind: PieceKind
    sha256: _Digest

    def stored(self, original: str, number: int) -> FootageFile:
        """The file in the store, where it is until the pieces are joined.

        :param original: the SHA-256 of the original.
        :param number: of the piece.
        """
        name = f"{_PIECE}{number}-{self.output}-{self.kind}{publishing.PART}"
        return FootageFile(f"{CLIPS}/{original}/{name}", self.sha256)


def is_piece(key: str) -> bool:
    """Whether an object in the store is a file of a piece."""
    return key.rpartition("/")[2].startswith(_PIECE)


class InOnePiece(Section):
    """A film that was planned in chunks has to be made in one piece.

    ``where``: the place in the program that found it out.
    """

    where: Annotated[str, StringConstraints(pattern=r"^[ -~]{0,100}$")]


class ClipPiece(Section):
    """A finished piece of a clip: a chunk of its pictures, or its sound.

    ``prints``: for each output the digests of the pictures at which the chunk begins, and of those
    after its end.  ``correction``: how the sound was corrected; ``lufs``: how loud it is now.
    """

    files: Annotated[tuple[PieceFile, ...], Field(max_length=100)]
    prints: Annotated[tuple[Prints, ...], Field(max_length=100)] = ()
    correction: Correction | None = None
    lufs: _Time | None = None

    def stored(self, original: str, number: int) -> list[FootageFile]:
        """Its files in the store, see :meth:`PieceFile.stored`."""
        return [file.stored(original, number) for file in self.files]

    def of(self, kind: PieceKind, output: str = "") -> PieceFile | None:
        """The file of a kind; None if the piece has none."""
        chosen = (each for each in self.files if (each.kind, each.output) == (kind, output))
        return next(chosen, None)


def begins(length_s: float, seconds: int) -> range:
    """Return the seconds at which the chunks of a clip begin; the last one is never short.

    :param seconds: how long a chunk is; 0: there is only one.
    """
    if seconds < 1 or length_s < 2 * seconds:
        return range(1)
    return range(0, math.floor(length_s - seconds / 2) + 1, seconds)


def span(chunk: Chunk, frames: int, fps: int) -> Span:
    """Return the pictures that a chunk has of a clip of *frames*."""
    stop = frames if chunk.end_s is None else chunk.end_s * fps
    return Span(chunk.begin_s * fps, stop, 0 if chunk.end_s is None else MORE)


def is_chunkable(seen: Probe, hearing: Hearing) -> bool:
    """Whether a film gives the same pictures if it is decoded from its middle, as far as is known.

    It has an index, one size and one clock, and no filter needs the pictures around a picture.
    """
    picture = seen.picture
    doubts = (
        seen.still,
        seen.clock_breaks,
        seen.cut is not None,
        picture.changes,
        picture.interlaced,
        picture.mask is not None,
        bool(picture.steps),
        bool(picture.late_s),
        picture.packets < 2,
        hearing.file is not None or hearing.is_broken or hearing.changes,
    )
    return seen.format.demuxer in _DEMUXERS and not any(doubts)


def planned(
    runner: FfmpegRunner, film: FilmSource, hearing: Hearing, seconds: int
) -> ChunkPlan | None:
    """Plan the chunks of a film; None if it is to be made in one piece.

    :param seconds: how long a chunk is; 0: every film is made in one piece.
    """
    starts = begins(film.probe.length_s, seconds)
    if len(starts) < 2 or not is_chunkable(film.probe, hearing):
        return None
    times = survey.times(runner, film)
    chunks = [Chunk(0, seconds, 0, 0.0)]
    for begin in starts[1:]:
        point = times.seek_point(begin)
        last = begin == starts[-1]
        is_seen = point is not None and begin <= film.probe.picture.latest_s
        if point is None or not is_seen or point.before_s > seconds * _MOST_BEFORE + _SPARE_S:
            return None
        chunks.append(Chunk(begin, None if last else begin + seconds, point.seek_s, point.from_s))
    known = facts(film.probe)
    return ChunkPlan(facts=known, chunks=tuple(chunks), before=finite(hearing.loudness))


def facts(seen: Probe) -> FilmFacts:
    """Return what the survey found."""
    picture = seen.picture
    return FilmFacts(
        width=picture.width,
        height=picture.height,
        over=picture.aspect.numerator,
        under=picture.aspect.denominator,
        start_s=picture.start_s,
        latest_s=picture.latest_s,
        end_s=picture.end_s or 0.0,
        packets=picture.packets,
        sound=seen.sound.index if seen.sound else None,
        sound_s=seen.sound_s,
    )


def length_of(known: FilmFacts) -> float:
    """Return how long a clip is in seconds."""
    return max(known.end_s, known.sound_s)


def understood(seen: Probe, known: FilmFacts) -> Probe:
    """Return what the probe found again, with what the survey had found."""
    picture = replace(
        seen.picture,
        width=known.width,
        height=known.height,
        aspect=Fraction(known.over, known.under),
        start_s=known.start_s,
        latest_s=known.latest_s,
        end_s=known.end_s,
        packets=known.packets,
    )
    tracks = [track for track in (seen.sound, *seen.other_sounds) if track is not None]
    heard = next((track for track in tracks if track.index == known.sound), None)
    return replace(seen, picture=picture, sound=heard, sound_s=known.sound_s)


def finite(measured: Loudness | None) -> Loudness | None:
    """Return a loudness that JSON can hold: that of digital silence is minus infinity."""
    if measured is None:
        return None
    return replace(measured, peak_dbtp=max(measured.peak_dbtp, _SILENT_DB))
