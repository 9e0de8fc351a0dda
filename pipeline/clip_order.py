"""The order of the clips in the montage: a rule, or the order file that editors write.

``render`` follows it, and the montage tab of the review shows and writes it.

An order file has a SHA-256 on each line, or the first digits of one.  Text behind a ``#`` is for
people and for the montage tab: ``# pinned`` marks a clip that keeps its place when others are
sorted, and a line ``# left out: SHA-256`` a clip that is to stay out.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import ConfigError, reason_of
from pipeline.model import Row

_RULES = ("received", "sender", "filename")
_SHUFFLE = "shuffle:"
_LINE = re.compile(r"\s*([0-9A-Fa-f]{4,64})?\s*(?:#(.*))?")
_LEFT_OUT = re.compile(r"\s*left out: ([0-9a-f]{64})\b")
_PINNED = re.compile(r"\s*pinned\b[;, ]*")
_HEAD = "# The order of the montage, first to last; moved in: footage review\n"


@dataclass(frozen=True)
class OrderLine:
    """A clip in an order file: its SHA-256 or the first digits of it, in lower case."""

    sha256: str
    pinned: bool = False
    remark: str = ""


@dataclass(frozen=True)
class OrderFile:
    """What an order file says; ``digest`` is the SHA-256 of the file, "" where there is none."""

    lines: tuple[OrderLine, ...] = ()
    left_out: tuple[str, ...] = ()
    digest: str = ""

    def clips(self, known: Iterable[str]) -> list[tuple[OrderLine, str | None]]:
        """Pair each line with the clip that it names, None if there is no such clip.

        :param known: the SHA-256 of clips.  Where the digits of a line fit several of them, it
            names the first that no earlier line names.
        """
        left = dict.fromkeys(known)
        paired = []
        for line in self.lines:
            fits = (sha256 for sha256 in left if sha256.startswith(line.sha256))
            sha256 = line.sha256 if line.sha256 in left else next(fits, None)
            if sha256 is not None:
                del left[sha256]
            paired.append((line, sha256))
        return paired


def is_rule(order: str) -> bool:
    """Whether ``[montage] order`` is a rule.  Otherwise it is the path of an order file."""
    return order in _RULES or order.startswith(_SHUFFLE)


def sort_by_rule(order: str, senders: Mapping[str, str], rows: Sequence[Row]) -> list[Row]:
    """Put rows into the order of a rule.

    :param order: "received", "sender", "filename" or "shuffle:SEED".  Any other text leaves the
        rows as they are.
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


def path_of(config: Config) -> Path | None:
    """The path of the order file that the configuration names; None where the order is a rule."""
    order = config.montage.order
    return None if is_rule(order) else config.resolve(order)


def read(path: Path) -> OrderFile:
    """Read an order file; an empty order where there is none yet.

    :raises ConfigError: the file can't be read or is not an order file.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")  # Windows writes a mark at the beginning
    except FileNotFoundError:
        return OrderFile()
    except (OSError, UnicodeDecodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(
            [f"{path.name or path} can't be read as an order file: {reason}"]
        ) from error
    lines, left_out = [], []
    for number, raw in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(raw)
        if match is None:
            raise ConfigError(
                [
                    f"{path.name} is not an order file: line {number} must begin with a SHA-256, "
                    "and a remark on it with #"
                ]
            )
        sha256, remark = match[1], match[2] or ""
        if sha256:
            pin = _PINNED.match(remark)
            words = remark[pin.end() :] if pin else remark
            lines.append(OrderLine(sha256.lower(), pinned=pin is not None, remark=words.strip()))
        elif out := _LEFT_OUT.match(remark):
            left_out.append(out[1])
    return OrderFile(tuple(lines), tuple(left_out), hashlib.sha256(data).hexdigest())


def as_text(order: OrderFile, remarks: Mapping[str, str]) -> str:
    """Write an order as the text of an order file.

    :param remarks: for each clip by its SHA-256, what to write behind it.
    """
    lines = [
        f"{line.sha256}  # {'pinned; ' if line.pinned else ''}{remarks[line.sha256]}\n"
        for line in order.lines
    ]
    left_out = [f"# left out: {sha256}  {remarks[sha256]}\n" for sha256 in order.left_out]
    return "".join([_HEAD, *lines, *left_out])


def without(text: str, gone: Mapping[str, str]) -> str:
    """The text of an order file without some clips; a comment says that each was taken out.

    What is written behind an entry goes too, because it may be words of the sender.

    :param gone: for the entries that name these clips, as they are written, the SHA-256.
    """
    kept = []
    for raw in text.splitlines(keepends=True):
        match = _LINE.fullmatch(raw.rstrip("\r\n"))
        out = _LEFT_OUT.match(match[2]) if match and not match[1] and match[2] else None
        entry = (match[1] or (out[1] if out else "")).lower() if match else ""
        kept.append(f"# withdrawn: {gone[entry][:12]}\n" if entry in gone else raw)
    return "".join(kept)


def _natural(name: str) -> list[tuple[int, str]]:
    """The key by which names are sorted: numbers in them count as numbers, 9 before 10."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _shuffled(seed: str, row: Row) -> bytes:
    # a hash and not a random generator: adding or removing a clip does not move the others
    return hashlib.sha256(f"{seed}|{row.attachment.sha256}".encode()).digest()
