"""Receipts: who gets one, in which language, once, whatever happens in between (RFC 3834)."""

from __future__ import annotations

import asyncio
import email
import os
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage, Message
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from support.command_scene import CommandScene, begin, config
from support.listeners import MailListener, mail_listener
from support.ports import ReservedPort
from support.waiting import HANG_S, INTERRUPTIBLE
from support.warm_taking import quick_taking

from pipeline import letter_ids
from pipeline.commands.receipts import due_receipts
from pipeline.config import load
from pipeline.errors import Stopping
from pipeline.ledger import Ledger
from pipeline.post import Outcome, PostError, send
from pipeline.texts.receipt import language_of, languages

__all__ = ["quick_taking"]  # a fixture

SILENCE_S = 30  # how long a mail server may be silent, if nobody stops the program
START = """
import sys
from pipeline.__main__ import main
sys.stdin.readline()
sys.argv = ["footage", "--config", f"{sys.argv[1]}/config.toml", "run"]
main()
"""
OURS = "mx.example.org"
HEADS = """From: {sender}
To: submissions@example.org
Message-ID: <{name}@example.net>
Received: from a by b; {now}
Subject: Secret words of {name}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b
{more}
--b

{text}
--b
Content-Type: image/png; name="secret-name.png"
Content-Transfer-Encoding: base64

{data}
--b--
"""
# A picture of one colour, 64x48; the number makes the bytes differ.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAAAwCAIAAAAuKetIAAAAU0lEQVR4nO3PQQ3AIADAQEANmlCMrIngcVnSU9DO"
    "u8/4s6UDXjWgNaA1oDWgNaA1oDWgNaA1oDWgNaA1oDWgNaA1oDWgNaA1oDWgNaA1oDWgNaB9lAUBqu2EV7MAAAAA"
    "SUVORK5CYII="
)
SPOOFED = f"Authentication-Results: {OURS}; dmarc=fail (p=none) header.from=example.net\n"
TABLES = """
[smtp]
url = "smtp://localhost:{port}"
from = "submissions@example.org"
[receipts]
send = {send}
[process]
still_seconds = 0.2
still_motion = "none"
[review]
required = false
"""


def raw(name: str, more: str = "", text: str = "", sender: str = "") -> str:
    now = email.utils.format_datetime(datetime.now(UTC))
    person = sender or f"Mia Muster <{name}@example.net>"
    return HEADS.format(sender=person, name=name, now=now, more=more, text=text, data=PNG)


def scene(folder: Path, port: int, mails: dict[str, str], *, send: bool = True) -> CommandScene:
    text = config(TABLES.format(port=port, send=str(send).lower()))
    text = text.replace('url = "eml:inbox"', f'url = "eml:inbox"\nauthserv_id = "{OURS}"')
    made = begin(folder, {}, text)
    for name, mail in mails.items():
        (folder / f"inbox/{name}.eml").write_text(mail, "utf-8")
    return made


