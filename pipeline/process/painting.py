"""Paint the masks of a clip into files of small gray pictures, which the one encode lays on.

A cell is painted as soon as an area touches it.  A picture of a film shows the areas of its first
and of its last moment, and of each point between them: a reviewer who stops at a picture sets a
point in its middle.  A photo, and a film of one picture, show all areas all the time.
"""

import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config import Output
from pipeline.media.probed import Picture
from pipeline.media.survey import FilmSource
from pipeline.process import framing
from pipeline.process.covering import Canvas, Cover
from pipeline.process.graph import ClipTarget
from pipeline.process.recipe import Recipe
from pipeline.protection import Mask, MaskFill, MaskShape

Cells = NDArray[np.bool_]
# by the frame of a mask, those on which its areas are painted
Canvases = Mapping[str, tuple[Canvas, ...]]

_ROUNDED_S = 0.001  # the page keeps moments to a millisecond


def with_masks(target: ClipTarget, recipe: Recipe, film: FilmSource) -> ClipTarget:
    """Paint the masks of an output into files, if there are any."""
    if not recipe.masks:
        return target
    picture, still = film.probe.picture, film.probe.still
    is_one = still or picture.packets <= 1
    moves = still and recipe.still_motion == "drift"
    frames = target.frames if moves else None
    canvas = framing.canvas(picture, target.output, frames, target.output)
    first = target.span.first if target.span else 0
    painter = Painter(
        canvas,
        recipe.masks,
        target.shown,
        target.output.fps,
        first,
        canvases_of(picture, target.output, frames, recipe),
    )
    paths: dict[MaskFill, Path] = {}
    for fill in {mask.fill for mask in recipe.masks}:
        paths[fill] = film.scratch.place(f"{target.output.name}-{fill}")
        with paths[fill].open("xb") as file:
            file.writelines([painter.picture(fill)] if is_one else painter.pictures(fill))
    cover = Cover(canvas, target.output.fps, paths.get(MaskFill.SOLID), paths.get(MaskFill.BLUR))
    return replace(target, cover=cover)


def canvases_of(
    picture: Picture, output: Output, frames: int | None, recipe: Recipe
) -> dict[str, tuple[Canvas, ...]]:
    """Return the canvases on which the masks of a recipe are painted in an output.

    If the pictures change their size and a mask does not say on which frame it was drawn, as those
    of older versions, it may be that of any output: it covers what it would cover by each of them.

    :param frames: how long a photo moves; None for what does not.
    """
    found: dict[str, tuple[Canvas, ...]] = {}
    for frame in {mask.frame for mask in recipe.masks}:
        if frame:
            found[frame] = (framing.frame_canvas(picture, output, frames, frame),)
        else:
            shown = recipe.outputs if picture.changes else (output,)
            canvases = (framing.canvas(picture, output, frames, each) for each in shown)
            found[frame] = tuple(dict.fromkeys(canvases))
    return found


@dataclass(frozen=True)
class Area:
    """An area in fractions of the source picture, see :class:`~pipeline.protection.MaskPoint`.

    If it has a ``frame``, it is in fractions of that: see :class:`~pipeline.protection.Mask`.
    """

    shape: MaskShape
    x: float
    y: float
    width: float
    height: float
    frame: str = ""


def areas_of(masks: Iterable[Mask], number: int, fps: int) -> frozenset[Area]:
    """Return the areas that are hidden at any moment of a picture."""
    begin, end = number / fps - _ROUNDED_S, (number + 1) / fps + _ROUNDED_S
    shown = [
        mask for mask in masks if mask.from_s <= end and (mask.to_s is None or begin <= mask.to_s)
    ]
    return all_areas(shown, begin, end)


def all_areas(masks: Iterable[Mask], begin_s: float, end_s: float) -> frozenset[Area]:
    """Return the areas of masks in a stretch of time, whether they are hidden then or not."""
    return frozenset(
        Area(mask.shape, point.x, point.y, point.width, point.height, mask.frame)
        for mask in masks
        for point in mask.areas(begin_s, end_s)
    )


