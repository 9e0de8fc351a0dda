"""A file that is a text in which files are encoded: ``.uue``, ``.ync``, ``.b64``."""

from collections.abc import Iterable, Iterator

from pipeline.ingest import embedded
from pipeline.ingest.charsets import decoded
from pipeline.ingest.members import Container, Member, refused
from pipeline.ingest.spool import stretch


def members(archive: Container) -> Iterator[Member]:
    """The files in a text, each of which must be read before the next one."""
    for found in embedded.files(stretch(archive.file)):
        archive.budget.spend(1, 0, archive.size)
        name = decoded(found.name)
        if found.refusal is not None:
            yield refused(name, found.refusal)
        else:
            yield _member(name, found.pieces)


def _member(name: str, pieces: Iterable[bytes]) -> Member:
    return Member(name, lambda: iter(pieces))
