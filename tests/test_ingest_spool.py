"""A mail in memory or in a file reads the same; its content tells it, each byte hashed once."""

from __future__ import annotations

import base64
import errno
import fcntl
import hashlib
import imaplib
import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest_scene import IngestScene, jpeg, mail, mp4, sha, take_in, write_all

from pipeline.ingest import originals
from pipeline.ingest import spool as spools
from pipeline.ingest.answers import Landing
from pipeline.ingest.fingerprint import fingerprint
from pipeline.ingest.spool import Spool, Writer, stretch
from pipeline.ledger import Ledger
from pipeline.model import OriginalState

PAGE = 4096


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(lambda: tmp_path / "mail", 2 * PAGE)


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 8193, 16_384, 50_000])
def test_a_mail_reads_the_same_in_memory_and_in_a_file(
    spool: Spool, tmp_path: Path, size: int
) -> None:
    data = os.urandom(size)
    for start in range(0, size, 3000):
        spool.write(data[start : start + 3000])
    assert spool.size == spool.seek(0, 2) == size
    assert (tmp_path / "mail").exists() == (size > 8192)
    for start in (0, size // 2, max(0, size - 1), size // 3, 8190, size):
        assert b"".join(stretch(spool, start)) == data[start:]
        assert b"".join(stretch(spool, start, start + 20)) == data[start : start + 20]
    spool.close()
    assert not (tmp_path / "mail").exists()


def test_nothing_of_a_mail_is_seen_in_the_next(spool: Spool) -> None:
    spool.write(b"long ago" * 5000)
    spool.clear()
    spool.write(b"short")
    spool.seek(0)
    assert spool.read(100) == b"short"
    spool.write(b"er" * 6000)
    assert b"".join(stretch(spool)) == b"short" + b"er" * 6000
    spool.close()


def test_where_bytes_go_is_memory_that_stays(spool: Spool) -> None:
    room = spool.room()
    room[:3] = b"abc"
    spool.took(3)
    spool.seek(1)
    assert spool.read(9) == b"bc"


def test_large_mails_go_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one in the other, each with a window and a file of its own."""
    monkeypatch.setattr(originals, "MEMORY", 2 * PAGE)
    monkeypatch.setattr(originals, "BLOCK", PAGE)
    inner = mail(("in.mp4", mp4(2, 60_000))).as_bytes()
    head = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    outer = mail(("out.mp4", mp4(1, 90_000))).as_bytes()
    first = outer.index(b"\r\n--") + 2
    line = outer[first : outer.index(b"\n", first) + 1]
    nested = line + head + base64.encodebytes(inner) + b"\r\n"
    desk = take_in(tmp_path, outer[:first] + nested + outer[first:])
    found = {item.sha256 for item in desk.attachments()}
    assert found == {sha(mp4(1, 90_000)), sha(mp4(2, 60_000))}


@pytest.mark.parametrize("size", [0, 1, spools.BLOCK, spools.BLOCK + 1, 3 * spools.BLOCK - 7])
def test_a_writer_writes_all(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    writer = Writer()
    for name in ("one", "two"):
        with (tmp_path / name).open("xb") as file:
            writer.begin(file.fileno())
            for start in range(0, size, 300_000):
                writer.write(data[start : start + 300_000])
            writer.end()
        assert (tmp_path / name).read_bytes() == data


def test_a_file_system_that_wants_the_page_cache_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some take the flag, and then no write."""
    write = os.pwrite
    refused = []

    def picky(handle: int, data: Any, place: int) -> int:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_DIRECT:
            refused.append(place)
            raise OSError(errno.EINVAL, "no")
        return write(handle, data, place)

    monkeypatch.setattr(os, "pwrite", picky)
    test_a_writer_writes_all(tmp_path, 2 * spools.BLOCK + 9)
    assert refused == [0, 0]


def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="full"):
        test_a_writer_writes_all(tmp_path, 5)


