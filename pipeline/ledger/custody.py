"""Which originals are kept, which were deleted, and which were withdrawn."""

import hashlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path

from pipeline import addressees
from pipeline.errors import UsageError
from pipeline.history import CaseHold, EventKind
from pipeline.ledger import records
from pipeline.ledger.backups import Backups
from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection
from pipeline.ledger.consents import Consents
from pipeline.model import OriginalState

_FAMILY = """
    WITH RECURSIVE above (submission, position) AS (
        SELECT submission, parent FROM attachment WHERE sha256 = ?1
        UNION
        SELECT a.submission, a.parent FROM attachment a JOIN above
            ON a.submission = above.submission AND a.position = above.position
    ), below (submission, position, pair) AS (
        SELECT submission, position, pair FROM attachment WHERE sha256 = ?1
        UNION
        SELECT a.submission, a.position, a.pair FROM attachment a JOIN below
            ON a.submission = below.submission AND (
                a.parent = below.position OR a.pair = below.position OR a.position = below.pair
            )
    )
    SELECT DISTINCT a.sha256 FROM attachment a JOIN (
        SELECT submission, position FROM above UNION SELECT submission, position FROM below
    ) f ON f.submission = a.submission AND f.position = a.position
    WHERE a.sha256 IS NOT NULL
"""


_TOLD = {
    OriginalState.KEPT: EventKind.RETURNED,
    OriginalState.PURGED: EventKind.PURGED,
    OriginalState.WITHDRAWN: EventKind.WITHDRAWN,
    OriginalState.LOST: EventKind.LOST,
}


