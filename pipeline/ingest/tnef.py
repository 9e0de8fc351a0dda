"""winmail.dat: the attachments that Outlook puts into one file (MS-OXTNEF).

The attributes are read here, with seeks, because tnefparse copies the rest of the file for each of
them.  tnefparse reads the properties that contain an attachment's long name, in small blocks whose
counts were checked before.
"""

import logging
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tnefparse import properties
from tnefparse.mapi import decode_mapi

from pipeline.errors import Refused
from pipeline.ingest.charsets import decoded
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_HEADER = struct.Struct("<BII")  # level, attribute, length; data and a checksum follow
_ATTACHMENT_LEVEL = 2
_LEVELS = (1, _ATTACHMENT_LEVEL)
_REND_DATA = 0x00069002
_TITLE = 0x00018010
_DATA = 0x0006800F
_PROPERTIES = 0x00069005
_CODEPAGE = 0x00069007
_MOST_ATTRIBUTES = 20_000
_LARGEST_NAME = 4096
_LARGEST_PROPERTIES = 1 << 17
_MOST_PROPERTIES = 500
_PIECE = 1 << 18
_CUT = Refusal(Reason.CORRUPT, Detail.BROKEN_WINMAIL)


@dataclass(frozen=True)
class Item:
    """An attachment: ``size`` bytes at ``start`` in the file."""

    name: str
    start: int
    size: int

    def reader(self, file: BinaryIO) -> Callable[[], Iterator[bytes]]:
        """Make a function that reads the attachment in pieces."""

        def read() -> Iterator[bytes]:
            position, end = self.start, self.start + self.size
            while position < end:
                file.seek(position)
                piece = file.read(min(_PIECE, end - position))
                if not piece:
                    return
                position += len(piece)
                yield piece

        return read


@dataclass
class _Draft:
    title: str = ""
    long_name: str = ""
    start: int = -1
    size: int = 0


def attachments(file: BinaryIO) -> list[Item]:
    """The attachments of a winmail.dat, in order.

    :raises Refused: ``corrupt``: it is cut, or its lengths are impossible.
    """
    end = file.seek(0, 2)
    position, codepage = 6, "cp1252"
    drafts: list[_Draft] = []
    for _ in range(_MOST_ATTRIBUTES):
        file.seek(position)
        header = file.read(_HEADER.size)
        # some gateways add bytes behind the last attribute
        if len(header) < _HEADER.size or (drafts and header[0] not in _LEVELS):
            break
        level, attribute, length = _HEADER.unpack(header)
        start = position + _HEADER.size
        position = start + length + 2
        if position > end:
            raise Refused(_CUT)
        if attribute == _CODEPAGE and length >= 4:
            codepage = f"cp{int.from_bytes(file.read(4), 'little')}"
        elif attribute == _REND_DATA:
            drafts.append(_Draft())
        elif level == _ATTACHMENT_LEVEL and drafts:
            if attribute == _TITLE:
                title = file.read(min(length, _LARGEST_NAME)).rstrip(b"\0")
                drafts[-1].title = decoded(title, codepage)
            elif attribute == _DATA:
                drafts[-1].start, drafts[-1].size = start, length
            elif attribute == _PROPERTIES:
                drafts[-1].long_name = _long_name(file.read(min(length, _LARGEST_PROPERTIES)))
    else:
        raise Refused(_CUT)
    return [
        Item(draft.long_name or draft.title, draft.start, draft.size)
        for draft in drafts
        if draft.start >= 0
    ]


def _long_name(block: bytes) -> str:
    """PidTagAttachLongFilename, if it is there."""
    if len(block) < 4 or int.from_bytes(block[:4], "little") > _MOST_PROPERTIES:
        return ""
    logging.getLogger("tnefparse").disabled = True  # it logs the bytes of a sender
    for item in decode_mapi(block, "latin-1"):
        if item.name == properties.MAPI_ATTACH_LONG_FILENAME:
            name = item.data
            return name if isinstance(name, str) else ""
    return ""
