"""What is no footage is no alarm; what was footage and is gone, or is sealed, is said."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from support.ingest_scene import IngestScene, jpeg, mp4, sha, take_in
from test_ingest_archives import packed
from test_ingest_files_in_files import binhexed
from test_ingest_unusual import FIELDS, PLAIN, encoded, uuencoded, yencoded

VIDEO = mp4(7)
UU = uuencoded(VIDEO, "a.mp4")
HALF = UU.rfind("\n", 0, len(UU) // 2) + 1
ARMOR = "-----BEGIN PGP MESSAGE-----\n\n" + encoded(VIDEO, 64) + "-----END PGP MESSAGE-----\n"
SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\n" + encoded(VIDEO[:300], 64)
MIXED = "Content-Type: multipart/mixed; boundary=BB\n\n"
ENVELOPED = bytes.fromhex("3082100006092a864886f70d010703") + bytes(200)


def with_parts(*parts: str) -> str:
    words = "--BB\nContent-Type: text/plain\n\nHere it is.\n"
    return FIELDS + MIXED + words + "".join(f"--BB\n{part}\n" for part in parts) + "--BB--\n"


def part(kind: str, name: str = "", data: bytes = b"", more: str = "") -> str:
    head = f'Content-Type: {kind}; name="{name}"\n' if name else f"Content-Type: {kind}\n"
    return f"{head}{more}Content-Transfer-Encoding: base64\n\n{encoded(data)}"


CLIP = part("video/mp4", "a.mp4", VIDEO)


def taken(folder: Path, text: str) -> IngestScene:
    scene = take_in(folder, text.replace("\n", "\r\n").encode("latin-1"))
    (submission,) = scene.submissions()
    for field in (submission.text, submission.subject, submission.message_id):
        assert not any(len(word) > 59 for word in field.split())
        assert "ybegin" not in field
    return scene


def said(scene: IngestScene) -> list[str | None]:
    """The code of each row's refusal, None for one that was accepted."""
    return [str(row.refusal.code) if row.refusal else None for row in scene.attachments()]


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        ("application/x-pkcs7-signature", "smime.p7s", b"0\x82" + bytes(90)),
        ("application/octet-stream", "smime.p7s", b"0\x82" + bytes(90)),
        ("application/pgp-keys", "OpenPGP_0x12.asc", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
        ("application/octet-stream", "OpenPGP_signature", b"-----BEGIN PGP SIGNATURE-----\n"),
        ("application/octet-stream", "0.smil", b"<smil></smil>"),
        ("application/smil+xml", "layout", b"<smil></smil>"),
        ("text/vcard", "", b"BEGIN:VCARD"),
        ("application/octet-stream", "contact.vcf", b"BEGIN:VCARD"),
        ("text/x-vcalendar", "", b"BEGIN:VCALENDAR"),
        ("application/octet-stream", "._a.MOV", b"\0\5\x16\7" + bytes(99)),
        ("text/plain", "ATT00001.txt", b""),
        ("message/delivery-status", "", b"Status: 5.0.0"),
    ],
)
def test_noise_has_no_row(tmp_path: Path, kind: str, name: str, data: bytes) -> None:
    scene = taken(tmp_path, with_parts(part(kind, name, data), CLIP))
    assert [row.sha256 for row in scene.attachments()] == [sha(VIDEO)]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("application/octet-stream", "ATT00001"),
        ("application/octet-stream", "ATT00001.htm"),
        ("text/plain", "ATT00001.txt"),
        ("text/plain", "text_0.txt"),
        ("text/plain", "text000001.txt"),
    ],
)
def test_words_that_came_as_a_file_are_read(tmp_path: Path, kind: str, name: str) -> None:
    words = b"<html>my other film: we.tl/t-abc</html>" if "htm" in name else b"film: we.tl/t-abc"
    scene = taken(tmp_path, with_parts(part(kind, name, words), CLIP))
    assert [row.sha256 for row in scene.attachments()] == [sha(VIDEO)]
    assert "has-a-link" in scene.submissions()[0].notes


@pytest.mark.parametrize("kind", ["text/enriched", "text/markdown"])
def test_words_of_other_kinds_are_read(tmp_path: Path, kind: str) -> None:
    scene = taken(tmp_path, with_parts(part(kind, "", b"my other film: we.tl/t-abc"), CLIP))
    assert "has-a-link" in scene.submissions()[0].notes


@pytest.mark.parametrize(
    "text",
    [
        with_parts(part("application/octet-stream", "a.mp4", more="MS-Blob-Excluded: 1\n")),
        with_parts(
            'Content-Type: text/x-moz-deleted; name="Deleted: a.mp4"\n'
            'X-Mozilla-Altered: AttachmentDeleted; date="x"\n\nYou deleted an attachment\n'
        ),
        with_parts(
            "Content-Type: video/mp4; name=a.mp4\nX-Mozilla-External-Attachment-URL: file:///a\n"
            'X-Mozilla-Altered: AttachmentDetached; date="x"\n\n'
        ),
        with_parts("Content-Type: message/external-body; access-type=x-mutt-deleted\n\nx: y\n"),
        with_parts(part("video/quicktime", "a.mov")),
        with_parts(part("image/heic", "a.heic")),
        with_parts(part("text/plain", "AttachmentRemoved.txt", b"The attachment was removed.")),
        PLAIN + "Hello\n[The attachment IMG_1.MOV has been manually removed]\n",
        PLAIN + "Hello\n[IMG_1.MOV was too large and has been removed]\n",
        PLAIN + "A non-text attachment was scrubbed...\nName: a.mp4\n",
    ],
)
def test_a_file_whose_bytes_were_taken_out_is_named(tmp_path: Path, text: str) -> None:
    scene = taken(tmp_path, text)
    assert said(scene) == ["taken-out"]
    assert "ask for it again" in scene.rows()[0].attachment.refusal.detail  # type: ignore[union-attr] # there is one


