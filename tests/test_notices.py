"""Who learns how a night went: counts and codes only, and a fault of a notice ends nothing."""

from __future__ import annotations

import json
import re
import socket
import socketserver
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.command_scene import CommandScene, Said, begin, config
from support.listeners import mail_listener, web_listener
from support.ports import ReservedPort
from support.warm_taking import quick_taking

from pipeline import publishing
from pipeline.config import load
from pipeline.console import Console, Verbosity
from pipeline.notices import deliver, ping
from pipeline.notices.night import LABELS, Night
from pipeline.time_limit import within

__all__ = ["quick_taking"]  # a fixture

SMTP = '[smtp]\nurl = "smtp://{user}localhost:{port}"\nfrom = "footage@example.org"\n'
MAIL = (
    "From: Mia Muster <mia@example.net>\nMessage-ID: <1@example.net>\nSubject: Mia's film\n\n"
    "Mia's film is too large, see https://we.tl/t-abcdefgh12\n"
)


def scene(folder: Path, *tables: str) -> CommandScene:
    """A campaign of one mail with a link only, whose night is short."""
    made = begin(folder, {}, config("\n".join(tables)))
    (folder / "inbox/000.eml").write_text(MAIL)
    return made


def night(code: int, when: datetime) -> Night:
    return Night("River Week 2026", "0", when - timedelta(hours=1), when, code, {"accepted": 3})


def test_a_ping_at_the_start_and_one_with_the_exit_code(tmp_path: Path) -> None:
    with web_listener() as web:
        campaign = scene(tmp_path, f'[notify]\nping = "{web.url}/uuid/"')
        assert campaign.footage("run").code == 0
        (campaign.folder / "inbox").rename(campaign.folder / "elsewhere")
        assert campaign.footage("run").code == 1
        first, good, second, bad = web.came
    assert [path.partition("?")[0] for path, _ in web.came] == [
        *("/uuid/start", "/uuid/0", "/uuid/start", "/uuid/1")
    ]
    night_of = [path.partition("?rid=")[2] for path, _ in (first, good, second, bad)]
    assert night_of[0] == night_of[1] != night_of[2] == night_of[3]
    assert "the night went well" in good[1]
    assert "mia" not in good[1].lower()


@pytest.mark.parametrize("status", [200, 404])
def test_a_ping_that_fails_is_a_warning(tmp_path: Path, status: int) -> None:
    with web_listener(status) as web:
        campaign = scene(tmp_path, f'[notify]\nping = "{web.url}"')
        said = campaign.footage("run")
    assert said.code == 0
    assert ("notify: ping: the server answers with HTTP 404" in said.err) == (status == 404)


def test_a_ping_to_nobody_is_a_warning(tmp_path: Path) -> None:
    with ReservedPort() as nobody:
        table = f'[notify]\nping = "http://127.0.0.1:{nobody.number}"'
        said = scene(tmp_path, table).footage("run")
    assert said.code == 0
    assert "notify: ping: the server can't be reached (ConnectionRefusedError)" in said.err


def test_figures_for_prometheus(tmp_path: Path) -> None:
    campaign = scene(tmp_path, '[notify]\nprometheus = "metrics/footage.prom"')
    assert campaign.footage("run").code == 0
    path = tmp_path / "metrics/footage.prom"
    text = path.read_text("utf-8")
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    label = 'campaign="River Week 2026"'
    assert values[f"footage_last_run_exit_code{{{label}}}"] == "0"
    assert values[f'footage_clips{{{label},status="accepted"}}'] == "0"
    assert values[f"footage_mails_need_answer{{{label}}}"] == "1"
    good = float(values[f"footage_last_good_run_timestamp_seconds{{{label}}}"])
    assert abs(good - datetime.now(UTC).timestamp()) < 3600
    assert path.stat().st_mode & 0o777 == 0o644
    # every name has its two lines before it, once
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert {name.partition("{")[0] for name in values} == set(names)
    (tmp_path / "inbox").rename(tmp_path / "elsewhere")
    of_a_killed_run = publishing.part_path(path)
    of_another = publishing.part_path(path.with_name("other.prom"))
    for part in (of_a_killed_run, of_another):
        part.touch()
    assert campaign.footage("run").code == 1
    assert not of_a_killed_run.exists()
    assert of_another.exists()
    text = path.read_text("utf-8")
    assert f"footage_last_run_exit_code{{{label}}} 1" in text
    assert f"footage_last_good_run_timestamp_seconds{{{label}}} {good:.15g}" in text


