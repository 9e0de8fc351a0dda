"""Films of people whose faces are at known places: portraits that move over a ground.

The portraits are photos that scikit-image brings: Eileen Collins, by NASA, in the public domain,
and a photographer in profile, by Lav Varshney, CC0.  If ``FOOTAGE`` names a folder with
``city.jpg``, a street with many people, a camera moves over it.  The faces were measured by hand,
from the hair above the forehead to the chin.  That was before any model saw them, apart from two in
the street, (324, 125, 357, 165) and (309, 141, 328, 172), which were measured once more on a larger
picture after a first run had shown them bare.
"""

from __future__ import annotations

import importlib.metadata
import math
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from pipeline.ffmpeg.runner import program

WIDTH, HEIGHT, FPS = 1920, 1080, 30
Points = NDArray[np.float64]
Box = tuple[int, int, int, int]  # left, top, right, bottom
_FEATHER = 6  # pixels at the rim of a portrait


@dataclass(frozen=True)
class Portrait:
    """A photo, and the boxes of the faces in it: left, top, right, bottom."""

    image: Image.Image
    faces: tuple[Box, ...]


@dataclass(frozen=True)
class Pose:
    """Where the middle of a portrait is, how large it is in both directions, and its roll."""

    x: float
    y: float
    wide: float
    high: float
    roll: float = 0.0  # degrees


@dataclass(frozen=True)
class TrueFace:
    """A face in one picture: points that fill its oval, in pixels, and how wide its box is.

    ``seen`` is how much of it lies in the picture and behind nothing, from 0 to 1.
    """

    points: Points
    width: float
    seen: float


@dataclass(frozen=True)
class FaceFilm:
    """A film, by its name, and the faces of each of its pictures."""

    name: str
    faces: tuple[tuple[TrueFace, ...], ...]


Way = Callable[[float], Pose]  # by the moment in seconds


def collins() -> Portrait:
    """A face from the front."""
    return _portrait("astronaut.png", (110, 10, 360, 300), (176, 70, 264, 176))


def photographer() -> Portrait:
    """A face from the side."""
    return _portrait("camera.png", (140, 60, 330, 300), (206, 116, 256, 198))


def street() -> Portrait | None:
    """A street with many people, if the real footage has it."""
    path = Path(os.environ.get("FOOTAGE", "/nowhere")) / "city.jpg"
    if not path.exists():
        return None
    faces = (
        *((55, 129, 86, 168), (103, 128, 122, 157), (179, 112, 210, 151), (222, 105, 258, 147)),
        *((324, 125, 357, 165), (425, 139, 444, 162), (477, 156, 504, 190), (533, 134, 553, 157)),
        *((583, 107, 606, 134), (603, 149, 637, 200), (760, 113, 795, 161), (370, 130, 393, 151)),
        (309, 141, 328, 172),
    )
    return Portrait(Image.open(path).convert("RGB"), faces)


def make(folder: Path, seconds: float) -> list[FaceFilm]:
    """Make all films; return what is in them."""
    folder.mkdir(parents=True, exist_ok=True)
    count = round(seconds * FPS)
    front, side, many = collins(), photographer(), street()
    films = {
        "walk": [(front, _walk(0.5, 0)), (front, _walk(1.0, 1)), (side, _walk(1.8, 2))],
        "turn": [(front, _turn(0)), (side, _turn(1))],
        "cross": [(front, _cross(0)), (side, _cross(1)), (front, _cross(2))],
    }
    made = [_film(folder / f"{name}.mp4", cast, count) for name, cast in films.items()]
    if many is not None:
        made.append(_film(folder / "street.mp4", [(many, _camera)], count))
    return made


def _walk(size: float, lane: int) -> Way:
    def pose(at_s: float) -> Pose:
        # walks, stops, goes on, and turns back after six seconds
        way = min(at_s, 2.0) + max(0.0, min(at_s, 6.0) - 3.0) - 1.4 * max(0.0, at_s - 6.0)
        x = 100 + 480 * lane + way * (150 + 90 * lane)
        y = 300 + 190 * lane + 9 * size * abs(math.sin(6 * at_s))
        return Pose(x, y, size, size)

    return pose


def _turn(which: int) -> Way:
    def pose(at_s: float) -> Pose:
        turned = math.cos(2 * math.pi * at_s / 4 + which)
        wide = math.copysign(max(0.35, abs(turned)), turned)
        size = 0.8 + 0.12 * at_s
        x = 520 + 880 * which + 60 * math.sin(1.3 * at_s)
        return Pose(x, 560, wide * size, size, 25 * math.sin(1.7 * at_s + which))

    return pose


