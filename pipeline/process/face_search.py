"""Look for faces in an original, and make masks of what is found.

The pictures are those of the clip before they are framed, at some moments and small: as many as
one can afford to look at.  A mask is in fractions of the source, so it fits every output.  If the
pictures change their size, they are placed in the frame of the first output before, and a mask is
in fractions of that frame, as one that a reviewer draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import accumulate
from pathlib import Path

from pipeline import protection
from pipeline.config import Output
from pipeline.faces import looking, model_file, tracks
from pipeline.faces.looking import SmallPictures
from pipeline.faces.tracks import FaceTrack, TrackArea
from pipeline.ffmpeg.faults import ProgramFault, once_more
from pipeline.ffmpeg.graph import Graph, Options, Video, read, write
from pipeline.media import colour, survey
from pipeline.media.fitting import even
from pipeline.media.survey import FilmSource
from pipeline.media.timebase import frames_in
from pipeline.process import framing
from pipeline.process.framing import Frame
from pipeline.process.recipe import Recipe
from pipeline.protection import FoundFaces, Mask, MaskOrigin, MaskPoint, MaskShape
from pipeline.run import Tools

_LOOKS_A_SECOND = 5
# points of a picture: the more there are, the smaller the faces that are seen, and the longer it
# takes; a photo is looked at once, and groups of people are photographed
_AREA, _PHOTO_AREA = 640 * 352, 1600 * 896
_MULTIPLE = 32  # of which the model needs the sides of a picture
_LARGEST, _FAR = 2.0, -1.0  # what a mask may have, see protection.checked_point
_COARSER = (1, 2, 4, 8, 16)  # sightings of a face that become one area, until a clip can have them


def small_size(aspect: Fraction, area: int) -> tuple[int, int]:
    """Return the size at which pictures of a shape are looked at, with about *area* points."""
    shape = min(max(float(aspect), 1 / 8), 8.0)
    return _rounded((area * shape) ** 0.5), _rounded((area / shape) ** 0.5)


def found(
    run: Tools, film: FilmSource, recipe: Recipe, known: FoundFaces | None
) -> FoundFaces | None:
    """Find the faces of an original; None if the recipe does not ask for them.

    A search that fails costs no clip where masks are only proposed: it is partial then.

    :param known: what was found before, by any detector.
    :raises ProgramFault: the search failed, and every face must be masked.
    """
    if recipe.faces == "off":
        return None
    if known is not None and known.by == recipe.detector and not known.is_partial:
        frames = {mask.frame for mask in known.masks} - {""}
        if frames <= {recipe.outputs[0].frame}:
            return known
    if recipe.faces == "always":
        return _found(run, film, recipe)
    try:
        search = partial(_found, run, film, recipe)
        return once_more(search, partial(run.ffmpeg.note_again, "faces"))
    except ProgramFault:
        return FoundFaces(recipe.detector, is_partial=True)


def with_faces(recipe: Recipe, faces: FoundFaces | None) -> Recipe:
    """Return a recipe with the masks that its clip gets.

    Where every face must be masked, those that were found get theirs, unless a reviewer has taken
    over the masks of faces.
    """
    if recipe.faces != "always" or faces is None or is_taken_over(recipe):
        return recipe
    return replace(recipe, masks=(*recipe.masks, *faces.masks))


def is_taken_over(recipe: Recipe) -> bool:
    """Whether a reviewer has chosen which faces are masked."""
    return any(mask.origin is MaskOrigin.FACE for mask in recipe.masks)


def _found(run: Tools, film: FilmSource, recipe: Recipe) -> FoundFaces:
    model = model_file.ready(run.config.protect.own_model, run.workspace.cache)
    looks = look(run, film, recipe.outputs[0], model)
    if film.probe.still:
        faces, length, is_lost = tracks.in_photo(looks[0]) if looks else (), None, False
    else:
        length = film.probe.length_s
        faces = tracks.link(looks, float(_aspect(film, recipe.outputs[0])))
        is_lost = any(tracks.is_lost(track, looks[-1].at_s) for track in faces)
    made = masks(faces, length)
    if film.probe.picture.changes:
        made = tuple(replace(mask, frame=recipe.outputs[0].frame) for mask in made)
    is_partial = not looks or len(made) < len(faces)
    return FoundFaces(recipe.detector, made, is_lost, is_partial)


def look(run: Tools, film: FilmSource, output: Output, model: Path) -> tuple[looking.Look, ...]:
    """Look for faces in an original, at moments of its clip.

    :raises ProgramFailed: FFmpeg or the model crashed, was killed or took too long.
    """
    probe = film.probe
    every = max(1, round(output.fps / _LOOKS_A_SECOND))
    width, height = small_size(_aspect(film, output), _PHOTO_AREA if probe.still else _AREA)
    most = 1 if probe.still else frames_in(probe.length_s, output.fps) // every + 2
    stream = _upright(film, output, every, (width, height)).filter("format", "rgb24")
    options: Options = {"c:v": "rawvideo", "f": "rawvideo", "frames:v": most}
    table = probe.picture.table
    pictures = SmallPictures(
        graph=Graph((write("pipe:1", options, stream),), filter_threads=1),
        reads=(film.path, *([table] if table else [])),
        width=width,
        height=height,
        step_s=every / output.fps,
        most=most,
        seconds=probe.length_s * run.config.process.timeout_factor,
    )
    return looking.look(run.ffmpeg, pictures, model)


def _aspect(film: FilmSource, output: Output) -> Fraction:
    """The shape of the pictures that are looked at."""
    picture = film.probe.picture
    return Fraction(output.width, output.height) if picture.changes else picture.aspect


def _upright(film: FilmSource, output: Output, every: int, size: tuple[int, int]) -> Video:
    """The pictures of each moment, upright and of one size."""
    probe = film.probe
    options = survey.input_options(probe)
    if framing.turns_at_last(probe.picture):
        options = {**options, "noautorotate": None}
    stream = framing.decoded(read(film.path, options), probe.picture)
    stream, picture = colour.understood(stream, probe.picture)
    if picture.alpha:
        stream = colour.on_white(stream, multiplied=picture.multiplied)
    if not probe.still:
        stream = stream.filter("fps", fps=output.fps, start_time=0)
        stream = stream.filter("framestep", every)
    if picture.changes:
        part = (_AREA / (output.width * output.height)) ** 0.5
        sides = (even(Fraction(side * part)) for side in (output.width, output.height))
        small = output.model_copy(update={"size": "x".join(map(str, sides))})
        return framing.framed(stream, picture, Frame(small, is_bare=True)).filter("scale", *size)
    return colour.scaled(stream, picture, *size)


def masks(found: Sequence[FaceTrack], length_s: float | None) -> tuple[Mask, ...]:
    """Make a mask of each track; the largest faces are kept if there are too many.

    The points of a clip are limited.  Where a film is long, masks get fewer and larger areas.

    :param length_s: of the film; None for a photo, in which nothing moves.
    """
    by_size = sorted(found, key=_area, reverse=True)[: protection.MOST_MASKS]
    made: list[Mask] = []
    for each_of in _COARSER:
        made = [_mask(track, length_s, each_of) for track in by_size]
        if sum(len(mask.points) for mask in made) <= protection.MOST_POINTS:
            break
    points = accumulate(len(mask.points) for mask in made)
    fitting = [
        mask for mask, so_far in zip(made, points, strict=True) if so_far <= protection.MOST_POINTS
    ]
    return tuple(sorted(fitting, key=lambda mask: mask.from_s))


def _mask(track: FaceTrack, length_s: float | None, each_of: int) -> Mask:
    areas = tracks.covered(track, length_s or 0.0, each_of)
    points = tuple(map(_point, areas))
    until = areas[-1].at_s
    return Mask(
        points=points,
        shape=MaskShape.RECTANGLE,
        from_s=points[0].at_s,
        to_s=None if length_s is None or until >= length_s else round(until, 3),
        origin=MaskOrigin.FACE,
    )


def _point(area: TrackArea) -> MaskPoint:
    """Return an area as a mask has it; what lies far outside of the picture is cut off."""
    left, top = max(area.left, _FAR), max(area.top, _FAR)
    return protection.checked_point(
        MaskPoint(
            area.at_s,
            min(left, 1.0),
            min(top, 1.0),
            max(min(area.right - left, _LARGEST), protection.SMALLEST),
            max(min(area.bottom - top, _LARGEST), protection.SMALLEST),
        )
    )


def _area(track: FaceTrack) -> float:
    return max(sighting.face.width * sighting.face.height for sighting in track.sightings)


def _rounded(side: float) -> int:
    return max(1, round(side / _MULTIPLE)) * _MULTIPLE
