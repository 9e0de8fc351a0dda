"""The chain of custody: one table of events that only grows, each with the hash of the one before.

An event holds hashes, codes and numbers only, so a withdrawal has nothing to delete in it.  It is
written in the same transaction as the change that it tells of.  SQLite refuses to change or delete
an event.  A person who has the file can still do so, but then the hashes do not fit any more, from
the changed event on.  If events are cut off the end, the rest still fits: this shows only by
comparison with a head that was kept elsewhere (see :meth:`Chain.head`).
"""

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline import __version__, clock, publishing
from pipeline.history import ChainHead, CustodyEvent, EventKind
from pipeline.ledger import acts
from pipeline.ledger.connection import TRIGGERS, Connection, made_triggers
from pipeline.ledger.hashing import FIRST, hash_of, stored_facts

HEADS = "heads"
"""The folder beside the ledger with the newest event and the acts of each transaction."""


@dataclass(frozen=True)
class ChainBreak:
    """An event that does not fit; ``number`` is that of the event, or of the missing one."""

    number: int
    what: str


class Chain:
    """The events of a workspace."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._run, self._begun_at = "", 0
        self._program = ""
        self._grown_from: int | None = None
        connection.after_commit = self._keep_head

    def append(self, kind: EventKind, subject: str = "", /, **facts: object) -> ChainHead:
        """Add an event at the end, as a part of the transaction that is going on.

        :param facts: hashes, codes and numbers; those that are None are left out.
        """
        kept = {name: value for name, value in facts.items() if value is not None}
        # a run has said its version already; a decision is made outside of any run
        kept |= {"run": self._run} if self._run else {"version": __version__}
        with self._db.transaction():
            head = self.head()
            link = (
                *(head.number + 1, clock.now(), str(kind), subject),
                *(stored_facts(kept), head.hash),
            )
            names = ("number", "at", "kind", "subject", "facts", "before")
            columns = dict(zip(names, link, strict=True))
            digest = hash_of(link)
            self._db.insert("event", {**columns, "hash": digest})
            if self._grown_from is None:  # read when the outermost transaction is committed
                self._grown_from = head.number
        return ChainHead(head.number + 1, digest)

    def time_original(self, sha256: str, stored: ChainHead) -> None:
        """Give an original the time of the event that stored it.

        The clock may be set between two looks at it, and the row must be as the chain says.
        """
        self._db.change(
            "UPDATE original SET stored_at = (SELECT at FROM event WHERE number = ?)"
            " WHERE sha256 = ?",
            *(stored.number, sha256),
        )

    def begin_run(self, run_id: str, command: str) -> None:
        """Add that a command began; the events that follow name its run."""
        self._run = run_id
        self._begun_at = self.append(EventKind.RUN, command=command, version=__version__).number

    def note_program(self, name: str, version: str, sha256: str) -> None:
        """Add which program makes the clips and films of this run, once."""
        if self._program != sha256:
            self._program = sha256
            self.append(EventKind.PROGRAM, name=name, version=version, sha256=sha256)

    def head(self) -> ChainHead:
        """The newest event."""
        row = self._db.row("SELECT number, hash FROM event ORDER BY number DESC LIMIT 1")
        return ChainHead(row["number"], row["hash"]) if row else ChainHead(0, FIRST)

    def _keep_head(self) -> None:
        """Write the newest event into a file beside the ledger, if events were added.

        The acts of people among them are written there too.  An older ledger that was put back
        does not have them.  There are two files for each day.
        """
        if self._grown_from is None:
            return
        before, self._grown_from = self._grown_from, None
        day = clock.now()[:10].replace("-", "")
        beside = self._db.path.parent / HEADS
        done = [acts.line_of(event) for event in self.events(*acts.KINDS, after=before)]
        with contextlib.suppress(OSError):  # the change is recorded, also if the disk is full
            if done:
                publishing.add_line(beside / f"{day}.jsonl", "\n".join(done))
            publishing.add_line(beside / f"{day}.txt", str(self.head()))

    def last(self, kind: EventKind) -> int:
        """The number of the newest event of a kind; 0 if there is none."""
        row = self._db.row("SELECT max(number) AS number FROM event WHERE kind = ?", kind)
        return int(row["number"] or 0) if row else 0

    def first_of(self, kind: EventKind) -> dict[str, tuple[int, str]]:
        """The number and the time of the first event of a kind for each subject."""
        return self._numbered("min", kind)

    def newest_of(self, kind: EventKind) -> dict[str, tuple[int, str]]:
        """The number and the time of the newest event of a kind for each subject."""
        return self._numbered("max", kind)

    def _numbered(self, end: Literal["min", "max"], kind: EventKind) -> dict[str, tuple[int, str]]:
        rows = self._db.rows(  # beside min or max, SQLite gives the other columns of the same row
            f"SELECT subject, {end}(number) AS number, at FROM event WHERE kind = ?"  # noqa: S608
            " GROUP BY subject",
            kind,
        )
        return {row["subject"]: (row["number"], row["at"]) for row in rows}

    def events(self, *kinds: EventKind, after: int = 0) -> Iterator[CustodyEvent]:
        """The events in order behind the one numbered *after*: all, or those of some kinds."""
        wanted = json.dumps(kinds)
        for row in self._db.rows(
            "SELECT * FROM event WHERE number > ?2 AND (?1 = '[]'"
            " OR kind IN (SELECT value FROM json_each(?1))) ORDER BY number",
            *(wanted, after),
        ):
            yield _event(row)

    def events_of(self, subjects: Iterable[str]) -> list[CustodyEvent]:
        """The events whose subject is one of *subjects*, or whose facts name one, in order."""
        found: dict[int, CustodyEvent] = {}
        for subject in subjects:
            rows = self._db.rows(
                "SELECT * FROM event WHERE subject = ?1 OR instr(facts, ?2)",
                *(subject, f'"{subject}"'),
            )
            found |= {row["number"]: _event(row) for row in rows}
        return [found[number] for number in sorted(found)]

    def holds(self, head: ChainHead) -> bool:
        """Whether the chain has this event: then nothing up to it was cut off."""
        row = self._db.row("SELECT hash FROM event WHERE number = ?", head.number)
        return row is not None and row["hash"] == head.hash

    def has_all(self, heads: Collection[ChainHead]) -> bool:
        """Whether the chain has each of these events."""
        if not heads:
            return True
        numbers = [head.number for head in heads]
        rows = self._db.rows(
            "SELECT number, hash FROM event WHERE number BETWEEN ? AND ?",
            *(min(numbers), max(numbers)),
        )
        own = {row["number"]: row["hash"] for row in rows}
        return all(own.get(head.number) == head.hash for head in heads)

    def ended_before(self, number: int) -> bool:
        """Whether the chain had no event of this number before the run that goes on."""
        return number > self.head().number or 0 < self._begun_at <= number

    def changed_triggers(self) -> list[str]:
        """The triggers that the ledger does not have as the program made them, or has besides."""
        found = {row["name"]: row["sql"] for row in self._db.rows(TRIGGERS)}
        wanted = made_triggers()
        return sorted(name for name in found | wanted if found.get(name) != wanted.get(name))

    def breaks(self) -> list[ChainBreak]:
        """Where the chain does not hold; empty if it does."""
        found: list[ChainBreak] = []
        number, before = 0, FIRST
        for row in self._db.rows("SELECT * FROM event ORDER BY number"):
            if row["number"] != number + 1:
                found.append(ChainBreak(number + 1, "events are missing before the next one"))
            elif row["before"] != before:
                found.append(ChainBreak(row["number"], "it does not follow the event before it"))
            number, before = row["number"], row["hash"]
            link = (number, row["at"], row["kind"], row["subject"], row["facts"], row["before"])
            if hash_of(link) != row["hash"]:
                found.append(ChainBreak(number, "its content was changed"))
        if not number:
            found.append(ChainBreak(1, "there are no events"))
        return found


def _event(row: sqlite3.Row) -> CustodyEvent:
    """An event of the table, also if somebody has changed it to what is not JSON."""
    try:
        facts = json.loads(row["facts"])
    except ValueError:
        facts = None
    columns = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row is not a mapping
    return CustodyEvent(**{**columns, "facts": facts if isinstance(facts, dict) else {}})
