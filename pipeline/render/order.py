"""The order in which the clips are rendered, and the clips that an order file leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline import clip_order
from pipeline.config import Config
from pipeline.errors import ConfigError, StageError
from pipeline.model import Row, Status


def ordered(
    config: Config, senders: Mapping[str, str], admitted: Sequence[Row], rows: Sequence[Row]
) -> tuple[list[Row], list[Row]]:
    """Put the admitted rows into order; those that an order file does not name come apart.

    :param senders: the sender of each submission.
    :param rows: all rows, to find clips that the order file names and that are withdrawn.
    :raises ConfigError: the order file can't be read or is not one.
    :raises StageError: the order file names a clip that was withdrawn.
    """
    path, unlisted = clip_order.path_of(config), list[Row]()
    if path is None:
        chosen = clip_order.sort_by_rule(config.montage.order, senders, admitted)
    else:
        chosen, unlisted = _listed(path, admitted, rows)
    if config.montage.chapter_cards:
        # the clips of a category are put together; those without a category come first
        names = [row.result.category for row in chosen if row.result and row.result.category]
        places = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
        chosen.sort(key=lambda row: places.get(row.result.category or "", 0) if row.result else 0)
    return chosen, unlisted


def _listed(
    path: Path, admitted: Sequence[Row], rows: Sequence[Row]
) -> tuple[list[Row], list[Row]]:
    order = clip_order.read(path)
    if not order.digest:
        allowed = '"received", "sender", "filename", "shuffle:SEED" or the path of a file of SHAs'
        raise ConfigError([f"montage.order: must be {allowed}; {path} can't be read"])
    left = {row.sha256: row for row in admitted}
    chosen = []
    for line, sha256 in order.clips(left):
        if sha256 is not None:
            chosen.append(left.pop(sha256))
        else:
            _check_not_withdrawn(line.sha256, rows)
    return chosen, list(left.values())


def _check_not_withdrawn(prefix: str, rows: Sequence[Row]) -> None:
    for row in rows:
        if row.status is Status.WITHDRAWN and row.sha256.startswith(prefix):
            raise StageError(
                f"the order file names {prefix[:12]}, which was withdrawn; take it out of the "
                "file. The old montage stays."
            )
