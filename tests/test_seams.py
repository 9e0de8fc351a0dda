"""Crossfades and trims: the seams alone are encoded again, and look as in one graph."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from support import render_scene
from support.command_scene import watch
from support.render_scene import Drawn, RenderScene, hashes, samples, sha

from pipeline import judge
from pipeline.config import Output
from pipeline.ffmpeg import runner
from pipeline.ffmpeg.graph import Graph, Option, Video, read, write, xfade
from pipeline.ledger import Ledger
from pipeline.media import encode, timebase
from pipeline.process import recipe
from pipeline.render import seams, sound
from pipeline.render.cuts import Bridge, Stretch
from pipeline.render.timeline import Segment, Timeline
from pipeline.store import unknown_bridges

FADE = 'transition_seconds = 0.5\nopening_card = ""\nclosing_card = false\n'
FOUR = {
    "a": Drawn(0, 90, 300),
    "b": Drawn(1, 75, 500),
    "c": Drawn(2, 130, 700),
    "d": Drawn(3, 61, 900),
}


def begin(folder: Path, montage: str = FADE, clips: dict[str, Drawn] | None = None) -> RenderScene:
    return render_scene.begin(folder, clips or FOUR, montage)


def identical(scene: RenderScene) -> list[tuple[int, int]]:
    """Of each segment: how many pictures outside its fades there are, and are its clip's."""
    shown = hashes(scene.film)
    segments = scene.contents["segments"]
    found = []
    for index, segment in enumerate(segments):
        before = segment["fade_in_frames"]
        after = segments[index + 1]["fade_in_frames"] if index + 1 < len(segments) else 0
        wanted = hashes(scene.work / segment["path"])[segment["in_frame"] : segment["out_frame"]]
        at = round(segment["start_s"] * 30)
        got = shown[at : at + segment["frames"]]
        pairs = list(zip(wanted, got, strict=True))[before : segment["frames"] - after]
        found.append((len(pairs), sum(one == other for one, other in pairs)))
    return found


def programs(scene: RenderScene) -> Counter[str]:
    return Counter(program["purpose"] for program in scene.programs())


def in_one_graph(scene: RenderScene, transition: str, into: Path) -> None:
    """The same film as one xfade graph of all clips, without loss."""
    segments = scene.contents["segments"]
    command = [runner.program(), "-nostdin", "-v", "error", "-y"]
    for segment in segments:
        command += ["-i", str(scene.work / segment["path"])]
    graph, last, offset = "", "0:v", 0
    for index, segment in enumerate(segments[1:], 1):
        fade = segment["fade_in_frames"]
        offset += segments[index - 1]["frames"] - fade
        graph += (
            f"[{last}][{index}:v]xfade=transition={transition}:duration={fade / 30:.6f}"
            f":offset={offset / 30:.6f}[x{index}];"
        )
        last = f"x{index}"
    command += ["-filter_complex", graph.rstrip(";"), "-map", f"[{last}]"]
    command += [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-qp",
        "0",
        str(into),
    ]
    subprocess.run(command, check=True)


def likeness(one: Path, other: Path) -> list[float]:
    """SSIM of each picture of two films."""
    graph = "[0:v]settb=1/30,setpts=N[a];[1:v]settb=1/30,setpts=N[b];[a][b]ssim=stats_file=-"
    command = [runner.program(), "-nostdin", "-v", "error", "-i", str(one), "-i", str(other)]
    command += ["-filter_complex", graph, "-f", "null", "-"]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = ended.stdout.splitlines()
    return [float(line.split("All:")[1].split()[0]) for line in lines if "All:" in line]