# Each mail, and whether its sender gets a receipt.
MATRIX: dict[str, tuple[str, bool]] = {
    "plain": (raw("plain", text="Here is my video."), True),
    "again": (raw("again", text="Again.", sender="plain@example.net"), False),
    "german": (raw("german", text="Hier ist ein Video von der Demo, danke."), True),
    "french": (raw("french", text="Bonjour, voici une vidéo pour vous, merci."), True),
    "spanish": (raw("spanish", text="Hola, aquí está una foto para el montaje. Gracias."), True),
    "hindi": (raw("hindi", text="नमस्ते, यह मेरा वीडियो है। धन्यवाद"), True),
    "arabic": (raw("arabic", text="مرحبا، هذا فيديو من المدينة، شكرا"), True),
    "ukrainian": (raw("ukrainian", text="Привіт, це моя фотографія для вас. Дякую"), True),
    "unknown": (raw("unknown", text="Xyzzy."), True),
    "list": (raw("list", "List-Id: <news.example.net>\nPrecedence: list\n"), False),
    "bounce": (raw("bounce", "Return-Path: <>\nX-Failed-Recipients: a@b.org\n"), False),
    "daemon": (raw("daemon", sender="MAILER-DAEMON@example.net"), False),
    "null-path": (raw("null-path", "Return-Path: <>\n"), False),
    "automatic": (raw("automatic", "Auto-Submitted: auto-replied\n"), False),
    "vacation": (raw("vacation", "X-Autoreply: yes\n"), False),
    "spoof": (raw("spoof", SPOOFED), False),
    "spoof-elsewhere": (raw("spoof-elsewhere", SPOOFED.replace(OURS, "mx.example.com")), True),
    "own": (raw("own", sender="submissions@example.org"), False),
    "no-reply": (raw("no-reply", sender="no-reply@example.net"), False),
    "bulk": (raw("bulk", "Precedence: Bulk\n"), False),
    "subscribed": (raw("subscribed", "List-Unsubscribe: <https://l.example/1>\n"), False),
    "suppressed": (raw("suppressed", "X-Auto-Response-Suppress: DR, AutoReply\n"), False),
    "delivery-only": (raw("delivery-only", "X-Auto-Response-Suppress: DR\n"), True),
    "loop": (raw("loop", "X-Loop: submissions@example.org\n"), False),
    "two": (raw("two", sender="two@example.net, other@example.net"), False),
    "two-fields": (raw("two-fields", "From: other@example.net\n"), False),
    **{
        name: (raw(name, sender=f"{name}@example.net"), False)
        for name in (
            *("foo-request", "owner-foo", "foo-owner", "bounces+x=y.example", "donotreply+abc"),
            *("root", "cron-daemon", "mailer-daemon+x", "do_not_reply", "notifications"),
        )
    },
    **{
        name: (raw(name, f"{more}\n"), False)
        for name, more in {
            "path-of-a-list": "Return-Path: <owner-foo@lists.example.net>",
            "path-of-bounces": "Return-Path: <bounce-123@lists.example.net>",
            "empty-path": "Return-Path:",
            "mailing-list": "Mailing-List: list x@y.example",
            "feedback": "Feedback-ID: 1:2:3",
            "owner": "Sender: list-owner@lists.example.net",
            "rules": "X-MS-Exchange-Inbox-Rules-Loop: a@example.net",
            "generated": "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
        }.items()
    },
    "away": (raw("away").replace("Subject: Secret", "Subject: Out of office: Secret"), False),
    "literal": (raw("literal", sender="a@[127.0.0.1]"), False),
    "here": (raw("here", sender="a@localhost"), False),
    "own-path": (raw("own-path", "Return-Path: <own-path@example.net>\n"), True),
    "takes-back": (raw("takes-back", text="Please delete my video, I withdraw my consent."), False),
    "refused": (raw("refused", sender="nobody@example.net"), False),
}


def by_name(mails: list[Message]) -> dict[str, Message]:
    return {str(mail["To"]).partition("@")[0]: mail for mail in mails}


def test_who_gets_one(tmp_path: Path) -> None:
    with mail_listener() as (post, port):
        campaign = scene(tmp_path, port, {name: mail for name, (mail, _) in MATRIX.items()})
        said = campaign.footage("run", "--json")
        assert said.code == 0, said.err
        wanted = {name for name, (_, gets) in MATRIX.items() if gets}
        got = by_name(post.mails)
        assert set(got) == wanted
        assert said.data["receipts"]["sent"] == len(wanted)
        assert said.data["receipts"]["refused"] == 1
        # the next night sends nothing
        assert campaign.footage("run", "--json").data["receipts"]["sent"] == 0
        assert len(post.mails) == len(wanted)
    known = {mail["id"] for mail in campaign.report["submissions"]}
    assert {letter_ids.submission_in(mail["Message-ID"].strip()) for mail in post.mails} <= known
    for envelope, mail in zip(post.envelopes, post.mails, strict=True):
        assert envelope.mail_from == "<>", "the null path, so that nobody answers"
        assert mail["Auto-Submitted"] == "auto-replied"
        assert mail["From"] == "submissions@example.org"
        text = words(mail)
        assert "secret" not in f"{text}{mail['Subject']}".lower(), "nothing is quoted"
        assert "\nKeep" in text or mail["Content-Language"] != "en"
    languages_of = {name: mail["Content-Language"] for name, mail in got.items()}
    assert languages_of == {
        **dict.fromkeys(("plain", "unknown", "spoof-elsewhere", "delivery-only", "own-path"), "en"),
        "german": "de",
        "french": "fr",
        "spanish": "es",
        "hindi": "hi",
        "arabic": "ar",
        "ukrainian": "uk",
    }
    assert got["plain"]["In-Reply-To"] == got["plain"]["References"]
    assert got["plain"]["In-Reply-To"] in ("<plain@example.net>", "<again@example.net>")
    assert "Files received: 2" in words(got["plain"]), "one for all mails of the day"


