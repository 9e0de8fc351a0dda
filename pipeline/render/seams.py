"""Bridges of a film as files: encoded side by side in batches, once, and cached.

A bridge is named by what it shows, so when the same two clips meet again in the same way, nothing
is encoded.  Its name also begins with the originals that it shows, so that the bridges of footage
that is withdrawn are deleted too.
"""

import os
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline import judge, publishing, versions
from pipeline.codecs import codec_of
from pipeline.errors import StageError
from pipeline.ffmpeg import made
from pipeline.ffmpeg.graph import Graph, Video, overlay, read, write, xfade
from pipeline.media import encode
from pipeline.render.cuts import Bridge, CutPlan, Stretch
from pipeline.render.timeline import Timeline
from pipeline.run import Run
from pipeline.workspace import Workspace

_CARD = "card"
_SHA = 16  # digits of an original in a name
# Small pictures are made several at a time, up to so many pixels and bridges: starting a program
# costs as much as making one.  A large one has a separate program, which needs 180 MB at 1080p.
_BATCH_PIXELS = 2_100_000
_MOST = 4


def folder(workspace: Workspace) -> Path:
    """Return where bridges are cached."""
    return workspace.cache / "seams"


def path_of(bridge: Bridge, film: Timeline, workspace: Workspace) -> Path:
    """Return the place of a bridge: named by its originals and by the hash of all that makes it."""
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
    names = [side.segment.sha256[:_SHA] or _CARD for side in bridge.sides]
    return folder(workspace) / f"{'-'.join([*names, key])}{codec_of(output).suffix}"


def make(run: Run, plan: CutPlan) -> None:
    """Make the bridges that are missing; what was made is kept whatever becomes of the others.

    :raises StageError: FFmpeg failed, or what it made would not join the clips.
    :raises NotClean: verification found something in one.
    """
    bridges = [piece for piece in plan.pieces if isinstance(piece, Bridge)]
    places = {path_of(bridge, plan.film, run.workspace): bridge for bridge in bridges}
    items = [(path, bridge) for path, bridge in places.items() if not publishing.is_cached(path)]
    output = plan.film.output
    size = max(1, min(_MOST, _BATCH_PIXELS // (output.width * output.height)))
    batches = [dict(items[at : at + size]) for at in range(0, len(items), size)]
    workers = run.config.process.workers or len(os.sched_getaffinity(0))
    with (
        run.console.task("crossfades", sum(b.frames for _, b in items), "pictures") as task,
        ThreadPoolExecutor(max(1, workers), thread_name_prefix="seam") as pool,
    ):
        futures = [pool.submit(_make_batch, run, plan, batch) for batch in batches]
        try:
            for batch, future in zip(batches, futures, strict=True):
                future.result()
                task.advance(sum(bridge.frames for bridge in batch.values()))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def forget(workspace: Workspace, known: Collection[str]) -> int:
    """Delete the bridges that show an original which is not among *known* (SHA-256) any more.

    :returns: how many there were.
    """
    short = {sha256[:_SHA] for sha256 in known} | {_CARD}
    bridges = folder(workspace).glob("*-*")
    gone = [path for path in bridges if not short.issuperset(path.stem.split("-")[:-1])]
    for path in gone:
        path.unlink()
    return len(gone)


def _make_batch(run: Run, plan: CutPlan, batch: dict[Path, Bridge]) -> None:
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
            batch_graph(plan, placed, run.workspace),
            reads=(run.workspace.clips, run.workspace.cache),
            writes=tuple(parts.values()),
            seconds=300 + 20 * frames / output.fps,
        )
        for path, bridge in batch.items():
            facts = codec_of(output).judge(parts[path].file, judge.Mp4Kind.PIECE).video
            if not encode.joins(facts, output, bridge.frames, bridge.sides[0].segment.extradata):
                raise StageError(
                    "a crossfade would not join its clips by copy; run `footage process` first"
                )
            parts[path].publish(path)


def batch_graph(plan: CutPlan, batch: dict[Path, Bridge], workspace: Workspace) -> Graph:
    """Build the graph that encodes some bridges of a film, each into its path."""
    options = encode.piece_arguments(plan.film.output)
    outputs = (
        write(path, options, _picture(bridge, plan, workspace)) for path, bridge in batch.items()
    )
    return Graph(tuple(outputs), filter_threads=1)


def _picture(bridge: Bridge, plan: CutPlan, workspace: Workspace) -> Video:
    """Build the filters of a bridge, exactly as long as it says."""
    shown, *following = [_decoded(side, plan, workspace) for side in bridge.sides]
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


def _decoded(side: Stretch, plan: CutPlan, workspace: Workspace) -> Video:
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
        read(workspace.root / side.segment.path, options)
        .video()
        .filter("trim", start_frame=before, end_frame=before + side.frames)
        .filter("settb", f"1/{fps}")
        .filter("setpts", "N")
        .filter("fps", fps=fps)
    )
