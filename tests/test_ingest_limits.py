"""Mails are taken apart in a process with limits: if it fails, one mail is set aside, no other."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.ingest_scene import IngestScene, jpeg, mail, mp4, sha, write_all

from pipeline.console import Console, Verbosity
from pipeline.ffmpeg import sandbox, watch
from pipeline.ffmpeg.faults import is_end_from_outside
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Permissions
from pipeline.history import Stay
from pipeline.ingest import stage, taking, wire
from pipeline.ingest.faults import Untrue
from pipeline.ingest.inbox import NewMail
from pipeline.ingest.keeping import Keeping
from pipeline.ingest.leaving import MailsLeft
from pipeline.ingest.originals import Originals
from pipeline.ingest.take import Opening, Taken, Taker, wordless
from pipeline.ingest.wire import Answer
from pipeline.ledger import Ledger
from pipeline.ledger.proofs import add_up
from pipeline.model import Attachment, Kind, MailIdentity, Note, Reason
from pipeline.run import Run
from pipeline.store import WorkspaceFolder
from pipeline.texts import Detail
from pipeline.workspace import Workspace, hold, sweep

NEIGHBOURS = (("a.jpg", jpeg(1)), ("c.mp4", mp4(3)))


def scene_with(folder: Path, middle: bytes) -> IngestScene:
    """Three mails, of which the middle one makes trouble."""
    first, last = (mail(part, subject=part[0]).as_bytes() for part in NEIGHBOURS)
    write_all(folder / "box", [first, middle, last])
    return IngestScene.at(folder, "eml:box", "max_attachment_mb = 1")


def check_set_aside(scene: IngestScene, subject: str) -> None:
    """One mail is recorded as broken, its neighbours are in, and nothing is left over."""
    summary = scene.ingest()
    scene.check_whole()
    assert (summary.mails, summary.set_aside) == (3, 1)
    by_reason = {
        row.attachment.refusal and row.attachment.refusal.reason: row for row in scene.rows()
    }
    broken = by_reason[Reason.BROKEN_MAIL]
    assert broken.attachment.sha256 is None  # so that it stays on the server
    submission = next(it for it in scene.submissions() if it.id == broken.submission)
    assert submission.subject == subject
    kept = {row.attachment.sha256 for row in scene.rows()} - {None}
    assert kept == {sha(data) for _, data in NEIGHBOURS}
    assert scene.ingest().mails == 0  # it is not tried again every night


STILL = taking.PROGRAM
PROGRAM = (
    taking.PROGRAM.replace("{", "{{")
    .replace("}", "}}")
    .replace(
        "child.main()",
        """
import os, signal, socket, time
from pipeline.ingest.take import Taker
inner = Taker.mail
def mail(self, arrival, file):
    file.seek(0)
    if b"Subject: trouble" in file.read(4000):
        self.originals.keep([b"half a file" * 1000])
        {trouble}
    return inner(self, arrival, file)
Taker.mail = mail
{more}
child.main()
""",
    )
)
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
TROUBLES = {
    "it crashes": "import ctypes; ctypes.string_at(0)",
    "too much memory": "bytes(2 << 30)",
    "too much processor time": "[None for _ in iter(int, 1)]",
    "it waits for ever": "time.sleep(3600)",
    "a file without an end": "(self.originals._folder / 'x').write_bytes(bytes(8 << 20))",
    "an exception nobody knows": "raise AssertionError",
    "it answers nonsense": "os.write(0, b'nonsense that is long enough' * 100)",
}
ENDED_BY_TIME = ("too much processor time", "it waits for ever")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_costs_its_own_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    program = PROGRAM.format(trouble=TROUBLES[trouble], more="")
    monkeypatch.setattr(taking, "PROGRAM", program)
    if trouble in ENDED_BY_TIME:
        monkeypatch.setattr(taking, "CPU_S", 3)  # a good mail takes a second on a slow machine
    middle = mail(("b.jpg", jpeg(2)), subject="trouble", text="Ours").as_bytes()
    scene = scene_with(tmp_path, middle)
    check_set_aside(scene, "trouble")


def test_a_process_that_was_killed_from_outside_costs_no_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel kills when memory is short; the first mail meets it in a new process."""
    once = tmp_path / "once"
    kill = f"once.exists() or (once.touch(), {KILL})"
    more = f"from pathlib import Path; once = Path({str(once)!r})"
    program = PROGRAM.format(trouble=kill, more=more)
    monkeypatch.setattr(taking, "PROGRAM", program)
    write_all(tmp_path / "box", [mail(("b.jpg", jpeg(2)), subject="trouble").as_bytes()])
    scene = IngestScene.at(tmp_path, "eml:box")

    summary = scene.ingest()

    scene.check_whole()
    assert (summary.mails, summary.set_aside) == (1, 0)
    assert [row.attachment.sha256 for row in scene.rows()] == [sha(jpeg(2))]
    assert once.exists()