def words(mail: Message) -> str:
    text = email.message_from_bytes(mail.as_bytes(), policy=default).get_content()
    assert isinstance(text, str)
    return text


def code_in(mail: Message) -> str:
    found = re.search(r"code: ([2-9A-Z]{10})\n", words(mail))
    assert found
    return found[1]


def test_off_unless_asked_for(tmp_path: Path) -> None:
    with mail_listener() as (post, port):
        campaign = scene(tmp_path, port, {"plain": MATRIX["plain"][0]}, send=False)
        said = campaign.footage("run", "--json")
        assert (said.code, post.mails) == (0, [])
        assert "receipts" not in said.data


def test_the_code_takes_everything_back_and_is_not_stored(tmp_path: Path) -> None:
    with mail_listener() as (post, port):
        mails = {name: MATRIX[name][0] for name in ("plain", "again")}
        mails["other"] = raw("other", "X-Number: 1\n").replace(
            "AAAASUVORK5CYII=", "AAAASUVORK5CYII9"
        )
        campaign = scene(tmp_path, port, mails)
        assert campaign.footage("run").code == 0
    code = code_in(by_name(post.mails)["plain"])
    for path in campaign.work.rglob("*"):
        assert path.is_dir() or code.encode() not in path.read_bytes(), path
    wrong = campaign.footage("withdraw", "--case", "2222222222")
    assert wrong.code == 2
    listed = campaign.footage("withdraw", "--case", code.lower(), "--dry-run", "--json")
    assert listed.code == 0
    plain = [row["sha256"] for row in campaign.report["clips"] if "plain" in row["submission"]]
    assert set(plain) <= set(listed.data["withdraw"]["withdrawn"])
    first = campaign.footage("withdraw", "--case", f" {code[:5]}-{code[5:]} ")
    assert first.code == 0
    assert "all that was made of " in first.err
    again = campaign.footage("withdraw", "--case", code)
    assert again.code == 0
    assert "withdrawn before" in again.err
    assert ": deleted" not in again.err
    assert campaign.footage("status", "--json").data["totals"]["withdrawn"] >= 1


def test_what_to_do_about_what_could_not_be_used(tmp_path: Path) -> None:
    broken = raw("broken", text="Here is my photo for you.").replace(PNG[40:90], "A" * 50)
    with mail_listener() as (post, port):
        assert scene(tmp_path, port, {"broken": broken}).footage("run").code == 0
    (mail,) = post.mails
    assert languages()["en"].again in words(mail)


def test_a_server_that_is_away_costs_no_receipt(tmp_path: Path) -> None:
    with ReservedPort() as nobody:
        campaign = scene(tmp_path, nobody.number, {"plain": MATRIX["plain"][0]})
        said = campaign.footage("run", "--json")
    assert said.code == 0
    assert "receipts: localhost can't be reached: ConnectionRefusedError" in said.err
    assert said.data["receipts"] == {"sent": 0, "refused": 0, "unclear": 0, "waiting": 1}
    with mail_listener() as (post, port):
        path = campaign.folder / "config.toml"
        path.write_text(re.sub(r"localhost:\d+", f"localhost:{port}", path.read_text()))
        assert campaign.footage("run", "--json").data["receipts"]["sent"] == 1
    assert len(post.mails) == 1


