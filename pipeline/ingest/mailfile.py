"""The mails in a file: one as ``.eml`` and ``.emlx`` hold it, or several as in an mbox."""

import re
from collections.abc import Iterator

from pipeline.ingest.spool import FilePart, Readable

_LENGTH = re.compile(rb"\s{0,20}(\d{1,12})[ \t]{0,20}\r?\n(?=[!-9;-~]{1,100}:)")
_BEGIN = re.compile(rb"\s{0,20}From [^\n]{0,400}\n")
_NEXT = re.compile(rb"\r?\n\r?\nFrom [^\n]{1,400}\n(?=>?[!-9;-~]{1,100}:)")
_CHUNK = 1 << 18
_OVERLAP = 1024  # more than what _NEXT matches with the name of a field behind it
_MOST_MAILS = 10_000


def mails(file: Readable) -> Iterator[Readable]:
    """Each mail in a file.

    Apple's ``.emlx`` begins with the length of the mail, and a property list follows the mail.  In
    an mbox, a line with "From " stands before each mail (RFC 4155).
    """
    end = file.seek(0, 2)
    file.seek(0)
    head = file.read(_CHUNK)
    length, begin = _LENGTH.match(head), _BEGIN.match(head)
    if length:
        yield FilePart(file, length.end(), min(end, length.end() + int(length[1])))
    elif begin:
        starts = [0, *_starts(file)]
        for start, following in zip(starts, [*starts[1:], end], strict=True):
            yield FilePart(file, start, following)
    else:
        yield file


def _starts(file: Readable) -> Iterator[int]:
    """Where the further mails of an mbox begin; what follows the last of them belongs to it."""
    base, found = 0, 0
    while found < _MOST_MAILS:
        file.seek(base)
        data = file.read(_CHUNK)
        for match in _NEXT.finditer(data):
            if match.start() < _CHUNK - _OVERLAP or len(data) < _CHUNK:
                found += 1
                yield base + match.start() + 2
        if len(data) < _CHUNK:
            return
        base += _CHUNK - _OVERLAP