def test_a_mail_whose_process_is_ended_each_night_is_set_aside_by_name_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end from outside says nothing of the mail: it waits, and its neighbours come in."""
    monkeypatch.setattr(taking, "PROGRAM", PROGRAM.format(trouble=KILL, more=""))
    trouble = mail(("b.jpg", jpeg(2)), subject="trouble").as_bytes()
    write_all(tmp_path / "box", [trouble, mail(NEIGHBOURS[0]).as_bytes()])
    scene = IngestScene.at(tmp_path, "eml:box", "[cluster]\nattempts = 2")

    scene.workspace.create()
    with Ledger(scene.workspace.ledger) as ledger:
        ledger.runs.start("20260901T000000.000000Z", "ingest")
    # the second time it also can't read the header: then it is the machine, not the mail
    again = f"Taker.broken = lambda self, arrival, file: {KILL}"
    for night, more in ((1, ""), (2, again)):
        with monkeypatch.context() as patch:
            patch.setattr(taking, "PROGRAM", PROGRAM.format(trouble=KILL, more=more))
            with pytest.raises(MailsLeft, match=r"ended from outside.*: 0000\.eml"):
                scene.ingest()
        with Ledger(scene.workspace.ledger) as ledger:
            (left,) = ledger.runs.remains().left
        assert (left.uid, left.why, left.tries) == ("0000.eml", Stay.MACHINE, night)
        assert len(scene.submissions()) == 1  # the mail behind it is in
    assert scene.ingest().set_aside == 1
    (broken,) = [row for row in scene.rows() if row.attachment.sha256 is None]
    assert broken.refusal is not None
    assert broken.refusal.code is Detail.MAIL_FAILED_MACHINE
    submission = next(it for it in scene.submissions() if it.id == broken.submission)
    assert submission.subject == "trouble"
    assert submission.sender
    assert scene.ingest().mails == 0

    # a person has it read again; older versions recorded such mails in the same way
    monkeypatch.setattr(taking, "PROGRAM", STILL)
    with Ledger(scene.workspace.ledger) as ledger:
        assert ledger.intake.unread() == [broken.submission]
        ledger.intake.read_again([broken.submission])
    assert scene.ingest().attachments == 1
    scene.check_whole()
    (row,) = [row for row in scene.rows() if row.submission == broken.submission]
    assert (row.attachment.sha256, row.refusal) == (sha(jpeg(2)), None)
    read = next(it for it in scene.submissions() if it.id == broken.submission)
    assert read == replace(submission, text=read.text, notes=())
    with Ledger(scene.workspace.ledger) as ledger:
        assert ledger.intake.unread() == []
        assert ledger.checks.changed_rows(add_up(ledger.chain.events())) == []
    assert scene.ingest().attachments == 0


def test_a_lower_limit_of_the_shell_on_memory_costs_no_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(tmp_path / "box", [mail(("b.jpg", jpeg(2)), subject="trouble").as_bytes()])
    scene = IngestScene.at(tmp_path, "eml:box")
    monkeypatch.setattr(taking, "PROGRAM", PROGRAM.format(trouble="raise MemoryError", more=""))
    monkeypatch.setattr(taking, "_least", lambda _kind, own: own - 1)
    with pytest.raises(MailsLeft, match="too little memory"):
        scene.ingest()


def test_a_process_that_does_not_start_costs_no_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(tmp_path / "box", [mail(("b.jpg", jpeg(2)), subject="trouble").as_bytes()])
    scene = IngestScene.at(tmp_path, "eml:box", "[cluster]\nattempts = 1")
    monkeypatch.setattr(taking, "PROGRAM", "raise SystemExit(1)")
    with pytest.raises(MailsLeft, match="could not start"):
        scene.ingest()
    assert scene.rows() == []


def test_a_process_that_others_leave_little_time_costs_no_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs longer than a process may do nothing, but it is at work all the time."""
    work = "until = time.monotonic() + 3"
    work += "\n        while time.monotonic() < until: sum(range(10_000_000)), time.sleep(0.1)"
    monkeypatch.setattr(taking, "PROGRAM", PROGRAM.format(trouble=work, more=""))
    monkeypatch.setattr(taking, "_WAITS", 2 / taking.CPU_S)
    write_all(tmp_path / "box", [mail(("b.jpg", jpeg(2)), subject="trouble").as_bytes()])

    summary = IngestScene.at(tmp_path, "eml:box").ingest()

    assert (summary.mails, summary.set_aside) == (1, 0)


