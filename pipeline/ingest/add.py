"""``footage add``: take in files that came by another way than mail.

They are treated like the files of a drop folder.  Bytes that somebody withdrew are taken in again,
because a person asks for it; a file that was added before is not taken in twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipeline import publishing
from pipeline.errors import UsageError
from pipeline.ingest.folders import FileInbox, new_file
from pipeline.ingest.inbox import Arrival, Known, stable_name, uid_of
from pipeline.ingest.stage import IngestRun, IngestSummary
from pipeline.model import MailIdentity
from pipeline.run import Run


def add(run: Run, paths: Iterable[Path]) -> IngestSummary:
    """Take in files, each as a submission without a sender, received when it was last changed.

    :raises UsageError: a path is not a file; nothing is taken in then.
    :raises DiskFull: the disk is full.
    """
    wanted = list(paths)
    missing = [str(path) for path in wanted if not path.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    inbox = _AddedFiles(wanted)
    work = IngestRun(run)
    work.take_in(inbox, inbox.new(run.ledger.intake.known_uids))
    for path in inbox.known:
        work.bring_back(path)
    return work.summary


class _AddedFiles(FileInbox):
    """The files of one command as an inbox."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__("added", "")
        self._wanted = paths
        self.known: list[Path] = []

    def files(self) -> Iterator[tuple[Path, str]]:
        """The files, by content and name."""
        for path in self._wanted:
            yield path, f"{publishing.sha256_of(path)}:{uid_of(stable_name(path))}"

    def arrival(self, identity: MailIdentity, path: Path) -> Arrival:
        """The file as footage."""
        return new_file(identity, path)

    def new(self, known: Known) -> Sequence[Arrival]:
        """The files that were not added before; the others are in ``known`` afterwards."""
        arrivals = self.new_files(known)
        self.known = [path for path in self._wanted if path not in self._paths.values()]
        return arrivals
