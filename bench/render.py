"""What a montage costs: against a bare concat copy, and against one graph of everything.

    .venv/bin/python -m bench.render [CLIPS] [SIZE] [NOISE]

Clips of 3 s that FFmpeg draws come in through a drop folder and are processed; with NOISE of 7
each picture has what a phone's sensor adds in poor light.  CPU seconds, user and system, with
all that is started; the floors are taken in the same run.  Allowed: hard cuts 3 times the wall
time of the bare copy with its AAC encode; crossfades 25 % of the CPU of one graph; a clip dropped
or moved twice the CPU of the bare copy, and 3 % of the first build, both less the AAC encode.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench._cpu import Cost, cost_of, footage
from pipeline.config import Output
from pipeline.ffmpeg.runner import program
from pipeline.ledger import Ledger
from pipeline.media import encode
from pipeline.model import Review

CONFIG = """
[campaign]
name = "River Week 2026"
hashtags = ["#RiverWeek"]
[inbox]
url = "folder:drop"
[process]
sandbox = "landlock"   # bubblewrap hides what its children took
[review]
required = false
[montage]
order = "order.txt"
{montage}
[[output]]
name = "bench"
size = "{size}"
fps = 30
"""
FRAMES = 90
FADE = 15
_SOURCES = (
    "testsrc2=",
    "mandelbrot=maxiter=300:start_scale={s}:",
    "gradients=seed={n}:n=5:speed=0.05:",
)
_QUIET = ("-nostdin", "-hide_banner", "-v", "error", "-y")


@dataclass(frozen=True)
class Bench:
    """A campaign with its clips."""

    folder: Path
    size: str

    def footage(self, command: str) -> Cost:
        """A command of ours."""
        return footage(self.folder, command)

    def configure(self, montage: str) -> None:
        """Write the configuration anew."""
        text = CONFIG.format(montage=montage, size=self.size)
        (self.folder / "config.toml").write_text(text)

    def order(self, shas: Sequence[str]) -> None:
        """Put these clips in this order, and leave others out."""
        (self.folder / "order.txt").write_text("".join(f"{sha}\n" for sha in shas))

    def ledger(self) -> Ledger:
        """The campaign's ledger."""
        return Ledger(self.folder / "work" / "ledger.db")

    def contents(self) -> list[dict[str, Any]]:
        """The segments of the montage."""
        path = self.folder / "work" / "montage" / "montage-bench.json"
        listed: list[dict[str, Any]] = json.loads(path.read_text())["segments"]
        return listed


def draw(bench: Bench, clips: int, noise: int) -> None:
    """Sources no two alike, with noise of this strength in each picture."""
    drop = bench.folder / "drop"
    drop.mkdir()
    for number in range(clips):
        source = _SOURCES[number % 3].format(n=number, s=3 / (number + 1))
        graph = f"{source}s={bench.size}:r=30,trim=end_frame={FRAMES},format=yuv420p"
        graph += f",hue=h={number * 13 % 360},noise=alls={noise}:allf=t"
        command = [program(), *_QUIET, "-f", "lavfi", "-i", graph]
        command += ["-f", "lavfi", "-i", f"sine=f={200 + 7 * number}:r=48000:d=3"]
        command += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-c:a", "aac"]
        subprocess.run([*command, str(drop / f"{number:04}.mp4")], check=True)


def bare(bench: Bench) -> Cost:
    """The concat demuxer, the picture copied, the lossless sound through one AAC encoder."""
    listed = bench.folder / "bare.txt"
    files = (bench.folder / "work" / segment["path"] for segment in bench.contents())
    listed.write_text("".join(f"file '{path}'\n" for path in files))
    command = [program(), *_QUIET, "-f", "concat", "-safe", "0", "-i", str(listed)]
    command += ["-map", "0:v:0", "-map", "0:a:1", "-c:v", "copy", "-c:a", "aac", "-b:a", "192k"]
    command += ["-movflags", "+faststart", str(bench.folder / "bare.mp4")]
    return cost_of(command, bench.folder)


def sound(bench: Bench) -> Cost:
    """The AAC encode of the whole alone."""
    command = [program(), *_QUIET, "-i", str(bench.folder / "bare.mp4"), "-vn"]
    decoded = str(bench.folder / "bare.wav")
    subprocess.run([*command, decoded], check=True)
    encoded = str(bench.folder / "bare.m4a")
    command = [program(), *_QUIET, "-i", decoded, "-c:a", "aac", "-b:a", "192k", encoded]
    return cost_of(command, bench.folder)


