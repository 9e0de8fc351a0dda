"""Loudness by EBU R 128: measured, one gain for the whole clip, true peak limited.

Integrated loudness is that of ITU-R BS.1770-4 as FFmpeg's ebur128 measures it, in LUFS.  No
true peak is to pass −1 dBTP (EBU R 128, section 2) in what is delivered; AAC adds up to a
decibel to the peaks, so they are limited to −2 dBTP before it (as AES TD1008 advises), at
four times the sample rate, since a limiter of samples lets the peaks between them pass.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ffmpeg

from pipeline.ffmpeg import faults
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.media import encode
from pipeline.model import Caution

PEAK_DBTP = -2.0
_HEADROOM_DB = 0.3  # what the way back to 48 kHz may add, to begin with
_SILENCE_LUFS = -69.0  # the gate of BS.1770 never opened
_MOST_GAIN_DB = 24.0  # more would lift mere noise
_MOST_LIMITING_DB = 12.0  # more than that off the peaks is heard as pumping
_TOLERANCE_LU = 0.5
_STEP_DB = 0.1
_STEPS = 4
_GATE_S = 0.4  # a gating block of BS.1770; less sound has no loudness
_CLIPPED = 5e-4  # of the samples at full scale: more than the peaks of a loud master

_VALUE = re.compile(
    rb"lavfi\.(?:r128|astats\.Overall)\.(I|true_peak|Peak_level|Peak_count|Number_of_samples)"
    rb"=(-?[\d.]+|-?inf|-?nan)"
)


@dataclass(frozen=True)
class Measured:
    """Integrated loudness in LUFS and true peak in dBTP; None where nothing was heard.

    ``clipped``: it was recorded louder than its format holds, and cut off there.
    """

    loudness_lufs: float | None
    peak_dbtp: float
    clipped: bool = False


@dataclass(frozen=True)
class Correction:
    """What is done to a clip's sound: one gain, and a limiter if peaks would pass −2 dBTP.

    ``ceiling_db`` is what the limiter lets pass, None without one.
    """

    gain_db: float
    before: Measured
    ceiling_db: float | None = None
    warning: Caution | None = None


def filters(sound: Any, correction: Correction) -> Any:
    """The correction as filters behind *sound* (48 kHz stereo)."""
    if correction.gain_db:
        sound = sound.filter("volume", f"{correction.gain_db:.2f}dB", precision="double")
    if correction.ceiling_db is not None:
        ceiling = 10 ** (correction.ceiling_db / 20)
        sound = (
            sound.filter("aresample", 4 * encode.SAMPLE_RATE)
            .filter("alimiter", limit=f"{ceiling:.4f}", level=0, attack=5, release=80, latency=1)
            .filter("aresample", encode.SAMPLE_RATE)
        )
    return sound


def standard(stream: Any) -> Any:
    """Any sound as 48 kHz stereo that begins at 0, its gaps filled with silence."""
    return stream.filter("aresample", encode.SAMPLE_RATE, **{"async": 1, "first_pts": 0}).filter(
        "aformat", channel_layouts="stereo"
    )


def read(stdout: bytes) -> Measured:
    """The last values that ebur128 and ametadata printed."""
    values = {name: float(value) for name, value in _VALUE.findall(stdout)}
    loudness = values.get(b"I", -math.inf)
    peak = values.get(b"true_peak", 0.0)
    heard = math.isfinite(loudness) and loudness > _SILENCE_LUFS
    full = values.get(b"Peak_level", -math.inf) > -0.01
    share = values.get(b"Peak_count", 0.0) / max(values.get(b"Number_of_samples", 0.0), 1.0)
    return Measured(
        round(loudness, 2) if heard else None,
        round(20 * math.log10(peak), 2) if peak > 0 and math.isfinite(peak) else -math.inf,
        clipped=full and share > _CLIPPED,
    )


def _counted(sound: Any) -> Any:
    """The samples that reach full scale, counted as 16 bit, which hold no more."""
    return sound.filter("aformat", sample_fmts="s16").filter(
        "astats",
        metadata=1,
        measure_perchannel="none",
        measure_overall="Peak_level+Peak_count+Number_of_samples",
    )


def correct(
    runner: FfmpegRunner,
    original: Path,
    options: dict[str, str | int],
    stream: int,
    *,
    seconds: float,
    target_lufs: float,
) -> Correction:
    """Find the gain that brings a sound to *target_lufs*, by measuring it.

    A limiter takes loudness away, so where it has work to do the sound is measured again with
    the limiter in place, at most four times, until loudness and peak are right or the peaks
    would have to give more than 12 dB.
    """

    def measure(correction: Correction | None) -> Measured:
        source = ffmpeg.input(str(original), **options)
        sound = standard(source[str(stream)]).filter("atrim", end=f"{seconds:.6f}")
        if correction is not None:
            sound = filters(sound, correction)
        sound = sound.filter("ebur128", metadata=1, peak="true")
        if correction is None:
            sound = _counted(sound)
        sound = sound.filter("ametadata", mode="print", file="pipe:1")
        node = ffmpeg.output(sound, "-", f="null").global_args(
            "-nostdin", "-hide_banner", "-v", "error"
        )
        limits = Limits(wall_s=max(120.0, seconds * 4), cpu_s=max(120, int(seconds * 4)))
        argv = [program(), *node.get_args()]
        ended = runner.run("loudness", argv, Permissions(reads=(original,), limits=limits))
        faults.look(ended, limits.wall_s)
        return read(ended.stdout)

    before = measure(None)
    if before.loudness_lufs is None:
        short = seconds < _GATE_S and before.peak_dbtp > _SILENCE_LUFS
        return Correction(
            min(0.0, PEAK_DBTP - before.peak_dbtp),
            before,
            warning=Caution.TOO_SHORT if short else Caution.SILENT,
        )
    gain = target_lufs - before.loudness_lufs
    warning = Caution.TOO_QUIET if gain > _MOST_GAIN_DB else None
    correction = Correction(round(min(gain, _MOST_GAIN_DB), 2), before, warning=warning)
    if before.peak_dbtp + correction.gain_db <= PEAK_DBTP:
        return correction
    correction = replace(correction, ceiling_db=PEAK_DBTP - _HEADROOM_DB)
    for _ in range(_STEPS):
        after = measure(correction)
        missing = 0.0 if warning else target_lufs - (after.loudness_lufs or target_lufs)
        excess = max(0.0, after.peak_dbtp - PEAK_DBTP)
        room = PEAK_DBTP - before.peak_dbtp + _MOST_LIMITING_DB
        gain = min(correction.gain_db + missing, _MOST_GAIN_DB, max(room, 0.0))
        if abs(gain - correction.gain_db) <= _TOLERANCE_LU / 2 and not excess:
            return correction
        ceiling = (correction.ceiling_db or 0.0) - (excess + _STEP_DB if excess else 0.0)
        correction = replace(correction, gain_db=round(gain, 2), ceiling_db=round(ceiling, 2))
    return correction
