"""The commands that ran, and the montages that they made."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from pipeline import clock
from pipeline.history import (
    EventKind,
    HeadsSeen,
    InboxFailed,
    InboxRemains,
    InboxRemark,
    MailInInbox,
    MontageRecord,
    RunRecord,
    WordsRead,
)
from pipeline.ledger import records
from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection
from pipeline.ledger.hashing import digest_of_row
from pipeline.model import Wait


class Runs:
    """What was done when, and what each montage holds."""

    def __init__(self, connection: Connection, chain: Chain) -> None:
        self._db, self._chain = connection, chain

    def start(self, run_id: str, command: str) -> None:
        """Record that a command began."""
        columns = {"id": run_id, "command": command, "started_at": clock.now()}
        with self._db.transaction():
            self._db.insert("run", columns)
            self._chain.begin_run(run_id, command)

    def end(self, run_id: str, exit_code: int, summary: Mapping[str, object]) -> None:
        """Record how a command ended; what its stages noted stays."""
        with self._db.transaction():
            row = self._db.row("SELECT summary FROM run WHERE id = ?", run_id)
            with records.reading():
                noted = json.loads(row["summary"]) if row and row["summary"] else {}
                whole = json.dumps(_joined(summary, noted), default=str)
            self._db.change(
                "UPDATE run SET ended_at = ?, exit_code = ?, summary = ? WHERE id = ?",
                *(clock.now(), exit_code, whole, run_id),
            )

    def note_remains(self, remains: InboxRemains) -> None:
        """Record in the newest run what its reading of the inboxes did not take in."""
        self._note(asdict(remains))

    def note_heads(self, seen: HeadsSeen) -> None:
        """Record in the newest run which kept heads were found in the chain."""
        self._note({"heads_seen": asdict(seen)})

    def heads_seen(self) -> HeadsSeen:
        """Which kept heads a run has found in the chain.

        An older ledger that was put back has an older record.  Of a record that can't be read
        nothing counts, so that all logs are read again; verify names its row.
        """
        row = self._db.row(
            "SELECT summary -> '$.heads_seen' AS seen FROM run"
            " WHERE json_type(summary, '$.heads_seen') = 'object'"
            " ORDER BY started_at DESC, id DESC LIMIT 1"
        )
        try:
            return _heads_seen(json.loads(row["seen"]) if row else {})
        except TypeError:
            return HeadsSeen()

    def _note(self, facts: Mapping[str, object]) -> None:
        self._db.change(
            "UPDATE run SET summary = json_patch(coalesce(summary, '{}'), json(?))"
            " WHERE id = (SELECT id FROM run ORDER BY started_at DESC, id DESC LIMIT 1)",
            json.dumps(facts),
        )

    def remains(self) -> InboxRemains:
        """What the newest run that read inboxes did not take in."""
        row = self._db.row(
            "SELECT json_object('left', summary -> '$.left',"
            " 'inboxes_failed', summary -> '$.inboxes_failed',"
            " 'inbox_remarks', summary -> '$.inbox_remarks') AS remains FROM run"
            " WHERE json_type(summary, '$.left') = 'array'"
            # a run of before there was this record has no such list if nothing was left
            " OR json_type(summary, '$.ingest') = 'object'"
            " ORDER BY started_at DESC, id DESC LIMIT 1"
        )
        with records.reading():
            return _remains(json.loads(row["remains"]) if row else {})

    def has_report_since(self, run_id: str) -> bool:
        """Whether this run or a later one has written the report."""
        row = self._db.row(
            "SELECT id FROM run WHERE id >= ? AND json_type(summary, '$.report') = 'object'", run_id
        )
        return row is not None

    def began_with_receipts(self) -> str:
        """When the first run began that sent receipts, or tried to; "" if none did."""
        row = self._db.row(
            "SELECT started_at FROM run WHERE json_type(summary, '$.receipts') = 'object'"
            " ORDER BY started_at, id LIMIT 1"
        )
        return str(row["started_at"]) if row else ""

    def note_not_stored(self, paths: Sequence[str]) -> None:
        """Record in the newest run which files were not sent to the store, by their paths."""
        self._note({"not_stored": list(paths)})

    def not_stored(self) -> tuple[str, ...]:
        """What the newest run that sent files to the store did not send: their bytes are others."""
        row = self._db.row(
            "SELECT summary -> '$.not_stored' AS paths FROM run WHERE paths IS NOT NULL"
            " ORDER BY started_at DESC, id DESC LIMIT 1"
        )
        return records.strings(row["paths"]) if row else ()

    def note_words_read(self, read: WordsRead) -> None:
        """Record in the newest run by which rules all mails were read for words of taking back."""
        self._note({"words_read": asdict(read)})

    def words_read(self) -> WordsRead:
        """By which rules a run has read all mails for words of taking back, as the newest says."""
        row = self._db.row(
            "SELECT summary -> '$.words_read' AS found FROM run WHERE found IS NOT NULL"
            " ORDER BY started_at DESC, id DESC LIMIT 1"
        )
        return records.read_row(WordsRead, json.loads(row["found"])) if row else WordsRead()

    def note_waits(self, waits: Mapping[str, Wait]) -> None:
        """Record in the newest run which originals wait for the next one, by SHA-256, and why."""
        listed = [{"sha256": sha256, "why": why} for sha256, why in waits.items()]
        self._db.change(
            "UPDATE run SET summary = json_set(coalesce(summary, '{}'), '$.process.waits', json(?))"
            " WHERE id = (SELECT id FROM run ORDER BY started_at DESC, id DESC LIMIT 1)",
            json.dumps(listed),
        )

    def waits(self) -> dict[str, Wait]:
        """The originals that the newest run which made clips left for the next one, and why."""
        row = self._db.row(
            "SELECT json_extract(summary, '$.process.waits') AS waits FROM run"
            " WHERE waits IS NOT NULL ORDER BY started_at DESC, id DESC LIMIT 1"
        )
        with records.reading():
            return _waits(json.loads(row["waits"]) if row else [])

    def last(self, command: str | None = None) -> RunRecord | None:
        """The newest run of a command, or of any command if none is named."""
        return next(iter(self.latest(command, 1)), None)

    def latest(self, command: str | None, count: int) -> list[RunRecord]:
        """The newest runs of a command, or of any command if it is None; the newest first."""
        rows = self._db.rows(
            "SELECT id, command, started_at, ended_at, exit_code,"
            " coalesce(summary, '{}') AS summary FROM run WHERE ?1 IS NULL OR command = ?1"
            " ORDER BY started_at DESC, id DESC LIMIT ?2",
            *(command, count),
        )
        return [read_run(row) for row in rows]

    def since_night(self) -> list[str]:
        """The names of the last night and of all runs since; of all runs if there was no night."""
        rows = self._db.rows(
            "SELECT id FROM run"
            " WHERE id >= coalesce((SELECT max(id) FROM run WHERE command = 'run'), '')"
        )
        return [row["id"] for row in rows]

    def montage_key(self, path: str) -> str | None:
        """The key of the montage at *path*, None if there is none or it is stale."""
        row = self._db.row("SELECT key FROM montage WHERE path = ? AND NOT stale", path)
        return row["key"] if row else None

    def record_montage(self, montage: MontageRecord) -> None:
        """Record what went into a montage."""
        with self._db.transaction():
            self._db.insert("montage", records.columns(montage), replace=True)
            self._chain.append(
                *(EventKind.RENDERED, montage.sha256),
                key=montage.key,
                clips=montage.clips,
                path=digest_of_row([montage.path]),
            )

    def record_export(self, sha256: str, kind: str, clips: Iterable[str]) -> None:
        """Record that a montage was written as a timeline.

        :param sha256: of the file.
        :param kind: its format.
        :param clips: the originals that it holds, in order.
        """
        self._chain.append(EventKind.EXPORTED, sha256, format=kind, clips=list(clips))

    def mark_stale(self, path: str) -> None:
        """Record that a montage must be made again."""
        self._db.change("UPDATE montage SET stale = 1 WHERE path = ?", path)

    def montages(self, *, skips: bool = False) -> list[MontageRecord]:
        """All montages, by path.

        :param skips: leave out rows that can't be read.
        """
        rows = self._db.rows("SELECT * FROM montage ORDER BY path")
        return [film for _, film in records.readable(rows, read_montage, skips=skips)]


def _joined(summary: Mapping[str, object], noted: Mapping[str, object]) -> dict[str, object]:
    """What a command says at its end, and what its stages noted before, which counts more."""
    whole = {**summary, **noted}
    for key, value in noted.items():
        said = summary.get(key)
        if isinstance(said, Mapping) and isinstance(value, Mapping):
            whole[key] = {**said, **value}
    return whole


def read_run(row: sqlite3.Row) -> RunRecord:
    """Read a row of runs.

    :raises RowUnreadable: it can't be read.
    """
    run = records.read_row(RunRecord, row)
    with records.reading():
        _heads_seen(run.summary.get("heads_seen", {}))
    return run


def check_run(row: sqlite3.Row) -> None:
    """Read all of a row of runs that any command reads.

    :raises RowUnreadable: something can't be read.
    """
    summary = read_run(row).summary
    with records.reading():
        _remains(summary)
        made = summary.get("process", {})
        if not isinstance(made, Mapping):
            raise TypeError
        _waits(made.get("waits", []))
        records.strings(json.dumps(summary.get("not_stored", [])))
        _ = [records.read(WordsRead, it) for it in _objects([summary.get("words_read", {})])]


def _remains(stored: Mapping[str, object]) -> InboxRemains:
    """Read what was left in the inboxes.

    :raises TypeError: it has another form; ValueError and KeyError are possible too.
    """
    return InboxRemains(
        tuple(records.read(MailInInbox, each) for each in _objects(stored.get("left"))),
        tuple(records.read(InboxFailed, each) for each in _objects(stored.get("inboxes_failed"))),
        tuple(records.read(InboxRemark, each) for each in _objects(stored.get("inbox_remarks"))),
    )


def _waits(stored: object) -> dict[str, Wait]:
    """Read which originals wait for the next run, and why.

    :raises TypeError: it has another form; ValueError and KeyError are possible too.
    """
    found = {}
    for each in _objects(stored):
        sha256 = each["sha256"]
        if not isinstance(sha256, str):
            raise TypeError
        found[sha256] = Wait(str(each["why"]))
    return found


def _objects(stored: object) -> list[Mapping[str, object]]:
    """Read a list of JSON objects; None is an empty one.

    :raises TypeError: it is not such a list.
    """
    if stored is None:
        return []
    if not isinstance(stored, list) or not all(isinstance(each, Mapping) for each in stored):
        raise TypeError
    return stored


def _heads_seen(stored: object) -> HeadsSeen:
    """Read which kept heads were found.

    :raises TypeError: it has another form.
    """
    if not isinstance(stored, dict):
        raise TypeError
    days, before = stored.get("days", {}), stored.get("before", "")
    if not isinstance(days, dict) or not isinstance(before, str):
        raise TypeError
    if not all(type(number) is int and number >= 0 for number in days.values()):
        raise TypeError
    return HeadsSeen(days, before)


def read_montage(row: sqlite3.Row) -> MontageRecord:
    """Read a row of montages.

    :raises RowUnreadable: it can't be read.
    """
    return records.read_row(MontageRecord, row)
