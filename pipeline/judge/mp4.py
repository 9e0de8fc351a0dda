"""Judges the MP4 files that the pipeline made: clips, montages and pieces of them.

In this order: the boxes and their positions, the values in them, the tables, then every sample.
"""

import hashlib
import itertools
import mmap
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import NotClean
from pipeline.judge.boxes import read_file
from pipeline.judge.h264 import H264
from pipeline.judge.headers import JudgedMovie, JudgedTrack, read_movie, read_type
from pipeline.judge.problems import Problems, judged, opened
from pipeline.judge.sound import AAC, ALAC
from pipeline.judge.track import SampleTable, TrackCodec, cover, read_samples

_MAX_SET = 512_000  # bits a second that may be set for an encoder of sound
_AAC_PRIMING = 1024  # samples that FFmpeg's encoder puts before the sound


@dataclass(frozen=True)
class VideoFacts:
    """The picture track as a player shows it.

    ``width`` and ``height`` in pixels; ``ticks_per_frame`` of ``timescale`` ticks a second,
    the same for all ``frames``; ``keyframes`` are frame numbers in display order, from
    0; ``extradata`` is the SHA-256 of the body of avcC, in hex: equal where clips can be
    joined by copy; ``start_s``: seconds from the start of the file to the first frame; ``lead``
    is how many frames decoding runs ahead of display.
    """

    width: int
    height: int
    timescale: int
    frames: int
    ticks_per_frame: int
    keyframes: tuple[int, ...]
    extradata: str
    start_s: float
    lead: int


@dataclass(frozen=True)
class AudioFacts:
    """A sound track as a player plays it: ``samples`` per channel, without priming and padding."""

    codec: str  # "aac" or "alac"
    sample_rate: int
    channels: int
    samples: int
    enabled: bool


@dataclass(frozen=True)
class Mp4Facts:
    """What a clean file holds, counted from its samples."""

    video: VideoFacts
    audio: tuple[AudioFacts, ...]


class Mp4Kind(Enum):
    """What an MP4 is, with the tracks it must hold: the codec, and whether it is enabled.

    A clip has a picture, AAC for the browser and ALAC for the montage.  A piece of a montage that
    was encoded again is a picture alone.
    """

    CLIP = (("picture", True), ("aac", True), ("alac", False))
    MONTAGE = (("picture", True), ("aac", True))
    PIECE = (("picture", True),)


def judge_mp4(source: Path | BinaryIO, kind: Mp4Kind, picture: TrackCodec = H264) -> Mp4Facts:
    """Judge an MP4 and count what it holds.

    :param source: its path, or the file itself if it is open already.
    :param picture: the codec of the picture.
    :raises NotClean: it holds anything but the tracks of its *kind*.
    """

    def judge(problems: Problems) -> Mp4Facts:
        with opened(source) as file:
            if not file.seek(0, 2):
                raise NotClean(["the file is empty"])
            # mapped, so that it is never loaded as a whole
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _facts(data, kind, picture, problems)

    return judged(judge)


def _facts(
    data: mmap.mmap, kind: Mp4Kind, picture_codec: TrackCodec, problems: Problems
) -> Mp4Facts:
    codecs = (picture_codec, AAC, ALAC)
    file = read_file(data, [codec.entry for codec in codecs], problems)
    read_type(file.ftyp, problems)
    movie = read_movie(file.moov, {codec.entry.name: codec for codec in codecs}, problems)
    found = tuple((track.codec.name, track.enabled) for track in movie.tracks)
    wanted = tuple((name.replace("picture", picture_codec.name), on) for name, on in kind.value)
    listed = ", ".join(name if enabled else f"{name} (off)" for name, enabled in wanted)
    problems.need(found == wanted, f"other tracks than {listed}")
    tables = [read_samples(track.table, track.name, problems) for track in movie.tracks]
    cover(file.media, tables, problems)
    problems.stop()  # from here on every sample is known to lie inside the file
    with memoryview(data) as view:
        by_name = {codec.name: codec for codec in codecs}
        for track, samples in zip(movie.tracks, tables, strict=True):
            by_name[track.codec.name].judge_samples(view, track.codec, samples, problems)
    (picture, *sound), (frames, *sounds) = movie.tracks, tables
    facts = Mp4Facts(
        _video(movie, picture, frames, problems),
        tuple(_audio(movie, *each, problems) for each in zip(sound, sounds, strict=True)),
    )
    for track, samples in zip(movie.tracks, tables, strict=True):
        _bit_rates(track, samples, problems)
    return facts


