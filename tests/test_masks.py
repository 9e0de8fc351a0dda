"""What lies under a mask is in no file that is made of an original, whatever its picture is like.

Two originals that differ only under the mask give the same files, byte for byte: clip, still, and
the marks by which a likeness is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from wave import open as open_wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.clip_scene import TALL, WIDE, Clip, ClipScene, Pixels
from test_loudness import loudness

from pipeline.config import Output
from pipeline.media.fitting import source_place
from pipeline.media.probed import Picture
from pipeline.process import framing, lookalikes, painting
from pipeline.process.covering import Canvas
from pipeline.process.lookalikes import ClipMarks
from pipeline.process.painting import Area
from pipeline.process.recipe import Recipe
from pipeline.protection import Mask, MaskFill, MaskPoint, MaskShape, SoundChange, SoundChangeKind

MAGENTA, GREEN, GREY = (255, 0, 255), (0, 255, 0), (128, 128, 128)
LOSSLESS = ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p")
CROP = WIDE.model_copy(update={"name": "crop", "fit": "crop"})
CROP_TALL = TALL.model_copy(update={"name": "crop-tall", "fit": "crop"})
TINY = Output(name="tiny", size="64x64", fps=25, quality="draft")
ELLIPSE = MaskShape.ELLIPSE
Colour = tuple[int, int, int]
RECTANGLES = (MaskPoint(0.0, 0.31, 0.27, 0.2, 0.3), MaskPoint(0.0, 0.8, -0.1, 0.4, 0.4))


@pytest.fixture
def scene(tmp_path: Path) -> ClipScene:
    return ClipScene(tmp_path).to(WIDE, still_seconds=0.2)


def planted(size: tuple[int, int], mask: Mask, colour: Colour, at_s: float = 0.0) -> Pixels:
    """A picture with a gradient, a green corner, and a colour in the area of a mask."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width] + 0.5
    picture = np.repeat((60 + 120 * x / width)[..., np.newaxis], 3, 2).astype(np.uint8)
    picture[: height // 6, : width // 6] = GREEN
    area = mask.area(at_s)
    across = (x / width - area.x) / area.width - 0.5
    down = (y / height - area.y) / area.height - 0.5
    inside = np.maximum(abs(across), abs(down)) <= 0.5
    if mask.shape is ELLIPSE:
        inside = np.hypot(across, down) <= 0.5
    picture[inside] = colour
    return picture


def check(scene: ClipScene, draw: Callable[[str, Colour], Path]) -> dict[str, Clip]:
    """Nothing of the hidden colour is in a clip, and the rest of the picture is there."""
    clips, others = (
        scene.clips(draw(name, colour)) for name, colour in (("one", MAGENTA), ("two", GREY))
    )
    for name, clip in clips.items():
        paths = clip.path, others[name].path
        assert paths[0].read_bytes() == paths[1].read_bytes()
        stills = [path.with_suffix(".jpg").read_bytes() for path in paths]
        assert stills[0] == stills[1]
        made, other = clip.result.outputs[0], others[name].result.outputs[0]
        assert (made.marks, made.hides) == (other.marks, other.hides)
        assert made.hides
        picture = clip.pictures[0].astype(int)
        assert ((picture[..., 1] - picture[..., 0]) > 80).mean() > 0.005
    return clips


def test_a_photo_that_moves(scene: ClipScene) -> None:
    """One area reaches beyond the picture, the other is where the photo is turned."""
    masks = (Mask((RECTANGLES[0],), ELLIPSE), Mask((RECTANGLES[1],)))

    def draw(name: str, colour: Colour) -> Path:
        upright = planted((302, 200), masks[0], colour)
        beyond = planted((302, 200), masks[1], colour)
        upright[beyond == colour] = beyond[beyond == colour]
        exif = Image.Exif()
        exif[274] = 5  # stored mirrored along the diagonal
        path = scene.folder / f"{name}.png"
        Image.fromarray(np.ascontiguousarray(upright.transpose(1, 0, 2))).save(path, exif=exif)
        return path

    clips = check(replace(scene.to(WIDE, TALL, CROP), masks=masks), draw)
    dark = [(picture.max(-1) < 12) for picture in clips["wide"].pictures]
    assert all(0.2 < part.mean() < 0.5 for part in dark)


def test_a_film_with_a_moving_mask_and_one_for_a_moment(scene: ClipScene) -> None:
    """It is interlaced, filmed sideways, slower than the clip, and its sound is longer."""
    begin, end = MaskPoint(0.0, 0.3, 0.3, 0.2, 0.2), MaskPoint(0.4, 0.6, 0.5, 0.3, 0.2)
    moving = Mask((begin, end), ELLIPSE)
    moment = Mask((MaskPoint(0.0, 0.0, 0.8, 1.0, 0.2),), from_s=0.201, to_s=0.299)

    def draw(name: str, colour: Colour) -> Path:
        frames = []
        for number in range(10):
            first, second = (
                np.rot90(planted((180, 320), moving, colour, (number + half) / 24))
                for half in (0.0, 0.5)
            )
            both = first.copy()
            both[1::2] = second[1::2]
            frames.append(both)
        flags = ("-flags", "+ilme+ildct", "-x264-params", "tff=1")
        lying = scene.painted(f"{name}.mkv", frames, "24", *LOSSLESS, *flags)
        tone = ("-f", "lavfi", "-i", "sine=d=0.6", "-c:v", "copy", "-c:a", "aac")
        turn = ("-display_rotation:v:0", "-90", "-i", str(lying))
        return scene.film(f"{name}.mp4", *turn, *tone)

    clips = check(replace(scene.to(WIDE, TALL), masks=(moving, moment)), draw)
    below = [bool((picture[-8:, 70:90].max(-1) < 30).all()) for picture in clips["wide"].pictures]
    assert [number for number, hidden in enumerate(below) if hidden] == list(range(5, 10))


def test_what_is_set_in_the_middle_of_a_frame_is_hidden_in_it() -> None:
    """The player stops in the middle of a frame.  There an area jumps away, and comes back."""
    moments = [round((number + 0.5) / 30, 3) for number in range(6)]
    points = [MaskPoint(at, 0.1 + 0.5 * (n % 2), 0.2, 0.1, 0.1) for n, at in enumerate(moments)]
    late = MaskPoint(round(7 / 30, 3), 0.9, 0.9, 0.1, 0.1)  # a moment that was rounded down
    masks = [Mask((*points, late))]
    for number, point in [*enumerate(points), (7, late)]:
        area = Area(masks[0].shape, point.x, point.y, point.width, point.height)
        assert area in painting.areas_of(masks, number, 30)


def test_a_film_that_changes_its_size(scene: ClipScene) -> None:
    """The mask covers the same part of the picture in each output, also where that was turned.

    It was drawn on an output that was the first one then, and is not any more.
    """
    mask = Mask((MaskPoint(0.0, 0.5, 0.5, 20 / 160, 0.3),), frame=WIDE.frame)
    # in that frame the last part begins at 55 and is 50 pixels wide
    in_turned = Mask((MaskPoint(0.0, (80 - 55) / 50, 0.5, 20 / 50, 0.3),))

    def draw(name: str, colour: Colour) -> Path:
        parts = [
            scene.painted(
                f"{size[0]}-{name}.ts", [planted(size, drawn, colour)] * 6, "24", *LOSSLESS
            )
            for size, drawn in (((160, 90), mask), ((640, 360), mask), ((90, 160), in_turned))
        ]
        path = scene.folder / f"{name}.ts"
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        return path

    check(replace(scene.to(TALL, WIDE), masks=(mask,)), draw)


@pytest.mark.parametrize("shown", [WIDE, TALL, CROP])
@pytest.mark.parametrize("other", [TALL, CROP, CROP_TALL])
@pytest.mark.parametrize("frame", ["known", ""])
def test_a_mask_follows_pictures_of_each_shape_into_each_frame(
    shown: Output, other: Output, frame: str
) -> None:
    """In a frame, a picture of any shape is placed by its own shape.

    A mask that does not name the output on which it was drawn may have been drawn on any.
    """
    seen = Picture("0", "h264", 160, 90, Fraction(16, 9), changes=True)
    mask = Mask((MaskPoint(0.0, 0.6, 0.55, 0.05, 0.1),), ELLIPSE, frame=frame and shown.frame)
    wanted = Recipe("", None, (other, shown), 4.0, "none", -16.0, 1800, masks=(mask,))
    canvases = painting.canvases_of(seen, other, None, wanted)
    canvas, first = canvases[mask.frame][0], framing.canvas(seen, shown, None, shown)
    if frame:
        first = replace(first, left=0, top=0, across=shown.width, down=shown.height)
    cells = np.zeros((canvas.rows, canvas.columns), np.bool_)
    painting.paint_all(cells, canvases, painting.areas_of([mask], 0, 30))
    (corner,) = mask.points
    x = first.left + first.across * (corner.x + corner.width * np.linspace(0, 1, 9))
    y = first.top + first.down * (corner.y + corner.height * np.linspace(0, 1, 9))
    for shape in (Fraction(1, 5), Fraction(9, 16), Fraction(1), Fraction(16, 9), Fraction(5)):
        before, after = (source_place(shape, frame, None) for frame in (shown, other))
        column = after.x + (x - before.x) / before.width * after.width
        row = after.y + (y - before.y) / before.height * after.height
        is_seen = (column >= 0) & (column < canvas.width) & (row >= 0) & (row < canvas.height)
        at = (row[is_seen] // canvas.cell).astype(int), (column[is_seen] // canvas.cell).astype(int)
        assert cells[at].all()
    assert not cells[0, 0], "the other side of the middle is free"


def test_an_upright_film_is_recognized_with_its_masks(scene: ClipScene) -> None:
    """What is beside the picture in the frame is no part of it."""
    pictures = []
    for number in range(24):
        picture = planted((90, 160), Mask((MaskPoint(0.0, 0.5, 0.5, 0.3, 0.3),)), GREY)
        picture[3 * number : 3 * number + 60, 10:40] = GREEN
        pictures.append(picture)
    path = scene.painted("upright.mkv", pictures, "8", *LOSSLESS)
    hidden = Mask((MaskPoint(0.0, 0.7, 0.7, 0.3, 0.3),))
    one, two = (replace(scene, masks=masks).make(path) for masks in ((), (hidden,)))
    marks = [ClipMarks(n, r.outputs[0].marks, 3.0) for n, r in (("a", one), ("b", two))]
    assert lookalikes.find([marks[0], replace(marks[1], masks=(hidden,))]) == {"b": "a"}


def test_a_blur_is_of_the_picture_and_hides_its_detail(scene: ClipScene) -> None:
    y, x = np.mgrid[0:180, 0:320]
    checked = np.repeat(((x // 4 + y // 4) % 2 * 255)[..., np.newaxis], 3, 2).astype(np.uint8)
    path = scene.folder / "photo.png"
    Image.fromarray(checked).save(path)
    whole = Mask((MaskPoint(0.0, 0.25, 0.25, 0.5, 0.5),), fill=MaskFill.BLUR)
    picture = replace(scene.to(WIDE, still_motion="none"), masks=(whole,)).clip(path).pictures[0]
    assert picture[30:60, 50:110].std() < 4
    assert 90 < picture[30:60, 50:110].mean() < 165
    assert picture[:10].std() > 60


def heard(scene: ClipScene, name: str, hidden_hz: int) -> Path:
    """A film of two seconds with a tone of 500 Hz, and a louder one from 0.8 s until 1.3 s."""
    time = np.arange(2 * 44100) / 44100
    wave = 0.1 * np.sin(2 * np.pi * 500 * time)
    inside = (time >= 0.8) & (time < 1.3)
    wave[inside] = 0.7 * np.sin(2 * np.pi * hidden_hz * time[inside])
    sound = scene.folder / f"{name}.wav"
    with open_wave(str(sound), "wb") as file:
        file.setparams((1, 2, 44100, 0, "NONE", ""))
        file.writeframes((wave * 32767).astype("<i2").tobytes())
    still = ("-f", "lavfi", "-i", "color=gray:s=64x64:r=25:d=2", "-i", str(sound))
    return scene.film(f"{name}.mkv", *still, "-c:v", "libx264", "-c:a", "copy")


def test_muted_sound_is_in_no_sample_and_loudness_is_exact(scene: ClipScene) -> None:
    mute = SoundChange(SoundChangeKind.MUTE, 0.8, 1.3)
    scene = replace(scene.to(TINY), sounds=(mute,))
    one, two = (scene.clip(heard(scene, name, hz)) for name, hz in (("one", 1500), ("two", 2500)))
    assert one.path.read_bytes() == two.path.read_bytes()
    sound = one.sound()
    loud = np.flatnonzero(abs(sound).max(1) > 1e-4) / 48000
    assert not ((loud > 0.8) & (loud < 1.3)).any()
    assert ((loud > 0.7) & (loud < 0.79)).any()
    assert ((loud > 1.31) & (loud < 1.4)).any()
    assert loudness(sound) == pytest.approx(-16, abs=0.5)


def test_a_disguise_lowers_the_pitch_of_its_stretch_only(scene: ClipScene) -> None:
    disguise = SoundChange(SoundChangeKind.DISGUISE, 0.8)
    scene = replace(scene.to(TINY), sounds=(disguise,))
    sound = scene.clip(heard(scene, "film", 500)).sound()[:, 0]
    assert len(sound) == 96000

    def pitch(begin: float, end: float) -> float:
        part = sound[int(begin * 48000) : int(end * 48000)]
        return float(abs(np.fft.rfft(part * np.hanning(len(part)))).argmax() / (end - begin))

    assert pitch(0.2, 0.7) == pytest.approx(500, abs=4)
    assert pitch(1.4, 1.9) == pytest.approx(400, abs=4)


AREAS = st.builds(
    Area,
    st.sampled_from(MaskShape),
    *[st.floats(-0.5, 0.9), st.floats(-0.5, 0.9), st.floats(0.001, 1.5), st.floats(0.001, 1.5)],
)


@given(AREAS, st.sampled_from([(160, 90), (97, 61), (1920, 1082)]), st.floats(0, 9))
def test_every_cell_that_an_area_touches_is_painted(
    area: Area, size: tuple[int, int], margin: float
) -> None:
    canvas = Canvas(*size, left=-3.0, top=2.0, across=size[0] + 6, down=size[1] - 4, margin=margin)
    cells = np.zeros((canvas.rows, canvas.columns), np.bool_)
    painting.paint(cells, canvas, area)
    turn = np.linspace(0, 2 * np.pi, 200)
    across, down = np.cos(turn), np.sin(turn)
    if area.shape is MaskShape.RECTANGLE:
        larger = np.maximum(abs(across), abs(down))
        across, down = across / larger, down / larger
    radii = np.linspace(0, 1, 20)[:, np.newaxis]
    x = canvas.left + (area.x + area.width / 2 * (1 + radii * across)) * canvas.across
    y = canvas.top + (area.y + area.height / 2 * (1 + radii * down)) * canvas.down
    inside = (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])
    cell = canvas.cell
    assert cells[(y[inside] // cell).astype(int), (x[inside] // cell).astype(int)].all()
