"""The rules by which clips follow each other: by receipt, sender, name or chance.

``render`` goes by them, and the montage tab of the review begins with them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from pipeline.model import Row

_RULES = ("received", "sender", "filename")
_SHUFFLE = "shuffle:"


def is_rule(order: str) -> bool:
    """Whether ``[montage] order`` is a rule; else it is the path of an order file."""
    return order in _RULES or order.startswith(_SHUFFLE)


def by_rule(order: str, senders: Mapping[str, str], rows: Sequence[Row]) -> list[Row]:
    """The rows in the order of a rule.

    :param order: "received", "sender", "filename" or "shuffle:SEED"; by anything else the rows
        stay as they are.
    :param senders: the sender of each submission.
    :param rows: in the order of their receipt.
    """
    if order == "sender":
        return sorted(rows, key=lambda row: senders.get(row.submission, ""))
    if order == "filename":
        return sorted(rows, key=lambda row: _natural(row.attachment.filename))
    if order.startswith(_SHUFFLE):
        seed = order.removeprefix(_SHUFFLE)
        return sorted(rows, key=lambda row: _shuffled(seed, row))
    return list(rows)


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers in a name count as numbers: 9 before 10."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _shuffled(seed: str, row: Row) -> bytes:
    # a hash, not a generator: a clip that comes or goes leaves the others where they are
    return hashlib.sha256(f"{seed}|{row.attachment.sha256}".encode()).digest()