def one_graph(bench: Bench) -> Cost:
    """The same film with its crossfades as one graph of all clips, encoded again."""
    segments = bench.contents()
    command = [program(), *_QUIET]
    for segment in segments:
        command += ["-threads", "1", "-i", str(bench.folder / "work" / segment["path"])]
    graph, offset = "", 0
    picture, heard = "0:v:0", "0:a:1"
    for index in range(1, len(segments)):
        offset += segments[index - 1]["frames"] - FADE
        graph += (
            f"[{picture}][{index}:v:0]xfade=duration={FADE / 30}"
            f":offset={offset / 30:.6f}[v{index}];"
            f"[{heard}][{index}:a:1]acrossfade=d={FADE / 30}[a{index}];"
        )
        picture, heard = f"v{index}", f"a{index}"
    graph += f"[{picture}]format=yuv420p[v]"
    command += ["-filter_complex_threads", "1", "-filter_complex", graph]
    command += ["-map", "[v]", "-map", f"[{heard}]", "-c:a", "aac", "-b:a", "192k"]
    for key, value in encode.video_arguments(Output(size=bench.size)).items():
        command += [f"-{key}", str(value)]
    return cost_of([*command, str(bench.folder / "graph.mp4")], bench.folder)


def main() -> None:
    clips = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    size = sys.argv[2] if len(sys.argv) > 2 else "640x360"
    noise = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), size)
        bench.configure("")
        draw(bench, clips, noise)
        print(f"render: {clips} clips of 3 s, {size}, noise {noise}", flush=True)
        measure(bench)


def measure(bench: Bench) -> None:
    bench.footage("ingest")
    first = bench.footage("process")
    with bench.ledger() as ledger:
        shas = [item.sha256 or "" for item, _ in ledger.clips.candidates()]
    bench.order(shas)
    hard = bench.footage("render")
    floor = bare(bench)
    again = bare(bench)
    floor = min(floor, again, key=lambda each: each.wall)
    aac = sound(bench)
    print(f"  first process            {first.cpu:8.2f} s CPU {first.wall:8.2f} s wall")
    print(f"  bare copy with AAC       {floor.cpu:8.2f} s CPU {floor.wall:8.2f} s wall")
    print(f"  of that the AAC encode   {aac.cpu:8.2f} s CPU")
    print(f"  hard cuts                {hard.cpu:8.2f} s CPU {hard.wall:8.2f} s wall")
    print(f"  wall, times the bare copy{hard.wall / floor.wall:8.2f}   (3 allowed)")
    changes(bench, shas, first + hard, floor, aac)
    bench.configure(f"transition_seconds = {FADE / 30}")
    made = bench.footage("process")
    fades = bench.footage("render")
    graph = one_graph(bench)
    print(f"  crossfades               {fades.cpu:8.2f} s CPU {fades.wall:8.2f} s wall")
    print(f"  one graph                {graph.cpu:8.2f} s CPU {graph.wall:8.2f} s wall")
    print(f"  share of the graph       {fades.cpu / graph.cpu:8.1%}   (25 % allowed)")
    changes(bench, shas, made + fades, floor, aac)


def changes(bench: Bench, shas: list[str], first: Cost, floor: Cost, aac: Cost) -> None:
    """What a clip costs that is dropped, moved, or has another caption."""

    def told(name: str, took: Cost) -> None:
        share = (took.cpu - aac.cpu) / (first.cpu - aac.cpu)
        print(
            f"  {name:25}{took.cpu:8.2f} s CPU {took.wall:8.2f} s wall, "
            f"{took.cpu / floor.cpu:5.2f} times the bare copy, {share:6.2%} of the first build"
        )

    half = len(shas) // 2
    bench.order([*shas[:half], *shas[half + 1 :]])
    told("one dropped", bench.footage("render"))
    bench.order([*shas[:10], shas[half], *shas[10:half], *shas[half + 1 :]])
    told("one moved", bench.footage("render"))
    with bench.ledger() as ledger:
        before = ledger.reviews.current().get(shas[3], Review())
        after = Review(caption=f"#Another{before.caption or ''}")
        ledger.reviews.amend(shas[3], lambda _: after)
    told("one caption changed", bench.footage("render"))
    bench.order(shas)
    bench.footage("render")


if __name__ == "__main__":
    main()
