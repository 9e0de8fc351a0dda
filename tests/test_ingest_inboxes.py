"""Embedded inboxes: read as they are, never changed, each mail once."""

from __future__ import annotations

import fcntl
import mailbox
import os
import resource
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from support.ingest_scene import IngestScene, jpeg, mail, mp4, sha, write_all

from pipeline.config import INBOX_KINDS
from pipeline.console import Console, Verbosity
from pipeline.errors import DiskFull, InboxError, UsageError
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.history import Stay
from pipeline.ingest import folders
from pipeline.ingest.add import add
from pipeline.ingest.inbox import Inbox
from pipeline.ingest.leaving import MailsLeft
from pipeline.ingest.reading import IngestSummary
from pipeline.ledger import Ledger
from pipeline.model import Note, OriginalState
from pipeline.run import Run
from pipeline.store import WorkspaceFolder
from pipeline.workspace import hold

MAILS = [
    mail(("a.jpg", jpeg(1)), subject="one", Received="by x; Tue, 1 Sep 2026 08:00:00 +0000"),
    mail(("b.mp4", mp4(2)), ("c.jpg", jpeg(1)), subject="two", text="From here\nFrom there",
         Received="by x; Tue, 1 Sep 2026 09:00:00 +0000"),
    mail(subject="three", Received="by x; Tue, 1 Sep 2026 10:00:00 +0000"),
]  # fmt: skip


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def fill(kind: str, folder: Path) -> str:
    """The address of an inbox of a kind with MAILS in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "eml":
        write_all(folder / "box", MAILS)
        return "eml:box"
    if kind == "maildir":
        for sub in ("cur", "new", "tmp"):
            (folder / "box" / sub).mkdir(parents=True)
        for number, item in enumerate(MAILS):
            name = f"cur/{number}.x:2,S" if number < 2 else f"new/{number}.x"
            (folder / "box" / name).write_bytes(item.as_bytes().replace(b"\r\n", b"\n"))
        (folder / "box" / "tmp" / "9.x").write_bytes(b"half of a m")
        return "maildir:box"
    box = mailbox.mbox(folder / "box.mbox")
    for item in MAILS:
        box.add(mailbox.mboxMessage(item))
    box.close()
    return "mbox:box.mbox"


KINDS = pytest.mark.parametrize("kind", ["eml", "maildir", "mbox"])


def test_each_kind_in_the_table_has_a_reader_that_keeps_the_contract() -> None:
    """The table names them as text, because the configuration imports no stage."""
    for kind in INBOX_KINDS.values():
        module, _, name = kind.reader.partition(".")
        assert issubclass(getattr(import_module(f"pipeline.ingest.{module}"), name), Inbox)


@KINDS
def test_all_kinds_give_the_same_rows(tmp_path: Path, kind: str) -> None:
    scene = IngestScene.at(tmp_path, fill(kind, tmp_path))
    summary = scene.ingest()
    scene.check_whole()
    assert (summary.mails, summary.attachments) == (3, 3)
    assert [(item.filename, item.sha256) for item in scene.attachments()] == [
        ("a.jpg", sha(jpeg(1))),
        ("b.mp4", sha(mp4(2))),
        ("c.jpg", sha(jpeg(1))),
    ]
    submissions = scene.submissions()
    assert [item.subject for item in submissions] == ["one", "two", "three"]
    assert submissions[1].text == "From here\nFrom there"
    assert submissions[1].received_at == "2026-09-01T09:00:00Z"
    assert submissions[2].notes == (Note.NO_ATTACHMENT,)


@KINDS
def test_a_second_run_takes_in_nothing(tmp_path: Path, kind: str) -> None:
    scene = IngestScene.at(tmp_path, fill(kind, tmp_path))
    scene.ingest()
    rows = scene.rows()
    assert scene.ingest() == IngestSummary()
    assert scene.rows() == rows


@KINDS
def test_the_inbox_is_never_changed(tmp_path: Path, kind: str) -> None:
    url = fill(kind, tmp_path / "in")
    before = snapshot(tmp_path / "in")
    scheme, _, path = url.partition(":")
    IngestScene.at(tmp_path / "scene", f"{scheme}:../in/{path}").ingest()
    assert snapshot(tmp_path / "in") == before


@KINDS
def test_a_dry_run_tells_and_changes_nothing(tmp_path: Path, kind: str) -> None:
    scene = IngestScene.at(tmp_path, fill(kind, tmp_path))
    summary = scene.ingest(dry_run=True)
    assert len(summary.coming) == 3
    assert summary.mails == 0
    assert scene.rows() == []
    assert not any(path.is_file() for path in scene.workspace.originals.rglob("*"))


def test_a_mail_that_was_copied_is_known_by_its_bytes(tmp_path: Path) -> None:
    scene = IngestScene.at(tmp_path, fill("eml", tmp_path))
    scene.ingest()
    for path in sorted((tmp_path / "box").iterdir()):
        (tmp_path / "box" / f"copy-{path.name}").write_bytes(path.read_bytes())
    assert scene.ingest() == IngestSummary(seen_again=3)
    assert len(scene.rows()) == 3


def test_flags_of_a_maildir_do_not_make_a_mail_new(tmp_path: Path) -> None:
    scene = IngestScene.at(tmp_path, fill("maildir", tmp_path))
    scene.ingest()
    (tmp_path / "box/new/2.x").rename(tmp_path / "box/cur/2.x:2,RS")
    assert scene.ingest() == IngestSummary()


def test_mail_that_a_maildir_has_in_its_trash_is_left_out(tmp_path: Path) -> None:
    scene = IngestScene.at(tmp_path, fill("maildir", tmp_path))
    (tmp_path / "box/new/2.x").rename(tmp_path / "box/cur/2.x:2,ST")
    assert scene.ingest().mails == 2


def test_an_mbox_may_grow_and_shrink(tmp_path: Path) -> None:
    scene = IngestScene.at(tmp_path, fill("mbox", tmp_path))
    scene.ingest()
    box = mailbox.mbox(tmp_path / "box.mbox")
    box.remove(box.keys()[0])
    box.add(mailbox.mboxMessage(mail(("new.jpg", jpeg(9)))))
    box.close()
    assert scene.ingest().mails == 1
    assert scene.attachments()[-1].filename == "new.jpg"


@pytest.mark.parametrize("size", range((1 << 20) - 60, (1 << 20) + 20, 7))
def test_a_mail_that_begins_between_two_reads_of_an_mbox(tmp_path: Path, size: int) -> None:
    start = b"From ana@example.org Tue Sep  1 08:00:00 2026\n"
    first = b"Subject: a\n\n" + b"x" * (size - len(start) - 14) + b"\n\n"
    (tmp_path / "box").write_bytes(start + first + start + b"Subject: b\n\nFrom me to you\n")
    scene = IngestScene.at(tmp_path, "mbox:box")
    assert scene.ingest().mails == 2
    assert {item.subject for item in scene.submissions()} == {"a", "b"}


def test_an_mbox_that_is_written_to_is_left_alone(tmp_path: Path) -> None:
    scene = IngestScene.at(tmp_path, fill("mbox", tmp_path))
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'ab'); fcntl.lockf(file, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "box.mbox")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(InboxError, match="is being written to"):
            scene.ingest()
    assert scene.ingest().mails == 3


@pytest.mark.parametrize(
    "url", ["eml:nowhere", "maildir:nowhere", "mbox:nowhere", "folder:nowhere", "mbox:config.toml"]
)
def test_an_inbox_that_is_none_says_so(tmp_path: Path, url: str) -> None:
    with pytest.raises(InboxError, match=r"nowhere|config\.toml"):
        IngestScene.at(tmp_path, url).ingest()


# -- a drop folder -------------------------------------------------------------------------


def test_each_file_of_a_drop_folder_is_a_submission(tmp_path: Path) -> None:
    box = tmp_path / "box"
    (box / "from Jo").mkdir(parents=True)
    (box / "a.jpg").write_bytes(jpeg(1))
    (box / "from Jo" / "b 59.19683,-41.55583.mp4").write_bytes(mp4(2))
    for name in (".hidden.jpg", "half.mp4.part", "half.mp4.crdownload", "~lock.jpg"):
        (box / name).write_bytes(jpeg(3))
    (box / "link.jpg").symlink_to("/etc/passwd")
    scene = IngestScene.at(tmp_path, "folder:box")
    assert scene.ingest().mails == 2
    scene.check_whole()
    assert {item.filename for item in scene.attachments()} == {"a.jpg", "b [location removed].mp4"}
    assert len(scene.submissions()) == 2
    assert scene.ingest() == IngestSummary()


def test_the_same_bytes_under_another_name_are_a_duplicate(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    (box / "a.jpg").write_bytes(jpeg(1))
    (box / "b.jpg").write_bytes(jpeg(1))
    scene = IngestScene.at(tmp_path, "folder:box")
    scene.ingest()
    assert [row.status for row in scene.rows()] == ["pending", "duplicate"]


def test_a_file_that_is_open_for_writing_waits(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    with (box / "a.mp4").open("wb") as growing:
        growing.write(mp4()[:5000])
        growing.flush()
        scene = IngestScene.at(tmp_path, "folder:box")
        with pytest.raises(MailsLeft, match=r"a\.mp4"):
            scene.ingest()
        growing.write(mp4()[5000:])
    assert scene.ingest().mails == 1
    assert scene.attachments()[0].sha256 == sha(mp4())


def test_where_writers_are_not_known_a_file_must_be_a_minute_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4())
    monkeypatch.delattr(fcntl, "F_SETLEASE")
    assert not folders.is_at_rest(path)
    old = path.stat().st_mtime - 61
    os.utime(path, (old, old))
    assert folders.is_at_rest(path)


def test_many_files_that_can_not_be_read_keep_no_mail_waiting(tmp_path: Path) -> None:
    """As those of a damaged disk: files of the kernel whose bytes cannot be read either."""
    scene = IngestScene.at(tmp_path, "eml:box")
    box = tmp_path / "box"
    box.mkdir()
    for number in range(11):
        target = "mem" if number % 2 else "clear_refs"
        (box / f"damaged {number:02}.eml").symlink_to(f"/proc/self/{target}")
    (box / "open.eml").write_bytes(mail(subject="open").as_bytes())
    assert [each.subject for each in scene.ingest(dry_run=True).coming] == ["open"]
    with pytest.raises(MailsLeft, match="and 1 more"):
        scene.ingest()
    assert [each.subject for each in scene.submissions()] == ["open"], "none is set aside for good"


# -- by hand -------------------------------------------------------------------------------


def by_hand(scene: IngestScene, *paths: Path) -> IngestSummary:
    with hold(scene.workspace), Ledger(scene.workspace.ledger) as ledger:
        console = Console(Verbosity.QUIET)
        store = WorkspaceFolder(scene.workspace)
        runner = FfmpegRunner("none", console)
        run = Run(scene.config, ledger, scene.workspace, runner, console, store)
        return add(run, paths).summary


def test_files_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    scene = IngestScene.at(tmp_path, "eml:box")
    assert by_hand(scene, path).mails == 1
    assert by_hand(scene, path) == IngestSummary(seen_again=1)
    scene.check_whole()
    assert scene.submissions()[0].sender == ""
    with pytest.raises(UsageError, match="nowhere"):
        by_hand(scene, path, tmp_path / "nowhere")


def test_withdrawn_bytes_come_back_by_hand_alone(tmp_path: Path) -> None:
    scene = IngestScene.at(tmp_path, fill("eml", tmp_path))
    scene.ingest()
    original = scene.workspace.original(sha(jpeg(1)))
    original.unlink()
    with Ledger(scene.workspace.ledger) as ledger:
        ledger.custody.set_state(sha(jpeg(1)), OriginalState.WITHDRAWN)
    write_all(tmp_path / "box", [mail(("again.jpg", jpeg(1)), subject="again")])
    assert scene.ingest().mails == 1
    assert not original.exists()
    assert {row.status for row in scene.rows() if row.attachment.sha256 == sha(jpeg(1))} == {
        "withdrawn"
    }
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(1))
    by_hand(scene, path)
    assert original.exists()
    assert scene.rows()[0].status != "withdrawn"


# -- a disk that is full ----------------------------------------------------------------------


def test_a_full_disk_is_one_clear_line_and_the_next_run_goes_on(tmp_path: Path) -> None:
    scene = IngestScene.at(tmp_path, fill("eml", tmp_path))
    large = mail(("large.mp4", mp4(5, 3_000_000)), subject="large")
    (tmp_path / "box" / "1.eml").write_bytes(large.as_bytes())
    with Ledger(scene.workspace.ledger) as ledger:
        ledger.runs.start("20260901T000000.000000Z", "ingest")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        with pytest.raises(DiskFull, match="disk is full; free some space and run again"):
            scene.ingest()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    scene.check_whole()
    with Ledger(scene.workspace.ledger) as ledger:
        assert {each.why for each in ledger.runs.remains().left} == {Stay.DISK}
    scene.ingest()
    scene.check_whole()
    assert len(scene.submissions()) == 4


@pytest.mark.parametrize(
    "marks",
    [
        b"X-Mozilla-Status: 0001\r\nX-Mozilla-Status2: 00000000\r\n",
        b"Status: RO\r\nX-Status: A\r\n",
        b"X-Keywords: read\r\n answered\r\n",
    ],
)
def test_an_eml_whose_marks_change_stays_the_same_mail(tmp_path: Path, marks: bytes) -> None:
    scene = IngestScene.at(tmp_path, "eml:inbox")
    (tmp_path / "inbox").mkdir()
    path = tmp_path / "inbox" / "a.eml"
    message = mail(("a.jpg", jpeg(1))).as_bytes()
    for number, changed in enumerate(
        (message, marks + message, marks.replace(b"0", b"1") + message)
    ):
        path.write_bytes(changed)
        os.utime(path, (number, number))
        scene.ingest()
    assert len(scene.submissions()) == 1
    path.write_bytes(message.replace(b"Here it is", b"Here it was"))
    scene.ingest()
    assert len(scene.submissions()) == 2
