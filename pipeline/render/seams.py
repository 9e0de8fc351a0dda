"""Bridges of a film as files: encoded side by side in batches, once, and kept.

A bridge is named by what it shows, so the same two clips that meet again in the same way cost
nothing.  Its name also begins with the originals that it shows, so that whoever takes footage
back takes its bridges too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ffmpeg

from pipeline import judge, publishing
from pipeline.config import Output
from pipeline.errors import DiskFull, StageError
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.media import encode
from pipeline.render.cuts import Bridge, Joints, Piece, Stretch
from pipeline.workspace import Workspace

_VERSION = 3
_CARD = "card"
_SHA = 16  # digits of an original in a name
# Small pictures are made several at a time, up to so many pixels and bridges: a program's start
# costs as much as they do.  A large one has a program of its own, which holds 180 MB at 1080p.
_BATCH_PIXELS = 2_100_000
_MOST = 4


def folder(workspace: Workspace) -> Path:
    """Where bridges are kept."""
    return workspace.cache / "seams"


def path_of(bridge: Bridge, transition: str, output: Output, workspace: Workspace) -> Path:
    """The place of a bridge: named by its originals and by the hash of all that makes it."""
    parts = [
        _VERSION,
        [(side.segment.content, side.start, side.stop) for side in bridge.sides],
        bridge.tail is None,
        (transition, bridge.fade) if bridge.fade else None,
        (output.width, output.height, output.fps),
        encode.piece_arguments(output),
    ]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    names = [side.segment.sha256[:_SHA] or _CARD for side in bridge.sides]
    return folder(workspace) / f"{'-'.join([*names, key])}.mp4"


def missing(
    pieces: Iterable[Piece], transition: str, output: Output, workspace: Workspace
) -> dict[Path, Bridge]:
    """The bridges that are not there yet, by where they will be."""
    bridges = (piece for piece in pieces if isinstance(piece, Bridge))
    places = {path_of(bridge, transition, output, workspace): bridge for bridge in bridges}
    return {path: bridge for path, bridge in places.items() if not path.exists()}


def make(
    todo: dict[Path, Bridge],
    transition: str,
    output: Output,
    workspace: Workspace,
    runner: FfmpegRunner,
    *,
    joints: Mapping[str, Joints],
    workers: int,
    done: Callable[[int], None],
) -> None:
    """Make the bridges of *todo*; what was made is kept whatever becomes of the others.

    :param joints: of each segment's file, by its path.
    :param workers: batches at a time; 0 for as many as the processor allows.
    :param done: told how many pictures are there each time a batch is.
    :raises StageError: FFmpeg failed, or what it made would not join the clips.
    :raises NotClean: verification found something in one.
    """
    size = max(1, min(_MOST, _BATCH_PIXELS // (output.width * output.height)))
    items = list(todo.items())
    batches = [dict(items[at : at + size]) for at in range(0, len(items), size)]
    workers = workers or len(os.sched_getaffinity(0))

    def one(batch: dict[Path, Bridge]) -> int:
        _batch(batch, transition, output, workspace, runner, joints)
        return sum(bridge.frames for bridge in batch.values())

    with ThreadPoolExecutor(max(1, workers), thread_name_prefix="seam") as pool:
        futures = [pool.submit(one, batch) for batch in batches]
        try:
            for future in futures:
                done(future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def forget(workspace: Workspace, known: Collection[str]) -> int:
    """Remove the bridges that show an original which is none of *known* (SHA-256) any more.

    :returns: how many there were.
    """
    short = {sha256[:_SHA] for sha256 in known} | {_CARD}
    if not folder(workspace).is_dir():
        return 0
    gone = [path for path in folder(workspace).glob("*.mp4") if not _shown(path) <= short]
    for path in gone:
        path.unlink()
    return len(gone)


def _shown(path: Path) -> set[str]:
    return set(path.stem.split("-")[:-1])


def _batch(
    batch: dict[Path, Bridge],
    transition: str,
    output: Output,
    workspace: Workspace,
    runner: FfmpegRunner,
    joints: Mapping[str, Joints],
) -> None:
    frames = sum(bridge.frames for bridge in batch.values())
    with publishing.scratch_folder(folder(workspace)) as place:
        parts = {path: publishing.part_path(place / path.name) for path in batch}
        nodes = [
            ffmpeg.output(
                _picture(bridge, transition, output, workspace, joints),
                str(parts[path]),
                **encode.piece_arguments(output),
            )
            for path, bridge in batch.items()
        ]
        merged = ffmpeg.merge_outputs(*nodes).global_args(
            *("-nostdin", "-hide_banner", "-v", "error"),
            *("-filter_threads", "1", "-filter_complex_threads", "1"),
        )
        argv = [program(), *map(str, merged.overwrite_output().get_args())]
        cell = Permissions(
            reads=(workspace.clips, workspace.cache),
            writes=(place,),
            limits=Limits(wall_s=max(300.0, 20.0 * frames / output.fps)),
        )
        ended = runner.run("seam", argv, cell)
        if "No space left on device" in ended.said:
            raise DiskFull
        if not ended.ok:
            raise StageError(f"a crossfade could not be made: {'; '.join(ended.said)}")
        for path, bridge in batch.items():
            _judge(parts[path], bridge, output)
            publishing.publish(parts[path], path)


def _judge(part: Path, bridge: Bridge, output: Output) -> None:
    facts = judge.judge_piece(part).video
    exact = (
        facts.frames == bridge.frames
        and facts.ticks_per_frame == encode.TICKS
        and facts.timescale == output.fps * encode.TICKS
        and {side.segment.extradata for side in bridge.sides} == {facts.extradata}
    )
    if not exact:
        raise StageError(
            "a crossfade would not join its clips by copy; run `footage process` first"
        )


def _picture(
    bridge: Bridge,
    transition: str,
    output: Output,
    workspace: Workspace,
    joints: Mapping[str, Joints],
) -> Any:
    """The filters of a bridge, as long as it says."""
    shown, *following = [
        _decoded(side, joints[side.segment.path].before(side.start), output, workspace)
        for side in bridge.sides
    ]
    if bridge.fade and bridge.tail is not None:
        behind = bridge.tail.frames - bridge.fade
        shown = _crossed(shown, following[0], behind, bridge.fade, transition, output.fps)
    exact = shown.filter("trim", end_frame=bridge.frames).filter("format", "yuv420p")
    return encode.labelled(exact).filter("setsar", 1)


def _crossed(tail: Any, head: Any, behind: int, fade: int, transition: str, fps: int) -> Any:
    """*tail* passing into *head* over *fade* pictures, behind *behind* pictures of its own."""
    if transition == "fade":
        # what xfade does, at a quarter of its cost: overlay reckons in whole numbers, many
        # pixels at a time, and needs no detour over pictures with colour for each pixel
        growing = head.filter("format", "yuva420p").filter(
            "fade", type="in", alpha=1, start_frame=0, nb_frames=fade
        )
        return ffmpeg.overlay(tail, growing.filter("setpts", f"N+{behind}"), format="yuv420")
    times = {"duration": f"{fade / fps:.6f}", "offset": f"{behind / fps:.6f}"}
    return ffmpeg.filter([tail, head], "xfade", transition=transition, **times)


def _decoded(side: Stretch, keyframe: int, output: Output, workspace: Workspace) -> Any:
    """The pictures of a stretch, from nought, at the output's pace; decoded from *keyframe* on."""
    options: dict[str, Any] = {"f": "mov", "threads": 1, "protocol_whitelist": "file"}
    options["nofind_stream_info"] = None  # what the judge has read need not be guessed
    before = side.start - keyframe
    if keyframe:
        # a little behind it, so that rounding can't find the one before; nothing is left out
        options |= {"ss": f"{(keyframe + 0.25) / output.fps:.6f}", "noaccurate_seek": None}
    options["t"] = f"{(before + side.frames + 1) / output.fps:.6f}"
    source = ffmpeg.input(str(workspace.root / side.segment.path), **options)
    return (
        source["v:0"]
        .filter("trim", start_frame=before, end_frame=before + side.frames)
        .filter("settb", f"1/{output.fps}")
        .filter("setpts", "N")
        .filter("fps", fps=output.fps)
    )
