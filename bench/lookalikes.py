"""How well copies of a film are found, and how often other films are taken for copies.

    FOOTAGE=folder .venv/bin/python -m bench.lookalikes [--all]

The films are cuts of the real films in FOOTAGE.  Cuts of one film that do not overlap are the hard
negatives: the same place, the same people, another event.  So are two gestures of one person, and
somebody who is drawn into a photo of a street.  Each cut is copied in ten ways: smaller, at another
rate, cut at the ends, with the caption of an app, mirrored, cropped, brighter, as a recording of a
screen.  Every copy is encoded and reduced to the pictures that ``process`` looks at.  It ends with
1 if another film was taken for a copy.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from pipeline.ffmpeg.runner import program
from pipeline.process import glance, lookalikes
from pipeline.process.lookalikes import ClipMarks

_CUTS = (  # file, from, seconds
    *(("bottle.mp4", start, 8.0) for start in (0.0, 8.0, 16.0, 24.0)),
    *(("bunny.webm", start, 7.5) for start in (0.0, 7.5, 15.0, 22.5)),
    *(("broken-audio.mp4", start, 5.0) for start in (0.0, 5.2)),
    *((name, 0.0, 9.0) for name in ("asl-milk.mkv", "asl-thanks.mkv", "fire.mp4", "nature.mp4")),
    *((name, 0.0, 9.0) for name in ("camera.avi", "issue515.mp4", "sample.3gp", "realshort.mp4")),
    *((name, 0.0, 9.0) for name in ("animated.gif", "no-duration.webm")),
)
_COPIES = {
    "smaller": "scale=240:-2",
    "rate": "scale=320:-2,fps=15",
    "ends": "trim=0.35:{less},setpts=PTS-STARTPTS,scale=320:-2",
    "begin": "trim=0.8,setpts=PTS-STARTPTS,scale=320:-2",
    "caption": "scale=320:180,drawbox=0:ih*0.82:iw:ih*0.12:black@0.7:t=fill,"
    "drawbox=iw*0.1:ih*0.86:iw*0.7:ih*0.04:white:t=fill",
    "mirror": "scale=320:-2,hflip",
    "crop": "crop=iw*0.94:ih*0.94,scale=320:-2",
    "bright": "scale=320:-2,eq=brightness=0.08:contrast=1.15",
    "screen": "scale=324:-2,pad=360:640:(ow-iw)/2:(oh-ih)/2,fps=30",
    "bars": "scale=288:162,pad=320:180:(ow-iw)/2:(oh-ih)/2",
}
# the one file is an excerpt of the other
_SAME = {"nature.mp4@0": "bunny.webm@0"}


@dataclass(frozen=True)
class KnownFilm:
    """A film whose truth is known: ``family`` is equal for copies of the same cut."""

    name: str
    family: str
    marks: ClipMarks


def looked_at(source: tuple[str, ...], copy: str, folder: Path) -> tuple[io.BytesIO, float]:
    """Encode a film, and reduce it as ``process`` does; return the pictures and its length."""
    film = folder / "film.mp4"
    encode = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "33", "-pix_fmt", "yuv420p", "-an")
    even = f"{copy},scale=trunc(iw/2)*2:trunc(ih/2)*2" if copy else "scale=480:-2"
    ffmpeg(*source, "-vf", even, *encode, "-y", str(film))
    small = f"fps=4:start_time=0:round=up,scale={glance.SIDE}:{glance.SIDE}:flags=area:out_range=pc"
    said = ffmpeg("-i", str(film), "-vf", f"{small},format=gray", "-f", "rawvideo", "-")
    length = ffmpeg("-i", str(film), "-map", "0:v", "-c", "copy", "-f", "framecrc", "-")
    frames = [line.split(b",") for line in length.splitlines() if not line.startswith(b"#")]
    base = next(line for line in length.splitlines() if line.startswith(b"#tb")).split()[-1]
    top, bottom = map(int, base.split(b"/"))
    end = max(int(each[2]) + int(each[3]) for each in frames) * top / bottom
    return io.BytesIO(said), end


def ffmpeg(*arguments: str) -> bytes:
    """Run FFmpeg and return its standard output."""
    command = [program(), "-nostdin", "-loglevel", "error", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


def films(footage: Path) -> list[KnownFilm]:
    """Make all films and their copies, and calculate the marks of each."""
    wanted: list[tuple[str, tuple[str, ...], float]] = []
    for name, start, seconds in _CUTS:
        if (footage / name).exists():
            cut = ("-ss", str(start), "-t", str(seconds), "-i", str(footage / name))
            wanted.append((f"{name}@{start:g}", cut, seconds))
    still = ("-loop", "1", "-t", "3", "-i", str(footage / "city.jpg"))
    box = "drawbox=0:0:40:40:red:t=fill"
    for number, move in enumerate(("40+30*sin(3*t)", "200-60*t", "120"), 1):
        person = f"color=brown:s=40x60:r=25:d=3,{box}[b]"
        place = f"x='{move}':y='60+20*cos({number}*t)'"
        graph = f"[0]scale=320:180,fps=25[a];{person};[a][b]overlay={place}"
        wanted.append((f"person-{number}", (*still, "-filter_complex", graph), 3.0))
    jobs = [
        (f"{name}/{kind}", name, cut, copy.format(less=max(1.2, seconds - 0.7)))
        for name, cut, seconds in wanted
        for kind, copy in {"original": "", **_COPIES}.items()
    ]
    with ThreadPoolExecutor(2) as pool:
        return [film for film in pool.map(_film, jobs) if film]


def _film(job: tuple[str, str, tuple[str, ...], str]) -> KnownFilm | None:
    name, family, cut, copy = job
    with tempfile.TemporaryDirectory() as folder:
        if "-filter_complex" in cut:
            whole = Path(folder, "drawn.mp4")
            ffmpeg(*cut, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", str(whole))
            cut = ("-i", str(whole))
        try:
            file, length = looked_at(cut, copy, Path(folder))
        except (subprocess.CalledProcessError, ValueError, StopIteration):
            return None  # a film that is shorter than what is cut away
    return KnownFilm(
        name,
        _SAME.get(family, family),
        ClipMarks(name, lookalikes.marks_of(glance.read(file, 4.0)), length),
    )


def main() -> int:
    """Print which copies were found, and which other films were taken for copies; 1 if any were."""
    folder = os.environ.get("FOOTAGE")
    if not folder:
        print("lookalikes: set FOOTAGE to a folder of real films")
        return 0
    known = films(Path(folder))
    started = time.process_time()
    alike = {
        (one.name, other.name)
        for one, other in combinations(known, 2)
        if lookalikes.find([one.marks, other.marks])
    }
    took = time.process_time() - started
    same = [
        (a, b)
        for a, b in combinations(known, 2)
        if a.name.partition("/")[0] == b.name.partition("/")[0] and a.name.endswith("/original")
    ]
    others = [(a, b) for a, b in combinations(known, 2) if a.family != b.family]
    missed = [(a.name, b.name) for a, b in same if (a.name, b.name) not in alike]
    wrong = [(a.name, b.name) for a, b in others if (a.name, b.name) in alike]
    print(f"copies found: {len(same) - len(missed)} of {len(same)}")
    print(f"others taken for copies: {len(wrong)} of {len(others)} pairs")
    print(f"compared {len(known) * (len(known) - 1) // 2} pairs in {took:.2f} s")
    if "--all" in sys.argv:
        for title, pairs in (("missed", missed), ("wrong", wrong)):
            print(title, *(f"  {one} {other}" for one, other in pairs), sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
