"""Outlook's mails as files, ``.msg`` (MS-OXMSG): attachments, mails in the mail, and words."""

from collections.abc import Callable, Iterator
from itertools import islice

from pipeline.errors import Refused
from pipeline.ingest import mapi
from pipeline.ingest.cfb import CompoundFile, Entry
from pipeline.ingest.members import MAX_MEMBERS, Container, Content, Member, refused
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_MESSAGE = "__properties_version1.0"
_ATTACHMENT = "__attach_version1.0_"
_MOST_NESTED = 5
_WORDS = {mapi.BODY: Content.TEXT, mapi.HTML: Content.HTML, mapi.RTF: Content.RTF}
_SEARCHED = 1 << 20  # bytes
_DOCUMENT = Refusal(Reason.NOT_MEDIA, Detail.OFFICE_DOCUMENT)
_OBJECT = Refusal(Reason.UNSUPPORTED, Detail.OFFICE_DOCUMENT)


def members(archive: Container) -> list[Member]:
    """The attachments of a mail and of the mails in it, and the words.

    :raises Refused: ``not-media``: it is a document; ``corrupt``: its structure can't be read;
        ``unsafe``: it holds too many, or too much.
    """
    try:
        file = CompoundFile(archive.file, archive.size)
    except Refused:
        archive.file.seek(0)
        if _MESSAGE.encode("utf-16-le") in archive.file.read(_SEARCHED) or _is_named(archive):
            raise
        raise Refused(_DOCUMENT) from None
    if _MESSAGE not in file.children(file.root):
        raise Refused(_DOCUMENT)
    found = list(islice(_message(file, file.root, 0), MAX_MEMBERS + 1))
    archive.budget.spend(len(found), sum(member.size for member in found), archive.size)
    return found


def _is_named(archive: Container) -> bool:
    return archive.name.lower().endswith(".msg")


def _message(file: CompoundFile, folder: Entry, level: int) -> Iterator[Member]:
    inside = file.children(folder)
    for number, content in _WORDS.items():
        for kind in (mapi.WIDE, mapi.NARROW, mapi.BINARY):
            stream = inside.get(_stream(number, kind))
            if stream is not None and stream.is_stream:
                charset = "utf-16-le" if kind == mapi.WIDE else ""
                yield Member("", _reader(file, stream), content=content, charset=charset)
                break
    for name in sorted(inside):
        if name.startswith(_ATTACHMENT) and not inside[name].is_stream:
            yield from _attachment(file, inside[name], level)


def _attachment(file: CompoundFile, folder: Entry, level: int) -> Iterator[Member]:
    inside = file.children(folder)
    name = _name(file, inside)
    data = inside.get(_stream(mapi.DATA, mapi.BINARY))
    mail = inside.get(_stream(mapi.DATA, mapi.OBJECT))
    if data is not None and data.is_stream:
        shown = any(_stream(mapi.CONTENT_ID, kind) in inside for kind in (mapi.WIDE, mapi.NARROW))
        yield Member(name, _reader(file, data), data.size, in_layout=shown)
    elif mail is not None and level < _MOST_NESTED and _MESSAGE in file.children(mail):
        yield from _message(file, mail, level + 1)
    elif mail is not None:
        yield refused(name, _OBJECT)


def _name(file: CompoundFile, inside: dict[str, Entry]) -> str:
    for number in (mapi.LONG_NAME, mapi.SHORT_NAME, mapi.DISPLAY_NAME):
        for kind in (mapi.WIDE, mapi.NARROW):
            stream = inside.get(_stream(number, kind))
            if stream is not None and stream.is_stream and stream.size <= mapi.LARGEST_NAME:
                return mapi.text(b"".join(file.read(stream)), kind, "")
    return ""


def _stream(number: int, kind: int) -> str:
    return f"__substg1.0_{number:04X}{kind:04X}"


def _reader(file: CompoundFile, stream: Entry) -> Callable[[], Iterator[bytes]]:
    return lambda: file.read(stream)
