"""Files that contain others: the reader of each kind, and the one for zip archives.

What an archive claims is checked before a byte is unpacked, against limits that all archives of a
mail share.  Then members are streamed one by one.  A member's name is shown, and never used as a
path.  To open a further kind, write a reader that gives its members, and a row in ``_READERS``
and in :mod:`pipeline.media.identify`.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline.errors import Refused
from pipeline.ingest import cms, compressed, encoded, oldmac, outlook, spool, tar, tnef
from pipeline.ingest.faults import BREAKS_PARSING
from pipeline.ingest.members import DAMAGED, MAX_MEMBERS, Budget, Container, Member, unsafe
from pipeline.ingest.spool import Readable
from pipeline.media.identify import Identity
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

MAX_NESTING = 3
_LARGEST_DIRECTORY = 1 << 20
_PIECE = 1 << 18
_END_SEARCHED = 22 + (1 << 16)  # bytes: the end record and its comment
_JUNK = frozenset((".ds_store", "thumbs.db", "desktop.ini"))
_DOCUMENTS = frozenset(
    ("[content_types].xml", "meta-inf/manifest.mf", "meta-inf/container.xml", "androidmanifest.xml")
)
_MAY_END_AS_ZIP = (Detail.PROGRAM, Detail.UNKNOWN_FORMAT)
_GROWTH = 1100  # times: deflate makes nothing smaller than by 1032 (RFC 1951)
_BROKEN_ZIP = Refusal(Reason.CORRUPT, Detail.BROKEN_ZIP)
_UNREADABLE = Refusal(Reason.CORRUPT, Detail.BROKEN_ARCHIVE)
_SPLIT = Refusal(Reason.UNSUPPORTED, Detail.PIECE_OF_A_FILE)


def is_zip_inside(path: Path, identity: Identity) -> bool:
    """Whether a program is a zip that opens itself, or a zip stands behind other bytes."""
    begins = identity.refusal is not None and identity.refusal.code in _MAY_END_AS_ZIP
    return begins and zipfile.is_zipfile(path)


@contextmanager
def opened(path: Path, kind: str, name: str, budget: Budget) -> Iterator[Iterable[Member]]:
    """Give the members of the archive at *path*; each is read before the next one.

    :param kind: as :mod:`pipeline.media.identify` names it.

    :param name: that of the archive, as its sender wrote it.
    :raises Refused: the whole archive is ``unsafe``, ``corrupt`` or ``not-media``.  A member's
        ``read`` may raise it too, for that member.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        archive = Container(file, name, path.stat().st_size, budget)
        try:
            if kind in compressed.KINDS:
                room = stack.enter_context(spool.spool(path.parent))
                found: Iterable[Member] = compressed.members(archive, kind, room)
            else:
                found = _READERS[kind](archive, stack)
        except BREAKS_PARSING as error:
            raise Refused(_UNREADABLE) from error
        yield found


def _zip_members(archive: Container, stack: ExitStack) -> list[Member]:
    if _is_piece(archive):
        raise Refused(_SPLIT)
    try:
        opened_zip = stack.enter_context(zipfile.ZipFile(_Careful(archive.file, archive.size)))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
        raise Refused(_BROKEN_ZIP) from error
    listed = opened_zip.infolist()
    names = [_name(info) for info in listed]
    if any(name.lower() in _DOCUMENTS for name in names) or names[:1] == ["mimetype"]:
        raise Refused(Refusal(Reason.NOT_MEDIA, Detail.DOCUMENT_OR_PROGRAM))
    wanted = [
        (info, name) for info, name in zip(listed, names, strict=True) if not _junk(info, name)
    ]
    members = [_member(opened_zip, info, name) for info, name in wanted]
    size = sum(member.size for member in members if member.refusal is None)
    archive.budget.spend(len(wanted), size, archive.size)
    return members


def _is_piece(archive: Container) -> bool:
    """Whether a zip was split into several files (APPNOTE 4.4.16 and 8.5)."""
    archive.file.seek(0)
    if archive.file.read(8) == b"PK\x07\x08PK\x03\x04":
        return True
    archive.file.seek(max(0, archive.size - _END_SEARCHED))
    end = archive.file.read(_END_SEARCHED)
    at = end.rfind(b"PK\x05\x06")
    return at >= 0 and end[at + 4 : at + 6] not in (b"\0\0", b"\xff\xff")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Member:
    refusal = None
    if info.flag_bits & 0x1:
        refusal = Refusal(Reason.ENCRYPTED, Detail.LOCKED_MEMBER)
    elif info.file_size > info.compress_size * _GROWTH + _GROWTH:
        refusal = DAMAGED  # such a size is an error, or a lie
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # the other methods unpack with unbounded memory
        refusal = Refusal(Reason.UNSUPPORTED, Detail.UNSUPPORTED_PACKING)
    return Member(name, lambda: _unpack(archive, info), info.file_size, refusal)


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as file:
            while piece := file.read(_PIECE):
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        raise Refused(DAMAGED) from error


def _junk(info: zipfile.ZipInfo, name: str) -> bool:
    """Whether a member is a folder, a link, or a file that operating systems leave in archives."""
    last = name.rsplit("/", 1)[-1].lower()
    return (
        name.endswith("/")
        or (not name and not info.file_size)
        or stat.S_ISLNK(info.external_attr >> 16)
        or "__MACOSX/" in name
        or last.startswith("._")
        or last in _JUNK
    )


def _name(info: zipfile.ZipInfo) -> str:
    """The name; without bit 11 of APPNOTE 4.4.4 it is CP437, or the sender's own charset."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        raw = info.orig_filename.encode("cp437")
        return raw.decode("utf-8")
    except UnicodeError:
        return info.filename


_Reader = Callable[[Container, ExitStack], Iterable[Member]]


def _only(
    read: Callable[[Container], Iterable[Member]],
) -> _Reader:
    """A reader that leaves nothing open."""
    return lambda archive, _stack: read(archive)


_READERS: dict[str, _Reader] = {
    "zip": _zip_members,
    "tar": _only(tar.members),
    "tnef": _only(tnef.members),
    "ole": _only(outlook.members),
    "signed": _only(cms.members),
    "applesingle": _only(oldmac.apple_single),
    "binhex": _only(oldmac.binhex),
    "encoded": _only(encoded.members),
}


class _Careful(io.RawIOBase):
    """A file that refuses to give more at a time than a real directory needs.

    zipfile reads an archive's whole directory at once, and believes its size.
    """

    def __init__(self, file: Readable, size: int) -> None:
        self._file, self._size = file, size

    def read(self, size: int = -1) -> bytes:
        if size > self._size:
            raise zipfile.BadZipFile("directory larger than the file")
        if size > _LARGEST_DIRECTORY:
            raise Refused(unsafe(Detail.TOO_MANY_MEMBERS, {"allowed": MAX_MEMBERS}))
        return self._file.read(size if size >= 0 else _LARGEST_DIRECTORY)

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence:
            return self._file.seek(offset, whence)
        try:
            return self._file.seek(offset)
        except (OSError, OverflowError) as error:  # an offset that no file has
            raise zipfile.BadZipFile("no such place") from error

    def tell(self) -> int:
        return self._file.seek(0, 1)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True