@pytest.mark.parametrize("transition", ["fade", "wipeleft"])
def test_the_seams_alone_differ_and_look_as_in_one_graph(tmp_path: Path, transition: str) -> None:
    scene = render_scene.begin(
        tmp_path, FOUR, FADE + f'transition = "{transition}"\n', quality="standard"
    )
    told = scene.render()
    assert told["frames"] == 90 + 75 + 130 + 61 - 3 * 15
    seen = watch(scene.film)
    assert (seen.frames, seen.even) == (told["frames"], True)
    assert 0 <= seen.samples - timebase.samples_of(told["frames"], 30) < 1024
    for pictures, same in identical(scene):
        assert same == pictures > 0
    in_one_graph(scene, transition, tmp_path / "graph.mp4")
    found = likeness(scene.film, tmp_path / "graph.mp4")
    assert len(found) == told["frames"]
    assert min(found) >= 0.98


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
def test_what_is_made_at_the_desk_has_the_parameter_sets_of_clips(
    tmp_path: Path, quality: Literal["draft", "standard", "high"]
) -> None:
    output = Output(size="320x180", quality=quality)
    ways = (encode.clip_arguments, encode.card_arguments, encode.piece_arguments)
    found = set()
    for number, way in enumerate(ways):
        path = tmp_path / f"{number}.mp4"
        command = [runner.program(), "-nostdin", "-v", "error", "-f", "lavfi"]
        command += ["-i", "testsrc2=s=320x180:r=30,trim=end_frame=20,format=yuv420p"]
        for key, value in way(output).items():
            if not key.startswith("disposition"):
                command += [f"-{key}", str(value)]
        subprocess.run([*command, str(path)], check=True)
        found.add(judge.judge_mp4(path, judge.Mp4Kind.PIECE).video.extradata)
    assert len(found) == 1


