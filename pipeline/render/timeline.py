"""Which clips the montage holds, in which order, and where each begins: pure data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Config, Output
from pipeline.errors import ConfigError
from pipeline.ledger import Ledger
from pipeline.model import ClipOutput, Row


@dataclass(frozen=True)
class Segment:
    """A stretch of the montage: a card or a clip, copied from a file as it is.

    ``path`` is from the workspace; ``sha256`` is that of the original, empty for a card;
    ``content`` is the SHA-256 of the file.
    """

    title: str
    path: str
    content: str
    frames: int
    extradata: str
    sha256: str = ""
    caption: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A clip that is not in the montage, and why."""

    sha256: str
    why: str


@dataclass(frozen=True)
class Timeline:
    """The clips of one output's montage in order, and those that are not in it."""

    output: Output
    clips: tuple[Segment, ...]
    left_out: tuple[LeftOut, ...]


def arrange(
    config: Config, ledger: Ledger, output: Output, admitted: Sequence[Row], rows: Iterable[Row]
) -> Timeline:
    """Put the admitted clips into the order that the configuration names.

    :raises ConfigError: the order is none that we know, or its file can't be read.
    """
    chosen, unlisted = _ordered(config, ledger, admitted)
    left_out = [LeftOut(row.attachment.sha256 or "", "not in the order file") for row in unlisted]
    known = {row.attachment.sha256 for row in admitted}
    left_out += [
        LeftOut(row.attachment.sha256 or "", f"review: {row.review.decision}")
        for row in rows
        if row.result is not None
        and row.result.outputs
        and row.duplicate_of is None
        and row.attachment.sha256 not in known
    ]
    clips: list[Segment] = []
    for row in chosen:
        made = _of_output(row, output)
        if made is None:
            left_out.append(LeftOut(row.attachment.sha256 or "", "no clip for this output"))
        else:
            clips.append(_segment(row, made, len(clips) + 1))
    return Timeline(output, tuple(clips), tuple(left_out))


def _segment(row: Row, made: ClipOutput, number: int) -> Segment:
    return Segment(
        title=f"Clip {number}",
        path=made.path,
        content=made.sha256,
        frames=made.frames,
        extradata=made.extradata,
        sha256=row.attachment.sha256 or "",
        caption=row.result.caption if row.result else "",
    )


def _of_output(row: Row, output: Output) -> ClipOutput | None:
    outputs = row.result.outputs if row.result else ()
    return next((made for made in outputs if made.name == output.name), None)


def _ordered(
    config: Config, ledger: Ledger, admitted: Sequence[Row]
) -> tuple[list[Row], list[Row]]:
    """The rows in order, and those that an order file does not name."""
    order = config.montage.order
    if order == "received":
        return list(admitted), []
    if order == "sender":
        senders = {submission.id: submission.sender for submission in ledger.submissions()}
        return sorted(admitted, key=lambda row: senders.get(row.submission, "")), []
    if order == "filename":
        return sorted(admitted, key=lambda row: _natural(row.attachment.filename)), []
    if order.startswith("shuffle:"):
        seed = order.removeprefix("shuffle:")
        return sorted(admitted, key=lambda row: _shuffled(seed, row)), []
    return _listed(config.resolve(order), admitted)


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers in a name count as numbers: 9 before 10."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _shuffled(seed: str, row: Row) -> bytes:
    # a hash, not a generator: a clip that comes or goes leaves the others where they are
    return hashlib.sha256(f"{seed}|{row.attachment.sha256}".encode()).digest()


def _listed(path: Path, admitted: Sequence[Row]) -> tuple[list[Row], list[Row]]:
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
    chosen: list[Row] = []
    for prefix in filter(None, wanted):
        matching = [
            row
            for row in admitted
            if (row.attachment.sha256 or "").startswith(prefix) and row not in chosen
        ]
        chosen += matching[:1]
    return chosen, [row for row in admitted if row not in chosen]
