"""Mails that are made to cost much time or memory, each written piece by piece."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

Bomb = Callable[[int], Iterator[bytes]]
"""Yields a mail; the number says how often its piece is repeated."""

_HEAD = (
    b"From: b@example.org\r\nTo: river@example.org\r\nSubject: bomb\r\n"
    b"Message-ID: <bomb@example.org>\r\n"
    b"Received: by mx.example.org; Tue, 1 Sep 2026 09:00:00 +0000\r\n"
)
_BLOCK = 4096


def _many(piece: bytes, count: int) -> Iterator[bytes]:
    """Yield a piece *count* times, in large blocks."""
    for _ in range(count // _BLOCK):
        yield piece * _BLOCK
    yield piece * (count % _BLOCK)


def _multipart(parts: Iterator[bytes], kind: bytes = b"mixed") -> Iterator[bytes]:
    yield _HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/" + kind + b"; boundary=b\r\n\r\n"
    yield from parts
    yield b"\r\n--b--\r\n"


def _attached(name: str, data: bytes) -> Iterator[bytes]:
    return _multipart(
        iter(
            [
                b"--b\r\nContent-Type: application/octet-stream\r\n"
                b"Content-Transfer-Encoding: base64\r\n"
                b'Content-Disposition: attachment; filename="' + name.encode() + b'"\r\n\r\n',
                base64.encodebytes(data),
            ]
        )
    )


def _text(kind: bytes, piece: bytes, count: int, encoding: bytes = b"8bit") -> Iterator[bytes]:
    yield _HEAD + b"MIME-Version: 1.0\r\nContent-Type: text/" + kind + b"; charset=utf-8\r\n"
    yield b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    yield from _many(piece, count)


def _header(name: bytes, piece: bytes, count: int) -> Iterator[bytes]:
    yield _HEAD + name + b": "
    yield from _many(piece, count)
    yield b"\r\n\r\nwords\r\n"


def winmail(kind: int) -> bytes:
    """A winmail.dat whose one property says that it has four thousand million values."""
    properties = struct.pack("<IHHI", 1, kind, 0x3707, 0xFFFFFFFF) + bytes(24)
    attribute = struct.pack("<BII", 2, 0x00069005, len(properties)) + properties
    return (
        struct.pack("<IH", 0x223E9F78, 1) + attribute + struct.pack("<H", sum(properties) & 0xFFFF)
    )


def zip_of_zips(depth: int) -> bytes:
    """A zip in a zip, *depth* times."""
    data = b"end"
    for number in range(depth):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{number}.zip", data)
        data = held.getvalue()
    return data


def zip_of_zeros(megabytes: int) -> bytes:
    """A zip whose one member is so many megabytes of zeros."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.mp4", "w") as out,
    ):
        for _ in range(megabytes):
            out.write(bytes(1 << 20))
    return held.getvalue()


def zip_of_many(count: int) -> bytes:
    """A zip of so many small members."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.jpg", b"\xff\xd8\xff")
    return held.getvalue()


def zip_without_a_name() -> bytes:
    """A zip whose one member has an empty name."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("x", b"1")
    return held.getvalue().replace(b"\x01\0\0\0x", b"\0\0\0\0x")


def _nested(count: int) -> Iterator[bytes]:
    yield _HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n"
    for number in range(count):
        yield b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (number, number + 1)


