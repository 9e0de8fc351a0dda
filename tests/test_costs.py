"""What one file may cost: the search for what it gives away, and the work on its pictures."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import pytest
from support import costly_files, heavy_media
from support.clip_scene import ClipScene
from support.costly_files import FILES
from support.heavy_media import HEAVY

from pipeline.carriers import ReadBudget, find
from pipeline.carriers.window import STEPS
from pipeline.errors import Refused
from pipeline.findings import Carrier, Finding, What
from pipeline.formats import reader_of
from pipeline.media import effort
from pipeline.media.probed import Picture
from pipeline.model import Reason
from pipeline.texts import Detail

_NOT_SEARCHED = Finding(Carrier.NOT_SEARCHED, What.OTHER)
_ALL_S = 5.0  # that a file under 1 MB may cost
_SHARE = 20  # most tests give a small part of the budget, so that they are quick


def cost(path: Path, steps: int = STEPS) -> tuple[float, tuple[Finding, ...]]:
    """Seconds of CPU that the search takes, and what it finds."""
    before = time.process_time()
    found = find(path, reader_of, ReadBudget(steps=steps))
    return time.process_time() - before, found


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """Compile the forms of places, which takes 0.1 s once."""
    find(Path(__file__), reader_of)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", FILES)
def test_search_costs_what_its_budget_allows(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILES[name]())
    assert path.stat().st_size < 1e6

    seconds, found = cost(path, STEPS // _SHARE)

    # reading, and the last search over the raw bytes, take a moment of their own
    assert seconds < _ALL_S / _SHARE + 0.5
    assert found


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["tiff_of_texts", "webp_of_frames"])
def test_no_small_file_takes_longer_than_five_seconds(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILES[name]())

    seconds, found = cost(path)

    assert seconds < _ALL_S
    assert _NOT_SEARCHED in found


@pytest.mark.parametrize(
    "name",
    [
        "jpeg_of_comments",
        pytest.param("matroska_of_nothing", marks=pytest.mark.no_cover),
        "mp4_of_samples",
    ],
)
def test_limits_of_numbers_are_told(name: str, tmp_path: Path) -> None:
    """A file with more comments, elements or samples than are read says so."""
    path = tmp_path / "file"
    path.write_bytes(FILES[name]())

    assert _NOT_SEARCHED in find(path, reader_of)


def test_last_search_has_a_share_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(costly_files.tiff_of_texts() + b"\0\0+48.8577+002.2950/\0")

    found = find(path, reader_of, ReadBudget(steps=STEPS // _SHARE))

    assert _NOT_SEARCHED in found
    assert Finding(Carrier.UNKNOWN_PART, What.LOCATION) in found


def test_findings_are_the_same_each_time(tmp_path: Path) -> None:
    """The budget counts steps, and not seconds."""
    path = tmp_path / "file"
    path.write_bytes(costly_files.films_in_films())

    assert len({find(path, reader_of, ReadBudget(steps=STEPS // _SHARE)) for _ in range(3)}) == 1


@pytest.mark.parametrize("name", HEAVY)
def test_work_is_pixels_of_all_pictures(name: str, tmp_path: Path) -> None:
    """A small file of huge pictures is refused before anything is encoded."""
    path = tmp_path / name
    path.write_bytes(HEAVY[name]())
    assert path.stat().st_size < 1e6

    made = ClipScene(tmp_path).to(max_source_seconds=300).make(path)

    assert made.refusal is not None
    assert (made.refusal.reason, made.refusal.code) == (Reason.TOO_LONG, Detail.TOO_MANY_PIXELS)
    assert "5 minutes" in made.refusal.detail


def test_scans_of_a_photo_are_work_too(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(heavy_media.jpeg_of_scans(200))

    made = ClipScene(tmp_path).to().make(path)

    assert made.refusal is not None
    assert (made.refusal.reason, made.refusal.code) == (Reason.UNSAFE, Detail.COSTLY_PICTURE)


def picture(width: int, height: int, count: int) -> Picture:
    return Picture("0", "h264", width, height, Fraction(width, height), packets=count)


@pytest.mark.parametrize(
    ("width", "height", "seconds", "rate"),
    [
        (3840, 2160, 1800, 60),
        (4096, 2160, 1800, 60),
        (1920, 1080, 1800, 240),
        (7680, 4320, 300, 30),
    ],
)
def test_ordinary_films_are_admitted(width: int, height: int, seconds: int, rate: int) -> None:
    effort.admit(picture(width, height, seconds * rate), 1800)


@pytest.mark.parametrize(("width", "height"), [(3840, 2160), (16, 16), (1, 1 << 17)])
def test_more_is_refused(width: int, height: int) -> None:
    """Small pictures count as well, since each costs something."""
    with pytest.raises(Refused):
        effort.admit(picture(width, height, 5_000_000), 1800)


def test_limit_of_work_is_never_less_than_five_minutes() -> None:
    """Where only short films are taken, these may be in 8K."""
    effort.admit(picture(7680, 4320, 30 * 120), 10)


def test_files_can_share_a_budget(tmp_path: Path) -> None:
    """As those of a mail do: what the first uses up is gone for the second."""
    path = tmp_path / "file"
    path.write_bytes(costly_files.tiff_of_texts())
    budget = ReadBudget(steps=STEPS // _SHARE)

    find(path, reader_of, budget)
    left = budget.steps
    path.write_bytes(b"GIF89a" + b"\0" * 100)

    assert left < STEPS // _SHARE // 2
    assert find(path, reader_of, budget)
    assert budget.steps <= left