class _Answers(MailListener):
    """Answers MAIL, RCPT and DATA as it was asked to, and notes whom RCPT named."""

    def __init__(self) -> None:
        super().__init__()
        self.mail, self.data, self.named = "250 OK", "250 OK", list[str]()
        self.rcpt: dict[str, str] = {}

    async def handle_MAIL(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        envelope.mail_from = address if self.mail.startswith("250") else None
        return self.mail

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.named.append(address.partition("@")[0])
        answer = self.rcpt.get(self.named[-1], "250 OK")
        if answer == "break":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if not answer.startswith("250"):
            return answer
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if not self.data.startswith("250"):
            return self.data
        return await super().handle_DATA(server, session, envelope)


def test_one_recipient_or_a_server_at_fault_costs_nobody_the_receipt(tmp_path: Path) -> None:
    names = ("ann", "ben", "cid")
    server = _Answers()
    with mail_listener(server) as (_, port):
        campaign = scene(tmp_path, port, {name: raw(name) for name in names})

        def night() -> tuple[dict[str, int], list[str], str]:
            server.named = []
            said = campaign.footage("run", "--json")
            assert said.code == 0, said.err
            return said.data["receipts"], server.named, said.data.get("receipts_fault", "")

        server.mail = "530 5.7.0 Authentication required"
        counts, named, fault = night()
        assert (counts["sent"], counts["refused"], counts["waiting"], named) == (0, 0, 3, [])
        assert fault == "localhost refuses the sender (530); 3 wait for the next night"
        assert f"Receipts: {fault}" in campaign.footage("status").out
        server.mail = "250 OK"
        server.rcpt = dict.fromkeys(names, "break")
        (first,) = night()[1]
        server.rcpt = dict.fromkeys(names, "421 4.3.2 closing") | {first: "450 4.2.1 later"}
        (second,) = night()[1]
        server.rcpt = {first: "450 4.2.1 later", second: "550 5.1.1 no such user"}
        counts, (third, *rest), fault = night()
        assert ({first, second, third}, rest) == (set(names), [first, second])
        assert counts == {"sent": 1, "refused": 1, "unclear": 0, "waiting": 1}
        assert fault == "localhost refuses the recipient (450); 1 wait for the next night"
        server.rcpt = {}
        assert night()[:2] == ({"sent": 1, "refused": 0, "unclear": 0, "waiting": 0}, [first])
    assert "Receipts:" not in campaign.footage("status").out


def test_whose_fault_an_answer_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    server = _Answers()
    with mail_listener(server) as (_, port):
        path.write_text(config(TABLES.format(port=port, send="true")), "utf-8")
        smtp = load(path).smtp
        assert smtp is not None
        message = EmailMessage()
        message["To"] = "ann@example.net"
        message.set_content("words")

        def outcome() -> Outcome | None:
            try:
                send(smtp, message)
            except PostError as error:
                return error.outcome
            return None

        refused = ("550 5.1.1 none", "552 5.2.2 full", "550 no such user", "556 takes no mail")
        later = (
            *("450 4.2.1 later", "550 5.7.1 relaying denied", "550 relay not permitted", "554 no"),
            *("530 5.7.0 sign in", "550 4.2.1 later", "550 5.1.8 bad sender", "503 what"),
            "550 5.1.0 <ann@example.net> sender rejected",
        )
        for answer in (*refused, *later):
            server.rcpt = {"ann": answer}
            wanted = Outcome.REFUSED if answer in refused else Outcome.LATER
            assert outcome() is wanted, answer
        server.rcpt = {"ann": "421 closing"}
        assert outcome() is Outcome.NOT_SENT
        server.rcpt = {}
        for answer, of_data in {
            "554 5.7.1 spam": Outcome.LATER,
            "550 no": Outcome.LATER,
            "550 5.1.1 none": Outcome.REFUSED,
            "421 closing": Outcome.NOT_SENT,
            "xyz": Outcome.UNKNOWN,
        }.items():
            server.data = answer
            assert outcome() is of_data, answer


class _Killer(MailListener):
    """Ends the program at one moment of a mail: before the answer to DATA, or after it."""

    def __init__(self) -> None:
        super().__init__()
        self.pid = 0
        self.before_answer = True

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self.before_answer:
            os.kill(self.pid, signal.SIGKILL)
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        await super().handle_DATA(server, session, envelope)
        os.kill(self.pid, signal.SIGKILL)
        await asyncio.sleep(0)
        return "250 OK"


@pytest.mark.parametrize("before_answer", [True, False])
def test_a_kill_neither_doubles_a_receipt_nor_hides_it(tmp_path: Path, before_answer: bool) -> None:
    killer = _Killer()
    killer.before_answer = before_answer
    with mail_listener(killer) as (post, port):
        campaign = scene(tmp_path, port, {"plain": MATRIX["plain"][0]}, send=False)
        assert campaign.footage("run").code == 0
        path = campaign.folder / "config.toml"
        path.write_text(path.read_text().replace("send = false", "send = true"))
        # it reads its own number before the killer needs it
        script = textwrap.dedent(f"""
            import sys
            from pipeline.__main__ import main
            sys.stdin.readline()
            sys.argv = ["footage", "--config", {str(path)!r}, "run"]
            main()
        """)
        with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as process:
            killer.pid = process.pid
            process.communicate(b"go\n")
        assert process.returncode == -signal.SIGKILL
        assert len(post.mails) == before_answer
        killer.pid = 0
        assert campaign.footage("run", "--json").data["receipts"]["sent"] == 0
        assert len(post.mails) == before_answer, "not sent again"
    standing = campaign.footage("status", "--json").data
    assert len(standing["unclear_receipts"]) == 1
    assert "nobody knows if it was sent" in campaign.footage("status").out


class _Stopper(MailListener):
    """Stops the program in the middle of a mail, and never answers."""

    pid = 0
    stopped_at = 0.0

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, _envelope: Envelope
    ) -> str:
        self.stopped_at = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        await asyncio.Event().wait()
        return "250 OK"


