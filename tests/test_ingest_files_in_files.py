"""Footage in files of every kind comes out; what can't be opened says what it is."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest_scene import IngestScene, jpeg, mail, mp4, sha, take_in
from test_ingest_archives import attribute, outcomes, packed, winmail
from test_ingest_unusual import uuencoded, yencoded

from pipeline.errors import Refused
from pipeline.ingest import archives, taking
from pipeline.ingest.faults import BREAKS_PARSING
from pipeline.ingest.inbox import Inbox
from pipeline.ingest.members import Budget
from pipeline.ingest.taking import MachineFault
from pipeline.model import Kind, Note

VIDEO = mp4(7)
WORDS = "Words inside, and www.we.tl/t-1"
INNER = mail(("inner.mp4", VIDEO), subject="Inner", text=WORDS).as_bytes()
EMLX = f"{len(INNER)}\n".encode() + INNER + b'<?xml version="1.0"?><plist></plist>\n'


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT, how: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=how, format=form) as archive:  # type: ignore[call-overload] # a mode from a variable
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def property_block(*values: tuple[int, int, bytes]) -> bytes:
    """A list of properties (MS-OXTNEF, 2.1.3.4): number, type, value."""
    whole = struct.pack("<I", len(values))
    for number, kind, data in values:
        whole += struct.pack("<HHII", kind, number, 1, len(data)) + data + b"\0" * (-len(data) % 4)
    return whole


def in_winmail(nested: bytes) -> bytes:
    """A winmail.dat with a mail in PR_ATTACH_DATA_OBJ."""
    whole = struct.pack("<IH", 0x223E9F78, 1) + attribute(2, 0x00069002, bytes(14))
    whole += attribute(2, 0x00018010, b"Forwarded mail\0")
    return whole + attribute(2, 0x00069005, property_block((0x3701, 0x000D, bytes(16) + nested)))


def winmail_words(number: int, kind: int, data: bytes) -> bytes:
    head = struct.pack("<IH", 0x223E9F78, 1)
    return head + attribute(1, 0x00069003, property_block((number, kind, data)))


def literal_rtf(text: bytes) -> bytes:
    """RTF that was compressed without finding anything to compress (MS-OXRTFCP)."""
    body = b"".join(b"\0" + text[at : at + 8].ljust(8, b" ") for at in range(0, len(text), 8))
    return struct.pack("<II4sI", len(body) + 12, len(text), b"LZFu", 0) + body


Tree = dict[str, "bytes | Tree"]
NONE = 0xFFFFFFFF


class Compound:
    """A compound file (MS-CFB) of one sector of numbers, so of at most 64 KB."""

    def __init__(self, tree: Tree) -> None:
        self.sectors: list[bytes] = []
        self.table: list[int] = []
        self.entries = [b""]
        self.entries[0] = self.entry("Root Entry", (5, self.place(tree), NONE), NONE, 0)
        directory = self.add(b"".join(self.entries))
        fat = len(self.sectors)
        self.table.append(0xFFFFFFFD)
        numbers = struct.pack(f"<{len(self.table)}I", *self.table)
        self.sectors.append(numbers.ljust(512, b"\xff"))
        head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
        head += struct.pack("<5H", 62, 3, 0xFFFE, 9, 6)
        fields = (1, directory, 0, 4096, NONE - 1, 0, NONE - 1, 0)
        head = head.ljust(44, b"\0") + struct.pack("<8I", *fields)
        self.bytes = head + struct.pack("<I", fat).ljust(436, b"\xff") + b"".join(self.sectors)

    def add(self, data: bytes) -> int:
        first = len(self.sectors)
        pieces = [data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)]
        self.sectors += pieces
        self.table += [*range(first + 1, first + len(pieces)), NONE - 1]
        return first

    def entry(self, name: str, links: tuple[int, int, int], first: int, size: int) -> bytes:
        kind, child, right = links
        text = name.encode("utf-16-le") + b"\0\0"
        head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1)
        head += struct.pack("<3I", NONE, right, child)
        return head.ljust(116, b"\0") + struct.pack("<IQ", first, size)

    def place(self, tree: Tree) -> int:
        """Add the children of a folder, each with the next one to its right."""
        first = len(self.entries)
        self.entries += [b""] * len(tree)
        for at, (name, content) in enumerate(tree.items(), first):
            right = at + 1 if at + 1 < first + len(tree) else NONE
            if isinstance(content, dict):
                self.entries[at] = self.entry(name, (1, self.place(content), right), 0, 0)
            else:
                size = max(len(content), 4096)  # smaller streams lie elsewhere
                start = self.add(content.ljust(size, b"\0"))
                self.entries[at] = self.entry(name, (2, NONE, right), start, size)
        return first if tree else NONE


def outlook(attachments: dict[str, Tree]) -> Tree:
    words = WORDS.encode("utf-16-le")
    return {"__properties_version1.0": b"", "__substg1.0_1000001F": words, **attachments}


FILM: Tree = {"__substg1.0_37010102": VIDEO, "__substg1.0_3707001E": b"a.mp4"}
MSG = outlook({"__attach_version1.0_#0": FILM})
NESTED = outlook({"__attach_version1.0_#0": {"__substg1.0_3701000D": MSG}})


def der(tag: int, *parts: bytes, endless: bool = False) -> bytes:
    body = b"".join(parts)
    if endless:
        return bytes([tag, 0x80]) + body + b"\0\0"
    size = len(body).to_bytes(4, "big")
    return bytes([tag, 0x84]) + size + body


def signed(content: bytes, *, endless: bool = False) -> bytes:
    """SignedData without a signer (RFC 5652, section 5.1)."""
    data, signed_data = (bytes.fromhex(f"06092a864886f70d0107{n}") for n in ("01", "02"))
    halves = content[:1000], content[1000:]
    octets = (
        der(0x24, *(der(4, half) for half in halves), endless=True) if endless else der(4, content)
    )
    inner = der(0x30, data, der(0xA0, octets, endless=endless), endless=endless)
    whole = der(0x30, b"\2\1\1", der(0x31), inner, der(0x31), endless=endless)
    return der(0x30, signed_data, der(0xA0, whole, endless=endless), endless=endless)


def binhexed(data: bytes, name: bytes = b"IMG_1.MOV") -> bytes:
    head = (
        bytes([len(name)]) + name + b"\0MooVttxt\0\0" + struct.pack(">II", len(data), 0) + b"\0\0"
    )
    raw = (head + data + b"\0\0").replace(b"\x90", b"\x90\0")
    alphabet = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
    plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = base64.b64encode(raw).rstrip(b"=").translate(bytes.maketrans(plain, alphabet))
    lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return b"(This file must be converted with BinHex 4.0)\n\n:" + lines + b":\n"


def apple_single(data: bytes) -> bytes:
    head = struct.pack(">II16xH", 0x00051600, 0x00020000, 1)
    return head + struct.pack(">III", 1, 38, len(data)) + data


HOLD = {
    "tar": ("a.tar", tarred(("x/a.mp4", VIDEO))),
    "tar of GNU": ("a.tar", tarred(("x" * 150 + ".mp4", VIDEO), form=tarfile.GNU_FORMAT)),
    "tar.gz": ("a.tar.gz", tarred(("a.mp4", VIDEO), how="w:gz")),
    "tgz": ("a.tgz", tarred(("a.mp4", VIDEO), how="w:gz")),
    "tar.bz2": ("a.tar.bz2", tarred(("a.mp4", VIDEO), how="w:bz2")),
    "tar.xz": ("a.tar.xz", tarred(("a.mp4", VIDEO), how="w:xz")),
    "gz": ("a.mp4.gz", gzip.compress(VIDEO)),
    "two streams": ("a.mp4.gz", gzip.compress(VIDEO[:500]) + gzip.compress(VIDEO[500:])),
    "bz2": ("a.mp4.bz2", bz2.compress(VIDEO)),
    "xz": ("a.mp4.xz", lzma.compress(VIDEO)),
    "zip behind other bytes": ("a.zip", b"junk" * 9 + packed(("a.mp4", VIDEO))),
    "zip that opens itself": ("a.exe", b"MZ" + bytes(3000) + packed(("a.mp4", VIDEO))),
    "mail": ("mail", INNER),
    "mail of Apple": ("1234.emlx", EMLX),
    "mail from an mbox": ("a.txt", b"From ana@example.org Thu Jan  1 00:00:00 2026\n" + INNER),
    "mail in a zip": ("a.zip", packed(("mail.eml", INNER))),
    "mail of Apple in a zip": ("a.zip", packed(("mail.emlx", EMLX))),
    "zip in a mail in a zip": (
        "a.zip",
        packed(("m.eml", mail(("b.zip", packed(("a.mp4", VIDEO)))).as_bytes())),
    ),
    "winmail.dat in a winmail.dat": ("winmail.dat", in_winmail(winmail(("a.mp4", "", VIDEO)))),
    "both in a zip": ("a.zip", packed(("winmail.dat", in_winmail(winmail(("a.mp4", "", VIDEO)))))),
    "signed": ("smime.p7m", signed(INNER)),
    "signed in pieces": ("smime.p7m", signed(INNER, endless=True)),
    "Outlook": ("a.msg", Compound(MSG).bytes),
    "Outlook in Outlook": ("a.msg", Compound(NESTED).bytes),
    "uuencode": ("a.uue", b"Some words\n" + uuencoded(VIDEO, "a.mp4").encode()),
    "yEnc": ("a.ync", yencoded(VIDEO).encode("latin-1")),
    "base64": ("a.b64", base64.encodebytes(VIDEO)),
    "BinHex": ("a.hqx", binhexed(VIDEO)),
    "AppleSingle": ("a.mov", apple_single(VIDEO)),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOLD)
def test_footage_in_a_file_comes_out(tmp_path: Path, kind: str) -> None:
    name, data = HOLD[kind]
    scene = take_in(tmp_path, mail((name, data), ("b.jpg", jpeg(5))))
    found = {row.sha256 for row in scene.attachments() if row.kind is not Kind.ARCHIVE}
    assert sha(VIDEO) in found
    assert sha(jpeg(5)) in found
    assert all(row.refusal is None for row in scene.attachments())


MANY = {
    "RAR": (b"Rar!\x1a\x07\1\0", "not-media", "RAR"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "not-media", "7-Zip"),
    "cab": (b"MSCF\0\0\0\0", "not-media", "cabinet"),
    "zst": (b"\x28\xb5\x2f\xfd\x04", "not-media", "Zstandard"),
    "a piece of a zip": (b"PK\7\x08PK\3\4" + bytes(99), "unsupported", "piece"),
    "the last piece": (
        b"PK\3\4" + bytes(99) + b"PK\5\6" + b"\2\0" * 4 + bytes(10), "unsupported", "piece"
    ),
    "PGP in letters": (b"-----BEGIN PGP MESSAGE-----\n\nhQ\n", "encrypted", "encrypted"),
    "PGP": (b"\x85\x01\x0c\x03" + bytes(range(1, 200)), "encrypted", "encrypted"),
    "enveloped": (
        bytes.fromhex("3082100006092a864886f70d010703") + bytes(50), "encrypted", "encrypted"
    ),
    "a document": (Compound({"WordDocument": b""}).bytes, "not-media", "office document"),
    "half a message of Outlook": (Compound(MSG).bytes[:700], "not-media", "office document"),
    "a signature": (signed(b"")[:30], "unsupported", "signature"),
    "half a gz": (gzip.compress(VIDEO)[:-900], "corrupt", "unpacked"),
    "a PNG with other line ends": (b"\x89PNG\r\n\x1a\r\n" + bytes(99), "corrupt", "damaged"),
    "a PNG of seven bits": (b"\x09PNG\r\n\x1a\n" + bytes(99), "corrupt", "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MANY)
def test_what_is_not_opened_is_named(tmp_path: Path, kind: str) -> None:
    data, reason, word = MANY[kind]
    scene = take_in(tmp_path, mail(("a.bin", data), ("b.jpg", jpeg(5))))
    row, other = scene.attachments()
    assert row.refusal is not None
    assert (row.refusal.reason, word in row.refusal.detail) == (reason, True), row.refusal.detail
    assert other.refusal is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [("film.zip.002", "unsupported"), ("film.z01", "unsupported"),
     ("film.part2.rar", "unsupported"), ("film.mp4.gpg", "encrypted"), ("film.xyz", "not-media")],
)  # fmt: skip
def test_a_file_that_tells_nothing_is_named_by_its_name(
    tmp_path: Path, name: str, reason: str
) -> None:
    (row,) = take_in(tmp_path, mail((name, b"\x01\x02\xee" * 50))).attachments()
    assert row.refusal is not None
    assert row.refusal.reason == reason


@pytest.mark.parametrize(
    "words",
    [
        winmail_words(0x1000, 0x001E, b"See www.we.tl/t-1 there\0"),
        winmail_words(0x1000, 0x001F, "See www.we.tl/t-1 there\0".encode("utf-16-le")),
        winmail_words(0x1013, 0x0102, b"<p>See <a href='https://www.we.tl/t'>this</a> there</p>"),
        winmail_words(
            0x1009, 0x0102, literal_rtf(rb"{\rtf1\ansi\pard See www.we.tl/t-1 there\par}")
        ),
        struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x0002800C, b"See www.we.tl/t-1 there\0"),
    ],
    ids=["text", "wide text", "HTML", "RTF", "old"],
)  # fmt: skip
def test_the_words_of_a_winmail_dat(tmp_path: Path, words: bytes) -> None:
    message = mail(("winmail.dat", words), text="")
    scene = take_in(tmp_path, message)
    (submission,) = scene.submissions()
    assert submission.text.startswith("See")
    assert submission.text.endswith("there")
    assert submission.notes == (Note.HAS_A_LINK, Note.NO_ATTACHMENT)
    assert [row.refusal for row in scene.attachments()] == [None]


def test_compressed_rtf_with_references(tmp_path: Path) -> None:
    """The example of MS-OXRTFCP, section 3.1.1."""
    example = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"
        "0af32068656c090020627705b06c647d0a800fa0"
    )
    scene = take_in(
        tmp_path, mail(("winmail.dat", winmail_words(0x1009, 0x0102, example)), text="")
    )
    assert scene.submissions()[0].text == "hello world"


def test_words_in_a_mail_in_a_file_are_the_last_resort(tmp_path: Path) -> None:
    both = take_in(tmp_path / "a", mail(("a.eml", INNER), text="Outer"))
    alone = take_in(tmp_path / "b", mail(("a.zip", packed(("a.eml", INNER))), text=""))
    words = alone.submissions()[0].text
    assert both.submissions()[0].text == f"Outer\n\n[another text of this mail]\n{words}"
    assert alone.submissions()[0].text.startswith("Words inside")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_mail_of_a_mailbox_file_is_read(tmp_path: Path, ending: str) -> None:
    """Also where a mail lies across the pieces in which the file is read."""
    films = [mp4(number, 90_000) for number in range(5)]
    line = f"From ana@example.org Thu Jan  1 00:00:00 2026{ending}"
    whole = "".join(
        line
        + mail(("a.mp4", film)).as_string().replace("\r\n", "\n").replace("\n", ending)
        + ending
        for film in films
    )
    scene = take_in(tmp_path, mail(("all.zip", packed(("all.mbox", whole.encode())))))
    found = [row.sha256 for row in scene.attachments() if row.kind is Kind.VIDEO]
    assert found == [sha(film) for film in films]


def test_the_list_behind_a_mail_of_apple_is_no_part_of_its_file(tmp_path: Path) -> None:
    film = mp4(1, 12_000)  # whole groups of base64, so no padding ends it
    inner = b"From: a@b.example\nSubject: x\nMessage-ID: <a@b>\nMIME-Version: 1.0\n"
    inner += carrying("Content-Type: video/mp4; name=a.mp4", film)
    data = f"{len(inner)}\n".encode() + inner + b"<plist><dict></dict></plist>\n"
    scene = take_in(tmp_path, mail(("a.zip", packed(("1.emlx", data)))))
    assert scene.attachments()[-1].sha256 == sha(film)


def test_a_fault_in_one_member_costs_no_other(tmp_path: Path) -> None:
    broken = winmail(("a.jpg", "", jpeg(1)), ("cut.jpg", "", jpeg(2)))[:-500]
    archive = packed(
        ("winmail.dat", broken), ("bad.gz", b"\x1f\x8b\x08" + bytes(30)), ("c.jpg", jpeg(3))
    )
    assert outcomes(take_in(tmp_path, mail(("a.zip", archive), ("d.jpg", jpeg(4))))) == [
        ("a.zip", None, None),
        ("winmail.dat", None, 0),
        ("a.jpg", None, 1),
        ("cut.jpg", "corrupt", 1),
        ("bad.gz", "corrupt", 0),
        ("c.jpg", None, 0),
        ("d.jpg", None, None),
    ]  # fmt: skip


def renamed(archive: bytes, old: bytes, new: bytes) -> bytes:
    """A zip with another name of no other length, or of none, in its directory and its member."""
    assert len(old) >= len(new)
    if len(old) == len(new):
        return archive.replace(old, new)
    at = archive.rindex(old)
    whole = bytearray(archive[:at] + new + archive[at + len(old) :])
    whole[at - 18 : at - 16] = len(new).to_bytes(2, "little")  # the length of the name
    end = whole.rindex(b"PK\5\6")
    size = int.from_bytes(whole[end + 12 : end + 16], "little") - len(old) + len(new)
    whole[end + 12 : end + 16] = size.to_bytes(4, "little")
    return bytes(whole)


def test_a_member_without_a_name(tmp_path: Path) -> None:
    archive = renamed(packed(("x.jpg", jpeg(1)), ("b.jpg", jpeg(2)), method=0), b"x.jpg", b"")
    rows = outcomes(take_in(tmp_path, mail(("a.zip", archive), ("c.jpg", jpeg(3)))))
    assert rows[0][:2] == ("a.zip", None)
    assert ("b.jpg", None, 0) in rows
    assert ("c.jpg", None, None) in rows


def test_a_member_with_an_impossible_size(tmp_path: Path) -> None:
    whole = bytearray(packed(("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))))
    at = whole.index(b"PK\1\2") + 24
    whole[at : at + 4] = (4_000_000_000).to_bytes(4, "little")
    rows = outcomes(take_in(tmp_path, mail(("a.zip", bytes(whole)))))
    assert rows == [("a.zip", None, None), ("a.jpg", "corrupt", 0), ("b.jpg", None, 0)]


def test_twice_the_same_name_is_two_files(tmp_path: Path) -> None:
    archive = packed(("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)), method=0).replace(b"b.jpg", b"a.jpg")
    assert len(outcomes(take_in(tmp_path, mail(("a.zip", archive))))) == 3


def test_a_hundred_thousand_members_are_one_row(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.jpg", jpeg(1))
    whole = buffer.getvalue()
    start = whole.index(b"PK\1\2")
    end = whole.index(b"PK\5\6")
    directory = whole[start:end] * 100_000
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 34464, 34464, len(directory), start, 0)
    many = whole[:start] + directory + tail
    rows = outcomes(take_in(tmp_path, mail(("a.zip", many), ("c.jpg", jpeg(3)))))
    assert rows == [("a.zip", "unsafe", None), ("c.jpg", None, None)]


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"]
)
def test_what_grows_too_much_is_not_unpacked(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    bomb = pack(bytes(30_000_000))
    rows = outcomes(take_in(tmp_path, mail(("a.tgz", bomb), ("c.jpg", jpeg(3)))))
    assert rows == [("a.tgz", "unsafe", None), ("c.jpg", None, None)]


def test_rows_have_an_end(tmp_path: Path) -> None:
    """A thousand mails of a hundred parts each, in one small zip."""
    inner = "MIME-Version: 1.0\nFrom: a@b\nContent-Type: multipart/mixed; boundary=b\n\n"
    inner += "--b\nContent-Type: text/plain; name=a.txt\n\nx\n" * 100 + "--b--\n"
    archive = packed(*((f"{number}.eml", inner.encode()) for number in range(30)))
    rows = outcomes(take_in(tmp_path, mail(("a.zip", archive))))
    assert len(rows) == 2000
    assert rows[-1][1] == "broken-mail"


@given(st.sampled_from(sorted(HOLD)), st.binary(max_size=40), st.integers(0, 1500))
def test_any_bytes_give_members_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, kind: str, noise: bytes, at: int
) -> None:
    whole = bytearray(HOLD[kind][1])
    whole[at : at + len(noise)] = noise
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(whole)
    for reader in (
        "zip",
        "tar",
        "tnef",
        "ole",
        "signed",
        "applesingle",
        "binhex",
        "encoded",
        "gzip",
    ):
        try:
            with archives.opened(path, reader, "any", Budget(size=1_000_000)) as members:
                for member in members:
                    try:
                        assert sum(map(len, member.read())) < 2_000_000
                    except (Refused, *BREAKS_PARSING):
                        continue
        except (Refused, *BREAKS_PARSING):
            continue


# -- mails that name no kind, or another one -----------------------------------------------


OUTER = b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=OUT\n\n"


def carrying(headers: str, data: bytes, encoding: str = "base64") -> bytes:
    body = base64.encodebytes(data) if encoding == "base64" else data
    return headers.encode() + f"\nContent-Transfer-Encoding: {encoding}\n\n".encode() + body


@pytest.mark.parametrize(
    "headers",
    [
        'Content-Type: message/rfc822; name="a.eml"',
        "Content-Type: message/rfc822",
        'Content-Type: application/octet-stream; name="a.eml"',
        "Content-Type: application/octet-stream",
        'Content-Type: text/plain; name="mail.eml"',
        "Content-Type: text/plain",
        'Content-Type: application/octet-stream; name="1.emlx"',
        "Content-Type: message/news",
    ],
)
@pytest.mark.parametrize("encoding", ["base64", "8bit"])
def test_a_mail_as_a_part_is_read(tmp_path: Path, headers: str, encoding: str) -> None:
    inner = EMLX if "emlx" in headers else INNER
    message = (
        b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=OUT\n\n"
    )
    message += b"--OUT\n" + carrying(headers, inner, encoding) + b"\n--OUT--\n"
    rows = take_in(tmp_path, message).attachments()
    assert [row.sha256 for row in rows] == [sha(VIDEO)]


def test_a_picture_that_is_called_a_mail_is_a_picture(tmp_path: Path) -> None:
    message = (
        b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=OUT\n\n"
    )
    headers = 'Content-Type: message/rfc822; name="a.eml"'
    message += b"--OUT\n" + carrying(headers, jpeg(3)) + b"\n--OUT--\n"
    assert [row.sha256 for row in take_in(tmp_path, message).attachments()] == [sha(jpeg(3))]


# -- mails in several parts ----------------------------------------------------------------


def parts_of(whole: bytes, count: int, sender: str = "ana@example.org") -> list[bytes]:
    """A mail in parts, as RFC 2046, section 5.2.2.2 shows it."""
    lines = whole.splitlines(keepends=True)
    step = -(-len(lines) // count)
    made = []
    for number in range(1, count + 1):
        total = f"; total={count}" if number == count else ""
        head = f"From: {sender}\r\nTo: x@y.example\r\nSubject: part {number}\r\n"
        head += f"Message-ID: <{number}@parts.example>\r\nMIME-Version: 1.0\r\n"
        head += f'Content-Type: message/partial; id="abc@d";\r\n number={number}{total}\r\n\r\n'
        made.append(head.encode() + b"".join(lines[step * (number - 1) : step * number]))
    return made


def scene_fails_at_joining(scene: IngestScene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inbox is tidied all the same, and the run says that it failed."""
    tidied = []

    def settle(_inbox: Inbox, _ledger: object) -> int:
        tidied.append(True)
        return 0

    kill = "import os\nfrom pipeline.ingest import fragments\n"
    kill += "fragments.joined = lambda *_: os.kill(os.getpid(), 9)\nchild.main()"
    with monkeypatch.context() as patch:
        patch.setattr(taking, "PROGRAM", taking.PROGRAM.replace("child.main()", kill))
        patch.setattr(Inbox, "settle", settle)
        with pytest.raises(MachineFault):
            scene.ingest()
    assert tidied == [True]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_mail_in_parts_is_joined_over_several_nights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]
) -> None:
    pieces = parts_of(INNER, 3)
    forged = b"Authentication-Results: mx.example.org; dmarc=fail\r\n"
    pieces[order[-1]] = forged + pieces[order[-1]]
    box = tmp_path / "box"
    box.mkdir()
    scene = IngestScene.at(tmp_path, "eml:box", 'authserv_id = "mx.example.org"')
    for night, index in enumerate(order):
        (box / f"{night}.eml").write_bytes(pieces[index])
        if order[night:] == (
            2,
        ):  # the machine fails at the whole mail: it is joined in the next run
            scene_fails_at_joining(scene, monkeypatch)
            continue
        scene.ingest()
        if night < 2:
            reasons = {row.refusal.reason for row in scene.attachments() if row.refusal}
            assert reasons == {"unsupported"}
            assert scene.original(sha(pieces[index])) == pieces[index]
    scene.ingest()
    clips = [row for row in scene.attachments() if row.kind is Kind.VIDEO]
    assert [row.sha256 for row in clips] == [sha(VIDEO)]
    assert all(row.refusal is None for row in scene.attachments())
    submissions = scene.submissions()
    assert len(submissions) == 3
    (joined,) = (each for each in submissions if each.subject == "Inner")
    assert (joined.sender, joined.text) == ("ana@example.org", WORDS)
    assert {Note.HAS_A_LINK, Note.NOT_AUTHENTIC} <= set(joined.notes)
    assert joined.links == ("https://www.we.tl/t-1",)
    assert scene.rows()[-1].parent_sha256 == sha(pieces[order[-1]])
    scene.check_whole()


def test_parts_of_different_senders_are_not_joined(tmp_path: Path) -> None:
    first, second = parts_of(INNER, 2)[0], parts_of(INNER, 2, "eve@example.org")[1]
    scene = take_in(tmp_path, first, second)
    details = [row.refusal.detail for row in scene.attachments() if row.refusal]
    assert [detail[:13] for detail in details] == ["part 1 of ? o", "part 2 of 2 o"]
