"""Mails that are not as they should be, through a real server that moves what is safe.

What is understood leaves INBOX, what is not stays there.  A person finds each mail in a table, and
no byte of a file is stored as words.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.dovecot import PASSWORD, Account, Dovecot
from support.ingest_scene import IngestScene, mp4, raw, sha

from pipeline.commands.stages import write_report
from pipeline.console import Console, Verbosity
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.model import Note
from pipeline.run import Run
from pipeline.store import WorkspaceFolder
from pipeline.workspace import hold

FILE = mp4(1, 6000)
CODED = base64.encodebytes(FILE).replace(b"\n", b"\r\n")
UU = b"begin 644 a.mp4\r\n" + b"".join(
    binascii.b2a_uu(FILE[at : at + 45]).replace(b"\n", b"\r\n") for at in range(0, len(FILE), 45)
) + b"`\r\nend\r\n"  # fmt: skip
VIDEO = (
    b'Content-Type: video/mp4; name="a.mp4"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + CODED
)
TEXT = b"Content-Type: text/plain\r\n\r\nHello.\r\n"
HEAD = "From: Ana <ana@example.org>\nSubject: %s\nMessage-ID: <%s@example.org>\n"


def head(name: str, more: str = "") -> str:
    return HEAD % (name, name) + more


def bare(name: str, kind: str, body: bytes) -> bytes:
    """A mail of one part; *kind* is its Content-Type field or another one."""
    return (head(name, kind) + "\n").replace("\n", "\r\n").encode() + body


SEALED = b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQ\r\n"

UNDERSTOOD = {
    "whole": raw(head("whole"), TEXT, VIDEO),
    "uuencode": bare("uuencode", "Content-Type: text/plain\n", b"Hi\r\n\r\n" + UU),
    "base64-text": bare("base64-text", "Content-Type: text/plain\n", CODED),
    "no-padding": raw(head("no-padding"), TEXT, VIDEO.replace(b"=", b"")),
    "comment": raw(head("comment"), VIDEO).replace(b"multipart/mixed;", b"multipart/mixed (x);"),
    "no-semicolon": raw(head("no-semicolon"), VIDEO).replace(b"mixed; b", b"mixed b"),
    "unfolded": raw(head("unfolded", "X-Long: a\nwrapped words\n"), VIDEO),
    "mark": b"\xef\xbb\xbf" + raw(head("mark"), VIDEO),
}
NOT_UNDERSTOOD = {
    "cut": raw(head("cut"), TEXT, VIDEO[:-900], end=False),
    "sealed": bare("sealed", "Content-Type: text/plain\n", SEALED),
}  # fmt: skip


@pytest.fixture
def account(dovecot: Dovecot) -> Account:
    return dovecot.account()


@pytest.fixture
def scene(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IngestScene:
    monkeypatch.setenv("FOOTAGE_IMAP_PASSWORD", PASSWORD)
    account.append([*UNDERSTOOD.values(), *NOT_UNDERSTOOD.values()])
    more = f'ca_file = "{account.server.ca_file}"\nprocessed_folder = "Done"'
    made = IngestScene.at(tmp_path, account.url(), more)
    made.ingest()
    made.check_whole()
    return made


def test_what_is_understood_is_moved_and_the_rest_stays(
    scene: IngestScene, account: Account
) -> None:
    found = {each.subject: each for each in scene.submissions()}
    assert set(found) == {*UNDERSTOOD, *NOT_UNDERSTOOD}
    rows = [(row.submission, row.attachment) for row in scene.rows()]
    for name in UNDERSTOOD:
        kept = {item.sha256 for owner, item in rows if owner == found[name].id}
        assert kept == {sha(FILE)}, name
    for name in NOT_UNDERSTOOD:
        assert all(item.refusal for owner, item in rows if owner == found[name].id), name
        assert Note.NO_ATTACHMENT not in found[name].notes
    assert len(account.mailbox("Done")) == len(UNDERSTOOD)
    assert len(account.mailbox()) == len(NOT_UNDERSTOOD)


def test_each_mail_is_in_a_table_and_no_byte_of_a_file_is_words(scene: IngestScene) -> None:
    with hold(scene.workspace), Ledger(scene.workspace.ledger) as ledger:
        console = Console(Verbosity.QUIET)
        runner = FfmpegRunner("none", console)
        store = WorkspaceFolder(scene.workspace)
        run = Run(scene.config, ledger, scene.workspace, runner, console, store)
        write_report(run)
    table = csv.DictReader(
        io.StringIO((scene.workspace.report / "mails.csv").read_text("utf-8-sig"))
    )
    shown = " ".join(value for line in table for value in line.values() if value)
    assert all(each.subject in shown for each in scene.submissions())
    with closing(sqlite3.connect(scene.workspace.ledger)) as db:
        stored = "\n".join(db.iterdump())
    stored += "".join(
        path.read_text("utf-8") for path in scene.workspace.report.iterdir() if path.is_file()
    )
    for line in (*CODED.splitlines(), *UU.splitlines()):
        assert len(line) < 30 or line[4:28].decode() not in stored
