"""The filter graph of one clip: from the decoder's pictures and samples to the encoders'.

The functions here are pure and start nothing.  One decode feeds every output; each picture passes
the encoder of an output exactly once.
"""

import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.config import Output
from pipeline.ffmpeg.graph import Audio, Graph, InputFile, Video, overlay, read, silence
from pipeline.ffmpeg.graph import write as write_file
from pipeline.media import altering, colour, encode, fitting, loudness, survey
from pipeline.media.caption import Strip
from pipeline.media.loudness import Correction
from pipeline.media.probed import Picture, Probe
from pipeline.media.timebase import SAMPLE_RATE, frames_in, samples_of
from pipeline.process import framing, glance
from pipeline.process.chunk_plan import Chunk, Span
from pipeline.process.covering import Cover
from pipeline.process.framing import Frame
from pipeline.process.recipe import Recipe

STILL_WIDTH = 640
_EARLY = 4  # a picture may be shown a quarter of its length too early


@dataclass(frozen=True)
class GlanceTarget:
    """The file for the small pictures that ``glance`` judges, and how many of them a second.

    ``rate`` is None for a photo.
    """

    path: Path
    rate: float | None


@dataclass(frozen=True)
class ClipTarget:
    """One output of a clip: how long it is, its caption, its masks, and where its files grow.

    ``span``: its pictures that are made alone; None if all are made at once.
    """

    output: Output
    frames: int
    strip: Strip | None
    movie: Path
    still: Path
    cover: Cover | None = None
    span: Span | None = None

    @property
    def shown(self) -> int:
        """How many pictures the graph makes."""
        return self.frames if self.span is None else self.span.shown

    @property
    def poster(self) -> int:
        """The number of the picture that the still shows: at a third of the clip."""
        return self.frames // 3

    @property
    def frame(self) -> Frame:
        """What pictures are placed in."""
        return Frame(self.output, self.cover)


@dataclass(frozen=True)
class ClipSource:
    """An original with all that decides how its clip is made.

    ``correction`` is None where there is no sound; ``sound`` is the file that holds the sound if
    it could not be taken from the original as it is (see ``survey.Hearing``).  ``chunk``: the part
    of a long film that is made alone.
    """

    path: Path
    probe: Probe
    recipe: Recipe
    correction: Correction | None
    sound: Path | None = None
    chunk: Chunk | None = None


def clip_graph(source: ClipSource, targets: tuple[ClipTarget, ...], glanced: GlanceTarget) -> Graph:
    """Build the graph that makes all targets of a clip in one run of FFmpeg."""
    file, picture, source = opened(source, targets)
    probe = source.probe
    # small pictures of a film are taken as it was decoded, or after its masks if it has any
    covered = not probe.still and targets[0].cover is not None
    early = glanced.rate is not None and not covered
    small, *pictures = picture.split(len(targets) + early)
    pictures = pictures if early else [small, *pictures]
    if covered:
        pairs = zip(pictures, targets, strict=True)
        pictures = [covered_frame(seen, source, target) for seen, target in pairs]
        small, pictures[0] = pictures[0].split(2)
        small = framing.cut_out(small, source.probe.picture, targets[0].output)
    sounds = heard(file, source).split(len(targets))
    outputs = []
    parts = zip(targets, pictures, captions(targets), sounds, strict=True)
    for target, seen, caption, sound in parts:
        first = target is targets[0]  # the sound is the same in all
        shown, poster, *more = pictured(seen, source, target, caption).split(
            3 if first and probe.still else 2
        )
        small = _uncaptioned(more[0], source, target) if more else small
        tracks = encode.clip_sound(fitted(sound, target, measured=first))
        options = encode.clip_arguments(target.output) | encode.cut_arguments(
            target.frames, source.recipe.fade_frames(target.output)
        )
        outputs.append(write_file(target.movie, options, shown, tracks))
        poster = poster.filter("select", f"eq(n,{target.poster})")
        poster = encode.still(poster, STILL_WIDTH, target.output)
        outputs.append(write_file(target.still, encode.still_arguments(), poster))
    options = glance.arguments(glanced.rate)
    outputs.append(write_file(glanced.path, options, glance.reduced(small, glanced.rate)))
    if probe.clock_breaks and probe.sound is not None and source.sound is not None:
        # FFmpeg joins the parts by the times of all streams that it reads, as in the survey
        track = file.audio(str(probe.sound.index))
        outputs.append(write_file("-", {"c": "copy", "f": "null"}, audio=[track]))
    return Graph(tuple(outputs), filter_threads=1)


