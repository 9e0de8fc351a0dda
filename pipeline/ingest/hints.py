"""What a file whose bytes tell nothing most likely is, by its name: only to say what to do."""

import re

from pipeline.ingest.contents import TAKEN_OUT
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_SHORT = 8192  # bytes of a text that a gateway puts where a file was
_SAYS_REMOVED = re.compile(
    rb"(?i)(?:attachment|file|anhang|fichier|archivo)\b[^\n]{0,200}?"
    rb"\b(?:removed|deleted|blocked|stripped|quarantined|entfernt|supprim|eliminad)"
)
_BY_NAME = tuple(
    (re.compile(pattern, re.IGNORECASE), refusal)
    for pattern, refusal in (
        (
            r"\.(?:\d{3}|[zr]\d\d|part\d+|part\d+\.rar)$",
            Refusal(Reason.UNSUPPORTED, Detail.PIECE_OF_A_FILE),
        ),
        (r"\.(?:pgp|gpg|asc|p7m|aes|enc)$", Refusal(Reason.ENCRYPTED, Detail.ENCRYPTED_FILE)),
    )
)


def refined(refusal: Refusal | None, name: str, head: bytes) -> Refusal | None:
    """*refusal*, or a truer one if it says no more than that nobody knows the bytes."""
    if refusal is None or refusal.code is not Detail.UNKNOWN_FORMAT:
        return refusal
    if len(head) < _SHORT and _SAYS_REMOVED.search(head):
        return TAKEN_OUT
    name = name[-100:].strip()
    return next((truer for ending, truer in _BY_NAME if ending.search(name)), refusal)
