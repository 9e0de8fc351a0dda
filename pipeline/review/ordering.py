"""The montage tab: what it begins with, and how the order that it sends is saved."""

import re
import threading
from collections.abc import Mapping, Sequence

from pipeline import clip_order, publishing
from pipeline.clip_order import OrderFile, OrderLine
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.ledger import Ledger
from pipeline.media import timebase
from pipeline.model import Row, Status
from pipeline.review.admission import Admission
from pipeline.review.entries import InvalidEntry
from pipeline.review.presenting import JsonObject
from pipeline.review.rules import admitted, is_decidable

_SHA = re.compile("[0-9a-f]{64}")
_SAVING = threading.Lock()  # from reading the order file to writing it


class OrderChanged(Exception):
    """Somebody saved another order since the page read it."""


def as_data(config: Config, ledger: Ledger) -> JsonObject:
    """Give what the montage tab begins with."""
    rows = ledger.clips.rows()
    senders = {item.id: item.sender for item in ledger.intake.submissions()}
    path = clip_order.path_of(config)
    montage, fps = config.montage, config.output[0].fps
    candidates = admitted(rows, Admission.of(config, ledger, rows))
    in_order = [_sha(row) for row in clip_order.sort_by_rule(montage.order, senders, candidates)]
    order, problem = OrderFile(), ""
    try:
        order = clip_order.read(path) if path else order
    except ConfigError as error:
        problem = str(error)
    known = [*in_order, *(_sha(row) for row in rows if is_decidable(row))]
    return {
        "order": montage.order,
        "file": path is not None,
        "problem": problem,
        "admitted": in_order,
        "fps": fps,
        "fade_frames": timebase.fade_frames(montage.transition_seconds, fps),
        "most_frames": timebase.fade_frames(montage.max_clip_seconds, fps),
        "chapters": montage.chapter_cards,
        "digest": order.digest,
        "lines": [
            {"sha256": sha256, "pinned": line.pinned}
            for line, sha256 in order.clips(known)
            if sha256 is not None
        ],
        "left_out": list(order.left_out),
    }


def save(config: Config, rows: Sequence[Row], body: Mapping[str, object]) -> None:
    """Write the one order file that the configuration names.

    :param body: ``lines``, ``left_out`` as :func:`as_data` gives them, and ``seen``, the digest
        of the file that they were made from.
    :raises InvalidEntry: the order is a rule, or the body does not have this form.
    :raises ConfigError: the file that the configuration names is not an order file.
    :raises OrderChanged: another order was saved since.
    """
    path = clip_order.path_of(config)
    if path is None:
        raise InvalidEntry("montage.order is not a file; set it to the path of one")
    with _SAVING:
        before = clip_order.read(path)
        if body.get("seen") != before.digest:
            raise OrderChanged
        order = OrderFile(_lines(body.get("lines")), _shas(body.get("left_out")))
        text = clip_order.as_text(order, _remarks(order, before, rows))
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        publishing.write_text(path, text, mode)


def _remarks(order: OrderFile, before: OrderFile, rows: Sequence[Row]) -> dict[str, str]:
    """The remark on each clip: the one in the file, so that none is lost, else the clip's name.

    :raises InvalidEntry: a clip is unknown.
    """
    wanted = {*(line.sha256 for line in order.lines), *order.left_out}
    names = {_sha(row): row.attachment.filename for row in rows if row.status is Status.ACCEPTED}
    unknown = wanted - names.keys()
    if unknown:
        raise InvalidEntry(
            f"{len(unknown)} of the clips are withdrawn or unknown; load the page again"
        )
    kept = {sha256: line.remark for line, sha256 in before.clips(wanted) if sha256 and line.remark}
    return {sha256: kept.get(sha256) or " ".join(names[sha256].split()) for sha256 in wanted}


def _lines(value: object) -> tuple[OrderLine, ...]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidEntry("lines is not a list of clips")
    shas = _shas([item.get("sha256") for item in value])
    return tuple(
        OrderLine(sha256, pinned=item.get("pinned") is True)
        for sha256, item in zip(shas, value, strict=True)
    )


def _shas(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidEntry("left_out is not a list of clips")
    if not all(isinstance(item, str) and _SHA.fullmatch(item) for item in value):
        raise InvalidEntry("sha256 is not 64 hex digits")
    if len(set(value)) != len(value):
        raise InvalidEntry("a clip is named twice")
    return tuple(value)


def _sha(row: Row) -> str:
    return row.attachment.sha256 or ""
