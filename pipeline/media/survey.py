"""What FFmpeg itself finds in a film: one short run before the encode, with the same inputs.

The probe reads a file with another build of FFmpeg, which counts time by other rules.  So whatever
decides about length and size comes from this run.  Pictures are only copied, which costs almost
nothing, and sound is decoded and measured, which has to be done in any case.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from pipeline.carriers.containers import turning
from pipeline.carriers.containers.ending import Cut
from pipeline.errors import Refused
from pipeline.ffmpeg import faults, made, runner
from pipeline.ffmpeg.faults import ProgramLied, ProgramResult
from pipeline.ffmpeg.graph import Audio, Graph, InputFile, Options, OutputFile, read, write
from pipeline.ffmpeg.made import MadeFile, Scratch
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.media import loudness, packets
from pipeline.media.loudness import Loudness, Meter
from pipeline.media.packets import BASE, DISCARDED, LONGEST_LINE, NO_TIME, PACKET, PacketTimes
from pipeline.media.probe import bounded
from pipeline.media.probed import Picture, Probe, Sound, pixel_shape
from pipeline.media.timebase import SAMPLE_RATE
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_TRACKS = 8  # of sound that are listened to, until one is heard
_CROPPING = frozenset(("mov", "matroska"))  # demuxers of formats that can crop the picture
_UNTIMED = frozenset(("avi",))  # demuxers of formats that do not say when a picture is shown
_REORDERED = 16  # pictures that a decoder may hold back (ITU-T H.264, A.3.1)
_SIZE, _SHAPE = re.compile(r"(\d{1,6})x(\d{1,6})"), re.compile(r"(\d{1,10})[:/](\d{1,10})")
# of the files that a survey makes, in bytes
_MOST_PICTURES, _MOST_FIRST, _MOST_SAMPLE = 1 << 30, 1 << 16, 9
_FIRST: Options = {"frames:v": 1, "f": "framecrc"}
_FEWEST_OVERLAID = 12  # packets; a few with one time are in films of any kind
REPAIRED: Options = {"f": "nut"}  # FFmpeg's options for a file of repaired sound
# The clocks of transport streams that were joined begin anew.  FFmpeg puts the parts one after
# the other, but takes packets of the part before for a gap if they are less than this apart.
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
    """A film: its file, what the probe says, where files are made, the most seconds of it."""

    path: Path
    probe: Probe
    scratch: Scratch
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

    :returns: the probe, corrected, and the sound.  Trouble in the sound is not an error.
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


def times(runner: FfmpegRunner, film: FilmSource) -> PacketTimes:
    """Find out when each packet of the picture is decoded and shown."""
    listed = film.scratch.new("packets", _MOST_PICTURES)
    _finished(runner, film, Graph((_copied(film, listed.path),)), writes=(listed,)).check()
    return packets.read(listed)


def sized(runner: FfmpegRunner, film: FilmSource) -> Probe:
    """Find out how large a photo in a HEIF file is, which may be cropped by the file."""
    picture = film.probe.picture
    stream = _file(film).video(picture.stream)
    first = film.scratch.new("first", _MOST_FIRST)
    graph = Graph((write(first.path, _FIRST, stream),))
    _finished(runner, film, graph, writes=(first,)).check()
    found = _sized(picture, first)
    width, height = turning.size_after(picture.steps, found.width, found.height)
    picture = replace(picture, width=width, height=height, aspect=Fraction(width, height))
    return replace(film.probe, picture=picture)


def _seen(runner: FfmpegRunner, film: FilmSource) -> tuple[Probe, Hearing]:
    """Survey the pictures with the one track of sound that the probe names."""
    looked = _look(runner, film, film.probe.sound)
    run, meter = looked.run, looked.run.meter
    if film.probe.sound is None:
        run.check()
        return _measured(film, looked), Hearing()
    if run.ended.ok and meter.starts == 1 and meter.seconds:
        seen = replace(_measured(film, looked), sound_s=meter.seconds)
        loud = meter.until(seen.length_s)
        return seen, Hearing(loud, is_broken=faults.NOT_DECODED in run.ended.said)
    return repaired(runner, film, changes=meter.starts > 1)


def repaired(
    runner: FfmpegRunner, film: FilmSource, *, changes: bool = False
) -> tuple[Probe, Hearing]:
    """Survey the pictures alone, and the sound after it was decoded into a file."""
    looked = _look(runner, film, None)
    looked.run.check()
    seen = _measured(film, looked)
    file, whole = _decoded(runner, film)
    if file is None:
        return seen, Hearing(is_broken=True)
    sound = loudness.standard(read(file, REPAIRED).audio())
    sound = sound.filter("atrim", end=film.most_s)
    run = _finished(runner, film, Graph((_metered(sound),)), reads=(file,))
    if not run.ended.ok or not run.meter.seconds:
        return seen, Hearing(is_broken=True)
    seen = replace(seen, sound_s=run.meter.seconds)
    loud = run.meter.until(seen.length_s)
    return seen, Hearing(loud, file, is_broken=not whole, changes=changes)


def _decoded(runner: FfmpegRunner, film: FilmSource) -> tuple[Path | None, bool]:
    """Decode the sound of a film into a file of 48 kHz stereo, whatever can be decoded of it.

    Each sample keeps its time.  Where rate or layout change, the filters begin anew, which
    changes nothing here because they count nothing.

    :returns: the file, None if there is nothing in it; whether all could be decoded.
    """
    assert film.probe.sound is not None
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
    # what is not a number, or far too loud, becomes silence
    number = "if(isnan(val({0}))+gt(abs(val({0})),8),0,val({0}))"
    sound = sound.filter("aeval", "|".join(number.format(channel) for channel in range(2)))
    seconds = math.ceil(film.most_s)
    options: Options = {"c:a": "pcm_f32le", "t": seconds, **REPAIRED}
    file = film.scratch.new("sound.nut", seconds * SAMPLE_RATE * _MOST_SAMPLE + _MOST_FIRST)
    pictures = film.scratch.new("pictures", _MOST_PICTURES)
    outputs = (write(file.path, options, audio=[sound]), _copied(film, pictures.path))
    run = _finished(runner, film, Graph(outputs), writes=(file, pictures))
    if not run.ended.ok or file.size < 1 << 10:
        return None, False
    return file.finished().path, faults.NOT_DECODED not in run.ended.said


@dataclass(frozen=True)
class _SurveyRun:
    """A run of FFmpeg: how it ended, with which permissions, and what it printed of the sound."""

    ended: ProgramResult
    permissions: Permissions
    meter: Meter

    def check(self) -> None:
        """Do nothing if it did its work; raise an error if not."""
        faults.check(self.ended, "probe", self.permissions)


@dataclass(frozen=True)
class _Look:
    """A run that looked at the pictures, with the files that it made.

    ``pictures`` has a line for each packet of the picture, ``first`` the size of the first
    picture; None for formats that can't crop it.
    """

    run: _SurveyRun
    pictures: MadeFile
    first: MadeFile | None


def _look(runner: FfmpegRunner, film: FilmSource, sound: Sound | None) -> _Look:
    file = _file(film)
    pictures, first = film.scratch.new("pictures", _MOST_PICTURES), None
    outputs = [_copied(film, pictures.path, file)]
    if film.probe.format.demuxer in _CROPPING | _UNTIMED:
        first = film.scratch.new("first", _MOST_FIRST)
        picture = file.video(film.probe.picture.stream)
        outputs.append(write(first.path, _FIRST, picture))
    if sound is not None:
        heard = loudness.standard(file.audio(str(sound.index)))
        outputs.append(_metered(heard.filter("atrim", end=film.most_s)))
    writes = (pictures,) if first is None else (pictures, first)
    return _Look(_finished(runner, film, Graph(tuple(outputs)), writes=writes), pictures, first)


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
    *,
    reads: tuple[Path, ...] = (),
    writes: tuple[MadeFile, ...] = (),
) -> _SurveyRun:
    """Run FFmpeg to its end, however it ends by itself.

    :raises ProgramFailed: it was ended from outside, which must not cost a film its sound.
    :raises ProgramLied: what it printed can't be true.
    """
    seconds = max(film.probe.length_s, film.most_s / 10)
    permissions = made.permissions(writes, (film.path, *reads), Limits.within(seconds))
    meter = Meter(film.most_s)
    argv = [runner.program(), *graph.arguments()]
    ended = ffmpeg.run("survey", argv, permissions, sink=meter.feed)
    faults.check_end(ended, "survey", permissions)
    meter.finish()
    return _SurveyRun(ended, permissions, meter)


def _measured(film: FilmSource, looked: _Look) -> Probe:
    """The probe with what FFmpeg said of the pictures."""
    picture = _timed(film.probe.picture, looked.pictures)
    if looked.first is not None and looked.first.size:
        if film.probe.format.demuxer in _UNTIMED:
            picture = replace(picture, late_s=_late(picture, looked.first))
        else:
            picture = _sized(picture, looked.first)
    cut = film.probe.cut
    if overlaid := _overlaid(looked.pictures):
        cut = Cut(overlaid / picture.packets)
    return replace(film.probe, picture=picture, cut=cut)


def _timed(picture: Picture, file: MadeFile) -> Picture:
    """Read the times of the packets that FFmpeg copied.

    Some packets do not say when their picture is shown.  As a whole, the pictures are shown as long
    after they are decoded as the first one.

    :raises ProgramLied: they can't be times.
    """
    base, count, wait = Fraction(1), 0, None
    start = latest = end = last = 0
    for line in file.lines(LONGEST_LINE):
        if found := BASE.fullmatch(line):
            base = Fraction(int(found[1]), int(found[2]))
        elif found := PACKET.match(line):
            dts, pts, length = (int(number) for number in found.groups()[:3])
            if wait is None and NO_TIME not in (dts, pts):
                wait = pts - dts
            if int(found[4] or "1", 16) & DISCARDED:
                continue
            moment = pts if pts != NO_TIME else dts + (wait or 0)
            ending = moment + length, length
            if not count:
                start, latest, (end, last) = moment, moment, ending
            start, latest = min(start, moment), max(latest, moment)
            end, last = max((end, last), ending)
            count += 1
        elif not line.startswith("#") or line.startswith("#tb"):
            raise ProgramLied("times that no film has")
    if not count:
        raise Refused(Refusal(Reason.CORRUPT, Detail.UNDECODABLE))
    missing = 0.0 if last or not picture.fps else 1 / picture.fps
    return replace(
        picture,
        start_s=float(start * base),
        latest_s=float(latest * base),
        end_s=float(end * base) + missing,
        packets=count,
    )


def _overlaid(file: MadeFile) -> int:
    """Count the packets of another film that was put behind the first one in the same file.

    Its clock begins anew, and FFmpeg gives all its packets the time of the last one before, so its
    pictures are not shown.
    """
    count, before = 0, (NO_TIME, NO_TIME)
    for line in file.lines(LONGEST_LINE):
        if found := PACKET.match(line):
            times = (int(found[1]), int(found[2]))
            count += times == before != (NO_TIME, NO_TIME)
            before = times
    return count if count >= _FEWEST_OVERLAID else 0


def _late(picture: Picture, file: MadeFile) -> float:
    """Return how many seconds FFmpeg shows each picture too late.

    Where a format has no times of showing, it takes the time at which the decoder gives a picture
    back, which is later by the pictures that the decoder holds back.
    """
    base, late = Fraction(1), 0.0
    for line in file.lines(LONGEST_LINE):
        if found := BASE.fullmatch(line):
            base = Fraction(int(found[1]), int(found[2]))
        elif found := PACKET.match(line):
            late = float(int(found[1]) * base) - picture.start_s
            break
    most = _REORDERED / max(picture.fps or picture.pace, 1.0)
    return late if 0 < late <= most else 0.0


def _sized(picture: Picture, file: MadeFile) -> Picture:
    """Read the size of the first picture after cropping and turning.

    :raises ProgramLied: it can't be a size.
    """
    lines = (line for line in file.lines(_MOST_FIRST) if line.startswith("#") and ": " in line)
    facts = dict(line.split(": ", 1) for line in lines)
    size = _SIZE.fullmatch(facts.get("#dimensions 0", "0x0"))
    shape = _SHAPE.fullmatch(facts.get("#sar 0", "0/1"))
    if size is None or shape is None:
        raise ProgramLied("a size that no picture has")
    width, height, over, under = map(int, (*size.groups(), *shape.groups()))
    if not width or not height:
        return picture
    aspect = Fraction(width, height) * pixel_shape(over, under)
    return bounded(replace(picture, width=width, height=height, aspect=aspect))
