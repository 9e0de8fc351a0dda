"""Servers as they are: throttled, forgetful, full, read-only.  Nothing is lost or burnt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from support.ingest_scene import IngestScene, mail, mp4, sha
from support.scripted_imap import Say, Script, scripted

from pipeline import config as configuration
from pipeline.commands import status
from pipeline.commands.session import execute
from pipeline.commands.stages import take_in
from pipeline.console import Console, Verbosity
from pipeline.errors import InboxError, Stopping
from pipeline.history import Stay
from pipeline.ingest import imap, stage
from pipeline.ingest.leaving import MailsLeft
from pipeline.ledger import Ledger

MAILS = {uid: mail((f"{uid}.mp4", mp4(uid)), subject=f"clip {uid}").as_bytes() for uid in (1, 2, 3)}
FILED = 'processed_folder = "Done"'


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", "secret")
    monkeypatch.setattr(imap, "PAUSES_S", (0.0, 0.0, 0.0))


def scene_for(port: int, folder: Path, inbox: str = "") -> IngestScene:
    return IngestScene.at(folder, f"imap://ana@127.0.0.1:{port}/INBOX", inbox)


def check_two_nights(script: Script, folder: Path, first: set[int]) -> MailsLeft:
    """Only the mails *first* come in and are moved; when the server is well, so are the others."""
    with scripted(script) as port:
        scene = scene_for(port, folder, FILED)
        with pytest.raises(MailsLeft) as caught:
            scene.ingest()
        assert {item.filename for item in scene.attachments()} == {f"{uid}.mp4" for uid in first}
        assert set(script.moved) == first
        assert script.signins == 1
        script.mend()
        scene.ingest()
        scene.check_whole()
        assert {item.sha256 for item in scene.attachments()} == {sha(mp4(uid)) for uid in MAILS}
        assert sorted(script.moved) == [1, 2, 3]
    return caught.value


def left(error: MailsLeft) -> list[str]:
    mails = error.facts["left"]
    assert isinstance(mails, list)
    return [mail["uid"] for mail in mails]


@pytest.mark.parametrize("fault", ["nil", "empty", "silent"])
def test_what_is_not_given_is_no_mail(tmp_path: Path, fault: str) -> None:
    script = Script(dict(MAILS), **{fault: {1, 2}})  # type: ignore[arg-type]  # one of three fields
    error = check_two_nights(script, tmp_path, first={3})
    assert left(error) == ["1", "2"]
    assert "UID 1" in str(error)


@pytest.mark.parametrize("command", ["ALL 2", "BODY 2"])
@pytest.mark.parametrize("refusal", ["NO Some messages could not be FETCHed (Failure)", "BAD no"])
def test_a_refusal_of_one_mail_costs_no_other(tmp_path: Path, command: str, refusal: str) -> None:
    script = Script(dict(MAILS), {command: refusal})
    assert left(check_two_nights(script, tmp_path, first={1, 3})) == ["2"]


def test_a_mail_that_somebody_deleted_meanwhile_is_not_left(tmp_path: Path) -> None:
    script = Script(dict(MAILS), silent={2})
    with scripted(script) as port:
        scene = scene_for(port, tmp_path)
        inbox = imap.ImapInbox(scene.config.inbox[0], scene.workspace)
        arrivals = inbox.new(lambda _account, _mailbox, _uidvalidity: set())
        inbox.close()
        assert len(arrivals) == 3
        script.deleted = {2}
        assert scene.ingest().mails == 2


@pytest.mark.parametrize(
    ("piece", "size"),
    [(1000, len(MAILS[1])), (1000, 0), (1000, 9_999_999), (9_999_999, 10), (9_999_999, 9_999_999)],
)
def test_short_pieces_are_continued(tmp_path: Path, piece: int, size: int) -> None:
    """Also if the server only estimates the sizes."""
    with scripted(Script({1: MAILS[1]}, piece=piece, sizes={1: size})) as port:
        scene = scene_for(port, tmp_path)
        scene.ingest()
        scene.check_whole()
        assert [item.sha256 for item in scene.attachments()] == [sha(mp4(1))]


@dataclass
class Unruly(Script):
    """A server that keeps no order: other lines in between, the last mail first."""

    def _fetch(self, uids: list[int], command: str, say: Say) -> str:
        other = b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n"
        say(b"* 3 EXISTS\r\n* 2 FETCH (FLAGS (\\Seen))\r\n" + other)
        ending = "OK done"
        for uid in reversed(uids):
            ending = super()._fetch([uid], command, say)
        say(other + b"* OK still here\r\n")
        return ending


@dataclass
class Faltering(Script):
    """A server that gives NIL, or ends the connection, in the middle of a mail."""

    cuts: bool = False

    def _piece(self, uid: int, offset: int, size: int) -> bytes:
        if uid == 2 and offset:
            if self.cuts:
                raise ConnectionResetError
            return b"BODY[]<%d> NIL" % offset
        return super()._piece(uid, offset, size)

    def mend(self) -> None:
        super().mend()
        self.piece, self.cuts = 1 << 30, False


def test_answers_in_any_order(tmp_path: Path) -> None:
    with scripted(Unruly(dict(MAILS))) as port:
        scene = scene_for(port, tmp_path)
        assert scene.ingest().mails == 3
        assert {item.sha256 for item in scene.attachments()} == {sha(mp4(uid)) for uid in MAILS}


def test_nil_in_the_middle_of_a_mail(tmp_path: Path) -> None:
    script = Faltering(dict(MAILS), piece=5000)
    assert left(check_two_nights(script, tmp_path, first={1, 3})) == ["2"]


def test_a_connection_that_is_always_lost_in_the_middle_of_a_mail(tmp_path: Path) -> None:
    script = Faltering(dict(MAILS), piece=5000, cuts=True)
    with scripted(script) as port:
        scene = scene_for(port, tmp_path)
        with pytest.raises(MailsLeft, match="broke") as caught:
            scene.ingest()
        assert left(caught.value) == ["2", "3"]
        assert script.signins <= 6
        script.mend()
        assert scene.ingest().mails == 2


def test_a_search_that_names_no_mail_although_there_are_some(tmp_path: Path) -> None:
    script = Script(dict(MAILS), {"UID SEARCH": "OK done"})
    with scripted(script) as port:
        scene = scene_for(port, tmp_path)
        with pytest.raises(InboxError, match="has 3 mails and names none"):
            scene.ingest()
        script.mend()
        assert scene.ingest().mails == 3
    with scripted(Script(dict(MAILS), deleted={1, 2, 3})) as port:
        assert scene_for(port, tmp_path / "deleted").ingest().mails == 0


def test_a_mail_without_a_readable_field_has_its_uid_in_its_row(tmp_path: Path) -> None:
    with scripted(Script({17: b"\0" * 300})) as port:
        scene = scene_for(port, tmp_path, FILED)
        scene.ingest()
        (item,) = scene.attachments()
        assert (item.filename, item.sha256) == ("mail, UID 17", None)


def test_mail_that_is_marked_as_deleted_is_not_taken_in(tmp_path: Path) -> None:
    with scripted(Script(dict(MAILS), deleted={2})) as port:
        scene = scene_for(port, tmp_path)
        assert scene.ingest().mails == 2


@pytest.mark.parametrize(
    ("command", "answer", "cause"),
    [
        ("BODY 2", "NO [OVERQUOTA] Account exceeded bandwidth limits.", "OVERQUOTA"),
        ("BODY 2", "NO [THROTTLED] slow down", "THROTTLED"),
        ("BODY 2", "BAD Request is throttled. Suggested Backoff Time: 9 s", "slows this account"),
        ("ALL 2", "NO [LIMIT] FETCH rate limit hit", "LIMIT"),
        ("LOGIN", "NO [ALERT] Too many simultaneous connections. (Failure)", "too many"),
        ("LOGIN", "NO [UNAVAILABLE] backend", "UNAVAILABLE"),
        ("EXAMINE", "NO [INUSE] locked", "INUSE"),
        ("EXAMINE", "BAD User is authenticated but not connected.", "out of order"),
        ("UID SEARCH", "NO [UNAVAILABLE] later", "UNAVAILABLE"),
    ],
)
def test_a_server_that_limits_the_account_is_left_in_peace(
    tmp_path: Path, command: str, answer: str, cause: str
) -> None:
    script = Script(dict(MAILS), {command: answer})
    with scripted(script) as port:
        scene = scene_for(port, tmp_path)
        with pytest.raises(InboxError, match="is busy") as caught:
            scene.ingest()
    said = str(caught.value)
    assert cause in said
    assert not any(word in said for word in ("password", "no mailbox", "TLS", "refused"))
    assert script.signins == 1
    assert script.bodies <= 2
    assert len(scene.attachments()) == (command == "BODY 2")


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        ("BYE Too many connections from your address", "is busy: it counts too many"),
        ("BYE see you", "ended by the server"),
    ],
)
def test_a_greeting_that_says_goodbye(tmp_path: Path, greeting: str, said: str) -> None:
    script = Script(dict(MAILS), greeting=greeting)
    with scripted(script) as port, pytest.raises(InboxError, match=said):
        scene_for(port, tmp_path).ingest()
    assert script.signins == 0


def test_a_mailbox_that_is_read_only_and_shall_be_moved_from(tmp_path: Path) -> None:
    with scripted(Script(dict(MAILS), opens_as="READ-ONLY")) as port:
        scene = scene_for(port, tmp_path, FILED)
        with pytest.raises(InboxError, match=r"read-only .* processed_folder"):
            scene.ingest()
        with pytest.raises(InboxError, match=r"read-only .* processed_folder"):
            stage.check(scene.config.inbox[0], scene.workspace)
        assert scene_for(port, tmp_path / "other").ingest().mails == 3


@pytest.mark.parametrize("answer", ["NO [OVERQUOTA] quota exceeded", "NO [CANNOT] not there"])
def test_a_move_that_is_refused(tmp_path: Path, answer: str) -> None:
    script = Script(dict(MAILS), {"UID MOVE": answer})
    with scripted(script) as port:
        scene = scene_for(port, tmp_path, FILED)
        with pytest.raises(InboxError, match="did not move mails") as caught:
            scene.ingest()
        assert ("OVERQUOTA" in str(caught.value)) == ("OVERQUOTA" in answer)
        assert len(scene.attachments()) == 3
        script.mend()
        assert scene.ingest().filed == 3


def test_what_is_left_stands_in_the_status(tmp_path: Path) -> None:
    script = Script(dict(MAILS), nil={2})
    with scripted(script) as port:
        scene = scene_for(port, tmp_path)
        config = configuration.load(scene.workspace.root.parent / "config.toml")
        console = Console(Verbosity.QUIET)
        with pytest.raises(MailsLeft):
            execute(config, console, "ingest", take_in)
        ending = status.tell(config)
        moment = "2026-09-01T06:00:00Z"
        assert ending.facts["mails_left"] == [
            {
                "uid": "2",
                "received_at": moment,
                "size": len(MAILS[2]),
                "inbox": "",
                "why": "not-given",
                "same_sender_as": "",
                "tries": 0,
            }
        ]
        assert any(f"UID 2, {moment}, {len(MAILS[2])} bytes" in line for line in ending.lines)
        script.mend()
        execute(config, console, "ingest", take_in)
        assert status.tell(config).facts["mails_left"] == []


def test_what_an_interrupted_run_did_not_reach_is_recorded(tmp_path: Path) -> None:
    class Interrupted(Console):
        def event(self, name: str, **facts: object) -> None:
            if name == "mail":  # the first one is in the ledger
                raise KeyboardInterrupt
            super().event(name, **facts)

    with scripted(Script(dict(MAILS))) as port:
        scene = scene_for(port, tmp_path)
        config = configuration.load(scene.workspace.root.parent / "config.toml")
        with pytest.raises(Stopping):
            execute(config, Interrupted(Verbosity.QUIET), "ingest", take_in)
        with Ledger(scene.workspace.ledger) as ledger:
            remains = ledger.runs.remains()
        assert [(mail.uid, mail.why) for mail in remains.left] == [
            ("2", Stay.NOT_READ), ("3", Stay.NOT_READ),
        ]  # fmt: skip
        assert "run again" in remains.inboxes_failed[0].error
