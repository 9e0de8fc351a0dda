"""A drop folder: sidecars, folders that are one submission, what is left alone, what is moved."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.ingest_scene import IngestScene, jpeg, mp4, sha

from pipeline.config import InboxSection
from pipeline.errors import InboxError
from pipeline.ingest import drop
from pipeline.ingest.folders import EmlInbox, one_file
from pipeline.ingest.inbox import Gone, Unreadable
from pipeline.ingest.leaving import MailsLeft
from pipeline.ingest.reading import IngestSummary
from pipeline.workspace import Workspace

SAID = {
    "sender": "ana@example.org",
    "name": "Ana",
    "subject": "Regatta",
    "text": "At the weir 52.5200, 13.4050.",
    "date": "2026-09-01T08:00:00+02:00",
    "consent": True,
}


def scene_with(folder: Path, files: dict[str, bytes], inbox: str = "") -> IngestScene:
    for name, data in files.items():
        path = folder / "box" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return IngestScene.at(folder, "folder:box", inbox)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["IMG_1.MOV.json", "IMG_1.json"])
def test_a_sidecar_says_whose_a_file_is(tmp_path: Path, name: str) -> None:
    scene = scene_with(tmp_path, {"IMG_1.MOV": mp4(1), name: json.dumps(SAID).encode()})
    assert scene.ingest().mails == 1
    scene.check_whole()
    (found,), (item,) = scene.submissions(), scene.attachments()
    assert (found.sender, found.subject) == ("ana@example.org", "Regatta")
    assert found.received_at == "2026-09-01T06:00:00Z"
    assert found.text == "At the weir [location removed].\n\nConsent: yes"
    assert (item.filename, item.sha256) == ("IMG_1.MOV", sha(mp4(1)))
    assert scene.ingest() == IngestSummary()


@pytest.mark.parametrize(
    "data",
    [b"{", b"[" * 70_000, b"9" * 5000, b"{}" + b" " * 70_000, b'{"sender": 7}', b'{"who": "Ana"}',
     b'{"sender": "a@b\\nBcc: c@d"}', b"\xff\xfe"],
)  # fmt: skip
def test_a_broken_sidecar_costs_no_footage(tmp_path: Path, data: bytes) -> None:
    scene = scene_with(tmp_path, {"a.mp4": mp4(1), "a.json": data})
    assert scene.ingest().mails == 1
    outcomes = {item.filename: item.refusal for item in scene.attachments()}
    assert outcomes["a.mp4"] is None
    assert outcomes["a.json"] is not None


def test_a_sidecar_waits_for_its_footage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = scene_with(tmp_path, {"a.json": json.dumps(SAID).encode()})
    assert scene.ingest().mails == 0
    assert "a.json is a sidecar without footage" in capsys.readouterr().err
    assert scene_with(tmp_path, {"a.mp4": mp4(1)}).ingest().mails == 1
    assert scene.submissions()[0].sender == "ana@example.org"


def test_a_folder_is_one_submission(tmp_path: Path) -> None:
    said = json.dumps(SAID).encode()
    files = {
        "Jo/1.mp4": mp4(1), "Jo/more/2.jpg": jpeg(2), "Jo/submission.json": said,
        "Jo/Thumbs.db": b"x", "Jo/.DS_Store": b"x", "desktop.ini": b"x", "3.mp4": mp4(3),
    }  # fmt: skip
    scene = scene_with(tmp_path, files)
    assert scene.ingest().mails == 2
    scene.check_whole()
    by_sender = {each.sender: each.id for each in scene.submissions()}
    assert set(by_sender) == {"", "ana@example.org"}
    found = {row.attachment.filename: row.submission for row in scene.rows()}
    assert set(found) == {"1.mp4", "2.jpg", "3.mp4"}
    assert found["1.mp4"] == found["2.jpg"] == by_sender["ana@example.org"]
    assert scene.ingest() == IngestSummary()


def test_a_folder_with_an_unfinished_file_waits(tmp_path: Path) -> None:
    scene = scene_with(tmp_path, {"Jo/1.mp4": mp4(1), "Jo/.2.mp4.Ab12Cd": mp4(2)[:50]})
    with pytest.raises(MailsLeft, match="Jo"):
        scene.ingest()
    (tmp_path / "box/Jo/.2.mp4.Ab12Cd").rename(tmp_path / "box/Jo/2.mp4")
    assert scene.ingest().attachments == 2


@pytest.mark.parametrize(
    "name",
    ["a.mp4.part", "a.mp4.partial", "a.mp4.crdownload", "a.download", ".a.mp4", ".DS_Store",
     ".syncthing.a.mp4.tmp", "~syncthing~a.mp4.tmp", ".a.mp4.X1y2Z3", "Thumbs.db", "Desktop.ini"],
)  # fmt: skip
def test_what_is_no_finished_footage_is_ignored(tmp_path: Path, name: str) -> None:
    assert scene_with(tmp_path, {name: mp4(1)}).ingest() == IngestSummary()


def test_links_and_pipes_are_told_and_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = scene_with(tmp_path, {"a.mp4": mp4(1)})
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "b.mp4").write_bytes(mp4(2))
    os.mkfifo(tmp_path / "box" / "pipe.mp4")
    (tmp_path / "box" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "box" / "link.mp4").symlink_to(tmp_path / "secret" / "b.mp4")
    assert scene.ingest().mails == 1
    said = capsys.readouterr().err
    assert "pipe.mp4 is a device or a pipe" in said
    assert "link.mp4 is a symbolic link" in said


def test_what_was_taken_in_is_moved_and_nothing_is_overwritten(tmp_path: Path) -> None:
    files = {
        "a.mp4": mp4(1),
        "a.json": b'{"name": "Ana"}',
        "Jo/b.mp4": mp4(2),
        "done/a.mp4": b"old",
    }
    scene = scene_with(tmp_path, files, 'processed_folder = "box/done"')
    assert scene.ingest().filed == 2
    box = tmp_path / "box"
    assert names(box) == {"done/a.mp4", "done/a (2).mp4", "done/a.json", "done/Jo/b.mp4"}
    assert (box / "done/a.mp4").read_bytes() == b"old"
    assert not (box / "Jo").exists()
    assert scene.ingest() == IngestSummary()


def test_what_is_not_safe_stays(tmp_path: Path) -> None:
    scene = scene_with(
        tmp_path, {"a.mp4": mp4(1, 2_000_000)}, 'processed_folder = "done"\nmax_attachment_mb = 1'
    )
    assert scene.ingest().filed == 0
    assert names(tmp_path / "box") == {"a.mp4"}


def test_a_folder_that_can_not_be_moved_to(tmp_path: Path) -> None:
    scene = scene_with(tmp_path, {"a.mp4": mp4(1)}, 'processed_folder = "config.toml/done"')
    with pytest.raises(InboxError, match="can't be moved to"):
        scene.ingest()
    assert len(scene.attachments()) == 1


def test_a_folder_that_can_not_be_moved_keeps_no_other_file_back(tmp_path: Path) -> None:
    files = {"a.mp4": mp4(1), "b/b.mp4": mp4(2), "c.mp4": mp4(3)}
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "b").touch()
    scene = scene_with(tmp_path, files, 'processed_folder = "done"')
    with pytest.raises(InboxError, match="can't be moved to"):
        scene.ingest()
    assert (names(tmp_path / "box"), len(scene.attachments())) == ({"b/b.mp4"}, 3)


def test_what_can_not_be_read_keeps_nothing_else_waiting(tmp_path: Path, readable: Path) -> None:
    """A folder, a sidecar and a mail that nobody but their owner may read."""
    box = readable / "box"
    for name in ("a.mp4", "b/b.mp4", "c.json", "d.mp4", "e.eml"):
        (box / name).parent.mkdir(exist_ok=True, parents=True)
        (box / name).write_bytes(mp4(name))
        os.utime(box / name, (0, 0))
    section, workspace = InboxSection(url=f"folder:{box}"), Workspace(tmp_path)
    eml = EmlInbox(InboxSection(url=f"eml:{box}"), workspace)
    (mail,) = eml.new(nothing_known)
    for name in ("b", "c.json", "e.eml"):
        (box / name).chmod(0)

    with as_nobody():
        inbox = drop.DropInbox(section, workspace)
        assert {each.name for each in inbox.new(nothing_known)} == {"a.mp4", "d.mp4"}
        assert {each.name for each in inbox.waiting()} == {"b", "c.json", "e.eml"}
        assert len(inbox.remarks()) == 3
        with pytest.raises(Unreadable, match="Permission denied"), eml.open_raw(mail, print):
            pass
    (box / "e.eml").unlink()
    with pytest.raises(Gone), eml.open_raw(mail, print):
        pass


def test_what_goes_while_a_folder_is_listed_keeps_nothing_waiting(tmp_path: Path) -> None:
    """A folder of the kernel that names the open files, among them its own listing."""
    inbox = drop.DropInbox(InboxSection(url="folder:/proc/self/fd"), Workspace(tmp_path))
    assert inbox.new(nothing_known) == []
    assert inbox.waiting() == []
    assert all("is a symbolic link" in remark for remark in inbox.remarks())


def test_a_damaged_file_among_others_can_be_tried_again() -> None:
    with pytest.raises(Unreadable, match="Input/output error"), one_file():
        Path("/proc/self/mem").read_bytes()


def test_a_fault_elsewhere_does_not_make_a_file_look_gone(tmp_path: Path) -> None:
    """A file that is missing elsewhere does not make a file of the inbox look gone."""
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "a.mp4").write_bytes(mp4(1))
    section = InboxSection(url=f"folder:{tmp_path / 'box'}")
    inbox = drop.DropInbox(section, Workspace(tmp_path / "work"))
    (file,) = inbox.new(nothing_known)
    with pytest.raises(FileNotFoundError), inbox.open_raw(file, print):
        (tmp_path / "nowhere").read_bytes()


def nothing_known(_account: str, _mailbox: str, _uidvalidity: int) -> set[str]:
    return set()


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that everybody may enter, unlike those of pytest."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, who may read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_moving_to_another_device_copies(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"new")
    assert drop._copied(source, target)
    assert not drop._copied(source, target)
    assert target.read_bytes() == b"new"
