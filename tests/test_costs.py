"""What one file may cost: the search for what it gives away, and the work on its pictures."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support import costly_files
from support.costly_files import FILES

from pipeline.carriers import find
from pipeline.carriers.window import STEPS
from pipeline.formats import reader_of
from pipeline.model import Carrier, Finding, What

_NOT_SEARCHED = Finding(Carrier.NOT_SEARCHED, What.OTHER)
_ALL_S = 5.0  # that a file under 1 MB may cost
_SHARE = 20  # most tests give a small part of the budget, so that they are quick


def cost(path: Path, steps: int = STEPS) -> tuple[float, tuple[Finding, ...]]:
    """Seconds of CPU that the search takes, and what it finds."""
    before = time.process_time()
    found = find(path, reader_of, steps)
    return time.process_time() - before, found


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """Compile the forms of places, which takes 0.1 s once."""
    find(Path(__file__), reader_of)


@pytest.mark.parametrize("name", FILES)
def test_search_costs_what_its_budget_allows(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILES[name]())
    assert path.stat().st_size < 1e6

    seconds, found = cost(path, STEPS // _SHARE)

    # reading, and the last search over the raw bytes, take a moment of their own
    assert seconds < _ALL_S / _SHARE + 0.5
    assert found


@pytest.mark.parametrize("name", ["tiff_of_texts", "webp_of_frames"])
def test_no_small_file_takes_longer_than_five_seconds(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILES[name]())

    seconds, found = cost(path)

    assert seconds < _ALL_S
    assert _NOT_SEARCHED in found


@pytest.mark.parametrize("name", ["jpeg_of_comments", "matroska_of_nothing", "mp4_of_samples"])
def test_limits_of_numbers_are_told(name: str, tmp_path: Path) -> None:
    """A file with more comments, elements or samples than are read says so."""
    path = tmp_path / "file"
    path.write_bytes(FILES[name]())

    assert _NOT_SEARCHED in find(path, reader_of)


def test_last_search_has_a_share_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(costly_files.tiff_of_texts() + b"\0\0+48.8577+002.2950/\0")

    found = find(path, reader_of, STEPS // _SHARE)

    assert _NOT_SEARCHED in found
    assert Finding(Carrier.UNKNOWN_PART, What.LOCATION) in found


def test_findings_are_the_same_each_time(tmp_path: Path) -> None:
    """The budget counts steps, and not seconds."""
    path = tmp_path / "file"
    path.write_bytes(costly_files.films_in_films())

    assert len({find(path, reader_of, STEPS // _SHARE) for _ in range(3)}) == 1
