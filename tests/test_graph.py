"""The typed layer over ffmpeg-python: wrong wiring is a type error, right wiring is a command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.ffmpeg.graph import Graph, overlay, read, write

HEAD = """
from pathlib import Path

from pipeline.ffmpeg.graph import amix, overlay, read, write, xfade

film = read(Path("film.mp4"), {"f": "mov"})
picture, sound = film.video(), film.audio()
"""
RIGHT = 'write(Path("a"), {}, picture.filter("scale", 64, 36), [sound.filter("aresample", 48000)])'
WRONG = (
    "overlay(picture, sound)",
    'xfade(sound, picture, transition="fade")',
    "amix(sound, picture)",
    'write(Path("a"), {}, sound)',
    'write(Path("a"), {}, picture, [picture])',
    'sound.filter("scale", 64, 36)',
    'picture.filter("aresample", 48000)',
    'picture.filter("scael", 64, 36)',
)


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says about a module with a line that is right, and lines that are wrong."""
    module = tmp_path_factory.mktemp("wiring") / "wiring.py"
    module.write_text(HEAD + "\n".join((RIGHT, *WRONG)) + "\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml"]
    said = subprocess.run(
        [*command, "--no-error-summary", str(module)],
        cwd=Path(__file__).parent.parent,
        check=False,
        capture_output=True,
        text=True,
    )
    return said.stdout.splitlines()


@pytest.mark.parametrize("line", WRONG)
def test_wrong_wiring_is_a_type_error(complaints: list[str], line: str) -> None:
    number = len(HEAD.splitlines()) + 2 + WRONG.index(line)
    assert any(f":{number}: error" in said for said in complaints), complaints


def test_right_wiring_is_not(complaints: list[str]) -> None:
    number = len(HEAD.splitlines()) + 1
    assert not any(f":{number}: " in said for said in complaints), complaints


def test_a_graph_is_a_command() -> None:
    source = read(Path("a.mp4"), {"f": "mov", "nofind_stream_info": None})
    small, large = source.video().split(2)
    whole = overlay(large, small.filter("scale", 64, -2), x=4, y=8)
    graph = Graph((write(Path("b.mp4"), {"c:v": "libx264"}, whole, [source.audio()]),), 1)
    assert graph.arguments() == [
        *("-f", "mov", "-nofind_stream_info", "-i", "a.mp4", "-filter_complex"),
        "[0:v:0]split=2[s0][s1];[s0]scale=64:-2[s2];[s1][s2]overlay=eof_action=repeat:x=4:y=8[s3]",
        *("-map", "[s3]", "-map", "0:a:0", "-c:v", "libx264", "b.mp4"),
        *("-nostdin", "-hide_banner", "-v", "error"),
        *("-filter_threads", "1", "-filter_complex_threads", "1", "-y"),
    ]