def test_a_mail_when_it_changes_and_once_a_week(tmp_path: Path) -> None:
    with mail_listener() as (post, port):
        tables = ('[notify]\nmail = ["team@example.org"]', SMTP.format(user="", port=port))
        campaign = scene(tmp_path, *tables)
        campaign.footage("ingest")  # so that there is a workspace
        settings, console = load(tmp_path / "config.toml"), Console(Verbosity.QUIET)
        day = datetime(2026, 11, 1, tzinfo=UTC)
        codes = [0, 0, 3, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 75]
        for number, code in enumerate(codes):
            deliver.announce_end(settings, console, night(code, day + timedelta(number)))
    words = [str(mail["Subject"]).partition(": the night ")[2] for mail in post.mails]
    assert words == [
        "went well",
        "finished, but some clips failed",
        "could not finish",
        "went well",
        "went well",  # a week later
    ]
    (first, *_) = post.mails
    assert (first["From"], first["To"]) == ("footage@example.org", "team@example.org")
    assert first["Auto-Submitted"] == "auto-generated"


def test_a_mail_holds_no_word_of_a_sender(tmp_path: Path) -> None:
    with mail_listener() as (post, port):
        tables = ('[notify]\nmail = ["team@example.org"]', SMTP.format(user="", port=port))
        campaign = scene(tmp_path, *tables)
        assert campaign.footage("run").code == 0
    (mail,) = post.mails
    text = mail.as_string()
    assert "mails that a person should answer: 1" in text
    assert "mia" not in text.lower()


def test_a_mail_that_was_refused_is_tried_again(tmp_path: Path) -> None:
    with mail_listener() as (post, port):
        tables = ('[notify]\nmail = ["nobody@example.org"]', SMTP.format(user="", port=port))
        campaign = scene(tmp_path, *tables)
        for _ in range(2):
            said = campaign.footage("run")
            assert said.code == 0
            assert "notify: mail: localhost refuses the recipient (550)" in said.err
    assert post.mails == []


