"""Captions: right in eight scripts, legible on any picture, never beyond the safe area."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uharfbuzz
from fontTools.pens.basePen import BasePen
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from support.clip_scene import ClipScene

from pipeline.config import CaptionPosition, Output
from pipeline.media import caption, fonts, writing

SCRIPTS = {
    "Latin": "#ŘíčníTýden",
    "Cyrillic": "#РічковийТиждень",
    "Greek": "#ΕβδομάδαΠοταμού",
    "Arabic": "#أسبوع_النهر",
    "Hebrew": "#שבוע_הנהר",
    "Devanagari": "#नदी_सप्ताह_क्षत्रिय",
    "Thai": "#สัปดาห์แม่น้ำ",
    "CJK": "#川の週間한강河流",
}
SIZE = 48
POSITIONS: tuple[CaptionPosition, ...] = (
    *("bottom-left", "bottom", "bottom-right", "top-left", "top", "top-right"),
)


class Contours(BasePen):  # type: ignore[misc]
    """The outlines of a glyph as polygons."""

    def __init__(self) -> None:
        super().__init__(None)
        self.contours: list[list[tuple[float, float]]] = []

    def _moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the pen's protocol
        self.contours.append([point])

    def _lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self.contours[-1].append(point)

    def _curveToOne(  # noqa: N802
        self, a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]
    ) -> None:
        start = self.contours[-1][-1]
        for step in range(1, 9):
            t = step / 8
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            x, y = (
                sum(w * p[axis] for w, p in zip(weights, (start, a, b, c), strict=True))
                for axis in (0, 1)
            )
            self.contours[-1].append((x, y))


def shaped(word: str, path: str) -> tuple[list[int], NDArray[np.bool_]]:
    """The glyphs that HarfBuzz takes for a word, and their outlines filled, SIZE pixels an em."""
    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(path))
    font = uharfbuzz.Font(face)
    font.set_variations({"wght": 700})
    buffer = uharfbuzz.Buffer()
    buffer.add_str(word)
    buffer.guess_segment_properties()
    if fonts.right_to_left(word):
        buffer.direction = "rtl"
    uharfbuzz.shape(font, buffer)
    scale, grid = SIZE / face.upem, 4
    winding = np.zeros((SIZE * 2 * grid, SIZE * 16 * grid), np.int32)
    pen_x = 0.0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        pen = Contours()
        font.draw_glyph_with_pen(info.codepoint, pen)
        for contour in pen.contours:
            points = [
                (
                    (SIZE + (pen_x + position.x_offset + x) * scale) * grid,
                    (SIZE * 1.4 - (position.y_offset + y) * scale) * grid,
                )
                for x, y in contour
            ]
            area = sum(
                x0 * y1 - x1 * y0
                for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True)
            )
            mask = Image.new("1", winding.shape[::-1])
            ImageDraw.Draw(mask).polygon(points, fill=1)
            winding += np.asarray(mask).astype(np.int32) * (1 if area > 0 else -1)
        pen_x += position.x_advance
    ink = (winding != 0).reshape(SIZE * 2, grid, SIZE * 16, grid).mean((1, 3)) > 0.5
    return [info.codepoint for info in buffer.glyph_infos], trimmed(ink)


def trimmed(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without the empty rows and columns around."""
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("script", SCRIPTS)
def test_words_are_shaped_and_ordered_as_harfbuzz_does(script: str) -> None:
    word = SCRIPTS[script]
    (piece,) = writing.pieces(word, SIZE)
    glyphs, wanted = shaped(word, str(piece.font.path))
    assert 0 not in glyphs  # glyph 0 is the box of a font for what it lacks
    image = Image.new("RGBA", (SIZE * 16, SIZE * 2))
    writing.write(image, (SIZE, round(SIZE * 1.4)), word, SIZE)
    drawn = trimmed(np.asarray(image)[:, :, 3] > 127)
    assert drawn.shape == pytest.approx(wanted.shape, abs=3)
    height, width = min(drawn.shape[0], wanted.shape[0]), min(drawn.shape[1], wanted.shape[1])
    best = 0.0
    for down in (0, 1, 2):
        for across in (0, 1, 2):
            one = drawn[down:height, across:width]
            for other in (
                wanted[: height - down, : width - across],
                wanted[down:height, across:width],
            ):
                best = max(best, float((one & other).sum() / (one | other).sum()))
    assert best > 0.8


def test_the_comparison_would_see_a_wrong_order() -> None:
    word = SCRIPTS["Arabic"]
    path = str(fonts.font_for(word, SIZE).path)
    right, wrong = shaped(word, path)[1], shaped(word[::-1], path)[1]
    height, width = (min(a, b) for a, b in zip(right.shape, wrong.shape, strict=True))
    one, other = right[:height, :width], wrong[:height, :width]
    assert (one & other).sum() / (one | other).sum() < 0.5


