"""``footage add``: take in files that came by another way than mail.

They are treated like the files of a drop folder.  Bytes that somebody withdrew are taken in again,
because a person asks for it; a file that was added before is not taken in twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import publishing, wording
from pipeline.errors import StageError, UsageError
from pipeline.history import Stay
from pipeline.ingest.folders import FileInbox, new_file
from pipeline.ingest.inbox import Advance, Arrival, Gone, Known, stable_name, uid_of
from pipeline.ingest.reading import InboxReading, IngestSummary
from pipeline.ingest.spool import Readable
from pipeline.model import MailIdentity, OriginalState
from pipeline.run import Run

_CHANGED = "it changed while it was read"
_GONE = "it is not there any more"
_UNREADABLE = "it can't be read"
_MACHINE = "the machine had too little memory or time, or ended the process that reads it"


@dataclass(frozen=True)
class Added:
    """What became of the files: how many were new, and how many had come before.

    A file counts once, however often and by whatever paths it is named.  It counts as known
    whatever name it has and whatever way it came; one that was withdrawn or purged counts as new,
    because its original comes back.
    """

    summary: IngestSummary
    taken_in: int
    known: int


def add(run: Run, paths: Iterable[Path]) -> Added:
    """Take in files, each as a submission without a sender, received when it was last changed.

    :raises UsageError: a path is not a file; nothing is taken in then.
    :raises StageError: a file can't be read any more, or changes; the others are taken in.
    :raises DiskFull: the disk is full.
    """
    wanted = list(dict.fromkeys(paths))
    missing = [str(path) for path in wanted if not path.is_file()]
    if missing:
        raise UsageError(f"no such file: {', '.join(missing)}")
    inbox = _AddedFiles(wanted)
    work = InboxReading(run)
    arrivals = inbox.new(run.ledger.intake.known_uids)
    kept = _kept(run, list(inbox.shas.values()))
    work.take_in(inbox, arrivals)
    for path in inbox.known:
        try:
            work.bring_back(path, inbox.shas[path])
        except Gone:
            inbox.fail(path, _CHANGED)
        except FileNotFoundError:
            inbox.fail(path, _GONE)
    failed = {
        each.uid: _MACHINE if each.why is Stay.MACHINE else _UNREADABLE
        for each in work.remains().left
    } | inbox.failed
    if failed:
        names = ", ".join(f"{name} ({why})" for name, why in failed.items())
        raise StageError(f"not taken in: {names}; add it again")
    return Added(work.summary, len(inbox.shas) - kept, kept)


def _kept(run: Run, shas: Sequence[str]) -> int:
    """How many of the files are kept already; the second of two equal files is."""
    kept = {sha for sha in set(shas) if run.ledger.custody.state(sha) is OriginalState.KEPT}
    return len(shas) - len(set(shas) - kept)


class _AddedFiles(FileInbox):
    """The files of one command as an inbox."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__("added", "")
        self._wanted = paths
        self._states: dict[Path, tuple[int, ...]] = {}
        self.known: list[Path] = []
        self.shas: dict[Path, str] = {}
        self.failed: dict[str, str] = {}

    def fail(self, path: Path, why: str) -> None:
        """Note why a file is not taken in, by the name that a person sees."""
        self.failed.setdefault(wording.display_name(stable_name(path)), why)

    def files(self) -> Iterator[tuple[Path, str]]:
        """The files, by content and name; of the paths that lead to one file only the first."""
        files = set()
        for path in self._wanted:
            try:
                state = self._states[path] = _state(path)
                sha256 = publishing.sha256_of(path)
            except OSError as error:
                self.fail(path, _GONE if isinstance(error, FileNotFoundError) else _UNREADABLE)
                continue
            # on some network drives other files have the same numbers, so the content is compared
            file = (*state[:2], sha256)
            if file in files:
                continue
            files.add(file)
            self.shas[path] = sha256
            yield path, f"{sha256}:{uid_of(stable_name(path))}"

    def arrival(self, identity: MailIdentity, path: Path) -> Arrival:
        """The file as footage.

        :raises FileNotFoundError: it is not there any more.
        """
        try:
            return new_file(identity, path)
        except FileNotFoundError:
            self.fail(path, _GONE)
            del self.shas[path]
            raise

    @contextmanager
    def open_raw(self, arrival: Arrival, advance: Advance) -> Iterator[Readable]:
        """Give the file itself, and note it if it is not the file that was listed.

        :raises Gone: it is not there any more, or has changed, also at the end of the block.
        :raises Unreadable: it may not be read.
        """
        path = self._paths[arrival.identity.uid]
        self._check(path)
        with super().open_raw(arrival, advance) as file:
            yield file
            self._check(path)

    def _check(self, path: Path) -> None:
        try:
            if _state(path) == self._states[path]:
                return
            why = _CHANGED
        except OSError:
            why = _GONE
        self.fail(path, why)
        raise Gone

    def new(self, known: Known) -> Sequence[Arrival]:
        """The files that were not added before; the others are in ``known`` afterwards."""
        arrivals = self.new_files(known)
        new = set(self._paths.values())
        self.known = [path for path in self.shas if path not in new]
        return arrivals


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a program writes to a file, or puts another file in its place."""
    now = path.stat()
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns
