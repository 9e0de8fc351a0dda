"""The pictures beside a montage: its poster, and a contact sheet of all clips in order."""

import contextlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw

from pipeline import judge
from pipeline.errors import NotClean
from pipeline.ffmpeg.graph import Graph, Options, Video, overlay, read, write
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

    The stills are decoded and put together inside the sandbox; only the words are drawn here.

    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    shown = layout(film)
    words = scratch.place("words")
    lettered(shown).save(words, "PNG", compress_level=1)
    part = scratch.new("sheet", encode.most_still(*shown.size))
    graph = Graph((write(part.path, encode.still_arguments(), _composed(shown, words)),))

    def stills() -> Iterator[bytes]:
        yield from (_still(segment, run.workspace) for segment, _ in shown.clips)

    run.ffmpeg.make("sheet", graph, reads=(words,), writes=(part,), seconds=120, feed=stills)
    judge.judge_still(part.file)
    return part


@dataclass(frozen=True)
class SheetLayout:
    """Where things are on a contact sheet, in pixels.

    ``clips`` are those that are shown, with their times; ``cell`` is the size of a still with its
    words; ``label`` is the height of the words.
    """

    clips: tuple[tuple[Segment, float], ...]
    columns: int
    cell: tuple[int, int]
    label: int

    @property
    def rows(self) -> int:
        """How many rows of stills there are."""
        return math.ceil(len(self.clips) / self.columns)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet, both even."""
        return self.columns * self.cell[0], self.rows * self.cell[1] // 2 * 2 + 2


def layout(film: Timeline) -> SheetLayout:
    """Lay out the sheet: a still of each clip in order, with its number and time."""
    clips = [timed for timed in sidecars.times(film) if timed[0].sha256]
    clips = clips[:: -(-len(clips) // _MOST)]
    columns = max(2, math.ceil(math.sqrt(len(clips))))
    width = max(_SMALLEST, min(_STILL, _WIDEST // columns)) // 2 * 2
    columns = min(columns, _WIDEST // width)
    height = round(width * film.output.height / film.output.width)
    label = max(12, width // 12) // 2 * 2
    return SheetLayout(tuple(clips), columns, (width, height + label), label)


def lettered(shown: SheetLayout) -> Image.Image:
    """Draw the words below the stills, on a transparent picture of the sheet's size."""
    image = Image.new("RGBA", shown.size, (*_GROUND, 0))
    draw = ImageDraw.Draw(image)
    font = fonts.font_for("Clip 0:", round(shown.label * 0.7))
    across, down = shown.cell
    for number, (segment, begin) in enumerate(shown.clips):
        x, y = number % shown.columns * across, number // shown.columns * down
        words = f"{sidecars.stamp(begin)}  {segment.title}"
        at = (x + 4, y + down - shown.label // 2)
        draw.text(at, words, font=font, fill=(*_INK, 255), anchor="lm")
    return image


def _composed(shown: SheetLayout, words: Path) -> Video:
    """Put the stills, which come one after the other, into rows, and the words over them."""
    width, height = shown.cell[0] - 2, shown.cell[1] - shown.label - 2
    ground = "#{:02x}{:02x}{:02x}".format(*_GROUND)
    pipe: Options = {
        "f": "image2pipe",
        "c:v": "mjpeg",
        "framerate": 1,
        "protocol_whitelist": "pipe",
        # a still of another size must not start the sheet again
        "reinit_filter:v": 0,
    }
    stills = read("pipe:0", pipe).video("0").filter("scale", width, height).filter("format", "gbrp")
    cells = stills.filter("pad", *shown.cell, 1, 1, color=ground)
    sheet = cells.filter("tile", f"{shown.columns}x{shown.rows}", color=ground)
    sheet = sheet.filter("pad", *shown.size, color=ground)
    over = read(words, {"f": "png_pipe", "framerate": 1}).video("0")
    sheet = overlay(sheet, over, format="gbrp")
    sheet = sheet.filter("scale", out_range="pc", out_color_matrix="bt601")
    return sheet.filter("format", "yuvj420p").filter("setsar", 1)


def _still(segment: Segment, workspace: Workspace) -> bytes:
    """Return the still that was made with the clip; a plain picture if there is none any more."""
    path = (workspace.root / segment.path).with_suffix(".jpg")
    with contextlib.suppress(OSError, NotClean), path.open("rb") as file:
        judge.judge_still(file)
        file.seek(0)
        return file.read()
    return _plain()


@cache
def _plain() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (_SMALLEST, _SMALLEST), _EMPTY).save(file, "JPEG")
    return file.getvalue()
