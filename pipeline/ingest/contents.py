"""The role of each part of a mail: an attachment, text, a mail in the mail, or nothing.

An attachment is a part that has a file name, is declared as an attachment, or is neither text nor
structure of a mail: this includes photos that a phone puts into the text.
"""

import re
from collections.abc import Iterable
from enum import Enum, auto
from urllib.parse import unquote

from pipeline.ingest.mime import Part
from pipeline.media.identify import identify_head
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

TEXT_READ = 1 << 18  # of each text part, in bytes: far more than is stored
TEXT_KEPT = 40_000
"""Characters of a mail; more than ``places.LIMIT``, so that a cut there is known to be one."""

_SEALED = frozenset(
    (
        *("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"),
        *("application/x-pgp-encrypted", "application/x-pgp-encrypted-message"),
    )
)
_PLAIN = ("text/plain", "text/enriched", "text/richtext", "text/markdown", "text/x-markdown")
_PGP = ("application/pgp", "application/x-pgp")  # a text that is signed or encrypted (before MIME)
_CONTROL = ("application/pgp-encrypted", "application/x-pgp-encrypted")
# What mail programs add by themselves: signatures, invitations, cards, layouts of MMS, and the
# resource forks of old Macs.  If the bytes are those of footage after all, it is an attachment.
_SILENT_TYPES = frozenset(
    (
        *("application/pkcs7-signature", "application/x-pkcs7-signature", "application/smil"),
        *("application/pgp-signature", "application/pgp-keys", "application/applefile"),
        *("application/x-pgp-signature", "application/smil+xml", "text/smil"),
        *("text/calendar", "application/ics", "text/vcard", "text/x-vcard", "text/directory"),
        *("text/x-vcalendar", "application/x-vcard", "application/calendar+xml"),
    )
)
_SILENT_NAMES = (".p7s", ".asc", ".sig", ".ics", ".vcs", ".vcf", ".smil", ".smi")
_APPLE_DOUBLE = b"\0\5\x16\7"  # what old Macs keep beside a file
# Words that Exchange and gateways of MMS send as files.
_WORDS_NAMED = re.compile(r"att\d{5}(?:\.(?:html?|txt))?|text_?\d*\.txt")
_HTML = re.compile(rb"(?i)\s*<(?:!doctype|html|head|body|div|meta|p)\b")
_SIGNATURE = re.compile(rb"\s{0,10}-----BEGIN PGP (?:SIGNATURE|PUBLIC KEY BLOCK)-----")
_ARMOR = b"-----BEGIN PGP MESSAGE-----"
# What servers say of a mail, and no person.
_SILENT_MESSAGES = frozenset(
    f"message/{name}"
    for name in (
        *("delivery-status", "disposition-notification", "feedback-report", "external-body"),
        *("global-delivery-status", "global-disposition-notification", "global-headers"),
        *("tracking-status", "imdn+xml", "x-gnu-rmail"),
    )
)
_EMPTIED = ("ms-blob-excluded", "x-mozilla-altered", "x-mozilla-external-attachment-url")
_EMPTIED_TYPES = ("text/x-moz-deleted", "text/x-moz-detached")
_EMPTIED_ACCESS = "x-mutt-deleted"
# What mail programs write into a text where they took a file out of the mail.
_TAKEN_OUT = re.compile(
    r"^\[?The attachment [^\n]{1,200}? has been manually removed"  # Apple Mail
    r"|^\[[^\n\[\]]{1,200} was too large [^\n\[\]]{0,60}removed"
    r"|^You (?:deleted|detached) an attachment from this message"  # Thunderbird
    r"|^<(?:Attachment|Anhang)[^\n<>]{0,200} (?:removed|deleted|entfernt)>\s*$"
    r"|^\[demime [^\n\]]{0,80}removed"
    r"|^A non-text attachment was scrubbed"  # Mailman
    r"|^Outlook blocked access to the following",
    re.IGNORECASE | re.MULTILINE,
)
ENCRYPTED = Refusal(Reason.ENCRYPTED, Detail.ENCRYPTED_MAIL)
SIGNED = Refusal(Reason.UNSUPPORTED, Detail.SIGNED_MAIL)
PARTS_LOST = Refusal(Reason.BROKEN_MAIL, Detail.PARTS_LOST)
TOO_MANY = Refusal(Reason.BROKEN_MAIL, Detail.TOO_MANY_PARTS)
CUT = Refusal(Reason.TRUNCATED_TRANSFER, Detail.MAIL_CUT)
UNREADABLE = Refusal(Reason.BROKEN_MAIL, Detail.UNREADABLE_PART)
TAKEN_OUT = Refusal(Reason.TRUNCATED_TRANSFER, Detail.TAKEN_OUT)

_MULTIPART = re.compile(
    rb"(?i)\nContent-(?:Type:[ \t]*(?:\r?\n[ \t]+)?multipart/|Transfer-Encoding:[ \t]*base64)"
)
_IN_TEXTS = ("mail", "encoded", "binhex")  # may stand in a text, with words around them
_CID = re.compile(r"cid:([^\"'\s>)]{1,500})", re.IGNORECASE)


