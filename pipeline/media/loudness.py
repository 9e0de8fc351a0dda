"""Loudness by EBU R 128: measured, one gain for the whole sound, true peak limited.

Integrated loudness is that of ITU-R BS.1770-4 as FFmpeg's ebur128 measures it, in LUFS.  No
true peak may exceed −1 dBTP (EBU R 128, section 2) in what is delivered.  AAC adds up to a
decibel to the peaks, so a clip is limited to −2 dBTP before it (as AES TD1008 advises).
"""

import bisect
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.caution import Caution
from pipeline.ffmpeg.faults import ProgramFailed, ProgramLied
from pipeline.ffmpeg.graph import Audio, Graph, Options, read, write
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.media import altering
from pipeline.media.timebase import SAMPLE_RATE
from pipeline.protection import SoundChange

TOLERANCE_LU = 0.5
PEAK_DBTP = -2.0
_HEADROOM_DB = 0.3  # what resampling back to 48 kHz may add, as a first estimate
_SILENCE_LUFS = -69.0  # below it the gate of BS.1770 never opened
_MOST_GAIN_DB = 24.0  # more would only amplify noise
_MOST_LIMITING_DB = 12.0  # more than that off the peaks is heard as pumping
_STEP_DB = 0.1
_STEPS = 4
_GATE_S = 0.4  # a gating block of BS.1770; shorter sound has no loudness
_ROUNDING_S = 1e-4
_GAP_S = 0.02  # a gap in the sound of this length is filled, so that it stays with the picture
_CLIPPED = 5e-4  # of the samples at full scale: more than the peaks of a loud master

_VALUE = re.compile(
    rb"lavfi\.(?:r128|astats\.Overall)\.(I|true_peak|Peak_level|Peak_count|Number_of_samples)"
    rb"=(-?\d{1,15}(?:\.\d{1,15})?|-?inf|-?nan)(?![^\r\n])"
)
_PIECE = re.compile(
    rb"^frame:(\d{1,15}) .*pts_time:(-?\d{1,15}(?:\.\d{1,15})?(?:e[+-]\d{1,2})?)(?!\S)",
    re.MULTILINE,
)
_PIECE_S = 0.1  # of sound, for each of which ebur128 prints its values
_LONGEST_PIECE = 1 << 14  # bytes of what it prints for one
_SPARE_PIECES = 20_000  # the filters may begin anew, with a short piece each time
_RANGE_LUFS = (-200.0, 100.0)  # of what a measurement can be


@dataclass(frozen=True)
class Loudness:
    """A measurement: integrated loudness in LUFS, None for silence, and true peak in dBTP.

    ``clipped``: it was recorded louder than its format can hold, and cut off there.
    """

    lufs: float | None
    peak_dbtp: float
    clipped: bool = False


@dataclass(frozen=True)
class Correction:
    """What is done to a clip's sound: one gain, and a limiter if peaks would exceed −2 dBTP.

    ``ceiling_db`` is the peak that the limiter lets pass, None without a limiter.
    """

    gain_db: float
    before: Loudness
    ceiling_db: float | None = None
    warning: Caution | None = None


@dataclass(frozen=True)
class SoundSource:
    """A stream of sound in a file: FFmpeg's options for the file, the stream, its length.

    ``changes`` are applied before it is measured.
    """

    path: Path
    options: Options
    stream: int
    seconds: float
    changes: tuple[SoundChange, ...] = ()


def corrected(sound: Audio, correction: Correction) -> Audio:
    """Apply a correction to sound of 48 kHz, stereo."""
    if correction.gain_db:
        sound = amplified(sound, correction.gain_db)
    if correction.ceiling_db is not None:
        sound = limited(sound, correction.ceiling_db, digits=4)
    return sound


def amplified(sound: Audio, gain_db: float) -> Audio:
    """Make sound louder by *gain_db*."""
    return sound.filter("volume", f"{gain_db:.2f}dB", precision="double")


