"""Who sent a mail: addresses in any spelling, mailing lists, and answers of programs."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest_scene import jpeg, mail, mp4, raw, sha, take_in

from pipeline.ingest import headers
from pipeline.ingest.addresses import mailboxes
from pipeline.ingest.contents import tidy
from pipeline.ingest.html_words import html_text
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


BACK = "Please delete my video. I do not want to be shown."
STUB = "This mail has to be read in a program that shows HTML."
PLAIN, HTML = b"Content-Type: text/plain\r\n\r\n", b"Content-Type: text/html\r\n\r\n"
FILE = b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=answer.txt\r\n\r\n"
INNER = b"Content-Type: message/rfc822\r\n\r\nFrom: d@example.net\r\nSubject: video\r\n\r\n"


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ((PLAIN + STUB.encode(), HTML + f"<p>{BACK}</p>".encode()), STUB),
        ((PLAIN + b"Hello", FILE + BACK.encode()), "Hello"),
        ((PLAIN + b"See what she wrote:", INNER + BACK.encode()), "See what she wrote:"),
    ],
)
def test_each_text_of_a_mail_is_read_and_shown(
    tmp_path: Path, parts: tuple[bytes, ...], shown: str
) -> None:
    (submission,) = take_in(
        tmp_path, raw("From: a@example.org\nSubject: Re:", *parts)
    ).submissions()
    assert Note.TAKES_BACK in submission.notes
    text = submission.text.replace(".\n", ". ")
    assert text == f"{shown}\n\n[another text of this mail]\n{BACK}".replace(".\n", ". ")


def test_two_forms_of_one_text_are_shown_once_and_a_long_one_leaves_room(tmp_path: Path) -> None:
    plain = (
        "Hello Ines,\r\nhere is our\r\nvideo: <https://a.example/x>\r\n\r\n> May we\r\n> show it?"
    )
    html = (
        "<p>Hello <b>Ines</b>,<br>here is our video: <a href='https://a.example/x'></a></p>"
        "<blockquote>May we show it?</blockquote>"
    )
    long = "We had a nice day. " * 300
    scene = take_in(
        tmp_path,
        raw("From: a@x.org\nSubject: 1", PLAIN + plain.encode(), HTML + html.encode()),
        raw("From: a@x.org\nSubject: 2", PLAIN + long.encode(), HTML + b"Only with blurred faces"),
    )
    first, second = scene.submissions()
    assert first.text == plain.replace("\r\n", "\n")
    assert Note.TAKES_BACK not in first.notes
    assert second.text.endswith("…\n\n[another text of this mail]\nOnly with blurred faces")
    assert len(second.text) <= 2000


@pytest.mark.parametrize(
    ("plain", "html"),
    [
        ("52.520008\r\n13.404954", "52.520008<br>13.404954 is my home"),
        ("N 52 31.200\r\nE 13 24.298", "N 52 31.200<br>E 13 24.298 is my home"),
        ("Hello", "Hello<br>52.520008<br>13.404954 is my home"),
    ],
)
def test_no_half_of_a_place_is_shown_because_two_texts_differ(
    tmp_path: Path, plain: str, html: str
) -> None:
    data = raw("From: a@x.org\nSubject: 1", PLAIN + plain.encode(), HTML + html.encode())
    (submission,) = take_in(tmp_path, data).submissions()
    assert submission.text.endswith("[another text of this mail]\n[location removed] is my home")
    assert not re.search(r"\d", submission.text)
    assert Note.LOCATION_IN_TEXT in submission.notes


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e", "a\n> b\n> c\n> > d\ne"),
        ("a<blockquote>b<p>c", "a\nb\nc"),
        ("a</blockquote>b<br><blockquote>c</blockquote>", "a\nb\n> c"),
        ("a<blockquote style='margin: 0 0 0 40px; border: none'>b</blockquote>c", "a\nb\nc"),
        ("<s>Yes</s> No", "[struck out] Yes No"),
        ("<p>5<del>2.5</del>2</p>Yes", "[struck out] 52.52\nYes"),
        ("<span style='text-decoration: Line-Through'>Yes</span>", "[struck out] Yes"),
    ],
)
def test_quotes_and_struck_words_of_html_have_marks(html: str, text: str) -> None:
    assert tidy([html_text(html)]).replace("\n\n", "\n") == text


@pytest.mark.parametrize(
    ("html", "is_back"),
    [
        ("Ana wrote on 1.9.2026:<blockquote>May we show it?</blockquote><p>{}</p>", True),
        ("<blockquote>May we show it?<p style='color:red'>{}</p></blockquote>Above, in red", True),
        ("<blockquote style='border:none'>{}</blockquote>", True),
        ("Yes, gladly.<blockquote>May we show it? Answer YES or NO.</blockquote>", False),
    ],
)
def test_an_answer_in_html_counts_wherever_it_is(tmp_path: Path, html: str, is_back: bool) -> None:
    data = HTML + html.format(BACK).encode()
    scene = take_in(tmp_path, raw("From: a@x.org\nSubject: Re: River\nIn-Reply-To: <1@x>", data))
    assert [Note.TAKES_BACK in each.notes for each in scene.submissions()] == [is_back]


def test_a_refusal_without_a_path_to_return_counts_and_that_of_a_returned_mail_does_not(
    tmp_path: Path,
) -> None:
    inner = PLAIN + b"It could not be delivered: user refused", INNER + BACK.encode()
    daemon = "From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: "
    scene = take_in(
        tmp_path,
        mail(text=BACK, subject="1", Return_Path="<>"),
        mail(text="No.", subject="2", sender="postmaster@farm.example"),
        raw(f"{daemon}3 failure notice", *inner),
        raw(f"{daemon}4 failure notice\nIn-Reply-To: <1@x>", *inner),
        raw("From: a@x.org\nSubject: 5", PLAIN + BACK.encode()).replace(
            b"multipart/mixed", b"multipart/report; report-type=delivery-status"
        ),
    )
    taking = {each.subject[0]: Note.TAKES_BACK in each.notes for each in scene.submissions()}
    assert taking == {"1": True, "2": True, "3": False, "4": False, "5": False}
    assert all(Note.BOUNCE in each.notes for each in scene.submissions())
