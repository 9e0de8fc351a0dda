"""Rows of the ledger that are not as the chain of custody says.

Only what the chain can prove is compared.  Rows that are older than the chain have no event, so
they are passed over.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from pipeline.consent import ConsentRecord
from pipeline.errors import RowUnreadable
from pipeline.ledger import records
from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection
from pipeline.ledger.hashing import digest_of_row
from pipeline.ledger.proofs import Proved
from pipeline.ledger.reviews import Reviews, read_entry, read_review
from pipeline.ledger.runs import check_run, read_montage
from pipeline.model import (
    Attachment,
    ClipResult,
    OriginalState,
    Reason,
    Status,
    Submission,
    is_submission_id,
)
from pipeline.texts import Detail

ChangedRow = tuple[str, str]
"""The name of a row for a person, and the SHA-256 of the original that it concerns, or ""."""

_TIMES = frozenset(("received_at", "stored_at", "made_at", "done_at", "started_at"))
_READERS: tuple[tuple[str, Callable[[sqlite3.Row], object], Callable[[sqlite3.Row], str]], ...] = (
    ("decision", read_review, lambda row: f"row of the decision on {row['sha256'][:12]}"),
    (
        "(SELECT id, sha256, at, by, before, after, coalesce(act, id) AS act, undoes"
        " FROM decision_trail)",
        *(read_entry, lambda row: f"entry {row['id']} of the decisions"),
    ),
    (
        "consent",
        lambda row: records.read_row(ConsentRecord, row),
        lambda row: f"entry {row['id']} of the consents",
    ),
    (
        "clip",
        lambda row: _has_known_code(row) and records.read_row(ClipResult, row),
        lambda row: f"row of the clip {row['sha256'][:12]}",
    ),
    (
        "attachment",
        lambda row: _has_known_code(row) and records.read_row(Attachment, row),
        lambda row: f"row of the attachment {row['position']} of the mail {row['submission']}",
    ),
    ("original", records.state, lambda row: f"row of the original {row['sha256'][:12]}"),
    (
        "submission",
        lambda row: _has_own_id(row) and records.read_row(Submission, row),
        lambda row: f"row of the mail {row['id']}",
    ),
    ("montage", read_montage, lambda row: f"row of the montage {row['path']}"),
    (
        "receipt",
        lambda row: records.strings(row["submissions"]),
        lambda row: f"row of the receipt {row['code_hash'][:12]}",
    ),
    ("case_hold", lambda _: None, lambda row: f"row of the case of {row['sha256'][:12]}"),
    ("handled", lambda _: None, lambda row: f"row of the handled mail {row['submission']}"),
    (
        "(SELECT id, command, started_at, ended_at, exit_code,"
        " coalesce(summary, '{}') AS summary FROM run)",
        *(check_run, lambda row: f"row of the run {row['id']}"),
    ),
)
"""The tables whose rows hold more than text: how a row is read, and its name for a person."""

# A row and its event are written in one transaction, each with the time of its own moment.
_SAME_TIME = timedelta(minutes=1)


class Checks:
    """Comparisons of the ledger's rows with the sum of the chain's events."""

    def __init__(self, connection: Connection, chain: Chain) -> None:
        self._db, self._chain = connection, chain

    def changed_rows(self, proved: Proved) -> list[ChangedRow]:
        """The rows of decisions, originals, clips, montages, mails and receipts that differ.

        Also attachments whose archive or film is not there.
        """
        found = (
            *(*self._decisions(proved), *self._originals(proved), *self._clips(proved)),
            *(*self._montages(proved), *self._mails(proved), *self._receipts(proved)),
            *self._misplaced(),
        )
        return list(dict.fromkeys(found))

    def unreadable_rows(self) -> list[ChangedRow]:
        """The rows that hold something that no version of the program writes."""
        found = []
        for table, convert, name in _READERS:
            for row in self._db.rows(f"SELECT * FROM {table}"):  # noqa: S608 - our own names
                try:
                    with records.reading():
                        convert(row)
                        _read_times(row)
                except RowUnreadable:
                    sha256 = row["sha256"] if "sha256" in row.keys() else ""  # noqa: SIM118 - a Row is not a mapping
                    is_film = table == "montage"
                    found.append((name(row), "" if is_film else sha256 or ""))
        return found

    def _misplaced(self) -> Iterator[ChangedRow]:
        """The attachments that name an archive or a film that is not there, or are in a circle."""
        rows = self._db.rows("SELECT submission, position, sha256, parent, pair FROM attachment")
        places = {(row["submission"], row["position"]): row for row in rows}
        for column in ("parent", "pair"):
            has_end = dict[tuple[str, int], bool]()
            for place, row in places.items():
                way: dict[tuple[str, int], None] = {}
                at: tuple[str, int] | None = place
                while at in places and at not in has_end and at not in way:
                    way[at] = None
                    onward = places[at][column]
                    at = None if onward is None else (at[0], onward)
                has_end |= dict.fromkeys(way, at is None or has_end.get(at, False))
                if not has_end[place]:
                    name = f"row of the attachment {place[1]} of the mail {place[0]}"
                    yield name, row["sha256"] or ""

    def _decisions(self, proved: Proved) -> Iterator[ChangedRow]:
        """Compare each decision with the newest entry of its trail, which the chain proves."""
        reviews = Reviews(self._db, self._chain)
        current = reviews.current(skips=True)
        trail = reviews.trail(skips=True)
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
        newest = {**proved.film_paths}
        for row in self._db.rows("SELECT path, key, sha256, clips, stale FROM montage"):
            of_path = newest.pop(digest_of_row([row["path"]]), None)
            is_old = of_path is None and row["sha256"] in proved.pathless
            gone = of_path != row["sha256"] and not is_old
            film = proved.films.get(row["sha256"])
            if film is None:
                continue  # named as unknown to the chain
            is_outdated = any(proved.withdrawn.get(each, 0) > film.number for each in film.clips)
            is_changed = row["key"] != film.key or _texts(row["clips"]) != film.clips
            if gone or is_changed or (is_outdated and not row["stale"]):
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
        stored = {row["code_hash"]: (_texts(row["submissions"]), row["state"]) for row in rows}
        later = stored.keys() if proved.has_all_receipts else set[str]()
        for code in sorted(later | proved.receipts.keys()):
            if stored.get(code) != proved.receipts.get(code):
                yield f"row of the receipt {code[:12]}", ""


def _texts(stored: str) -> tuple[str, ...] | None:
    try:
        return records.strings(stored)
    except RowUnreadable:
        return None


def _read_times(row: sqlite3.Row) -> None:
    for name in _TIMES.intersection(row.keys()):
        if row[name]:
            datetime.fromisoformat(row[name])


def _has_own_id(row: sqlite3.Row) -> bool:
    """Whether a mail has an id of our form: files get their names from it.

    :raises ValueError: it has another one.
    """
    if not is_submission_id(row["id"]):
        raise ValueError
    return True


def _has_known_code(row: sqlite3.Row) -> bool:
    """Whether a refusal has a code of ours.

    :raises ValueError: it has another one, or there is a code and no refusal.
    """
    if row["reason"] is None and row["detail_code"] is not None:
        raise ValueError
    return row["reason"] is None or Detail(row["detail_code"]) in Detail


def _status(reason: str | None) -> Status | None:
    if not reason:
        return Status.ACCEPTED
    return Reason(reason).status if reason in set(Reason) else None


def _is_same_time(one: str, other: str) -> bool:
    try:
        return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) < _SAME_TIME
    except (ValueError, TypeError):
        return False
