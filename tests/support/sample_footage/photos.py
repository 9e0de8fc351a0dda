"""The sample's photos: six pictures of the same invented river, upright and in RGB."""

from __future__ import annotations

import math
from random import Random

from PIL import Image

from . import craft
from .paint import (
    Canvas,
    Picture,
    arches,
    cloud,
    hills,
    lay,
    person,
    placard,
    reeds,
    trees,
    up_mark,
)
from .water import Water, WaterStyle, afloat

_CLOTHES = ("#e4572e", "#3fa7d6", "#ffd166", "#59cd90", "#ee6c9a", "#9b5de5")


def _photo(picture: Picture) -> Image.Image:
    mark = up_mark(min(picture.shape[:2]))
    lay(picture, mark, mark.shape[0] // 2, mark.shape[0] // 2, 0.9)
    return Image.fromarray(picture)


def signs(width: int = 720, height: int = 960) -> Image.Image:
    """People on the bank hold up signs."""
    horizon = round(height * 0.5)
    back = Canvas(width, horizon, ("#4aa3df", "#a8d8f0", "#eef6ee"))
    cloud(back, width * 0.62, horizon * 0.16, width * 0.3, "#f4fafd")
    hills(back, horizon, horizon * 0.22, 61, "#8dbf9a")
    trees(back, horizon + 1, horizon * 0.24, 62, ("#4f9150", "#67a95b", "#3f7f4b"))
    look = WaterStyle("#c3e0e6", "#2a7390", "#ffffff", spread=0.4)
    picture = Water(width, height - horizon, look).under(back.picture(), 1.0)
    people = Canvas(width, height)
    bank = height * 0.86
    people.polygon([(0, bank), (width * 0.5, bank - 14), (width, bank + 6), (width, height),
                    (0, height)], "#7fae5a")  # fmt: skip
    people.polygon([(0, bank + 40), (width * 0.6, bank + 26), (width, bank + 50), (width, height),
                    (0, height)], "#6c9a4c")  # fmt: skip
    words = (("LET IT", "FLOW"), ("RIVERS", "FOR ALL"), ("CLEAN", "WATER"))
    for index, lines in enumerate(words):
        x, tall = width * (0.19 + 0.31 * index), height * (0.37 + 0.03 * (index % 2))
        base = bank + 46 + 12 * (index % 2)
        person(people, x, base, tall, _CLOTHES[index], craft.SKINS[index], craft.HAIRS[index], "up")
        board = ("#fff8e7", "#ffe08a", "#fff8e7")[index]
        placard(people, x, base - tall * 1.2, width * 0.29, lines, board, "#23395d")
    lay(picture, people.picture(), 0, 0)
    return _photo(picture)


def heron(width: int = 1024, height: int = 768) -> Image.Image:
    """A heron in the reeds at dusk."""
    horizon = round(height * 0.55)
    back = Canvas(width, horizon, ("#3b2f63", "#a8577e", "#f08a5d", "#f9d976"))
    back.glow(width * 0.3, horizon * 0.86, height * 0.3, "#fff0b8", 0.7)
    back.ellipse(width * 0.3, horizon * 0.86, height * 0.055, height * 0.055, "#fff3cf")
    hills(back, horizon, horizon * 0.16, 71, "#6d3f63")
    look = WaterStyle("#e79a6a", "#3c2a52", "#ffe9b0", sun=0.3, spread=0.12, calm=0.7)
    picture = Water(width, height - horizon, look).under(back.picture(), 1.3)
    bird = Canvas(300, 460)
    ink = "#241a33"
    for foot in (128, 152):
        bird.line([(foot + 8, 300), (foot, 380), (foot + 6, 458)], 6, ink)
    bird.ellipse(130, 262, 84, 44, ink)
    bird.polygon([(60, 250), (8, 320), (110, 292)], ink)
    bird.line([(196, 250), (228, 200), (196, 150), (206, 96), (214, 84)], 20, ink)
    bird.ellipse(216, 82, 24, 17, ink)
    bird.polygon([(230, 74), (296, 88), (230, 92)], ink)
    bird.line([(205, 72), (166, 86)], 5, ink)
    bird.ellipse(221, 79, 3, 3, "#ffd166")
    afloat(picture, bird.picture(), width * 0.64, height * 0.86, 0.0)
    plants = Canvas(width, height // 2)
    for x, tall, seed in ((0.9, 0.44, 5), (0.98, 0.36, 6), (0.08, 0.26, 7), (0.5, 0.12, 8)):
        reeds(plants, width * x, height / 2, height * tall, seed, ink)
    lay(picture, plants.picture(), 0, height - height // 2)
    return _photo(picture)


def meander(width: int = 960, height: int = 640) -> Image.Image:
    """The river from above, in bends through fields."""
    canvas = Canvas(width, height, ("#a9c77b", "#8fb56a"))
    dice = Random(81)
    greens = ("#9cc16f", "#b8cf83", "#7fa85c", "#d8cf8a", "#c9b36e", "#8db46a")
    cell = width / 8
    for row in range(7):
        for column in range(9):
            x, y = column * cell - row % 2 * cell / 2, row * cell * 0.8 - 8
            canvas.polygon(
                [
                    (x + 3, y + 3),
                    (x + cell - 3, y + 8),
                    (x + cell - 6, y + cell * 0.8 - 3),
                    (x + 6, y + cell * 0.8 - 6),
                ],
                dice.choice(greens),
            )
    bends = [
        (x, height * 0.5 + math.sin(x / width * 7.4) * height * 0.27 + math.sin(x / 61) * 9)
        for x in range(-60, width + 70, 6)
    ]
    for wide, colour in ((120, "#e6d9a8"), (104, "#3f8fae"), (78, "#4da3c2"), (40, "#66b8d2")):
        for x, y in bends:
            canvas.ellipse(x, y, wide / 2, wide / 2, colour)
    for _ in range(240):
        x, y = dice.uniform(0, width), dice.uniform(0, height)
        if all((x - u) ** 2 + (y - v) ** 2 > 78**2 for u, v in bends):
            canvas.ellipse(x + 4, y + 5, 11, 11, "#00000038")
            canvas.ellipse(x, y, 11, 11, dice.choice(("#3f7d4a", "#55955a", "#2f6b40")))
    for index in (30, 70, 105, 140):
        (x, y), (u, v) = bends[index], bends[index + 3]
        canvas.line([(x, y), (u, v)], 11, "#fff4dd")
        canvas.ellipse(u, v, 6, 6, ("#e4572e", "#ffd166")[index % 4 // 2])
    return _photo(canvas.picture())


def cleanup(width: int = 1024, height: int = 768) -> Image.Image:
    """Volunteers with sacks on the bank."""
    horizon = round(height * 0.5)
    back = Canvas(width, horizon, ("#67b7e1", "#bfe3f1", "#f4f7e8"))
    cloud(back, width * 0.7, horizon * 0.2, width * 0.2, "#f4fafd")
    hills(back, horizon, horizon * 0.28, 91, "#93c29b")
    trees(back, horizon + 1, horizon * 0.26, 92, ("#4f9150", "#67a95b", "#3f7f4b"))
    look = WaterStyle("#c3e0e6", "#2f7f8f", "#ffffff", spread=0.4)
    picture = Water(width, height - horizon, look).under(back.picture(), 2.0)
    bank = Canvas(width, height)
    ground = height * 0.78
    bank.polygon([(0, ground - 20), (width, ground + 10), (width, height), (0, height)], "#c9b17a")
    bank.polygon([(0, ground + 30), (width, ground + 60), (width, height), (0, height)], "#b99f68")
    for index in range(5):
        x, tall = width * (0.14 + 0.18 * index), height * (0.34 + 0.02 * (index % 3))
        base = ground + 58 + 20 * (index % 2)
        person(bank, x, base, tall, _CLOTHES[index], craft.SKINS[index], craft.HAIRS[4 - index],
               "out" if index % 2 else "down")  # fmt: skip
        sack = x + tall * 0.3
        bank.ellipse(sack, base - 34, 38, 40, "#2f4858")
        bank.ellipse(sack - 10, base - 42, 16, 20, "#43617a")
        bank.polygon([(sack - 12, base - 84), (sack + 12, base - 84), (sack, base - 62)], "#2f4858")
    lay(picture, bank.picture(), 0, 0)
    return _photo(picture)


def paper_boats(width: int = 1024, height: int = 768) -> Image.Image:
    """Paper boats on a quiet pool."""
    horizon = round(height * 0.3)
    back = Canvas(width, horizon, ("#b9e0d2", "#7fb795", "#4f8f6b"))
    trees(back, horizon + 2, horizon * 0.9, 101, ("#3f7f5b", "#4f9469", "#2f6b4c"))
    look = WaterStyle("#8cc0ae", "#2c7f86", "#ffffff", spread=0.5, calm=0.7)
    picture = Water(width, height - horizon, look).under(back.picture(), 3.0)
    colours = (("#fff6e3", "#e4d4b5"), ("#ff9f8a", "#dd7562"), ("#ffd97a", "#dfb24e"),
               ("#9fd3ff", "#6ba8da"))  # fmt: skip
    fleet = (
        (0.28, 0.45, 120),
        (0.62, 0.5, 140),
        (0.84, 0.63, 180),
        (0.4, 0.7, 230),
        (0.7, 0.88, 290),
        (0.16, 0.93, 300),
    )
    for index, (x, y, size) in enumerate(fleet):
        afloat(picture, craft.paper_boat(size, *colours[index % 4]), width * x, height * y, index)
    return _photo(picture)


def old_bridge(width: int = 1024, height: int = 683) -> Image.Image:
    """A stone bridge in autumn."""
    horizon = round(height * 0.56)
    back = Canvas(width, horizon, ("#8fb8cf", "#d9e3dc", "#f6e7c8"))
    hills(back, horizon, horizon * 0.5, 111, "#c99a6b")
    trees(back, horizon, horizon * 0.8, 112, ("#d9772b", "#c8502a", "#e0a33a", "#a83f2a"))
    arches(back, horizon + 2, horizon * 0.5, 3, "#b9ab97", "#857763")
    for x, cloth in ((0.3, "#23395d"), (0.345, "#e4572e"), (0.7, "#2a9d8f")):
        person(
            back, width * x, horizon * 0.47, horizon * 0.19, cloth, craft.SKINS[0], craft.HAIRS[0]
        )
    look = WaterStyle("#d8c8a6", "#4d5f57", "#fff6dd", spread=0.3, calm=0.8)
    picture = Water(width, height - horizon, look).under(back.picture(), 0.5)
    afloat(picture, craft.kayak(200, "#e0a33a", "#23395d", 0.6), width * 0.55, height * 0.85, 0.0)
    return _photo(picture)


def logo(size: int = 48) -> Image.Image:
    """The little picture under a signature: three waves."""
    canvas = Canvas(size, size, ("#23395d", "#2a6f97"))
    for row in (0.35, 0.55, 0.75):
        wave = [(x, size * (row + 0.06 * math.sin(x / size * 12))) for x in range(6, size - 5)]
        canvas.line(wave, size * 0.07, "#ffffff")
    return Image.fromarray(canvas.picture())
