"""The members of an archive: of a zip here, of a winmail.dat in :mod:`pipeline.ingest.tnef`.

What an archive claims is checked before a byte is unpacked, against limits that all archives of a
mail share.  Then members are streamed one by one.  A member's name is shown, and never used as a
path.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import Refused
from pipeline.ingest import tnef
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

MAX_MEMBERS = 1000
MAX_NESTING = 3
MAX_RATIO = 100
_RATIO_FROM = 20_000_000  # below it, blank pictures may shrink by any factor
_LARGEST_DIRECTORY = 1 << 20
_PIECE = 1 << 18
_JUNK = frozenset((".ds_store", "thumbs.db", "desktop.ini"))
_DOCUMENTS = frozenset(
    ("[content_types].xml", "meta-inf/manifest.mf", "meta-inf/container.xml", "androidmanifest.xml")
)


@dataclass(frozen=True)
class Member:
    """A file in an archive: ``read`` gives it in pieces, unless there is a ``refusal``."""

    name: str
    read: Callable[[], Iterator[bytes]]
    refusal: Refusal | None = None


@dataclass
class Budget:
    """What all archives of one mail may still unpack to together: *size* bytes, and *members*."""

    size: int
    members: int = MAX_MEMBERS

    def spend(self, members: int, size: int, packed: int) -> None:
        """Subtract what an archive of *packed* bytes claims to contain.

        :raises Refused: ``unsafe``: too many members, too large, or packed too tightly.
        """
        if members > self.members:
            raise Refused(_unsafe(Detail.TOO_MANY_MEMBERS, {"allowed": MAX_MEMBERS}))
        if size > self.size:
            raise Refused(_unsafe(Detail.UNPACKS_TOO_LARGE))
        if size > _RATIO_FROM and size > packed * MAX_RATIO:
            raise Refused(_unsafe(Detail.EXPANDS_TOO_MUCH, {"times": MAX_RATIO}))
        self.members -= members
        self.size -= size


@contextmanager
def opened(path: Path, kind: str, depth: int, budget: Budget) -> Iterator[list[Member]]:
    """List the members of the archive at *path*, of *kind* "zip" or "tnef".

    :param depth: the number of archives around it.
    :raises Refused: the whole archive is ``unsafe``, ``corrupt`` or ``not-media``.  A member's
        ``read`` may raise it too, for that member.
    """
    if depth >= MAX_NESTING:
        raise Refused(_unsafe(Detail.NESTED_TOO_DEEP, {"depth": depth}))
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        packed = path.stat().st_size
        if kind == "tnef":
            yield _tnef_members(file, packed, budget)
            return
        try:
            archive = stack.enter_context(zipfile.ZipFile(_Careful(file)))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
            raise Refused(Refusal(Reason.CORRUPT, Detail.BROKEN_ZIP)) from error
        yield _zip_members(archive, packed, budget)


def _tnef_members(file: BinaryIO, packed: int, budget: Budget) -> list[Member]:
    items = tnef.attachments(file)
    budget.spend(len(items), sum(item.size for item in items), packed)
    return [Member(item.name, item.reader(file)) for item in items]


def _zip_members(archive: zipfile.ZipFile, packed: int, budget: Budget) -> list[Member]:
    listed = archive.infolist()
    names = [_name(info) for info in listed]
    if any(name.lower() in _DOCUMENTS for name in names) or names[:1] == ["mimetype"]:
        raise Refused(Refusal(Reason.NOT_MEDIA, Detail.DOCUMENT_OR_PROGRAM))
    wanted = [
        (info, name) for info, name in zip(listed, names, strict=True) if not _junk(info, name)
    ]
    budget.spend(len(wanted), sum(info.file_size for info, _name in wanted), packed)
    return [_member(archive, info, name) for info, name in wanted]


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Member:
    refusal = None
    if info.flag_bits & 0x1:
        refusal = Refusal(Reason.ENCRYPTED, Detail.LOCKED_MEMBER)
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # the other methods unpack with unbounded memory
        refusal = Refusal(Reason.UNSUPPORTED, Detail.UNSUPPORTED_PACKING)
    return Member(name, lambda: _unpack(archive, info), refusal)


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as file:
            while piece := file.read(_PIECE):
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        raise Refused(Refusal(Reason.CORRUPT, Detail.DAMAGED_MEMBER)) from error


def _junk(info: zipfile.ZipInfo, name: str) -> bool:
    """Whether a member is a folder, a link, or a file that operating systems leave in archives."""
    last = name.rsplit("/", 1)[-1].lower()
    return (
        info.is_dir()
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


def _unsafe(code: Detail, values: Mapping[str, int] | None = None) -> Refusal:
    return Refusal(Reason.UNSAFE, code, values or {})


class _Careful(io.RawIOBase):
    """A file that refuses to give more at a time than a real directory needs.

    zipfile reads an archive's whole directory at once, and believes its size.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_DIRECTORY:
            raise zipfile.BadZipFile("directory too large")
        return self._file.read(size if size >= 0 else _LARGEST_DIRECTORY)

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence:
            return self._file.seek(offset, whence)
        try:
            return self._file.seek(offset)
        except (OSError, OverflowError) as error:  # an offset that no file has
            raise zipfile.BadZipFile("no such place") from error

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True
