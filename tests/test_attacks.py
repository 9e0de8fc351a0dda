"""A program that attacks, in FFmpeg's place in a real run, reaches nothing (``bench.attacks``)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.attacks.harness import Place, attacked, not_held
from bench.attacks.inside.all import ATTACKS

IS_ROOT = os.geteuid() == 0
TOGETHER = [name for name, each in ATTACKS.items() if not each.gives_up]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user can enter; nobody else can enter those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.parametrize(("wall", "abi"), [("bubblewrap", 0), ("landlock", 0), ("landlock", 2)])
def test_attacks_reach_nothing(wall: str, abi: int, folder: Path) -> None:
    """As root, if it is root that tests; on a new kernel and on one of Debian 12."""
    place = Place(wall, IS_ROOT, abi)
    result = attacked(place, TOGETHER, folder)
    reached = {name: outcome for name, outcome in result.outcomes.items() if not outcome.held}
    assert set(reached) == not_held(place) & set(TOGETHER), reached
    assert result.innocent == "accepted"
    assert len(result.outcomes) > 120


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock"])
def test_attacks_of_an_ordinary_user_reach_nothing(wall: str, folder: Path) -> None:
    names = ["start-too-many-threads", "use-memory-of-a-file", "write-more-than-allowed"]
    result = attacked(Place(wall, is_root=False), names, folder)
    assert {name: outcome.reached for name, outcome in result.outcomes.items()} == dict.fromkeys(
        names, ""
    )
    assert result.innocent == "accepted"


def test_without_walls_attacks_reach_something(folder: Path) -> None:
    """The harness sees what is reached, by what the attack says and by its effects."""
    names = ["read-secret", "end-victim-by-queue", "change-mode-of-input", "outlive-the-parent"]
    result = attacked(Place("none", IS_ROOT), names, folder)
    assert not any(outcome.held for outcome in result.outcomes.values())
    assert result.outcomes["read-secret"].reached.startswith("secret")
    assert "victim lives" in result.outcomes["end-victim-by-queue"].effects
    assert "mode of original" in result.outcomes["change-mode-of-input"].effects
