"""The ledger's part on runs and on the montages that they made."""

from __future__ import annotations

import json
from typing import Any

from pipeline import clock
from pipeline.ledger.connection import Connection


class Runs(Connection):
    """What was done when, and what each montage holds."""

    def start_run(self, run_id: str, command: str) -> None:
        """Note that a command began."""
        with self.transaction():
            self._db.execute(
                "INSERT INTO run (id, command, started_at) VALUES (?, ?, ?)",
                (run_id, command, clock.now()),
            )

    def end_run(self, run_id: str, exit_code: int, summary: dict[str, Any]) -> None:
        """Note how a command ended."""
        with self.transaction():
            self._db.execute(
                "UPDATE run SET ended_at = ?, exit_code = ?, summary = ? WHERE id = ?",
                (clock.now(), exit_code, json.dumps(summary, default=str), run_id),
            )

    def last_run(self) -> dict[str, Any] | None:
        """The newest run: id, command, started_at, ended_at, exit_code, summary."""
        row = self._db.execute("SELECT * FROM run ORDER BY started_at DESC, id DESC").fetchone()
        if row is None:
            return None
        return dict(row) | {"summary": json.loads(row["summary"] or "{}")}

    def montage_key(self, path: str) -> str | None:
        """The key of the montage that stands at *path*, None if there is none or it is stale."""
        row = self._db.execute(
            "SELECT key FROM montage WHERE path = ? AND NOT stale", (path,)
        ).fetchone()
        return row["key"] if row else None

    def record_montage(self, path: str, key: str, sha256: str, clips: list[str]) -> None:
        """Note what went into a montage."""
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO montage VALUES (?, ?, ?, ?, ?, 0)",
                (path, key, sha256, json.dumps(clips), clock.now()),
            )

    def montages(self) -> list[dict[str, Any]]:
        """All montages: path, key, sha256, clips (list of SHA-256), made_at, stale."""
        rows = self._db.execute("SELECT * FROM montage ORDER BY path")
        return [
            dict(row) | {"clips": json.loads(row["clips"]), "stale": bool(row["stale"])}
            for row in rows
        ]
