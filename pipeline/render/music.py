"""Music under the clips: looped, ducked while they are to be heard, and the whole mastered.

Loudness is that of ITU-R BS.1770-4 as FFmpeg's ebur128 measures it; the whole is brought to
-16 LUFS with its true peak below -1 dBTP (EBU R 128), measured on what was encoded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from pipeline import publishing
from pipeline.config import Config
from pipeline.errors import ConfigError, StageError
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.media import encode
from pipeline.render.sound import Samples, crossfaded
from pipeline.workspace import Workspace

TARGET_LUFS, PEAK_DBTP = -16.0, -1.0
_TOLERANCE_LU = 0.5
_AAC_DB = 0.6  # what an encoder may add to the peaks, to begin with
_LOOP_S, _RISE_S, _FALL_S = 1.5, 1.0, 3.0
_LONGEST_S = 3600
# At the loudness of the clips it takes some 12 dB off the music, within a tenth of a second;
# a second after the last word the music is back.
_DUCKING = {"threshold": 0.03, "ratio": 6, "attack": 60, "release": 900, "knee": 4}
_VALUE = re.compile(rb"lavfi\.r128\.(I|true_peak)=(-?[\d.]+|-?inf|-?nan)")


@dataclass(frozen=True)
class Measured:
    """Integrated loudness in LUFS, -inf for silence, and true peak in dBTP."""

    loudness_lufs: float
    peak_dbtp: float


@dataclass(frozen=True)
class Master:
    """One gain for the whole, and what the limiter behind it lets pass; in dB."""

    gain_db: float = 0.0
    ceiling_db: float = PEAK_DBTP - _AAC_DB

    def corrected(self, after: Measured) -> Master | None:
        """The next try after *after* was measured; None if that is right."""
        missing = TARGET_LUFS - after.loudness_lufs if math.isfinite(after.loudness_lufs) else 0.0
        excess = after.peak_dbtp - PEAK_DBTP
        if abs(missing) <= _TOLERANCE_LU / 2 and excess <= 0:
            return None
        ceiling = self.ceiling_db - (excess + 0.1 if excess > 0 else 0.0)
        return replace(self, gain_db=round(self.gain_db + missing, 2), ceiling_db=round(ceiling, 2))


class Looped:
    """Music as long as a film: its end passes into its beginning, so that no loop clicks."""

    def __init__(self, music: Samples, gain: float, total: int) -> None:
        """*gain* is linear; *total* in samples."""
        self._music, self._gain, self._total = music, gain, total
        self._at = 0
        overlap = min(round(_LOOP_S * encode.SAMPLE_RATE), len(music) // 4)
        self._turn = len(music) - overlap
        self._joint = crossfaded(music[self._turn :], music[:overlap]) if overlap else music[:0]
        rise, fall = (round(each * encode.SAMPLE_RATE) for each in (_RISE_S, _FALL_S))
        self._rise, self._fall = min(rise, total // 4), min(fall, total // 3)

    def take(self, samples: int) -> Samples:
        """The next *samples*, faded at the film's ends."""
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


@contextmanager
def decoded(
    config: Config, workspace: Workspace, runner: FfmpegRunner
) -> Iterator[tuple[Samples, float]]:
    """The music as samples (in a file that is gone behind the block), and its gain, linear.

    :raises ConfigError: it can't be read, or it is silent.
    """
    path = source(config)
    stream = ffmpeg.input(str(path), protocol_whitelist="file", t=_LONGEST_S, threads=1)
    sound = stream["a:0"].filter("aresample", encode.SAMPLE_RATE)
    sound = _measuring(sound.filter("aformat", sample_fmts="s16", channel_layouts="stereo"))
    sound = sound.filter("aformat", sample_fmts="s16", channel_layouts="stereo")
    with publishing.scratch_folder(workspace.cache) as place:
        part = publishing.part_path(place / "music")
        node = ffmpeg.output(sound, str(part), f="s16le", ar=encode.SAMPLE_RATE)
        argv = [program(), *map(str, node.global_args("-nostdin", "-v", "error").get_args()), "-y"]
        cell = Permissions(reads=(path,), writes=(place,), limits=Limits(wall_s=300))
        ended = runner.run("music", argv, cell)
        measured = read(ended.stdout)
        if not ended.ok or not part.exists() or part.stat().st_size < 4 * encode.SAMPLE_RATE // 2:
            raise ConfigError([f"montage.music: {path} can't be read as half a second of sound"])
        if not math.isfinite(measured.loudness_lufs):
            raise ConfigError([f"montage.music: {path} is silent"])
        music = np.memmap(part, np.int16, "r").reshape(-1, 2)
        yield music, 10 ** ((config.montage.music_lufs - measured.loudness_lufs) / 20)


