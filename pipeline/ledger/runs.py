"""The commands that ran, and the montages that they made."""

import json
from collections.abc import Iterable, Mapping

from pipeline import clock
from pipeline.history import EventKind, MontageRecord, RunRecord
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
        """Record how a command ended."""
        self._db.change(
            "UPDATE run SET ended_at = ?, exit_code = ?, summary = ? WHERE id = ?",
            *(clock.now(), exit_code, json.dumps(summary, default=str), run_id),
        )

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
        listed = json.loads(row["waits"]) if row else []
        return {each["sha256"]: Wait(each["why"]) for each in listed}

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
        return [records.read(RunRecord, row) for row in rows]

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

    def montages(self) -> list[MontageRecord]:
        """All montages, by path."""
        rows = self._db.rows("SELECT * FROM montage ORDER BY path")
        return [records.read(MontageRecord, row) for row in rows]
