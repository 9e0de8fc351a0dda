"""Who sent a mail: addresses in any spelling, mailing lists, and answers of programs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest_scene import jpeg, mail, mp4, raw, sha, take_in

from pipeline.ingest import headers
from pipeline.ingest.addresses import mailboxes
from pipeline.ingest.mime import Part
from pipeline.ingest.sender import Sender, answered, machine_note, sender_of
from pipeline.model import Note


def root(*lines: str) -> Part:
    fields = headers.parse("\n".join(lines).encode())
    return Part(fields, fields.content_type, 0, 0)


@pytest.mark.parametrize(
    ("value", "address", "name"),
    [
        ("Ana <Ana@Example.org>", "ana@example.org", "Ana"),
        ('"Ana, Lucía" <ana@example.org>', "ana@example.org", "Ana, Lucía"),
        ("ana@example.org (Ana)", "ana@example.org", ""),
        ("(Ana (of (the) river)) ana@example.org", "ana@example.org", ""),
        ("=?utf-8?q?Ana_Luc=C3=ADa?= <ana@example.org>", "ana@example.org", "Ana Lucía"),
        ('"ana@example.org"@evil.example', '"ana@example.org"@evil.example', ""),
        ('"a@b"@example.org', '"a@b"@example.org', ""),
        ('Ana <"ana@example.org"@evil.example>', '"ana@example.org"@evil.example', "Ana"),
        ('"ana"@example.org', "ana@example.org", ""),
        ('"ana@example.org" <eve@evil.example>', "eve@evil.example", "ana@example.org"),
        ("ana@example.org <eve@evil.example>", "eve@evil.example", "ana@example.org"),
        ("ana@example.org, eve@evil.example", "ana@example.org", ""),
        ("Friends: Ana <ana@example.org>, b@c.de;", "ana@example.org", "Ana"),
        ("<@relay.example:ana@example.org>", "ana@example.org", ""),
        ("Ana <ana @ example.org>", "ana@example.org", "Ana"),
        ("Ana <ana@example.org", "ana@example.org", "Ana"),
        ("Ana ana@example.org", "ana@example.org", ""),
        ('Ana" <ana@example.org>', "ana@example.org", "Ana"),
        ("<<ana@example.org>>", "ana@example.org", ""),
        ("+15551234567/TYPE=PLMN@mms.example", "+15551234567/type=plmn@mms.example", ""),
        ("مريم@example.org", "مريم@example.org", ""),
        ("ana@[192.0.2.1]", "ana@[192.0.2.1]", ""),
        ("ana@example.org.", "ana@example.org", ""),
    ],
)
def test_mailboxes(value: str, address: str, name: str) -> None:
    first = mailboxes(value)[0]
    assert (first.address, first.name) == (address, name)


@pytest.mark.parametrize(
    "value",
    ["", "Ana", "undisclosed-recipients:;", "(" * 9000 + "a@b.c", "<>", "@", "a@", '"a@b.c"'],
)
def test_what_is_no_mailbox(value: str) -> None:
    assert mailboxes(value) == []


@given(st.text(max_size=200))
def test_any_field_is_read(value: str) -> None:
    for box in mailboxes(value):
        assert "@" in box.address


@pytest.mark.parametrize(
    "piece", ['"', "(", "<", "a@b.c,", "\\", '"a"', "<a", '<"', ":", " ", "=?"]
)
def test_addresses_take_linear_time(piece: str) -> None:
    begin = time.process_time()
    mailboxes(piece * 100_000)
    assert time.process_time() - begin < 5


REPORT = "Content-Type: multipart/report; report-type={}; boundary=x"
LIST = ("List-Id: River Week <river.lists.example>", "List-Post: <mailto:river@lists.example>")
ANA = Sender("ana@example.org", "Ana Lucía", "river@lists.example")


@pytest.mark.parametrize(
    "lines",
    [
        (
            "From: Ana via River Week <river@lists.example>",
            "X-Original-From: Ana Lucía <ana@example.org>",
        ),
        ("From: Ana Lucía via River <river@lists.example>", "Reply-To: ana@example.org"),
        (
            "From: Ana Lucía via River <river-bounces@lists.example>",
            "Reply-To: Ana Lucía <ana@example.org>",
        ),
        (
            "From: Ana Lucía via River <river@lists.example>",
            "Reply-To: river@lists.example, ana@example.org",
        ),
        (
            "From: Ana Lucía via River <river@lists.example>",
            "Cc: x@example.org, Ana Lucía <ana@example.org>",
        ),
        ("From: Ana Lucía via lists <ana=example.org@lists.example>",),
        ("From: Ana Lucía <ana@example.org>", "Reply-To: river@lists.example"),
        ("From: Ana Lucía <ana@example.org>", "Reply-To: other@example.org"),
    ],
)
def test_the_sender_through_a_list_is_the_person(lines: tuple[str, ...]) -> None:
    assert sender_of(root(*LIST, *lines)) == ANA


def test_without_a_list_nothing_but_from_counts() -> None:
    lines = ("From: Eve <eve@example.org>", "Reply-To: ana@example.org")
    assert sender_of(root(*lines)) == Sender("eve@example.org", "Eve")
    forged = (*lines, "X-Original-From: ana@example.org", "X-Original-Sender: ana@example.org")
    assert sender_of(root(*forged)) == Sender("eve@example.org", "Eve")
    two = root("From: Eve <eve@example.org>", "From: Ana <ana@example.org>")
    assert sender_of(two).address == "eve@example.org"


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        (("From: MAILER-DAEMON@mx.example",), Note.BOUNCE),
        (("From: postmaster@mx.example", "Subject: Undeliverable"), Note.BOUNCE),
        (("From: a@b.example", REPORT.format("delivery-status")), Note.BOUNCE),
        (("From: a@b.example", "Return-Path: <>"), Note.BOUNCE),
        (("From: a@b.example", "Return-Path: <>", "Auto-Submitted: auto-replied"), Note.AUTOMATIC),
        (("From: a@b.example", "Auto-Submitted: auto-generated; x=y"), Note.AUTOMATIC),
        (("From: a@b.example", "X-Autoreply: yes"), Note.AUTOMATIC),
        (("From: a@b.example", "Precedence: auto_reply"), Note.AUTOMATIC),
        (
            (
                "From: a@b.example",
                "X-Auto-Response-Suppress: All",
                "Subject: Automatic reply: clip",
            ),
            Note.AUTOMATIC,
        ),
        (("From: a@b.example", REPORT.format("disposition-notification")), Note.AUTOMATIC),
        (("From: a@b.example", "Auto-Submitted: no"), None),
        (("From: a@b.example", "X-Auto-Response-Suppress: DR", "Subject: My clip"), None),
        (("From: a@b.example", "Precedence: bulk"), None),
        (("From: a@b.example", "Return-Path: <a@b.example>"), None),
    ],
)
def test_programs_are_told_from_people(lines: tuple[str, ...], note: Note | None) -> None:
    assert machine_note(root(*lines)) is note


def test_footage_that_came_back_is_kept_and_is_of_who_wrote_it(tmp_path: Path) -> None:
    inner = mail(("clip.mp4", mp4()), sender="Ana <ana@example.org>").as_bytes()
    fields = "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail\nReturn-Path: <>\n"
    part = b"Content-Type: message/rfc822\r\n\r\n" + inner
    scene = take_in(tmp_path, raw(fields, b"Content-Type: text/plain\r\n\r\nSorry.", part))
    (submission,) = scene.submissions()
    assert submission.sender == "ana@example.org"
    assert Note.BOUNCE in submission.notes
    assert scene.outcomes() == [("clip.mp4", None, "kept")]


def test_the_mails_that_a_mail_answers() -> None:
    ids = [f"<{number}@mail.example>" for number in range(40)]
    part = root("In-Reply-To: (from Ana) <39@mail.example>", "References: " + " ".join(ids))
    assert answered(part.headers) == tuple(reversed(ids))[:20]
    assert answered(root("References: <" + "a" * 300 + "> < b> <c>").headers) == ("<c>",)


@pytest.mark.parametrize(
    "line",
    [
        "--- Below this line is a copy of the message.",
        "   ----- Unsent message below -----".strip(),
        "------ This is a copy of the message, including all the headers. ------",
    ],
)
def test_a_mail_that_came_back_in_a_plain_text_is_of_its_writer(tmp_path: Path, line: str) -> None:
    inner = mail(("a.jpg", jpeg(3)), text="Here is my clip", sender="Ana <ana@example.org>")
    head = (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mail.example.net\r\nSubject: failure notice\r\n\r\n"
    )
    said = f"<other.person@example.com>:\r\nUser unknown\r\n\r\n{line}\r\n\r\n"
    scene = take_in(tmp_path, (head + said).encode() + inner.as_bytes())
    (submission,) = scene.submissions()
    assert submission.sender == "ana@example.org"
    assert submission.notes == (Note.BOUNCE,)
    assert [row.sha256 for row in scene.attachments()] == [sha(jpeg(3))]
    assert submission.text == "<[address removed]>:\nUser unknown"


def test_a_line_of_a_letter_begins_no_returned_mail(tmp_path: Path) -> None:
    text = "Look:\n--- Below this line is a copy of the message.\nIt was long."
    (submission,) = take_in(tmp_path, mail(text=text).as_bytes()).submissions()
    assert submission.text == text


def test_a_short_refusal_counts_in_an_answer_and_in_a_mail_without_files(tmp_path: Path) -> None:
    photo = ("a.jpg", jpeg())
    scene = take_in(
        tmp_path,
        mail(subject="Re: Clip", text="No, my son is in it.\n\n> May we show it?"),
        mail(photo, subject="Re: River", text="Nein\nLG Ana", In_Reply_To="<1@campaign.example>"),
        mail(photo, subject="A clip", text="No sound in it, sorry."),
    )
    taking = {each.subject: Note.TAKES_BACK in each.notes for each in scene.submissions()}
    assert taking == {"Re: Clip": True, "Re: River": True, "A clip": False}