def test_a_mail_for_which_the_machine_has_no_time_stays_for_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(tmp_path / "box", [mail(("b.jpg", jpeg(2)), subject="trouble").as_bytes()])
    scene = IngestScene.at(tmp_path, "eml:box")
    with monkeypatch.context() as patch:
        patch.setattr(taking, "PROGRAM", PROGRAM.format(trouble="time.sleep(3600)", more=""))
        # by the clock half a second in all, long before it would count as slow
        patch.setattr(watch, "STARVED_S", 0.5 - taking.CPU_S * taking._MOST_WAITS)
        with pytest.raises(MailsLeft):
            scene.ingest()
    assert scene.rows() == []
    assert scene.ingest().mails == 1
    assert [row.attachment.sha256 for row in scene.rows()] == [sha(jpeg(2))]
    scene.check_whole()


def test_a_mail_whose_header_is_trouble_too_has_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = "Taker.broken = lambda self, arrival, file: os._exit(1)"
    program = PROGRAM.format(trouble="os._exit(1)", more=again)
    monkeypatch.setattr(taking, "PROGRAM", program)
    check_set_aside(scene_with(tmp_path, mail(subject="trouble").as_bytes()), "")


def test_the_header_of_a_mail_that_can_not_be_read_counts(tmp_path: Path) -> None:
    """Nobody may be answered by a program, or believed, because a mail is broken."""
    header = (
        b"From: Ana <ana@example.org>\r\nSubject: Please delete my video\r\n"
        b"Received: by x; Tue, 1 Sep 2026 08:00:00 +0000\r\nList-Id: <list.example.org>\r\n"
        b"Authentication-Results: mx.example.org; dmarc=fail\r\n\r\n"
    )
    identity = MailIdentity("eml", "box", 0, "1")
    arrival = NewMail(identity, len(header), file_time=datetime(2027, 1, 1, tzinfo=UTC))
    taker = Taker(Originals(tmp_path, 1), Opening(), "mx.example.org")

    submission = taker.broken(arrival, io.BytesIO(header)).submission

    wanted = {Note.BROKEN_MAIL, Note.TAKES_BACK, Note.NO_RECEIPT, Note.NOT_AUTHENTIC}
    assert set(submission.notes) == wanted
    assert submission.received_at == "2026-09-01T08:00:00Z"


# -- behind the walls -----------------------------------------------------------------------


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock"])
def test_mails_are_taken_apart_behind_walls(tmp_path: Path, wall: str) -> None:
    """Without a network, and without a view of the workspace."""
    seen = str(tmp_path / "work" / "ledger.db")
    look = (
        "for look in (socket.socket, lambda: open({seen!r})):\n"
        "            try: look()\n"
        "            except OSError: continue\n"
        "            os._exit(1)"
    ).replace("{seen!r}", repr(seen))
    assert sandbox.choose(wall).mode == wall
    program = PROGRAM.format(trouble=look, more="")
    scene = scene_with(tmp_path, mail(("b.jpg", jpeg(2)), subject="trouble").as_bytes())
    with pytest.MonkeyPatch.context() as patch, hold(scene.workspace):
        patch.setattr(taking, "PROGRAM", program)
        with Ledger(scene.workspace.ledger) as ledger:
            console = Console(Verbosity.QUIET)
            runner = FfmpegRunner(wall, console)
            store = WorkspaceFolder(scene.workspace)
            run = Run(scene.config, ledger, scene.workspace, runner, console, store)
            done = stage.run(run)
    scene.check_whole()
    assert (done.mails, done.set_aside, done.attachments) == (3, 0, 3)


