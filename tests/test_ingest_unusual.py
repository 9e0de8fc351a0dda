"""Mails that are not as they should be: read as well as can be, or said so, and never as words."""

from __future__ import annotations

import base64
import binascii
from html import escape
from pathlib import Path

import pytest
from support.ingest_scene import IngestScene, jpeg, mp4, png, sha, take_in

PHOTO = jpeg(5, size=5000)
FIELDS = "From: Ana <ana@example.org>\nSubject: My photo\nMessage-ID: <a@b>\nMIME-Version: 1.0\n"
TYPE = 'Content-Type: multipart/mixed; boundary="BB"\n'


def encoded(data: bytes, columns: int = 76) -> str:
    text = base64.b64encode(data).decode()
    return "\n".join(text[at : at + columns] for at in range(0, len(text), columns)) + "\n"


def part(data: bytes = PHOTO, head: str = 'Content-Type: image/jpeg; name="a.jpg"\n') -> str:
    return f"--BB\n{head}Content-Transfer-Encoding: base64\n\n{encoded(data)}"


WORDS = "--BB\nContent-Type: text/plain\n\nHere it is.\n"
BODY = f"\n{WORDS}{part()}--BB--\n"


def taken(folder: Path, text: str) -> IngestScene:
    scene = take_in(folder, text.replace("\n", "\r\n").encode("latin-1"))
    (submission,) = scene.submissions()
    assert "BB" not in submission.text
    assert "/9j/" not in submission.text
    assert submission.sender == "ana@example.org"
    return scene


def accepted(scene: IngestScene) -> list[str | None]:
    return [row.sha256 for row in scene.attachments() if row.refusal is None]


@pytest.mark.parametrize(
    "mail",
    {
        "no semicolon": FIELDS + 'Content-Type: multipart/mixed boundary="BB"\n' + BODY,
        "a comment": FIELDS + 'Content-Type: multipart/mixed (by X); boundary="BB"\n' + BODY,
        "no slash": FIELDS + 'Content-Type: multipart; boundary="BB"\n' + BODY,
        "an empty type": FIELDS + "Content-Type: \n" + BODY,
        "no boundary": FIELDS + "Content-Type: multipart/mixed\n" + BODY,
        "two types": FIELDS + "Content-Type: text/plain\n" + TYPE + BODY,
        "an unfolded line": FIELDS + "X-Long: abc\nfCoPnjQHA37xZ8d8Zl\n" + TYPE + BODY,
        "a blank line": FIELDS + "\n\n" + TYPE + BODY,
        "a blank line in a part": FIELDS + TYPE + BODY.replace("--BB\nC", "--BB\n\nC"),
        "a line over 64 KiB": FIELDS + f"X-Long: {'z' * 70_000}\n" + TYPE + BODY,
        "a byte order mark": "\xef\xbb\xbf" + FIELDS + TYPE + BODY,
        "blank lines first": "\n\n" + FIELDS + TYPE + BODY,
        "a banner": "[this mail came from outside]\n" + FIELDS + TYPE + BODY,
        "a part behind the end": FIELDS + TYPE + f"\n{WORDS}--BB--\n{part()}--BB--\n",
        "a part without a semicolon": FIELDS
        + TYPE
        + f"\n{part(head='Content-Type: image/jpeg name=a.jpg' + chr(10))}--BB--\n",
        "a part without a type": FIELDS + TYPE + f"\n{part(head='')}--BB--\n",
        "a file that is called a text": FIELDS
        + TYPE
        + f"\n{part(head='Content-Type: text/plain' + chr(10))}--BB--\n",
        "two encodings": FIELDS
        + TYPE
        + BODY.replace("Content-Tr", "Content-Transfer-Encoding: 7bit\nContent-Tr"),
        "a mail as a file": FIELDS
        + TYPE
        + "\n"
        + part((FIELDS + TYPE + BODY).encode(), 'Content-Type: a/octets; name="a.eml"\n')
        + "--BB--\n",
    }.items(),
    ids=lambda item: item[0],
)
def test_a_damaged_header_costs_no_footage(tmp_path: Path, mail: tuple[str, str]) -> None:
    assert accepted(taken(tmp_path, mail[1])) == [sha(PHOTO)]


