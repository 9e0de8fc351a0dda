"""What a montage costs, compared with a bare concat copy and with one graph of all clips.

    .venv/bin/python -m bench.render [CLIPS] [SIZE] [NOISE]

FFmpeg draws clips of 3 s, which come in through a drop folder and are processed.  NOISE of 7 is
about what a phone's sensor adds in poor light.  CPU is user and system time of a program and of
all that it starts; the baselines are measured in the same run.  Allowed: hard cuts take 3 times
the wall time of the bare copy with its AAC encode; crossfades take 25 % of the CPU of one graph;
after a clip is dropped or moved, a render takes twice the CPU of the bare copy and 3 % of the
first build, both without the AAC encode.
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

from bench._campaign import DROP
from bench._cpu import Cost, cost_of, footage
from pipeline.codecs import codec_of
from pipeline.config import Output
from pipeline.ffmpeg.runner import program
from pipeline.ledger import Ledger
from pipeline.model import Review

CONFIG = (
    DROP
    + """\
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
)
FRAMES = 90
FADE = 15
_SOURCES = (
    "testsrc2=",
    "mandelbrot=maxiter=300:start_scale={s}:",
    "gradients=seed={n}:n=5:speed=0.05:",
)
_QUIET = ("-nostdin", "-hide_banner", "-v", "error", "-y")


@dataclass(frozen=True)
class BenchCampaign:
    """A campaign with its clips."""

    folder: Path
    size: str

    def footage(self, command: str) -> Cost:
        """Run one of our commands."""
        return footage(self.folder, command)

    def configure(self, montage: str) -> None:
        """Write ``config.toml``."""
        text = CONFIG.format(montage=montage, size=self.size)
        (self.folder / "config.toml").write_text(text)

    def order(self, shas: Sequence[str]) -> None:
        """Write the order file: these clips in this order, and no others."""
        (self.folder / "order.txt").write_text("".join(f"{sha}\n" for sha in shas))

    def ledger(self) -> Ledger:
        """The campaign's ledger."""
        return Ledger(self.folder / "work" / "ledger.db")

    def contents(self) -> list[dict[str, Any]]:
        """The segments of the montage."""
        path = self.folder / "work" / "montage" / "montage-bench.json"
        listed: list[dict[str, Any]] = json.loads(path.read_text())["segments"]
        return listed


def draw(campaign: BenchCampaign, clips: int, noise: int) -> None:
    """Make films that all differ, with *noise* of this strength in each picture."""
    drop = campaign.folder / "drop"
    drop.mkdir()
    for number in range(clips):
        source = _SOURCES[number % 3].format(n=number, s=3 / (number + 1))
        graph = f"{source}s={campaign.size}:r=30,trim=end_frame={FRAMES},format=yuv420p"
        graph += f",hue=h={number * 13 % 360},noise=alls={noise}:allf=t"
        command = [program(), *_QUIET, "-f", "lavfi", "-i", graph]
        command += ["-f", "lavfi", "-i", f"sine=f={200 + 7 * number}:r=48000:d=3"]
        command += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-c:a", "aac"]
        subprocess.run([*command, str(drop / f"{number:04}.mp4")], check=True)


def bare(campaign: BenchCampaign) -> Cost:
    """The concat demuxer: the picture is copied, the lossless sound is encoded to AAC."""
    listed = campaign.folder / "bare.txt"
    files = (campaign.folder / "work" / segment["path"] for segment in campaign.contents())
    listed.write_text("".join(f"file '{path}'\n" for path in files))
    command = [program(), *_QUIET, "-f", "concat", "-safe", "0", "-i", str(listed)]
    command += ["-map", "0:v:0", "-map", "0:a:1", "-c:v", "copy", "-c:a", "aac", "-b:a", "192k"]
    command += ["-movflags", "+faststart", str(campaign.folder / "bare.mp4")]
    return cost_of(command, campaign.folder)


def sound(campaign: BenchCampaign) -> Cost:
    """Only the AAC encode of the whole montage."""
    command = [program(), *_QUIET, "-i", str(campaign.folder / "bare.mp4"), "-vn"]
    decoded = str(campaign.folder / "bare.wav")
    subprocess.run([*command, decoded], check=True)
    encoded = str(campaign.folder / "bare.m4a")
    command = [program(), *_QUIET, "-i", decoded, "-c:a", "aac", "-b:a", "192k", encoded]
    return cost_of(command, campaign.folder)


