"""A mail in memory or in a file reads the same; its content tells it, each byte hashed once."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest_scene import IngestScene, jpeg, mail, mp4, sha, take_in, write_all

from pipeline.ingest import spool as spools
from pipeline.ingest.fingerprint import fingerprint
from pipeline.ingest.spool import spool, stretch
from pipeline.ledger import Ledger
from pipeline.model import OriginalState


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 8193, 16_384, 50_000])
def test_a_mail_reads_the_same_in_memory_and_in_a_file(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    with spool(tmp_path, 8192) as file:
        for start in range(0, size, 3000):
            file.write(data[start : start + 3000])
        assert file.seek(0, 2) == size
        for start in (0, size // 2, max(0, size - 1), size // 3, 8190, size):
            assert b"".join(stretch(file, start)) == data[start:]
            assert b"".join(stretch(file, start, start + 20)) == data[start : start + 20]
        assert list(tmp_path.iterdir()) == []  # a killed run can leave nothing


def test_large_mails_go_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one inside the other, each with a file of its own."""
    monkeypatch.setattr(spools, "MEMORY", 8192)
    monkeypatch.setattr(spools, "NESTED_MEMORY", 4096)
    inner = mail(("in.mp4", mp4(2, 60_000))).as_bytes()
    head = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    outer = mail(("out.mp4", mp4(1, 90_000))).as_bytes()
    first = outer.index(b"\r\n--") + 2
    line = outer[first : outer.index(b"\n", first) + 1]
    nested = line + head + base64.encodebytes(inner) + b"\r\n"
    scene = take_in(tmp_path, outer[:first] + nested + outer[first:])
    found = {item.sha256 for item in scene.attachments()}
    assert found == {sha(mp4(1, 90_000)), sha(mp4(2, 60_000))}


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
    scene = take_in(tmp_path, letter)
    with Ledger(scene.workspace.ledger) as ledger:
        ledger.custody.set_state(sha(jpeg(1)), OriginalState.PURGED)
    scene.workspace.original(sha(jpeg(1))).unlink()
    (tmp_path / "box" / "0000.eml").rename(tmp_path / "box" / "again.eml")
    assert scene.ingest().seen_again == 1
    assert scene.original(sha(jpeg(1))) is None
    scene.check_whole()
    with Ledger(scene.workspace.ledger) as ledger:
        assert ledger.custody.state(sha(jpeg(1))) == "purged"


def test_mails_that_differ_in_a_word_are_two(tmp_path: Path) -> None:
    one = mail(("a.jpg", jpeg(1)), subject="one").as_bytes()
    scene = take_in(tmp_path, one)
    write_all(tmp_path / "box", [one, one.replace(b"one", b"two", 1)])
    assert scene.ingest().mails == 1
    assert len(scene.submissions()) == 2


def test_the_same_attachment_twice_in_a_mail_is_one_original(tmp_path: Path) -> None:
    scene: IngestScene = take_in(tmp_path, mail(("a.jpg", jpeg(1)), ("b.jpg", jpeg(1))))
    assert [item.sha256 for item in scene.attachments()] == [sha(jpeg(1))] * 2
