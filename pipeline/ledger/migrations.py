"""The versions of the ledger's tables: a function for each step from one version to the next.

``PRAGMA user_version`` says how many were applied.  A migration that was released is never
changed; a new one is added at the end of :data:`MIGRATIONS`, and the tests keep a ledger of
each old version.  Migrations use SQL only and import no model, because the model may change
after them.  The hashes of the chain of custody are no exception: they never change.
"""

import json
import sqlite3
from collections.abc import Callable
from importlib import resources

from pipeline import __version__, clock
from pipeline.ledger.hashing import FIRST, digest_of_tables, hash_of, stored_facts


def m001_initial(db: sqlite3.Connection) -> None:
    """Create the tables of the first version."""
    schema = resources.files("pipeline.ledger").joinpath("m001_initial.sql").read_text("utf-8")
    for statement in schema.split(";\n"):
        db.execute(statement)


def m002_trail_columns(db: sqlite3.Connection) -> None:
    """Give the trail's ``act`` and ``undoes`` columns; they were in the JSON of ``after``.

    ``act`` is the number of the first event of the same act, NULL in that event itself;
    ``undoes`` is the number of the event that was taken back, NULL if none was.
    """
    db.execute("ALTER TABLE decision_trail ADD COLUMN act INTEGER")
    db.execute("ALTER TABLE decision_trail ADD COLUMN undoes INTEGER")
    db.execute(
        "UPDATE decision_trail SET act = json_extract(after, '$.act'),"
        " undoes = json_extract(after, '$.undoes'),"
        " after = json_remove(after, '$.act', '$.undoes')"
    )


def m003_sentences_by_code(db: sqlite3.Connection) -> None:
    """Store why there is no clip as code and values, and what a clip looks like on its own.

    The sentences of before keep their words: the code is empty and the value is the text.
    """
    for table in ("attachment", "clip"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN detail_code TEXT")
        db.execute(f"ALTER TABLE {table} ADD COLUMN detail_values TEXT")  # JSON object
        update = f"UPDATE {table} SET detail_code = '', detail_values"  # noqa: S608 - our own names
        db.execute(f"{update} = json_object('text', detail) WHERE reason IS NOT NULL")
        db.execute(f"ALTER TABLE {table} DROP COLUMN detail")
    db.execute("ALTER TABLE clip ADD COLUMN looks_like TEXT")
    for sha256, stored in db.execute("SELECT sha256, warnings FROM clip").fetchall():
        warnings = json.loads(stored)
        others = [each for each in warnings if each.startswith("looks-like:")]
        if others:
            kept = json.dumps([each for each in warnings if each not in others])
            other = others[0].removeprefix("looks-like:")
            db.execute(
                "UPDATE clip SET warnings = ?, looks_like = ? WHERE sha256 = ?",
                (kept, other, sha256),
            )


def m004_correspondence(db: sqlite3.Connection) -> None:
    """Store what a mail says of its sender and of other mails, and which mails are dealt with."""
    for column, default in (
        ("name", ""),
        ("links", "[]"),  # JSON array
        ("answers", "[]"),  # JSON array
        ("through", ""),
        ("inbox", ""),
    ):
        db.execute(f"ALTER TABLE submission ADD COLUMN {column} TEXT NOT NULL DEFAULT '{default}'")
    db.execute("ALTER TABLE attachment ADD COLUMN pair INTEGER")
    db.execute(
        "CREATE TABLE handled (submission TEXT PRIMARY KEY REFERENCES submission (id),"
        " at TEXT NOT NULL, by TEXT NOT NULL) STRICT, WITHOUT ROWID"
    )


def m005_chain_of_custody(db: sqlite3.Connection) -> None:
    """Begin the chain of custody, and give originals the state ``lost`` and the hold for a case.

    The first event has the digest of all that the ledger held before.  Then follows an event for
    each original and each film that was there, so that each has its place in the chain.
    """
    before = digest_of_tables(db)
    db.execute(
        "CREATE TABLE event (number INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL,"
        " subject TEXT NOT NULL, facts TEXT NOT NULL,"  # facts: JSON object
        " before TEXT NOT NULL, hash TEXT NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX event_by_subject ON event (subject, number)")
    db.execute(
        "CREATE TABLE case_hold (sha256 TEXT PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL,"
        " why TEXT NOT NULL) STRICT, WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE original_5 (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL,"
        " stored_at TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'kept'"
        " CHECK (state IN ('kept', 'purged', 'withdrawn', 'lost'))) STRICT, WITHOUT ROWID"
    )
    db.execute("INSERT INTO original_5 SELECT sha256, size, stored_at, state FROM original")
    db.execute("DROP TABLE original")
    db.execute("ALTER TABLE original_5 RENAME TO original")
    _begin_chain(db, before)
    for name, change, condition in (
        ("event_is_not_changed", "UPDATE", ""),
        ("event_is_not_deleted", "DELETE", ""),
        # INSERT OR REPLACE deletes without the trigger above
        (
            *("event_is_added_at_the_end", "INSERT"),
            "WHEN NEW.number != (SELECT coalesce(max(number), 0) + 1 FROM event)",
        ),
    ):
        db.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON event {condition}"
            " BEGIN SELECT RAISE(ABORT, 'the events of the chain are never changed'); END"
        )


