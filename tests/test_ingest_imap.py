"""A real mail server: sign-in, new mail only, exactly once, moved when all is safe."""

from __future__ import annotations

import http.server
import json
import os
import sqlite3
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.dovecot import BARE, PASSWORD, TOKEN, Account, Dovecot
from support.ingest_scene import IngestScene, jpeg, mail, mp4, raw, sha, take_in

from pipeline.errors import InboxError
from pipeline.ingest import imap
from pipeline.ingest.imap import unknown_sets
from pipeline.ingest.reading import IngestSummary
from pipeline.ingest.session import Session, body_of
from pipeline.ingest.signin import credentials

MAILS = [
    mail(("a.jpg", jpeg(1)), ("b.mp4", mp4(2)), subject="one").as_bytes(),
    mail(("写真.jpg", jpeg(3)), subject="two").as_bytes(),
    mail(subject="three").as_bytes(),
]
AT = datetime(2026, 9, 1, 6, 37, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", PASSWORD)
    monkeypatch.setattr(imap, "PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def account(dovecot: Dovecot) -> Account:
    return dovecot.account()


def scene_for(account: Account, folder: Path, url: str = "", inbox: str = "") -> IngestScene:
    lines = f'ca_file = "{account.server.ca_file}"\n{inbox}'
    return IngestScene.at(folder, url or account.url(), lines)


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls", "imap"])
def test_the_same_rows_as_from_a_folder(account: Account, tmp_path: Path, scheme: str) -> None:
    account.append(MAILS, at=AT)
    scene = scene_for(account, tmp_path / "imap", account.url(scheme=scheme))
    summary = scene.ingest()
    scene.check_whole()
    other = take_in(tmp_path / "eml", *MAILS)
    assert scene.attachments() == other.attachments()
    assert [row.status for row in scene.rows()] == [row.status for row in other.rows()]
    assert [item.subject for item in scene.submissions()] == ["one", "two", "three"]
    assert {item.received_at for item in scene.submissions()} == {"2026-09-01T06:37:00Z"}
    assert (summary.mails, summary.attachments, summary.filed) == (3, 3, 0)


def test_a_second_run_takes_in_nothing_and_new_mail_alone(account: Account, tmp_path: Path) -> None:
    account.append(MAILS)
    scene = scene_for(account, tmp_path)
    scene.ingest()
    assert scene.ingest() == IngestSummary()
    account.append([mail(("new.jpg", jpeg(9))).as_bytes()])
    assert scene.ingest().mails == 1
    assert len(scene.rows()) == 4


def test_reading_changes_nothing_on_the_server(account: Account, tmp_path: Path) -> None:
    account.append(MAILS)
    before = account.mailbox(), {uid: set(flags) for uid, flags in account.flags().items()}
    scene_for(account, tmp_path).ingest()
    assert account.mailbox() == before[0]
    assert all(b"\\Seen" not in flags for flags in account.flags().values())


def test_mail_is_moved_when_all_in_it_is_safe(account: Account, tmp_path: Path) -> None:
    cut = mail(("cut.mp4", mp4(7)), subject="cut").as_bytes()[:-3000]
    account.append([*MAILS, cut])
    scene = scene_for(account, tmp_path, inbox='processed_folder = "Done/Ümläute"')
    assert scene.ingest().filed == 3
    assert sorted(account.mailbox("Done/Ümläute").values()) == sorted(MAILS)
    assert [mail_.startswith(cut[:200]) for mail_ in account.mailbox().values()] == [True]
    assert scene.ingest() == IngestSummary()


def test_a_folder_that_is_named_later_gets_what_came_before(
    account: Account, tmp_path: Path
) -> None:
    account.append(MAILS)
    scene_for(account, tmp_path).ingest()
    scene = scene_for(account, tmp_path, inbox='processed_folder = "Done"')
    assert scene.ingest() == IngestSummary(filed=3)
    assert len(account.mailbox("Done")) == 3


def test_a_server_that_cannot_move(account: Account, tmp_path: Path) -> None:
    """Copied, marked, and only these expunged: what others have marked stays, and is left out."""
    account.append([mail(subject="marked by somebody else").as_bytes(), *MAILS])
    with account.client() as client:
        client.select_folder("INBOX")
        client.delete_messages([1])
    scene = scene_for(account, tmp_path, account.url(host=BARE), 'processed_folder = "Done"')
    assert scene.ingest().filed == 3
    assert len(account.mailbox("Done")) == 3
    assert list(account.mailbox()) == [1]
    assert len(scene.submissions()) == 3


def test_a_mailbox_that_was_created_again_is_not_taken_in_twice(
    account: Account, tmp_path: Path
) -> None:
    account.append(MAILS, folder="Footage")
    scene = scene_for(account, tmp_path, account.url("Footage"))
    scene.ingest()
    with account.client() as client:
        client.delete_folder("Footage")
        client.create_folder("Footage")
    account.append([*MAILS, mail(("new.jpg", jpeg(9))).as_bytes()], folder="Footage")
    summary = scene.ingest()
    assert (summary.mails, summary.seen_again) == (1, 3)
    assert scene.ingest() == IngestSummary()
    assert len(scene.submissions()) == 4


def test_a_mail_larger_than_many_pieces(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "PIECE", 1000)
    large = mail(("a.mp4", mp4(1, 100_000))).as_bytes()
    exact = large + b"x" * (-len(large) % 1000)
    account.append([large, exact])
    scene = scene_for(account, tmp_path)
    scene.ingest()
    scene.check_whole()
    assert [item.sha256 for item in scene.attachments()] == [sha(mp4(1, 100_000))] * 2


def test_traps_of_mails_are_none_for_the_reader(account: Account, tmp_path: Path) -> None:
    """Names and dates that break parsers of BODYSTRUCTURE and ENVELOPE: neither is asked for."""
    head = "From: a@b.c\nDate: Fri, 31 Dec 9999 23:59:59 -2359\nSubject: " + "x" * 70_000
    named = b'Content-Type: text/plain; name="%d-' + b"n" * 200 + b'"\r\n\r\nx'
    many = raw(head, *(named % number for number in range(990)))
    account.append([many, MAILS[0]])
    scene = scene_for(account, tmp_path)
    assert scene.ingest().mails == 2
    assert len(scene.attachments()) == 992


def test_an_empty_mailbox(account: Account, tmp_path: Path) -> None:
    scene = scene_for(account, tmp_path, inbox='processed_folder = "Done"')
    assert scene.ingest() == IngestSummary()


def test_a_dry_run(account: Account, tmp_path: Path) -> None:
    account.append(MAILS, at=AT)
    scene = scene_for(account, tmp_path, inbox='processed_folder = "Done"')
    coming = scene.ingest(dry_run=True).coming
    assert [(item.uid, item.received_at, item.size) for item in coming] == [
        (str(number + 1), "2026-09-01T06:37:00Z", len(data)) for number, data in enumerate(MAILS)
    ]
    assert [(item.subject, [file.filename for file in item.attachments]) for item in coming] == [
        ("one", ["a.jpg", "b.mp4"]),
        ("two", ["写真.jpg"]),
        ("three", []),
    ]
    assert scene.rows() == []
    assert len(account.mailbox()) == 3


@pytest.mark.parametrize(
    ("seen", "sets"),
    [
        (set(), ["1:*"]),
        ({1, 2, 3}, ["4:*"]),
        ({2, 5, 6, 9}, ["1,3:4,7:8,10:*"]),
        (set(range(1, 10_001)), ["10001:*"]),
        (set(range(2, 1_000_000, 20)), ["1:*"]),  # too many gaps to name
    ],
)
def test_only_what_is_unknown_is_asked_for(seen: set[int], sets: list[str]) -> None:
    assert unknown_sets(seen) == sets


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ([(b"1 (UID 7 BODY[]<0> {3}", b"a\0b"), b")"], b"a\0b"),
        ([(b"1 (UID 7 BODY[]<0> ~{3}", b"a\0b"), b")"], b"a\0b"),  # Cyrus, for any NUL
        ([(b"1 (BODY[]<0> {1}", b"a"), b" UID 7)"], b"a"),
        ([b'1 (UID 7 BODY[]<9> "a\\"\\\\b")'], b'a"\\b'),
        ([b'1 (UID 7 BODY[]<9> "")'], b""),
        ([b'1 (UID 7 BODY[]<9> "12")'], b"12"),
        ([b"1 (UID 7 BODY[]<9> NIL)"], None),
        ([b"2 (FLAGS (\\Seen))", (b"1 (UID 7 BODY[] {1}", b"a"), b")"], b"a"),
        ([b"2 (FLAGS (\\Seen))"], None),
        ([], None),
    ],
)
def test_all_forms_in_which_servers_give_bytes(answer: list[Any], body: bytes | None) -> None:
    assert body_of(answer, 7) == body


