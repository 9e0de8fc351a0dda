"""What is in a mail, and the row that each of it gets."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from support.ingest_scene import gif, jpeg, mail, mp4, png, raw, sha, take_in

from pipeline.findings import Carrier, Finding, What
from pipeline.model import Kind, Note

FROM = "From: ana@example.org\nSubject: x"


def part(kind: str, data: bytes, *more: str, encoding: str = "base64") -> bytes:
    lines = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}", *more, "", ""]
    body = base64.encodebytes(data) if encoding == "base64" else data
    return "\r\n".join(lines).encode() + body.strip(b"\n")


def test_several_attachments_in_order(tmp_path: Path) -> None:
    photo, video = jpeg(1), mp4(2)
    scene = take_in(tmp_path, mail(("a.jpg", photo), ("b.mp4", video), ("c.jpg", photo)))
    first, second, third = scene.attachments()
    assert [first.sha256, second.sha256, third.sha256] == [sha(photo), sha(video), sha(photo)]
    assert [item.kind for item in (first, second, third)] == [Kind.IMAGE, Kind.VIDEO, Kind.IMAGE]
    assert [row.status for row in scene.rows()] == ["pending", "pending", "duplicate"]
    assert scene.original(sha(video)) == video


def test_the_submission(tmp_path: Path) -> None:
    message = mail(
        ("a.jpg", jpeg()),
        subject="Aquí está 🎉",
        text="¡Hola!\n\n\n\nNo face,\u202e please.\n",
        Cc="Other <X@example.org>",
        Delivered_To="box+photo-action@campaign.example",
        Received="from a by b; Tue, 1 Sep 2026 08:00:00 +0200",
        Date="Mon, 1 Jan 2001 00:00:00 +0000",
    )
    (submission,) = take_in(tmp_path, message).submissions()
    assert submission.sender == "ana@example.org"
    assert submission.subject == "Aquí está 🎉"
    assert submission.text == "¡Hola!\n\nNo face, please."
    assert submission.received_at == "2026-09-01T06:00:00Z"
    assert submission.message_id == message["Message-ID"]
    assert submission.notes == ()
    assert submission.recipients == (
        "submissions@campaign.example",
        "x@example.org",
        "box+photo-action@campaign.example",
    )


def test_without_a_received_header_the_file_tells_the_time(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    path = box / "0000.eml"
    path.write_bytes(mail(("a.jpg", jpeg()), Date="Mon, 1 Jan 2001 00:00:00 +0000").as_bytes())
    moment = datetime(2026, 9, 3, 12, tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))
    (submission,) = take_in(tmp_path).submissions()
    assert submission.received_at == "2026-09-03T12:00:00Z"


def test_html_alone_gives_its_words(tmp_path: Path) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"] = "a@b.c"
    message.set_content(
        "<html><head><title>no</title><style>p{}</style></head><body><p>Fish &amp; chips<br>line"
        "<!-- hidden --><script>alert(1)</script></p></body></html>",
        subtype="html",
    )
    (submission,) = take_in(tmp_path, message).submissions()
    assert submission.text == "Fish & chips\nline"
    assert submission.notes == (Note.NO_ATTACHMENT,)


def test_inline_photos_of_phones_are_footage(tmp_path: Path) -> None:
    inline = part("image/jpeg", jpeg(), 'Content-Disposition: inline; filename="IMG_1.jpeg"',
                  "Content-ID: <1@apple>")  # fmt: skip
    shown = part("text/html", b'<img src="cid:1@apple">', encoding="7bit")
    nameless = part("image/jpeg", jpeg(2))
    scene = take_in(tmp_path, raw(FROM, shown, inline, nameless))
    assert scene.outcomes() == [("IMG_1.jpeg", None, "kept"), ("unnamed", None, "kept")]


@pytest.mark.parametrize(
    ("picture", "decoration"),
    [
        (png(1, 1, 90), True),
        (gif(1, 1), True),
        (png(140, 140, 9000), True),
        (png(151, 150, 9000), False),
        (png(600, 120, 9000), True),  # a banner
        (png(600, 210, 9000), False),
        (jpeg(0, 120, 90, 8000), True),
        (jpeg(0, 1600, 1200, 4000), True),  # 4 KiB of anything in the layout
        (jpeg(0, 1600, 1200, 9000), False),
    ],
)
def test_decoration_has_a_rule(tmp_path: Path, picture: bytes, decoration: bool) -> None:
    minor = "jpeg" if picture.startswith(b"\xff\xd8") else "png"
    shown = part("text/html", b"<img src='cid:logo%40x'>", encoding="7bit")
    in_layout = part(f"image/{minor}", picture, "Content-ID: <logo@x>", 'X: "')
    (outcome,) = take_in(tmp_path, raw(FROM, shown, in_layout)).outcomes()
    assert outcome == ("unnamed", "decoration" if decoration else None, "kept")


def test_a_small_photo_that_was_attached_is_footage(tmp_path: Path) -> None:
    sizes = {"small.png": (120, 90), "icon.png": (4, 3), "dot.png": (1, 1), "spot.png": (3, 3)}
    scene = take_in(tmp_path, mail(*((name, png(*size)) for name, size in sizes.items())))
    assert scene.outcomes() == [
        ("small.png", None, "kept"),
        ("icon.png", None, "kept"),
        ("dot.png", "decoration", "kept"),
        ("spot.png", "decoration", "kept"),
    ]


def test_decoration_alone_is_no_attachment(tmp_path: Path) -> None:
    scene = take_in(tmp_path, mail(("dot.png", png(1, 1))))
    assert scene.submissions()[0].notes == (Note.NO_ATTACHMENT,)


@pytest.mark.parametrize("encoding", ["7bit", "base64", "quoted-printable"])
def test_forwarded_mails(tmp_path: Path, encoding: str) -> None:
    """Also under a transfer encoding, which the standard forbids and mailers use."""
    innermost = mail(("inner.jpg", jpeg(1)), text="the innermost")
    middle = mail(("middle.jpg", jpeg(2)), text="the middle")
    middle.add_attachment(innermost)
    inside = part("message/rfc822", middle.as_bytes(), encoding=encoding)
    if encoding == "quoted-printable":
        head, _, body = inside.partition(b"\r\n\r\n")
        inside = head + b"\r\n\r\n" + body.replace(b"=", b"=3D")
    scene = take_in(tmp_path, raw(FROM, inside, part("image/jpeg", jpeg(3))))
    assert scene.outcomes() == [
        ("middle.jpg", None, "kept"),
        ("inner.jpg", None, "kept"),
        ("unnamed", None, "kept"),
    ]
    assert all(item.parent is None for item in scene.attachments())
    (submission,) = scene.submissions()
    assert submission.text == "the middle\n\nthe innermost"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7 ...", "not-media"),
        (b"BEGIN:VCARD", "not-media"),
        (b"", "not-media"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "unsafe"),
        (b"#EXTM3U\nhttp://169.254.169.254/", "unsafe"),
        (b"ID3\x03", "no-video"),
        (b"\xff\xf1\x50\x80\x2e\x7f\xfc", "no-video"),
        (b"\xff\xfb\x90\x64\0\x0f", "no-video"),
        (b"FORM\0\0\0\x4aAIFFCOMM", "no-video"),
        (b"caff\0\x01", "no-video"),
        (b"\xff\xfe\0\0", "not-media"),
    ],
)
def test_what_is_no_footage_is_told_by_its_bytes(tmp_path: Path, data: bytes, reason: str) -> None:
    assert take_in(tmp_path, mail(("clip.mp4", data))).outcomes() == [("clip.mp4", reason, "kept")]


def test_a_calendar_a_bounce_and_a_signature_are_no_attachments(tmp_path: Path) -> None:
    scene = take_in(
        tmp_path,
        raw(FROM, part("text/calendar", b"BEGIN:VCALENDAR"),
            part("message/delivery-status", b"Status: 5.0.0", encoding="7bit"),
            part("application/pgp-signature", b"-----BEGIN PGP SIGNATURE-----")),
    )  # fmt: skip
    assert scene.outcomes() == []


def test_encrypted_mails(tmp_path: Path) -> None:
    sealed = FROM + '\nContent-Type: multipart/encrypted; boundary="e"'
    pgp = (
        sealed.encode() + b"\n\n--e\n" + part("application/pgp-encrypted", b"Version: 1")
        + b"\n--e\n" + part("application/octet-stream", b"-----BEGIN PGP MESSAGE-----")
        + b"\n--e--\n"
    )  # fmt: skip
    smime = FROM.encode() + b"\n" + part("application/pkcs7-mime; name=smime.p7m", b"\x30\x82")
    outcomes = take_in(tmp_path, pgp, smime).outcomes()
    assert [reason for _, reason, _ in outcomes] == ["encrypted"] * 2


def test_too_large_keeps_nothing_and_goes_on(tmp_path: Path) -> None:
    scene = take_in(
        tmp_path, mail(("big.mp4", mp4(1, 1_000_001)), ("fits.mp4", mp4(2, 1_000_000))),
        inbox="max_attachment_mb = 1",
    )  # fmt: skip
    assert scene.outcomes() == [("big.mp4", "too-large", "none"), ("fits.mp4", None, "kept")]
    assert scene.attachments()[0].kind is Kind.VIDEO


def test_a_cut_transfer_is_not_published(tmp_path: Path) -> None:
    whole = mail(("a.jpg", jpeg(1)), ("cut.mp4", mp4(3))).as_bytes()
    scene = take_in(tmp_path, whole[:-2000])
    assert scene.outcomes() == [("a.jpg", None, "kept"), ("cut.mp4", "truncated-transfer", "none")]


def test_base64_of_the_wrong_length_is_a_cut_transfer(tmp_path: Path) -> None:
    broken = part("video/mp4", mp4())[:-7]
    (outcome,) = take_in(tmp_path, raw(FROM, broken)).outcomes()
    assert outcome == ("unnamed", "truncated-transfer", "none")


def test_a_mail_that_ends_in_its_text_says_so(tmp_path: Path) -> None:
    cut = raw(FROM, b"Content-Type: text/plain\r\n\r\nHello, my vid", end=False)
    assert take_in(tmp_path, cut).outcomes() == [("mail", "truncated-transfer", "none")]


def test_a_missing_end_boundary_is_forgiven_where_the_data_is_whole(tmp_path: Path) -> None:
    photo = jpeg(size=9001)
    assert base64.b64encode(photo).endswith(b"=")
    scene = take_in(tmp_path, raw(FROM, part("image/jpeg", photo) + b"\r\n", end=False))
    assert scene.outcomes() == [("unnamed", None, "kept")]


def test_names_become_safe_to_show(tmp_path: Path) -> None:
    names = [
        "../../../../tmp/escape.jpg",
        "a\u202egpj.exe",
        "con:*?.jpg",
        "x" * 300 + ".jpeg",
        "..",
    ]
    parts = [
        part("image/jpeg", jpeg(name), f'Content-Disposition: attachment; filename="{name}"')
        for name in names
    ]
    shown = [item.filename for item in take_in(tmp_path, raw(FROM, *parts)).attachments()]
    assert shown[:3] == ["escape.jpg", "agpj.exe", "con___.jpg"]
    assert len(shown[3]) <= 120
    assert shown[3].endswith(".jpeg")
    assert shown[4] == "unnamed"


def test_a_location_that_somebody_wrote_stands_nowhere(tmp_path: Path) -> None:
    scene = take_in(
        tmp_path,
        mail(
            ("shot 59.19683,-41.55583.jpg", jpeg()),
            subject="At 59.19683, -41.55583",
            text="We met at 59.1968\u200b3, -41.55\u200b583\nand https://maps.app.goo.gl/abc",
        ),
    )
    (item,) = scene.attachments()
    assert set(item.findings) == {
        Finding(Carrier.FILE_NAME, What.LOCATION),
        Finding(Carrier.SUBJECT, What.LOCATION),
    }
    (submission,) = scene.submissions()
    assert submission.notes == (Note.LOCATION_IN_TEXT,)
    dump = scene.workspace.ledger.read_bytes()
    for log in scene.workspace.root.glob("ledger.db*"):
        dump += log.read_bytes()
    for trace in (b"59.19", b"41.55", b"goo.gl"):
        assert trace not in dump


@pytest.mark.parametrize(
    "link",
    [
        "https://drive.google.com/file/d/1",
        "https://we.tl/t-abc",
        "https://www.dropbox.com/s/1",
        "https://1drv.ms/v/s!A",
        "https://www.icloud.com/photos/#0",
        "we.tl/t-abc",
        "https://eu.safelinks.example/?url=https%3A%2F%2Fwww.dropbox.com%2Fs%2F1&data=05",
        "https://a.example/?u=https%253A%252F%252Fdrive.google.com%252Ffile",
    ],
)
def test_a_link_to_a_cloud_drive_is_noted(tmp_path: Path, link: str) -> None:
    (submission,) = take_in(tmp_path, mail(text=f"My video: {link}")).submissions()
    assert submission.notes == (Note.HAS_A_LINK, Note.NO_ATTACHMENT)


@pytest.mark.parametrize(
    "text", ["https://example.org/drive.google.com", "I use dropbox.com", "ana@box.com/x"]
)
def test_other_links_are_not(tmp_path: Path, text: str) -> None:
    (submission,) = take_in(tmp_path, mail(text=text)).submissions()
    assert submission.notes == (Note.NO_ATTACHMENT,)


@pytest.mark.parametrize(
    ("day", "outside"), [("31 Aug", True), ("1 Sep", False), ("15 Sep", False), ("16 Sep", True)]
)
def test_the_campaigns_window(tmp_path: Path, day: str, outside: bool) -> None:
    message = mail(("a.jpg", jpeg()), Received=f"by x; {day} 2026 12:00:00 +0000")
    campaign = "opens = 2026-09-01\ncloses = 2026-09-15"
    (submission,) = take_in(tmp_path, message, campaign=campaign).submissions()
    assert (Note.OUTSIDE_WINDOW in submission.notes) is outside


def test_parts_that_cannot_be_told_apart_are_not_silent(tmp_path: Path) -> None:
    headless = FROM.encode() + b"\nContent-Type: multipart/mixed\n\n--b\n\nfootage\n--b--\n"
    scene = take_in(tmp_path, headless)
    assert scene.outcomes() == [("mail", "broken-mail", "none")]
    assert Note.BROKEN_MAIL in scene.submissions()[0].notes


def test_a_mail_without_any_header_is_set_aside(tmp_path: Path) -> None:
    scene = take_in(tmp_path, b"\r\n\r\nnothing", b"", mail(("a.jpg", jpeg())))
    assert [outcome[1] for outcome in scene.outcomes()] == ["broken-mail", "broken-mail", None]
    assert scene.ingest().mails == 0


def test_thousands_of_parts_end_in_a_row_that_says_so(tmp_path: Path) -> None:
    parts = [part("text/plain; name=a.txt", b"x", encoding="7bit")] * 3000
    outcomes = take_in(tmp_path, raw(FROM, *parts)).outcomes()
    assert len(outcomes) == 1000
    assert outcomes[-1] == ("mail", "broken-mail", "none")


def test_text_files_are_the_same_however_their_lines_end(tmp_path: Path) -> None:
    crlf = raw(FROM, part("text/plain; name=a.txt", b"a\r\nb", encoding="7bit"))
    scene = take_in(tmp_path, crlf, crlf.replace(b"\r\n", b"\n"))
    assert {item.sha256 for item in scene.attachments()} == {sha(b"a\nb")}