def test_lines_that_end_with_a_carriage_return_only(tmp_path: Path) -> None:
    scene = take_in(tmp_path, (FIELDS + TYPE + BODY).replace("\n", "\r").encode())
    assert accepted(scene) == [sha(PHOTO)]


def test_a_mail_without_a_field_shows_what_can_be_read(tmp_path: Path) -> None:
    mail = "no field\n\nnone\n\n" + FIELDS
    scene = taken(tmp_path, mail)
    assert scene.outcomes() == [("mail", "broken-mail", "none")]
    assert scene.submissions()[0].subject == "My photo"


def uuencoded(data: bytes, name: str = "a.jpg") -> str:
    lines = [binascii.b2a_uu(data[at : at + 45]).decode() for at in range(0, len(data), 45)]
    return f"begin 644 {name}\n{''.join(lines)}`\nend\n"


def yencoded(data: bytes) -> str:
    out = "".join(
        chr(each) if each not in (0, 10, 13, 61) else "=" + chr((each + 64) % 256)
        for each in ((byte + 42) % 256 for byte in data)
    )
    lines = "\n".join(out[at : at + 5000] for at in range(0, len(out), 5000))
    return f"=ybegin line=128 size={len(data)} name=a.jpg\n{lines}\n=yend size={len(data)}\n"


def ascii85(data: bytes) -> str:
    return base64.a85encode(data, wrapcol=76, adobe=True).decode()


PLAIN = FIELDS + "Content-Type: text/plain; charset=latin-1\nContent-Transfer-Encoding: 8bit\n\n"
HTML = FIELDS + "Content-Type: text/html\n\n"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN + "Hello\n" + uuencoded(PHOTO) + "Take care\n",
        PLAIN + "Hello\n" + yencoded(PHOTO) + "Take care\n",
        PLAIN + "Hello\n\n" + encoded(PHOTO) + "\nTake care\n",
        PLAIN + f"Hello\n{ascii85(PHOTO)}\nTake care\n",
        HTML + f'Hello <img src="data:image/jpeg;base64,{encoded(PHOTO)}"> Take care\n',
    ],
    ids=["uuencode", "yEnc", "base64", "ASCII85", "data"],
)
def test_a_file_in_a_text_is_an_attachment_and_no_words(tmp_path: Path, text: str) -> None:
    scene = taken(tmp_path, text)
    assert accepted(scene) == [sha(PHOTO)]
    words = scene.submissions()[0].text.split()
    assert words == ["Hello", "Take", "care"]


_ESCAPED = escape(uuencoded(PHOTO)).splitlines()


@pytest.mark.parametrize(
    "html",
    [
        "Hello<br>\n" + uuencoded(PHOTO) + "Take care",
        "<p>Hello</p><pre>\n" + "\n".join(_ESCAPED) + "\n</pre><p>Take care</p>",
        "Hello<br>\n" + "".join(f"{line}<br>\n" for line in _ESCAPED) + "Take care",
        "Hello<br>" + "".join(f"{line}<br>" for line in _ESCAPED) + "Take care",
        "Hello" + "".join(f"<div>{line}</div>" for line in _ESCAPED) + "Take care",
        "Hello"
        + "".join(f"<p>{line}</p>\n" for line in _ESCAPED).replace(" ", "&nbsp;")
        + "Take care",
        "Hello<blockquote>" + "<br>".join(f"&gt; {x}" for x in _ESCAPED) + "</blockquote>Take care",
        "Hello<pre>\n" + encoded(PHOTO) + "\n</pre>Take care",
        "Hello<br>" + "<br>".join(encoded(PHOTO).splitlines()) + "<br>Take care",
        "Hello<br>\n" + yencoded(PHOTO) + "\nTake care",
    ],
    ids=[
        *("bare", "pre", "broken lines", "one line", "a block each", "paragraphs", "quoted"),
        *("base64", "base64 in one line", "yEnc"),
    ],
)
def test_a_file_in_html_is_an_attachment_and_no_words(tmp_path: Path, html: str) -> None:
    scene = taken(tmp_path, HTML.replace("html", "html; charset=latin-1") + html + "\n")
    assert accepted(scene) == [sha(PHOTO)]
    assert scene.submissions()[0].text.split() == ["Hello", "Take", "care"]
    assert scene.submissions()[0].notes == ()


