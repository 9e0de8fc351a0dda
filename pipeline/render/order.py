"""The order of the clips: by receipt, sender, name, chance, or a list of an editor's."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import ConfigError, StageError
from pipeline.model import Row, Status


def ordered(
    config: Config, senders: Mapping[str, str], admitted: Sequence[Row], rows: Sequence[Row]
) -> tuple[list[Row], list[Row]]:
    """The admitted rows in order, and those that an order file does not name.

    :param senders: the sender of each submission.
    :param rows: all rows, to tell what an order file names.
    :raises ConfigError: the order is none that we know, or its file can't be read.
    :raises StageError: the order's file names a clip that was withdrawn.
    """
    chosen, unlisted = _ordered(config, senders, admitted, rows)
    if config.montage.chapter_cards:
        # clips of a category stand together, categories as they come; those without one first
        names = [row.result.category for row in chosen if row.result and row.result.category]
        places = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
        chosen.sort(key=lambda row: places.get(row.result.category or "", 0) if row.result else 0)
    return chosen, unlisted


def _ordered(
    config: Config, senders: Mapping[str, str], admitted: Sequence[Row], rows: Sequence[Row]
) -> tuple[list[Row], list[Row]]:
    order = config.montage.order
    if order == "received":
        return list(admitted), []
    if order == "sender":
        return sorted(admitted, key=lambda row: senders.get(row.submission, "")), []
    if order == "filename":
        return sorted(admitted, key=lambda row: _natural(row.attachment.filename)), []
    if order.startswith("shuffle:"):
        seed = order.removeprefix("shuffle:")
        return sorted(admitted, key=lambda row: _shuffled(seed, row)), []
    return _listed(config.resolve(order), admitted, rows)


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers in a name count as numbers: 9 before 10."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _shuffled(seed: str, row: Row) -> bytes:
    # a hash, not a generator: a clip that comes or goes leaves the others where they are
    return hashlib.sha256(f"{seed}|{row.attachment.sha256}".encode()).digest()


def _listed(
    path: Path, admitted: Sequence[Row], rows: Sequence[Row]
) -> tuple[list[Row], list[Row]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            [
                f'montage.order: must be "received", "sender", "filename", "shuffle:SEED" or the '
                f"path of a file of SHAs; {path} can't be read"
            ]
        ) from error
    wanted = [line.split("#")[0].strip().lower() for line in lines]
    left = {row.attachment.sha256 or "": row for row in admitted}
    chosen: list[Row] = []
    for prefix in filter(None, wanted):
        found = prefix if prefix in left else next((s for s in left if s.startswith(prefix)), None)
        if found is not None:
            chosen.append(left.pop(found))
        else:
            _not_withdrawn(prefix, rows)
    return chosen, list(left.values())


def _not_withdrawn(prefix: str, rows: Sequence[Row]) -> None:
    for row in rows:
        if row.status is Status.WITHDRAWN and (row.attachment.sha256 or "").startswith(prefix):
            raise StageError(
                f"the order's file names {prefix[:12]}, which was withdrawn; take it out of the "
                "file. The old montage stays."
            )