def test_an_empty_file_is_asked_for_again(tmp_path: Path) -> None:
    scene = taken(tmp_path, with_parts(part("application/octet-stream", "a.mp4")))
    assert said(scene) == ["empty-file"]


SEALED = {
    "old PGP": with_parts(part("application/pgp", "", ARMOR.encode())),
    "PGP of another spelling": with_parts(part("application/x-pgp", "a", ARMOR.encode())),
    "a file of PGP": with_parts(part("application/octet-stream", "a.asc", ARMOR.encode())),
    "a text of PGP": with_parts(part("text/plain", "message.asc", ARMOR.encode())),
    "PGP in the words": PLAIN + "Hello\n" + ARMOR,
    "PGP in HTML": FIELDS + "Content-Type: text/html\n\n<pre>" + ARMOR + "</pre>",
    "PGP/MIME": FIELDS
    + "Content-Type: multipart/encrypted; boundary=BB\n\n--BB\n"
    + "Content-Type: application/pgp-encrypted\n\nVersion: 1\n\n--BB\n"
    + f'Content-Type: application/octet-stream; name="encrypted.asc"\n\n{ARMOR}\n--BB--\n',
    "S/MIME": with_parts(part("application/octet-stream", "smime.p7m", ENVELOPED)),
    "S/MIME of a type": FIELDS + part("application/x-pkcs7-mime", "smime.p7m", ENVELOPED),
}


@pytest.mark.parametrize("kind", SEALED)
def test_what_is_encrypted_is_said_once(tmp_path: Path, kind: str) -> None:
    assert said(taken(tmp_path, SEALED[kind])) == ["encrypted-mail"]


def test_a_text_that_is_signed_is_words(tmp_path: Path) -> None:
    text = f"{PLAIN}-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n{SIGNATURE}"
    scene = taken(tmp_path, text)
    assert said(scene) == []
    assert scene.submissions()[0].text.endswith("Hello")


def quoted(text: str) -> str:
    return "".join(f"> {line}\n" for line in text.splitlines())


IN_TEXTS = {
    "quoted uuencode": PLAIN + quoted(UU),
    "uuencode by its type": with_parts(f"Content-Type: application/x-uuencode\n\nwords\n{UU}"),
    "quoted base64": PLAIN + quoted(encoded(VIDEO)),
    "base64 in one line": PLAIN + base64.b64encode(VIDEO).decode() + "\n",
    "a zip in base64": PLAIN + encoded(packed(("a.mp4", VIDEO))),
    "BinHex": PLAIN + "Hello\n" + binhexed(VIDEO).decode(),
    "yEnc in one part": PLAIN
    + yencoded(VIDEO)
    .replace("line=128", "part=1 total=1 line=128")
    .replace("name=a.jpg\n", f"name=a.jpg\n=ypart begin=1 end={len(VIDEO)}\n"),
    "a picture in a text": PLAIN + f"data:image/jpeg;base64,{encoded(jpeg(3))}\n",
}


@pytest.mark.parametrize("kind", IN_TEXTS)
def test_files_in_texts(tmp_path: Path, kind: str) -> None:
    scene = taken(tmp_path, IN_TEXTS[kind])
    assert {sha(VIDEO), sha(jpeg(3))} & {row.sha256 for row in scene.attachments()}
    assert set(said(scene)) == {None}


PIECES = {
    "the second mail of uuencode": (PLAIN + "2 of 2\n" + UU[HALF:], "piece-of-a-file"),
    "the first mail of uuencode": (PLAIN + "1 of 2\n" + UU[:HALF], "transfer-cut"),
    "the end of base64": (PLAIN + encoded(VIDEO[3000:]), "piece-of-a-file"),
    "a part of yEnc": (
        PLAIN + yencoded(VIDEO).replace("line=128", "part=2 total=3 line=128"),
        "file-in-parts",
    ),
    "a document": (PLAIN + encoded(b"%PDF-1.7\n" + bytes(900)), "pdf"),
}


@pytest.mark.parametrize("kind", PIECES)
def test_a_piece_of_a_file_in_a_text_is_said(tmp_path: Path, kind: str) -> None:
    text, code = PIECES[kind]
    assert said(taken(tmp_path, text)) == [code]


def test_words_in_base64_are_no_file(tmp_path: Path) -> None:
    returned = PLAIN + "Returned to you:\n\n" + encoded(b"Hello, here is my film. " * 20)
    assert said(taken(tmp_path, returned)) == []


@pytest.mark.parametrize("field", ["Subject: My photo", "Message-ID: <a@b>"])
def test_no_byte_of_a_file_becomes_a_field(tmp_path: Path, field: str) -> None:
    name = field.split(":", maxsplit=1)[0]
    text = PLAIN.replace(field, f"{name}: {base64.b64encode(VIDEO).decode()[:240]}")
    taken(tmp_path, text)