class Role(Enum):
    """The role of a leaf."""

    ATTACHMENT = auto()
    TEXT = auto()
    HTML = auto()
    MAIL = auto()  # a whole mail with a transfer encoding, or one that was not split
    LOST = auto()
    NOTHING = auto()


def role(part: Part) -> Role:
    """Find the role of a leaf."""
    kind = part.content_type
    if part.opaque or kind.startswith("multipart/"):
        return Role.LOST if part.end > part.start else Role.NOTHING
    name = part.headers.filename.lower()
    if kind in ("message/rfc822", "message/global") or name.endswith((".eml", ".emlx")):
        return Role.MAIL
    if kind == "message/partial":
        return Role.LOST
    is_words = kind.startswith("text/") and _WORDS_NAMED.fullmatch(name) is not None
    named = not is_words and (bool(name) or part.headers.disposition == "attachment")
    is_silent = kind in _SILENT_TYPES or name.endswith(_SILENT_NAMES)
    is_control = kind in _CONTROL or kind in _SILENT_MESSAGES
    if is_silent or (is_control and not named):
        return Role.NOTHING
    if (kind in _PLAIN or kind in _PGP) and not named:
        return Role.TEXT
    if kind == "text/html" and not named:
        return Role.HTML
    if kind.startswith("text/") and not named:
        return Role.NOTHING
    return Role.ATTACHMENT


def role_of_bytes(part: Part, declared: Role, head: bytes) -> Role:
    """The role of a leaf that begins with *head*; a file is not text, whatever its header says."""
    archive = identify_head(head).archive
    if archive == "mail" and (declared is Role.MAIL or _is_whole_mail(declared, head)):
        return Role.MAIL
    if declared is Role.MAIL:
        return Role.ATTACHMENT if is_file(head, "utf-16") else Role.MAIL
    if declared is Role.ATTACHMENT:
        if _WORDS_NAMED.fullmatch(part.headers.filename.lower()) and not is_file(head, ""):
            return Role.HTML if _HTML.match(head) else Role.TEXT
        is_silent = head.startswith(_APPLE_DOUBLE) or _SIGNATURE.match(head)
        return Role.NOTHING if is_silent else Role.ATTACHMENT
    if declared is Role.NOTHING and (_ARMOR in head or archive == "signed"):
        return Role.ATTACHMENT if archive != "signed" else Role.NOTHING
    # in a part that is silent anyway, a NUL alone makes no file
    charset = part.headers.parameter("content-type", "charset")
    charset = "utf-16" if declared is Role.NOTHING else charset
    return Role.ATTACHMENT if is_file(head, charset) else declared


def _is_whole_mail(declared: Role, head: bytes) -> bool:
    """Whether what begins like a mail has parts: words with a few fields above them have none."""
    return declared is Role.ATTACHMENT or _MULTIPART.search(head) is not None


def emptied(part: Part, role: Role, head: bytes) -> bool:
    """Whether a leaf is what is left of a file that a server or a mail program took out."""
    fields = part.headers
    access = fields.parameter("content-type", "access-type").lower()
    return (
        part.content_type in _EMPTIED_TYPES
        or access == _EMPTIED_ACCESS
        or any(fields.get(name) for name in _EMPTIED)
        or (role is Role.ATTACHMENT and _is_media(part) and not head.strip())
    )


def _is_media(part: Part) -> bool:
    return part.content_type.startswith(("video/", "image/"))


def says_taken_out(text: str) -> bool:
    """Whether a text says that a file was taken out of the mail."""
    return _TAKEN_OUT.search(text) is not None


def sealed(part: Part, above: tuple[Part, ...]) -> Refusal | None:
    """The refusal of a part that is encrypted as a whole (RFC 8551, RFC 3156)."""
    if part.headers.parameter("content-type", "smime-type").lower() == "signed-data":
        return SIGNED
    if part.headers.parameter("content-type", "smime-type").lower() == "certs-only":
        return None
    inside = any(outer.content_type == "multipart/encrypted" for outer in above)
    return ENCRYPTED if inside or part.content_type in _SEALED else None


def forwarded(above: tuple[Part, ...]) -> bool:
    """Whether a leaf belongs to a mail in the mail."""
    return any(outer.content_type in ("message/rfc822", "message/global") for outer in above)


def is_file(data: bytes, charset: str) -> bool:
    """Whether what is declared as text is a file: its metadata must not be stored as words."""
    identity = identify_head(data)
    archive = identity.archive if identity.archive not in _IN_TEXTS else None
    wide = charset.lower().startswith(("utf-16", "utf-32", "utf16", "utf32", "ucs", "unicode"))
    return identity.format is not None or archive is not None or (b"\0" in data and not wide)


def shown_ids(html: str) -> set[str]:
    """The Content-IDs that HTML shows (RFC 2392)."""
    return {unquote(found) for found in _CID.findall(html)}


def tidy(texts: Iterable[str]) -> str:
    """Join texts, without lines of spaces and with at most one empty line in a row."""
    lines: list[str] = []
    for text in texts:
        for raw in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            line = raw.strip()
            if line or (lines and lines[-1]):
                lines.append(line)
    return "\n".join(lines).strip()
