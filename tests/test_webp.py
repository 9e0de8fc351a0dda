"""Animated WebP, read by our own code: how long it is, and what of a broken one."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from pipeline.carriers import Window
from pipeline.carriers.containers import webp
from pipeline.carriers.containers.webp import Animation, WebpError


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def picture(milliseconds: int, size: int = 9) -> bytes:
    return chunk(b"ANMF", bytes(12) + milliseconds.to_bytes(3, "little") + bytes(1 + size))


def file(path: Path, *chunks: bytes, flags: int = 0x12) -> Path:
    canvas = bytes([flags, 0, 0, 0]) + (639).to_bytes(3, "little") + (359).to_bytes(3, "little")
    body = b"WEBP" + chunk(b"VP8X", canvas) + chunk(b"ANIM", bytes(6)) + b"".join(chunks)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def animation(path: Path) -> Animation:
    with path.open("rb") as opened:
        return webp.animation(Window.whole(opened))


def test_size_and_times(tmp_path: Path) -> None:
    path = file(tmp_path / "a.webp", picture(40), chunk(b"XMP ", b"odd"), picture(0), picture(70))
    found = animation(path)
    assert (found.width, found.height, found.alpha) == (640, 360, True)
    assert found.durations_ms == (40, 100, 70)  # FFmpeg takes none for a tenth of a second


def test_of_a_file_that_was_cut_what_is_whole(tmp_path: Path) -> None:
    whole = file(tmp_path / "a.webp", picture(40), picture(50)).read_bytes()
    found = []
    for length in range(len(whole)):
        cut = tmp_path / "cut.webp"
        cut.write_bytes(whole[:length])
        try:
            found.append(animation(cut).durations_ms)
        except WebpError:
            found.append(())
    assert set(found) == {(), (40,), (40, 50)}
    assert found == sorted(found)


@pytest.mark.parametrize("data", [b"", b"RIFF\4\0\0\0WEBP", b"RIFF\4\0\0\0WAVEfmt ", bytes(64)])
def test_what_is_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(data)
    with pytest.raises(WebpError):
        animation(path)


def test_a_size_that_reaches_beyond_the_file(tmp_path: Path) -> None:
    path = file(tmp_path / "a.webp", picture(40), b"ANMF" + struct.pack("<I", 0xFFFFFFFF))
    assert animation(path).durations_ms == (40,)
