"""The hashes of the chain of custody.

They never change, because every stored chain is checked with them.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping

FIRST = "0" * 64
"""What the first event has for the hash of the one before."""

ChainLink = tuple[int, str, str, str, str, str]
"""Number, time, kind, subject, facts as stored, and the hash of the event before."""


def hash_of(link: ChainLink) -> str:
    """The hash of an event: SHA-256 of its columns as one JSON array in ASCII, without blanks."""
    return hashlib.sha256(json.dumps(link, separators=(",", ":")).encode()).hexdigest()


def stored_facts(facts: Mapping[str, object]) -> str:
    """Facts as the table holds them: a JSON object with sorted keys."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def digest_of_row(values: Iterable[object]) -> str:
    """The SHA-256 of the values of a row; an event holds it instead of the row's words."""
    return hashlib.sha256(json.dumps(list(values)).encode()).hexdigest()


def digest_of_tables(db: sqlite3.Connection) -> str:
    """The SHA-256 of all rows of all tables, in an order that does not depend on the file.

    For each table by name: a line with its name and its columns, then a line for each row, in the
    order of its values.  The table of events does not count.
    """
    digest = hashlib.sha256()
    names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for (table,) in db.execute(f"{names} AND name != 'event' ORDER BY name").fetchall():
        columns = [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]
        order = ", ".join(str(number + 1) for number in range(len(columns)))
        digest.update(json.dumps([table, columns]).encode() + b"\n")
        selected = ", ".join(f'"{column}"' for column in columns)
        for row in db.execute(f'SELECT {selected} FROM "{table}" ORDER BY {order}'):  # noqa: S608 - our own names
            digest.update(json.dumps(list(row)).encode() + b"\n")
    return digest.hexdigest()
