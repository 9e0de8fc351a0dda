"""Parts are found where the standard library finds them, and any bytes give an answer."""

from __future__ import annotations

import email
import email.policy
import io
import tracemalloc
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest import mime
from pipeline.ingest.mime import Mail, Part


def split(data: bytes) -> Mail:
    return mime.split(io.BytesIO(data))


def leaves(data: bytes) -> list[tuple[str, bytes]]:
    return [(part.content_type, data[part.start : part.end]) for part, _ in split(data).root.walk()]


def _leaf(content: bytes, kind: str, encoding: str) -> Message:
    major, minor = kind.split("/")
    part = MIMEBase(major, minor)
    part["Content-Transfer-Encoding"] = encoding
    part.set_payload(content.decode("ascii", "surrogateescape"))
    return part


# words that look like boundaries, line ends of every kind, dashes: what trips splitters
_text = st.lists(
    st.sampled_from(
        [b"--", b"\r\n", b"--a", b"--b--", b"x" * 70, b"\r\n--", b"From me", b"\r\n\r\n", b"=",
         b"-", b"a: b", b" ", b"\t"]
    ),
    max_size=12,
).map(b"".join)  # fmt: skip
_leaves = st.builds(
    _leaf,
    _text,
    st.sampled_from(["text/plain", "image/jpeg", "video/mp4", "application/octet-stream"]),
    st.sampled_from(["7bit", "8bit", "base64", "quoted-printable"]),
)


def _multipart(children: list[Message], boundary: str, preamble: str) -> Message:
    whole = MIMEMultipart("mixed", boundary=boundary)
    whole.preamble = preamble
    for child in children:
        whole.attach(child)
    return whole


_trees = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(
            _multipart,
            st.lists(inner, min_size=1, max_size=4),
            st.uuids().map(lambda value: f"=_{value.hex}"),
            st.sampled_from(["", "This is a multipart mail.\r\n"]),
        ),
        inner.map(MIMEMessage),
    ),
    max_leaves=8,
)


@given(_trees)
@settings(max_examples=120)
def test_parts_are_where_the_standard_library_finds_them(tree: Message) -> None:
    data = tree.as_bytes(policy=email.policy.compat32.clone(linesep="\r\n"))
    parsed = email.message_from_bytes(data)
    expected = []
    for part in parsed.walk():
        if not part.is_multipart():
            payload = part.get_payload()
            assert isinstance(payload, str)
            body = payload.encode("ascii", "surrogateescape")
            expected.append((part.get_content_type(), body))
    assert leaves(data) == expected


@given(st.binary(max_size=400) | _text)
@settings(max_examples=200)
def test_any_bytes_give_a_tree(data: bytes) -> None:
    head = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    for whole in (data, head + data, head + b"--a\r\n" + data):
        for part, _ in split(whole).root.walk():
            assert 0 <= part.start <= part.end <= len(whole)


HEAD = b'Content-Type: multipart/mixed; boundary="b"\n\n'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(HEAD + b"--b\n\none\n--b\n\ntwo\n--b--\n", [b"one", b"two"], id="bare-feeds"),
        pytest.param(HEAD + b"--b \t\n\none\n--b-- \n", [b"one"], id="blanks-after-a-boundary"),
        pytest.param(HEAD + b"--b\n\none\n--bb\n--b\n\ntwo\n--b--\n", [b"one\n--bb", b"two"],
                     id="a-line-that-begins-like-a-boundary"),
        pytest.param(HEAD + b"--b\n\none\n--b\n\ntwo\n", [b"one", b"two\n"], id="no-end-boundary"),
        pytest.param(HEAD + b"--b\nA: b\n--b\n\ntwo\n--b--", [b"", b"two"], id="headers-only"),
        pytest.param(HEAD + b"--b\none without headers\n--b--\n", [b"one without headers"],
                     id="no-blank-line"),
        pytest.param(HEAD + b"--b\n\none\n--b--\n--b\n\nepilogue\n", [b"one"], id="epilogue"),
        pytest.param(HEAD.replace(b'"b"', b"b") + b"--b\n\n\n--b--\n", [b""], id="an-empty-part"),
        pytest.param(b"From me Tue Sep 1 06:00:00 2026\n" + HEAD + b"--b\n\none\n--b--\n", [b"one"],
                     id="a-mailbox-line-in-front"),
    ],
)  # fmt: skip
def test_what_is_met_every_day(data: bytes, expected: list[bytes]) -> None:
    for whole in (data, data.replace(b"\n", b"\r\n")):
        wanted = [body.replace(b"\n", b"\r\n") if whole != data else body for body in expected]
        assert [body for _, body in leaves(whole)] == wanted


def test_an_inner_multipart_without_its_end_is_ended_by_the_outer_boundary() -> None:
    inner = b'Content-Type: multipart/related; boundary="in"\n\n--in\n\none\n'
    data = HEAD + b"--b\n" + inner + b"--b\nContent-Type: image/png\n\ntwo\n--b--\n"
    assert leaves(data) == [("text/plain", b"one"), ("image/png", b"two")]
    assert not any(part.broken_off for part, _ in split(data).root.walk())


def test_a_boundary_that_begins_with_the_outer_one() -> None:
    inner = b'Content-Type: multipart/related; boundary="bb"\n\n--bb\n\none\n--bb--\n'
    assert [body for _, body in leaves(HEAD + b"--b\n" + inner + b"--b\n\ntwo\n--b--\n")] == [
        b"one",
        b"two",
    ]


def test_the_leaf_that_a_cut_mail_ends_in_is_marked() -> None:
    tree = split(HEAD + b"--b\n\none\n--b\nContent-Type: video/mp4\n\nAAAA")
    assert [part.broken_off for part, _ in tree.root.walk()] == [False, True]


def test_parts_over_the_limit_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mime, "MAX_PARTS", 10)
    found = split(HEAD + b"--b\n\nx\n" * 50 + b"--b--\n")
    assert found.overflow
    assert len(list(found.root.walk())) == 9


def test_what_lies_too_deep_stays_shut() -> None:
    data = b"".join(
        f'Content-Type: multipart/mixed; boundary="{level}"\n\n--{level}\n'.encode()
        for level in range(mime.MAX_DEPTH + 5)
    )
    (leaf,) = [part for part, _ in split(data).root.walk()]
    assert leaf.opaque


def test_a_digest_holds_mails() -> None:
    data = b"Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: x\n\nbody\n--d--\n"
    ((part, above),) = split(data).root.walk()
    assert [outer.content_type for outer in above] == ["multipart/digest", "message/rfc822"]
    assert data[part.start : part.end] == b"body"


def test_memory_does_not_grow_with_a_part(tmp_path: Path) -> None:
    line = b"QUJD" * 19 + b"\r\n"
    path = tmp_path / "mail"
    with path.open("wb") as file:
        file.write(HEAD + b"--b\nContent-Type: video/mp4\n\n")
        for _ in range(64):
            file.write(line * 13_000)
        file.write(b"--b--\n")
    tracemalloc.start()
    with path.open("rb") as file:
        (found,) = [part for part, _ in mime.split(file).root.walk()]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, Part)
    assert found.end - found.start > 60_000_000
    assert peak < 8_000_000


@pytest.mark.parametrize("offset", range(-3, 4))
def test_a_boundary_across_two_reads_is_seen(offset: int) -> None:
    body = b"x" * (mime._CHUNK - len(HEAD) - 5 + offset)
    assert leaves(HEAD + b"--b\n\n" + body + b"\r\n--b\n\ntwo\r\n--b--\n")[0][1] == body
