"""Another real server, which does many things in its own way: Cyrus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cyrus import Cyrus
from support.dovecot import PASSWORD, Account
from support.ingest_scene import jpeg, mail, mp4, raw, sha, take_in
from test_ingest_imap import MAILS, scene_for

from pipeline.errors import InboxError
from pipeline.ingest import imap
from pipeline.ingest.reading import IngestSummary


@pytest.fixture(scope="module")
def cyrus() -> Iterator[Cyrus]:
    server = Cyrus()
    yield server
    server.stop()


@pytest.fixture
def account(cyrus: Cyrus, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", PASSWORD)
    monkeypatch.setattr(imap, "PAUSES_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(imap, "PIECE", 5000)
    return cyrus.account()


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls", "imap"])
def test_the_same_rows_as_from_a_folder(account: Account, tmp_path: Path, scheme: str) -> None:
    account.append(MAILS)
    scene = scene_for(account, tmp_path / "imap", account.url(scheme=scheme))
    assert scene.ingest().mails == 3
    scene.check_whole()
    assert scene.attachments() == take_in(tmp_path / "eml", *MAILS).attachments()
    assert scene.ingest() == IngestSummary()
    assert all(b"\\Seen" not in flags for flags in account.flags().values())


def test_a_mail_with_nul_comes_as_a_literal8(
    cyrus: Cyrus, account: Account, tmp_path: Path
) -> None:
    """Where IMAPClient's own reader gives the text ``~{n}`` for the mail."""
    video = mp4(4, 30_000)
    head = "From: ana@example.org\nSubject: binary"
    binary = b"Content-Type: video/mp4; name=a.mp4\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    cyrus.plant(account, raw(head, binary + b"\0" + video))
    with account.client() as client:
        client.select_folder("INBOX", readonly=True)
        _kind, answer = client._imap.uid("FETCH", "1", "(BODY.PEEK[]<0.5000>)")
    assert b"~{5000}" in answer[0][0]
    scene = scene_for(account, tmp_path)
    scene.ingest()
    scene.check_whole()
    assert [item.sha256 for item in scene.attachments()] == [sha(b"\0" + video)]


def test_mail_is_moved_when_all_in_it_is_safe(account: Account, tmp_path: Path) -> None:
    cut = mail(("cut.mp4", mp4(7)), subject="cut").as_bytes()[:-3000]
    account.append([*MAILS, cut])
    scene = scene_for(account, tmp_path, inbox='processed_folder = "Done/Ümläute"')
    assert scene.ingest().filed == 3
    assert sorted(account.mailbox("Done/Ümläute").values()) == sorted(MAILS)
    assert len(account.mailbox()) == 1
    assert scene.ingest() == IngestSummary()


def test_a_mailbox_that_was_created_again_is_not_taken_in_twice(
    account: Account, tmp_path: Path
) -> None:
    account.append(MAILS, folder="Footage")
    scene = scene_for(account, tmp_path, account.url("Footage"))
    scene.ingest()
    with account.client() as client:
        client.rename_folder("Footage", "Old")
    account.append([*MAILS, mail(("new.jpg", jpeg(9))).as_bytes()], folder="Footage")
    summary = scene.ingest()
    assert (summary.mails, summary.seen_again) == (1, 3)
    assert scene.ingest() == IngestSummary()


def test_a_wrong_password(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", "wrong")
    with pytest.raises(InboxError, match="did not let user"):
        scene_for(account, tmp_path).ingest()
