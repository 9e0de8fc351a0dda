"""The rows of one submission: each file that came, with what is inside of archives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline import places, wording
from pipeline.errors import Refused
from pipeline.ingest import archives, decoration
from pipeline.ingest.archives import Budget
from pipeline.ingest.originals import Originals, Stored
from pipeline.model import Attachment, Carrier, Finding, Kind, Refusal, What

_BUDGET = 4  # archives of a mail may unpack to so many times the largest attachment


class Rows:
    """Collects attachments in order; their originals are on the disk when a method returns."""

    def __init__(self, originals: Originals, findings: tuple[Finding, ...] = ()) -> None:
        """*findings*: what the mail gives away, which every row of it shows."""
        self._originals, self._findings = originals, findings
        self._budget = Budget(size=originals.limit * _BUDGET)
        self.list: list[Attachment] = []
        self.bytes = 0

    def file(
        self,
        name: str,
        pieces: Iterable[bytes],
        *,
        parent: int | None = None,
        depth: int = 0,
        in_layout: bool = False,
        refusal: Refusal | None = None,
    ) -> Stored:
        """Take in one file, and what is inside if it is an archive.

        :param in_layout: the mail shows it by its Content-ID: it may be decoration.
        :param refusal: what is known against it already.
        :raises OSError: the disk is full, or fails.
        """
        stored = self._originals.keep(pieces)
        # that bytes were lost counts most, then what the mail says, then what the bytes are
        refusal = (stored.refusal if stored.sha256 is None else refusal) or stored.refusal
        if refusal is None and stored.identity.kind is Kind.IMAGE:
            refusal = decoration.refusal(stored.head, stored.size, in_layout=in_layout)
        position = self._add(name, stored, parent, refusal)
        if stored.path is not None and stored.identity.archive and refusal is None:
            self._unpack(position, stored, stored.identity.archive, depth)
        self.bytes += stored.size if stored.sha256 and not depth else 0
        return stored

    def missing(self, name: str, refusal: Refusal, *, parent: int | None = None) -> None:
        """A row for something of which no bytes were kept."""
        self._append(name, Kind.OTHER, None, 0, parent, refusal)

    def _add(self, name: str, stored: Stored, parent: int | None, refusal: Refusal | None) -> int:
        kind = stored.identity.kind
        return self._append(name, kind, stored.sha256, stored.size, parent, refusal)

    def _append(
        self,
        name: str,
        kind: Kind,
        sha256: str | None,
        size: int,
        parent: int | None,
        refusal: Refusal | None,
    ) -> int:
        position = len(self.list)
        findings = self._findings
        if places.found(name[: places.LIMIT]):
            findings = (*findings, Finding(Carrier.FILE_NAME, What.LOCATION))
        self.list.append(
            Attachment(
                position=position,
                filename=wording.display_name(name),
                kind=kind,
                sha256=sha256,
                size=size,
                parent=parent,
                refusal=refusal,
                findings=findings,
            )
        )
        return position

    def _unpack(self, position: int, stored: Stored, kind: str, depth: int) -> None:
        assert stored.path is not None
        try:
            with archives.opened(stored.path, kind, depth, self._budget) as members:
                for member in members:
                    if member.refusal is not None:
                        self.missing(member.name, member.refusal, parent=position)
                    else:
                        self.file(member.name, member.read(), parent=position, depth=depth + 1)
        except Refused as refused:
            self._refuse(position, refused.refusal)

    def _refuse(self, position: int, refusal: Refusal) -> None:
        self.list[position] = replace(self.list[position], refusal=refusal)
