"""Look for faces in a finished clip, outside of its masks.

The pictures are larger than those of the first search, so smaller faces are seen.  They are also of
other moments, and there are fewer of them, since a face need only be seen, not followed.  A mask is
a black area with a person around it, in which the model sometimes sees a face: what lies under a
mask does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from pipeline.caution import Caution
from pipeline.config import Output
from pipeline.faces import looking, model_file, tracks
from pipeline.faces.looking import Look, SeenFace, SmallPictures
from pipeline.ffmpeg.faults import ProgramFault, once_more
from pipeline.ffmpeg.graph import Graph, Options, read, write
from pipeline.media.probed import Probe
from pipeline.model import ClipOutput
from pipeline.process import framing, painting
from pipeline.process.covering import Canvas
from pipeline.process.face_search import small_size
from pipeline.process.painting import Cells
from pipeline.process.recipe import Recipe
from pipeline.run import Tools

_AREA = 960 * 544  # points of a picture
_SECONDS = 1.0  # between two looks
_LEAST_LOOKS = 3  # as far as the clip has so many pictures
_COVERED = 0.7  # of a face: then it lies under a mask


@dataclass(frozen=True)
class MaskedClip:
    """A finished file of a clip: its output, what it was made of, and its masks, in the recipe."""

    path: Path
    made: ClipOutput
    probe: Probe
    recipe: Recipe

    @property
    def output(self) -> Output:
        """The output that the file is of."""
        return next(each for each in self.recipe.outputs if each.name == self.made.name)

    @property
    def moving(self) -> int | None:
        """How many pictures a photo moves for; None for what does not move."""
        moves = self.probe.still and self.recipe.still_motion == "drift"
        return self.made.frames if moves else None


def warnings(run: Tools, clips: Sequence[MaskedClip], recipe: Recipe) -> tuple[Caution, ...]:
    """Look for faces in all files of a clip; return what a reviewer should know.

    A clip that may show a face is withheld where every face must be masked, also if a reviewer has
    chosen which faces are masked.

    :param recipe: as it was asked for; those of *clips* have all masks.
    """
    if recipe.faces == "off" or (recipe.faces == "propose" and not recipe.masks):
        return ()
    note = partial(run.ffmpeg.note_again, "faces")
    try:
        seen = (once_more(partial(_shows_face, run, clip), note) for clip in clips)
        is_seen, is_partial = any(seen), False
    except ProgramFault:
        is_seen, is_partial = False, True
    withheld = recipe.faces == "always" and (is_seen or is_partial)
    told = {
        Caution.FACE_UNMASKED: is_seen,
        Caution.FACES_PARTIAL: is_partial,
        Caution.WITHHELD: withheld,
    }
    return tuple(caution for caution, so in told.items() if so)


def _shows_face(run: Tools, clip: MaskedClip) -> bool:
    aspect = Fraction(clip.output.width, clip.output.height)
    looks = _looks(run, clip, aspect)
    outside = [replace(look, faces=faces_outside(look, clip)) for look in looks]
    return bool(tracks.link(outside, float(aspect)))


def _looks(run: Tools, clip: MaskedClip, aspect: Fraction) -> tuple[Look, ...]:
    fps, frames = clip.output.fps, clip.made.frames
    every = max(1, min(round(fps * _SECONDS), frames // _LEAST_LOOKS))
    first = every // 2  # the search has looked at the beginning of each second
    width, height = small_size(aspect, _AREA)
    most = (frames - first - 1) // every + 1
    source: Options = {"protocol_whitelist": "file", "f": "mp4", "threads": 1}
    stream = read(clip.path, source).video("v:0")
    stream = stream.filter("trim", start_frame=first).filter("framestep", every)
    stream = stream.filter("scale", width, height).filter("format", "rgb24")
    target: Options = {"c:v": "rawvideo", "f": "rawvideo", "frames:v": most}
    pictures = SmallPictures(
        graph=Graph((write("pipe:1", target, stream),), filter_threads=1),
        reads=(clip.path,),
        width=width,
        height=height,
        step_s=every / fps,
        most=most,
        seconds=clip.made.duration_s * run.config.process.timeout_factor,
        is_each_seen=True,  # a second lies between two pictures: much can have moved
    )
    model = model_file.ready(run.config.protect.own_model, run.workspace.cache)
    looks = looking.look(run.ffmpeg, pictures, model)
    return tuple(replace(look, at_s=look.at_s + first / fps) for look in looks)


def faces_outside(look: Look, clip: MaskedClip) -> tuple[SeenFace, ...]:
    """Return the faces of a picture that do not lie under masks."""
    if not look.faces or not clip.recipe.masks:
        return look.faces
    picture = clip.probe.picture
    canvas = framing.canvas(picture, clip.output, clip.moving, clip.output)
    canvases = painting.canvases_of(picture, clip.output, clip.moving, clip.recipe)
    cells = np.zeros((canvas.rows, canvas.columns), np.bool_)
    number = round(look.at_s * clip.output.fps)
    areas = painting.areas_of(clip.recipe.masks, number, clip.output.fps)
    painting.paint_all(cells, canvases, areas)
    place = framing.place_of_canvas(picture, clip.output, clip.moving, number)
    laid = (canvas, place)
    return tuple(face for face in look.faces if _covered(face, clip.output, cells, laid) < _COVERED)


def _covered(
    face: SeenFace, output: Output, cells: Cells, laid: tuple[Canvas, tuple[int, int]]
) -> float:
    """How much of a face lies under masks, from 0 to 1.

    :param laid: the canvas, and where its left upper corner is in the frame, in pixels.
    """
    canvas, (left, top) = laid
    begin = ((face.x * output.width - left), (face.y * output.height - top))
    end = (begin[0] + face.width * output.width, begin[1] + face.height * output.height)
    columns = slice(max(0, int(begin[0] // canvas.cell)), max(0, int(end[0] // canvas.cell) + 1))
    rows = slice(max(0, int(begin[1] // canvas.cell)), max(0, int(end[1] // canvas.cell) + 1))
    part = cells[rows, columns]
    return float(part.mean()) if part.size else 0.0
