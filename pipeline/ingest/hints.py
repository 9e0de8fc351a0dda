"""What a file whose bytes tell nothing most likely is, by its name: only to say what to do."""

import re

from pipeline.ingest.contents import TAKEN_OUT
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_VAGUE = (Detail.UNKNOWN_FORMAT, Detail.BROKEN_ZIP, Detail.BROKEN_COMPRESSION)
_SHORT = 8192  # bytes of a text that a gateway puts where a file was
_SAYS_REMOVED = re.compile(
    rb"(?i)(?:attachment|file|anhang|fichier|archivo)\b[^\n]{0,200}?"
    rb"\b(?:removed|deleted|blocked|stripped|quarantined|entfernt|supprim|eliminad)"
)
_PIECE = Refusal(Reason.UNSUPPORTED, Detail.PIECE_OF_A_FILE)
_LAST_PIECES = (".zip", ".rar", ".7z")  # of an archive that begins in another file
_BY_NAME = tuple(
    (re.compile(pattern, re.IGNORECASE), refusal)
    for pattern, refusal in (
        (
            r"\.(?:\d{3}|[zr]\d\d|part\d+|part\d+\.rar)$",
            _PIECE,
        ),
        (r"\.(?:pgp|gpg|asc|p7m|aes|enc)$", Refusal(Reason.ENCRYPTED, Detail.ENCRYPTED_FILE)),
    )
)


def refined(refusal: Refusal | None, name: str, head: bytes) -> Refusal | None:
    """*refusal*, or a truer one if it says no more than that the bytes can't be read."""
    if refusal is None or refusal.code not in _VAGUE:
        return refusal
    if len(head) < _SHORT and _SAYS_REMOVED.search(head):
        return TAKEN_OUT
    name = name[-100:].strip()
    if refusal.code is Detail.UNKNOWN_FORMAT and name.lower().endswith(_LAST_PIECES):
        return _PIECE
    return next((truer for ending, truer in _BY_NAME if ending.search(name)), refusal)
