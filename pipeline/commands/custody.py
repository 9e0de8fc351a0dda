"""``footage custody``: the chronology of one clip, with proof, as JSON and as a page.

It takes no lock of the workspace and changes nothing in it.  The files hold hashes, codes, numbers
and the names of reviewers, and nothing that a sender wrote; so they may stay after a withdrawal.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pipeline import __version__, clock, publishing, texts
from pipeline.commands import custody_page, stamping
from pipeline.commands.ending import Ending, Facts
from pipeline.commands.older_ledger import opened_ledger
from pipeline.commands.stamping import StampedEvent
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import FileMissing, StageError, UsageError, from_os_error
from pipeline.history import ChainHead, CustodyEvent, EventKind, TrailEntry
from pipeline.ledger import Ledger, heads
from pipeline.ledger.chain import ChainBreak
from pipeline.model import OriginalState
from pipeline.store import FootageFile, FootageStore, files_of, original
from pipeline.store.opening import open_store
from pipeline.workspace import Workspace

_OF_MAILS = (
    *(EventKind.RECEIVED, EventKind.RECEIVED_AGAIN, EventKind.MOVED, EventKind.HANDLED),
    *(EventKind.CONSENT, EventKind.RECEIPT),
)
_OF_FILMS = (EventKind.RENDERED, EventKind.EXPORTED)
_MADE = (EventKind.MADE, EventKind.REFUSED, EventKind.RENDERED)


@dataclass(frozen=True)
class ChronologyLine:
    """One event of a chronology: what happened in words, and by which programs.

    ``facts`` has no list of the other clips of a montage: ``clips`` says how many it holds.
    """

    event: CustodyEvent
    text: str
    facts: Mapping[str, object] = field(hash=False)
    made_with: tuple[str, ...] = ()
    is_broken: bool = False


@dataclass(frozen=True)
class FileState:
    """A file as it is now: ``state`` is "as recorded", "changed" or "not there"."""

    path: str
    sha256: str
    state: str


@dataclass(frozen=True)
class Chronology:
    """All that the chain of custody says of one original.

    ``stamps``: the time stamps of the chain; ``unchecked``: why they could not be checked.
    ``is_ledger_older``: events may be missing at the end of the chain.
    """

    sha256: str
    state: OriginalState | None
    received: Mapping[str, str] = field(hash=False)  # when, by the id of the submission
    files: tuple[FileState, ...]
    lines: tuple[ChronologyLine, ...]
    head: ChainHead
    breaks: tuple[ChainBreak, ...]
    written_at: str
    stamps: tuple[StampedEvent, ...] = ()
    unchecked: str = ""
    is_ledger_older: bool = False

    def table(self) -> Facts:
        """What the JSON file holds."""
        return {
            "schema": 1,
            "sha256": self.sha256,
            "written_at": self.written_at,
            "program": __version__,
            "state": self.state,
            "received": dict(self.received),
            "files": [asdict(each) for each in self.files],
            "chain": {
                "holds": not self.breaks,
                "ledger_is_older": self.is_ledger_older,
                "events": self.head.number,
                "head": str(self.head),
                "breaks": [asdict(each) for each in self.breaks],
                "stamps": [asdict(each) for each in self.stamps],
            },
            "events": [
                {
                    **asdict(line.event),
                    "text": line.text,
                    "made_with": line.made_with,
                    "fits": not line.is_broken,
                }
                for line in self.lines
            ],
        }


def write(config: Config, console: Console, prefix: str, to: Path | None = None) -> Ending:
    """Write the chronology of the original whose SHA-256 begins with *prefix*.

    :param to: the folder; ``custody/`` in the workspace if None.
    :raises UsageError: there is no workspace, or *prefix* does not name exactly one original.
    :raises StageError: the folder can't be written.
    """
    workspace = Workspace.existing(config.root)
    with opened_ledger(config, console) as ledger:
        found = ledger.custody.matching(prefix.lower())
        if len(found) != 1:
            count = "no original has" if not found else "more than one original has"
            raise UsageError(f"{count} a SHA-256 that begins with {prefix!r}")
        told = tell(ledger, open_store(config, workspace, is_read=True), found[0])
        told = replace(told, is_ledger_older=heads.is_ledger_older(workspace, ledger))
        try:
            stamps = stamping.stamped_events(config, ledger, workspace)
            told = replace(told, stamps=tuple(stamps))
        except StageError as error:
            told = replace(told, unchecked=str(error))
    folder = to or workspace.custody
    paths = [folder / f"custody-{told.sha256[:12]}{suffix}" for suffix in (".json", ".html")]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        publishing.write_text(paths[0], json.dumps(told.table(), indent=1) + "\n")
        publishing.write_text(paths[1], custody_page.page(told))
    except OSError as error:
        raise from_os_error(error) from error
    lines = [f"{len(told.lines)} events: {', '.join(map(str, paths))}", custody_page.verdict(told)]
    lines += custody_page.stamp_lines(told)
    facts: Facts = {"custody": {**told.table(), "written": [str(path) for path in paths]}}
    is_faulty = told.breaks or custody_page.bad_stamps(told)
    return Ending(1 if is_faulty else 0, facts, tuple(lines))


def tell(ledger: Ledger, store: FootageStore, sha256: str) -> Chronology:
    """Collect the events of an original, of the mails that brought it, and of its films."""
    breaks = ledger.chain.breaks()
    own = ledger.chain.events_of([sha256])
    mails = {str(event.facts["submission"]) for event in own if "submission" in event.facts}
    # mails from before the chain have no event
    mails |= {row.submission for row in ledger.clips.rows() if row.sha256 == sha256}
    events = {event.number: event for event in own}
    events |= {
        event.number: event
        for event in ledger.chain.events_of(mails)
        if event.kind in _OF_MAILS and (event.subject in mails or event.kind == EventKind.RECEIPT)
    }
    first = min(events, default=0)
    events |= {
        event.number: event
        for event in ledger.chain.events(EventKind.VERIFIED, EventKind.BEGUN)
        if event.kind == EventKind.BEGUN or event.number > first
    }
    films = {film.sha256: film.path for film in ledger.runs.montages()}
    teller = _Teller(ledger, films, {each.number for each in breaks})
    received = {mail.id: mail.received_at for mail in ledger.intake.submissions()}
    return Chronology(
        sha256=sha256,
        state=ledger.custody.state(sha256),
        received={mail: received[mail] for mail in sorted(mails) if mail in received},
        files=tuple(_files(ledger, store, sha256)),
        lines=tuple(teller.line(events[number]) for number in sorted(events)),
        head=ledger.chain.head(),
        breaks=tuple(breaks),
        written_at=clock.now(),
    )


class _Teller:
    """Makes the line of an event, with what other tables and events know of it."""

    def __init__(self, ledger: Ledger, films: Mapping[str, str], broken: set[int]) -> None:
        self._films, self._broken = films, broken
        self._trail = {entry.id: entry for entry in ledger.reviews.trail()}
        self._digests = ledger.reviews.trail_digests()
        self._consents, self._sums = ledger.consents.entries(), ledger.consents.digests()
        runs = ledger.chain.events(EventKind.RUN, EventKind.PROGRAM)
        self._programs = _programs(runs)

    def line(self, event: CustodyEvent) -> ChronologyLine:
        facts = dict(event.facts)
        clips = facts.get("clips")
        if isinstance(clips, list):
            facts["clips"] = len(clips)
        if event.subject in self._films:
            facts["path"] = self._films[event.subject]
        name, values = event.kind, facts
        if event.kind == EventKind.DECIDED:
            entry = self._entry(event)
            name = event.kind if entry else "decided-unknown"
            values = {**facts, "by": (entry.by if entry else "") or "Somebody"}
        elif event.kind == EventKind.CONSENT:
            name, values = self._consent(event)
        elif event.kind == EventKind.HANDLED and not facts.get("handled"):
            name = "handled-undone"
        elif event.kind == EventKind.CARRIED_OVER and "state" not in facts:
            name = "carried-over-montage"
        return ChronologyLine(
            event=event,
            text=texts.custody(name, values) or event.kind,
            facts=facts,
            made_with=self._made_with(event),
            is_broken=event.number in self._broken,
        )

    def _entry(self, event: CustodyEvent) -> TrailEntry | None:
        """The entry of the trail that an event names, if it is as it was recorded."""
        number = event.facts.get("trail")
        if not isinstance(number, int) or self._digests.get(number) != event.facts.get("entry"):
            return None
        return self._trail.get(number)

    def _consent(self, event: CustodyEvent) -> tuple[str, dict[str, object]]:
        """The sentence of a consent, with who recorded it if the entry is as it was recorded."""
        number = event.facts.get("number")
        if number is None:
            return "consent-deleted", event.facts
        if not isinstance(number, int) or self._sums.get(number) != event.facts.get("entry"):
            return "consent-unknown", event.facts
        entry = self._consents.get(number)
        if entry is None:  # somebody has changed the event, and it names no entry
            return "consent-unknown", event.facts
        return "consent", {**event.facts, "by": entry.by or "Somebody"}

    def _made_with(self, event: CustodyEvent) -> tuple[str, ...]:
        run = str(event.facts.get("run", ""))
        programs = self._programs.get(run, ())
        if run:
            return programs if event.kind in _MADE else programs[:1]
        version = event.facts.get("version")
        return (f"footage {version}",) if version else ()


def _programs(events: Iterable[CustodyEvent]) -> dict[str, tuple[str, ...]]:
    """The programs of each run: first this one, then FFmpeg if the run used it."""
    found: dict[str, tuple[str, ...]] = {}
    for event in events:
        run, version = str(event.facts.get("run")), event.facts.get("version")
        name = event.facts.get("name", "footage")
        digest = event.facts.get("sha256")
        said = f"{name} {version}" + (f", SHA-256 {digest}" if digest else "")
        found[run] = (*found.get(run, ()), said)
    return found


def _files(ledger: Ledger, store: FootageStore, sha256: str) -> Sequence[FileState]:
    """The original and the files of its clip, as they are now."""
    result = ledger.clips.result(sha256)
    wanted = [original(sha256), *(files_of(result) if result else ())]
    return [FileState(file.path, file.sha256, _state(store, file)) for file in wanted]


def _state(store: FootageStore, file: FootageFile) -> str:
    digest = hashlib.sha256()
    try:
        store.size(file)  # of anything but a file nothing is read
        for piece in store.pieces(file):
            digest.update(piece)
    except FileMissing:
        return "not there"
    return "as recorded" if digest.hexdigest() == file.sha256 else "changed"
