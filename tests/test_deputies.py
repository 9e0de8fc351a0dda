"""What a taken-over program leaves costs its own clip, and neither its neighbour nor the next run.

The whole table is `python -m bench.attacks.deputies`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.attacks.deputies import CASES, night

CHOSEN = (
    "a FIFO",
    "a link to a device",
    "a folder",
    "a file of a terabyte without content",
    "a file that a process goes on to write",
    "folders that nobody may enter",
    "a folder that is not its own",
    "words of a full disk",
    "a description that is no text",
)


@pytest.mark.parametrize("wall", ["none", "landlock"])
def test_only_the_clip_of_the_program_fails(wall: str, tmp_path: Path) -> None:
    """Without a wall all of it is possible; behind one, little of it is."""
    assert set(CHOSEN) <= set(CASES)
    done = night(wall, CHOSEN, tmp_path / "campaign")
    assert {row.split()[0] for row in done.rows.values()} == {"failed"}, done.said
    assert done.innocent == "accepted"
    assert done.codes == (3, 3, 0)
    assert set(done.again.values()) == {"accepted"}
    assert done.left == ()