def _bit_rates(track: JudgedTrack, samples: SampleTable, problems: Problems) -> None:
    """A stated bit rate is one that was set for an encoder, or one that the muxer counted.

    A picture that is copied from several files keeps the highest rate of the first file, which
    can't be above the rate of its largest frame.
    """
    seconds = Fraction(max(track.duration, 1), track.timescale)
    counted = int(sum(samples.sizes) * 8 / seconds)
    peak = int(max(samples.sizes) * 8 * len(samples.sizes) / seconds)
    for most, average in track.codec.rates:
        own = abs(average - counted) <= 1
        highest = peak if own and not track.codec.is_sound else counted
        is_set = most % 1000 == 0 and most <= _MAX_SET
        known = (own or average == 0) and (is_set or counted - 1 <= most <= highest + 1)
        problems.need(known, f"a bit rate that is not {track.name}'s")


def _video(
    movie: JudgedMovie, track: JudgedTrack, samples: SampleTable, problems: Problems
) -> VideoFacts:
    """Frames of equal duration, each shown once, none before the start or after the end."""
    frames = len(samples.sizes)
    ticks = samples.durations[0][1]
    delays = samples.delays or (0,) * frames
    shown = [number * ticks + delay for number, delay in enumerate(delays)]
    order = sorted(shown)
    gaps = {later - earlier for earlier, later in itertools.pairwise(order)}
    even = ticks and gaps <= {ticks} and {each for _, each in samples.durations} == {ticks}
    problems.need(even, "uneven frame durations")
    problems.stop()
    first = order[0]
    start = track.edit.start if track.edit else 0
    problems.need(track.duration == frames * ticks, "a duration in mdhd that is not the frames'")
    problems.need(start <= first, "an edit list that hides frames")
    _covers(movie, track, first + frames * ticks - start, problems)
    sync = range(frames) if samples.sync is None else samples.sync
    return VideoFacts(
        width=track.codec.width,
        height=track.codec.height,
        timescale=track.timescale,
        frames=frames,
        ticks_per_frame=ticks,
        keyframes=tuple(sorted((shown[number] - first) // ticks for number in sync)),
        extradata=hashlib.sha256(track.codec.config).hexdigest(),
        start_s=(first - start) / track.timescale,
        lead=first // ticks,
    )


def _audio(
    movie: JudgedMovie, track: JudgedTrack, samples: SampleTable, problems: Problems
) -> AudioFacts:
    """All frames but the last have full length; only the priming of AAC may be cut off."""
    frame, rate = track.codec.frame, track.codec.sample_rate
    *full, (count, last) = samples.durations
    short = last == frame or (count == 1 and 0 < last < frame)
    even = short and {ticks for _, ticks in full} <= {frame}
    problems.need(even, f"uneven frame durations in {track.name}")
    problems.need(track.timescale == rate, f"a clock that is not {track.name}'s sample rate")
    problems.need(
        track.duration == samples.duration, f"a duration in mdhd that is not {track.name}'s"
    )
    start = track.edit.start if track.edit else 0
    priming = (0, _AAC_PRIMING) if track.codec.name == "aac" else (0,)
    problems.need(start in priming, f"an edit list that hides sound in {track.name}")
    shown = samples.duration - start
    _covers(movie, track, shown, problems)
    return AudioFacts(track.codec.name, rate, track.codec.channels, shown, track.enabled)


def _covers(movie: JudgedMovie, track: JudgedTrack, ticks: int, problems: Problems) -> None:
    """The edit list must cover the *ticks* that are shown, to one tick of the movie."""
    if track.edit:
        off = abs(track.edit.duration - Fraction(ticks * movie.timescale, track.timescale))
        problems.need(off <= 1, f"an edit list that is not as long as {track.name}")
