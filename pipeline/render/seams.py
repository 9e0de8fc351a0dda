"""Bridges of a film as files: encoded side by side in batches, once, and cached.

A bridge is named by what it shows, so when the same two clips meet again in the same way, nothing
is encoded.  Its name also begins with the originals and the clips that it shows, so that the
bridges of footage that is withdrawn, or of clips that were made anew, are deleted too.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints

from pipeline import judge, publishing, versions
from pipeline.codecs import codec_of
from pipeline.config import Output, Section
from pipeline.errors import StageError
from pipeline.ffmpeg import made
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.ffmpeg.graph import Graph, Video, overlay, read, write, xfade
from pipeline.jobs.handout import Dispatcher
from pipeline.jobs.kinds import JobWork
from pipeline.media import encode
from pipeline.model import ClipResult
from pipeline.render import pieces
from pipeline.render.cuts import Bridge, CutPlan, Joints, Stretch
from pipeline.render.pieces import PieceRules, PiecesAnswer, PiecesTask, WantedPiece
from pipeline.render.timeline import Timeline
from pipeline.run import Run, Tools
from pipeline.store import PIECES, FootageFile, name_in_bridge, unknown_bridges
from pipeline.workspace import Workspace

# Small pictures are made several at a time, up to so many pixels and bridges: starting a program
# costs as much as making one.  A large one has a separate program, which needs 180 MB at 1080p.
_BATCH_PIXELS = 2_100_000
_MOST = 4
_TOGETHER = 4  # bridges of a job at least, where each clip has to be fetched first

_PATH = r"^cache/seams/[A-Za-z0-9-]{1,200}\.[a-z0-9]{1,8}$"


class NamedBridge(Section):
    """A bridge and its path from the workspace."""

    path: Annotated[str, StringConstraints(pattern=_PATH)]
    bridge: Bridge


class SeamTask(PiecesTask):
    """Bridges of a film that follow each other, and the joints of the files that they show."""

    kind: Literal["seam"] = "seam"
    output: Output
    transition: str
    bridges: tuple[NamedBridge, ...]
    joints: dict[str, Joints]

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of the bridges."""
        return tuple(each.path for each in self.bridges)

    @property
    def plan(self) -> CutPlan:
        """The film, as far as it decides how bridges look."""
        return CutPlan(Timeline(self.output, (), (), self.transition), (), self.joints)


def folder(workspace: Workspace) -> Path:
    """Return where bridges are cached."""
    return workspace.cache / "seams"


def path_of(bridge: Bridge, film: Timeline, workspace: Workspace) -> Path:
    """Return the place of a bridge: named by what it shows and by the hash of all that makes it."""
    output = film.output
    parts = [
        versions.ENCODING,
        [(side.segment.content, side.start, side.stop) for side in bridge.sides],
        bridge.tail is None,
        (film.transition, bridge.fade) if bridge.fade else None,
        (output.width, output.height, output.fps),
        encode.piece_arguments(output),
    ]
    key = publishing.cache_key("seam", versions.SEAM, *parts)
    shown = [side.segment for side in bridge.sides]
    names = [name_in_bridge(segment.sha256, segment.content) for segment in shown]
    return folder(workspace) / f"{'-'.join([*names, key])}{codec_of(output).suffix}"


def make(run: Run, jobs: Dispatcher, plans: Sequence[CutPlan]) -> None:
    """Make the bridges of films that are missing.

    What was made is kept, whatever becomes of the others.

    :raises StageError: FFmpeg failed, or what it made would not join the clips.
    :raises NotClean: verification found something in one.
    """
    bridges = {
        run.workspace.relative(path_of(piece, plan.film, run.workspace)): (piece, plan)
        for plan in plans
        for piece in plan.pieces
        if isinstance(piece, Bridge)
    }
    wanted = {path: _wanted(path, *each) for path, each in bridges.items()}
    away = {piece.path for piece in pieces.missing(run, [*wanted.values()])}
    items = {path: each for path, each in bridges.items() if path in away}
    tasks = [task for plan in plans for task in _tasks(run, plan, items)]
    total = sum(bridge.frames for bridge, _ in items.values())
    with run.console.task("crossfades", total, "pictures") as task:
        for result in jobs.results(PieceRules(run, wanted), tasks):
            task.advance(sum(items[each.path][0].frames for each in result))