def limited(sound: Audio, ceiling_db: float, *, digits: int) -> Audio:
    """Limit the true peak, at four times the sample rate.

    A limiter that looks only at samples lets the peaks between them pass.

    :param digits: decimals of the ceiling as a linear value.
    """
    ceiling = 10 ** (ceiling_db / 20)
    return (
        sound.filter("aresample", 4 * SAMPLE_RATE)
        .filter("alimiter", limit=f"{ceiling:.{digits}f}", level=0, attack=5, release=80, latency=1)
        .filter("aresample", SAMPLE_RATE)
    )


def standard(sound: Audio) -> Audio:
    """Turn any sound into 48 kHz stereo that begins at 0, with its gaps filled with silence."""
    resampled = sound.filter(
        "aresample", SAMPLE_RATE, **{"async": 1, "first_pts": 0, "min_hard_comp": _GAP_S}
    )
    return resampled.filter("aformat", channel_layouts="stereo")


def metered(sound: Audio, *, count_clipped: bool = False) -> Audio:
    """Print the loudness of a sound to FFmpeg's standard output while it passes."""
    sound = sound.filter("ebur128", metadata=1, peak="true")
    if count_clipped:
        # the samples that reach full scale, as 16 bit, which can hold no more
        counts = {"measure_overall": "Peak_level+Peak_count+Number_of_samples"}
        sound = sound.filter("aformat", sample_fmts="s16")
        sound = sound.filter("astats", metadata=1, measure_perchannel="none", **counts)
    return sound.filter("ametadata", mode="print", file="pipe:1")


def parse(stdout: bytes) -> Loudness:
    """Read the last values that a ``metered`` sound printed."""
    return _loudness({name: float(value) for name, value in _VALUE.findall(stdout)})


def _loudness(values: dict[bytes, float]) -> Loudness:
    """Read a measurement.

    :raises ProgramLied: it can't be one.
    """
    loudness = values.get(b"I", -math.inf)
    if math.isfinite(loudness) and not _RANGE_LUFS[0] <= loudness <= _RANGE_LUFS[1]:
        raise ProgramLied("a loudness that no sound has")
    peak = values.get(b"true_peak", 0.0)
    heard = math.isfinite(loudness) and loudness > _SILENCE_LUFS
    full = values.get(b"Peak_level", -math.inf) > -0.01
    share = values.get(b"Peak_count", 0.0) / max(values.get(b"Number_of_samples", 0.0), 1.0)
    return Loudness(
        round(loudness, 2) if heard else None,
        round(20 * math.log10(peak), 2) if peak > 0 and math.isfinite(peak) else -math.inf,
        clipped=full and share > _CLIPPED,
    )


class Meter:
    """What a ``metered`` sound prints, read while it is printed.

    ``starts`` counts how often the filters began: more than once where the sound changes its rate
    or layout in the middle.
    """

    def __init__(self, most_s: float) -> None:
        """*most_s*: how many seconds of sound are measured at most."""
        self.starts = 0
        self._most = math.ceil(most_s / _PIECE_S) + _SPARE_PIECES
        self._is_untrue = False
        self._rest = b""
        self._ends: list[float] = []
        self._values: list[dict[bytes, float]] = []

    def feed(self, data: bytes) -> None:
        """Read a piece of the output; what can't be a measurement is dropped, with all after it."""
        if self._is_untrue:
            return
        whole, mark, rest = (self._rest + data).rpartition(b"\nframe:")
        self._rest = mark[1:] + rest if mark else rest
        self._read(whole)
        self._is_untrue = len(self._rest) > _LONGEST_PIECE or len(self._values) > self._most

    def finish(self) -> None:
        """Read what is left when the program has ended.

        :raises ProgramLied: it printed what can't be a measurement.
        """
        if self._is_untrue:
            raise ProgramLied("a loudness that no sound has")
        self._read(self._rest)
        self._rest = b""

    @property
    def seconds(self) -> float:
        """The length of the sound."""
        last = self._values[-1] if self._values else {}
        samples = last.get(b"Number_of_samples", 0.0)
        return samples / SAMPLE_RATE if math.isfinite(samples) else 0.0

    def until(self, seconds: float) -> Loudness:
        """Return the loudness of the sound up to a moment."""
        if not self._values:
            return _loudness({})
        count = bisect.bisect_right(self._ends, seconds + _ROUNDING_S)
        loud = self._values[max(count - 1, 0)] if count else {}
        # the peaks of a piece that lies across the moment count
        return _loudness(
            self._values[min(count, len(self._values) - 1)] | {b"I": loud.get(b"I", -math.inf)}
        )

    def _read(self, text: bytes) -> None:
        for piece in re.split(rb"^(?=frame:)", text, flags=re.MULTILINE):
            head = _PIECE.match(piece)
            if head is None:
                continue
            self.starts += head[1] == b"0"
            self._ends.append(float(head[2]) + _PIECE_S)
            # ebur128 has no new values for the last piece if it is short
            before = self._values[-1] if self._values else {}
            found = {name: float(value) for name, value in _VALUE.findall(piece)}
            self._values.append(before | found)


