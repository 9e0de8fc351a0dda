"""The marks that mail programs write into the header of a mail: read, answered, labels.

They change while the mail stays the same, so they are left out where a mail is recognised.
"""

import re

HEADER = 1 << 16  # bytes of a mail in which marks are looked for
_MARKS = re.compile(
    rb"^(?:status|x-status|x-keywords|x-uid|x-imap|x-imapbase|x-mozilla-status2?|x-mozilla-keys"
    rb"|x-gmail-labels|x-evolution|content-length|lines)[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER_END = re.compile(rb"^\r?\n", re.MULTILINE)


def without(mail: bytes) -> bytes:
    """The beginning of a mail without the marks in its header."""
    ended = _HEADER_END.search(mail, 0, HEADER)
    size = ended.start() if ended else HEADER
    return _MARKS.sub(b"", mail[:size]) + mail[size:]
