"""Scratch is gone, whatever was built in it, and a sweep never ends a run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_scene import begin

from pipeline import publishing
from pipeline.removal import removed
from pipeline.workspace import Swept, Workspace, sweep

DEPTH = 3000


def deep(folder: Path) -> None:
    """Folders in folders, much longer than a path may be, with a file in each."""
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY)
    for level in range(DEPTH):
        name = "x" * 200 if level % 2 else b"\xff\xfe"
        os.mkdir(name, dir_fd=handle)
        inner = os.open(name, os.O_RDONLY, dir_fd=handle)
        os.mknod("file", 0o600, dir_fd=inner)
        os.close(handle)
        handle = inner
    os.close(handle)


def forbidden(folder: Path) -> None:
    """Folders that nobody may enter, in folders that nobody may enter."""
    (folder / "a" / "b" / "c").mkdir(parents=True)
    (folder / "a" / "b" / "c" / "file").touch()
    for path in (folder / "a" / "b" / "c", folder / "a" / "b", folder / "a", folder):
        path.chmod(0)


def strange(folder: Path) -> None:
    """Everything that has a name, under names that are no words."""
    for number in (1, 2):
        inner = folder / f"{number}"
        inner.mkdir(parents=True)
        (inner / "link").symlink_to("/etc")
        (inner / "lost").symlink_to("nowhere")
        os.mkfifo(inner / "fifo")
        os.mknod(os.fsencode(inner) + b"/\xff\n", 0o600)
        (inner / "1").mkdir()
        (inner / "1" / "2").mkdir()


def many(folder: Path) -> None:
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY)
    for number in range(5000):
        os.mknod(str(number), 0o600, dir_fd=handle)
    os.close(handle)


@pytest.mark.parametrize("build", [deep, forbidden, strange, many])
def test_a_folder_is_gone_whatever_is_in_it(tmp_path: Path, build: Callable[[Path], None]) -> None:
    outside = tmp_path / "outside"
    outside.write_text("stays")
    build(tmp_path / "folder")
    (tmp_path / "link").symlink_to(tmp_path)
    assert removed(tmp_path / "folder")
    assert removed(tmp_path / "link")
    assert removed(tmp_path / "never was")
    assert list(tmp_path.iterdir()) == [outside]
    assert Path("/etc/passwd").exists()


def test_descriptors_are_few(tmp_path: Path) -> None:
    """A user may have a thousand files open at once, a tree may be deeper."""
    deep(tmp_path / "folder")
    script = (
        "import resource, sys; from pathlib import Path; from pipeline.removal import removed; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16)); "
        "sys.exit(not removed(Path(sys.argv[1])))"
    )
    argv = [sys.executable, "-c", script, str(tmp_path / "folder")]
    assert subprocess.run(argv, check=False).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_folder_is_gone_whatever_a_program_built(tmp_path: Path) -> None:
    with publishing.scratch_folder(tmp_path) as place:
        forbidden(place / "inner")
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_takes_all_of_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "work")
    workspace.create()
    strange(workspace.clips / "ab" / f".{1:032}.part")
    forbidden(workspace.originals / f".{2:032}.part")
    assert sweep(workspace) == Swept(2)
    assert list((workspace.clips / "ab").iterdir()) == []
    assert list(workspace.originals.iterdir()) == []


# A file system of its own that is mounted in a folder can't be deleted, not even by root.
_MOUNTED = """
mkdir -p "$1/clips/ab/.x.part/inner/mount" && mount -t tmpfs tmpfs "$1/clips/ab/.x.part/inner/mount"
shift
for time in 1 2; do "$@" || exit 1; done
"""


def test_what_can_not_be_deleted_is_moved_aside_and_named(tmp_path: Path) -> None:
    """The run goes on, and so does the next one."""
    campaign = begin(tmp_path, {})
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNTED, "sh"]
    command += [str(campaign.work), sys.executable, "-m", "pipeline", "report"]
    command += ["--config", str(tmp_path / "config.toml")]
    (campaign.work).mkdir(mode=0o700)
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    aside = campaign.work / "aside"
    assert [path.name for path in aside.iterdir()] == [".x.part"]
    named = f"what a program left can't be deleted: {aside / '.x.part'}; please delete it"
    assert ended.stderr.count(named) == 2
    assert list((campaign.work / "clips" / "ab").iterdir()) == []
    # what was mounted is gone with its namespace
    assert campaign.footage("report").code == 0
    assert not aside.exists()
