"""The outbox of receipts: each is claimed before it is sent, so that none is sent twice.

A program that is killed between the two leaves a claimed receipt.  Nobody knows whether it was
sent; it is never sent again, and ``footage status`` names it.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import addressees, clock
from pipeline.history import EventKind
from pipeline.ledger import records
from pipeline.ledger.chain import Chain
from pipeline.ledger.connection import Connection

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0 and O, no 1 and I
_LENGTH = 10
_SALT = b"footage case code"


@dataclass(frozen=True)
class ReceiptClaim:
    """A receipt that may be sent now: its number, and the case code that it holds."""

    number: int
    code: str


@dataclass(frozen=True)
class ReceiptRecord:
    """A receipt: the submissions that it is for, its state, since when.

    ``state``: "claimed", "sent", or "refused" by the server for good.
    """

    submissions: tuple[str, ...]
    state: str
    at: str


class Receipts:
    """The receipts of a workspace."""

    def __init__(self, connection: Connection, chain: Chain) -> None:
        self._db, self._chain = connection, chain

    def claim(self, submissions: Sequence[str], sender: str, day: str) -> ReceiptClaim | None:
        """Claim the receipt of a sender for a day; None if that day has one already.

        :param submissions: the mails that it is for.
        :param day: an ISO date.
        """
        code = _random_code()
        columns = {
            "code_hash": _hashed(code),
            "submissions": json.dumps(list(submissions)),
            "person": _person(sender),
            "day": day,
            "state": "claimed",
            "at": clock.now(),
        }
        with self._db.transaction():
            taken = self._db.row(
                "SELECT id FROM receipt WHERE person = ? AND day = ?", columns["person"], day
            )
            return None if taken else ReceiptClaim(self._db.insert("receipt", columns), code)

    def settle(self, claim: ReceiptClaim, state: str | None) -> None:
        """Record what became of a claimed receipt.

        :param state: "sent" or "refused"; None gives the claim back, because nothing was sent.
        """
        if state is None:
            self._db.change("DELETE FROM receipt WHERE id = ?", claim.number)
            return
        with self._db.transaction():
            self._db.change(
                "UPDATE receipt SET state = ?, at = ? WHERE id = ?",
                *(state, clock.now(), claim.number),
            )
            row = self._db.row(
                "SELECT submissions, code_hash FROM receipt WHERE id = ?", claim.number
            )
            if row:
                self._chain.append(
                    EventKind.RECEIPT,
                    submissions=list(records.strings(row["submissions"])),
                    code=row["code_hash"],
                    state=state,
                )

    def count(self, sender: str, since: str) -> int:
        """How many receipts a sender had since a day."""
        row = self._db.row(
            "SELECT count(*) AS count FROM receipt WHERE person = ? AND day >= ?",
            *(_person(sender), since),
        )
        return int(row["count"]) if row else 0

    def all(self) -> list[ReceiptRecord]:
        """All receipts, the oldest first."""
        rows = self._db.rows("SELECT submissions, state, at FROM receipt ORDER BY id")
        return [
            ReceiptRecord(records.strings(row["submissions"]), row["state"], row["at"])
            for row in rows
        ]

    def submissions_of(self, code: str) -> tuple[str, ...]:
        """The mails that the receipt or letter with this case code was for; empty if none was."""
        row = self._db.row(
            "SELECT submissions FROM receipt WHERE code_hash = ?1 UNION ALL"
            " SELECT json_array(submission) FROM case_code WHERE code_hash = ?1",
            _hashed(code),
        )
        return records.strings(row["submissions"]) if row else ()

    def issue_code(self, submission: str) -> str:
        """Make a case code for a letter about a submission."""
        code = _random_code()
        row = {"code_hash": _hashed(code), "submission": submission, "at": clock.now()}
        self._db.insert("case_code", row)
        return code


def _random_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def _hashed(code: str) -> str:
    """A code's hash (scrypt, RFC 7914): the ledger can check a code, but does not hold it."""
    plain = "".join(code.split()).replace("-", "").upper().encode("utf-8", "replace")[:64]
    return hashlib.scrypt(plain, salt=_SALT, n=1 << 14, r=8, p=1, dklen=16).hex()


def _person(sender: str) -> str:
    return hashlib.sha256(addressees.person(sender).encode("utf-8", "replace")).hexdigest()
