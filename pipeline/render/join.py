"""Join the pieces of a film: no picture is encoded again, and the sound is encoded once.

The concat demuxer copies the packets of the pictures.  The lossless sound of the segments is
decoded, edited and sent through one AAC encoder, so that no joint is heard and nothing drifts.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter

from pipeline import judge, publishing
from pipeline.codecs import codec_of
from pipeline.errors import StageError
from pipeline.ffmpeg.faults import once_more
from pipeline.ffmpeg.graph import Graph, Options, OutputFile, read, write
from pipeline.ffmpeg.made import MadeFile, Scratch
from pipeline.media import encode
from pipeline.media.timebase import SAMPLE_RATE, TICKS, samples_of
from pipeline.render import cuts, music, seams, sound, streaming
from pipeline.render.cuts import CutPlan, Joints, Stretch
from pipeline.render.music import BackgroundMusic
from pipeline.render.streaming import FilmFiles
from pipeline.render.timeline import Segment, Timeline
from pipeline.run import Run
from pipeline.store import FootageFile

_JOINTS = TypeAdapter(Joints)
_TOGETHER = 4  # clips of which the joints are found
_TRIES = 4  # at the peaks of a mix
_FILES: Options = {"protocol_whitelist": "file", "format_whitelist": "concat,mov"}
_LIST: Options = {"f": "concat", "safe": 0, **_FILES}


def join(run: Run, plan: CutPlan, scratch: Scratch) -> MadeFile:
    """Join a film whose cards and bridges are made, and judge it.

    Where there is music, the film is joined again until its peaks are low enough.

    :raises StageError: a program failed, or frames or samples are missing.
    :raises NotClean: verification found something.
    """
    if not run.config.montage.music:
        return _join(run, plan, scratch, None)
    with music.decoded(run) as first_try:
        background = first_try
        for _ in range(_TRIES):
            part = _join(run, plan, scratch, background)
            seconds = plan.film.frames / plan.film.output.fps
            better = background.corrected(music.peak(run, part.path, seconds))
            if better is None:
                return part
            part.discard()
            background = better
    raise StageError("the music could not be mixed below -1 dBTP; choose another file")


def planned(run: Run, film: Timeline) -> CutPlan:
    """Look at the files that must be cut, and plan the pieces.

    :raises StageError: the segments can't be joined by copy.
    :raises NotClean: a clip is not as it was when it was published.
    """
    if len({segment.extradata for segment in film.segments}) != 1:
        raise StageError(
            "clips of different encodings can't be joined; run `footage process` first"
        )
    joints: dict[str, Joints] = {}
    cut = [segment for segment, _, *fades in film.placed() if any(fades) or not segment.whole]
    for some in _batches(cut):
        with run.store.at_hand(_unknown(run, some)):
            joints |= {segment.path: _joints(run, film, segment) for segment in some}
    return CutPlan(film, cuts.plan(film, joints), joints)


def _batches(cut: Sequence[Segment]) -> Iterator[Sequence[Segment]]:
    return (cut[at : at + _TOGETHER] for at in range(0, len(cut), _TOGETHER))


def _unknown(run: Run, segments: Sequence[Segment]) -> list[FootageFile]:
    """The clips in a store of which it is not known where they can be cut."""
    away = [segment for segment in segments if segment.sha256 and run.store.is_beyond]
    return [FootageFile(s.path, s.content) for s in away if not _kept(run, s).exists()]


def _kept(run: Run, segment: Segment) -> Path:
    return run.workspace.cache / "joints" / f"{segment.content}.json"


def _joints(run: Run, film: Timeline, segment: Segment) -> Joints:
    """Look where a file can be cut; of a clip in a store this is kept, so it is fetched once.

    :raises NotClean: the file is not as it was when it was published.
    """
    kept = _kept(run, segment)
    if run.store.is_beyond and publishing.is_cached(kept):
        return _JOINTS.validate_json(kept.read_bytes())
    place = run.workspace.root / segment.path
    facts = codec_of(film.output).judge(place, judge.Mp4Kind.CLIP).video
    found = Joints(facts.keyframes, facts.lead)
    if run.store.is_beyond:
        publishing.write_text(kept, _JOINTS.dump_json(found).decode())
    return found


def _join(
    run: Run, plan: CutPlan, scratch: Scratch, background: BackgroundMusic | None
) -> MadeFile:
    film = plan.film
    part = scratch.new("film", encode.most_bytes(film.output, film.frames))
    # one program feeds the other, so both begin again
    stream = partial(_stream, run, plan, part, background)
    once_more(stream, partial(run.ffmpeg.note_again, "join"))
    facts = codec_of(film.output).judge(part.file, judge.Mp4Kind.MONTAGE)
    if facts.video.frames != film.frames:
        raise StageError(f"the montage has {facts.video.frames} frames instead of {film.frames}")
    missing = samples_of(film.frames, film.output.fps) - facts.audio[0].samples
    if abs(missing) > SAMPLE_RATE // film.output.fps:
        raise StageError("the montage's sound is not as long as its picture")
    return part


def _stream(run: Run, plan: CutPlan, part: MadeFile, background: BackgroundMusic | None) -> None:
    """Copy the pictures into a file, and encode the sound that another program decodes meanwhile.

    :raises StageError: one of the programs failed.
    """
    film = plan.film
    with (
        run.console.task("join", film.frames // film.output.fps, "seconds") as task,
        streaming.opened(run, plan) as files,
        _list(run, _pictures(run, plan, files)) as listed,
        _sound(run, film, files) as samples,
    ):
        heard = samples if background is None else background.under(samples, film)
        with files.until_one_fails():
            run.ffmpeg.make(
                "join",
                Graph((_joined(listed, part.path, film, background),)),
                reads=files.reads,
                writes=(part,),
                seconds=300 + film.frames / film.output.fps,
                feed=_counted(heard, task.advance),
            )


def _joined(
    listed: Path, part: Path, film: Timeline, background: BackgroundMusic | None
) -> OutputFile:
    """Copy the listed pictures, and encode the sound that comes through the standard input."""
    layout = "stereo" if background is None else "quad"
    pipe: Options = {"f": "s16le", "ar": SAMPLE_RATE, "ch_layout": layout}
    heard = read("pipe:0", {**pipe, "protocol_whitelist": "pipe"}).audio()
    if background is not None:
        heard = music.mixed(heard, background.ceiling_db)
    # The list's times are in microseconds and fall between the ticks: set each picture to its own
    # tick, the first to 0.  Decoding runs ahead in every clip but the shortest, whose pictures
    # need no reordering: give all of them the same lead.
    lead = codec_of(film.output).lead
    times = f"setts=pts=round((PTS-STARTPTS)/{TICKS})*{TICKS}:dts=(N-{lead})*{TICKS}"
    options = encode.montage_arguments(film.output) | {"bsf:v": times}
    return write(part, options, read(listed, _LIST).video(), [heard])


def _counted(blocks: Iterator[sound.Samples], advance: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the bytes of the sound; report each time another whole second has gone in."""
    passed = reported = 0
    for block in blocks:
        yield block.tobytes()
        passed += len(block)
        if passed // SAMPLE_RATE > reported:
            advance(passed // SAMPLE_RATE - reported)
            reported = passed // SAMPLE_RATE


@contextmanager
def _list(run: Run, lines: Iterator[str]) -> Iterator[Path]:
    """Write a list for the concat demuxer; it is deleted after the block."""
    with publishing.scratch_folder(run.workspace.cache) as folder:
        listed = folder / "join.txt"
        listed.write_text("\n".join(["ffconcat version 1.0", *lines, ""]), "utf-8")
        yield listed


def _pictures(run: Run, plan: CutPlan, files: FilmFiles) -> Iterator[str]:
    """Yield where each piece begins and ends, as lines for the concat demuxer.

    A seek finds the key frame at or before a time, and a file ends before the first packet
    whose decoding time is not before another: both are given as a time between two pictures.
    A stream can't go back: a file that is used from its beginning has no seek, and of a stream
    only the first packet is read before the seek.
    """
    fps = plan.film.output.fps
    for piece in plan.pieces:
        start, stop = 0, None
        if isinstance(piece, Stretch):
            path, start = files.picture(piece.segment.path), piece.start
            if piece.stop < piece.segment.frames:
                stop = piece.stop - plan.joints[piece.segment.path].lead
        else:
            path = seams.path_of(piece, plan.film, run.workspace)
        yield _file(path)
        if files.is_streamed:
            yield "option probesize 32"  # bytes, the fewest that FFmpeg allows
        if start:
            yield f"inpoint {(start + 0.25) / fps:.6f}"
        if stop is not None:
            yield f"outpoint {(stop - 0.5) / fps:.6f}"
        yield f"duration {piece.frames / fps:.9f}"


def _file(path: Path) -> str:
    quoted = str(path).replace("'", r"'\''")
    return f"file '{quoted}'"


@contextmanager
def _sound(run: Run, film: Timeline, files: FilmFiles) -> Iterator[Iterator[sound.Samples]]:
    """Decode the film's sound in a thread, beside the block that reads it.

    :raises StageError: FFmpeg failed, or a clip's sound is not as long as its picture.
    """
    fps = film.output.fps
    lines = (
        line
        for segment in film.segments
        for line in (_file(files.heard(segment.path)), f"duration {segment.frames / fps:.9f}")
    )
    with _list(run, lines) as listed:
        lossless = read(listed, _LIST).audio("a:1").filter("asetpts", "N/SR/TB")
        graph = Graph((write("pipe:1", {"f": "s16le"}, audio=[lossless]),))
        seconds = 300 + sum(segment.frames for segment in film.segments) / fps
        # without anything to feed, a program that waits for a clip would count as stuck
        feed = () if files.is_streamed else None

        def decode(pipe: sound.Pipe) -> None:
            with files.until_one_fails():
                run.ffmpeg.make(
                    "sound", graph, reads=files.reads, seconds=seconds, feed=feed, sink=pipe.put
                )

        with sound.beside(decode) as pipe:
            yield sound.edited(pipe, film)
