"""The filter graphs of the pieces of a long clip; like those of ``graph`` they start nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.ffmpeg.graph import Graph, OutputFile, Video, read
from pipeline.ffmpeg.graph import write as write_file
from pipeline.media import encode, survey
from pipeline.media.timebase import SAMPLE_RATE
from pipeline.process import framing, glance, graph
from pipeline.process.chunk_plan import MORE, Span
from pipeline.process.graph import ClipSource, ClipTarget, GlanceTarget

_PRINTS = {"c:v": "rawvideo", "f": "framehash", "hash": "md5", "fps_mode": "passthrough"}


@dataclass(frozen=True)
class ChunkTarget:
    """An output of a chunk, and the file for the digests of the pictures at its ends."""

    clip: ClipTarget
    span: Span
    prints: Path

    @property
    def has_poster(self) -> bool:
        """Whether the still of the clip shows a picture of this chunk."""
        return self.span.first <= self.clip.poster < self.span.stop


def chunk_graph(
    source: ClipSource, targets: tuple[ChunkTarget, ...], glanced: GlanceTarget
) -> Graph:
    """Build the graph that makes the pictures of a chunk for all outputs."""
    clips = tuple(target.clip for target in targets)
    _, picture, source = graph.opened(source, clips)
    covered = clips[0].cover is not None
    if covered:
        pictures = picture.split(len(clips))
        pairs = zip(pictures, clips, strict=True)
        pictures = [graph.covered_frame(seen, source, clip) for seen, clip in pairs]
        small, pictures[0] = pictures[0].split(2)
        small = framing.cut_out(small, source.probe.picture, clips[0].output)
    else:
        small, *pictures = picture.split(len(clips) + 1)
    outputs: list[OutputFile] = []
    for target, seen, caption in zip(targets, pictures, graph.captions(clips), strict=True):
        clip = target.clip
        shown = graph.pictured(seen, source, clip, caption)
        shown, ends, *poster = shown.split(3 if target.has_poster else 2)
        cuts = encode.cut_arguments(
            clip.frames, source.recipe.fade_frames(clip.output), target.span.first
        )
        exact = shown.filter("trim", end_frame=target.span.count)
        options = encode.picture_arguments(clip.output) | cuts
        outputs.append(write_file(clip.movie, options, exact))
        outputs.append(write_file(target.prints, _PRINTS, _ends(ends, target.span)))
        outputs += [_still(each, target) for each in poster]
    outputs.append(_glanced(small, source, glanced, begins_at_0=covered))
    return Graph(tuple(outputs), filter_threads=1)


def sound_graph(source: ClipSource, targets: tuple[ClipTarget, ...]) -> Graph:
    """Build the graph that makes the sound of a clip for all outputs."""
    if source.correction is None:
        sound = read(f"anullsrc=cl=stereo:r={SAMPLE_RATE}", {"f": "lavfi"}).audio("0")
    else:
        sound = graph.heard(read(source.path, survey.input_options(source.probe)), source)
    outputs = []
    for target, heard in zip(targets, sound.split(len(targets)), strict=True):
        exact = graph.fitted(heard, target, measured=target is targets[0])
        tracks = encode.clip_sound(exact)
        outputs.append(
            write_file(target.movie, encode.sound_arguments(target.output), audio=tracks)
        )
    return Graph(tuple(outputs), filter_threads=1)


def join_graph(target: ClipTarget, chunks: Path, sound: Path) -> Graph:
    """Build the graph that copies the pieces of an output into one film.

    :param chunks: a list of the chunks for FFmpeg's concat demuxer.
    """
    only = {"protocol_whitelist": "file"}
    listed = read(chunks, {**only, "f": "concat", "safe": 0, "format_whitelist": "concat,mov"})
    tracks = read(sound, {**only, "f": "mov", "format_whitelist": "mov"})
    options = encode.joined_arguments(target.output)
    heard = [tracks.audio(f"a:{number}") for number in range(2)]
    return Graph((write_file(target.movie, options, listed.video(), heard),))


def _ends(stream: Video, span: Span) -> Video:
    """The first pictures of a chunk, and those after its end."""
    return stream.filter("select", f"lt(n,{MORE})+gte(n,{span.count})")


def _still(stream: Video, target: ChunkTarget) -> OutputFile:
    clip = target.clip
    picture = stream.filter("select", f"eq(n,{clip.poster - target.span.first})")
    picture = encode.still(picture, graph.STILL_WIDTH, clip.output)
    return write_file(clip.still, encode.still_arguments(), picture)


def _glanced(
    stream: Video, source: ClipSource, glanced: GlanceTarget, *, begins_at_0: bool
) -> OutputFile:
    """The small pictures of a chunk; as many as it has whole seconds for."""
    chunk = source.chunk
    assert chunk is not None, "a graph of a chunk"
    assert glanced.rate is not None, "a film"
    begin = 0 if begins_at_0 else chunk.begin_s - chunk.seek_s
    # a file of raw pictures has no times: FFmpeg would fill the time before the first one
    small = glance.reduced(stream, glanced.rate, begin).filter("setpts", "PTS-STARTPTS")
    if chunk.end_s is not None:
        count = round(glanced.rate * (chunk.end_s - chunk.begin_s))
        small = small.filter("trim", end_frame=max(1, count))
    return write_file(glanced.path, glance.arguments(glanced.rate), small)