@pytest.mark.parametrize("password", ["right", "wrong", ""])
def test_the_password_of_the_mail_server(
    tmp_path: Path, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FOOTAGE_SMTP_PASSWORD", raising=False)
    folder = tmp_path / "credentials"
    folder.mkdir()
    if password:
        (folder / "FOOTAGE_SMTP_PASSWORD").write_text(f"{password}\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    with mail_listener() as (post, port):
        tables = ('[notify]\nmail = ["team@example.org"]', SMTP.format(user="me@", port=port))
        said = scene(tmp_path / "campaign", *tables).footage("run")
    assert said.code == 0
    assert len(post.mails) == (password == "right")
    sentences = {
        "right": "",
        "wrong": "notify: mail: localhost refuses the sign-in of me (535): check the password",
        "": "notify: mail: there is no password for me: set the environment variable "
        "FOOTAGE_SMTP_PASSWORD, or name a password_command in [smtp]",
    }
    assert sentences[password] in said.err
    assert "wrong" not in said.err


def test_a_program_gets_the_text_but_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        *("FOOTAGE_IMAP_PASSWORD_2", "FOOTAGE_SMTP_PASSWORD", "FOOTAGE_REFRESH_TOKEN_GOOGLE"),
        *("AWS_SHARED_CREDENTIALS_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_CREDENTIALS"),
    ):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("NOTIFY_ADDRESS", "of the program")
    script = (
        "import json, os, sys; open('said.json', 'w').write("
        "json.dumps([sys.stdin.read(), dict(os.environ)]))"
    )
    monkeypatch.chdir(tmp_path)
    command = json.dumps([sys.executable, "-c", script])
    campaign = scene(tmp_path, f"[notify]\ncommand = {command}")
    assert campaign.footage("run").code == 0
    text, environment = json.loads((tmp_path / "said.json").read_text())
    assert "Exit code: 0" in text
    assert environment["FOOTAGE_TITLE"] == "River Week 2026: the night went well"
    assert environment["FOOTAGE_EXIT_CODE"] == "0"
    assert json.loads(environment["FOOTAGE_COUNTS"]).keys() == LABELS.keys()
    assert "secret" not in environment.values()
    assert environment["NOTIFY_ADDRESS"] == "of the program"
    (head,) = re.findall(r"chain of custody: (\d+:[0-9a-f]{64})\n", text)
    assert campaign.footage("verify", "--head", head).code == 0


def test_a_credential_that_cannot_be_read_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "FOOTAGE_SMTP_PASSWORD"
    path.symlink_to(path.name)  # whoever opens it gets ELOOP, also root
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    tables = ('[notify]\nmail = ["team@example.org"]', SMTP.format(user="me@", port=1))
    said = scene(tmp_path / "campaign", *tables).footage("run")
    assert said.code == 0
    assert "notify: mail: the credential FOOTAGE_SMTP_PASSWORD can't be read" in said.err


@pytest.mark.parametrize(
    ("program", "words"),
    [("false", "false ended with 1"), ("no-such-program", "no-such-program could not be run")],
)
def test_a_program_that_fails_is_a_warning(tmp_path: Path, program: str, words: str) -> None:
    said = scene(tmp_path, f'[notify]\ncommand = ["{program}"]').footage("run")
    assert said.code == 0
    assert f"notify: command: {words}" in said.err


@pytest.mark.parametrize(
    ("said", "words"),
    [(b"220 mail ready\r\n", "does not speak HTTP"), (b"", "can't be reached")],
)
def test_a_ping_to_another_kind_of_server_is_a_warning(
    tmp_path: Path, said: bytes, words: str
) -> None:
    class Other(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            # all of it: a connection that is closed before is cut, and its answer is lost
            head = [*iter(lambda: self.rfile.readline().strip().lower(), b"")]
            lengths = [int(each[15:]) for each in head if each.startswith(b"content-length:")]
            self.rfile.read(sum(lengths))
            self.wfile.write(said)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever).start()
        port = server.server_address[1]
        night_run = scene(tmp_path, f'[notify]\nping = "http://127.0.0.1:{port}"').footage("run")
        server.shutdown()
    assert night_run.code == 0
    assert night_run.err.count(words) == 2, "at the start and at the end"


def test_a_call_has_a_limit_for_all_of_it() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.01, never.wait)
    never.set()
    assert within(60, lambda: 1) == 1
    with pytest.raises(KeyError):
        within(60, lambda: {1: 1}[2])


