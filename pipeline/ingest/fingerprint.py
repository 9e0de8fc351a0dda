"""A hash of a mail's content, which identifies the mail under any UID."""

import hashlib
from collections.abc import Iterable, Iterator

from pipeline.ingest import marks
from pipeline.ingest.spool import Readable, stretch

KeptBody = tuple[int, int, str]
"""Start and end of an encoded body in the mail, and the SHA-256 of what it holds."""


def fingerprint(file: Readable, kept: Iterable[KeptBody] = ()) -> str:
    """Hash a mail with SHA-256, with the SHA-256 of each attachment instead of its encoded body.

    An attachment is hashed for its name in the workspace anyway, and is most of a mail, so each
    byte is hashed once.  The same mail gives the same hash on any server.  Two mails with one hash
    have equal headers, words and attachments: nobody can make another person's mail look known
    without sending the same mail.  Bytes that a decoder skips, as after the end of base64, do not
    count.  Each stretch of the mail follows its length, so that its bytes can't imitate a hash.
    Marks of mail programs in the header do not count: they change.

    :param kept: in order, without overlaps; without it the mail's own bytes are hashed.
    """
    digest = hashlib.sha256()
    for piece in _pieces(file, kept):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(file: Readable, kept: Iterable[KeptBody]) -> Iterator[bytes]:
    place = 0
    for start, end, sha256 in kept:
        yield from _stretch(file, place, start)
        yield b"=" + bytes.fromhex(sha256)
        place = end
    yield from _stretch(file, place, file.seek(0, 2))


def _stretch(file: Readable, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    head = file.read(min(marks.HEADER, end - start)) if start == 0 else b""
    unmarked = marks.without(head)
    yield b"%d:" % (end - start - len(head) + len(unmarked))
    yield unmarked
    yield from stretch(file, start + len(head), end)
