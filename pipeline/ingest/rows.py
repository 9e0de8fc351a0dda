"""The rows of one submission: one for each file that came, and for each member of an archive."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline import places, wording
from pipeline.errors import Refused
from pipeline.ingest import archives, decoration
from pipeline.ingest.archives import Budget
from pipeline.ingest.originals import Originals, Stored
from pipeline.model import Attachment, Carrier, Finding, Kind, Refusal, What

_BUDGET = 4  # the archives of a mail may unpack to this many times the largest attachment


@dataclass(frozen=True)
class Incoming:
    """A file that came in.

    ``parent``: the row of the archive that contained it; ``depth``: the number of archives around
    it.  ``in_layout``: the mail shows it by its Content-ID, so it may be decoration.  ``refusal``:
    what the mail says against it.
    """

    name: str
    pieces: Iterable[bytes]
    parent: int | None = None
    depth: int = 0
    in_layout: bool = False
    refusal: Refusal | None = None


class Rows:
    """Collects attachments in order; their originals are on the disk when a method returns."""

    def __init__(self, originals: Originals, findings: tuple[Finding, ...] = ()) -> None:
        """*findings*: what the mail gives away, which each of its rows shows."""
        self._originals, self._findings = originals, findings
        self._budget = Budget(size=originals.limit * _BUDGET)
        self.list: list[Attachment] = []
        self.bytes = 0

    def file(self, incoming: Incoming) -> Stored:
        """Take in one file, and its members if it is an archive.

        :raises OSError: the disk is full, or fails.
        """
        stored = self._originals.keep(incoming.pieces)
        identity = stored.identity
        # lost bytes count most, then what the mail says, then what the bytes are
        refusal = (stored.refusal if stored.sha256 is None else incoming.refusal) or stored.refusal
        if refusal is None and identity.kind is Kind.IMAGE:
            refusal = decoration.refusal(stored.head, stored.size, in_layout=incoming.in_layout)
        row = self._row(incoming.name, refusal, incoming.parent)
        self.list.append(replace(row, kind=identity.kind, sha256=stored.sha256, size=stored.size))
        if identity.archive and refusal is None:
            self._unpack(stored, row.position, incoming.depth)
        if stored.sha256 is not None and not incoming.depth:
            self.bytes += stored.size
        return stored

    def missing(self, name: str, refusal: Refusal, parent: int | None = None) -> None:
        """Add a row for a file of which no bytes were kept."""
        self.list.append(self._row(name, refusal, parent))

    def _row(self, name: str, refusal: Refusal | None, parent: int | None) -> Attachment:
        findings = self._findings
        if places.found(name[: places.LIMIT]):
            findings = (*findings, Finding(Carrier.FILE_NAME, What.LOCATION))
        return Attachment(
            position=len(self.list),
            filename=wording.display_name(name),
            kind=Kind.OTHER,
            sha256=None,
            size=0,
            parent=parent,
            refusal=refusal,
            findings=findings,
        )

    def _unpack(self, stored: Stored, position: int, depth: int) -> None:
        kind = stored.identity.archive
        if stored.path is None or kind is None:
            return
        try:
            with archives.opened(stored.path, kind, depth, self._budget) as members:
                for member in members:
                    if member.refusal is not None:
                        self.missing(member.name, member.refusal, position)
                    else:
                        self.file(Incoming(member.name, member.read(), position, depth + 1))
        except Refused as refused:
            self.list[position] = replace(self.list[position], refusal=refused.refusal)
