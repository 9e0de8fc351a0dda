"""What FFmpeg prints and writes of a film is data of a stranger, too: a lie fails its own clip."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from support.clip_scene import ClipScene

from pipeline.config import Output
from pipeline.ffmpeg.faults import ProgramLied
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.media import loudness
from pipeline.media.loudness import Meter
from pipeline.model import Status
from pipeline.texts import Detail

PIECE = b"frame:%d    pts:0       pts_time:%d\nlavfi.r128.I=%b\nlavfi.astats.Overall.Peak_count=1\n"
TIMES = "#tb 0: 1/10\n0, 0, 0, 1, 99, 0xda7b6dd5\n"
WRITE = """
import sys
for path, text in ((sys.argv[1], sys.argv[2]), (sys.argv[3], sys.argv[4])):
    open(path, "wb").write(text.encode())
"""
SIZE = "#dimensions 0: 96x64\n#sar 0: 1/1\n"


@pytest.mark.parametrize(
    ("times", "size"),
    [
        ("#tb 0: 1/0\n0, 0, 0, 1, 99, 0x1\n", SIZE),
        ("#tb 0: x\n", SIZE),
        ("0, 0, 0, 1\n", SIZE),
        (f"#tb 0: 1/10\n0, 0, {'9' * 25}, 1, 99, 0x1\n", SIZE),
        (f"#tb 0: 1/10\n0, 0, 0, 1, 99, 0x1, F=0x{'F' * 5000}\n", SIZE),
        ("x" * 5000, SIZE),
        ("\N{SNOWMAN}\n", SIZE),
        (TIMES, "#dimensions 0: wide\n"),
        (TIMES, f"#dimensions 0: {'9' * 5000}x1\n"),
        (TIMES, "#dimensions 0: 96x64\n#sar 0: -1/0\n"),
    ],
)
def test_a_lie_about_the_pictures_fails_the_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: str, size: str
) -> None:
    scene = ClipScene(tmp_path).to(Output(name="small", size="96x64", fps=24))
    film = scene.film("film.mp4", "-f", "lavfi", "-i", "testsrc=s=96x64:d=0.2:r=10")
    real = FfmpegRunner.run

    def lying(self: FfmpegRunner, purpose: str, argv: list[str], *rest: Any, **more: Any) -> Any:
        if purpose == "survey":
            pictures, first = map(str, rest[0].writes)
            argv = [sys.executable, "-I", "-S", "-c", WRITE, pictures, times, first, size]
        return real(self, purpose, argv, *rest, **more)

    monkeypatch.setattr(FfmpegRunner, "run", lying)
    result = scene.make(film)
    assert result.status is Status.FAILED
    assert result.refusal is not None
    assert result.refusal.code is Detail.UNTRUE_RESULT


def test_a_true_measurement_is_read() -> None:
    meter = Meter(1)
    meter.feed(PIECE % (0, 0, b"-23.5"))
    meter.finish()
    assert meter.until(1).lufs == -23.5


@pytest.mark.parametrize(
    "printed",
    [
        pytest.param([b"x" * (1 << 16)] * 4, id="no end of a piece"),
        pytest.param([b"".join(PIECE % (n, n, b"-20") for n in range(1000))] * 30, id="too long"),
    ],
)
def test_a_program_that_prints_for_ever_fills_no_memory(printed: list[bytes]) -> None:
    """It is read to its end, so that it does not wait, and nothing of it is kept."""
    meter = Meter(1)
    for piece in printed:
        meter.feed(piece)
    with pytest.raises(ProgramLied):
        meter.finish()


@pytest.mark.parametrize("value", [b"-1.2.3", b"--1", b"9" * 400, b"1e5", b"", b"."])
def test_what_is_no_number_is_not_read(value: bytes) -> None:
    meter = Meter(1)
    meter.feed(PIECE % (0, 0, value))
    meter.finish()
    assert meter.until(1).lufs is None
    assert loudness.parse(PIECE % (0, 0, value)).lufs is None


@pytest.mark.parametrize("value", [b"1000", b"-999.5"])
def test_a_loudness_that_no_sound_has_is_a_lie(value: bytes) -> None:
    with pytest.raises(ProgramLied):
        loudness.parse(PIECE % (0, 0, value))