def test_a_stopped_run_waits_a_few_seconds_for_all_ways(tmp_path: Path) -> None:
    settings = load(
        scene(
            tmp_path,
            '[notify]\nping = "http://127.0.0.1:{port}"\ncommand = ["sleep", "60"]'.format(
                port=(door := socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            ),
        ).folder
        / "config.toml"
    )
    began = time.monotonic()
    with door:  # it takes connections and never answers
        console = Console(Verbosity.QUIET)
        deliver.announce_end(settings, console, night(1, datetime.now(UTC)), stopping=True)
    assert time.monotonic() - began < 50, "a program alone may take a minute"


def test_systemd_announces_a_night_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(how: str, what: str) -> Said:
        monkeypatch.setenv("MONITOR_EXIT_CODE", how)
        monkeypatch.setenv("MONITOR_EXIT_STATUS", what)
        return campaign.footage("service", "failed")

    with web_listener() as web:
        campaign = scene(tmp_path, f'[notify]\nping = "{web.url}"')
        for how, what in (("killed", "KILL"), ("exited", "1"), ("exited", "243"), ("", "")):
            assert failed(how, what).code == 0
    assert [path.partition("?")[0] for path, _ in web.came] == ["/137", "/1", "/243", "/137"]
    assert "the night was ended from outside" in web.came[0][1]
    assert "the night did not begin: systemd could not start it" in web.came[2][1]


def test_a_night_that_has_spoken_is_not_announced_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = "[workspace]\nmin_free_gb = 100000\n"  # the night ends with exit code 1
    with web_listener() as web:
        campaign = scene(tmp_path, f'{full}[notify]\nping = "{web.url}"')
        monkeypatch.setenv("INVOCATION_ID", "one")
        assert campaign.footage("run").code == 1
        monkeypatch.setenv("MONITOR_EXIT_CODE", "exited")
        monkeypatch.setenv("MONITOR_EXIT_STATUS", "1")
        for invocation in ("", "one"):  # systemd names it since version 251
            monkeypatch.setenv("MONITOR_INVOCATION_ID", invocation)
            assert campaign.footage("service", "failed", "--json").data["announced"] is None
        # a night that was killed is the same night in its notice; one that did not begin is new
        kept = json.loads((campaign.work / "notices.json").read_text())
        killed = {**kept["nights"][0], "run": "1-2-3", "invocation": "two", "code": None}
        kept["nights"].append(killed)
        (campaign.work / "notices.json").write_text(json.dumps(kept))
        monkeypatch.setenv("MONITOR_EXIT_CODE", "killed")
        monkeypatch.setenv("MONITOR_EXIT_STATUS", "KILL")
        for invocation in ("two", "two", "three"):
            monkeypatch.setenv("MONITOR_INVOCATION_ID", invocation)
            assert campaign.footage("service", "failed").code == 0
    steps = [path.partition("?")[0] for path, _ in web.came]
    assert steps == ["/start", "/1", "/137", "/137"]
    rids = [path.partition("rid=")[2] for path, _ in web.came]
    assert rids[0] == rids[1]
    assert rids[2] == "1-2-3"
    assert len(set(rids)) == 3


def test_the_service_tries_a_notice_again_that_nobody_got(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_listener() as web:
        campaign = scene(tmp_path, f'[notify]\nping = "{web.url}"')
        settings = load(campaign.folder / "config.toml")
        campaign.work.mkdir()
        monkeypatch.setenv("INVOCATION_ID", "one")
        with monkeypatch.context() as patched:
            patched.setattr(ping, "call", lambda *_: "no answer within 3 s")
            deliver.announce_end(settings, Console(Verbosity.QUIET), night(1, datetime.now(UTC)))
        monkeypatch.setenv("MONITOR_INVOCATION_ID", "one")
        monkeypatch.setenv("MONITOR_EXIT_CODE", "exited")
        monkeypatch.setenv("MONITOR_EXIT_STATUS", "1")
        told = [campaign.footage("service", "failed", "--json").data["announced"] for _ in "ab"]
    assert told == [1, None]
    assert [path for path, _ in web.came] == ["/1?rid=0"]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ('[notify]\nping = "ftp://example.org"', "notify.ping: must begin with https:// or http"),
        ('[notify]\nprometheus = "footage.txt"', "notify.prometheus: must end in .prom"),
        ('[notify]\nmail = ["team@example.org"]', "[notify] mail needs the table [smtp]"),
        ('[notify]\nmail = ["team"]', "notify.mail: must be an address such as"),
        ('[smtp]\nurl = "smtp://example.org"\nfrom = "a@b.org"', "smtp.url: smtp:// sends every"),
        ('[smtp]\nurl = "smtps://a:b@c.org"\nfrom = "a@b.org"', "smtp.url: holds a password"),
        ('[smtp]\nurl = "smtps://c.org"', "smtp.from: is required"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, table: str, fault: str) -> None:
    said = scene(tmp_path, table).footage("run")
    assert said.code == 2
    assert fault in said.err
