"""Killed, cut, reset, stalled, or done without an answer: nothing is lost, nothing comes twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from support import kill_ingest
from support.dovecot import BARE, PASSWORD, Account, Dovecot
from support.ingest_scene import IngestScene, jpeg, mail, mp4, sha
from support.proxy import How, Trouble, troubled

from pipeline.errors import InboxError
from pipeline.ingest import connection, imap
from pipeline.ingest.reading import IngestSummary
from pipeline.ingest.session import Session

MAILS = [
    mail(("a.jpg", jpeg(1)), ("b.mp4", mp4(2)), subject="one").as_bytes(),
    mail(("c.mp4", mp4(3)), subject="two").as_bytes(),
    mail(("d.jpg", jpeg(1)), subject="three").as_bytes(),
]
WHOLE = [("a.jpg", sha(jpeg(1))), ("b.mp4", sha(mp4(2))), ("c.mp4", sha(mp4(3))),
         ("d.jpg", sha(jpeg(1)))]  # fmt: skip


@pytest.fixture
def account(dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", PASSWORD)
    monkeypatch.setattr(imap, "PAUSES_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(imap, "PIECE", 5000)
    account = dovecot.account()
    account.append(MAILS)
    return account


def scene_for(account: Account, folder: Path, port: int | None = None) -> IngestScene:
    url = account.url(scheme="imap", port=port)
    return IngestScene.at(folder, url, 'processed_folder = "Done"')


def only_the_first_waits_short(monkeypatch: pytest.MonkeyPatch, limit: str, seconds: float) -> None:
    """Shorten a limit of the first connection, the one that meets the trouble.

    Those after it get the usual limit, because on a busy machine good answers are slow too.
    """
    usual, begin = getattr(connection, limit), Session.__init__
    limits = chain([seconds], repeat(usual))

    def with_limit(self: Session, *arguments: Any, **options: Any) -> None:
        monkeypatch.setattr(connection, limit, next(limits))
        begin(self, *arguments, **options)

    monkeypatch.setattr(Session, "__init__", with_limit)


def check_all_once(account: Account, scene: IngestScene) -> None:
    """Every mail taken in once, moved once, and whole."""
    scene.check_whole()
    assert [(item.filename, item.sha256) for item in scene.attachments()] == WHOLE
    assert Counter(item.subject for item in scene.submissions()) == Counter(["one", "two", "three"])
    assert sorted(account.mailbox("Done").values()) == sorted(MAILS)
    assert account.mailbox() == {}
    assert scene.ingest() == IngestSummary()


# -- killed --------------------------------------------------------------------------------


def crash(scene: IngestScene, where: str, nth: int) -> int:
    script = Path(kill_ingest.__file__)
    config = scene.workspace.root.parent / "config.toml"
    done = subprocess.run([sys.executable, str(script), str(config), where, str(nth)], check=False)
    return done.returncode


@pytest.mark.parametrize(
    ("where", "nth"),
    [
        ("after-piece", 2),
        ("after-asked", 3),
        ("after-taken", 2),
        ("before-publish", 2),
        ("after-publish", 2),
        ("before-record", 2),
        ("after-row", 4),
        ("after-record", 2),
        ("before-filed", 3),
        ("before-move", 1),
        ("after-move", 1),
        ("after-filed", 4),
    ],
)
def test_a_run_that_is_killed(account: Account, tmp_path: Path, where: str, nth: int) -> None:
    scene = scene_for(account, tmp_path)
    assert crash(scene, where, nth) == -signal.SIGKILL
    scene.ingest()
    check_all_once(account, scene)


@pytest.mark.parametrize("where", ["after-copy", "after-mark", "after-move"])
def test_a_run_that_is_killed_where_the_server_cannot_move(
    account: Account, tmp_path: Path, where: str
) -> None:
    lines = f'ca_file = "{account.server.ca_file}"\nprocessed_folder = "Done"'
    scene = IngestScene.at(tmp_path, account.url(host=BARE), lines)
    assert crash(scene, where, 1) == -signal.SIGKILL
    assert len(account.mailbox("Done")) == 3
    scene.ingest()
    check_all_once(account, scene)


def test_a_run_that_is_killed_again_and_again(account: Account, tmp_path: Path) -> None:
    """At moments that fall where they fall, until one run reaches its end."""
    scene = scene_for(account, tmp_path)
    moment, killed = 15, 0
    while crash(scene, "at", moment) == -signal.SIGALRM:
        moment, killed = moment * 2, killed + 1
    assert killed
    check_all_once(account, scene)


# -- the network ---------------------------------------------------------------------------


@pytest.mark.parametrize("how", [How.CUT, How.RESET])
@pytest.mark.parametrize("after", [0, 60, 700, 4_000, 12_000, 40_000])
def test_a_connection_that_breaks_is_made_anew(
    account: Account, tmp_path: Path, how: How, after: int
) -> None:
    with troubled(account.server.port, Trouble(how, after=after)) as proxy:
        scene = scene_for(account, tmp_path, proxy.port)
        scene.ingest()
        assert proxy.connections == 2
        check_all_once(account, scene)


@pytest.mark.parametrize("how", [How.CUT, How.RESET, How.STALL])
def test_a_large_piece_over_tls_that_breaks_off(
    dovecot: Dovecot, tmp_path: Path, how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where bytes are waited for in large numbers, of which the last never come."""
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", PASSWORD)
    monkeypatch.setattr(imap, "PAUSES_S", (0.0, 0.0, 0.0))
    only_the_first_waits_short(monkeypatch, "ANSWER_S", 1.0)
    account = dovecot.account()
    video = mp4(5, 3_000_000)
    account.append([mail(("a.mp4", video)).as_bytes()])
    with troubled(dovecot.tls_port, Trouble(how, after=1_300_000)) as proxy:
        url = account.url(scheme="imaps", port=proxy.port)
        scene = IngestScene.at(tmp_path, url, f'ca_file = "{dovecot.ca_file}"')
        scene.ingest()
        assert proxy.connections == 2
    scene.check_whole()
    assert [item.sha256 for item in scene.attachments()] == [sha(video)]


