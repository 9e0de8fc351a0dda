"""A file whose end is missing is never accepted without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.clip_scene import WIDE, ClipScene
from support.marked_pictures import board

from pipeline.carriers import Window
from pipeline.carriers.containers import ending
from pipeline.carriers.containers.ending import Cut
from pipeline.caution import Caution
from pipeline.formats import format_of
from pipeline.model import Reason, Status

FILM = ("-f", "lavfi", "-i", "testsrc2=d=2:s=96x64:r=25")
CODED = ("-c:v", "mpeg4", "-b:v", "300k")
FILMS = {
    "faststart.mp4": ("-movflags", "faststart"),
    "fragments.mp4": ("-movflags", "frag_keyframe+empty_moov"),
    "film.mkv": (),
    "film.avi": (),
    "film.wmv": ("-c:v", "wmv2"),
    "film.flv": ("-c:v", "flv"),
    "film.ts": ("-c:v", "mpeg2video"),
}


@pytest.fixture
def scene(tmp_path: Path) -> ClipScene:
    return ClipScene(tmp_path).to(WIDE, still_motion="none", still_seconds=0.2)


def found(data: bytes) -> Cut | None:
    footage = format_of(data[:65536])
    assert footage is not None
    return ending.cut(Window.over(data), footage.ending)


def photo(folder: Path, name: str, **options: object) -> bytes:
    path = folder / name
    noise = np.random.default_rng(5).integers(0, 60, (120, 160, 3)).astype(np.uint8)
    Image.fromarray(board(160, 120) // 2 + noise).save(path, **options)  # type: ignore[arg-type]  # any option of any format
    return path.read_bytes()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.gif", "progressive.jpg"])
def test_photos(tmp_path: Path, name: str) -> None:
    options = {"progressive": True} if name.startswith("progressive") else {}
    data = photo(tmp_path, name, **options)
    assert found(data) is None
    assert found(data + bytes(100)) is None
    for share in (0.2, 0.5, 0.9):
        assert found(data[: int(len(data) * share)]) is not None
    whole = found(data[: len(data) // 2])
    if name in ("a.webp", "a.bmp"):
        assert whole is not None
        assert whole.share == pytest.approx(0.5, abs=0.02)


def test_a_thumbnail_that_is_whole_is_not_the_end_of_the_photo(tmp_path: Path) -> None:
    small = photo(tmp_path, "small.jpg")
    data = photo(tmp_path, "large.jpg", exif=b"Exif\0\0" + small[:30_000])
    assert found(data) is None
    assert found(data[: len(data) * 3 // 4]) == Cut()


@pytest.mark.parametrize("name", FILMS)
def test_films(scene: ClipScene, name: str) -> None:
    data = scene.film(name, *FILM, *CODED, *FILMS[name]).read_bytes()
    assert found(data) is None
    cut = found(data[: len(data) * 6 // 10 // 188 * 188 + 50])
    assert cut is not None
    if cut.share is not None and name != "fragments.mp4":
        assert cut.share == pytest.approx(0.4, abs=0.05)


STREAMS = {
    "film.ts": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "open.ts": ("-c:v", "libx264", "-preset", "ultrafast"),  # the packets' lengths are not given
    "film.mpg": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "old.mpg": ("-c:v", "mpeg1video", "-c:a", "mp2"),
    "film.m2v": ("-c:v", "mpeg2video"),
}


@pytest.mark.parametrize("name", STREAMS)
def test_stream_that_is_cut_at_the_end_of_a_packet(scene: ClipScene, name: str) -> None:
    """Where a picture ends too, nothing can be told."""
    sound = () if name.endswith("m2v") else ("-f", "lavfi", "-i", "sine=d=2")
    noise = "testsrc2=d=2:s=160x120:r=25,noise=alls=12:allf=t"
    data = scene.film(name, *FILM[:3], noise, *sound, *STREAMS[name]).read_bytes()
    assert found(data) is None
    size = 188 if name.endswith("ts") else 2048
    cuts = [len(data) * share // 100 // size * size for share in range(20, 95, 2)]
    assert sum(found(data[:cut]) is not None for cut in cuts) > len(cuts) / 2


def test_an_flv_behind_another_in_one_file_is_told(scene: ClipScene) -> None:
    film = scene.film("film.flv", *FILM, *CODED, *FILMS["film.flv"])
    film.write_bytes(film.read_bytes() * 2)
    made = scene.make(film)
    assert made.status is Status.ACCEPTED
    assert made.outputs[0].duration_s == pytest.approx(2, abs=0.1)
    assert Caution.INCOMPLETE in made.warnings
    assert made.source is not None
    assert made.source.missing_percent == pytest.approx(50, abs=1)


def test_last_packet_of_a_whole_stream_may_be_full(scene: ClipScene) -> None:
    """Then the decoder tells whether the last picture is whole."""
    film = scene.film("film.ts", *FILM, *STREAMS["open.ts"])
    data = film.read_bytes()
    last = max(at for at in range(0, len(data), 188) if data[at + 3] & 0x20)
    # the last packet is written anew, without its stuffing
    short = data[last + 5 + data[last + 4] : last + 188]
    film.write_bytes(data[:last] + data[last : last + 3] + b"\x10" + short.ljust(184, b"\0"))
    assert found(film.read_bytes()) == Cut(is_certain=False)
    assert Caution.INCOMPLETE not in scene.make(film).warnings
    film.write_bytes(data[: len(data) // 2 // 188 * 188])
    assert found(film.read_bytes()) == Cut(is_certain=False)
    assert Caution.INCOMPLETE in scene.make(film).warnings


@pytest.mark.parametrize("name", ["film.mp4", "faststart.mp4", "film.mov", "film.wmv", "film.flv"])
def test_second_of_two_films_in_one_file_is_missing(scene: ClipScene, name: str) -> None:
    one = scene.film(name, *FILM, *CODED, *FILMS.get(name, ())).read_bytes()
    assert found(one) is None
    for joined in (one * 2, one * 3):
        cut = found(joined)
        assert cut is not None
        assert cut.share == pytest.approx(1 - len(one) / len(joined), abs=0.01)
    if name != "film.wmv":
        assert found(one + one[: len(one) * 3 // 4]) is not None


def test_zeros_in_the_middle_of_a_film_are_seen(scene: ClipScene) -> None:
    """As in a download of which a piece never came."""
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0")
    film = scene.film("film.mp4", *FILM, *coded)
    assert Caution.INCOMPLETE not in scene.make(film).warnings
    data = bytearray(film.read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[middle : middle + 4096] = bytes(4096)
    film.write_bytes(data)
    made = scene.make(film)
    assert made.status is Status.ACCEPTED
    assert Caution.INCOMPLETE in made.warnings


def test_nonsense_proves_nothing() -> None:
    assert found(b"BM\xff") is None
    assert found(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x20sidx") is None


def test_a_photo_says_how_much_is_missing(scene: ClipScene) -> None:
    data = photo(scene.folder, "photo.jpg", quality=95)
    cut = scene.folder / "cut.jpg"
    cut.write_bytes(data[: len(data) // 2])
    made = scene.make(cut)
    assert Caution.INCOMPLETE in made.warnings
    assert made.source is not None
    assert made.source.missing_percent == pytest.approx(50, abs=8)
    refused = scene.to(WIDE, incomplete="reject").make(cut)
    assert refused.status is Status.REJECTED
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.TRUNCATED_TRANSFER
    assert "ask for it again" in refused.refusal.detail


@pytest.mark.parametrize("name", ["a.png", "a.webp", "film.mp4"])
def test_what_can_not_be_decoded_because_it_is_cut_is_to_be_asked_for_again(
    scene: ClipScene, name: str
) -> None:
    if name == "film.mp4":  # its index is at the end
        data = scene.film(name, *FILM, *CODED).read_bytes()
    else:
        data = photo(scene.folder, name)
    cut = scene.folder / f"cut-{name}"
    cut.write_bytes(data[: len(data) // 2])
    refusal = scene.make(cut).refusal
    assert refusal is not None
    assert refusal.reason is Reason.CORRUPT
    assert "ask for it again" in refusal.detail


def test_a_hole_in_the_middle_of_a_photo_is_seen(scene: ClipScene) -> None:
    data = photo(scene.folder, "photo.jpg", quality=95)
    middle = len(data) // 2
    damaged = scene.folder / "damaged.jpg"
    damaged.write_bytes(data[:middle] + data[middle + 2000 :])
    assert found(damaged.read_bytes()) is None
    assert Caution.INCOMPLETE in scene.make(damaged).warnings
    assert Caution.INCOMPLETE not in scene.make(scene.folder / "photo.jpg").warnings


def test_a_film_says_how_much_is_missing(scene: ClipScene) -> None:
    film = scene.film("film.mp4", *FILM, *CODED, "-movflags", "faststart")
    assert Caution.INCOMPLETE not in scene.make(film).warnings
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 6 // 10])
    made = scene.make(film)
    assert Caution.INCOMPLETE in made.warnings
    assert made.source is not None
    assert made.source.missing_percent == pytest.approx(40, abs=2)


def test_a_film_behind_another_in_one_file_is_told(scene: ClipScene) -> None:
    """FFmpeg gives all packets of the second one the same time, so its pictures are not shown."""
    film = scene.film("film.mkv", *FILM, *CODED)
    film.write_bytes(film.read_bytes() * 2)
    made = scene.make(film)
    assert made.status is Status.ACCEPTED
    assert Caution.INCOMPLETE in made.warnings
    assert made.source is not None
    assert made.source.missing_percent == pytest.approx(50, abs=2)
