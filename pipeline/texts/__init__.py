"""Sentences by code: the ledger stores a code and values, and a sentence is made to be shown.

``en.json`` holds a sentence for each code, with the names of its values in braces.  So a row
that was stored before a sentence changed, or before there was another language, is shown in
the new words.  It also holds the few words that a montage shows,
and the paragraphs of letters to senders.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources

Value = str | int | float | bool | None

LANGUAGE = "en"
"""The language of what people see: files of texts end in it, here and in ``review/assets``."""


class Detail(StrEnum):
    """What exactly was wrong with an attachment; each code has one sentence.

    A code that was released is stored in ledgers, so it is never given another meaning.
    ``AS_WRITTEN`` is for rows of before there were codes: its value is the sentence itself.
    """

    AS_WRITTEN = ""
    EMPTY_FILE = "empty-file"
    UNKNOWN_FORMAT = "unknown-format"
    PDF = "pdf"
    CLOSED_ARCHIVE = "closed-archive"
    SOUND_FILE = "sound-file"
    PROGRAM = "program"
    OFFICE_DOCUMENT = "office-document"
    RAW_PHOTO = "raw-photo"
    JPEG_XL = "jpeg-xl"
    JPEG_IN_TIFF = "jpeg-in-tiff"
    TIFF_KIND = "tiff-kind"
    PICTURE_KIND = "picture-kind"
    VIDEO_KIND = "video-kind"
    FFMPEG_LIST = "ffmpeg-list"
    FFMPEG_METADATA = "ffmpeg-metadata"
    PLAYLIST = "playlist"
    SESSION_DESCRIPTION = "session-description"
    SCRIPT = "script"
    SVG = "svg"
    WEB_PAGE = "web-page"
    LINK = "link"
    LINE_ENDS_CHANGED = "line-ends-changed"
    BROKEN_STRUCTURE = "broken-structure"
    PROTECTED_FILE = "protected-file"
    SOUND_ONLY = "sound-only"
    NO_PICTURE = "no-picture"
    UNDECODABLE = "undecodable"
    HUGE_PICTURE = "huge-picture"
    COSTLY_PICTURE = "costly-picture"
    DECODER_CRASHED = "decoder-crashed"
    DECODER_MISUSED = "decoder-misused"
    TOO_SLOW = "too-slow"
    STUCK = "stuck"
    STARVED = "starved"
    OUT_OF_MEMORY = "out-of-memory"
    LIMIT_REACHED = "limit-reached"
    KILLED = "killed"
    UNTRUE_RESULT = "untrue-result"
    WORKERS_LOST = "workers-lost"
    JOB_FAILED = "job-failed"
    ORIGINAL_CHANGED = "original-changed"
    NO_ROOM = "no-room"
    TOO_LONG = "too-long"
    TOO_MANY_PIXELS = "too-many-pixels"
    INCOMPLETE = "incomplete"
    INCOMPLETE_PERCENT = "incomplete-percent"
    DECODING_FAILED = "decoding-failed"
    DECODING_FAILED_SAID = "decoding-failed-said"
    NOT_JOINABLE = "not-joinable"
    NOT_CLEAN = "not-clean"
    PROGRAM_FAILED = "program-failed"
    UNWRITABLE_CAPTION = "unwritable-caption"
    UNWRITABLE_CHARACTER = "unwritable-character"
    TRANSFER_CUT = "transfer-cut"
    TOO_LARGE = "too-large"
    LAYOUT_PICTURE = "layout-picture"
    TOO_MANY_MEMBERS = "too-many-members"
    UNPACKS_TOO_LARGE = "unpacks-too-large"
    EXPANDS_TOO_MUCH = "expands-too-much"
    NESTED_TOO_DEEP = "nested-too-deep"
    BROKEN_ZIP = "broken-zip"
    DOCUMENT_OR_PROGRAM = "document-or-program"
    LOCKED_MEMBER = "locked-member"
    UNSUPPORTED_PACKING = "unsupported-packing"
    DAMAGED_MEMBER = "damaged-member"
    BROKEN_WINMAIL = "broken-winmail"
    ENCRYPTED_MAIL = "encrypted-mail"
    SIGNED_MAIL = "signed-mail"
    PARTS_LOST = "parts-lost"
    TOO_MANY_PARTS = "too-many-parts"
    MAIL_CUT = "mail-cut"
    UNREADABLE_MAIL = "unreadable-mail"
    MAIL_FAILED_MACHINE = "mail-failed-machine"
    MAIL_READ_AGAIN = "mail-read-again"
    UNREADABLE_PART = "unreadable-part"
    BROKEN_COMPRESSION = "broken-compression"
    BROKEN_OUTLOOK = "broken-outlook"
    BROKEN_ARCHIVE = "broken-archive"
    PIECE_OF_A_FILE = "piece-of-a-file"
    FILE_IN_PARTS = "file-in-parts"
    MAIL_IN_PARTS = "mail-in-parts"
    ENCRYPTED_FILE = "encrypted-file"
    TAKEN_OUT = "taken-out"
    ORIGINAL_GONE = "original-gone"


def sentence(code: Detail, values: Mapping[str, Value]) -> str:
    """The English sentence of a code with its values.

    A value that is missing shows as the name of its place, so a row can always be shown.
    """
    return details()[code].format_map(_Values(values))


def montage_words(name: str, **values: Value) -> str:
    """The words of *name* on a card or in a list of chapters."""
    return _loaded()["montage"][name].format_map(values)


def matter(name: str) -> str:
    """What a mail that needs an answer did, as it is said behind a number of mails."""
    return _loaded()["matters"][name]


def letter(name: str, **values: Value) -> str:
    """A paragraph of a letter to a sender."""
    return _loaded()["letters"][name].format_map(values)


def letters() -> list[str]:
    """All paragraphs of letters to senders, with the places of their values."""
    return list(_loaded()["letters"].values())


def custody(name: str, values: Mapping[str, object]) -> str:
    """What happened, as the chronology of a clip says it; empty if there is no such sentence."""
    return _loaded()["custody"].get(name, "").format_map(_Values(values))


def difference(name: str) -> str:
    """What is not as the ledger says, as it is said of a file or a row."""
    return _loaded()["differences"][name]


def changed(name: str) -> str:
    """What of a review was changed."""
    return _loaded()["changed"][name]


def repair(name: str) -> str:
    """What is done about a difference, as it is said of a file."""
    return _loaded()["repairs"][name]


def details() -> dict[str, str]:
    """All sentences by code, with the places of their values."""
    return _loaded()["details"]


@cache
def _loaded() -> dict[str, dict[str, str]]:
    file = resources.files("pipeline.texts").joinpath(f"{LANGUAGE}.json")
    loaded: dict[str, dict[str, str]] = json.loads(file.read_text("utf-8"))
    return loaded


class _Values(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"
