"""What is kept is kept under a version: it must be raised when the same input gives other bytes.

``GOLDEN`` holds a digest of each kind of output with the version that made it.  When a test here
fails, either undo the change of the output, or raise the version in ``pipeline/versions.py`` and
write the new version and digest down here.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features
from support import render_scene
from support.render_scene import Drawn

from pipeline import formats, versions
from pipeline.commands.render import admitted_rows
from pipeline.config import Campaign, Config, InboxSection, Output
from pipeline.console import Console, Verbosity
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.media import caption, encode, lut
from pipeline.media.caption import Strip
from pipeline.media.loudness import Correction, Loudness
from pipeline.media.probed import Picture, Probe, Sound
from pipeline.model import Kind
from pipeline.process import framing, graph, painting, recipe
from pipeline.process.covering import Cover
from pipeline.process.graph import ClipSource, ClipTarget, GlanceTarget
from pipeline.process.recipe import Recipe
from pipeline.protection import (
    Mask,
    MaskFill,
    MaskOrigin,
    MaskPoint,
    MaskShape,
    SoundChange,
    SoundChangeKind,
)
from pipeline.render import cuts, publish, seams, stage
from pipeline.render.cuts import CutPlan, Joints
from pipeline.render.timeline import LeftOut, Segment, Timeline
from pipeline.run import Run
from pipeline.store import WorkspaceFolder

GOLDEN = {
    "CAPTION plain": (2, "c3261e42a67e3eb6"),
    "CAPTION shaped": (2, "1e346b4fcdbc4b67"),
    "COLOURS": (2, "1fe1c990aef53357"),
    "ENCODING": (1, "cf98637887adcc40"),
    "FILM": (3, "6c69170ddd99626d"),
    "HIDING": (4, "f66763996229d38b"),
    "PHOTO": (3, "3d7520a42eda54ef"),
    "SEAM": (3, "d0bf016dcc546727"),
}
OUTPUTS = (
    Output(name="wide", size="320x180", fps=25, quality="draft"),
    Output(name="tall", size="180x320", fps=60, quality="high", fit="crop"),
    Output(name="large", size="1920x1080", fps=30),
)
SETTINGS = Config(
    campaign=Campaign(name="River Week", hashtags=("#RiverWeek",)),
    inbox=(InboxSection(url="eml:inbox"),),
)


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def film(**changes: object) -> Probe:
    picture = Picture(
        stream="0",
        codec="h264",
        width=640,
        height=480,
        aspect=Fraction(4, 3),
        rotation=0,
        fps=29.97,
        start_s=0.0,
        latest_s=3.97,
        end_s=4.0,
        packets=120,
        depth=8,
        full_range=False,
        rgb=False,
        alpha=False,
        matrix=6,
        transfer=2,
        primaries=2,
        interlaced=False,
    )
    picture = replace(picture, **changes)  # type: ignore[arg-type]  # names are checked at run time
    return Probe(named("mp4"), picture, Sound(1, "aac", 0.0, 4.0), still=False)


def named(name: str) -> formats.Format:
    return next(each for each in formats.FORMATS if each.name == name)


def photo(**changes: object) -> Probe:
    seen = film(fps=None, latest_s=0.0, end_s=None, packets=1, **changes)
    return replace(seen, format=named("jpeg"), sound=None, still=True)


def clip_arguments(*, still: bool) -> list[list[str]]:
    """The arguments of many kinds of clips, of photos or of films."""
    plain = recipe.of(SETTINGS, "#RiverWeek")
    correction = Correction(4.5, Loudness(-20.5, -3.0), ceiling_db=-2.3)
    held = replace(plain, still_motion="none", transition_seconds=0.5)
    cases: list[tuple[Probe, Recipe]] = [
        (film(), plain),
        (film(interlaced=True), replace(plain, transition_seconds=0.5)),
        (film(alpha=True, rgb=True, decoder="libvpx-vp9"), plain),
        (film(depth=10, transfer=16, primaries=9, matrix=9, table=Path("/w/hdr.cube")), plain),
        (film(latest_s=3.0, packets=30, aspect=Fraction(16, 9)), plain),
        (film(packets=1, latest_s=0.0), plain),
        (film(changes=True, table=Path("/w/hdr.cube")), plain),
        (film(matrix=8, width=321), plain),
        (replace(film(gray=True), clock_breaks=True), plain),
        (replace(film(), sound=None), plain),
        (photo(), plain),
        (photo(width=480, height=640, aspect=Fraction(3, 4), full_range=True), held),
    ]
    found = []
    for seen, wanted in (case for case in cases if case[0].still == still):
        for count in (1, 3):
            targets = tuple(
                ClipTarget(
                    output,
                    graph.frames_of(seen, 4.0, output),
                    Strip(Path(f"/w/{output.size}.png"), 16, 120) if output.fps != 60 else None,
                    Path(f"/w/{output.name}.mp4"),
                    Path(f"/w/{output.name}.jpg"),
                )
                for output in OUTPUTS[:count]
            )
            source = ClipSource(Path("/w/original"), seen, wanted, correction)
            glanced = GlanceTarget(Path("/w/glance"), None if seen.still else 4.0)
            found.append(graph.clip_graph(source, targets, glanced).arguments())
    return found


def covered_arguments() -> list[object]:
    """The arguments of clips with masks, and the cells that are painted for them."""
    mask = Mask((MaskPoint(0.0, 0.1, 0.2, 0.3, 0.4), MaskPoint(1.0, 0.5, 0.2, 0.3, 0.4)))
    blurred = replace(mask, shape=MaskShape.ELLIPSE, fill=MaskFill.BLUR, from_s=0.5)
    found: list[object] = []
    for seen in (film(), film(packets=1, latest_s=0.0), film(changes=True), photo()):
        targets = []
        for output in OUTPUTS:
            frames = graph.frames_of(seen, 4.0, output)
            moving = frames if seen.still else None
            canvas = framing.canvas(seen.picture, output, moving, OUTPUTS[0])
            cover = Cover(canvas, output.fps, Path("/w/solid"), Path("/w/blurred"))
            paths = Path(f"/w/{output.name}.mp4"), Path(f"/w/{output.name}.jpg")
            targets.append(ClipTarget(output, frames, None, *paths, cover))
            cells = np.zeros((canvas.rows, canvas.columns), np.bool_)
            for number in (0, 15):
                for area in painting.areas_of((mask, blurred), number, output.fps):
                    painting.paint(cells, canvas, area)
            found.append(hashlib.sha256(np.packbits(cells).tobytes()).hexdigest())
        changes = tuple(SoundChange(kind, 0.5, 1.5) for kind in SoundChangeKind)
        correction = Correction(4.5, Loudness(-20.5, -3.0))
        source = ClipSource(Path("/w/original"), seen, replace(DEMO, sounds=changes), correction)
        glanced = GlanceTarget(Path("/w/glance"), None if seen.still else 4.0)
        found.append(graph.clip_graph(source, tuple(targets), glanced).arguments())
    return found


def encoder_options() -> list[object]:
    return [
        (
            encode.clip_arguments(output),
            encode.card_arguments(output),
            encode.piece_arguments(output),
            encode.montage_arguments(output),
        )
        for output in OUTPUTS
    ]


def strips(folder: Path) -> list[object]:
    """The pixels of captions, and where they go."""
    found: list[object] = []
    for text, style in (("#RiverWeek #HoldASign", "panel"), ("#Flüsse " * 12, "outline")):
        made = caption.strip(folder, text, (640, 360), ("bottom-left", style))  # type: ignore[arg-type]  # of two
        assert made is not None
        with Image.open(made.path) as image:
            found.append((made.x, made.y, image.size, hashlib.sha256(image.tobytes()).hexdigest()))
    return found


def colours() -> list[object]:
    """A few values of tables, rounded so that they are the same on every processor."""
    steps = np.linspace(0, 1, 4)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    found: list[object] = []
    for transfer, primaries in ((16, 9), (18, 9), (13, 12), (1, 11)):
        table = lut.table(film(transfer=transfer, primaries=primaries).picture, None, still=False)
        assert table is not None
        found.append([[round(v, 3) + 0.0 for v in row] for row in table.of(grid).tolist()])
    return found


def seam_arguments() -> list[list[str]]:
    """A crossfade of each kind, and a trim."""
    sides = tuple(
        Segment(f"Clip {n}", f"clips/{n}.mp4", f"{n}" * 64, 90, "e" * 64, 5, 80, f"{n}" * 64)
        for n in (1, 2)
    )
    joints = {side.path: Joints((0, 30, 60), 2) for side in sides}
    found = []
    for transition, fade in (("fade", 12), ("wipeleft", 12), ("fade", 0)):
        whole = Timeline(OUTPUTS[0], sides, (fade,), transition)
        plan = CutPlan(whole, cuts.plan(whole, joints), joints)
        found.append(seams.batch_graph(plan, bridges_of(plan), Path("/w")).arguments())
    return found


def bridges_of(plan: CutPlan) -> dict[Path, cuts.Bridge]:
    bridges = [piece for piece in plan.pieces if isinstance(piece, cuts.Bridge)]
    return {Path(f"/w/{number}.part"): bridge for number, bridge in enumerate(bridges)}


def check(name: str, value: object, key: str = "") -> None:
    version = getattr(versions, name)
    assert (version, digest(value)) == GOLDEN[key or name], f"see the docstring: versions.{name}"


def test_the_filters_of_a_film() -> None:
    check("FILM", clip_arguments(still=False))


def test_the_filters_of_a_photo() -> None:
    check("PHOTO", clip_arguments(still=True))


def test_a_change_for_films_makes_no_photo_again(monkeypatch: pytest.MonkeyPatch) -> None:
    film_recipe = replace(DEMO, kind=Kind.VIDEO)
    before = DEMO.refusal_key, film_recipe.refusal_key
    assert film_recipe.key != DEMO.key
    monkeypatch.setattr(versions, "FILM", versions.FILM + 1)
    assert (DEMO.refusal_key, film_recipe.refusal_key != before[1]) == (before[0], True)


def test_the_filters_and_the_cells_of_masks() -> None:
    check("HIDING", covered_arguments())


def test_clips_without_masks_do_not_depend_on_how_masks_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mask = Mask((MaskPoint(0.0, 0.1, 0.2, 0.3, 0.4),))
    masked = replace(DEMO, masks=(mask,))
    found = replace(masked, masks=(replace(mask, by="Ada", origin=MaskOrigin.FACE),))
    before = DEMO.key, masked.key
    assert (masked.key == before[0], found.key == before[1], DEMO.hides) == (False, True, "")
    assert masked.refusal_key == DEMO.refusal_key
    monkeypatch.setattr(versions, "HIDING", versions.HIDING + 1)
    # another limit, which is no part of a key, so that no key comes from the cache
    fresh = replace(DEMO, max_source_seconds=1801), replace(masked, max_source_seconds=1802)
    assert [fresh[0].key == before[0], fresh[1].key == before[1]] == [True, False]


def test_the_options_of_the_encoders() -> None:
    check("ENCODING", encoder_options())


def test_the_pixels_of_a_caption(tmp_path: Path) -> None:
    shaped = "shaped" if features.check("raqm") and features.check("fribidi") else "plain"
    check("CAPTION", strips(tmp_path), f"CAPTION {shaped}")


def test_the_values_of_a_colour_table() -> None:
    check("COLOURS", colours())


def test_the_filters_of_a_seam() -> None:
    check("SEAM", seam_arguments())


# -- ledgers of before versions.py --------------------------------------------------------------

DEMO = Recipe(
    caption="#RiverWeek",
    category=None,
    outputs=(Output(name="landscape"),),
    still_seconds=4.0,
    still_motion="drift",
    loudness_lufs=-16.0,
    max_source_seconds=1800,
)


def test_montages_of_a_former_ledger_are_known() -> None:
    """The keys are those that commit e2e183d gives."""
    output = Output(size="160x90", fps=25, quality="draft")
    card = Segment("Opening", "cache/card-1.mp4", "c1" * 32, 75, "e" * 64, 0, 75)
    clip = Segment(
        "Clip 1",
        "clips/x/landscape.mp4",
        "c2" * 32,
        *(120, "e" * 64, 10, 100),
        *("ab" * 32, "#RiverWeek", "photo", "a@example.org"),
    )
    left_out = (LeftOut("cd" * 32, "review: held"),)
    faded = Timeline(output, (card, clip), (12,), "wipeleft", left_out)
    assert publish.former_keys(faded, SETTINGS) == ("605922a791b84012c2c9be0e2805950f",)
    cut = Timeline(output, (card, clip), (0,), "fade")
    assert publish.former_keys(cut, SETTINGS) == ("336c5980ad5976b6cd652047a8bf5fec",)


def test_a_montage_of_a_former_ledger_is_not_made_again(tmp_path: Path) -> None:
    scene = render_scene.begin(tmp_path, {"a": Drawn(0, 30), "b": Drawn(1, 30)})
    assert scene.render()["cached"] is False
    console = Console(Verbosity.QUIET)
    with Ledger(scene.workspace.ledger) as ledger:
        store = WorkspaceFolder(scene.workspace)
        runner = FfmpegRunner("auto", console)
        run = Run(scene.config, ledger, scene.workspace, runner, console, store)
        whole = stage.planned(run, scene.config.output[0], admitted_rows(run))
    (former,) = publish.former_keys(whole, scene.config)
    with closing(sqlite3.connect(scene.workspace.ledger)) as db, db:
        assert db.execute("UPDATE montage SET key = ?", (former,)).rowcount == 1
    assert scene.render()["cached"] is True
