"""Music under the clips: looped, made quieter while they are heard, and its peaks limited.

The clips keep their loudness, and the music has its own: a stretch without sound, such as a
photo, does not make the rest louder.  The true peak of the whole stays below -1 dBTP (EBU R 128),
measured on what was encoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.ffmpeg import made
from pipeline.ffmpeg.faults import ProgramFailed
from pipeline.ffmpeg.graph import Audio, Graph, Options, amix, join, read, sidechaincompress, write
from pipeline.media import loudness
from pipeline.media.timebase import SAMPLE_RATE, samples_of
from pipeline.render.sound import Samples, crossfaded
from pipeline.render.timeline import Timeline
from pipeline.run import Run

PEAK_DBTP = -1.0
_AAC_DB = 0.6  # what an encoder may add to the peaks, as a first estimate
_LOOP_S, _RISE_S, _FALL_S = 1.5, 1.0, 3.0
_LONGEST_S = 3600
_SAMPLE = 4  # bytes: two channels of 16 bits
# At the loudness of the clips it takes some 12 dB off the music, within a tenth of a second;
# a second after the last word the music is back.
_DUCKING = {"threshold": 0.03, "ratio": 6, "attack": 60, "release": 900, "knee": 4}


class LoopedMusic:
    """Music as long as a film: its end passes into its beginning, so that no loop clicks."""

    def __init__(self, music: Samples, gain: float, total: int) -> None:
        """Prepare a loop for a film of *total* samples; the gain is linear."""
        self._music, self._gain, self._total = music, gain, total
        self._at = 0
        overlap = min(round(_LOOP_S * SAMPLE_RATE), len(music) // 4)
        self._turn = len(music) - overlap
        self._joint = crossfaded(music[self._turn :], music[:overlap]) if overlap else music[:0]
        rise, fall = (round(each * SAMPLE_RATE) for each in (_RISE_S, _FALL_S))
        self._rise, self._fall = min(rise, total // 4), min(fall, total // 3)

    def take(self, samples: int) -> Samples:
        """Return the next *samples*, faded at the film's ends."""
        place = np.arange(self._at, self._at + samples)
        self._at += samples
        turns, within = np.divmod(place, self._turn)
        heard = self._music[within].astype(np.float64)
        joint = (turns > 0) & (within < len(self._joint))
        heard[joint] = self._joint[within[joint]]
        level = np.minimum(1.0, (place + 0.5) / max(1, self._rise))
        level = np.minimum(level, (self._total - place - 0.5) / max(1, self._fall))
        heard *= (np.clip(level, 0.0, 1.0) * self._gain)[:, None]
        taken: Samples = np.rint(np.clip(heard, -32768, 32767)).astype(np.int16)
        return taken


@dataclass(frozen=True)
class BackgroundMusic:
    """Music, its gain (linear), and the peak that the limiter of the whole lets pass, in dBTP."""

    music: Samples
    gain: float
    ceiling_db: float = PEAK_DBTP - _AAC_DB

    def under(self, clips: Iterator[Samples], film: Timeline) -> Iterator[Samples]:
        """Yield the clips' sound with the music beside it, in four channels."""
        looped = LoopedMusic(self.music, self.gain, samples_of(film.frames, film.output.fps))
        for block in clips:
            yield np.hstack([block, looped.take(len(block))])

    def corrected(self, peak_dbtp: float) -> BackgroundMusic | None:
        """Return the next try after *peak_dbtp* was measured; None if that is right."""
        excess = peak_dbtp - PEAK_DBTP
        if excess <= 0:
            return None
        return replace(self, ceiling_db=round(self.ceiling_db - excess - 0.1, 2))


@contextmanager
def decoded(run: Run) -> Iterator[BackgroundMusic]:
    """Decode the music into a file that is deleted after the block.

    :raises ConfigError: it can't be read, or it is silent.
    """
    path = source(run.config)
    options: Options = {"protocol_whitelist": "file", "t": _LONGEST_S, "threads": 1}
    sound = read(path, options).audio().filter("aresample", SAMPLE_RATE)
    sound = _restamped(loudness.metered(_stereo(sound)))
    unreadable = ConfigError([f"montage.music: {path} can't be read as half a second of sound"])
    with made.scratch(run.workspace.cache) as scratch:
        part = scratch.new("music", (_LONGEST_S + 1) * SAMPLE_RATE * _SAMPLE)
        output = write(part.path, {"f": "s16le", "ar": SAMPLE_RATE}, audio=[_stereo(sound)])
        graph = Graph((output,))
        try:
            printed = run.ffmpeg.make("music", graph, reads=(path,), writes=(part,), seconds=300)
        except ProgramFailed as fault:
            if not fault.is_reported:
                raise
            raise unreadable from fault
        if part.size < _SAMPLE * SAMPLE_RATE // 2:
            raise unreadable
        before = loudness.parse(printed).lufs
        if before is None:
            raise ConfigError([f"montage.music: {path} is silent"])
        samples = np.memmap(part.file, np.int16, "r", shape=(part.size // _SAMPLE, 2))
        gain = 10 ** ((run.config.montage.music_lufs - before) / 20)
        yield BackgroundMusic(samples, gain)


def source(config: Config) -> Path:
    """Return the file with the music.

    :raises ConfigError: there is none.
    """
    path = config.resolve(config.montage.music)
    if not path.is_file():
        raise ConfigError([f"montage.music: there is no file {path}"])
    return path


def mixed(four: Audio, ceiling_db: float) -> Audio:
    """Mix the four channels to two: the music is ducked, and the peaks of the whole are limited."""
    left, right, *music = four.channels("quad", 4)
    heard, control = join(left, right, channel_layout="stereo").split(2)
    ducked = sidechaincompress(join(*music, channel_layout="stereo"), control, **_DUCKING)
    both = amix(heard, ducked, normalize=0)
    return loudness.limited(both, ceiling_db, digits=5)


def peak(run: Run, path: Path, seconds: float) -> float:
    """Measure the true peak, in dBTP, of a montage of this length.

    :raises StageError: FFmpeg failed.
    """
    sound = read(path, {"f": "mov", "protocol_whitelist": "file"}).audio()
    output = write("-", {"f": "null"}, audio=[_restamped(loudness.metered(sound))])
    printed = run.ffmpeg.make("loudness", Graph((output,)), reads=(path,), seconds=300 + seconds)
    return loudness.parse(printed).peak_dbtp


def _stereo(sound: Audio) -> Audio:
    return sound.filter("aformat", sample_fmts="s16", channel_layouts="stereo")


def _restamped(sound: Audio) -> Audio:
    """Number the samples again: ebur128 stamps its last piece, which is shorter, wrong."""
    return sound.filter("asetpts", "N/SR/TB")
