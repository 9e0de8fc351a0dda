"""The ledger's part on what is kept and what is taken back."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.ledger.runs import Runs


class Custody(Runs):
    """What is deleted leaves its SHA-256, so that the same bytes are known again."""

    def originals_stored_by(self, moment: str) -> list[tuple[str, bool]]:
        """Kept originals stored by *moment*, each with whether nothing is left to make."""
        rows = self._db.execute(
            "SELECT o.sha256, EXISTS (SELECT 1 FROM clip c WHERE c.sha256 = o.sha256"
            "  AND c.status IN ('accepted', 'rejected'))"
            " OR NOT EXISTS (SELECT 1 FROM attachment a WHERE a.sha256 = o.sha256"
            "  AND a.reason IS NULL AND a.kind != 'archive') AS finished"
            " FROM original o WHERE o.state = 'kept' AND o.stored_at <= ? ORDER BY o.stored_at",
            (moment,),
        )
        return [(row["sha256"], bool(row["finished"])) for row in rows]

    def originals_of(self, *, submission: str | None, sender: str | None) -> list[str]:
        """The originals that came in a submission, or from a sender's address."""
        rows = self._db.execute(
            "SELECT DISTINCT a.sha256 FROM attachment a JOIN submission s ON s.id = a.submission"
            " WHERE a.sha256 IS NOT NULL AND (s.id = ? OR lower(s.sender) = lower(?))",
            (submission, sender),
        )
        return [row["sha256"] for row in rows]

    def archives_and_members(self, shas: Iterable[str]) -> list[str]:
        """*shas*, the archives that hold them, and what came in those among them."""
        wanted = dict.fromkeys(shas)
        for sha256 in list(wanted):
            rows = self._db.execute(
                "SELECT other.sha256 FROM attachment a JOIN attachment other"
                " ON other.submission = a.submission"
                " AND (other.position = a.parent OR other.parent = a.position)"
                " WHERE a.sha256 = ? AND other.sha256 IS NOT NULL",
                (sha256,),
            )
            wanted |= dict.fromkeys(row["sha256"] for row in rows)
        return list(wanted)

    def withdraw(self, shas: list[str]) -> list[str]:
        """Note that footage was taken back: what was made of it and decided on it is forgotten.

        What a mail said goes with the last clip that came in it.

        :returns: the paths of the montages that hold it; they are stale now.
        """
        with self.transaction():
            for sha256 in shas:
                self._db.execute(
                    "UPDATE original SET state = 'withdrawn' WHERE sha256 = ?", (sha256,)
                )
                self._db.execute("DELETE FROM clip WHERE sha256 = ?", (sha256,))
                self._db.execute("DELETE FROM decision WHERE sha256 = ?", (sha256,))
            for sha256 in shas:
                self._db.execute(
                    "UPDATE submission SET subject = '', text = '' WHERE id IN"
                    " (SELECT submission FROM attachment WHERE sha256 = ?) AND NOT EXISTS"
                    " (SELECT 1 FROM attachment a JOIN original o ON o.sha256 = a.sha256"
                    "  WHERE a.submission = submission.id AND o.state != 'withdrawn'"
                    "  AND a.reason IS NULL AND a.kind != 'archive')",
                    (sha256,),
                )
            stale = [film["path"] for film in self.montages() if set(film["clips"]) & set(shas)]
            self._db.executemany(
                "UPDATE montage SET stale = 1 WHERE path = ?", [(path,) for path in stale]
            )
        # deleted words are zeros in the ledger itself, but the log beside it has them still
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return stale
