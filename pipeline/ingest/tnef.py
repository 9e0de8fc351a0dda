"""winmail.dat: what Outlook puts into one file instead of into a mail (MS-OXTNEF).

It holds attachments, mails (each as a winmail.dat of its own) and the words of the mail.  All of
it is read with seeks: only names are held in memory.
"""

import struct
from dataclasses import dataclass, field

from pipeline.errors import Refused
from pipeline.ingest import mapi
from pipeline.ingest.charsets import decoded
from pipeline.ingest.contents import TAKEN_OUT
from pipeline.ingest.mapi import Property
from pipeline.ingest.members import Container, Content, Member, refused, stored
from pipeline.ingest.spool import Readable
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_HEADER = struct.Struct("<BII")  # level, attribute, length; data and a checksum follow
_ATTACHMENT_LEVEL = 2
_LEVELS = (1, _ATTACHMENT_LEVEL)
_BODY = 0x0002800C
_MESSAGE_PROPERTIES = 0x00069003
_REND_DATA = 0x00069002
_TITLE = 0x00018010
_DATA = 0x0006800F
_PROPERTIES = 0x00069005
_CODEPAGE = 0x00069007
_MOST_ATTRIBUTES = 20_000
_CLASS_ID = 16  # bytes before an object
_CUT = Refusal(Reason.CORRUPT, Detail.BROKEN_WINMAIL)
_WORDS = {mapi.BODY: Content.TEXT, mapi.HTML: Content.HTML, mapi.RTF: Content.RTF}


@dataclass
class _Draft:
    """What is known of an attachment so far: ``size`` bytes at ``start``."""

    title: str = ""
    long_name: str = ""
    start: int = -1
    size: int = 0
    cut: bool = False
    in_layout: bool = False

    @property
    def name(self) -> str:
        return self.long_name or self.title

    def member(self, file: Readable) -> Member:
        if self.cut:
            return refused(self.name, _CUT)
        if self.start < 0:
            return refused(self.name, TAKEN_OUT)
        read = stored(file, self.start, self.size)
        return Member(self.name, read, self.size, in_layout=self.in_layout)


@dataclass
class _Reading:
    """What is known of a winmail.dat so far."""

    file: Readable
    codepage: str = "cp1252"
    attachments: list[_Draft] = field(default_factory=list)
    words: list[Member] = field(default_factory=list)


def members(archive: Container) -> list[Member]:
    """The attachments, mails and words of a winmail.dat, in order.

    :raises Refused: ``corrupt``: its lengths are impossible, and nothing of it is whole;
        ``unsafe``: it holds too many, or too much.
    """
    reading = _Reading(archive.file)
    _read(reading, archive.size)
    drafts = [draft for draft in reading.attachments if draft.cut or draft.start >= 0 or draft.name]
    archive.budget.spend(len(drafts), sum(draft.size for draft in drafts), archive.size)
    return reading.words + [draft.member(archive.file) for draft in drafts]


def _read(reading: _Reading, end: int) -> None:
    file, position = reading.file, 6
    for _ in range(_MOST_ATTRIBUTES):
        file.seek(position)
        header = file.read(_HEADER.size)
        # some gateways add bytes behind the last attribute
        if len(header) < _HEADER.size or (position > 6 and header[0] not in _LEVELS):
            return
        level, attribute, length = _HEADER.unpack(header)
        start = position + _HEADER.size
        position = start + length + 2
        if position > end:
            if level == _ATTACHMENT_LEVEL and any(each.start >= 0 for each in reading.attachments):
                last = reading.attachments[-1]
                last.cut = last.start < 0 or attribute == _DATA
                return
            raise Refused(_CUT)
        if level == _ATTACHMENT_LEVEL or attribute == _REND_DATA:
            _attachment(reading, attribute, start, length)
        elif attribute == _CODEPAGE and length >= 4:
            reading.codepage = f"cp{int.from_bytes(file.read(4), 'little')}"
        elif attribute == _BODY:
            _add_words(reading, Property(mapi.BODY, mapi.NARROW, start, length))
        elif attribute == _MESSAGE_PROPERTIES:
            for found in mapi.walk(file, start, start + length):
                _add_words(reading, found)
    raise Refused(_CUT)


def _attachment(reading: _Reading, attribute: int, start: int, length: int) -> None:
    if attribute == _REND_DATA:
        reading.attachments.append(_Draft())
    if not reading.attachments:
        return
    draft = reading.attachments[-1]
    if attribute == _TITLE:
        title = reading.file.read(min(length, mapi.LARGEST_NAME)).rstrip(b"\0")
        draft.title = decoded(title, reading.codepage)
    elif attribute == _DATA:
        draft.start, draft.size = start, length
    elif attribute == _PROPERTIES:
        for found in mapi.walk(reading.file, start, start + length):
            _add_property(reading, draft, found)


def _add_property(reading: _Reading, draft: _Draft, found: Property) -> None:
    if found.number in (mapi.LONG_NAME, mapi.DISPLAY_NAME) and found.type in (
        mapi.NARROW,
        mapi.WIDE,
    ):
        reading.file.seek(found.start)
        data = reading.file.read(min(found.size, mapi.LARGEST_NAME))
        name = mapi.text(data, found.type, reading.codepage)
        if found.number == mapi.LONG_NAME:
            draft.long_name = name
        else:
            draft.title = draft.title or name
    elif found.number == mapi.CONTENT_ID:
        draft.in_layout = found.size > 1
    elif found.number == mapi.DATA and found.size and draft.size == 0:
        if found.type == mapi.OBJECT and found.size > _CLASS_ID:
            draft.start, draft.size = found.start + _CLASS_ID, found.size - _CLASS_ID
        elif found.type == mapi.BINARY:
            draft.start, draft.size = found.start, found.size


def _add_words(reading: _Reading, found: Property) -> None:
    content = _WORDS.get(found.number)
    if content is not None and found.size:
        charset = "utf-16-le" if found.type == mapi.WIDE else reading.codepage
        read = stored(reading.file, found.start, found.size)
        reading.words.append(Member("", read, content=content, charset=charset))