def test_a_stop_waits_for_no_slow_mail_server(tmp_path: Path) -> None:
    stopper = _Stopper()
    with mail_listener(stopper) as (_, port):
        campaign = scene(tmp_path, port, {"plain": MATRIX["plain"][0]})
        command = [*INTERRUPTIBLE, sys.executable, "-c", START, str(campaign.folder)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            stopper.pid = process.pid
            _, err = process.communicate(b"go\n", timeout=HANG_S)
        assert time.monotonic() - stopper.stopped_at < SILENCE_S
    assert process.returncode == 1
    assert str(Stopping()) in err.decode()
    assert len(campaign.footage("status", "--json").data["unclear_receipts"]) == 1


def test_old_mails_get_none(tmp_path: Path) -> None:
    with mail_listener() as (_, port):
        campaign = scene(tmp_path, port, {"plain": MATRIX["plain"][0]}, send=False)
        assert campaign.footage("ingest").code == 0
    settings = load(campaign.folder / "config.toml")
    today = datetime.now(UTC).date()

    def due(day: date) -> int:
        with Ledger(campaign.work / "ledger.db") as ledger:
            return len(list(due_receipts(settings, ledger, day)))

    assert [due(today + timedelta(days)) for days in (0, 2, 5)] == [1, 1, 0]
    back = raw("again", text="Please delete my video.", sender="plain@example.net")
    (tmp_path / "inbox/again.eml").write_text(back.split("--b\nContent-Type: image")[0] + "--b--\n")
    assert campaign.footage("ingest").code == 0
    assert due(today) == 0, "a person answers"
    assert campaign.footage("withdraw", "--sender", "plain@example.net").code == 0
    assert due(today) == 0


def test_a_receipt_that_was_held_too_long_is_named(tmp_path: Path) -> None:
    campaign = scene(tmp_path, 9, {"plain": MATRIX["plain"][0], "list": MATRIX["list"][0]})
    assert campaign.footage("ingest").code == 0
    days = [datetime.now(UTC) - timedelta(days) for days in (9, 7, 4, 2)]
    long_ago, before, late, fresh = (day.strftime("%Y-%m-%dT%H:%M:%SZ") for day in days)
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as db, db:
        begin = (
            "INSERT INTO run (id, command, started_at, summary) VALUES ('20200101', 'run', ?, ?)"
        )
        db.execute(begin, (before, '{"receipts": {"sent": 0}}'))
        changed = "UPDATE submission SET received_at = ?"

        def named(received_at: str) -> list[str]:
            db.execute(changed, (received_at,))
            db.commit()
            missed = campaign.footage("status", "--json").data["receipts_missed"]
            assert isinstance(missed, list)
            return missed

        for of_no_night in (fresh, "2020-01-01T00:00:00Z"):
            assert named(of_no_night) == []
        assert len(named(long_ago)) == 1, "it was due in the first night"
        (missed,) = named(late)
    said = campaign.footage("status").out
    assert f"1 receipt waited more than 3 days and is never sent ({missed})" in said
    assert campaign.footage("report").code == 0
    page = (campaign.work / "report" / "index.html").read_text()
    assert f'"missed_receipts": ["{missed}"]' in page
    assert campaign.footage("handled", missed).code == 0
    assert campaign.footage("status", "--json").data["receipts_missed"] == []


def test_letters_that_were_approved_are_sent_once(tmp_path: Path) -> None:
    link = raw("link", text="See https://we.tl/t-abcdefgh12").split("--b\nContent-Type: image")[0]
    with mail_listener() as (post, port):
        campaign = scene(tmp_path, port, {"link": link + "--b--\n"}, send=False)
        assert campaign.footage("run").code == 0
        assert campaign.footage("letters").code == 0
        (draft,) = (campaign.work / "letters").glob("*.eml")
        assert campaign.footage("letters", "--send").code == 0
        assert post.mails == [], "nobody has approved it"
        assert "  no files have come in yet\n" in campaign.footage("status").out
        draft.rename(campaign.work / "letters/approved" / draft.name)
        (campaign.work / "letters/approved/half.eml").write_text("To: a@\n\nHello")
        assert campaign.footage("letters", "--send", "--json").data["letters"] == {
            "sent": [draft.name], "unclear": [], "failed": ["half.eml"],
        }  # fmt: skip
        assert campaign.footage("letters", "--send", "--json").data["letters"]["sent"] == []
        (mail,) = post.mails
        assert (mail["To"], mail["From"]) == ("link@example.net", "submissions@example.org")
        assert "X-Unsent" not in mail
        assert letter_ids.submission_in(mail["Message-ID"].strip()) == draft.stem
        assert (campaign.work / "letters/sent" / draft.name).exists()
        assert campaign.footage("status", "--json").data["needs_answer"] == {}
        assert campaign.footage("letters").code == 0
        assert len(post.mails) == 1


def test_a_letter_does_not_end_what_somebody_takes_back(tmp_path: Path) -> None:
    """The letter says that a person must have done what the mail asks."""
    mails = {"mia": raw("mia", text="Please delete my video, I withdraw my consent.")}
    with mail_listener() as (post, port):
        campaign = scene(tmp_path, port, mails, send=False)
        assert campaign.footage("ingest").code == 0
        assert campaign.footage("letters").code == 0
        (draft,) = (campaign.work / "letters").glob("*.eml")
        assert "it goes into no film" in email.message_from_bytes(draft.read_bytes()).as_string()
        (campaign.work / "letters/approved").mkdir()
        draft.rename(campaign.work / "letters/approved" / draft.name)
        said = campaign.footage("letters", "--send")
        assert (said.code, len(post.mails)) == (0, 1)
        assert f"footage handled {draft.stem}" in said.err

        def held() -> list[tuple[str, ...]]:
            with Ledger(campaign.work / "ledger.db") as ledger:
                return [row.held_by for row in ledger.clips.rows()]

        assert held() == [(draft.stem,)]
        assert campaign.footage("status", "--json").data["needs_answer"] == {"takes-back": 1}
        again = campaign.footage("letters", "--json").data["letters"]
        assert again["drafts"] == [], "it has its answer"
        assert campaign.footage("handled", draft.stem).code == 0
        assert held() == [()]


@pytest.mark.parametrize(
    ("to", "code", "sent"),
    [("other@example.net", 0, 1), ("nobody@example.net", 1, 0), ("a@b.org, c@d.org", 1, 0)],
)
def test_a_letter_to_somebody_else_marks_no_mail(
    tmp_path: Path, to: str, code: int, sent: int
) -> None:
    link = raw("link", text="See https://we.tl/t-abcdefgh12").split("--b\nContent-Type: image")[0]
    with mail_listener() as (post, port):
        campaign = scene(tmp_path, port, {"link": link + "--b--\n"}, send=False)
        assert campaign.footage("ingest").code == 0
        assert campaign.footage("letters").code == 0
        (draft,) = (campaign.work / "letters").glob("*.eml")
        text = draft.read_text("utf-8").replace("To: link@example.net", f"To: {to}")
        approved = campaign.work / "letters/approved" / draft.name
        approved.parent.mkdir()
        approved.write_text(text, "utf-8")
        said = campaign.footage("letters", "--send", "--json")
        assert said.code == code
        assert len(said.data["letters"]["sent"]) == len(post.mails) == sent
        assert campaign.footage("status", "--json").data["needs_answer"] != {}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("This is the video that I have for you", "en"),
        ("Das ist ein Video von mir", "de"),
        ("Este é o meu vídeo para vocês, obrigado", "pt"),
        ("IMG_4711.MOV", None),
        ("", None),
        ("My phone", None),
    ],
)
def test_the_language_of_a_mail(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_every_language_has_its_places_for_values() -> None:
    for name, texts in languages().items():
        assert "{campaign}" in texts.subject, name
        assert "{campaign}" in texts.thanks, name
        assert "{count}" in texts.thanks, name
        assert "{code}" in texts.code, name
