"""What tells that a mail is known, whatever its UID: its content, each byte of it hashed once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from pipeline.ingest.spool import Readable, stretch

Kept = tuple[int, int, str]
"""Start and end of an encoded body in the mail, and the SHA-256 of what it holds."""


def fingerprint(file: Readable, kept: Iterable[Kept] = ()) -> str:
    """SHA-256 over a mail in which the SHA-256 of each attachment stands for its encoded body.

    An attachment is hashed for its name in the workspace anyway, and is nearly all of a mail.
    The same bytes give the same figure on any server.  Two mails of one figure have the same
    headers, words and attachments, to the byte: nobody can make another's mail look known
    without sending that very mail.  What a decoder skips, as after the end of base64, is not
    told apart.  Each stretch of the mail is led in by its length, so that none of its bytes can
    pass for a hash.

    :param kept: in order, without overlaps.  Without it this is of the mail's own bytes.
    """
    digest = hashlib.sha256()
    for piece in _pieces(file, kept):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(file: Readable, kept: Iterable[Kept]) -> Iterator[bytes]:
    place = 0
    for start, end, sha256 in kept:
        yield from _stretch(file, place, start)
        yield b"=" + bytes.fromhex(sha256)
        place = end
    yield from _stretch(file, place, file.seek(0, 2))


def _stretch(file: Readable, start: int, end: int) -> Iterator[bytes]:
    yield b"%d:" % (end - start)
    yield from stretch(file, start, end)