def test_words_before_a_large_file_in_a_text_are_kept(tmp_path: Path) -> None:
    video = mp4(6, 900_000)
    for folder, text in (
        ("plain", PLAIN + "Hello\n" + uuencoded(video)),
        ("html", HTML + "Hello<pre>\n" + escape(uuencoded(video)) + "</pre>"),
    ):
        scene = take_in(tmp_path / folder, text.encode("latin-1"))
        assert accepted(scene) == [sha(video)]
        assert scene.submissions()[0].text == "Hello"


@pytest.mark.parametrize(
    "html",
    [
        "we begin 2026 with <b>you</b>. begin 644 reasons<br>Take care",
        f"<style>@font-face {{src:url(data:font/woff;base64,{encoded(PHOTO)})}}</style>Take care",
        f"<!-- {encoded(PHOTO)} -->Take care",
    ],
)
def test_what_is_no_file_in_html_is_none(tmp_path: Path, html: str) -> None:
    assert taken(tmp_path, HTML + html + "\n").attachments() == []


@pytest.mark.parametrize(
    "text",
    [
        PLAIN + uuencoded(PHOTO[:900]).removesuffix("`\nend\n"),
        PLAIN + yencoded(PHOTO).replace("name=a.jpg", "part=1 name=a.jpg\n=ypart begin=1 end=9"),
        HTML + f'<img src="data:image/jpeg;base64,{encoded(PHOTO[:900])}',
    ],
    ids=["uuencode", "yEnc", "data"],
)
def test_half_a_file_in_a_text_is_said(tmp_path: Path, text: str) -> None:
    (row,) = taken(tmp_path, text).attachments()
    assert row.refusal is not None
    assert row.refusal.reason == "truncated-transfer"


def test_one_of_several_mails_that_are_one_is_said(tmp_path: Path) -> None:
    text = FIELDS + 'Content-Type: message/partial; id="x"; number=1; total=2\n\n' + TYPE + BODY
    assert taken(tmp_path, text).outcomes() == [("part of a mail", "unsupported", "kept")]


def test_a_body_that_is_elsewhere_is_a_link(tmp_path: Path) -> None:
    head = 'Content-Type: message/external-body; access-type=URL; URL="https://a.example/b.mp4"\n'
    scene = taken(tmp_path, FIELDS + TYPE + f"\n--BB\n{head}\nContent-Type: video/mp4\n\n--BB--\n")
    (submission,) = scene.submissions()
    assert "has-a-link" in submission.notes
    assert "https://a.example/b.mp4" in submission.text


def test_a_text_that_is_encrypted_is_said(tmp_path: Path) -> None:
    scene = taken(
        tmp_path, PLAIN + "-----BEGIN PGP MESSAGE-----\n\nhQ\n-----END PGP MESSAGE-----\n"
    )
    assert scene.outcomes() == [("mail", "encrypted", "none")]


def whole_mp4(size: int) -> bytes:
    """A file whose boxes say how long it is."""
    return mp4(3, size - 8) + b"\0\0\0\x08moov"


@pytest.mark.parametrize("size", [3000, 3001, 3002])
@pytest.mark.parametrize("behind", ["", "_____\nSent through the list\n"])
@pytest.mark.parametrize("end", ["--BB--\n", ""])
def test_base64_without_padding_is_whole_if_its_file_is(
    tmp_path: Path, size: int, behind: str, end: str
) -> None:
    video = whole_mp4(size)
    text = part(video, "Content-Type: video/mp4\n").replace("=", "")
    scene = taken(tmp_path, FIELDS + TYPE + "\n" + text + behind + end)
    (row,) = scene.attachments()
    assert row.refusal is None
    assert row.sha256 is not None
    assert scene.workspace.original(row.sha256).read_bytes().startswith(video)