@pytest.mark.parametrize(("tail", "head"), [(15, 15), (40, 15), (15, 33), (22, 20)])
def test_a_fade_is_that_of_xfade(tail: int, head: int) -> None:
    def drawn(source: str, frames: int) -> Video:
        made = read(f"{source}=s=96x64:r=30", {"f": "lavfi"}).video("0").filter("format", "yuv420p")
        counted = made.filter("trim", end_frame=frames).filter("settb", "1/30")
        return counted.filter("setpts", "N").filter("fps", fps=30)

    def pictures(shown: Video) -> npt.NDArray[np.int16]:
        written = write("-", {"f": "rawvideo"}, shown.filter("format", "yuv420p"))
        command = [runner.program(), *Graph((written,)).arguments()]
        raw = subprocess.run(command, check=True, capture_output=True).stdout
        return np.frombuffer(raw, np.uint8).reshape(-1, 96 * 64 * 3 // 2).astype(np.int16)

    sides = drawn("testsrc2", tail), drawn("mandelbrot", head)
    segment = Segment("", "", "", frames=90, extradata="", start=0, stop=90)
    film = Timeline(Output(size="96x64", fps=30), (segment, segment), (15,), "fade")
    bridge = Bridge(Stretch(segment, 0, tail), Stretch(segment, 0, head), 15)
    ours = pictures(seams.crossed(bridge, film, *sides))
    times: dict[str, Option] = {"duration": 0.5, "offset": (tail - 15) / 30}
    theirs = pictures(xfade(*sides, transition="fade", **times))
    assert len(ours) == len(theirs) == tail + head - 15
    # brightness alone: xfade has pictures with colour for each pixel only, and blurs ours twice
    assert np.abs(ours - theirs)[:, : 96 * 64].max() <= 1
    first, second = map(pictures, sides)
    share = np.arange(15)[:, None] / 15
    mixed = np.concatenate(
        [first[: tail - 15], first[tail - 15 :] * (1 - share) + second[:15] * share, second[15:]]
    )
    assert np.abs(ours - mixed).max() <= 1.5


def test_short_neighbours_shorten_a_fade_and_cards_fade_too(tmp_path: Path) -> None:
    clips = {"a": Drawn(0, 20), "b": Drawn(1, 5), "c": Drawn(2, 1), "d": Drawn(3, 90)}
    scene = begin(tmp_path, "transition_seconds = 0.5\n", clips)
    told = scene.render()
    fades = [segment["fade_in_frames"] for segment in scene.contents["segments"]]
    assert fades == [0, 10, 2, 0, 0, 15]
    assert watch(scene.film).frames == told["frames"] == 90 + 20 + 5 + 1 + 90 + 90 - 27


def test_clips_that_were_not_made_for_the_fade_still_fade_exactly(tmp_path: Path) -> None:
    scene = render_scene.begin(tmp_path, FOUR, FADE, cut=False)
    told = scene.render()
    assert watch(scene.film).frames == told["frames"]
    in_one_graph(scene, "fade", tmp_path / "graph.mp4")
    assert min(likeness(scene.film, tmp_path / "graph.mp4")) > 0.9  # drafts, encoded twice


def test_a_seam_is_made_once_ever(tmp_path: Path) -> None:
    scene = begin(tmp_path)
    scene.render()
    assert programs(scene)["seam"] == 1  # three small ones in a batch
    kept = [scene.workspace.relative(path) for path in seams.folder(scene.workspace).iterdir()]
    assert len(kept) == 3
    a_seam_goes_with_its_clip(scene, kept)
    scene.configure(FADE + 'order = "order.txt"\n')
    order = tmp_path / "order.txt"
    order.write_text("".join(f"{sha(name)}\n" for name in "acd"))
    scene.render()
    assert len(list(seams.folder(scene.workspace).iterdir())) == 4  # a into c is new
    before = programs(scene)["seam"]
    order.write_text("".join(f"{sha(name)}\n" for name in "abcd"))
    scene.render()
    assert programs(scene)["seam"] == before
    assert scene.contents["frames"] == watch(scene.film).frames


def a_seam_goes_with_its_clip(scene: RenderScene, made: list[str]) -> None:
    """Also if the clip was made anew, with a mask for example."""
    with Ledger(scene.workspace.ledger) as ledger:
        known = ledger.clips.results()
    former = f"cache/seams/{sha('b')[:16]}-{sha('a')[:16]}-{'0' * 32}.mp4"  # of an older version
    assert [*unknown_bridges([*made, former], known.values())] == []
    (output,) = known[sha("b")].outputs
    anew = replace(known[sha("b")], outputs=(replace(output, sha256="0" * 64),))
    of_b = [path for path in made if sha("b")[:16] in path]
    assert len(of_b) == 2
    assert [*unknown_bridges([*made, former], {**known, sha("b"): anew}.values())] == of_b
    del known[sha("b")]
    assert [*unknown_bridges([*made, former], known.values())] == [*of_b, former]


@pytest.mark.parametrize("montage", ["", "transition_seconds = 0.5\n"])
def test_in_and_out_points_are_exact(tmp_path: Path, montage: str) -> None:
    hard = montage + 'opening_card = ""\nclosing_card = false\n'
    clips = {"a": Drawn(0, 200, 300), "b": Drawn(1, 75, 500), "c": Drawn(3, 50, 700)}
    scene = begin(tmp_path, hard, clips)
    scene.review("a", in_s=0.4, out_s=5.0)
    scene.review("b", out_s=1.0)
    scene.review("c", in_s=1.5, out_s=1.4)
    told = scene.render()
    fade = 15 if montage else 0
    assert told["frames"] == 138 + 30 - fade == watch(scene.film).frames
    first, second = scene.contents["segments"]
    assert (first["in_frame"], first["out_frame"]) == (12, 150)
    assert (second["in_frame"], second["out_frame"]) == (0, 30)
    why = {"sha256": sha("c"), "why": "its in and out points leave nothing"}
    assert scene.contents["left_out"] == [why]
    # one group of pictures a side at most is encoded again
    outside = identical(scene)
    assert outside[0][0] - outside[0][1] <= 2 * 60
    assert outside[0][1] >= 30
    wanted = samples(scene.work / first["path"], "0:a:1")[12 * 1600 * 4 : (150 - fade) * 1600 * 4]
    got = samples(scene.film, "0:a:0")[: len(wanted)]
    heard, played = (np.frombuffer(data, np.int16).astype(float) for data in (wanted, got))
    assert np.sqrt(np.mean((heard - played) ** 2)) < 0.1 * np.sqrt(np.mean(heard**2))
    scene.render()
    assert programs(scene)["seam"] == 1


def test_each_picture_of_a_trimmed_clip_is_the_right_one(tmp_path: Path) -> None:
    scene = begin(tmp_path, 'opening_card = ""\nclosing_card = false\n', {"a": Drawn(0, 150)})
    scene.review("a", in_s=0.7, out_s=4.5)
    scene.render()
    cut = tmp_path / "cut.mkv"
    command = [runner.program(), "-nostdin", "-v", "error"]
    command += ["-i", str(scene.workspace.clip(sha("a"), "small"))]
    command += ["-vf", "trim=start_frame=21:end_frame=135,setpts=PTS-STARTPTS", "-an"]
    subprocess.run([*command, "-c:v", "libx264", "-qp", "0", str(cut)], check=True)
    found = likeness(scene.film, cut)
    assert len(found) == 114
    # testsrc2 moves: a picture that is one off is less alike than any loss of a draft
    assert min(found) > 0.9


def test_a_clip_longer_than_allowed_shows_its_beginning(tmp_path: Path) -> None:
    scene = begin(tmp_path, 'max_clip_seconds = 1.0\nopening_card = ""\nclosing_card = false\n')
    assert scene.render()["frames"] == 4 * 30
    assert [s["out_frame"] for s in scene.contents["segments"]] == [30, 30, 30, 30]


def test_the_sound_crossfades_with_the_picture(tmp_path: Path) -> None:
    scene = begin(tmp_path, FADE, {"a": Drawn(0, 90, 300), "b": Drawn(1, 90, 3000)})
    scene.render()
    heard = np.frombuffer(samples(scene.film, "0:a:0"), np.int16).reshape(-1, 2)[:, 0]

    def strength(pitch: int, first: int, frames: int) -> float:
        part = heard[first * 1600 : (first + frames) * 1600].astype(float)
        wave = np.exp(-2j * np.pi * pitch * np.arange(len(part)) / 48000)
        return float(abs(np.mean(part * wave)))

    whole = strength(300, 10, 5)
    low = [strength(300, at, 3) / whole for at in range(75, 90, 3)]
    high = [strength(3000, at, 3) / whole for at in range(75, 90, 3)]
    assert low == sorted(low, reverse=True)
    assert high == sorted(high)
    power = [one**2 + other**2 for one, other in zip(low, high, strict=True)]
    assert all(0.8 < value < 1.2 for value in power)
    assert strength(300, 95, 5) < 0.01 * whole


def test_a_crossfade_of_sound_keeps_what_both_share() -> None:
    loud = np.full((1000, 2), 30000, np.int16)
    mixed = sound.crossfaded(loud, loud)
    assert mixed.dtype == np.int16
    assert mixed.max() == 32767  # at the limit and not around it
    assert mixed.min() > 29000
    silent = sound.crossfaded(loud, np.zeros_like(loud))
    assert silent[0].tolist() == [30000, 30000]
    assert abs(int(silent[-1][0])) < 60


def test_the_recipe_changes_with_the_cut_frames_alone(tmp_path: Path) -> None:
    def key(montage: str) -> str:
        scene = render_scene.begin(tmp_path / render_scene.sha(montage)[:8], {}, montage)
        return recipe.of(scene.config, "#RiverWeek").key

    assert key("") == key('transition = "dissolve"\nmax_seconds = 9.0\n')
    assert key("transition_seconds = 0.5\n") != key("")
    assert key("transition_seconds = 0.5\n") == key("transition_seconds = 0.501\n")
    assert key("transition_seconds = 0.5\n") != key("transition_seconds = 0.55\n")
