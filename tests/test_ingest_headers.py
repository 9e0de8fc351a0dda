"""Names, words, addresses and dates as senders really write them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest_scene import mp4, take_in

from pipeline import wording
from pipeline.ingest import headers
from pipeline.ingest.charsets import decoded, unworded


def name_of(line: str | bytes) -> str:
    block = line if isinstance(line, bytes) else line.encode()
    return headers.parse(b"Content-Disposition: attachment; " + block + b"\r\n").filename


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('filename="a b.jpg"', "a b.jpg"),
        ("filename=plain.jpg", "plain.jpg"),
        ("filename=two words.jpg; size=1", "two words.jpg"),
        ('filename="no end.jpg', "no end.jpg"),
        ('filename="semi;colon.jpg"; x=y', "semi;colon.jpg"),
        (r'filename="quo\"te.jpg"', 'quo"te.jpg'),
        (r'filename="C:\photos\a.jpg"', r"C:\photos\a.jpg"),
        ('FILENAME = "case.jpg"', "case.jpg"),
        ('filename=";;;"; ;; x', ";;;"),
        # RFC 2231
        ("filename*=utf-8''%E3%83%95%E3%82%A9%E3%83%88.jpg", "フォト.jpg"),
        ("filename*=UTF-8'ar'%D9%85%D8%B3.mp4", "مس.mp4"),
        ("filename*=iso-8859-1''ni%F1o.mp4", "niño.mp4"),
        (
            "filename*0*=utf-8''%E6%9D;\r\n filename*1*=%B1%E4%BA%AC;\r\n filename*2=.mp4",
            "東京.mp4",
        ),
        ('filename*1="b.jpg"; filename*0="a"', "ab.jpg"),
        ("filename=\"_.jpg\"; filename*=utf-8''%C3%A9.jpg", "é.jpg"),
        ("filename*=utf-8''%", "%"),
        ("filename*=nonsense''%C3%A9.jpg", "é.jpg"),
        ("filename*=''a.jpg", "a.jpg"),
        ("filename*7*=utf-8''z.jpg", "z.jpg"),
        # RFC 2047 where RFC 2047 forbids it
        ('filename="=?utf-8?B?w6kuanBn?="', "é.jpg"),
        ('filename="=?utf-8?Q?=C3=A9_1.jpg?="', "é 1.jpg"),
        ('filename="=?utf-8?B?w6k=?= =?utf-8?B?LmpwZw==?="', "é.jpg"),
        ('filename="=?gb2312?B?1dXGrC5qcGc=?="', "照片.jpg"),
        ('filename="=?koi8-r?B?18nExc8=?=.mp4"', "видео.mp4"),
        ('filename="=?iso-2022-jp?B?GyRCPEw/PxsoQi5qcGc=?="', "写真.jpg"),
        ('filename="=?unknown?B?w6kuanBn?="', "é.jpg"),
        ('filename="=?utf-8?B?broken', "=?utf-8?B?broken"),
    ],
)
def test_file_names(line: str, name: str) -> None:
    assert name_of(line) == name


def test_file_names_in_raw_bytes() -> None:
    assert name_of('filename="manifestación niño.webm"'.encode()) == "manifestación niño.webm"
    assert name_of('filename="manifestación.webm"'.encode("latin-1")) == "manifestación.webm"
    assert name_of("filename=видео.mp4".encode()) == "видео.mp4"


def test_the_name_may_stand_in_the_content_type_alone() -> None:
    assert (
        headers.parse(b'Content-Type: image/jpeg; name="=?utf-8?Q?=C3=A9?=.jpg"').filename
        == "é.jpg"
    )


@given(st.text(min_size=1, max_size=60).filter(lambda name: name.strip() == name))
def test_names_that_the_standard_library_writes_are_read(name: str) -> None:
    message = EmailMessage(policy=SMTP)
    try:
        message.set_content(b"x", maintype="image", subtype="jpeg", filename=name)
        block = message.as_bytes().split(b"\r\n\r\n", 1)[0]
    except (ValueError, LookupError, UnicodeError):  # a name that it can't write
        return
    assert wording.plain(headers.parse(block).filename, 999) == wording.plain(name, 999)


@given(st.binary(max_size=200))
def test_any_bytes_are_read(data: bytes) -> None:
    for field in (
        b"Content-Type: ",
        b"Content-Disposition: x; filename",
        b"From: ",
        b"Received: ;",
    ):
        found = headers.parse(field + data)
        found.filename.encode("utf-8", "surrogatepass")
        _ = found.content_type, found.encoding, found.received_at, found.disposition
        _ = found.addresses("from"), found.text("subject")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?q?Two_photos=2E?=\r\n =?utf-8?q?_Sent?=", "Two photos. Sent"),
        ("=?utf-8?b?4pg=?= =?utf-8?b?gw==?=", "☃"),  # a letter cut in two
        ("plain =?utf-8?q?=C3=A9?= plain", "plain é plain"),
        ("=?utf-8?q?a b?=", "a b"),
        ("=?utf-8*en?q?a?=", "a"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("=?unicode_escape?q?=5Cu0041?=", "\\u0041"),
        ("=?hex?q?41?=", "41"),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    assert unworded(value.replace("\r\n", "")) == text


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("é".encode(), "", "é"),
        ("é".encode("latin-1"), "", "é"),
        ("é".encode(), "iso-8859-1", "é"),
        ("“”".encode("cp1252"), "iso-8859-1", "“”"),
        ("写真".encode("shift_jis"), "Shift_JIS", "写真"),
        ("사진".encode("cp949"), "ks_c_5601-1987", "사진"),
        (b"\xff\xfe", "utf-16", ""),
        (b"\x81", "no-such-charset", "�"),
    ],
)
def test_charsets(data: bytes, charset: str, text: str) -> None:
    assert decoded(data, charset) == text


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("Ana <Ana@Example.ORG>", ("ana@example.org",)),
        ('"Doe, Jane" <jane@example.org>, x@example.org', ("jane@example.org", "x@example.org")),
        (
            "=?utf-8?q?=22a=40b=2Ec=22_=3Cfake=40x=2Ey=3E?= <true@example.org>",
            ("true@example.org",),
        ),
        ("submissions+photo-action@example.org", ("submissions+photo-action@example.org",)),
        ("(comment) a@b.c (more)", ("a@b.c",)),
        ("broken < a@b.c", ("a@b.c",)),
        ("(" * 5000 + "a@b.c", ()),
        ("undisclosed-recipients:;", ()),
        ("", ()),
    ],
)
def test_addresses(value: str, addresses: tuple[str, ...]) -> None:
    assert headers.parse(b"To: " + value.encode()).addresses("to") == addresses


def test_the_topmost_received_header_counts() -> None:
    block = (
        b"Received: from a by b; Tue, 1 Sep 2026 08:00:00 +0200\r\n"
        b"Received: from c by a; Mon, 31 Aug 2026 08:00:00 +0200\r\n"
        b"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"
    )
    assert headers.parse(block).received_at == datetime(2026, 9, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "nonsense", "Fri, 31 Dec 9999 23:59:59 -2359", "1 Jan 0001"])
def test_dates_that_are_none(value: str) -> None:
    assert headers.parse(f"Received: by x; {value}\r\n".encode()).received_at is None


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        *(("gb18030", "视频.mp4"), ("shift_jis", "写真ソ.mp4"), ("koi8-r", "видео.mp4")),
        *(("iso-2022-jp", "写真.mp4"), ("big5", "影片.mp4"), ("euc-kr", "사진.mp4")),
    ],
)
def test_raw_names_are_in_the_charset_of_the_text(tmp_path: Path, charset: str, name: str) -> None:
    text = f"From: {name} <a@b.example>\nSubject: {name}\n".encode(charset)
    kind = b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n'
    words = f"Content-Type: text/plain; charset={charset}\n\nx\n--b\n".encode()
    file = f'Content-Type: video/mp4; name="{name}"\n\n'.encode(charset) + mp4() + b"\n--b--\n"
    scene = take_in(tmp_path, text + kind + words + file)
    (submission,) = scene.submissions()
    assert (submission.subject, submission.name) == (name, name)
    assert scene.attachments()[0].filename == name
