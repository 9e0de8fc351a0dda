"""The rows of one submission: one for each file that came, and for each member of an archive."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline import carriers, formats, places, wording
from pipeline.errors import Refused
from pipeline.findings import Carrier, Finding, What
from pipeline.ingest import archives, decoration, hints, pairs
from pipeline.ingest.contents import TOO_MANY
from pipeline.ingest.faults import BREAKS_PARSING
from pipeline.ingest.members import Budget, Content, Member, unsafe
from pipeline.ingest.originals import Originals, Stored
from pipeline.ingest.spool import Readable
from pipeline.model import Attachment, Kind, Reason, Refusal
from pipeline.texts import Detail

BUDGET = 4  # the archives of a mail may unpack to this many times the largest attachment
_MOST_ROWS = 2000
_UNREADABLE = Refusal(Reason.CORRUPT, Detail.BROKEN_ARCHIVE)
_WORDS_READ = 1 << 18  # bytes of a text in a file that contains others


@dataclass(frozen=True)
class Incoming:
    """A file that came in.

    ``in_layout``: the mail shows it by its Content-ID, so it may be decoration.  ``refusal``:
    what the mail says against it.
    """

    name: str
    pieces: Iterable[bytes]
    in_layout: bool = False
    refusal: Refusal | None = None


class Inside(Protocol):
    """Takes what is inside of a file and is not a file itself: a mail, or words."""

    def mail(self, file: Readable) -> None:
        """Take in the parts of a mail."""

    def words(self, content: Content, data: bytes, charset: str) -> None:
        """Take in a text."""


class Rows:
    """Collects attachments in order; their originals are on the disk when a method returns."""

    def __init__(
        self, originals: Originals, findings: tuple[Finding, ...] = (), inside: Inside | None = None
    ) -> None:
        """*findings*: what the mail gives away, which each of its rows shows."""
        self._originals, self._findings, self._inside = originals, findings, inside
        self._budget = Budget(size=originals.limit * BUDGET)
        self._paths: dict[int, Path] = {}
        self._search = carriers.ReadBudget()
        self._around: list[int] = []  # the rows of the archives around what comes in
        self.list: list[Attachment] = []
        self.bytes = 0

    def paired(self) -> tuple[Attachment, ...]:
        """All rows, each photo with the film that is the same moment."""
        return tuple(pairs.paired(self.list, self._paths))

    @property
    def is_full(self) -> bool:
        """Whether no more rows are added; the last one says so."""
        return len(self.list) >= _MOST_ROWS

    def file(self, incoming: Incoming) -> Stored:
        """Take in one file, and its members if it is an archive.

        :raises OSError: the disk is full, or fails.
        """
        stored = self._originals.keep(incoming.pieces)
        identity = stored.identity
        if stored.path is not None and archives.is_zip_inside(stored.path, identity):
            identity = replace(identity, kind=Kind.ARCHIVE, archive="zip", refusal=None)
            stored = replace(stored, identity=identity, refusal=None)
        # lost bytes count most, then what the mail says, then what the bytes are
        refusal = stored.refusal
        if stored.sha256 is not None and identity.archive != "signed":
            refusal = incoming.refusal or hints.refined(stored.refusal, incoming.name, stored.head)
        if refusal is None and identity.kind is Kind.IMAGE:
            refusal = decoration.refusal(stored.head, stored.size, in_layout=incoming.in_layout)
        row = self._row(incoming.name, refusal)
        row = replace(row, kind=identity.kind, sha256=stored.sha256, size=stored.size)
        if refusal is not None:
            row = replace(row, findings=(*row.findings, *self._given_away(stored)))
        self._add(row)
        if stored.path is not None and identity.format is not None:
            self._paths[row.position] = stored.path
        depth = len(self._around)
        if identity.archive and refusal is None and depth >= archives.MAX_NESTING:
            deep = unsafe(Detail.NESTED_TOO_DEEP, {"depth": depth})
            self.list[row.position] = replace(row, refusal=deep)
        elif identity.archive and refusal is None and not self.is_full:
            self._unpack(stored, row.position, incoming.name)
        if stored.sha256 is not None and not self._around:
            self.bytes += stored.size
        return stored

    def _given_away(self, stored: Stored) -> tuple[Finding, ...]:
        """Find what a refused file gives away; process, which finds it in footage, sees no other.

        The files of a mail share one budget.  Bytes that are kept and not opened are not read.
        """
        if stored.path is None or self._inside is None:
            return ()
        return carriers.find(stored.path, formats.reader_of, self._search)

    def missing(self, name: str, refusal: Refusal) -> None:
        """Add a row for a file of which no bytes were kept."""
        self._add(self._row(name, refusal))

    def _add(self, row: Attachment) -> None:
        if len(self.list) < _MOST_ROWS - 1:
            self.list.append(row)
        elif not self.is_full:
            self.list.append(self._row("mail", TOO_MANY))

    def _row(self, name: str, refusal: Refusal | None) -> Attachment:
        findings = self._findings
        if places.found(name[: places.LIMIT]):
            findings = (*findings, Finding(Carrier.FILE_NAME, What.LOCATION))
        return Attachment(
            position=len(self.list),
            filename=wording.display_name(name),
            kind=Kind.OTHER,
            sha256=None,
            size=0,
            parent=self._around[-1] if self._around else None,
            refusal=refusal,
            findings=findings,
        )

    def _unpack(self, stored: Stored, position: int, name: str) -> None:
        kind = stored.identity.archive
        if stored.path is None or kind is None:
            return
        try:
            with self._within(position):
                if kind == "mail":
                    with stored.path.open("rb") as file:
                        self._take_mail(file)
                    return
                with archives.opened(stored.path, kind, name, self._budget) as members:
                    for member in members:
                        self._take(member)
        except Refused as refused:
            refusal = hints.refined(refused.refusal, name, stored.head)
            self.list[position] = replace(self.list[position], refusal=refusal)
        except BREAKS_PARSING:
            self.list[position] = replace(self.list[position], refusal=_UNREADABLE)

    @contextmanager
    def _within(self, position: int) -> Iterator[None]:
        """Inside of the block, rows are those of what is in the archive at *position*."""
        self._around.append(position)
        try:
            yield
        finally:
            self._around.pop()

    def _take(self, member: Member) -> None:
        """Take in a member; a fault in it costs no other one."""
        if self.is_full:
            return
        try:
            if member.refusal is not None:
                self.missing(member.name, member.refusal)
            elif member.content is Content.FILE:
                self.file(Incoming(member.name, member.read(), in_layout=member.in_layout))
            elif member.content is Content.MAIL:
                with self._originals.nested_spool() as file:
                    for piece in member.read():
                        file.write(piece)
                    self._take_mail(file)
            elif self._inside is not None:
                data = b""
                for piece in member.read():
                    data += piece
                    if len(data) > _WORDS_READ:
                        break
                self._inside.words(member.content, data[:_WORDS_READ], member.charset)
        except BREAKS_PARSING:
            self.missing(member.name, _UNREADABLE)

    def _take_mail(self, file: Readable) -> None:
        if self._inside is not None:
            self._inside.mail(file)
