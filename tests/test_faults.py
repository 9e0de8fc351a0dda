"""A run that dies, fails, waits or finds a full disk at any point breaks no promise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_scene import begin, config, make
from support.dovecot import Dovecot
from support.faulty_doors import Fault
from support.faulty_night import COMMANDS, OUTPUT, FaultyNights, thinned, tries
from support.faulty_run import Plan

from pipeline import judge

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


def test_the_next_run_makes_a_long_film_whose_run_was_killed(
    nights: FaultyNights, tmp_path: Path
) -> None:
    """The first run dies in the middle of the last chunk, the next one is stopped at the join."""
    sources = ("testsrc2=s=64x64:r=24:d=2", "sine=d=2")
    inputs = [word for each in sources for word in ("-f", "lavfi", "-i", each)]
    film = make(tmp_path, "film.mp4", *inputs, "-preset", "ultrafast", "-c:a", "aac")
    store = tmp_path / "store"
    text = f'[workspace]\nstore = "file://{store}"\nmin_free_gb = {{}}\n[process]\nworkers = 1\n'
    scene = begin(tmp_path, {"film": {"film.mp4": film}})
    path = scene.folder / "config.toml"
    codes, kept = [], []
    for command, free, fault in (
        ("run", 0, Fault("process", "process/chunks.py:_encoded", 3, "die")),
        ("process", 1e9, Fault()),
        ("process", 0, Fault("process", "process/chunks.py:_copy", 1, "stop")),
        ("process", 0, Fault()),
    ):
        path.write_text(config(text.format(free), outputs=OUTPUT))
        plan = Plan((command, "--quiet", "--config", str(path)), fault, chunk_s=1)
        ended = nights.runs.run(plan)
        assert ended.left == 0
        codes.append(ended.code)
        kept.append(len([*store.glob("clips/*/*")]))

    assert codes == [-9, 0, 1, 0]
    # finished pieces; none, although the clip waited for room; all pieces, and the clip and its
    # still too if the join ended before the signal was seen; the clip and its still
    stopped = kept.pop(2)
    assert (kept, stopped in (6, 8)) == ([4, 0, 2], True)
    (clip,) = store.glob("clips/*/*.mp4")
    assert judge.judge_mp4(clip, judge.Mp4Kind.CLIP).video.keyframes == (0, 24)
    assert list(scene.work.rglob("*.part")) == []