def test_gaps_are_asked_for_in_commands_of_bounded_length() -> None:
    sets = unknown_sets(range(2, 4000, 2))
    assert len(sets) > 1
    assert all(len(item) <= 4000 for item in sets)
    assert ",".join(sets).split(",")[:2] == ["1", "3"]


def test_mail_that_was_skipped_once_is_found_again(account: Account, tmp_path: Path) -> None:
    """A gap below the newest known mail, as a failure in the middle leaves it."""
    account.append(MAILS)
    scene = scene_for(account, tmp_path)
    scene.ingest()
    with closing(sqlite3.connect(scene.workspace.ledger)) as db, db:
        for table, key in (("mail", "uid = '2'"), ("attachment", "filename = '写真.jpg'"),
                           ("submission", "subject = 'two'")):  # fmt: skip
            db.execute(f"DELETE FROM {table} WHERE {key}")
    assert scene.ingest().mails == 1
    assert len(scene.submissions()) == 3


# -- sign-in -------------------------------------------------------------------------------


def refused(scene: IngestScene) -> str:
    """The sentence of the error, which holds no secret."""
    with pytest.raises(InboxError) as caught:
        scene.ingest()
    told = str(caught.value)
    trail: BaseException | None = caught.value
    while trail is not None:
        assert PASSWORD not in str(trail)
        assert "wrong-secret" not in str(trail)
        assert TOKEN not in str(trail)
        trail = trail.__cause__
    return told


