"""The records of the corpus, and how two pictures are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from coloraide import Color
from numpy.typing import NDArray

from support.clip_scene import WIDE, Clip, ClipScene, Pixels

Values = NDArray[np.float64]
Make = Callable[[Path], None]
Read = Callable[[Path], Sequence[Pixels]]
WIDTH, HEIGHT = 160, 90
LIMIT = 3.0  # ΔE2000, as in test_colour
_COMPARED = 60  # lines; the caption is below them
_CELL = (15, 16)
_RIM = 4  # pixels of a cell that are not compared: an edge is soft where colour has half the size


@dataclass(frozen=True)
class PictureKind:
    """A kind of photo or film by the name of its file.

    ``container`` and ``codec`` are its names in the report.  ``read`` gives the pictures that are
    right, ``limit`` is the largest ΔE2000 of a cell.  ``seconds`` is how long the clip is, and each
    of the pictures is shown for as long as the others; None for a photo.  ``reason``: why it is
    refused, if it is.  ``quick``: ``make test`` tries it too.
    """

    name: str
    make: Make
    container: str
    codec: str
    read: Read
    limit: float = LIMIT
    seconds: float | None = None
    reason: str = ""
    quick: bool = False

    def now(self) -> PictureKind:
        """The same kind, tried by ``make test`` too."""
        return replace(self, quick=True)


def scene_in(folder: Path) -> ClipScene:
    """A scene with a caption, in which a photo is shown for 0.2 s and does not move."""
    return ClipScene(folder).to(WIDE, text="#T", still_motion="none", still_seconds=0.2)


def faults(kind: PictureKind, scene: ClipScene) -> list[str]:
    """Make a clip of a file of the kind, and say what is not as it must be."""
    path = scene.folder / kind.name
    kind.make(path)
    result = scene.make(path)
    if result.refusal is not None:
        found = result.refusal.reason.value
        return [] if found == kind.reason else [f"refused: {found}, {result.refusal.detail}"]
    if kind.reason:
        return ["accepted"]
    assert result.source is not None
    wrong = []
    names = (result.source.container, result.source.video_codec)
    if names != (kind.container, kind.codec):
        wrong.append(f"named {names}")
    clip = Clip(scene.folder / "work" / result.outputs[0].path, result)
    wanted = kind.read(path)
    seconds = kind.seconds if kind.seconds is not None else len(clip.pictures) / 30
    if abs(len(clip.pictures) / 30 - seconds) > 1 / 30:
        wrong.append(f"{len(clip.pictures) / 30:.2f} s, not {seconds:.2f} s")
    for at, right in enumerate(wanted):
        moment = int((at + 0.5) * seconds / len(wanted) * 30)
        seen = clip.pictures[min(moment, len(clip.pictures) - 1)]
        away = distance(seen, right)
        if away > kind.limit:
            wrong.append(f"picture {at}: ΔE {away:.1f}")
    return wrong


def distance(seen: Pixels, wanted: Pixels) -> float:
    """The largest ΔE2000 over cells of 16 by 15 pixels, without their rims."""
    height, width = _CELL
    found = []
    for top in range(0, _COMPARED, height):
        for left in range(0, WIDTH, width):
            middle = np.s_[top + _RIM : top + height - _RIM, left + _RIM : left + width - _RIM]
            one, other = (each[middle].reshape(-1, 3).mean(0) for each in (seen, wanted))
            found.append(colour_distance(one, other))
    return max(found)


def colour_distance(one: Values, other: Values) -> float:
    """ΔE2000 of two colours given as sRGB of 8 bit."""
    colours = [Color("srgb", [float(value) / 255 for value in each]) for each in (one, other)]
    return float(colours[0].delta_e(colours[1], method="2000"))