def do(task: SeamTask, tools: Tools) -> PiecesAnswer:
    """Make the bridges of a task.

    :raises StageError: FFmpeg failed, or what it made would not join the clips.
    :raises NotClean: verification found something in one.
    """
    shown = [side.segment for each in task.bridges for side in each.bridge.sides]
    bridges = {tools.workspace.root / each.path: each.bridge for each in task.bridges}
    waiting = iter(bridges.items())
    with tools.store.at_hand(FootageFile(each.path, each.content) for each in shown):
        while batch := dict(islice(waiting, _size(task.output))):
            _make_batch(tools, task.plan, batch)
    return pieces.deliver(tools, task, task.paths)


WORK = JobWork(SeamTask, do)


def forget(run: Run, results: Collection[ClipResult]) -> None:
    """Delete the bridges that show what is not among *results* any more, here and in the store."""
    here = map(run.workspace.relative, folder(run.workspace).glob("*-*"))
    for path in [*unknown_bridges(here, results)]:
        (run.workspace.root / path).unlink()
    stored = (each.key for each in run.store.beyond(f"{PIECES}/"))
    for key in [*unknown_bridges(stored, results)]:
        run.store.delete(key)


def _size(output: Output) -> int:
    """How many bridges one program makes."""
    return max(1, min(_MOST, _BATCH_PIXELS // (output.width * output.height)))


def _tasks(run: Run, plan: CutPlan, items: dict[str, tuple[Bridge, CutPlan]]) -> list[SeamTask]:
    """The tasks for those of *items* that are bridges of a film."""
    own = iter([(path, bridge) for path, (bridge, film) in items.items() if film is plan])
    size = _size(plan.film.output)
    if run.store.is_beyond:
        size = max(size, _TOGETHER)
    tasks = []
    while batch := [*islice(own, size)]:
        paths = {side.segment.path for _, bridge in batch for side in bridge.sides}
        tasks.append(
            SeamTask(
                output=plan.film.output,
                transition=plan.film.transition,
                bridges=tuple(
                    NamedBridge(path=path, bridge=_nameless(bridge)) for path, bridge in batch
                ),
                joints={path: plan.joints[path] for path in sorted(paths)},
                timeout_factor=run.config.process.timeout_factor,
            )
        )
    return tasks


def _nameless(bridge: Bridge) -> Bridge:
    """A bridge without what a worker need not know of its clips: words, and who sent them."""
    tail, head = (
        replace(side, segment=replace(side.segment, title="", caption="", sender="", credit=""))
        if side is not None
        else None
        for side in (bridge.tail, bridge.head)
    )
    return Bridge(tail, head, bridge.fade)


def _wanted(path: str, bridge: Bridge, plan: CutPlan) -> WantedPiece:
    output = plan.film.output
    most = encode.most_bytes(output, bridge.frames)
    return WantedPiece(path, most, partial(_check, bridge=bridge, output=output))


def _check(file: BufferedReader, bridge: Bridge, output: Output) -> None:
    if not _joins(file, bridge, output):
        raise ProgramLied("a crossfade that would not join its clips")


def _joins(file: BufferedReader, bridge: Bridge, output: Output) -> bool:
    facts = codec_of(output).judge(file, judge.Mp4Kind.PIECE).video
    return encode.joins(facts, output, bridge.frames, bridge.sides[0].segment.extradata)


def _make_batch(run: Tools, plan: CutPlan, batch: dict[Path, Bridge]) -> None:
    output = plan.film.output
    frames = sum(bridge.frames for bridge in batch.values())
    with made.scratch(folder(run.workspace)) as scratch:
        parts = {
            path: scratch.new(path.name, encode.most_bytes(output, bridge.frames))
            for path, bridge in batch.items()
        }
        placed = {parts[path].path: bridge for path, bridge in batch.items()}
        run.ffmpeg.make(
            "seam",
            batch_graph(plan, placed, run.store.root),
            reads=tuple(dict.fromkeys(_files(batch.values(), run.store.root))),
            writes=tuple(parts.values()),
            seconds=300 + 20 * frames / output.fps,
        )
        for path, bridge in batch.items():
            if not _joins(parts[path].file, bridge, output):
                raise StageError(
                    "a crossfade would not join its clips by copy; run `footage process` first"
                )
            parts[path].publish(path)


def _files(bridges: Iterable[Bridge], root: Path) -> list[Path]:
    return [root / side.segment.path for bridge in bridges for side in bridge.sides]


def batch_graph(plan: CutPlan, batch: dict[Path, Bridge], root: Path) -> Graph:
    """Build the graph that encodes some bridges of a film, each into its path.

    :param root: the folder that the paths of the clips begin at.
    """
    options = encode.piece_arguments(plan.film.output)
    outputs = (write(path, options, _picture(bridge, plan, root)) for path, bridge in batch.items())
    return Graph(tuple(outputs), filter_threads=1)


def _picture(bridge: Bridge, plan: CutPlan, root: Path) -> Video:
    """Build the filters of a bridge, exactly as long as it says."""
    shown, *following = [_decoded(side, plan, root) for side in bridge.sides]
    if following:
        shown = crossed(bridge, plan.film, shown, following[0])
    exact = shown.filter("trim", end_frame=bridge.frames).filter("format", "yuv420p")
    return encode.labelled(exact).filter("setsar", 1)


def crossed(bridge: Bridge, film: Timeline, tail: Video, head: Video) -> Video:
    """Let *tail* pass into *head* over the bridge's fade, after the pictures of *tail* alone."""
    alone = bridge.frames - bridge.sides[1].frames
    if film.transition == "fade":
        # what xfade does, at a quarter of its cost: overlay calculates in whole numbers, many
        # pixels at a time, and needs no conversion to full chroma resolution
        growing = head.filter("format", "yuva420p").filter(
            "fade", type="in", alpha=1, start_frame=0, nb_frames=bridge.fade
        )
        return overlay(tail, growing.filter("setpts", f"N+{alone}"), format="yuv420")
    fps = film.output.fps
    times = {"duration": f"{bridge.fade / fps:.6f}", "offset": f"{alone / fps:.6f}"}
    return xfade(tail, head, transition=film.transition, **times)


def _decoded(side: Stretch, plan: CutPlan, root: Path) -> Video:
    """Decode the pictures of a stretch, from 0 and at the output's pace.

    Decoding begins at the last key frame before the stretch.
    """
    fps = plan.film.output.fps
    keyframe = plan.joints[side.segment.path].before(side.start)
    options: dict[str, str | int | None] = {"f": "mov", "threads": 1, "protocol_whitelist": "file"}
    options["nofind_stream_info"] = None  # the judge has read the file already
    before = side.start - keyframe
    if keyframe:
        # a little after it, so that rounding can't find the one before; no picture is left out
        options |= {"ss": f"{(keyframe + 0.25) / fps:.6f}", "noaccurate_seek": None}
    options["t"] = f"{(before + side.frames + 1) / fps:.6f}"
    return (
        read(root / side.segment.path, options)
        .video()
        .filter("trim", start_frame=before, end_frame=before + side.frames)
        .filter("settb", f"1/{fps}")
        .filter("setpts", "N")
        .filter("fps", fps=fps)
    )
