"""A run that dies, fails, waits or finds a full disk at any point breaks no promise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.dovecot import Dovecot
from support.faulty_night import COMMANDS, FaultyNights, thinned, tries

MOST = {"intake": 7, "clips": 3, "film": 3}  # of a thousand; ``python -m bench.faults`` has all


@pytest.fixture(scope="module")
def nights(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyNights]:
    made = FaultyNights(tmp_path_factory.mktemp("nights"), dovecot)
    yield made
    made.stop()


def test_a_night_has_a_point_at_every_door(nights: FaultyNights) -> None:
    doors = {point.door for point in nights.points()}
    assert doors == {
        *("imap", "smtp", "web", "sql", "create", "write", "read", "flush", "rename", "delete"),
        *("folder", "room", "clock", "process"),
    }


@pytest.mark.parametrize("act", COMMANDS)
def test_faults_in_a_row_lose_double_and_show_nothing(nights: FaultyNights, act: str) -> None:
    """Each run meets a fault later in the night than the one before; then one meets none."""
    chosen = thinned(tries([point for point in nights.points() if point.act == act]), MOST[act])
    case = nights.case(act)

    ends, broken = nights.tried(case, [each.plan(case) for each in chosen])

    assert broken == [], f"{[*map(str, chosen)]} {ends}"
    assert any(ended.code != 0 for ended in ends)