def one_graph(campaign: BenchCampaign) -> Cost:
    """The same montage with its crossfades as one graph of all clips, all of it encoded."""
    segments = campaign.contents()
    command = [program(), *_QUIET]
    for segment in segments:
        command += ["-threads", "1", "-i", str(campaign.folder / "work" / segment["path"])]
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
    output = Output(size=campaign.size)
    for key, value in codec_of(output).arguments(output).items():
        command += [f"-{key}", str(value)]
    return cost_of([*command, str(campaign.folder / "graph.mp4")], campaign.folder)


def main() -> None:
    clips = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    size = sys.argv[2] if len(sys.argv) > 2 else "640x360"
    noise = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with tempfile.TemporaryDirectory() as name:
        campaign = BenchCampaign(Path(name), size)
        campaign.configure("")
        draw(campaign, clips, noise)
        print(f"render: {clips} clips of 3 s, {size}, noise {noise}", flush=True)
        measure(campaign)


def measure(campaign: BenchCampaign) -> None:
    campaign.footage("ingest")
    first = campaign.footage("process")
    with campaign.ledger() as ledger:
        shas = [item.sha256 or "" for item, _ in ledger.clips.candidates()]
    campaign.order(shas)
    hard = campaign.footage("render")
    floor = bare(campaign)
    again = bare(campaign)
    floor = min(floor, again, key=lambda each: each.wall)
    aac = sound(campaign)
    print(f"  first process            {first.cpu:8.2f} s CPU {first.wall:8.2f} s wall")
    print(f"  bare copy with AAC       {floor.cpu:8.2f} s CPU {floor.wall:8.2f} s wall")
    print(f"  of that the AAC encode   {aac.cpu:8.2f} s CPU")
    print(f"  hard cuts                {hard.cpu:8.2f} s CPU {hard.wall:8.2f} s wall")
    print(f"  wall, times the bare copy{hard.wall / floor.wall:8.2f}   (3 allowed)")
    changes(campaign, shas, Baselines(first + hard, floor, aac))
    campaign.configure(f"transition_seconds = {FADE / 30}")
    made = campaign.footage("process")
    fades = campaign.footage("render")
    graph = one_graph(campaign)
    print(f"  crossfades               {fades.cpu:8.2f} s CPU {fades.wall:8.2f} s wall")
    print(f"  one graph                {graph.cpu:8.2f} s CPU {graph.wall:8.2f} s wall")
    print(f"  share of the graph       {fades.cpu / graph.cpu:8.1%}   (25 % allowed)")
    changes(campaign, shas, Baselines(made + fades, floor, aac))


@dataclass(frozen=True)
class Baselines:
    """What a render is compared with."""

    first_build: Cost
    bare_copy: Cost
    aac: Cost


def changes(campaign: BenchCampaign, shas: list[str], base: Baselines) -> None:
    """Measure a render after a clip was dropped, moved, or got another caption."""

    def report(name: str, took: Cost) -> None:
        share = (took.cpu - base.aac.cpu) / (base.first_build.cpu - base.aac.cpu)
        print(
            f"  {name:25}{took.cpu:8.2f} s CPU {took.wall:8.2f} s wall, "
            f"{took.cpu / base.bare_copy.cpu:5.2f} times the bare copy, "
            f"{share:6.2%} of the first build"
        )

    half = len(shas) // 2
    campaign.order([*shas[:half], *shas[half + 1 :]])
    report("one dropped", campaign.footage("render"))
    campaign.order([*shas[:10], shas[half], *shas[10:half], *shas[half + 1 :]])
    report("one moved", campaign.footage("render"))
    with campaign.ledger() as ledger:
        before = ledger.reviews.current().get(shas[3], Review())
        after = Review(caption=f"#Another{before.caption or ''}")
        ledger.reviews.amend(shas[3], lambda _: after)
    report("one caption changed", campaign.footage("render"))
    campaign.order(shas)
    campaign.footage("render")


if __name__ == "__main__":
    main()