class Custody:
    """The state of each original.  A deleted one keeps its row, so that its bytes are known."""

    def __init__(self, connection: Connection, chain: Chain, backups: Backups) -> None:
        self._db, self._chain, self._backups = connection, chain, backups

    def state(self, sha256: str) -> OriginalState | None:
        """The state of an original, None if these bytes never came."""
        row = self._db.row("SELECT state FROM original WHERE sha256 = ?", sha256)
        return records.state(row) if row else None

    def states(self, *, skips: bool = False) -> dict[str, OriginalState]:
        """The state of each original, by SHA-256.

        :param skips: leave out rows that can't be read.
        """
        rows = self._db.rows("SELECT sha256, state FROM original")
        return {
            row["sha256"]: state
            for row, state in records.readable(rows, records.state, skips=skips)
        }

    def withdrawn(self) -> list[str]:
        """The SHA-256 of all bytes that somebody took back."""
        return self._db.column("SELECT sha256 FROM original WHERE state = 'withdrawn'")

    def set_state(self, sha256: str, state: OriginalState) -> None:
        """Record that an original was deleted, or that it came back and is kept from now on."""
        with self._db.transaction():
            changed = self._db.change(
                "UPDATE original SET state = ?1 WHERE sha256 = ?2 AND state != ?1", state, sha256
            )
            if changed:
                head = self._chain.append(_TOLD[state], sha256)
                if state is OriginalState.KEPT:
                    self._chain.time_original(sha256, head)

    def case_holds(self) -> dict[str, CaseHold]:
        """The originals that are kept for a case, by SHA-256."""
        rows = self._db.rows("SELECT * FROM case_hold ORDER BY at, sha256")
        return {row["sha256"]: records.read_row(CaseHold, row) for row in rows}

    def keep_for_case(self, hold: CaseHold) -> None:
        """Keep an original for a case until that is ended.

        :raises UsageError: it is not there any more.
        """
        with self._db.transaction():
            if self.state(hold.sha256) is not OriginalState.KEPT:
                raise UsageError(f"the original of {hold.sha256[:12]} is not there any more")
            self._db.insert("case_hold", records.columns(hold), replace=True)
            self._chain.append(EventKind.CASE_OPENED, hold.sha256, why=_digest(hold.why))

    def case_digests(self) -> dict[str, str]:
        """The SHA-256 of why each original is kept for a case, as its event has it."""
        return {sha256: _digest(hold.why) for sha256, hold in self.case_holds().items()}

    def end_case(self, sha256: str) -> bool:
        """Do not keep an original for a case any longer; False if it was not kept for one."""
        with self._db.transaction():
            ended = self._db.change("DELETE FROM case_hold WHERE sha256 = ?", sha256)
            if ended:
                self._chain.append(EventKind.CASE_CLOSED, sha256)
        return bool(ended)

    def matching(self, prefix: str) -> list[str]:
        """The originals whose SHA-256 begins with *prefix* (hex digits), at most two."""
        return self._db.column(
            "SELECT DISTINCT sha256 FROM attachment WHERE substr(sha256, 1, ?) = ? LIMIT 2",
            *(len(prefix), prefix),
        )

    def newest(self) -> set[str]:
        """The originals that came in with the last run that brought any."""
        return set(
            self._db.column(
                "SELECT sha256 FROM original WHERE stored_at >= (SELECT max(started_at) FROM run"
                " WHERE started_at <= (SELECT max(stored_at) FROM original))"
            )
        )

    def stored_by(self, moment: str) -> list[tuple[str, bool]]:
        """Kept originals stored by *moment*, each with whether nothing is left to make of it."""
        rows = self._db.rows(
            "SELECT o.sha256, EXISTS (SELECT 1 FROM clip c WHERE c.sha256 = o.sha256"
            "  AND c.status IN ('accepted', 'rejected'))"
            " OR NOT EXISTS (SELECT 1 FROM attachment a WHERE a.sha256 = o.sha256"
            "  AND a.reason IS NULL AND a.kind != 'archive') AS finished"
            " FROM original o WHERE o.state = 'kept' AND o.stored_at <= ? ORDER BY o.stored_at",
            moment,
        )
        return [(row["sha256"], bool(row["finished"])) for row in rows]

    def received(self, *, submission: str | None, sender: str | None) -> list[str]:
        """The originals that came in a submission, or from a sender's address."""
        person = addressees.person(sender or "")
        senders = self._db.column("SELECT DISTINCT sender FROM submission") if person else []
        own = [each for each in senders if addressees.person(each) == person]
        return self._db.column(
            "SELECT DISTINCT a.sha256 FROM attachment a JOIN submission s ON s.id = a.submission"
            " WHERE a.sha256 IS NOT NULL"
            " AND (s.id = ? OR s.sender IN (SELECT value FROM json_each(?)))",
            *(submission, json.dumps(own)),
        )

    def other_addresses(self, sender: str) -> list[str]:
        """The other addresses that may be of the same mailbox as *sender*, with footage left."""
        person, mailbox = addressees.person(sender), addressees.mailbox(sender)
        if not mailbox:
            return []
        found = self._db.column(
            "SELECT DISTINCT s.sender FROM submission s JOIN attachment a ON a.submission = s.id"
            " JOIN original o ON o.sha256 = a.sha256 WHERE o.state != 'withdrawn' ORDER BY s.sender"
        )
        others = (each for each in found if addressees.person(each) != person)
        return [each for each in others if addressees.mailbox(each) == mailbox]

    def archives_and_members(self, shas: Iterable[str]) -> list[str]:
        """*shas*, the archives around them, what is in them, and the other half of each pair."""
        wanted = dict.fromkeys(shas)
        for sha256 in list(wanted):
            wanted |= dict.fromkeys(self._db.column(_FAMILY, sha256))
        return list(wanted)

    def montages_with(self, shas: list[str]) -> list[str]:
        """The paths of the montages that hold one of these clips."""
        montages = self._db.rows("SELECT path, clips FROM montage ORDER BY path")
        return [row["path"] for row in montages if set(records.strings(row["clips"])) & set(shas)]

    def withdraw(
        self, shas: list[str], *, also_kept: bool = False, backups: Collection[Path] = ()
    ) -> list[str]:
        """Record that footage was taken back, and delete its outcomes and decisions.

        The words of a mail and the consent are deleted with the last clip that came in it.  The
        backups of the ledger are deleted too, because they hold the same words.

        :param also_kept: also what is kept for a case.
        :param backups: those that stay, see :meth:`Backups.newer`.
        :returns: the paths of the montages that hold it; they are stale now.
        :raises UsageError: some of it is kept for a case; nothing is changed then.
        """
        with self._db.transaction():
            kept = [sha256 for sha256 in self.case_holds() if sha256 in set(shas)]
            if kept and not also_kept:
                names = ", ".join(sha256[:12] for sha256 in kept)
                raise UsageError(
                    f"nothing was deleted: {names} is kept for a case (see: footage keep). To "
                    "delete it all the same, add --also-kept. Until then footage reject keeps it "
                    "out of the montage"
                )
            for sha256 in shas:
                self.end_case(sha256)
                self.set_state(sha256, OriginalState.WITHDRAWN)
                self._db.change("DELETE FROM clip WHERE sha256 = ?", sha256)
                self._db.change("DELETE FROM decision WHERE sha256 = ?", sha256)
            for sha256 in shas:
                self._db.change(
                    "UPDATE submission SET subject = '', text = '', name = '', links = '[]'"
                    " WHERE id IN (SELECT submission FROM attachment WHERE sha256 = ?)"
                    " AND NOT EXISTS (SELECT 1 FROM attachment a JOIN original o"
                    "  ON o.sha256 = a.sha256 WHERE a.submission = submission.id"
                    "  AND o.state != 'withdrawn' AND a.reason IS NULL AND a.kind != 'archive')",
                    sha256,
                )
            Consents(self._db, self._chain).forget(shas)
            stale = self.montages_with(shas)
            for path in stale:
                self._db.change("UPDATE montage SET stale = 1 WHERE path = ?", path)
        self._db.erase_deleted()
        self._backups.delete_all(backups)
        return stale


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