def opened(
    source: ClipSource, targets: tuple[ClipTarget, ...]
) -> tuple[InputFile, Video, ClipSource]:
    """Open an original; return the file, its pictures as they are to be framed, and the source.

    The colours of the source that comes back are those of the pictures.
    """
    options = survey.input_options(source.probe)
    if framing.turns_at_last(source.probe.picture):
        options = {**options, "noautorotate": None}
    chunk = source.chunk
    if chunk is not None and chunk.seek_s:
        options = {**options, "ss": chunk.seek_s}
    file = read(source.path, options)
    picture = framing.decoded(file, source.probe.picture)
    if chunk is not None and chunk.from_s:
        picture = picture.filter("trim", start=chunk.from_s - chunk.seek_s)
    picture, known = colour.understood(picture, source.probe.picture)
    probe = replace(source.probe, picture=known)
    picture = _progressive(picture, probe, targets)
    if probe.picture.alpha:
        picture = colour.on_white(picture, multiplied=probe.picture.multiplied)
    return file, picture, replace(source, probe=probe)


def frames_of(probe: Probe, seconds: float, output: Output) -> int:
    """Return how many pictures of *output* a clip of *seconds* has: enough to show the last one."""
    frames = frames_in(seconds, output.fps)
    if probe.still or _faster(probe.picture, output):
        return frames
    return max(frames, math.ceil(probe.picture.latest_s * output.fps - 1 / _EARLY) + 1)


def _progressive(stream: Video, probe: Probe, targets: tuple[ClipTarget, ...]) -> Video:
    """Deinterlace; both fields become pictures where an output is quick enough for them.

    ``bwdif`` refuses pictures of another size than the first.
    """
    if not probe.picture.interlaced or probe.picture.changes or probe.still:
        return stream
    fields = any(target.output.fps > probe.picture.pace for target in targets)
    mode = "send_field" if fields else "send_frame"
    return stream.filter("bwdif", mode=mode, deint="interlaced")


def _faster(picture: Picture, output: Output) -> bool:
    """Whether there are more pictures than the output shows; a little more is rounding."""
    return picture.pace * (2 if picture.interlaced else 1) > output.fps + 0.5


def pictured(stream: Video, source: ClipSource, target: ClipTarget, caption: Video | None) -> Video:
    """Frame and caption the picture, at the output's rate and exactly as long as the target."""
    output, picture, still = target.output, source.probe.picture, source.probe.still
    if not still and target.cover is not None:
        stream = _captioned(stream, target, caption)
        if picture.packets <= 1:
            stream = framing.hold_last(stream, output.fps)
    elif not still and picture.packets > 1:
        # pictures are dropped before the work on them, and repeated after it
        faster = _faster(picture, output)
        stream = _constant_rate(stream, source, output) if faster else stream
        stream = _captioned(framing.framed(stream, picture, target.frame), target, caption)
        stream = stream if faster else _constant_rate(stream, source, output)
        stream = stream.filter("tpad", stop=-1, stop_mode="clone")
    elif still and source.recipe.still_motion == "drift":
        stream = framing.drifting(stream, picture, target.frame, target.frames)
        stream = _captioned(stream, target, caption)
    else:
        stream = _captioned(framing.framed(stream, picture, target.frame), target, caption)
        stream = (framing.hold if still else framing.hold_last)(stream, output.fps)
    shown = stream.filter("trim", end_frame=target.shown).filter("format", "yuv420p")
    return encode.labelled(shown.filter("sidedata", mode="delete"))