# -- what tells a mail ---------------------------------------------------------------------

_RAW = b"From: a\r\n\r\nQUJD\r\n--b--"


def test_an_attachment_counts_by_its_content() -> None:
    part = (11, 15, hashlib.sha256(b"ABC").hexdigest())
    other = (11, 15, hashlib.sha256(b"ABD").hexdigest())
    told = fingerprint(io.BytesIO(_RAW), [part])
    assert told == fingerprint(io.BytesIO(_RAW), [part])
    assert told != fingerprint(io.BytesIO(_RAW), [other])
    assert told != fingerprint(io.BytesIO(_RAW.replace(b"a\r", b"b\r")), [part])
    assert told != fingerprint(io.BytesIO(_RAW))


@given(st.binary(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_no_bytes_of_a_mail_pass_for_the_hash_of_an_attachment(
    data: bytes, one: int, two: int
) -> None:
    start, end = sorted((min(one, len(data)), min(two, len(data))))
    name = hashlib.sha256(data[start:end]).hexdigest()
    told = fingerprint(io.BytesIO(data), [(start, end, name)])
    posing = data[:start] + b"=" + bytes.fromhex(name) + b"%d:" % (len(data) - end) + data[end:]
    assert told != fingerprint(io.BytesIO(posing))


def test_a_mail_that_comes_again_brings_nothing_back(tmp_path: Path) -> None:
    """Its attachment was purged, and a mail known by its content is no reason to keep it anew."""
    letter = mail(("a.jpg", jpeg(1)), subject="one")
    desk = take_in(tmp_path, letter)
    with Ledger(desk.workspace.ledger) as ledger:
        ledger.custody.set_state(sha(jpeg(1)), OriginalState.PURGED)
    desk.workspace.original(sha(jpeg(1))).unlink()
    (tmp_path / "box" / "0000.eml").rename(tmp_path / "box" / "again.eml")
    assert desk.ingest().seen_again == 1
    assert desk.original(sha(jpeg(1))) is None
    desk.check_whole()
    with Ledger(desk.workspace.ledger) as ledger:
        assert ledger.custody.state(sha(jpeg(1))) == "purged"


def test_mails_that_differ_in_a_word_are_two(tmp_path: Path) -> None:
    one = mail(("a.jpg", jpeg(1)), subject="one").as_bytes()
    desk = take_in(tmp_path, one)
    write_all(tmp_path / "box", [one, one.replace(b"one", b"two", 1)])
    assert desk.ingest().mails == 1
    assert len(desk.submissions()) == 2


def test_the_same_attachment_twice_in_a_mail_is_one_original(tmp_path: Path) -> None:
    desk: IngestScene = take_in(tmp_path, mail(("a.jpg", jpeg(1)), ("b.jpg", jpeg(1))))
    assert [item.sha256 for item in desk.attachments()] == [sha(jpeg(1))] * 2


# -- where bytes land ----------------------------------------------------------------------


class Wire:
    """An imaplib of which the answer is known."""

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self.file.read(size)


@pytest.mark.parametrize(
    ("sizes", "body", "landed"),
    [
        ([5], 0, b"one--"),
        ([3, 5], 1, b"--two"),  # another literal before it
        ([9, 5], 1, b"three"),  # one that there is no room for
    ],
)
def test_bytes_stand_where_they_are_wanted(sizes: list[int], body: int, landed: bytes) -> None:
    wire = Wire({5: b"one--", 3: b"one--two", 9: b"123456789three"}[sizes[0]])
    landing = Landing(wire)  # type: ignore[arg-type]
    room = memoryview(bytearray(8))
    count = landing.fetch(lambda: [wire.read(size) for size in sizes][body], room)
    assert room[:count] == landed
    assert landing.fetch(lambda: None, room) is None
    assert landing.fetch(lambda: b"quoted", room) == 6
    with pytest.raises(imaplib.IMAP4.error):
        landing.fetch(lambda: b"x" * 9, room)
