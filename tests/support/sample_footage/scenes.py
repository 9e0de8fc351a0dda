"""The moving scenes of the sample: seven short looks at an invented river.

A scene is made for a size in pixels and then gives a picture for a time in seconds; the same
time gives the same picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import numpy as np
from PIL import ImageColor

from . import craft
from .paint import (
    Canvas,
    Picture,
    arches,
    cloud,
    hills,
    lay,
    person,
    poplar,
    reeds,
    trees,
    up_mark,
)
from .water import Water, WaterStyle, afloat

Scene = Callable[[float], Picture]

_STROKES = 16


def _strokes(draw: Callable[[float], Picture]) -> list[Picture]:
    """The pictures of one turn of an oar or a wheel."""
    return [draw(math.tau * index / _STROKES) for index in range(_STROKES)]


def _at(strokes: list[Picture], turns: float) -> Picture:
    return strokes[int(turns * _STROKES) % _STROKES]


def _marked(frame: Picture, mark: Picture) -> Picture:
    margin = mark.shape[0] // 2
    lay(frame, mark, margin, margin, 0.9)
    return frame


def dawn(width: int, height: int) -> Scene:
    """The sun comes up over hills; two people row across."""
    horizon = round(height * 0.52)
    wide = width + width // 16
    back = Canvas(wide, horizon, ("#2e4a7d", "#8d6a9f", "#f2986b", "#ffdf9e"))
    for x, y, size in ((0.16, 0.2, 0.13), (0.42, 0.12, 0.1), (0.86, 0.26, 0.15)):
        cloud(back, wide * x, horizon * y, wide * size, "#dd9c96")
    sky = back.picture()
    front = Canvas(wide, horizon)
    hills(front, horizon, horizon * 0.3, 3, "#8b6b8e")
    hills(front, horizon, horizon * 0.19, 11, "#5d5277")
    trees(front, horizon + 2, horizon * 0.13, 5, ("#2f3d4f", "#37475a", "#28333f"))
    land = front.picture()
    sun = Canvas(height // 2, height // 2)
    sun.glow(height / 4, height / 4, height / 4, "#ffe9b0", 0.5)
    sun.ellipse(height / 4, height / 4, height / 16, height / 16, "#fff3c9")
    disc = sun.picture()
    grass = Canvas(width, height // 3)
    reeds(grass, width * 0.07, height / 3, height * 0.3, 4, "#1d2a33")
    reeds(grass, width * 0.9, height / 3, height * 0.22, 9, "#1d2a33")
    shore = grass.picture()
    boats = _strokes(lambda a: craft.rowboat(width // 5, "#b23a48", ("#f4d35e", "#3fa7d6"), a))
    look = WaterStyle("#e9a37c", "#2d4663", "#fff0c2", sun=0.62, spread=0.13)
    water, mark = Water(width, height - horizon, look), up_mark(height)

    def frame(time: float) -> Picture:
        scene = sky.copy()
        lay(scene, disc, wide * 0.62 - height / 4, horizon * (0.68 - 0.05 * time) - height / 4)
        lay(scene, land, 0, 0)
        pan = round((wide - width) * min(1.0, time / 5))
        picture = water.under(scene[:, pan : pan + width], time)
        boat = _at(boats, time * 0.7)
        afloat(picture, boat, width * (0.18 + 0.1 * time), height * 0.74, time)
        lay(picture, shore, 0, height - shore.shape[0])
        return _marked(picture, mark)

    return frame


def balloon(width: int, height: int) -> Scene:
    """An upright picture: a balloon rises over poplars, a kayak comes by."""
    horizon = round(height * 0.6)
    back = Canvas(width, horizon, ("#3d8fd1", "#8cc7ec", "#e8f4f2"))
    cloud(back, width * 0.25, horizon * 0.2, width * 0.3, "#f2f8fb")
    cloud(back, width * 0.85, horizon * 0.42, width * 0.26, "#eaf4f6")
    hills(back, horizon, horizon * 0.14, 8, "#7fae8c")
    sky = back.picture()
    front = Canvas(width, horizon)
    greens = (("#3f7d4a", "#4f8d57"), ("#55955a", "#67a569"))
    for index in range(9):
        tall = horizon * (0.28 + 0.1 * ((index * 7) % 4))
        poplar(front, width * (0.02 + 0.12 * index), horizon, tall, *greens[index % 2])
    land = front.picture()
    size = round(width * 0.42)
    air = Canvas(size, round(size * 1.5))
    air.line([(size * 0.3, size * 0.8), (size * 0.43, size * 1.22)], 2, "#6b4a2f")
    air.line([(size * 0.7, size * 0.8), (size * 0.57, size * 1.22)], 2, "#6b4a2f")
    for part, colour in ((1.0, "#e4572e"), (0.72, "#ffd166"), (0.42, "#e4572e"), (0.14, "#ffd166")):
        air.ellipse(size / 2, size / 2, size / 2 * part, size / 2, colour)
    air.polygon([(size * 0.13, size * 0.84), (size * 0.87, size * 0.84), (size * 0.6, size * 1.02),
                 (size * 0.4, size * 1.02)], "#c8431f")  # fmt: skip
    air.box(size * 0.4, size * 1.2, size * 0.2, size * 0.16, 4, "#8a5a33")
    globe = air.picture()
    paddles = _strokes(lambda a: craft.kayak(width // 2, "#f4a52e", "#3a4f9f", a))
    look = WaterStyle("#cfe6ea", "#1f5d73", "#ffffff", sun=0.5, spread=0.4)
    water, mark = Water(width, height - horizon, look), up_mark(height // 2)

    def frame(time: float) -> Picture:
        scene = sky.copy()
        lay(scene, globe, width * (0.28 + 0.012 * time), horizon * (0.3 - 0.05 * time))
        lay(scene, land, 0, 0)
        picture = water.under(scene, time)
        kayak = _at(paddles, time * 0.6)
        afloat(picture, kayak, width * (1.1 - 0.2 * time), height * 0.78, time)
        return _marked(picture, mark)

    return frame


def lanterns(width: int, height: int) -> Scene:
    """Night, a moon, and paper lanterns that drift."""
    horizon = round(height * 0.46)
    back = Canvas(width, horizon, ("#070d24", "#141f4a", "#33406f"))
    dice = Random(21)
    for _ in range(150):
        size = dice.uniform(0.4, 1.3)
        back.ellipse(dice.uniform(0, width), dice.uniform(0, horizon * 0.8), size, size,
                     f"#ffffff{dice.randint(90, 255):02x}")  # fmt: skip
    back.glow(width * 0.74, horizon * 0.3, height * 0.24, "#dfe8ff", 0.3)
    back.ellipse(width * 0.74, horizon * 0.3, height * 0.065, height * 0.065, "#f4f1dc")
    back.ellipse(width * 0.755, horizon * 0.28, height * 0.014, height * 0.014, "#dcd7ba")
    back.ellipse(width * 0.73, horizon * 0.34, height * 0.01, height * 0.01, "#dcd7ba")
    hills(back, horizon, horizon * 0.2, 14, "#0d1532")
    trees(back, horizon + 2, horizon * 0.15, 2, ("#080e22", "#0b122b"))
    for x in (0.1, 0.13, 0.31, 0.34, 0.52):
        back.box(width * x, horizon * 0.93, 4, 4, 0, "#ffcf70")
    sky = back.picture()
    look = WaterStyle("#2b3663", "#050a1c", "#cfdcff", sun=0.74, spread=0.07, calm=0.7)
    water, mark = Water(width, height - horizon, look), up_mark(height)
    fleet = sorted(
        (dice.uniform(0.56, 0.98), dice.uniform(-0.1, 1.0), dice.uniform(0.02, 0.05))
        for _ in range(13)
    )
    lights = [craft.lantern(round(height * (0.02 + 0.1 * (row - 0.46)))) for row, _, _ in fleet]

    def frame(time: float) -> Picture:
        picture = water.under(sky, time)
        for (row, column, speed), light in zip(fleet, lights, strict=True):
            afloat(picture, light, width * (column + speed * time), height * row, time)
        return _marked(picture, mark)

    return frame


def below(width: int, height: int) -> Scene:
    """Under water: light from above, weeds, fish and bubbles."""
    back = Canvas(width, height, ("#7fd6d0", "#2b9aa8", "#12607c", "#0b3a55"))
    for x, r in ((0.08, 0.16), (0.3, 0.09), (0.62, 0.12), (0.9, 0.2)):
        back.ellipse(width * x, height * 1.02, width * r, height * r * 0.9, "#16384a")
        back.ellipse(width * (x - 0.02), height, width * r * 0.6, height * r * 0.6, "#1f4a5c")
    bed = back.picture().astype(np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    aside = (np.arange(width, dtype=np.float32)[None, :] / width - 0.45) / (rows + 0.7)
    glow = np.array(ImageColor.getrgb("#eafff4")[:3], np.float32)
    colours = (("#f28f3b", "#c8553d", "#f7b67d"), ("#ffd166", "#d99a2b", "#ffe3a0"),
               ("#9ad1d4", "#4f8a8b", "#c4e6e8"))  # fmt: skip
    fleet = []
    for index in range(9):
        size = round(width * (0.07 + 0.022 * (index * 5 % 4)))
        fleet.append((craft.fish(size, *colours[index % 3]), 0.14 + 0.075 * (index * 7 % 9),
                      -0.25 + 0.14 * index, 0.07 + 0.02 * (index % 3)))  # fmt: skip
    mark = up_mark(height)

    def weeds(time: float) -> Picture:
        canvas = Canvas(width, height // 2)
        for index in range(16):
            foot = width * (0.02 + 0.064 * index)
            tall = height * (0.16 + 0.07 * (index * 3 % 5))
            stem = [
                (foot + math.sin(time * 1.6 + index + part * 0.45) * part * 2.2,
                 height / 2 - tall * part / 8)
                for part in range(9)
            ]  # fmt: skip
            canvas.line(stem, width * 0.009, ("#2f7d5b", "#3f9c6b", "#1f5f4c")[index % 3])
        for index in range(14):
            rise = (index * 0.173 + time * 0.16) % 1
            x = width * ((index * 0.377) % 1) + math.sin(rise * 14 + index) * 5
            canvas.ring(x, height / 2 * (1 - rise), 2 + index % 4, 2 + index % 4, 1, "#ffffffa0")
        return canvas.picture()

    def frame(time: float) -> Picture:
        rays = np.sin(aside * 21 + 0.7 * time) + np.sin(aside * 34 - 1.1 * time)
        light = np.clip(rays * 0.5, 0, 1) * (1 - rows) * 0.45
        picture = (bed + (glow - bed) * light[..., None]).astype(np.uint8)
        for index, (fish, row, column, speed) in enumerate(fleet):
            columns = np.arange(fish.shape[1])
            wag = np.sin(columns * 0.09 - time * 9 + index) * (1 - columns / len(columns)) * 3
            lines = np.arange(fish.shape[0])[:, None] + np.rint(wag)[None, :]
            swims = fish[np.clip(lines, 0, fish.shape[0] - 1).astype(np.int32), columns]
            x = (column + speed * time) % 1.3 - 0.15
            lay(picture, swims, width * x, height * row + 6 * math.sin(time * 1.5 + index))
        lay(picture, weeds(time), 0, height - height // 2)
        return _marked(picture, mark)

    return frame


def mill(width: int, height: int) -> Scene:
    """A mill whose wheel turns, and a family of ducks."""
    horizon = round(height * 0.56)
    back = Canvas(width, horizon, ("#6fb7e0", "#c9e6ee", "#fdf3d3"))
    cloud(back, width * 0.72, horizon * 0.2, width * 0.22, "#f2f8fb")
    hills(back, horizon, horizon * 0.25, 17, "#a3c48f")
    trees(back, horizon + 2, horizon * 0.3, 23, ("#5c8a46", "#6f9c4f", "#4b7a40"))
    house, side = width * 0.07, width * 0.4
    back.box(house, horizon * 0.42, side, horizon * 0.6, 0, "#e8d5b5")
    back.box(house, horizon * 0.86, side, horizon * 0.2, 0, "#9c8f80")
    back.polygon([(house - 14, horizon * 0.44), (house + side / 2, horizon * 0.12),
                  (house + side + 14, horizon * 0.44)], "#a4452c")  # fmt: skip
    back.box(house + side * 0.31, horizon * 0.78, side * 0.14, horizon * 0.24, 8, "#6d4428")
    for x in (0.08, 0.31, 0.54):
        back.box(house + side * x, horizon * 0.53, side * 0.15, horizon * 0.15, 2, "#54402e")
        back.box(house + side * x + 3, horizon * 0.53 + 3, side * 0.15 - 6, horizon * 0.15 - 6, 1,
                 "#ffe7a0")  # fmt: skip
    back.ellipse(house + side / 2, horizon * 0.31, 12, 12, "#54402e")
    sky = back.picture()
    size = round(height * 0.4)

    def wheel(angle: float) -> Picture:
        canvas = Canvas(size, size)
        middle, radius = size / 2, size * 0.44
        for index in range(12):
            turn = (angle + math.tau * index) / 12
            dx, dy = math.cos(turn) * radius, math.sin(turn) * radius
            canvas.line([(middle, middle), (middle + dx, middle + dy)], size * 0.02, "#6b4a2f")
            canvas.line(
                [
                    (middle + dx * 0.88 - dy * 0.1, middle + dy * 0.88 + dx * 0.1),
                    (middle + dx * 1.1, middle + dy * 1.1),
                ],
                size * 0.035,
                "#8a6240",
            )
        for part in (1.0, 0.72):
            canvas.ring(middle, middle, radius * part, radius * part, size * 0.03, "#54371f")
        canvas.ellipse(middle, middle, size * 0.06, size * 0.06, "#3d2817")
        return canvas.picture()

    wheels = _strokes(wheel)
    ducks = [craft.duck(round(width * size)) for size in (0.12, 0.07, 0.07, 0.07)]
    look = WaterStyle("#c4dcc0", "#3f6f63", "#ffffff", sun=0.44, spread=0.16, calm=0.9)
    water, mark = Water(width, height - horizon, look), up_mark(height)
    grass = Canvas(width, height // 3)
    reeds(grass, width * 0.93, height / 3, height * 0.3, 31, "#3c5a2c")
    shore = grass.picture()

    def frame(time: float) -> Picture:
        scene = sky.copy()
        lay(scene, _at(wheels, time * 1.8), house + side * 0.82, horizon - size * 0.86)
        picture = water.under(scene, time)
        for index, duck in enumerate(ducks):
            x = width * (0.5 - 0.115 * index + 0.06 * time)
            afloat(picture, duck, x, height * (0.84 + 0.012 * (index % 2)), time + index)
        lay(picture, shore, 0, height - shore.shape[0])
        return _marked(picture, mark)

    return frame


def parade(width: int, height: int) -> Scene:
    """Boats with flags and a banner under an old bridge; the loud one."""
    horizon = round(height * 0.5)
    wide = width + width // 10
    back = Canvas(wide, horizon, ("#2f86d0", "#79bdea", "#dff1f7"))
    cloud(back, wide * 0.2, horizon * 0.2, wide * 0.16, "#f4fafd")
    cloud(back, wide * 0.66, horizon * 0.13, wide * 0.2, "#f2f8fb")
    hills(back, horizon, horizon * 0.3, 41, "#8fc0a0")
    trees(back, horizon, horizon * 0.22, 12, ("#4f9150", "#67a95b", "#3f7f4b"))
    arches(back, horizon + 2, horizon * 0.42, 5, "#d9b98c", "#a98557")
    for index in range(22):
        cloth = ("#e4572e", "#ffd166", "#3a4f9f", "#59cd90", "#ee6c9a")[index % 5]
        person(
            back,
            wide * (0.02 + 0.0455 * index),
            horizon * 0.58,
            horizon * (0.15 + 0.02 * (index % 3)),
            cloth,
            craft.SKINS[index % 5],
            craft.HAIRS[index * 3 % 5],
            "up" if index % 3 else "down",
        )
    scene = back.picture()
    big = craft.barge(round(width * 0.5), "RIVER WEEK 2026", "#23395d")
    first = craft.sailboat(round(width * 0.19), "#e4572e", "#ffd166", "AURORA")
    second = craft.sailboat(round(width * 0.15), "#2a9d8f", "#ee6c9a", "MARLIN")
    look = WaterStyle("#b9dcea", "#155e86", "#ffffff", sun=0.5, spread=0.5)
    water, mark = Water(width, height - horizon, look), up_mark(height)

    def frame(time: float) -> Picture:
        pan = round((wide - width) * min(1.0, time / 4.5))
        picture = water.under(scene[:, pan : pan + width], time)
        afloat(picture, second, width * (0.9 - 0.05 * time), height * 0.68, time)
        afloat(picture, first, width * (0.06 + 0.06 * time), height * 0.74, time + 1)
        afloat(picture, big, width * (0.36 + 0.075 * time), height * 0.89, time + 2)
        return _marked(picture, mark)

    return frame


def rain(width: int, height: int) -> Scene:
    """A grey day: rings on the water, umbrellas on the shore."""
    horizon = round(height * 0.44)
    back = Canvas(width, horizon, ("#5d6b78", "#8795a0", "#c3ccd0"))
    hills(back, horizon, horizon * 0.34, 51, "#7e8c92")
    trees(back, horizon, horizon * 0.26, 52, ("#4d5f5a", "#5a6d64", "#42524f"))
    tall = horizon * 0.3
    for index, colour in enumerate(("#e4572e", "#ffd166", "#3fa7d6", "#ee6c9a", "#59cd90")):
        x = width * (0.2 + 0.14 * index)
        person(back, x, horizon, tall, "#3c4a5c", craft.SKINS[index], craft.HAIRS[index])
        back.line([(x + 5, horizon - tall * 0.4), (x + 5, horizon - tall * 1.2)], 1.5, "#2a2a2a")
        back.polygon(
            [
                (
                    x + 5 + math.cos(a) * tall * 0.48,
                    horizon - tall * 1.02 - math.sin(a) * tall * 0.4,
                )
                for a in np.linspace(0, math.pi, 20)
            ],
            colour,
        )
    scene = back.picture()
    look = WaterStyle("#aab5ba", "#46565f", "#e6eef2", spread=0.6, calm=0.5)
    water, mark = Water(width, height - horizon, look), up_mark(height)
    dice = Random(77)
    drops = [(dice.random(), dice.random() ** 0.7, dice.random()) for _ in range(70)]

    def weather(time: float) -> Picture:
        canvas = Canvas(width, height)
        for x, depth, phase in drops:
            age = (phase + time * 0.9) % 1
            size = (3 + 26 * depth) * (0.2 + age)
            alpha = round(170 * (1 - age))
            canvas.ring(x * width, horizon + 8 + depth * (height - horizon - 12), size, size * 0.28,
                        1.2, f"#f2f7fa{alpha:02x}")  # fmt: skip
            fall = ((phase * 7 + time * 2.4) % 1) * height * 1.1
            canvas.line([(x * width, fall), (x * width - 3, fall + 16)], 0.8, "#e8eef250")
        return canvas.picture()

    def frame(time: float) -> Picture:
        picture = water.under(scene, time)
        lay(picture, weather(time), 0, 0)
        return _marked(picture, mark)

    return frame