def test_emoji_are_coloured_pictures_of_one_piece() -> None:
    for word in ("#🌊", "#❤️", "#👩‍🚒", "#👍🏽", "#🇺🇦"):
        letters, emoji = writing.pieces(word, SIZE)
        assert letters.text == "#"
        assert emoji.length < 1.6 * SIZE
        image = Image.new("RGBA", (SIZE * 4, SIZE * 2))
        writing.write(image, (8, SIZE), word, SIZE)
        colours = np.asarray(image)[:, 8 + SIZE :, :3].reshape(-1, 3).astype(int)
        assert (np.ptp(colours, axis=1) > 60).sum() > 100


def test_words_against_the_line_keep_their_own_order(tmp_path: Path) -> None:
    """#אב #cd #ef is read from the right, and in it "#cd #ef" from the left."""

    def ink(text: str) -> list[NDArray[np.bool_]]:
        made = caption.strip(tmp_path, text, (640, 360), ("bottom-left", "outline"))
        assert made is not None
        letters = np.asarray(Image.open(made.path))[:, :, :3].min(2) > 127
        filled = letters.any(0)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], filled.astype(int), [0]))))
        runs: list[list[int]] = []
        for start, end in edges.reshape(-1, 2):  # letters nearer than a space are one word
            if runs and start - runs[-1][1] < 4:
                runs[-1][1] = int(end)
            else:
                runs.append([int(start), int(end)])
        return [trimmed(letters[:, start:end]) for start, end in runs]

    hebrew, first, second = (ink(word)[0].shape[1] for word in ("#אבגדהוזח", "#ii", "#MMMM"))
    assert len({hebrew, first, second}) == 3
    shown = [part.shape[1] for part in ink("#אבגדהוזח #ii #MMMM")]
    assert shown == pytest.approx([first, second, hebrew], abs=2)
    shown = [part.shape[1] for part in ink("#ii #אבגדהוזח #MMMM")]
    assert shown == pytest.approx([first, hebrew, second], abs=2)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1080, 1080), (160, 90), (64, 64)])
@pytest.mark.parametrize("position", POSITIONS)
def test_captions_stay_in_the_safe_area(
    tmp_path: Path, size: tuple[int, int], position: CaptionPosition
) -> None:
    width, height = size
    for text in ("#RiverWeek #HoldASign", "#a", "#שבוע_הנהר " + " ".join(SCRIPTS.values())):
        if min(size) < 100 and len(text) > 30:
            continue
        made = caption.strip(tmp_path, text, (width, height), (position, "panel"))
        assert made is not None
        with Image.open(made.path) as image:
            wide, high = image.size
        assert made.x >= round(width * 0.05) - 1
        assert made.y >= round(height * 0.05) - 1
        assert made.x + wide <= width - round(width * 0.05) + 1
        assert made.y + high <= height - round(height * 0.05) + 1
        middle = (made.x + wide / 2, made.y + high / 2)
        if text == "#a" and width > 64:
            assert (middle[1] < height / 2) is position.startswith("top")
            side = position.partition("-")[2]
            assert (middle[0] < width * 0.4) is (side == "left")
            assert (middle[0] > width * 0.6) is (side == "right")


def test_words_are_wrapped_and_the_text_made_smaller(tmp_path: Path) -> None:
    few = caption.strip(tmp_path, "#RiverWeek", (640, 360))
    many = caption.strip(tmp_path, " ".join(f"#Hashtag{n}" for n in range(40)), (640, 360))
    assert few is not None
    assert many is not None
    with Image.open(few.path) as one, Image.open(many.path) as other:
        assert other.size[1] > one.size[1]
        assert other.size[0] <= 640 * 0.9
        assert other.size[1] <= 360 * 0.4


def luminance(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative luminance (WCAG 2.2)."""
    values = pixels / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(light @ np.array([0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("style", ["panel", "outline"])
@pytest.mark.parametrize("ground", ["white", "black", "0x808080", "yellow"])
def test_captions_are_legible_on_any_picture(tmp_path: Path, style: str, ground: str) -> None:
    """The contrast of letters and what is around them, in the finished clip: 4.5 to 1."""
    wide = Output(name="wide", size="640x360", fps=30)
    scene = ClipScene(tmp_path).to(wide, text="#RiverWeek", caption_style=style)
    film = scene.film("film.mp4", "-f", "lavfi", "-i", f"color={ground}:s=640x360:d=0.1")
    picture = scene.clip(film).pictures[1].astype(float)
    left, bottom = round(640 * 0.05), 360 - round(360 * 0.05)
    region = luminance(picture[bottom - 26 : bottom, left : left + 116])
    if style == "outline" and ground in ("white", "yellow"):
        # as light as the letters: what makes them is the line around them
        assert (region < 0.05).mean() > 0.1
        return
    letters = region > 0.8
    assert 0.03 < letters.mean() < 0.6
    near = np.zeros_like(letters)
    for down in (-2, 0, 2):
        for across in (-2, 0, 2):
            near |= np.roll(letters, (down, across), (0, 1))
    around = region[near & ~(region > 0.5)]
    ratio = (np.median(region[letters]) + 0.05) / (np.median(around) + 0.05)
    assert ratio >= 4.5