def innermost(pid: int) -> int:
    """The program that a launcher and bubblewrap have started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return innermost(int(children[0])) if children else pid


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock"])
@pytest.mark.parametrize(("number", "is_outside"), [(9, True), (11, False)])
def test_an_end_from_outside_is_seen_through_the_walls(
    wall: str, number: int, *, is_outside: bool
) -> None:
    program = "import os; os.write(0, b'x'); os.read(0, 1)"
    runner = FfmpegRunner(wall, Console(Verbosity.QUIET))
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            argv = [sys.executable, "-I", "-S", "-c", program]
            companion = runner.attach(argv, Permissions(), theirs.fileno())
        assert ours.recv(1) == b"x"
        inside = innermost(companion._process.pid)
        # where memory is short, the kernel ends it and not the run
        assert Path(f"/proc/{inside}/oom_score_adj").read_text() == "500\n"
        os.kill(inside, number)
        assert ours.recv(1) == b""
        code = companion.ending()
        companion.end()
    assert code is not None
    assert is_end_from_outside(code) is is_outside


# -- what it answers is not believed ----------------------------------------------------------

IDENTITY = MailIdentity("eml", "box", 0, "1")
ROW = Attachment(0, "a.jpg", Kind.IMAGE, sha(b"a"), 1)


TRUE = wire.message_of(
    Answer(
        Taken(wordless(IDENTITY, datetime(2026, 9, 1, tzinfo=UTC)), (ROW,), sha(b"mail"), 1),
        {sha(b"a"): "name"},
    )
)


def row(**changes: object) -> dict[str, object]:
    rows = TRUE["attachments"]
    assert isinstance(rows, list)
    return {"attachments": [{**rows[0], **changes}]}


def submission(**changes: object) -> dict[str, object]:
    true = TRUE["submission"]
    assert isinstance(true, dict)
    return {"submission": {**true, **changes}}


def test_a_true_answer_is_read() -> None:
    answer = wire.answer_of(json.loads(json.dumps(TRUE)))
    assert answer.taken is not None
    assert answer.taken.attachments == (ROW,)


@pytest.mark.parametrize(
    "changes",
    [
        row(position=1),
        row(parent=0),
        row(pair=1),
        row(size=-1),
        row(size=True),
        row(sha256="../../etc/passwd"),
        row(kind="program"),
        row(filename=["a"]),
        row(filename="a" * 2000),
        row(reason="corrupt", detail_code=Detail.BROKEN_ZIP, detail_values='{"x": [1]}'),
        row(findings='[["EXIF position"]]'),
        submission(subject=5),
        submission(text="a" * 100_000),
        submission(recipients=[1]),
        submission(notes='["no such note"]'),
        {"digest": "0"},
        {"bytes": "1"},
        {"files": [1]},
        {"files": {"x": "name"}},
        {"attachments": [1]},
        {"submission": 1},
    ],
)
def test_an_answer_that_cannot_be_is_refused(changes: Mapping[str, object]) -> None:
    with pytest.raises(Untrue):
        wire.answer_of(json.loads(json.dumps({**TRUE, **changes})))


NAME = f".incoming-{'0' * 32}.part"


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def two_names(path: Path) -> None:
    path.write_bytes(b"a")
    path.with_name("other").hardlink_to(path)


@pytest.mark.parametrize(
    "make",
    [
        link,
        two_names,
        os.mkfifo,
        Path.mkdir,
        lambda path: path.write_bytes(b"longer"),
        lambda _path: None,
    ],
)
def test_a_file_that_is_none_of_ours_is_refused(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    workspace = Workspace(tmp_path / "work")
    workspace.create()
    folder = workspace.originals / ".scratch.part"
    folder.mkdir()
    make(folder / NAME)
    with Ledger(workspace.ledger) as ledger:
        keeping = Keeping(workspace, ledger)
        with pytest.raises(Untrue):
            keeping.hold(folder, {sha(b"a"): NAME}, {sha(b"a"): 1})
        keeping.forget()
    sweep(workspace)
    assert list(workspace.originals.iterdir()) == []


def test_a_file_that_the_process_still_writes_is_refused(tmp_path: Path) -> None:
    """It lives on, and could change what was taken from it."""
    workspace = Workspace(tmp_path / "work")
    workspace.create()
    folder = workspace.originals / ".scratch.part"
    folder.mkdir()
    with Ledger(workspace.ledger) as ledger, (folder / NAME).open("wb") as file:
        file.write(b"a")
        file.flush()
        keeping = Keeping(workspace, ledger)
        with pytest.raises(Untrue):
            keeping.hold(folder, {sha(b"a"): NAME}, {sha(b"a"): 1})
        keeping.forget()
    assert list(workspace.originals.iterdir()) == [folder]


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a.part", ""])
def test_a_name_that_is_none_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    workspace = Workspace(tmp_path / "work")
    workspace.create()
    with Ledger(workspace.ledger) as ledger, pytest.raises(Untrue):
        Keeping(workspace, ledger).hold(tmp_path, {sha(b"a"): name}, {sha(b"a"): 1})
