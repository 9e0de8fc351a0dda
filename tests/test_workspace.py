"""A workspace is of its user alone, on a disk of this machine, and leads nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import StageError
from pipeline.workspace import Workspace, file_system, hold

MOUNTS = """\
22 28 0:21 / /proc rw,nosuid shared:5 - proc proc rw
28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
90 28 0:52 / /home/media rw,relatime shared:40 master:3 - nfs4 server:/media rw,vers=4.2
91 28 0:53 / /mnt/nas\\040two rw - cifs //nas/two rw
"""


@pytest.mark.parametrize(
    ("device", "kind"),
    [((254, 1), "ext4"), ((0, 52), "nfs4"), ((0, 53), "cifs"), ((9, 9), "")],
)
def test_the_file_system_of_a_device(device: tuple[int, int], kind: str) -> None:
    assert file_system(MOUNTS, os.makedev(*device)) == kind


@pytest.mark.parametrize("name", ["originals", "clips", "report", "montage", "ledger.db", ".lock"])
def test_a_link_inside_is_refused(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / name).symlink_to(elsewhere)
    with pytest.raises((StageError, OSError)) as said, hold(Workspace(tmp_path / "work")):
        pass
    assert name in str(said.value)
    assert list(elsewhere.iterdir()) == []


def test_a_workspace_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only root can give a folder away, so here it is the user who is another."""
    Workspace(tmp_path / "work").create()
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(StageError, match="work belongs to another user"):
        Workspace(tmp_path / "work").create()


def test_the_command_makes_nothing_for_others(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    config = tmp_path / "config.toml"
    config.write_text(
        '[campaign]\nname = "T"\nhashtags = ["#T"]\n[inbox]\nurl = "eml:inbox"\n'
        '[workspace]\npath = "deep/er/work"\n'
    )
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--config", str(config)]
    subprocess.run(command, check=True, umask=0)
    made = [tmp_path / "deep", *(tmp_path / "deep").rglob("*")]
    assert len(made) > 10
    assert [path for path in made if path.stat().st_mode & 0o077] == []