BOMBS: dict[str, tuple[Bomb, int]] = {
    "winmail.dat, many shorts": (lambda n: _attached("winmail.dat", winmail(0x1002) * n), 1),
    "winmail.dat, many times": (lambda n: _attached("winmail.dat", winmail(0x1014) * n), 1),
    "winmail.dat, many ids": (lambda n: _attached("winmail.dat", winmail(0x1048) * n), 1),
    "subject of combining marks": (lambda n: _header(b"Subject", "\u0301".encode(), n), 1_000_000),
    "name of combining marks": (
        lambda n: _multipart(
            iter(
                [
                    b"--b\r\nContent-Type: video/mp4; name*=utf-8''a",
                    b"%CC%81" * n,
                    b"\r\n\r\nx\r\n",
                ]
            )
        ),
        300_000,
    ),
    "text of combining marks": (lambda n: _text(b"plain", "\u0301".encode(), n), 10_000_000),
    "zip without a name": (lambda n: _attached("a.zip", zip_without_a_name() * n), 1),
    "zip of zeros": (lambda n: _attached("a.zip", zip_of_zeros(n)), 2_000),
    "zip in zip in zip": (lambda n: _attached("a.zip", zip_of_zips(n)), 200),
    "zip of many": (lambda n: _attached("a.zip", zip_of_many(n)), 100_000),
    "gzip of zeros": (
        lambda n: _attached("a.mp4.gz", zlib.compress(bytes(n << 20), 9, 31)),
        1_000,
    ),
    "many parts": (
        lambda n: _multipart(_many(b"--b\r\nContent-Type: image/jpeg\r\n\r\nx\r\n", n)),
        1_000_000,
    ),
    "many parts of words": (lambda n: _multipart(_many(b"--b\r\n\r\nx\r\n", n)), 1_000_000),
    "nested multiparts": (_nested, 100_000),
    "many header fields": (
        lambda n: iter([_HEAD, *_many(b"X-A: b\r\n", n), b"\r\nwords\r\n"]),
        3_000_000,
    ),
    "one header field": (lambda n: _header(b"X-Long", b"word ", n), 10_000_000),
    "many addresses": (lambda n: _header(b"To", b"a@b.example, ", n), 1_000_000),
    "many comments": (lambda n: _header(b"From", b"(", n), 1_000_000),
    "encoded words": (lambda n: _header(b"Subject", b"=?utf-8?q?a?= ", n), 1_000_000),
    "many references": (lambda n: _header(b"References", b"<a@b.example> ", n), 1_000_000),
    "many parameters": (
        lambda n: _header(
            b"Content-Type", b"a/b; " + b"".join(b"n*%d=x; " % i for i in range(n)), 1
        ),
        300_000,
    ),
    "unknown charset": (
        lambda n: iter(
            [
                _HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\n",
                *_many(b"abc-", n),
            ]
        ),
        1_000_000,
    ),
    "one long line": (lambda n: _text(b"plain", b"a", n), 100_000_000),
    "quoted-printable": (lambda n: _text(b"plain", b"=41", n, b"quoted-printable"), 60_000_000),
    "base64 of padding": (lambda n: _text(b"plain", b"=", n, b"base64"), 20_000_000),
    "HTML of brackets": (lambda n: _text(b"html", b"<", n), 50_000_000),
    "HTML of comments": (lambda n: _text(b"html", b"<!--", n), 10_000_000),
    "HTML of links": (lambda n: _text(b"html", b'<a href="https://we.tl/t-a">b</a>', n), 1_000_000),
    "HTML of data addresses": (
        lambda n: _text(b"html", b'<img src="data:image/png;base64,iVBORw0KGgo=">', n),
        300_000,
    ),
    "uuencode": (lambda n: _text(b"plain", b"begin 644 a.jpg\n#0V%T\n`\nend\n", n), 1_000_000),
    "uuencode without an end": (lambda n: _text(b"plain", b"begin 644 a.jpg\n", n), 3_000_000),
    "yEnc": (lambda n: _text(b"plain", b"=ybegin line=128 size=9 name=a\nx\n", n), 1_000_000),
    "places": (lambda n: _text(b"plain", b"52.1234, 13.1234 ", n), 2_000_000),
    "blank lines": (lambda n: _text(b"plain", b"\r\n", n), 30_000_000),
    "boundaries that are none": (lambda n: _multipart(_many(b"--bb\r\n--\r\n--b", n)), 3_000_000),
}