def source(config: Config) -> Path:
    """The file with the music.

    :raises ConfigError: there is none.
    """
    path = config.resolve(config.montage.music)
    if not path.is_file():
        raise ConfigError([f"montage.music: there is no file {path}"])
    return path


def laid_under(blocks: Iterator[Samples], music: Looped) -> Iterator[Samples]:
    """The clips' sound with the music beside it, as four channels."""
    for block in blocks:
        yield np.hstack([block, music.take(len(block))])


def mixed(four: Any, master: Master) -> Any:
    """From the four channels to the two that are heard: ducked, mixed, mastered."""
    each = four.filter_multi_output("channelsplit", channel_layout="quad")
    pairs = [
        ffmpeg.filter([each[one], each[one + 1]], "join", inputs=2, channel_layout="stereo")
        for one in (0, 2)
    ]
    clips, music = pairs[0].filter_multi_output("asplit", 2), pairs[1]
    ducked = ffmpeg.filter([music, clips[1]], "sidechaincompress", **_DUCKING)
    both = ffmpeg.filter([clips[0], ducked], "amix", inputs=2, normalize=0)
    ceiling = 10 ** (master.ceiling_db / 20)
    # a limiter that looks at samples alone lets the peaks between them pass: four times as many
    return (
        both.filter("volume", f"{master.gain_db:.2f}dB", precision="double")
        .filter("aresample", 4 * encode.SAMPLE_RATE)
        .filter("alimiter", limit=f"{ceiling:.5f}", level=0, attack=5, release=80, latency=1)
        .filter("aresample", encode.SAMPLE_RATE)
    )


def measure(path: Path, runner: FfmpegRunner, seconds: float) -> Measured:
    """The loudness of a film's first sound track.

    :raises StageError: FFmpeg failed.
    """
    stream = ffmpeg.input(str(path), f="mov", protocol_whitelist="file")["a:0"]
    node = ffmpeg.output(_measuring(stream), "-", f="null")
    argv = [program(), *map(str, node.global_args("-nostdin", "-v", "error").get_args())]
    limits = Limits(wall_s=max(120.0, seconds), cpu_s=max(120, int(seconds)))
    ended = runner.run("loudness", argv, Permissions(reads=(path,), limits=limits))
    if not ended.ok:
        raise StageError("the montage's loudness could not be measured")
    return read(ended.stdout)


def read(stdout: bytes) -> Measured:
    """The last values that ebur128 and ametadata printed."""
    values = {name: float(value) for name, value in _VALUE.findall(stdout)}
    loudness, peak = values.get(b"I", -math.inf), values.get(b"true_peak", 0.0)
    heard = math.isfinite(loudness) and loudness > -69.0  # below it no gate ever opened
    return Measured(
        round(loudness, 2) if heard else -math.inf,
        round(20 * math.log10(peak), 2) if math.isfinite(peak) and peak > 0 else -math.inf,
    )


def _measuring(stream: Any) -> Any:
    stream = stream.filter("ebur128", metadata=1, peak="true")
    stream = stream.filter("ametadata", mode="print", file="pipe:1")
    # ebur128 hands on pieces of 100 ms and stamps the last, shorter one wrong
    return stream.filter("asetpts", "N/SR/TB")
