"""Captions in many scripts, for the documentation: docs/pictures/captions.png.

    .venv/bin/python docs/captions.py [FILE]

Each tile is the lower part of a frame of 640 by 360 with the strip that a clip would get, and a
thin line around the title-safe area (EBU R 95).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from pipeline.media import caption

TEXTS = (
    "#RiverWeek #HoldASign",
    "#ŘíčníTýden #ŽivýPotok",
    "#НеделяРеки #ЧистаяВода",
    "#ΕβδομάδαΠοταμού #ΚαθαρόΝερό",
    "#أسبوع_النهر #ماء_نظيف",
    "#שבוע_הנהר #River2026",
    "#नदी_सप्ताह #स्वच्छ_जल",
    "#สัปดาห์แม่น้ำ #น้ำใส",
    "#河川週間 #きれいな水",
    "#강주간 #맑은물",
    "#RiverWeek #🌊 #🐟",
    "#RiverWeek #HoldASign #CleanWater #RiversForAll #LetItFlow",
)
WIDTH, HEIGHT, SHOWN, COLUMNS = 640, 360, 130, 3


def tile(folder: Path, number: int, text: str) -> Image.Image:
    """A frame with its caption, over something between bright and dark."""
    ramp = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    colours = ("#e9c46a", "#2a6f97"), ("#f4a261", "#264653"), ("#f1faee", "#457b9d")
    light, dark = colours[number % len(colours)]
    frame = Image.composite(
        Image.new("RGB", ramp.size, dark), Image.new("RGB", ramp.size, light), ramp
    )
    edge = (WIDTH // 20, HEIGHT // 20, WIDTH - WIDTH // 20, HEIGHT - HEIGHT // 20)
    ImageDraw.Draw(frame).rectangle(edge, outline="#ffffff")
    strip = caption.strip(folder, text, (WIDTH, HEIGHT))
    assert strip is not None
    with Image.open(strip.path) as drawn:
        frame.paste(drawn, (strip.x, strip.y), drawn)
    return frame.crop((0, HEIGHT - SHOWN, WIDTH, HEIGHT))


def main() -> None:
    picture = Path(__file__).parent / "pictures" / "captions.png"
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else picture
    lines = -(-len(TEXTS) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * WIDTH, lines * SHOWN))
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(TEXTS):
            place = (number % COLUMNS * WIDTH, number // COLUMNS * SHOWN)
            sheet.paste(tile(Path(folder), number, text), place)
    sheet.convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(picture, optimize=True)
    print(picture, picture.stat().st_size)


if __name__ == "__main__":
    main()
