"""The pictures beside a montage: its poster, and a contact sheet of all clips in order."""

import math
from pathlib import Path

from PIL import Image, ImageDraw

from pipeline import judge
from pipeline.ffmpeg.graph import Graph, Options, read, write
from pipeline.ffmpeg.made import MadeFile, Scratch
from pipeline.media import encode, fonts
from pipeline.render import sidecars
from pipeline.render.timeline import Segment, Timeline
from pipeline.run import Run
from pipeline.workspace import Workspace

_POSTER_WIDTH = 1280
_WIDEST = 2400  # pixels of the sheet
_STILL = 400  # pixels of a still at most
_SMALLEST = 64
_MOST = 2000  # stills on a sheet; if there are more clips, every n-th is shown
_GROUND, _INK, _EMPTY = (24, 28, 32), (225, 230, 232), (48, 54, 60)


def poster(run: Run, film: Timeline, montage: Path, scratch: Scratch) -> MadeFile:
    """Take a picture out of the first clip of a montage, as a JPEG that holds nothing else.

    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    at = next(number for number, segment in enumerate(film.segments) if segment.sha256)
    frame = film.starts[at] + film.segments[at].length // 3
    options: Options = {"f": "mov", "ss": f"{frame / film.output.fps:.6f}", "threads": 1}
    picture = encode.still(read(montage, options).video(), _POSTER_WIDTH, film.output)
    part = scratch.new("poster", encode.most_still(film.output.width, film.output.height))
    graph = Graph((write(part.path, encode.still_arguments(), picture),))
    run.ffmpeg.make("still", graph, reads=(montage,), writes=(part,), seconds=120)
    judge.judge_still(part.file)
    return part


def make(run: Run, film: Timeline, scratch: Scratch) -> MadeFile:
    """Make the contact sheet as a JPEG that holds nothing else.

    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    sheet = drawn(film, run.workspace)
    options = {"f": "rawvideo", "pix_fmt": "rgb24", "s": f"{sheet.width}x{sheet.height}"}
    picture = read("pipe:0", options).video("0")
    picture = picture.filter("scale", out_range="pc", out_color_matrix="bt601")
    picture = picture.filter("format", "yuvj420p")
    part = scratch.new("sheet", encode.most_still(*sheet.size))
    graph = Graph((write(part.path, encode.still_arguments(), picture),))
    run.ffmpeg.make("sheet", graph, writes=(part,), seconds=120, feed=[sheet.tobytes()])
    judge.judge_still(part.file)
    return part


def drawn(film: Timeline, workspace: Workspace) -> Image.Image:
    """Draw the sheet, of even size: a still of each clip with its number and time."""
    clips = [timed for timed in sidecars.times(film) if timed[0].sha256]
    clips = clips[:: -(-len(clips) // _MOST)]
    columns = max(2, math.ceil(math.sqrt(len(clips))))
    width = max(_SMALLEST, min(_STILL, _WIDEST // columns)) // 2 * 2
    columns = min(columns, _WIDEST // width)
    height = round(width * film.output.height / film.output.width)
    label = max(12, width // 12) // 2 * 2
    rows = math.ceil(len(clips) / columns)
    size = (columns * width, rows * (height + label) // 2 * 2 + 2)
    sheet = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(sheet)
    font = fonts.font_for("Clip 0:", round(label * 0.7))
    for number, (segment, begin) in enumerate(clips):
        x, y = number % columns * width, number // columns * (height + label)
        with _still(segment, workspace, (width - 2, height - 2)) as still:
            sheet.paste(still, (x + 1, y + 1))
        words = f"{sidecars.stamp(begin)}  {segment.title}"
        draw.text((x + 4, y + height + label // 2), words, font=font, fill=_INK, anchor="lm")
    return sheet


def _still(segment: Segment, workspace: Workspace, size: tuple[int, int]) -> Image.Image:
    """Load the still that was made with the clip; a plain picture if it was deleted."""
    path = (workspace.root / segment.path).with_suffix(".jpg")
    if not path.is_file():
        return Image.new("RGB", size, _EMPTY)
    with Image.open(path) as image:
        image.draft("RGB", size)  # decodes no more of it than is shown
        still: Image.Image = image.convert("RGB").resize(size)
        return still