def _cross(which: int) -> Way:
    def pose(at_s: float) -> Pose:
        x = (-150 + 260 * at_s, 2050 - 310 * at_s, 960 + 560 * math.sin(1.1 * at_s))[which]
        y = (480, 560, 700)[which] + 14 * abs(math.sin(6 * at_s + which))
        size = (0.7, 1.1, 1.6)[which]
        return Pose(x, y, size, size)

    return pose


def _camera(at_s: float) -> Pose:
    zoom = 2.7 + 0.4 * math.sin(0.6 * at_s)
    shake = 6 * math.sin(11 * at_s) + 4 * math.sin(17 * at_s)
    return Pose(960 + 220 * math.sin(0.8 * at_s) + shake, 900 + 0.7 * shake, zoom, zoom)


def _portrait(name: str, cut: Box, face: Box) -> Portrait:
    place = importlib.metadata.distribution("scikit-image").locate_file(f"skimage/data/{name}")
    image = Image.open(str(place)).convert("RGB").crop(cut)
    left, top, right, bottom = face
    moved = (left - cut[0], top - cut[1], right - cut[0], bottom - cut[1])
    return Portrait(image, (moved,))


def _film(path: Path, cast: Sequence[tuple[Portrait, Way]], count: int) -> FaceFilm:
    ground = _ground()
    command = [program(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "-", "-crf", "21"]
    command += ["-preset", "veryfast", "-pix_fmt", "yuv420p", str(path)]
    faces = []
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for number in range(count):
            left = 40 + round(40 * math.sin(number / 40))
            picture = ground.crop((left, 40, left + WIDTH, 40 + HEIGHT))
            faces.append(tuple(_drawn(picture, cast, number / FPS)))
            encoder.stdin.write(picture.tobytes())
    return FaceFilm(path.name, tuple(faces))


def _ground() -> Image.Image:
    place = importlib.metadata.distribution("scikit-image").locate_file("skimage/data/coffee.png")
    image = Image.open(str(place)).convert("RGB").transpose(Image.Transpose.ROTATE_180)
    return image.resize((WIDTH + 80, HEIGHT + 80)).filter(ImageFilter.GaussianBlur(2))


def _drawn(
    picture: Image.Image, cast: Sequence[tuple[Portrait, Way]], at_s: float
) -> Iterator[TrueFace]:
    """Draw all portraits, the first one behind the others; yield their faces."""
    poses = [(portrait, way(at_s)) for portrait, way in cast]
    for portrait, pose in poses:
        shown = _shown(portrait.image, pose)
        corner = (round(pose.x - shown.width / 2), round(pose.y - shown.height / 2))
        picture.paste(shown, corner, shown)
    for number, (portrait, pose) in enumerate(poses):
        for face in portrait.faces:
            points = _placed(_oval(face), portrait.image.size, pose)
            seen = ((points >= 0) & (points < (WIDTH, HEIGHT))).all(1)
            for other, above in poses[number + 1 :]:
                seen &= ~_lies_in(points, other.image.size, above)
            yield TrueFace(points, (face[2] - face[0]) * abs(pose.wide), float(seen.mean()))


def _lies_in(points: Points, size: tuple[int, int], pose: Pose) -> NDArray[np.bool_]:
    """Whether points of a picture lie in a portrait."""
    unturned = (points - (pose.x, pose.y)) @ _turn_by(pose.roll).T
    sides = np.abs(unturned) / (abs(pose.wide), pose.high)
    return np.asarray((sides <= np.array(size) / 2).all(1))


def _shown(image: Image.Image, pose: Pose) -> Image.Image:
    soft = Image.new("L", image.size)
    rim = (_FEATHER, _FEATHER, image.width - _FEATHER, image.height - _FEATHER)
    ImageDraw.Draw(soft).rectangle(rim, fill=255)
    image = image.copy()
    image.putalpha(soft.filter(ImageFilter.GaussianBlur(_FEATHER / 2)))
    if pose.wide < 0:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    size = (round(image.width * abs(pose.wide)), round(image.height * pose.high))
    return image.resize(size).rotate(-pose.roll, expand=True, resample=Image.Resampling.BILINEAR)


def _oval(box: Box) -> Points:
    """Points that fill the oval in a box."""
    steps = (np.arange(16) + 0.5) / 16
    x, y = np.meshgrid(steps, steps)
    inside = (x - 0.5) ** 2 + (y - 0.5) ** 2 <= 0.25
    left, top, right, bottom = box
    return np.stack([left + x[inside] * (right - left), top + y[inside] * (bottom - top)], -1)


def _placed(points: Points, size: tuple[int, int], pose: Pose) -> Points:
    """Move points of a portrait to where they are in the picture."""
    scaled = (points - np.array(size) / 2) * np.array([pose.wide, pose.high])
    return np.asarray(scaled @ _turn_by(pose.roll) + (pose.x, pose.y))


def _turn_by(degrees: float) -> Points:
    angle = math.radians(degrees)
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