def test_no_password(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOOTAGE_IMAP_PASSWORD")
    assert "FOOTAGE_IMAP_PASSWORD" in refused(scene_for(account, tmp_path))


@pytest.mark.parametrize("host", ["127.0.0.1", BARE])
def test_a_wrong_password_is_tried_once(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", "wrong-secret-ünï")
    told = refused(scene_for(account, tmp_path, account.url(host=host)))
    assert "did not let" in told
    assert "app password" in told


def test_a_password_from_a_command(account: Account, tmp_path: Path) -> None:
    account.append(MAILS)
    command = f"""password_command = ["printf", "%s\\\\n", "{PASSWORD}"]"""
    assert scene_for(account, tmp_path, inbox=command).ingest().mails == 3


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ('["no-such-program-here"]', "there is no program no-such-program-here"),
        ('["false"]', "false ended with 1"),
        ('["true"]', "gave no password"),
    ],
)
def test_a_command_that_gives_no_password(
    account: Account, tmp_path: Path, command: str, told: str
) -> None:
    assert told in refused(scene_for(account, tmp_path, inbox=f"password_command = {command}"))


def test_a_keyring_that_is_not_installed(account: Account, tmp_path: Path) -> None:
    assert "keyring" in refused(scene_for(account, tmp_path, inbox='password_keyring = "footage"'))


def test_a_certificate_of_an_unknown_authority(account: Account, tmp_path: Path) -> None:
    assert "ca_file" in refused(IngestScene.at(tmp_path, account.url()))


def test_a_certificate_for_another_name(account: Account, tmp_path: Path) -> None:
    """127.1 is the same machine, by a name that the certificate does not hold."""
    assert "is not trusted" in refused(scene_for(account, tmp_path, account.url(host="127.1")))


def test_a_server_that_is_not_there(account: Account, tmp_path: Path) -> None:
    assert "refused" in refused(scene_for(account, tmp_path, account.url(port=1)))


def test_a_mailbox_that_is_not_there(account: Account, tmp_path: Path) -> None:
    assert "no mailbox named 'Nowhere'" in refused(
        scene_for(account, tmp_path, account.url("Nowhere"))
    )


def test_the_processed_folder_must_be_another(account: Account, tmp_path: Path) -> None:
    assert "processed_folder" in refused(
        scene_for(account, tmp_path, inbox='processed_folder = "INBOX"')
    )


# -- tokens ---------------------------------------------------------------------------------


