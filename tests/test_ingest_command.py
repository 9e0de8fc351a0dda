"""The real command, ``footage ingest``, in a process of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest
from support.dovecot import PASSWORD, Account, Dovecot
from support.ingest_scene import IngestScene, jpeg, mail, mp4, sha
from support.proxy import How, Trouble, troubled
from support.waiting import HANG_S

MAILS = [
    mail(("a.jpg", jpeg(1)), subject="one").as_bytes(),
    mail(("b.mp4", mp4(2, 2_500_000)), subject="two").as_bytes(),
    mail(("c.jpg", jpeg(3)), subject="three").as_bytes(),
]
WHOLE = [sha(jpeg(1)), sha(mp4(2, 2_500_000)), sha(jpeg(3))]
COMMAND = [sys.executable, "-m", "pipeline", "ingest"]


@pytest.fixture
def account(dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", PASSWORD)
    account = dovecot.account()
    account.append(MAILS)
    return account


def scene_for(account: Account, folder: Path, port: int | None = None) -> IngestScene:
    return IngestScene.at(
        folder, account.url(scheme="imap", port=port), 'processed_folder = "Done"'
    )


def footage(folder: Path, *before: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; *before* stands before it."""
    return subprocess.run(
        [*before, *COMMAND, "-q"], cwd=folder, capture_output=True, text=True, check=False
    )


def check_all_once(account: Account, scene: IngestScene) -> None:
    scene.check_whole()
    assert [item.sha256 for item in scene.attachments()] == WHOLE
    assert sorted(account.mailbox("Done").values()) == sorted(MAILS)
    assert account.mailbox() == {}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


MEASURED = """
from pathlib import Path
from pipeline.cli import main
try:
    main()
finally:
    status = Path("/proc/self/status").read_text()
    print(status.split("VmHWM:")[1].split()[0])
"""


def test_memory_does_not_grow_with_the_attachment(dovecot: Dovecot, account: Account,
                                                  tmp_path: Path) -> None:  # fmt: skip
    """60 MB of video, 82 MB as a mail, in at most 80 MB with Python and all that it imports."""
    account.append([mail(("large.mp4", mp4(9, 60_000_000))).as_bytes()])
    IngestScene.at(tmp_path, account.url(), f'ca_file = "{dovecot.ca_file}"')
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "ingest", "-q"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) * 1024 < 80_000_000


def test_a_disk_that_takes_no_more_in_mid_part(account: Account, tmp_path: Path) -> None:
    """The kernel refuses to let any file grow over 1 MiB, as a quota does."""
    scene = scene_for(account, tmp_path)
    full = footage(tmp_path, "/bin/sh", "-c", 'ulimit -f 2048; exec "$0" "$@"')
    assert full.returncode == 1
    assert full.stdout == ""
    (line,) = full.stderr.splitlines()
    assert "disk is full; free some space and run again. Nothing is lost" in line
    assert [item.sha256 for item in scene.attachments()] == WHOLE[:1]
    assert not list(tmp_path.rglob("*.part"))
    assert footage(tmp_path).returncode == 0
    check_all_once(account, scene)


def test_two_runs_at_the_same_time(account: Account, tmp_path: Path) -> None:
    """The first waits for an answer; the second leaves at once, and everything as it is."""
    with troubled(account.server.port, Trouble(How.STALL, at=b"BODY.PEEK")) as proxy:
        scene = scene_for(account, tmp_path, proxy.port)
        with subprocess.Popen([*COMMAND, "-q"], cwd=tmp_path) as first:
            try:
                assert proxy.begun.wait(HANG_S)
                before = contents(tmp_path)
                second = footage(tmp_path)
                assert second.returncode == 75
                (line,) = second.stderr.splitlines()
                assert "another run holds the workspace" in line
                assert contents(tmp_path) == before
                assert proxy.connections == 1
                assert first.poll() is None
            finally:
                first.kill()
        assert footage(tmp_path).returncode == 0
        check_all_once(account, scene)


def test_a_bar_with_bytes_rate_and_time_left(account: Account, tmp_path: Path) -> None:
    scene_for(account, tmp_path)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    environment = {**os.environ, "TQDM_MININTERVAL": "0", "TERM": "xterm"}
    shown = b""
    with subprocess.Popen(
        COMMAND, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        with suppress(OSError):  # at the end the other side is closed
            while True:
                shown += os.read(ours, 65536)
    os.close(ours)
    assert process.returncode == 0
    frames = shown.decode().split("\r")
    assert any(frame.startswith("Taking in:   0%") for frame in frames), frames
    assert any(
        "M/3." in frame and "B/s]" in frame and "<00:0" in frame and "?" not in frame
        for frame in frames
    ), frames
