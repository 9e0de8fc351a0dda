"""The versions of the ledger's tables: a function for each step from one version to the next.

``PRAGMA user_version`` says how many were applied.  A migration that was released is never
changed; a new one is added at the end of :data:`MIGRATIONS`, and the tests keep a ledger of
each old version.  Migrations use SQL only and import no model, because the model may change
after them.
"""

import json
import sqlite3
from collections.abc import Callable
from importlib import resources


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


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_initial,
    m002_trail_columns,
    m003_sentences_by_code,
    m004_correspondence,
)
