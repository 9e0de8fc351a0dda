"""What other tools leave behind, on the same files: mat2, ExifTool, FFmpeg, Pillow and this one.

    .venv/bin/python -m bench.cleaning

Each tool gets the whole corpus of planted files and is used as its manual says.  "Leaking" means
that a planted place is still in the output: found by a search for all its notations, by ExifTool
(a notation in a value, or a tag that is a place), or by our own readers.  "Right" means that a
picture still looks the same: two have an orientation tag, two are in Display P3.  CPU is that of
the tool and of all that it starts.  mat2 and ExifTool are those of the system.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps
from support.command_scene import begin, config
from support.planted import build
from support.planted.bases import ffmpeg as film
from support.planted.jpegs import app1
from support.planted.needles import Needles
from support.planted.place import tiff
from test_colour import DISPLAY_P3

from bench._cpu import cost_of, footage
from pipeline.carriers import find
from pipeline.ffmpeg import runner
from pipeline.findings import What
from pipeline.formats import reader_of

_PLACE_TAG = re.compile(
    r"(?i)GPS(?!Version|MapDatum)|Latitude|Longitude|Location(?!Accuracy)|^City$|Sub-?location"
    r"|Coordinates|GeoTiff"
)
_A_MAIL = 12
_RED, _GREEN, _BLUE, _WHITE = (200, 30, 30), (30, 180, 30), (30, 30, 200), (230, 230, 230)
_IN_P3 = (200, 70, 50)
_TURNED, _COLOUR = 60, 10  # how far a channel may be off: quadrants, and one even colour
_STILLS = frozenset((".jpg", ".png", ".gif", ".webp", ".tiff", ".bmp", ".avif", ".heic"))

Pixel = tuple[int, ...]


@dataclass
class ToolResult:
    """What a tool made: the output files, by the name of the input."""

    tool: str
    cpu_s: float = 0.0
    made: dict[str, list[Path]] = field(default_factory=dict)


@dataclass(frozen=True)
class MarkedPicture:
    """A picture that looks right only if its tag is obeyed; a channel may be off by *tolerance*."""

    name: str
    data: bytes
    tolerance: int


def _quadrants() -> Image.Image:
    picture = Image.new("RGB", (320, 180), _RED)
    picture.paste(_GREEN, (160, 0, 320, 90))
    picture.paste(_BLUE, (0, 90, 160, 180))
    picture.paste(_WHITE, (160, 90, 320, 180))
    return picture


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def marked(folder: Path) -> list[MarkedPicture]:
    """The pictures with a tag; *folder* is for what FFmpeg needs as a file."""
    photo = _saved(_quadrants(), "JPEG", quality=95, subsampling=0)
    turned = photo[:2] + app1(tiff([(0x0112, 3, b"\0\x06")])) + photo[2:]
    straight = folder / "straight.mp4"
    straight.write_bytes(
        film(
            *("-f", "image2pipe", "-i", "-", "-vf", "loop=9:1,format=yuv420p"),
            *("-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "-"),
            give=photo,
        )
    )
    rotated = folder / "rotated.mp4"
    film("-display_rotation", "90", "-i", straight, "-c", "copy", rotated)
    wide = Image.new("RGB", (320, 180), _IN_P3)
    return [
        MarkedPicture("marked-turned.jpg", turned, _TURNED),
        MarkedPicture("marked-turned.mp4", rotated.read_bytes(), _TURNED),
        MarkedPicture(
            "marked-p3.jpg", _saved(wide, "JPEG", quality=95, icc_profile=DISPLAY_P3), _COLOUR
        ),
        MarkedPicture("marked-p3.png", _saved(wide, "PNG", icc_profile=DISPLAY_P3), _COLOUR),
    ]


def shown(path: Path) -> list[Pixel]:
    """Four colours around the middle, as a viewer that obeys all tags shows them."""
    if path.suffix == ".mp4":
        data = film("-i", path, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-")
        picture = Image.open(io.BytesIO(data)).convert("RGB")
    else:
        opened = Image.open(path)
        profile = opened.info.get("icc_profile")
        picture = ImageOps.exif_transpose(opened).convert("RGB")
        if profile:
            named = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            changed = ImageCms.profileToProfile(picture, named, ImageCms.createProfile("sRGB"))
            assert changed is not None
            picture = changed
    width, height = picture.size
    step = min(width, height) // 10
    points = [(width // 2 + x, height // 2 + y) for y in (-step, step) for x in (-step, step)]
    colours = [picture.getpixel(point) for point in points]
    return [colour for colour in colours if isinstance(colour, tuple)]


# --- the tools ---


def run_on_each(
    tool: str, inputs: Iterable[Path], out: Path, command: Callable[..., Any]
) -> ToolResult:
    """Run a tool on each file; a file on which it fails counts as refused."""
    result = ToolResult(tool)
    for path in inputs:
        made = out / path.name
        argv = [str(word) for word in command(path, made)]
        try:
            shell = ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh"]
            result.cpu_s += cost_of([*shell, *argv], out).cpu
        except subprocess.CalledProcessError:
            continue
        if made.exists() and made.stat().st_size:
            result.made[path.name] = [made]
    return result


_MAT2 = 'mat2 --no-sandbox "$1" && mv "${1%.*}.cleaned.${1##*.}" "$2"'
_PILLOW = "import sys; from PIL import Image; Image.open(sys.argv[1]).save(sys.argv[2])"


def mat2(path: Path, made: Path) -> list[object]:
    return ["/bin/sh", "-c", _MAT2, "sh", path, made]


def exiftool(path: Path, made: Path) -> list[object]:
    return ["exiftool", "-q", "-all=", "-o", made, path]


def copied(path: Path, made: Path) -> list[object]:
    words = ["-nostdin", "-v", "error", "-i", path, "-map", "0", "-map_metadata", "-1"]
    return [runner.program(), *words, "-c", "copy", made]


def pillow(path: Path, made: Path) -> list[object]:
    return [sys.executable, "-c", _PILLOW, path, made]


def our_result(inputs: list[Path], folder: Path) -> ToolResult:
    """Mail everything in; the outputs are the clip and its still."""
    settings = '[process]\nsandbox = "landlock"\nstill_seconds = 0.2\nstill_motion = "none"\n'
    output = '[[output]]\nname = "small"\nsize = "320x180"\nfps = 25\n'
    mails = {
        f"mail {first}": {path.name: path.read_bytes() for path in inputs[first : first + _A_MAIL]}
        for first in range(0, len(inputs), _A_MAIL)
    }
    campaign = begin(folder / "ours", mails, config(settings, outputs=output))
    result = ToolResult("this project", footage(campaign.folder, "run").cpu)
    for name, row in campaign.rows.items():
        for each_output in row["outputs"]:
            clip = campaign.work / each_output["path"]
            result.made[name] = [clip, clip.with_suffix(".jpg")]
    return result


# --- the judges ---


def leaks(paths: list[Path], row: dict[str, Any], said: dict[str, dict[str, Any]]) -> set[str]:
    """Which judge still sees the place: "bytes", "exiftool", "readers"."""
    seen = set()
    needles = Needles([row], identity=False)
    for path in paths:
        tags = said.get(str(path), {})
        named = any(_PLACE_TAG.search(tag.rsplit(":", 1)[-1]) for tag in tags)
        if needles.within(path.read_bytes()):
            seen.add("bytes")
        if named or needles.within(json.dumps(tags, ensure_ascii=False).encode()):
            seen.add("exiftool")
        if any(found.what is What.LOCATION for found in find(path, reader_of)):
            seen.add("readers")
    return seen


def exiftool_tags(paths: list[Path]) -> dict[str, dict[str, Any]]:
    """The tags that ExifTool finds in the files, without those of the file system."""
    command = ["exiftool", "-ee3", "-a", "-u", "-U", "-G1:4", "-s", "-json", "-@", "-"]
    done = subprocess.run(
        command, input="\n".join(map(str, paths)).encode(), capture_output=True, check=False
    )
    return {
        tags.pop("SourceFile"): {
            tag: value for tag, value in tags.items() if not tag.startswith("System:")
        }
        for tags in json.loads(done.stdout or b"[]")
    }


def count_right(
    result: ToolResult, pictures: list[MarkedPicture], wanted: dict[str, list[Pixel]]
) -> int:
    """The number of tagged pictures that still look right."""
    count = 0
    for picture in pictures:
        if made := result.made.get(picture.name):
            off = [
                abs(a - b)
                for got, want in zip(shown(made[0]), wanted[picture.name], strict=True)
                for a, b in zip(got, want, strict=True)
            ]
            count += max(off) <= picture.tolerance
    return count


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = folder / "corpus"
        names = [planted.name for planted in build(corpus)]
        rows = json.loads((corpus / "manifest.json").read_text("utf-8"))["files"]
        pictures = marked(folder)
        for picture in pictures:
            (corpus / picture.name).write_bytes(picture.data)
        wanted = {picture.name: shown(corpus / picture.name) for picture in pictures}
        inputs = [corpus / each_name for each_name in (*names, *wanted)]
        results = []
        for tool in (mat2, exiftool, copied, pillow):
            out = folder / tool.__name__
            out.mkdir()
            title = {"copied": "FFmpeg -c copy", "exiftool": "ExifTool -all="}
            taken = [path for path in inputs if tool is not pillow or path.suffix in _STILLS]
            results.append(
                run_on_each(
                    title.get(tool.__name__, tool.__name__.replace("pillow", "Pillow")),
                    taken,
                    out,
                    tool,
                )
            )
        results.append(our_result(inputs, folder))
        print(f"{len(rows)} carriers, {len(pictures)} marked pictures")
        print("| tool | taken | refused | leaking | of them seen by | right | CPU s |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for result in results:
            made = [path for paths in result.made.values() for path in paths]
            said = exiftool_tags(made)
            taken_rows = [row for row in rows if row["name"] in result.made]
            seen = [leaks(result.made[row["name"]], row, said) for row in taken_rows]
            by = ", ".join(
                f"{judge} {sum(judge in one for one in seen)}"
                for judge in ("bytes", "exiftool", "readers")
            )
            correct = count_right(result, pictures, wanted)
            marks = sum(picture.name in result.made for picture in pictures)
            print(
                f"| {result.tool} | {len(taken_rows)} | {len(rows) - len(taken_rows)} "
                f"| {sum(map(bool, seen))} | {by} | {correct} of {marks} | {result.cpu_s:.1f} |"
            )
        shutil.rmtree(corpus)


if __name__ == "__main__":
    main()
