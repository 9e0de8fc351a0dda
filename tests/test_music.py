"""Music under the clips: ducked, looped without a click; clips and music keep their loudness."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from support import render_scene
from support.render_scene import Drawn, RenderScene, samples

from pipeline.ffmpeg import runner
from pipeline.media.loudness import Loudness, parse
from pipeline.render.music import BackgroundMusic, LoopedMusic

RATE = 48000


def tune(path: Path, seconds: float, pitch: int = 2000) -> Path:
    command = [runner.program(), "-nostdin", "-v", "error", "-y", "-f", "lavfi"]
    command += ["-i", f"sine=f={pitch}:r=44100:d={seconds}", "-c:a", "libmp3lame", str(path)]
    subprocess.run(command, check=True)
    return path


def loudness(path: Path, start: float = 0, seconds: float = 99) -> tuple[float, float]:
    """Integrated loudness and true peak of a stretch, as FFmpeg's summary says them."""
    command = [runner.program(), "-nostdin", "-i", str(path), "-map", "0:a:0"]
    stretch = f"atrim={start}:{start + seconds},asetpts=N/SR/TB"
    command += ["-af", f"{stretch},ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    summary = said[said.rindex("Summary:") :]
    values = [line.split() for line in summary.splitlines()]
    found = {
        words[0]: float(words[1]) for words in values if len(words) == 3 and words[0][-1] == ":"
    }
    return found["I:"], found["Peak:"]


def strength(heard: npt.NDArray[np.float64], pitch: int) -> float:
    wave = np.exp(-2j * np.pi * pitch * np.arange(len(heard)) / RATE)
    return float(abs(np.mean(heard * wave)))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> RenderScene:
    """Two clips between the silence of the cards; the music is shorter than the film."""
    folder = tmp_path_factory.mktemp("music")
    scene = render_scene.begin(
        folder,
        {"a": Drawn(0, 90, 300, 1.94), "b": Drawn(1, 90, 310, 1.94)},
        'music = "tune.mp3"\nmusic_lufs = -26.0\n',
    )
    tune(folder / "tune.mp3", 5)
    scene.render()
    return scene


def test_clips_and_music_keep_their_loudness(scene: RenderScene) -> None:
    integrated, peak = loudness(scene.film, 3.5, 5)
    assert abs(integrated + 16) <= 0.5
    assert peak <= -1.0


def test_stretches_without_sound_do_not_make_the_rest_louder(tmp_path: Path) -> None:
    scene = render_scene.begin(
        tmp_path,
        {"a": Drawn(0, 120, volume=0), "b": Drawn(1, 90, 310, 1.94), "c": Drawn(2, 150, volume=0)},
        'music = "tune.mp3"\nmusic_lufs = -28.0\nopening_card = ""\nclosing_card = false\n',
    )
    tune(tmp_path / "tune.mp3", 13)
    scene.render()
    assert abs(loudness(scene.film, 1.2, 2.6)[0] + 28) <= 0.5
    assert abs(loudness(scene.film, 4, 3)[0] + 16) <= 0.5
    assert abs(loudness(scene.film, 8, 1)[0] + 28) <= 1


def test_loud_clips_are_limited(tmp_path: Path) -> None:
    scene = render_scene.begin(tmp_path, {"a": Drawn(0, 90, 300, 8.0)}, 'music = "tune.mp3"\n')
    tune(tmp_path / "tune.mp3", 5)
    scene.render()
    assert loudness(scene.film)[1] <= -1.0


def test_music_goes_down_while_the_clips_are_heard(scene: RenderScene) -> None:
    played = np.frombuffer(samples(scene.film, "0:a:0"), np.int16).reshape(-1, 2)
    heard = played[:, 0].astype(np.float64)
    alone = strength(heard[int(1.6 * RATE) : int(2.8 * RATE)], 2000)
    below = strength(heard[int(5 * RATE) : int(8 * RATE)], 2000)
    assert 8 < 20 * np.log10(alone / below) < 20
    # and back, and faded at the ends
    back = strength(heard[int(10.5 * RATE) : int(10.9 * RATE)], 2000)
    assert back > 1.5 * below
    assert strength(heard[: RATE // 20], 2000) < 0.1 * alone
    assert strength(heard[int(11.95 * RATE) : 12 * RATE], 2000) < 0.1 * alone


def test_a_second_render_starts_no_program_and_other_music_does(scene: RenderScene) -> None:
    programs = len(scene.programs())
    assert scene.render()["cached"] is True
    assert len(scene.programs()) == programs
    before = scene.film.read_bytes()
    tune(scene.folder / "tune.mp3", 6, 1500)
    assert scene.render()["cached"] is False
    assert scene.film.read_bytes() != before


def test_a_loop_has_no_click() -> None:
    # a tone that does not end where it began
    tone = np.sin(2 * np.pi * 441.3 * np.arange(2 * RATE) / RATE) * 20000
    loop = np.repeat(np.rint(tone).astype(np.int16)[:, None], 2, 1)
    long = LoopedMusic(loop, 0.5, 9 * RATE)
    heard = np.vstack([long.take(size) for size in [1000, 7 * RATE, 2 * RATE - 1000]])
    assert heard.shape == (9 * RATE, 2)
    steepest = np.abs(np.diff(heard[:, 0].astype(int))).max()
    assert steepest <= 1.5 * 0.5 * np.abs(np.diff(loop[:, 0].astype(int))).max()
    assert np.abs(heard[0]).max() < 5
    assert np.abs(heard[-1]).max() < 5
    middle = heard[3 * RATE : 5 * RATE, 0].astype(float)
    assert 0.8 < np.sqrt(np.mean(middle**2)) / (10000 / np.sqrt(2)) < 1.2


def test_the_limiter_is_corrected_until_the_peaks_are_right() -> None:
    background = BackgroundMusic(np.zeros((9, 2), np.int16), 1.0, -1.6)
    assert background.corrected(-1.0) is None
    better = background.corrected(-0.5)
    assert better is not None
    assert better.ceiling_db == -2.2


@pytest.mark.parametrize("content", [None, b"not music", b""])
def test_music_that_can_not_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    scene = render_scene.begin(tmp_path, {"a": Drawn(0, 10)}, 'music = "tune.mp3"\n')
    if content is not None:
        (tmp_path / "tune.mp3").write_bytes(content)
    said = scene.footage("render")
    assert said.code == 2
    assert "montage.music" in said.err
    assert not scene.film.exists()
    assert list(scene.work.rglob("*.part")) == []


def test_the_values_of_a_measurement_are_read() -> None:
    text = b"lavfi.r128.I=-20.1\nlavfi.r128.true_peak=0.5\nlavfi.r128.I=-18.3\n"
    assert parse(text) == Loudness(-18.3, -6.02)
    assert parse(b"lavfi.r128.I=-70.000\n") == Loudness(None, -np.inf)
