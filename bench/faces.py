"""How well faces are masked without review, and what that costs.

    .venv/bin/python -m bench.faces [FOLDER]
    FOOTAGE=folder .venv/bin/python -m bench.faces

Portraits walk, turn and cross over a moving ground.  With ``FOOTAGE`` also a camera moves over a
real street, and films without faces are searched.  A face counts where at least half of it is seen.
It is bare where less than 90 % of its oval lies under masks.  Goals: faces of a width of 60 points
and more in 1080p are bare in at most 1 % of their pictures; `propose` costs at most half as much
again as `process` alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench import _people
from bench._cpu import Cost, footage
from bench._people import FaceFilm, TrueFace
from pipeline.config import load
from pipeline.ledger import Ledger
from pipeline.model import ClipResult
from pipeline.protection import Mask
from pipeline.workspace import Workspace

_CONFIG = """
[campaign]
name = "River Week 2026"
hashtags = ["#RiverWeek"]
[inbox]
url = "folder:drop"
[process]
sandbox = "landlock"
workers = 1
[protect]
faces = "{faces}"
[review]
required = false
"""
_SECONDS = 8.0
_SIZES = (36, 60, 100)  # points of width in 1080p from which a face belongs to a class
_STATED = 60  # from which the goal counts
_COVERED, _SEEN = 0.9, 0.5
_FACELESS = ("bunny.webm", "bottle.mp4", "nature.mp4", "fire.mp4")


def processed(folder: Path, faces: str) -> tuple[Cost, dict[str, ClipResult]]:
    """Measure `footage process` in a fresh workspace; return its outcomes by the names of files."""
    (folder / "config.toml").write_text(_CONFIG.format(faces=faces))
    subprocess.run(["rm", "-rf", str(folder / "work")], check=True)
    footage(folder, "ingest")
    cost = footage(folder, "process")
    with Ledger(Workspace(load(folder / "config.toml").root).ledger) as ledger:
        names = {item.sha256: item.filename for item, _ in ledger.clips.candidates()}
        return cost, {names[sha256]: made for sha256, made in ledger.clips.results().items()}


def masks_of(result: ClipResult) -> tuple[Mask, ...]:
    """The masks that were found."""
    assert result.source is not None
    assert result.source.faces is not None
    return result.source.faces.masks


def covered(face: TrueFace, masks: Sequence[Mask], at_s: float) -> float:
    """How much of a face lies under masks, from 0 to 1."""
    x, y = (face.points / (_people.WIDTH, _people.HEIGHT)).T
    under = np.zeros(len(x), np.bool_)
    for mask in masks:
        if mask.is_shown(at_s):
            area = mask.area(at_s)
            under |= (
                (x >= area.x)
                & (x <= area.x + area.width)
                & (y >= area.y)
                & (y <= area.y + area.height)
            )
    return float(under.mean())


def bare(film: FaceFilm, masks: Sequence[Mask]) -> dict[int, tuple[int, int]]:
    """By size: how many faces in pictures were bare, and how many there were."""
    counts = dict.fromkeys(_SIZES, (0, 0))
    for number, faces in enumerate(film.faces):
        for face in faces:
            size = max((size for size in _SIZES if face.width >= size), default=None)
            if size is None or face.seen < _SEEN:
                continue
            wrong, of = counts[size]
            is_bare = covered(face, masks, number / _people.FPS) < _COVERED
            counts[size] = (wrong + is_bare, of + 1)
    return counts


def false_masks(film: FaceFilm, masks: Sequence[Mask]) -> int:
    """How many masks never cover a quarter of a true face."""
    return sum(
        not any(
            covered(face, [mask], number / _people.FPS) > 0.25
            for number, faces in enumerate(film.faces)
            for face in faces
        )
        for mask in masks
    )


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else name)
        films = _people.make(folder / "drop", _SECONDS)
        alone, _ = processed(folder, "off")
        cost, results = processed(folder, "propose")
        always, _ = processed(folder, "always")
        print("faces: bare / all, by width in points of 1080p, and false masks")
        total = dict.fromkeys(_SIZES, (0, 0))
        for film in films:
            masks = masks_of(results[film.name])
            counts = bare(film, masks)
            total = {s: (total[s][0] + counts[s][0], total[s][1] + counts[s][1]) for s in _SIZES}
            shown = "  ".join(f"{s}+: {w}/{of}" for s, (w, of) in counts.items())
            # in the street there are more people than were measured
            false = false_masks(film, masks) if film.name != "street.mp4" else "not counted"
            print(f"  {film.name:12} {shown}  masks {len(masks)}, false: {false}")
        stated = [total[size] for size in _SIZES if size >= _STATED]
        wrong, of = (sum(each) for each in zip(*stated, strict=True))
        print(f"  {'all':12} {_STATED}+: {100 * wrong / of:.2f} % bare of {of} (1 %)")
        print(f"  process alone {alone.cpu:7.1f} s CPU, with propose {cost.cpu:.1f}, ", end="")
        print(f"{cost.cpu / alone.cpu:.2f} times (1.50); with always {always.cpu / alone.cpu:.2f}")
        _faceless(folder)


def _faceless(folder: Path) -> None:
    """Count the masks in real films without faces."""
    source = Path(os.environ.get("FOOTAGE", "/nowhere"))
    found = [source / name for name in _FACELESS if (source / name).exists()]
    if not found:
        return
    other = folder / "faceless"
    (other / "drop").mkdir(parents=True, exist_ok=True)
    for path in found:
        shutil.copyfile(path, other / "drop" / path.name)
    alone, _ = processed(other, "off")
    cost, results = processed(other, "propose")
    seconds = sum(made.outputs[0].duration_s for made in results.values())
    count = sum(len(masks_of(made)) for made in results.values())
    print(
        f"  without faces: {count} masks in {seconds:.0f} s, {60 * count / seconds:.1f} a minute; "
    )
    print(f"  process alone {alone.cpu:.1f} s CPU, with propose {cost.cpu / alone.cpu:.2f} times")


if __name__ == "__main__":
    main()
