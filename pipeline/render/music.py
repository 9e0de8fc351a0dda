"""Music under the clips: looped, made quieter while they are heard, and the whole mastered.

The whole is brought to the loudness of the clips with its true peak below -1 dBTP (EBU R 128),
measured on what was encoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline import publishing
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.ffmpeg.faults import ProgramFailed
from pipeline.ffmpeg.graph import Audio, Graph, Options, amix, join, read, sidechaincompress, write
from pipeline.media import loudness
from pipeline.media.loudness import TOLERANCE_LU, Loudness
from pipeline.media.timebase import SAMPLE_RATE, samples_of
from pipeline.render.sound import Samples, crossfaded
from pipeline.render.timeline import Timeline
from pipeline.run import Run

PEAK_DBTP = -1.0
_AAC_DB = 0.6  # what an encoder may add to the peaks, as a first estimate
_LOOP_S, _RISE_S, _FALL_S = 1.5, 1.0, 3.0
_LONGEST_S = 3600
# At the loudness of the clips it takes some 12 dB off the music, within a tenth of a second;
# a second after the last word the music is back.
_DUCKING = {"threshold": 0.03, "ratio": 6, "attack": 60, "release": 900, "knee": 4}


@dataclass(frozen=True)
class Master:
    """One gain for the whole, and the peak that the limiter after it lets pass, in dB."""

    target_lufs: float
    gain_db: float = 0.0
    ceiling_db: float = PEAK_DBTP - _AAC_DB

    def corrected(self, after: Loudness) -> Master | None:
        """Return the next try after *after* was measured; None if that is right."""
        missing = self.target_lufs - after.lufs if after.lufs is not None else 0.0
        excess = after.peak_dbtp - PEAK_DBTP
        if abs(missing) <= TOLERANCE_LU / 2 and excess <= 0:
            return None
        ceiling = self.ceiling_db - (excess + 0.1 if excess > 0 else 0.0)
        return replace(self, gain_db=round(self.gain_db + missing, 2), ceiling_db=round(ceiling, 2))


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
    """Music, its gain (linear), and how the whole is mastered."""

    music: Samples
    gain: float
    master: Master

    def under(self, clips: Iterator[Samples], film: Timeline) -> Iterator[Samples]:
        """Yield the clips' sound with the music beside it, in four channels."""
        looped = LoopedMusic(self.music, self.gain, samples_of(film.frames, film.output.fps))
        for block in clips:
            yield np.hstack([block, looped.take(len(block))])


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
    with publishing.scratch_folder(run.workspace.cache) as folder:
        part = folder / "music"
        output = write(part, {"f": "s16le", "ar": SAMPLE_RATE}, audio=[_stereo(sound)])
        graph = Graph((output,))
        try:
            printed = run.ffmpeg.make("music", graph, reads=(path,), scratch=folder, seconds=300)
        except ProgramFailed as fault:
            if not fault.is_reported:
                raise
            raise unreadable from fault
        if not part.exists() or part.stat().st_size < 4 * SAMPLE_RATE // 2:
            raise unreadable
        before = loudness.parse(printed).lufs
        if before is None:
            raise ConfigError([f"montage.music: {path} is silent"])
        samples = np.memmap(part, np.int16, "r").reshape(-1, 2)
        gain = 10 ** ((run.config.montage.music_lufs - before) / 20)
        yield BackgroundMusic(samples, gain, Master(run.config.process.loudness_lufs))


def source(config: Config) -> Path:
    """Return the file with the music.

    :raises ConfigError: there is none.
    """
    path = config.resolve(config.montage.music)
    if not path.is_file():
        raise ConfigError([f"montage.music: there is no file {path}"])
    return path


def mixed(four: Audio, master: Master) -> Audio:
    """Mix the four channels to two: the music is ducked, and the whole is mastered."""
    left, right, *music = four.channels("quad", 4)
    heard, control = join(left, right, channel_layout="stereo").split(2)
    ducked = sidechaincompress(join(*music, channel_layout="stereo"), control, **_DUCKING)
    both = amix(heard, ducked, normalize=0)
    amplified = loudness.amplified(both, master.gain_db)
    return loudness.limited(amplified, master.ceiling_db, digits=5)


def measured(run: Run, path: Path, seconds: float) -> Loudness:
    """Measure the loudness of a montage of this length.

    :raises StageError: FFmpeg failed.
    """
    sound = read(path, {"f": "mov", "protocol_whitelist": "file"}).audio()
    output = write("-", {"f": "null"}, audio=[_restamped(loudness.metered(sound))])
    printed = run.ffmpeg.make("loudness", Graph((output,)), reads=(path,), seconds=300 + seconds)
    return loudness.parse(printed)


def _stereo(sound: Audio) -> Audio:
    return sound.filter("aformat", sample_fmts="s16", channel_layouts="stereo")


def _restamped(sound: Audio) -> Audio:
    """Number the samples again: ebur128 stamps its last piece, which is shorter, wrong."""
    return sound.filter("asetpts", "N/SR/TB")