def measure(runner: FfmpegRunner, source: SoundSource) -> Loudness:
    """Measure a sound with its changes.

    :raises ProgramFailed: FFmpeg crashed, was killed or took too long.
    """
    return _measured(runner, source, Correction(0.0, Loudness(None, -math.inf)))


def correct(
    runner: FfmpegRunner, source: SoundSource, before: Loudness, target_lufs: float
) -> Correction:
    """Find the gain that brings a sound of a known loudness to *target_lufs*.

    A limiter reduces the loudness.  So where one is needed, the sound is measured again with the
    limiter in place, at most four times, until loudness and peak are right or the peaks would
    have to be reduced by more than 12 dB.

    :raises ProgramFailed: FFmpeg crashed, was killed or took too long.
    """
    if before.lufs is None:
        short = source.seconds < _GATE_S and before.peak_dbtp > _SILENCE_LUFS
        warning = Caution.TOO_SHORT if short else Caution.SILENT
        return Correction(min(0.0, PEAK_DBTP - before.peak_dbtp), before, warning=warning)
    gain = target_lufs - before.lufs
    weak = Caution.TOO_QUIET if gain > _MOST_GAIN_DB else None
    correction = Correction(round(min(gain, _MOST_GAIN_DB), 2), before, warning=weak)
    if before.peak_dbtp + correction.gain_db <= PEAK_DBTP:
        return correction
    correction = replace(correction, ceiling_db=PEAK_DBTP - _HEADROOM_DB)
    for _ in range(_STEPS):
        after = _measured(runner, source, correction)
        missing = 0.0 if weak else target_lufs - (after.lufs or target_lufs)
        excess = max(0.0, after.peak_dbtp - PEAK_DBTP)
        room = PEAK_DBTP - before.peak_dbtp + _MOST_LIMITING_DB
        gain = min(correction.gain_db + missing, _MOST_GAIN_DB, max(room, 0.0))
        if abs(gain - correction.gain_db) <= TOLERANCE_LU / 2 and not excess:
            return correction
        ceiling = (correction.ceiling_db or 0.0) - (excess + _STEP_DB if excess else 0.0)
        correction = replace(correction, gain_db=round(gain, 2), ceiling_db=round(ceiling, 2))
    return correction


def _measured(runner: FfmpegRunner, source: SoundSource, correction: Correction) -> Loudness:
    sound = standard(read(source.path, source.options).audio(str(source.stream)))
    sound = altering.altered(sound, source.changes)
    sound = sound.filter("atrim", end=f"{source.seconds:.6f}")
    sound = metered(corrected(sound, correction))
    graph = Graph((write("-", {"f": "null"}, audio=[sound]),))
    try:
        printed = runner.make("loudness", graph, reads=(source.path,), seconds=source.seconds * 4)
    except ProgramFailed as fault:
        # sound that can't be decoded to its end is measured as far as it goes
        if not fault.is_reported:
            raise
        printed = fault.stdout
    return parse(printed)
