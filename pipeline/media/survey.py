"""What FFmpeg itself finds in a film: one short run before the encode, with the same inputs.

The probe reads a file with another build of FFmpeg, which counts time by other rules.  So whatever
decides about length and size comes from this run.  Pictures are only copied, which costs almost
nothing, and sound is decoded and measured, which has to be done in any case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from pipeline.carriers.containers import turning
from pipeline.errors import Refused
from pipeline.ffmpeg import faults, runner
from pipeline.ffmpeg.faults import ProgramResult
from pipeline.ffmpeg.graph import Audio, Graph, InputFile, Options, OutputFile, read, write
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.media import loudness
from pipeline.media.loudness import Loudness, Meter
from pipeline.media.probe import Picture, Probe, Sound, pixel_shape
from pipeline.media.timebase import SAMPLE_RATE
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_TRACKS = 8  # of sound that are listened to, until one is heard
_CROPPING = frozenset(("mov", "matroska"))  # demuxers of formats that can crop the picture
_NO_TIME = -(1 << 63)
_PACKET = re.compile(r"\d+,\s*(-?\d+),\s*(-?\d+),\s*(\d+),\s*\d+, 0x\w+(?:, F=0x(\w+))?")
_DISCARDED = 4  # a flag of FFmpeg's packets: decoded, but not shown
# The clocks of transport streams that were joined begin anew.  FFmpeg puts the parts one after
# the other, but takes packets of the part before for a gap if they are less than this apart.
REPAIRED: Options = {"f": "nut"}  # FFmpeg's options for a file of repaired sound
_JOINED: Options = {"dts_delta_threshold": 1}


@dataclass(frozen=True)
class Hearing:
    """The sound of a film as FFmpeg decodes it.

    ``loudness`` is None where there is no sound to take.  ``file`` holds it as 48 kHz stereo
    where the film's own track can't be used as it is.  ``is_broken``: some of it, or all, can't
    be decoded.  ``changes``: its rate or layout is another one in a later part.
    """

    loudness: Loudness | None = None
    file: Path | None = None
    is_broken: bool = False
    changes: bool = False


@dataclass(frozen=True)
class FilmSource:
    """A film: its file, what the probe says, a folder to work in, the most seconds of it."""

    path: Path
    probe: Probe
    folder: Path
    most_s: float


def input_options(probe: Probe) -> Options:
    """Return options that restrict FFmpeg to one local file of one format."""
    demuxer = probe.format.demuxer
    decoder = probe.picture.decoder
    return {
        "protocol_whitelist": "file",
        "format_whitelist": demuxer,
        "f": demuxer,
        "threads": 1,
        # a picture of another size must not start the graph, and its counting, again
        "reinit_filter:v": 0,
        **dict(probe.format.options),
        **(_JOINED if probe.clock_breaks else {}),
        **({"c:v": decoder} if decoder is not None else {}),
    }


def survey(runner: FfmpegRunner, film: FilmSource) -> tuple[Probe, Hearing]:
    """Find out how long a film is, how large, and which track of it is heard.

    :returns: the probe, corrected, and the sound.  Trouble in the sound is no error.
    :raises Refused: not even one picture can be read.
    :raises ProgramFailed: FFmpeg crashed, was killed or took too long.
    """
    first = film.probe.sound
    seen, heard = _seen(runner, film)
    silent = heard.loudness is not None and heard.loudness.lufs is None
    if first is None or not (silent or heard.loudness is None):
        return seen, heard
    for track in film.probe.other_sounds[:_TRACKS]:
        other = replace(film, probe=replace(film.probe, sound=track))
        found, sounds = _seen(runner, other)
        if sounds.loudness is not None and sounds.loudness.lufs is not None:
            return found, sounds
    return seen, heard


def sized(runner: FfmpegRunner, film: FilmSource) -> Probe:
    """Find out how large a photo in a HEIF file is, which may be cropped by the file."""
    picture = film.probe.picture
    stream = _file(film).video(picture.stream)
    first: Options = {"frames:v": 1, "f": "framecrc"}
    graph = Graph((write(film.folder / "first", first, stream),))
    faults.check(_finished(runner, film, graph, Meter()), "probe", _permissions(film))
    found = _sized(picture, (film.folder / "first").read_text().splitlines())
    width, height = turning.size_after(picture.steps, found.width, found.height)
    picture = replace(picture, width=width, height=height, aspect=Fraction(width, height))
    return replace(film.probe, picture=picture)


def _seen(runner: FfmpegRunner, film: FilmSource) -> tuple[Probe, Hearing]:
    """Survey the pictures with the one track of sound that the probe names."""
    meter = Meter()
    ended = _run(runner, film, meter, film.probe.sound)
    if film.probe.sound is None:
        faults.check(ended, "probe", _permissions(film))
        return _measured(film), Hearing()
    if ended.ok and meter.starts == 1 and meter.seconds:
        seen = replace(_measured(film), sound_s=meter.seconds)
        loud = meter.until(seen.length_s)
        return seen, Hearing(loud, is_broken=faults.NOT_DECODED in ended.said)
    return repaired(runner, film, changes=meter.starts > 1)


def repaired(
    runner: FfmpegRunner, film: FilmSource, *, changes: bool = False
) -> tuple[Probe, Hearing]:
    """Survey the pictures alone, and the sound after it was decoded into a file."""
    ended = _run(runner, film, Meter(), None)
    faults.check(ended, "probe", _permissions(film))
    seen = _measured(film)
    file, whole = _decoded(runner, film)
    if file is None:
        return seen, Hearing(is_broken=True)
    meter = Meter()
    sound = loudness.standard(read(file, REPAIRED).audio())
    sound = sound.filter("atrim", end=film.most_s)
    graph = Graph((_metered(sound),))
    ended = _finished(runner, film, graph, meter, reads=(file,))
    if not ended.ok or not meter.seconds:
        return seen, Hearing(is_broken=True)
    seen = replace(seen, sound_s=meter.seconds)
    loud = meter.until(seen.length_s)
    return seen, Hearing(loud, file, is_broken=not whole, changes=changes)


def _decoded(runner: FfmpegRunner, film: FilmSource) -> tuple[Path | None, bool]:
    """Decode the sound of a film into a file of 48 kHz stereo, whatever can be decoded of it.

    Each sample keeps its time.  Where rate or layout change, the filters begin anew, which
    changes nothing here because they count nothing.

    :returns: the file, None if there is nothing in it; whether all could be decoded.
    """
    assert film.probe.sound is not None
    file = film.folder / "sound.nut"
    sound = _file(film).audio(str(film.probe.sound.index))
    layout = film.probe.sound.layout
    without_places = layout.endswith(" channels") and int(layout.split()[0]) > 2
    if layout.startswith("ambisonic") or without_places:
        # the first two are taken
        sound = sound.filter("channelmap", "0-FL|1-FR", channel_layout="stereo")
    if layout.startswith("ambisonic"):
        # the first channel is all sound, the second the difference of left and right
        sound = sound.filter("stereotools", mode="ms>lr")
    sound = sound.filter(
        "aformat", sample_fmts="flt", sample_rates=SAMPLE_RATE, channel_layouts="stereo"
    )
    # what is no number, or far too loud, becomes silence
    number = "if(isnan(val({0}))+gt(abs(val({0})),8),0,val({0}))"
    sound = sound.filter("aeval", "|".join(number.format(channel) for channel in range(2)))
    options: Options = {"c:a": "pcm_f32le", "t": math.ceil(film.most_s), **REPAIRED}
    outputs = [write(file, options, audio=[sound]), _copied(film, film.folder / "pictures")]
    ended = _finished(runner, film, Graph(tuple(outputs)), Meter())
    if not ended.ok or not file.exists() or file.stat().st_size < 1 << 10:
        return None, False
    return file, faults.NOT_DECODED not in ended.said


def _run(
    runner: FfmpegRunner, film: FilmSource, meter: Meter, sound: Sound | None
) -> ProgramResult:
    file = _file(film)
    outputs = [_copied(film, film.folder / "pictures", file)]
    if film.probe.format.demuxer in _CROPPING:
        first: Options = {"frames:v": 1, "f": "framecrc"}
        picture = file.video(film.probe.picture.stream)
        outputs.append(write(film.folder / "first", first, picture))
    if sound is not None:
        heard = loudness.standard(file.audio(str(sound.index)))
        outputs.append(_metered(heard.filter("atrim", end=film.most_s)))
    return _finished(runner, film, Graph(tuple(outputs)), meter)


def _file(film: FilmSource) -> InputFile:
    return read(film.path, input_options(film.probe))


def _copied(film: FilmSource, target: Path, file: InputFile | None = None) -> OutputFile:
    """Write one line for each packet of the picture: its times and its length."""
    options: Options = {"c": "copy", "copyinkf": None, "copypriorss": 1, "f": "framecrc"}
    picture = (file or _file(film)).video(film.probe.picture.stream)
    return write(target, options, picture)


def _metered(sound: Audio) -> OutputFile:
    return write("-", {"f": "null"}, audio=[loudness.metered(sound, count_clipped=True)])


def _finished(
    ffmpeg: FfmpegRunner,
    film: FilmSource,
    graph: Graph,
    meter: Meter,
    *,
    reads: tuple[Path, ...] = (),
) -> ProgramResult:
    argv = [runner.program(), *graph.arguments()]
    ended = ffmpeg.run("survey", argv, _permissions(film, reads), sink=meter.feed)
    meter.finish()
    return ended


def _permissions(film: FilmSource, reads: tuple[Path, ...] = ()) -> Permissions:
    seconds = max(film.probe.length_s, film.most_s / 10)
    return Permissions((film.path, *reads), (film.folder,), Limits.within(seconds))


def _measured(film: FilmSource) -> Probe:
    """The probe with what FFmpeg said of the pictures."""
    picture = _timed(film.probe.picture, (film.folder / "pictures").read_text().splitlines())
    first = film.folder / "first"
    if first.exists():
        picture = _sized(picture, first.read_text().splitlines())
    return replace(film.probe, picture=picture)


def _timed(picture: Picture, lines: Iterable[str]) -> Picture:
    """Read the times of the packets that FFmpeg copied."""
    base = Fraction(1)
    times: list[tuple[int, int]] = []
    for line in lines:
        if line.startswith("#tb 0: "):
            base = Fraction(line.removeprefix("#tb 0: "))
        elif found := _PACKET.match(line):
            dts, pts, length, flags = found.groups()
            if not int(flags or "1", 16) & _DISCARDED:
                times.append((int(pts) if int(pts) != _NO_TIME else int(dts), int(length)))
    if not times:
        raise Refused(Refusal(Reason.CORRUPT, Detail.UNDECODABLE))
    start, latest = min(times)[0], max(times)[0]
    end, length = max((moment + length, length) for moment, length in times)
    missing = 0.0 if length or not picture.fps else 1 / picture.fps
    return replace(
        picture,
        start_s=float(start * base),
        latest_s=float(latest * base),
        end_s=float(end * base) + missing,
        packets=len(times),
    )


def _sized(picture: Picture, lines: Iterable[str]) -> Picture:
    """Read the size of the first picture after cropping and turning."""
    facts = dict(line.split(": ", 1) for line in lines if line.startswith("#") and ": " in line)
    width, height = map(int, facts.get("#dimensions 0", "0x0").split("x"))
    if not width or not height:
        return picture
    over, under = map(int, facts.get("#sar 0", "0/1").split("/"))
    aspect = Fraction(width, height) * pixel_shape(over, under)
    return replace(picture, width=width, height=height, aspect=aspect)