def paint_all(cells: Cells, canvases: Canvases, areas: Iterable[Area]) -> None:
    """Set each cell that one of some areas touches, on each canvas of its frame."""
    for area in areas:
        for canvas in canvases[area.frame]:
            paint(cells, canvas, area)


def paint(cells: Cells, canvas: Canvas, area: Area) -> None:
    """Set each cell that an area touches.

    :param cells: the cells of the canvas, row by row.
    """
    if area.shape is MaskShape.ELLIPSE and canvas.spread == 1:
        # the nearest point of a cell, which has grown by the margin, is inside of the ellipse
        beside = _beside(area.x, area.width, (canvas.left, canvas.across), canvas, cells.shape[1])
        above = _beside(area.y, area.height, (canvas.top, canvas.down), canvas, cells.shape[0])
        cells |= beside[np.newaxis, :] ** 2 + above[:, np.newaxis] ** 2 <= 1
        return
    across = canvas.left, canvas.across, canvas.width / 2
    columns = _touched(area.x, area.width, across, canvas)
    rows = _touched(area.y, area.height, (canvas.top, canvas.down, canvas.height / 2), canvas)
    cells[rows, columns] = True


def _touched(
    start: float, length: float, side: tuple[float, float, float], canvas: Canvas
) -> slice:
    """The cells of one direction that a stretch touches.

    :param side: where the source picture begins, how long it is, and where the middle of the canvas
        is, in pixels.
    """
    begin, whole, middle = side
    ends = [
        begin + start * whole - canvas.slack,
        begin + (start + length) * whole + canvas.slack,
    ]
    ends += [middle + (end - middle) * canvas.spread for end in ends]
    first, last = min(ends) - canvas.margin, max(ends) + canvas.margin
    return slice(max(0, math.floor(first / canvas.cell)), max(0, math.ceil(last / canvas.cell)))


def _beside(
    start: float, length: float, side: tuple[float, float], canvas: Canvas, count: int
) -> NDArray[np.float64]:
    """How far the nearest point of each cell is from the middle, in radii; of one direction."""
    radius = length * side[1] / 2
    middle = side[0] + start * side[1] + radius
    centres = (np.arange(count) + 0.5) * canvas.cell
    away = np.abs(centres - middle) - canvas.cell / 2 - canvas.margin
    beside: NDArray[np.float64] = np.maximum(away, 0.0) / max(radius, 1e-6)
    return beside


@dataclass(frozen=True)
class Painter:
    """Paints the masks of a clip on a canvas, for *frames* pictures at *fps* a second.

    ``first`` is the number of the first of these pictures in the clip.  ``canvases`` are as
    :func:`canvases_of` gives them.
    """

    canvas: Canvas
    masks: tuple[Mask, ...]
    frames: int
    fps: int
    first: int = 0
    canvases: Canvases = field(default_factory=dict)

    def pictures(self, fill: MaskFill) -> Iterator[bytes]:
        """Paint the masks of one fill for each picture of a film, as PNG."""
        chosen = [mask for mask in self.masks if mask.fill is fill]
        before: frozenset[Area] | None = None
        data = b""
        for number in range(self.first, self.first + self.frames):
            areas = areas_of(chosen, number, self.fps)
            if areas != before:
                before, data = areas, self._png(areas)
            yield data

    def picture(self, fill: MaskFill) -> bytes:
        """Paint the masks of one fill at all places where they are at any moment, as PNG.

        A photo is one picture: what is hidden at any moment is hidden all the time.
        """
        chosen = [mask for mask in self.masks if mask.fill is fill]
        numbers = range(self.first, self.first + self.frames)
        moments = [(number / self.fps, (number + 1) / self.fps) for number in numbers]
        return self._png(frozenset().union(*(all_areas(chosen, *both) for both in moments)))

    def _png(self, areas: Iterable[Area]) -> bytes:
        from PIL import Image  # noqa: PLC0415 - slow to load

        cells = np.zeros((self.canvas.rows, self.canvas.columns), np.bool_)
        paint_all(cells, self.canvases, areas)
        packed = np.packbits(cells, axis=1).tobytes()
        image = Image.frombytes("1", (self.canvas.columns, self.canvas.rows), packed)
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        return file.getvalue()