def test_a_connection_that_breaks_with_every_mail_gets_on(account: Account, tmp_path: Path) -> None:
    troubles = [Trouble(How.CUT, after=9_000)] * 30
    with troubled(account.server.port, *troubles) as proxy:
        scene = scene_for(account, tmp_path, proxy.port)
        scene.ingest()
        assert 5 < proxy.connections < 30
        check_all_once(account, scene)


@pytest.mark.parametrize("word", [b"EXAMINE", b"SELECT", b"BODY.PEEK", b"SEARCH", b"MOVE"])
def test_an_answer_that_never_comes_is_not_asked_for_for_ever(
    account: Account, tmp_path: Path, word: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_the_first_waits_short(monkeypatch, "ANSWER_S", 0.3)
    with troubled(account.server.port, Trouble(How.STALL, at=word)) as proxy:
        scene = scene_for(account, tmp_path, proxy.port)
        scene.ingest()
        check_all_once(account, scene)


@pytest.mark.parametrize(("scheme", "trouble"), [
    ("imap", Trouble(How.TRICKLE, at=b"SELECT")),
    ("imap", Trouble(How.TRICKLE, at=b"BODY.PEEK")),
    ("imap", Trouble(How.TRICKLE, after=12_000)),
    ("imaps", Trouble(How.TRICKLE, after=12_000)),
])  # fmt: skip
def test_an_answer_that_trickles_is_not_waited_for(
    account: Account, tmp_path: Path, scheme: str, trouble: Trouble,
    monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Byte after byte in time, and yet never done."""
    only_the_first_waits_short(monkeypatch, "PATIENCE_S", 1.0)
    server = account.server
    with troubled(server.tls_port if scheme == "imaps" else server.port, trouble) as proxy:
        url = account.url(scheme=scheme, port=proxy.port)
        lines = f'ca_file = "{server.ca_file}"\nprocessed_folder = "Done"'
        scene = IngestScene.at(tmp_path, url, lines)
        scene.ingest()
        assert proxy.connections == 2
        check_all_once(account, scene)


@pytest.mark.parametrize("word", [b"LOGIN", b"CREATE", b"MOVE"])
def test_what_was_done_without_an_answer(account: Account, tmp_path: Path, word: bytes) -> None:
    with troubled(account.server.port, Trouble(How.LOSE, at=word)) as proxy:
        scene = scene_for(account, tmp_path, proxy.port)
        scene.ingest()
        check_all_once(account, scene)


@pytest.mark.parametrize("how", [How.CUT, How.LOSE])
def test_a_move_in_doubt_is_cleared_up_by_the_next_run(
    account: Account, tmp_path: Path, how: How
) -> None:
    with troubled(account.server.port, *[Trouble(how, at=b"MOVE")] * 3) as proxy:
        scene = scene_for(account, tmp_path, proxy.port)
        if how is How.CUT:
            with pytest.raises(InboxError, match="broke 3 times in a row"):
                scene.ingest()
        scene.ingest()
        check_all_once(account, scene)


def test_a_network_that_stays_down_ends_the_run_and_keeps_what_came(
    account: Account, tmp_path: Path
) -> None:
    down = [Trouble(How.CUT, after=0)] * 3
    with troubled(account.server.port, Trouble(How.CUT, after=40_000), *down) as proxy:
        scene = scene_for(account, tmp_path, proxy.port)
        with pytest.raises(InboxError, match=r"broke 3 times in a row .* What came before is safe"):
            scene.ingest()
        scene.check_whole()
        assert len(scene.submissions()) == 1
        scene.ingest()
        check_all_once(account, scene)