class Provider:
    """Gives tokens (RFC 6749, section 6), and counts how often."""

    def __init__(self, user: str) -> None:
        self.asked: list[dict[str, str]] = []
        self.lifetime = 3600
        self.token = f"{TOKEN}.for.{user}"
        self.refuse = False
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
                provider.asked.append(form)
                answer: dict[str, object] = {
                    "access_token": provider.token, "expires_in": provider.lifetime,
                    "refresh_token": f"rotated-{len(provider.asked)}",
                }  # fmt: skip
                if provider.refuse:
                    answer = {"error": "invalid_grant", "error_description": "wrong-secret"}
                body = json.dumps(answer).encode()
                self.send_response(400 if provider.refuse else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("REFRESH", "wrong-secret-refresh")
    monkeypatch.setenv("CLIENT", "wrong-secret-client")
    server = Provider(account.user)
    yield server
    server.stop()


def oauth2(provider: Provider, mechanism: str = "XOAUTH2", grant: str = "refresh_token") -> str:
    return (
        f'oauth2 = {{ provider = "custom", client_id = "id", token_url = "{provider.url}", '
        f'mechanism = "{mechanism}", grant = "{grant}", refresh_token_env = "REFRESH", '
        'client_secret_env = "CLIENT" }'
    )


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("grant", ["refresh_token", "client_credentials"])
def test_tokens(
    account: Account, tmp_path: Path, provider: Provider, mechanism: str, grant: str
) -> None:
    account.append(MAILS)
    scene = scene_for(account, tmp_path, inbox=oauth2(provider, mechanism, grant))
    assert scene.ingest().mails == 3
    assert scene.ingest().mails == 0
    assert [form["grant_type"] for form in provider.asked] == [grant]
    (cache,) = scene.workspace.root.glob("token-*.json")
    assert cache.stat().st_mode & 0o777 == 0o600


def test_a_token_is_renewed_with_the_newest_refresh_token(
    account: Account, tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.lifetime = 30
    scene = scene_for(account, tmp_path, inbox=oauth2(provider))
    scene.ingest()
    scene.ingest()
    monkeypatch.setenv("REFRESH", "put-in-by-hand")
    scene.ingest()
    assert [form["refresh_token"] for form in provider.asked] == [
        "wrong-secret-refresh",
        "rotated-1",
        "put-in-by-hand",
    ]


def test_a_token_that_was_called_back_is_renewed(
    account: Account, tmp_path: Path, provider: Provider
) -> None:
    good, provider.token = provider.token, "called-back"
    scene = scene_for(account, tmp_path, inbox=oauth2(provider))
    assert "oauth2" in refused(scene)
    provider.token = good
    assert scene.ingest() == IngestSummary()


def test_a_token_is_renewed_in_mid_run(
    account: Account, tmp_path: Path, provider: Provider
) -> None:
    """Each new connection asks for a token that is still good."""
    provider.lifetime = 61
    scene = scene_for(account, tmp_path, inbox=oauth2(provider))
    scene.workspace.create()
    token = credentials(scene.config.inbox[0], scene.workspace)
    Session(scene.config.inbox[0], token, read_only=True).close()
    provider.lifetime = 30
    assert token.secret(fresh=True) == provider.token
    Session(scene.config.inbox[0], token, read_only=True).close()
    assert len(provider.asked) == 3


def test_a_provider_that_refuses(account: Account, tmp_path: Path, provider: Provider) -> None:
    provider.refuse = True
    told = refused(scene_for(account, tmp_path, inbox=oauth2(provider)))
    assert "invalid_grant" in told
    assert "sign in with the provider again" in told


def test_a_refresh_token_that_is_missing(
    account: Account, tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REFRESH")
    assert "REFRESH" in refused(scene_for(account, tmp_path, inbox=oauth2(provider)))


def test_tokens_are_asked_for_over_tls_alone(account: Account, tmp_path: Path) -> None:
    lines = 'oauth2 = { provider = "custom", client_id = "id", token_url = "http://example.org/" }'
    assert "https://" in refused(scene_for(account, tmp_path, inbox=lines))


def test_secrets_stand_in_no_file_but_the_token(
    account: Account, tmp_path: Path, provider: Provider
) -> None:
    account.append(MAILS)
    scene_for(account, tmp_path / "password").ingest()
    scene_for(account, tmp_path / "token", inbox=oauth2(provider)).ingest()
    for path in tmp_path.rglob("*"):
        if path.is_file() and not path.name.startswith("token-"):
            data = path.read_bytes()
            assert PASSWORD.encode() not in data
            assert provider.token.encode() not in data
    assert os.environ["REFRESH"]
