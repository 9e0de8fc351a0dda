"""Encodings are undone the same way however the pieces fall."""

from __future__ import annotations

import base64 as reference
import binascii
import quopri
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.decode import Incomplete, base64, decoder, quoted_printable, unix_lines


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """*data* cut into pieces of the given sizes, over and over."""
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at : at + size]
        at, turn = at + size, turn + 1


_sizes = st.lists(st.integers(1, 90), min_size=1, max_size=5)
_some = st.binary(min_size=1, max_size=400)


@given(_some, _sizes)
def test_base64(data: bytes, sizes: list[int]) -> None:
    encoded = reference.encodebytes(data).replace(b"\n", b"\r\n")
    assert b"".join(base64(pieces(encoded, sizes))) == data


@given(_some, _sizes, st.binary(max_size=5))
def test_foreign_characters_in_base64_are_skipped(
    data: bytes, sizes: list[int], foreign: bytes
) -> None:
    foreign = foreign.translate(None, bytes(range(0x2B, 0x7B)))
    encoded = foreign.join(bytes([byte]) for byte in reference.b64encode(data))
    assert b"".join(base64(pieces(encoded, sizes))) == data


@given(_some, _sizes)
def test_base64_that_was_cut_is_incomplete(data: bytes, sizes: list[int]) -> None:
    encoded = reference.b64encode(data).rstrip(b"=")
    cut = encoded[: -(1 + len(encoded) % 4 == 1)] if len(encoded) % 4 == 0 else encoded
    if len(cut) % 4:
        with pytest.raises(Incomplete):
            list(base64(pieces(cut, sizes)))


_mess = st.lists(
    st.sampled_from([b"QUJD", b"QUJDREVG\r\n", b"Q", b"\n", b"-_", b"\0", b"\xff", b" ", b"="])
).map(b"".join)


@given(_mess, _sizes)
def test_any_mess_is_decoded_as_the_standard_says(data: bytes, sizes: list[int]) -> None:
    """However the pieces fall, and whichever of the ways through the decoder they take."""
    alphabet = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    clean = bytes(byte for byte in data.partition(b"=")[0] if byte in alphabet)
    if len(clean) % 4 == 1 or (len(clean) % 4 and b"=" not in data):
        with pytest.raises(Incomplete):
            list(base64(pieces(data, sizes)))
        return
    assert b"".join(base64(pieces(data, sizes))) == reference.b64decode(
        clean + b"=" * (-len(clean) % 4)
    )


def test_what_follows_the_padding_is_no_part_of_the_file() -> None:
    assert b"".join(base64([b"QUI=\r\n", b"-- \r\nSent from my phone"])) == b"AB"


@given(st.binary(max_size=400), _sizes)
def test_quoted_printable(data: bytes, sizes: list[int]) -> None:
    encoded = quopri.encodestring(data)
    assert b"".join(quoted_printable(pieces(encoded, sizes))) == binascii.a2b_qp(encoded)


def test_a_line_of_megabytes_is_not_held_in_memory() -> None:
    held = list(quoted_printable(b"=41" * 100_000 for _ in range(20)))
    assert b"".join(held) == b"A" * 2_000_000
    assert max(map(len, held)) < 1_000_000


@given(st.binary(max_size=200), _sizes)
def test_uuencode(data: bytes, sizes: list[int]) -> None:
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    encoded = b"words\nbegin 644 a.jpg\n" + b"".join(lines) + b"`\nend\nwords\n"
    assert b"".join(decoder("x-uuencode")(pieces(encoded, sizes))) == data


def test_uuencode_without_its_end_is_incomplete() -> None:
    with pytest.raises(Incomplete):
        list(decoder("uuencode")([b"begin 644 a\n", binascii.b2a_uu(b"abc")]))


@pytest.mark.parametrize("word", ["7bit", "8bit", "binary", "no-such-word", ""])
def test_what_needs_no_decoding_is_passed_on(word: str) -> None:
    assert b"".join(decoder(word)([b"a\0", b"\xff\r\n"])) == b"a\0\xff\r\n"


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"])).map(b"".join), _sizes)
def test_line_ends(data: bytes, sizes: list[int]) -> None:
    assert b"".join(unix_lines(pieces(data, sizes))) == data.replace(b"\r\n", b"\n")


@given(st.lists(st.binary(min_size=200, max_size=400), min_size=1, max_size=4), _sizes)
def test_base64_in_several_stretches_goes_on(stretches: list[bytes], sizes: list[int]) -> None:
    encoded = b"".join(reference.encodebytes(each) for each in stretches)
    assert b"".join(base64(pieces(encoded + b"-- \n. . .", sizes))) == b"".join(stretches)
