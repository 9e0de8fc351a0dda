"""Rows of the ledger that are not as the chain of custody says.

Only what the chain can prove is compared.  Rows that are older than the chain have no event, so
they are passed over.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection
from pipeline.ledger.hashing import digest_of_row
from pipeline.ledger.proofs import Proved
from pipeline.ledger.reviews import Reviews
from pipeline.model import OriginalState, Reason, Status

ChangedRow = tuple[str, str]
"""The name of a row for a person, and the SHA-256 of the original that it concerns, or ""."""

# A row and its event are written in one transaction, each with the time of its own moment.
_SAME_TIME = timedelta(minutes=1)


class Checks:
    """Comparisons of the ledger's rows with the sum of the chain's events."""

    def __init__(self, connection: Connection, chain: Chain) -> None:
        self._db, self._chain = connection, chain

    def changed_rows(self, proved: Proved) -> list[ChangedRow]:
        """The rows of decisions, originals, clips, montages, mails and receipts that differ."""
        found = (
            *(*self._decisions(proved), *self._originals(proved), *self._clips(proved)),
            *(*self._montages(proved), *self._mails(proved), *self._receipts(proved)),
        )
        return list(dict.fromkeys(found))

    def _decisions(self, proved: Proved) -> Iterator[ChangedRow]:
        """Compare each decision with the newest entry of its trail, which the chain proves."""
        reviews = Reviews(self._db, self._chain)
        current = reviews.current()
        trail = reviews.trail()
        entries = {entry.id: entry.after for entry in trail}
        older = {entry.sha256 for entry in trail if entry.id <= proved.trail_from}
        older -= proved.withdrawn.keys()
        for sha256 in sorted(current.keys() | proved.decided.keys()):
            number = proved.decided.get(sha256)
            if number is None:
                is_changed = sha256 not in older
            elif sha256 in current:
                # an entry that is gone is named as such
                is_changed = current[sha256] != entries.get(number, current[sha256])
            else:
                is_changed = proved.states.get(sha256) is not OriginalState.WITHDRAWN
            if is_changed:
                yield f"row of the decision on {sha256[:12]}", sha256

    def _originals(self, proved: Proved) -> Iterator[ChangedRow]:
        for row in self._db.rows("SELECT sha256, size, stored_at FROM original ORDER BY sha256"):
            sha256 = row["sha256"]
            size = proved.sizes.get(sha256, row["size"])
            stored_at = proved.stored_at.get(sha256, row["stored_at"])
            if size != row["size"] or not _is_same_time(stored_at, row["stored_at"]):
                yield f"row of the original {sha256[:12]}", sha256

    def _clips(self, proved: Proved) -> Iterator[ChangedRow]:
        rows = self._db.rows("SELECT sha256, status, reason, detail_code FROM clip ORDER BY sha256")
        for row in rows:
            verdict = row["reason"] or "", row["detail_code"] or ""
            is_proved = verdict == proved.verdicts.get(row["sha256"], verdict)
            if not is_proved or row["status"] != _status(row["reason"]):
                yield f"row of the clip {row['sha256'][:12]}", row["sha256"]

    def _montages(self, proved: Proved) -> Iterator[ChangedRow]:
        newest = {film.path: sha256 for sha256, film in proved.films.items() if film.path}
        for row in self._db.rows("SELECT path, key, sha256, clips, stale FROM montage"):
            gone = newest.pop(digest_of_row([row["path"]]), row["sha256"]) != row["sha256"]
            film = proved.films.get(row["sha256"])
            if film is None:
                continue  # named as unknown to the chain
            is_outdated = any(proved.withdrawn.get(each, 0) > film.number for each in film.clips)
            stored = row["key"], tuple(json.loads(row["clips"]))
            if gone or stored != (film.key, film.clips) or (is_outdated and not row["stale"]):
                yield f"row of the montage {row['path']}", ""
        for sha256 in newest.values():
            yield f"row of the montage with the SHA-256 {sha256[:12]}", ""

    def _mails(self, proved: Proved) -> Iterator[ChangedRow]:
        """Compare which mails there are; what is in their words has no event."""
        stored = Counter(
            (row["submission"], row["digest"])
            for row in self._db.rows("SELECT submission, digest FROM mail")
        )
        changed = {
            delivery[0]
            for delivery in stored.keys() | proved.mails.keys()
            if stored[delivery] != proved.mails[delivery]
        }
        changed |= proved.received ^ set(self._db.column("SELECT id FROM submission"))
        for submission in sorted(changed):
            if submission in proved.received or not proved.older:
                yield f"row of the mail {submission}", ""

    def _receipts(self, proved: Proved) -> Iterator[ChangedRow]:
        rows = self._db.rows(
            "SELECT code_hash, submissions, state FROM receipt WHERE state != 'claimed'"
        )
        stored = {
            row["code_hash"]: (tuple(json.loads(row["submissions"])), row["state"]) for row in rows
        }
        later = stored.keys() if proved.has_all_receipts else set[str]()
        for code in sorted(later | proved.receipts.keys()):
            if stored.get(code) != proved.receipts.get(code):
                yield f"row of the receipt {code[:12]}", ""


def _status(reason: str | None) -> Status | None:
    if not reason:
        return Status.ACCEPTED
    return Reason(reason).status if reason in set(Reason) else None


def _is_same_time(one: str, other: str) -> bool:
    try:
        return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) < _SAME_TIME
    except (ValueError, TypeError):
        return False