def covered_frame(stream: Video, source: ClipSource, target: ClipTarget) -> Video:
    """Frame a film that has masks, at the output's rate.

    Masks move, so pictures are repeated before they are laid on.
    """
    if source.probe.picture.packets > 1:
        stream = _constant_rate(stream, source, target.output)
        stream = stream.filter("tpad", stop=-1, stop_mode="clone")
        stream = stream.filter("trim", end_frame=target.shown)
    return framing.framed(stream, source.probe.picture, target.frame)


def _constant_rate(stream: Video, source: ClipSource, output: Output) -> Video:
    """Show each picture from the first moment of the output that is not before it.

    A quarter of a picture's length is tolerated, since files round their times.
    """
    early = f"PTS+{float(1 / _EARLY):g}/({output.fps}*TB)"
    chunk = source.chunk
    begin = chunk.begin_s - chunk.seek_s if chunk else 0
    stream = stream.filter("setpts", early).filter("fps", fps=output.fps, start_time=begin)
    return stream.filter("setpts", "PTS-STARTPTS") if chunk else stream


def captions(targets: tuple[ClipTarget, ...]) -> list[Video | None]:
    """Read the caption strip of each target; targets of one size share a strip."""
    counts = Counter(target.strip.path for target in targets if target.strip)
    copies = {path: iter(_caption(path).split(count)) for path, count in counts.items()}
    return [next(copies[target.strip.path]) if target.strip else None for target in targets]


def _caption(path: Path) -> Video:
    target = {"out_color_matrix": "bt709", "out_range": "tv", "flags": "full_chroma_int"}
    strip = read(path, {"f": "png_pipe"}).video("0")
    return strip.filter("scale", **target).filter("format", "yuva420p")


def _captioned(stream: Video, target: ClipTarget, caption: Video | None) -> Video:
    strip = target.strip
    if strip is None or caption is None:
        return stream
    return overlay(stream, caption, x=strip.x, y=strip.y, format="yuv420", eof_action="repeat")


def _uncaptioned(stream: Video, source: ClipSource, target: ClipTarget) -> Video:
    """Cut the middle out of a photo in its frame, without fill and caption.

    It is taken after all the work: with FFmpeg 9 an output that ends before the others ends them
    too where the photo is made of tiles.
    """
    moves = source.recipe.still_motion == "drift"
    rect = fitting.place(
        source.probe.picture.aspect, target.output, target.frames if moves else None
    )
    rim = 2  # pixels: chroma of half the size can only be cut on even places
    size = (rect.width - 2 * rim, rect.height * 7 // 10)
    place = (rect.x + rim, rect.y + rect.height * 15 // 100)
    return stream.filter("select", "eq(n,0)").filter("crop", *size, *place)


def heard(file: InputFile, source: ClipSource) -> Audio:
    """Correct the sound; make silence where there is none."""
    if source.probe.sound is None or source.correction is None:
        # made inside the graph: with an input for it FFmpeg 9 waits for ever on photos in tiles
        return silence(SAMPLE_RATE)
    if source.sound is not None:
        sound = read(source.sound, survey.REPAIRED).audio()
    else:
        sound = file.audio(str(source.probe.sound.index))
    sound = altering.altered(loudness.standard(sound), source.recipe.sounds)
    return loudness.corrected(sound, source.correction)


def fitted(sound: Audio, target: ClipTarget, *, measured: bool) -> Audio:
    """Make the sound exactly as long as the picture; print its loudness while it passes."""
    length = samples_of(target.frames, target.output.fps)
    sound = sound.filter("apad").filter("atrim", end_sample=length)
    if measured:
        sound = loudness.metered(sound)
        # ebur128 hands on pieces of 100 ms and stamps the last, shorter one wrong
        sound = sound.filter("asettb", f"1/{SAMPLE_RATE}").filter("asetpts", "N")
    return sound
