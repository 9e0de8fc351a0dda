"""What is inside of archives comes out; bombs and locks end as rows with a reason."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest_scene import IngestScene, jpeg, mail, mp4, sha, take_in

from pipeline.errors import Refused
from pipeline.ingest import archives, tnef
from pipeline.ingest.members import Budget, Container
from pipeline.model import Kind


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def outcomes(scene: IngestScene) -> list[tuple[str, str | None, int | None]]:
    """File name, reason, parent."""
    return [
        (item.filename, str(item.refusal.reason) if item.refusal else None, item.parent)
        for item in scene.attachments()
    ]


def test_members_are_rows_of_their_own(tmp_path: Path) -> None:
    photo, video = jpeg(1), mp4(2)
    archive = packed(("day 1/a.jpg", photo), ("b.mp4", video), ("c.jpg", photo))
    scene = take_in(tmp_path, mail(("all.zip", archive), ("d.mp4", mp4(3))))
    assert outcomes(scene) == [
        ("all.zip", None, None),
        ("a.jpg", None, 0),
        ("b.mp4", None, 0),
        ("c.jpg", None, 0),
        ("d.mp4", None, None),
    ]
    rows = scene.rows()
    assert [row.status for row in rows] == [
        "accepted",
        "pending",
        "pending",
        "duplicate",
        "pending",
    ]
    assert rows[0].attachment.kind is Kind.ARCHIVE
    assert rows[1].parent_sha256 == sha(archive)
    assert scene.original(sha(video)) == video


def test_what_systems_leave_in_archives_is_left_out(tmp_path: Path) -> None:
    archive = packed(
        ("a/", b""), ("__MACOSX/._a.jpg", b"x"), (".DS_Store", b"x"), ("Thumbs.db", b"x"),
        ("._b.jpg", b"x"), ("a/a.jpg", jpeg()),
    )  # fmt: skip
    assert outcomes(take_in(tmp_path, mail(("a.zip", archive))))[1:] == [("a.jpg", None, 0)]


def test_names_in_archives_are_only_shown(tmp_path: Path) -> None:
    names = ("../../../etc/cron.d/x.jpg", "/abs.jpg", "C:\\Windows\\a.jpg", "写真.jpg")
    archive = packed(*((name, jpeg(name)) for name in names))
    shown = [name for name, _, _ in outcomes(take_in(tmp_path, mail(("a.zip", archive))))]
    assert shown == ["a.zip", "x.jpg", "abs.jpg", "a.jpg", "写真.jpg"]
    assert not (tmp_path / "etc").exists()


def test_archives_in_archives_to_a_depth(tmp_path: Path) -> None:
    inner = packed(("a.jpg", jpeg()))
    for level in range(4):
        inner = packed((f"{level}.zip", inner), method=zipfile.ZIP_STORED)
    assert outcomes(take_in(tmp_path, mail(("all.zip", inner)))) == [
        ("all.zip", None, None),
        ("3.zip", None, 0),
        ("2.zip", None, 1),
        ("1.zip", "unsafe", 2),
    ]


@pytest.mark.parametrize(
    "members",
    [
        [("zeros.bmp", 30_000_000)],
        [(f"{number}.bmp", 1_000_000) for number in range(30)],
        [(f"{number}.txt", 1) for number in range(1001)],
    ],
    ids=["one-that-grows", "many-that-grow", "too-many"],
)
def test_bombs_are_not_unpacked(tmp_path: Path, members: list[tuple[str, int]]) -> None:
    archive = packed(*((name, bytes(size)) for name, size in members))
    scene = take_in(tmp_path, mail(("bomb.zip", archive)))
    assert outcomes(scene) == [("bomb.zip", "unsafe", None)]


def test_archives_share_one_limit(tmp_path: Path) -> None:
    """Four megabytes for all of a mail, where an attachment may have one."""
    mails = mail(
        *((f"{number}.zip", packed(("a.mp4", mp4(number, 990_000)))) for number in range(5))
    )
    reasons = [
        item.refusal.reason if item.refusal else None
        for item in take_in(tmp_path, mails, inbox="max_attachment_mb = 1").attachments()
        if item.kind is Kind.ARCHIVE
    ]
    assert reasons == [None, None, None, None, "unsafe"]


def test_a_directory_that_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 1 << 30, 30, 0)
    archive = b"PK\3\4" + bytes((1 << 21) - 4) + end
    assert outcomes(take_in(tmp_path, mail(("a.zip", archive)))) == [("a.zip", "corrupt", None)]


def test_locked_members(tmp_path: Path) -> None:
    archive = bytearray(packed(("secret.jpg", jpeg(1)), ("open.jpg", jpeg(2))))
    directory = archive.index(b"PK\1\2")
    for flags in (6, directory + 8):
        archive[flags] |= 1
    scene = take_in(tmp_path, mail(("a.zip", bytes(archive))))
    assert outcomes(scene)[1:] == [("secret.jpg", "encrypted", 0), ("open.jpg", None, 0)]


def test_packings_without_a_bound_are_not_opened(tmp_path: Path) -> None:
    archive = packed(("a.jpg", jpeg()), method=zipfile.ZIP_LZMA)
    assert outcomes(take_in(tmp_path, mail(("a.zip", archive))))[1] == ("a.jpg", "unsupported", 0)


def test_a_damaged_member_does_not_hurt_the_others(tmp_path: Path) -> None:
    archive = bytearray(packed(("bad.jpg", jpeg(1)), ("good.jpg", jpeg(2)), method=0))
    archive[200] ^= 0xFF
    scene = take_in(tmp_path, mail(("a.zip", bytes(archive))))
    assert outcomes(scene)[1:] == [("bad.jpg", "corrupt", 0), ("good.jpg", None, 0)]


def test_a_damaged_archive_is_a_row(tmp_path: Path) -> None:
    archive = packed(("a.jpg", jpeg()))
    scene = take_in(tmp_path, mail(("cut.zip", archive[:-30]), ("half.zip", archive[:500])))
    assert [outcome[1] for outcome in outcomes(scene)] == ["corrupt", "corrupt"]


@pytest.mark.parametrize("name", ["[Content_Types].xml", "META-INF/MANIFEST.MF", "mimetype"])
def test_documents_are_no_archives_of_footage(tmp_path: Path, name: str) -> None:
    archive = packed((name, b"x"), ("media/image1.jpg", jpeg()))
    assert outcomes(take_in(tmp_path, mail(("a.docx", archive)))) == [("a.docx", "not-media", None)]


@given(noise=st.binary(max_size=60), at=st.integers(0, 400))
def test_any_zip_gives_members_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    whole = bytearray(packed(("a.jpg", jpeg(size=200)), ("b.txt", b"b")))
    whole[at : at + len(noise)] = noise
    path = tmp_path_factory.getbasetemp() / "any.zip"
    path.write_bytes(whole)
    try:
        with archives.opened(path, "zip", "a.zip", Budget(size=1_000_000)) as members:
            for member in members:
                try:
                    for _ in member.read():
                        pass
                except Refused:
                    continue
    except Refused:
        return


# -- winmail.dat ---------------------------------------------------------------------------


def attribute(level: int, name: int, data: bytes) -> bytes:
    return (
        struct.pack("<BII", level, name, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)
    )


def long_name(name: str) -> bytes:
    """A block of properties with PidTagAttachLongFilename alone (MS-OXTNEF, 2.1.3.4)."""
    text = name.encode("utf-16-le") + b"\0\0"
    padding = b"\0" * (-len(text) % 4)
    return struct.pack("<IHHII", 1, 0x001F, 0x3707, 1, len(text)) + text + padding


def winmail(*files: tuple[str, str, bytes]) -> bytes:
    whole = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, b"\0\0\1\0")
    whole += attribute(1, 0x00069007, struct.pack("<II", 1252, 0))
    for short, long, data in files:
        whole += attribute(2, 0x00069002, bytes(14))
        whole += attribute(2, 0x00018010, short.encode("cp1252") + b"\0")
        whole += attribute(2, 0x0006800F, data)
        if long:
            whole += attribute(2, 0x00069005, long_name(long))
    return whole


def test_winmail_dat(tmp_path: Path) -> None:
    data = winmail(("FOTO~1.JPG", "фото с марша.jpg", jpeg(1)), ("niño.mp4", "", mp4(2)))
    scene = take_in(tmp_path, mail(("winmail.dat", data)))
    assert outcomes(scene) == [
        ("winmail.dat", None, None),
        ("фото с марша.jpg", None, 0),
        ("niño.mp4", None, 0),
    ]
    assert scene.attachments()[1].sha256 == sha(jpeg(1))


def test_bytes_behind_a_winmail_dat_cost_no_attachment(tmp_path: Path) -> None:
    data = winmail(("a.jpg", "", jpeg(1))) + b"Sent from a gateway, no TNEF"
    assert outcomes(take_in(tmp_path, mail(("winmail.dat", data))))[1] == ("a.jpg", None, 0)


def test_a_winmail_dat_that_breaks_off_is_a_row(tmp_path: Path) -> None:
    data = winmail(("a.jpg", "", jpeg(1)))[:-100]
    assert outcomes(take_in(tmp_path, mail(("winmail.dat", data)))) == [
        ("winmail.dat", "corrupt", None)
    ]


def test_a_winmail_dat_with_claims_that_cannot_be(tmp_path: Path) -> None:
    """A count of four billion properties, which takes tnefparse hours."""
    claim = attribute(2, 0x00069002, b"") + attribute(2, 0x00018010, b"a.jpg\0")
    claim += attribute(2, 0x00069005, b"\xff\xff\xff\xff") + attribute(2, 0x0006800F, jpeg())
    data = struct.pack("<IH", 0x223E9F78, 1) + claim
    assert outcomes(take_in(tmp_path, mail(("winmail.dat", data))))[1] == ("a.jpg", None, 0)


@given(st.binary(max_size=40), st.integers(0, 400))
def test_any_winmail_gives_attachments_or_a_reason(noise: bytes, at: int) -> None:
    whole = bytearray(winmail(("a.jpg", "long.jpg", b"x" * 60), ("b.jpg", "", b"y")))
    whole[at : at + len(noise)] = noise
    try:
        found = tnef.members(
            Container(io.BytesIO(whole), "winmail.dat", len(whole), Budget(10_000))
        )
    except Refused:
        return
    assert all(len(b"".join(member.read())) <= len(whole) for member in found)