@pytest.mark.parametrize("whole", [whole_mp4(3001), PHOTO, png(40, 40)])
def test_a_file_that_is_cut_is_not_whole(tmp_path: Path, whole: bytes) -> None:
    text = FIELDS + TYPE + "\n" + part(whole[:-200], 'Content-Type: image/jpeg; name="a"\n')
    (row,) = taken(tmp_path, text.rstrip("=\n") + "\n").attachments()
    assert row.refusal is not None


def test_base64_goes_on_after_padding(tmp_path: Path) -> None:
    text = part(PHOTO[:2000]) + encoded(PHOTO[2000:])
    assert accepted(taken(tmp_path, FIELDS + TYPE + "\n" + text + "--BB--\n")) == [sha(PHOTO)]


def test_a_forwarded_mail_whose_end_never_comes_is_cut(tmp_path: Path) -> None:
    inner = (FIELDS + TYPE + BODY).replace("BB", "CC")
    cut = inner[: len(inner) - 3000]
    text = FIELDS + TYPE + "\n--BB\nContent-Type: message/rfc822\n\n" + cut + "\n--BB--\n"
    (row,) = taken(tmp_path, text).attachments()
    assert row.refusal is not None
    assert row.refusal.reason == "truncated-transfer"


def test_a_picture_without_an_encoding_keeps_its_bytes(tmp_path: Path) -> None:
    head = FIELDS + TYPE + '\n--BB\nContent-Type: image/png; name="a.png"\n\n'
    data = head.replace("\n", "\r\n").encode() + png(40, 40) + b"\r\n--BB--\r\n"
    assert [row.sha256 for row in take_in(tmp_path, data).attachments()] == [sha(png(40, 40))]


def test_uuencode_in_a_part_that_does_not_say_so(tmp_path: Path) -> None:
    head = FIELDS + TYPE + '\n--BB\nContent-Type: application/octet-stream; name="a.jpg"\n\n'
    assert accepted(taken(tmp_path, head + uuencoded(PHOTO) + "--BB--\n")) == [sha(PHOTO)]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("application/pkcs7-signature", "smime.p7s"),
        ("application/octet-stream", "signature.asc"),
        ("text/calendar", "invite.ics"),
        ("application/smil", "0.smil"),
        ("application/applefile", "IMG_2.MOV"),
        ("text/html", "ATT00001.htm"),
        ("text/plain", "ATT00002.txt"),
    ],
)
def test_what_mailers_add_is_no_alarm_unless_it_is_footage(
    tmp_path: Path, kind: str, name: str
) -> None:
    added = b"some words " * 9 if kind.startswith("text") else b"\0\5\x16\7 bytes " * 9
    for number, (data, rows) in enumerate([(added, 0), (PHOTO, 1)]):
        head = f'Content-Type: {kind}; name="{name}"\n'
        text = FIELDS + TYPE + f"\n{WORDS}{part(data, head)}--BB--\n"
        scene = taken(tmp_path / str(number), text)
        assert len(scene.attachments()) == len(accepted(scene)) == rows


def test_a_type_that_is_no_multipart_hides_no_parts(tmp_path: Path) -> None:
    for number, kind in enumerate(("video/mp4", "text/plain", "application/octet-stream")):
        for before in ("", "This is a mail of several parts.\n\n"):
            mail = f'{FIELDS}Content-Type: {kind}; boundary="BB"\n\n{before}{BODY.lstrip()}'
            scene = taken(tmp_path / f"{number}{bool(before)}", mail)
            assert accepted(scene) == [sha(PHOTO)]
            assert scene.submissions()[0].text == "Here it is."


def test_a_mail_with_an_empty_line_after_each_line_keeps_its_footage(tmp_path: Path) -> None:
    text = f"Hello\n{encoded(PHOTO)}".replace("\n", "\n\n")
    scene = taken(tmp_path, f"{PLAIN}{text}Bye\n")
    assert accepted(scene) == [sha(PHOTO)]


def test_a_file_in_hexadecimal_digits_is_said(tmp_path: Path) -> None:
    digits = (bytes(200) + PHOTO).hex()
    text = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    (row,) = taken(tmp_path, f"{PLAIN}Hello\n{text}\n").attachments()
    assert row.refusal is not None
