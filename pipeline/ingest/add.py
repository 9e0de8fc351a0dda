"""``footage add``: take in files that came by another way than mail.

They are treated like the files of a drop folder.  Bytes that somebody withdrew are taken in again,
because a person asks for it; a file that was added before is not taken in twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import publishing
from pipeline.errors import StageError, UsageError
from pipeline.ingest.folders import FileInbox, new_file
from pipeline.ingest.inbox import Arrival, Known, stable_name, uid_of
from pipeline.ingest.reading import InboxReading, IngestSummary
from pipeline.model import MailIdentity, OriginalState
from pipeline.run import Run


@dataclass(frozen=True)
class Added:
    """What became of the files: how many were new, and how many had come before.

    A file counts as known whatever name it has and whatever way it came; one that was withdrawn
    or purged counts as new, because its original comes back.
    """

    summary: IngestSummary
    taken_in: int
    known: int


def add(run: Run, paths: Iterable[Path]) -> Added:
    """Take in files, each as a submission without a sender, received when it was last changed.

    :raises UsageError: a path is not a file; nothing is taken in then.
    :raises StageError: a file can't be read any more; the others are taken in.
    :raises DiskFull: the disk is full.
    """
    wanted = list(paths)
    missing = [str(path) for path in wanted if not path.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    inbox = _AddedFiles(wanted)
    work = InboxReading(run)
    arrivals = inbox.new(run.ledger.intake.known_uids)
    kept = _kept(run, inbox.shas)
    work.take_in(inbox, arrivals)
    for path in inbox.known:
        work.bring_back(path)
    if left := work.remains().left:
        names = ", ".join(each.uid for each in left)
        raise StageError(f"not taken in, because it can't be read: {names}; add it again")
    return Added(work.summary, len(wanted) - kept, kept)


def _kept(run: Run, shas: Sequence[str]) -> int:
    """How many of the files are kept already; the second of two equal files is."""
    kept = {sha for sha in set(shas) if run.ledger.custody.state(sha) is OriginalState.KEPT}
    return len(shas) - len(set(shas) - kept)


class _AddedFiles(FileInbox):
    """The files of one command as an inbox."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__("added", "")
        self._wanted = paths
        self.known: list[Path] = []
        self.shas: list[str] = []

    def files(self) -> Iterator[tuple[Path, str]]:
        """The files, by content and name."""
        for path in self._wanted:
            sha256 = publishing.sha256_of(path)
            self.shas.append(sha256)
            yield path, f"{sha256}:{uid_of(stable_name(path))}"

    def arrival(self, identity: MailIdentity, path: Path) -> Arrival:
        """The file as footage."""
        return new_file(identity, path)

    def new(self, known: Known) -> Sequence[Arrival]:
        """The files that were not added before; the others are in ``known`` afterwards."""
        arrivals = self.new_files(known)
        self.known = [path for path in self._wanted if path not in self._paths.values()]
        return arrivals