def _begin_chain(db: sqlite3.Connection, before: str) -> None:
    """Write the first event and those of what was there."""
    (trail,) = db.execute("SELECT coalesce(max(id), 0) FROM decision_trail").fetchone()
    # entries of the trail and receipts that are older than their events
    facts = {"ledger": before, "trail": trail, "receipts": 0, "version": __version__}
    events = [("begun", "", facts)]
    outcomes = {
        sha256: {"outcome": status, "recipe": recipe, "outputs": _hashes(outputs)}
        for sha256, status, recipe, outputs in db.execute(
            "SELECT sha256, status, recipe, outputs FROM clip"
        )
    }
    for sha256, state, size in db.execute(
        "SELECT sha256, state, size FROM original ORDER BY stored_at, sha256"
    ):
        carried = {"state": state, "size": size, **outcomes.get(sha256, {})}
        events.append(("carried-over", sha256, carried))
    for sha256, key, clips in db.execute("SELECT sha256, key, clips FROM montage ORDER BY path"):
        events.append(("carried-over", sha256, {"key": key, "clips": json.loads(clips)}))
    at, last = clock.now(), FIRST
    for number, (kind, subject, facts) in enumerate(events, 1):
        link = (number, at, kind, subject, stored_facts(facts), last)
        last = hash_of(link)
        db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", (*link, last))


def _hashes(outputs: str) -> dict[str, str]:
    """The SHA-256 of the files of a clip, by the name of the output."""
    return {output["name"]: output["sha256"] for output in json.loads(outputs)}


def m006_receipts(db: sqlite3.Connection) -> None:
    """Store which receipts were sent; a case code is stored as its hash, a sender as well."""
    db.execute(
        "CREATE TABLE receipt (id INTEGER PRIMARY KEY, code_hash TEXT NOT NULL UNIQUE,"
        " submissions TEXT NOT NULL, person TEXT NOT NULL, day TEXT NOT NULL,"  # JSON array
        " state TEXT NOT NULL CHECK (state IN ('claimed', 'sent', 'refused')), at TEXT NOT NULL,"
        " UNIQUE (person, day)) STRICT"
    )


def m007_more_of_a_decision(db: sqlite3.Connection) -> None:
    """Store the newer fields of a review as one JSON object, so that others need no migration."""
    db.execute("ALTER TABLE decision ADD COLUMN more TEXT NOT NULL DEFAULT '{}'")


def m008_consent(db: sqlite3.Connection) -> None:
    """Store what senders agreed to, and the case codes of letters that ask them.

    A new entry is added each time; ``question`` is the Message-ID of the letter that asks.
    """
    db.execute(
        "CREATE TABLE consent (id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " submission TEXT NOT NULL REFERENCES submission (id),"
        " consent TEXT NOT NULL CHECK"
        " (consent IN ('unknown', 'asked', 'yes', 'yes-with-name', 'no')),"
        " name TEXT NOT NULL, place TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL,"
        " question TEXT NOT NULL, salt TEXT NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX consent_by_submission ON consent (submission, id)")
    db.execute(
        "CREATE TABLE case_code (code_hash TEXT PRIMARY KEY, submission TEXT NOT NULL,"
        " at TEXT NOT NULL) STRICT, WITHOUT ROWID"
    )


def m009_attempts(db: sqlite3.Connection) -> None:
    """Count how often a worker was lost while it made a clip."""
    db.execute(
        "CREATE TABLE attempt (sha256 TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT,"
        " WITHOUT ROWID"
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_initial,
    m002_trail_columns,
    m003_sentences_by_code,
    m004_correspondence,
    m005_chain_of_custody,
    m006_receipts,
    m007_more_of_a_decision,
    m008_consent,
    m009_attempts,
)
