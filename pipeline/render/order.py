"""The order of the clips: by a rule, or by a list of an editor's."""

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
    if clip_order.is_rule(order):
        return clip_order.by_rule(order, senders, admitted), []
    return _listed(config.resolve(order), admitted, rows)


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
