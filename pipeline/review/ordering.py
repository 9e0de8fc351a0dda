"""The order file that editors write in the montage tab and ``footage render`` reads.

A SHA-256 on each line, in order; what stands behind a ``#`` is for people, and for this page:
``# pinned`` on a clip that keeps its place when the others are sorted, and lines
``# left out: SHA-256`` for the clips that shall stay out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import clip_order, publishing
from pipeline.config import Config
from pipeline.model import Row, Status
from pipeline.review.admission import admitted, may_be_shown
from pipeline.review.entries import Misfit

_SHA = re.compile("[0-9a-f]{64}")
_LINE = re.compile(r"\s*([0-9A-Fa-f]{4,64})?\s*(?:#(.*))?")
_OUT = re.compile(r"\s*left out: ([0-9a-f]{64})\b")
_PIN = re.compile(r"\s*pinned\b[;, ]*")
_HEAD = "# The order of the montage, first to last; moved in: footage review\n"


class Changed(Exception):
    """Somebody wrote another order since it was read."""


@dataclass(frozen=True)
class Line:
    """A clip in the order: its SHA-256 or the beginning of it, as it stands there."""

    sha256: str
    pinned: bool = False
    remark: str = ""


@dataclass(frozen=True)
class Order:
    """What an order file says.  ``digest`` tells whether it is still the same; "" is no file."""

    lines: tuple[Line, ...] = ()
    left_out: tuple[str, ...] = ()
    digest: str = ""


def file_of(config: Config) -> Path | None:
    """The order file that the configuration names; None where the order is a rule."""
    order = config.montage.order
    return None if clip_order.is_rule(order) else config.resolve(order)


def read(path: Path) -> Order:
    """What stands in an order file; an empty order where there is none yet.

    :raises Misfit: it is no order file, so that nobody writes over something else.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except FileNotFoundError:
        return Order()
    except (OSError, UnicodeDecodeError) as error:
        raise Misfit(f"{path.name} can't be read as an order file") from error
    lines, left_out = [], []
    for number, raw in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(raw)
        if match is None:
            raise Misfit(f"{path.name} is no order file: line {number} is no SHA-256")
        sha256, remark = match[1], match[2] or ""
        if sha256:
            pin = _PIN.match(remark)
            words = remark[pin.end() :] if pin else remark
            lines.append(Line(sha256.lower(), pinned=pin is not None, remark=words.strip()))
        elif out := _OUT.match(remark):
            left_out.append(out[1])
    return Order(tuple(lines), tuple(left_out), hashlib.sha256(data).hexdigest())


def as_data(config: Config, senders: Mapping[str, str], rows: Sequence[Row]) -> dict[str, Any]:
    """What the montage tab begins with.

    :param senders: the sender of each submission.
    """
    path = file_of(config)
    montage = config.montage
    admittance = admitted(rows, required=config.review.required)
    film = [_sha(row) for row in clip_order.by_rule(montage.order, senders, admittance)]
    data: dict[str, Any] = {
        "order": montage.order,
        "file": path is not None,
        "problem": "",
        "admitted": film,
        "fps": config.output[0].fps,
        "transition_s": montage.transition_seconds,
        "most_clip_s": montage.max_clip_seconds,
        "chapters": montage.chapter_cards,
    }
    order = Order()
    try:
        order = read(path) if path else order
    except Misfit as misfit:
        data["problem"] = str(misfit)
    known = [*film, *(_sha(row) for row in rows if may_be_shown(row))]
    return data | {
        "digest": order.digest,
        "lines": _whole(order.lines, known),
        "left_out": list(order.left_out),
    }


def _whole(lines: Iterable[Line], known: Sequence[str]) -> list[dict[str, Any]]:
    """The lines of clips that there are, beginnings of a SHA-256 made whole, each once."""
    whole: dict[str, bool] = {}
    for line in lines:
        sha256 = next((sha for sha in known if sha.startswith(line.sha256)), None)
        if sha256 is not None:
            whole.setdefault(sha256, line.pinned)
    return [{"sha256": sha256, "pinned": pinned} for sha256, pinned in whole.items()]


def save(config: Config, rows: Sequence[Row], body: dict[str, Any]) -> None:
    """Write the one order file that the configuration names.

    :param body: ``lines``, ``left_out`` as :func:`as_data` gives them, and ``seen``, the digest
        of the file that they were made from.
    :raises Misfit: the order is a rule, the file there is no order file, or the body is not ours.
    :raises Changed: another order was written since.
    """
    path = file_of(config)
    if path is None:
        raise Misfit("montage.order is no file; set it to the path of one")
    before = read(path)
    if body.get("seen") != before.digest:
        raise Changed
    names = {_sha(row): row.attachment.filename for row in rows if row.status is Status.ACCEPTED}
    # nobody's remarks are lost by moving clips
    remarks = {line.sha256: line.remark for line in before.lines if line.remark}
    text = _text(_lines(body.get("lines")), _shas(body.get("left_out")), names, remarks)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    publishing.write_text(path, text, mode)


def _lines(value: Any) -> list[Line]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Misfit("lines is no list of clips")
    shas = _shas([item.get("sha256") for item in value])
    return [
        Line(sha256, pinned=item.get("pinned") is True)
        for sha256, item in zip(shas, value, strict=True)
    ]


def _shas(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Misfit("is no list of clips")
    if not all(isinstance(item, str) and _SHA.fullmatch(item) for item in value):
        raise Misfit("sha256 is not 64 hex digits")
    if len(set(value)) != len(value):
        raise Misfit("a clip is named twice")
    return value


def _text(
    lines: list[Line], left_out: list[str], names: dict[str, str], remarks: dict[str, str]
) -> str:
    unknown = ({line.sha256 for line in lines} | set(left_out)) - names.keys()
    if unknown:
        raise Misfit(f"{len(unknown)} of the clips are withdrawn or unknown; load the page again")

    def remark(sha256: str) -> str:
        kept = next((words for sha, words in remarks.items() if sha256.startswith(sha)), "")
        return kept or " ".join(names[sha256].split())

    listed = [
        f"{line.sha256}  # {'pinned; ' if line.pinned else ''}{remark(line.sha256)}\n"
        for line in lines
    ]
    out = [f"# left out: {sha256}  {remark(sha256)}\n" for sha256 in left_out]
    return "".join([_HEAD, *listed, *out])


def _sha(row: Row) -> str:
    return row.attachment.sha256 or ""
