"""The contact sheet: a still of every segment of a film, in order, with its number and time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import ffmpeg
from PIL import Image, ImageDraw

from pipeline import judge
from pipeline.errors import StageError
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Permissions
from pipeline.media import encode, fonts
from pipeline.render import sidecars
from pipeline.render.timeline import Film, Segment
from pipeline.workspace import Workspace

_WIDEST = 2400  # pixels of the sheet
_CELL = 400  # pixels of a still at most
_SMALLEST = 64
_MOST = 2000  # stills on a sheet; of more every so manieth
_GROUND, _INK, _EMPTY = (24, 28, 32), (225, 230, 232), (48, 54, 60)


def make(film: Film, part: Path, workspace: Workspace, runner: FfmpegRunner) -> None:
    """The sheet as a JPEG with nothing else in it.

    :raises StageError: FFmpeg failed.
    :raises NotClean: verification found something in it.
    """
    picture = drawn(film, workspace)
    source = ffmpeg.input(
        "pipe:0", f="rawvideo", pix_fmt="rgb24", s=f"{picture.width}x{picture.height}"
    )
    shown = source["0"].filter("scale", out_range="pc", out_color_matrix="bt601")
    node = ffmpeg.output(
        shown.filter("format", "yuvj420p"), str(part), **encode.still_arguments()
    ).global_args("-hide_banner", "-v", "error")
    argv = [program(), *map(str, node.overwrite_output().get_args())]
    ended = runner.run("sheet", argv, Permissions(writes=(part.parent,)), feed=[picture.tobytes()])
    if not ended.ok:
        raise StageError("the contact sheet could not be made")
    judge.judge_jpeg(part)


def drawn(film: Film, workspace: Workspace) -> Image.Image:
    """The sheet's picture, of even size."""
    clips = [timed for timed in sidecars.times(film) if timed[0].sha256]
    clips = clips[:: -(-len(clips) // _MOST)]
    columns = max(2, math.ceil(math.sqrt(len(clips))))
    width = max(_SMALLEST, min(_CELL, _WIDEST // columns)) // 2 * 2
    columns = min(columns, _WIDEST // width)
    height = round(width * film.output.height / film.output.width)
    label = max(12, width // 12) // 2 * 2
    rows = math.ceil(len(clips) / columns)
    size = (columns * width, rows * (height + label) // 2 * 2 + 2)
    sheet = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(sheet)
    font = fonts.font_for("Clip 0:", round(label * 0.7))
    for number, (segment, begin, _) in enumerate(clips):
        x, y = number % columns * width, number // columns * (height + label)
        with _still(segment, workspace, (width - 2, height - 2)) as still:
            sheet.paste(still, (x + 1, y + 1))
        words = f"{sidecars.stamp(begin)}  {segment.title}"
        draw.text((x + 4, y + height + label // 2), words, font=font, fill=_INK, anchor="lm")
    return sheet


def _still(segment: Segment, workspace: Workspace, size: tuple[int, int]) -> Image.Image:
    """The still that was made with the clip; a plain picture where somebody took it away."""
    path = (workspace.root / segment.path).with_suffix(".jpg")
    if not path.is_file():
        return Image.new("RGB", size, _EMPTY)
    with Image.open(path) as image:
        image.draft("RGB", size)  # no more of it is decoded than is shown
        still: Image.Image = image.convert("RGB").resize(size)
        return still


def listed(film: Film, senders: Sequence[str]) -> str:
    """The list for the credits: time, title and sender of each clip, a line each.

    :param senders: as they may be shown, one for each segment.
    """
    lines = []
    for (segment, begin, _), sender in zip(sidecars.times(film), senders, strict=True):
        if segment.sha256:
            words = [segment.title, sender, segment.category or "", segment.sha256[:12]]
            lines.append(f"{sidecars.stamp(begin)} {' · '.join(filter(None, words))}")
    return "\n".join(lines) + "\n"
