"""Mbox files as programs write them: each mail once, whatever the line before it looks like."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.ingest_scene import IngestScene, mail, mp4, sha

from pipeline.errors import InboxError
from pipeline.ingest.inbox import Unreadable
from pipeline.ingest.mbox import MboxInbox
from pipeline.ingest.reading import IngestSummary

DATED = b"From ana@example.org Tue Sep  1 08:00:00 2026\n"
MAILS = [
    mail((f"{n}.mp4", mp4(n)), subject=f"clip {n}", text="Dear all,\n\nFrom me to you\nNote: hi")
    .as_bytes()
    .replace(b"\r\n", b"\n")
    for n in range(3)
]


def joined(start: bytes, gap: bytes = b"\n") -> bytes:
    return b"".join(start + each.replace(b"\nFrom me", b"\n>From me") + gap for each in MAILS)


def check(folder: Path, data: bytes) -> IngestScene:
    """The file holds the three mails."""
    (folder / "box").write_bytes(data)
    scene = IngestScene.at(folder, "mbox:box")
    assert scene.ingest().mails == 3
    scene.check_whole()
    assert {item.sha256 for item in scene.attachments()} == {sha(mp4(n)) for n in range(3)}
    assert {item.text for item in scene.submissions()} == {"Dear all,\n\nFrom me to you\nNote: hi"}
    assert scene.ingest() == IngestSummary()
    return scene


@pytest.mark.parametrize(
    "start", [DATED, b"From \n", b"From -\n", b"From ana@example.org\n", b"From - 08:00:00 2026\n"]
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_that_begin_a_mail(tmp_path: Path, start: bytes, end: bytes) -> None:
    check(tmp_path, joined(start).replace(b"\n", end))


def test_mails_that_are_glued_together(tmp_path: Path) -> None:
    check(tmp_path, joined(DATED, gap=b""))


@pytest.mark.parametrize("before", [b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_what_stands_before_the_first_mail(tmp_path: Path, before: bytes) -> None:
    check(tmp_path, before + joined(DATED))


def test_bytes_before_the_first_mail_are_no_mbox(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(b"hello\n\n" + joined(DATED))
    with pytest.raises(InboxError, match="begins with no mail"):
        IngestScene.at(tmp_path, "mbox:box").ingest()


def test_marks_of_mail_programs_make_no_mail_new(tmp_path: Path) -> None:
    marks = b"X-Mozilla-Status: %04d\nX-Mozilla-Keys: %s\nStatus: %s\nX-Gmail-Labels: a,\n %s\n"

    def marked(*values: object) -> bytes:
        text = marks % values
        return joined(DATED).replace(b"\nSubject:", b"\n" + text + b"Subject:")

    scene = check(tmp_path, marked(1, b"  ", b"O", b"b"))
    (tmp_path / "box").write_bytes(marked(9, b"$label1", b"RO", b"c"))
    assert scene.ingest() == IngestSummary()
    (tmp_path / "box").write_bytes(joined(DATED))
    assert scene.ingest() == IngestSummary()


def test_an_empty_line_behind_the_last_mail_is_not_a_part_of_it(tmp_path: Path) -> None:
    scene = check(tmp_path, joined(DATED).removesuffix(b"\n"))
    more = mail(("new.mp4", mp4(9)), subject="new").as_bytes()
    (tmp_path / "box").write_bytes(joined(DATED) + DATED + more)
    assert scene.ingest().mails == 1


def test_an_mbox_that_grows_while_it_is_read(tmp_path: Path) -> None:
    """What was its last mail may have been half of one: it waits for the next run."""
    data = joined(DATED)
    (tmp_path / "box").write_bytes(data[:-9000])
    scene = IngestScene.at(tmp_path, "mbox:box")
    inbox = MboxInbox(scene.config.inbox[0], scene.workspace)
    scene.workspace.create()
    arrivals = inbox.new(lambda _account, _mailbox, _uidvalidity: set())
    (tmp_path / "box").write_bytes(data)
    with inbox.open_raw(arrivals[0], lambda _size: None):
        pass
    with pytest.raises(Unreadable), inbox.open_raw(arrivals[-1], lambda _size: None):
        pass
    inbox.close()
    check(tmp_path, data)
