"""The boxes that an MP4 of ours may hold, and where: the allow-list, by full path.

A box that is not named here is not clean, with any content.  Names and order are those that
FFmpeg writes; the boxes themselves are defined in ISO/IEC 14496-12 (8.x), -14 and -15.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection
from dataclasses import dataclass

from pipeline.errors import NotClean
from pipeline.judge.problems import Problems
from pipeline.judge.walk import BoxExtent, Bytes, boxes, read

_MAX_TABLES = 64 << 20  # of one box in moov; a montage of 24 hours needs less

_STBL = "moov/trak/mdia/minf/stbl"
_STSD = f"{_STBL}/stsd"
# Each container with the boxes it may hold: "?" at most once, "+" at least once, else exactly once.
_SHAPE = {
    "": "ftyp moov mdat free?",
    "moov": "mvhd trak+ udta?",
    "moov/trak": "tkhd edts? mdia",
    "moov/trak/edts": "elst",
    "moov/trak/mdia": "mdhd hdlr minf",
    "moov/trak/mdia/minf": "vmhd? smhd? dinf stbl",
    "moov/trak/mdia/minf/dinf": "dref",
    "moov/trak/mdia/minf/dinf/dref": "url",
    _STBL: "stsd stts stss? ctts? stsc stsz stco? co64? sgpd? sbgp?",
}
# Bytes of fields before the first box of a container, where there are any.
_FIELDS = {"moov/trak/mdia/minf/dinf/dref": 8, _STSD: 8}


@dataclass(frozen=True)
class EntryShape:
    """A sample entry: its type, the bytes before its first box, and the boxes it may hold."""

    name: str
    fields: int
    boxes: str


@dataclass(frozen=True)
class Mp4Box:
    """A box of moov: its path, its own bytes (of a container: those before its children)."""

    path: str
    data: bytes
    inner: tuple[Mp4Box, ...] = ()

    @property
    def name(self) -> str:
        """The four characters of its type, without a space at the end."""
        return self.path.rpartition("/")[2]

    def get(self, name: str) -> Mp4Box | None:
        """The first child of that name."""
        return next((node for node in self.inner if node.name == name), None)

    def __getitem__(self, path: str) -> Mp4Box:
        """The box at a path below this one, which the allow-list requires."""
        node: Mp4Box | None = self
        for name in path.split("/"):
            node = node.get(name) if node else None
        if node is None:
            raise NotClean([f"no box {self.path}/{path}"])
        return node

    def fields(self, form: str, rest: int = 0) -> tuple[int, ...]:
        """The numbers of a *form*, after which exactly *rest* bytes must follow.

        :raises NotClean: the box has another size.
        """
        if struct.calcsize(form) != len(self.data) - rest:
            raise NotClean([f"the box {self.path} is of another size than we write"])
        return struct.unpack_from(form, self.data)


@dataclass(frozen=True)
class Mp4File:
    """The parts of an MP4: its description, and the position of its media data."""

    ftyp: bytes
    moov: Mp4Box
    media: BoxExtent


def read_file(data: Bytes, entries: Collection[EntryShape], problems: Problems) -> Mp4File:
    """Read the boxes of a file; every byte must belong to one.

    :param entries: the sample entries that tracks may have.
    :raises NotClean: a box is not on the list, is missing, or occurs twice.
    :raises BoxError: the bytes are not boxes.
    """
    names = " ".join(f"{entry.name}?" for entry in entries)
    shape = _SHAPE | {_STSD: names} | {f"{_STSD}/{each.name}": each.boxes for each in entries}
    fields = _FIELDS | {f"{_STSD}/{each.name}": each.fields for each in entries}
    row = list(boxes(data, 0, len(data)))
    _compare("", _SHAPE[""], [_name(box.type) for box in row], problems)
    problems.stop()
    parts = {_name(box.type): box for box in row}
    problems.need(row[0].type == b"ftyp", "the file does not begin with ftyp")
    if free := parts.get("free"):
        problems.need(free.end == free.body, "the box free is not empty")
    moov = _Reader(data, shape, fields, problems).box(parts["moov"], "moov")
    problems.stop()
    return Mp4File(read(data, parts["ftyp"].body, parts["ftyp"].end), moov, parts["mdat"])


@dataclass(frozen=True)
class _Reader:
    """Reads the boxes of moov that the shape lists for each path."""

    data: Bytes
    shape: dict[str, str]
    fields: dict[str, int]
    problems: Problems

    def box(self, box: BoxExtent, path: str) -> Mp4Box:
        """Read a box and the boxes in it."""
        rules = self.shape.get(path)
        if rules is None:
            return Mp4Box(path, read(self.data, box.body, box.end, _MAX_TABLES))
        first = box.body + self.fields.get(path, 0)
        row = list(boxes(self.data, first, box.end))
        _compare(path, rules, [_name(each.type) for each in row], self.problems)
        known = rules.replace("?", "").replace("+", "").split()
        inner = tuple(
            self.box(each, f"{path}/{_name(each.type)}")
            for each in row
            if _name(each.type) in known
        )
        return Mp4Box(path, read(self.data, box.body, first, 128), inner)


def _compare(path: str, listed: str, names: list[str], problems: Problems) -> None:
    """Compare the *names* found at *path* with those that are *listed*."""
    where = path or "the file"
    rules = {rule.rstrip("?+"): rule[-1] for rule in listed.split()}
    for name in names:
        problems.need(name in rules, f"a box {name} in {where}")
    for name, rule in rules.items():
        count = names.count(name)
        problems.need(count > 0 or rule == "?", f"no box {name} in {where}")
        problems.need(count < 2 or rule == "+", f"more than one box {name} in {where}")


def _name(kind: bytes) -> str:
    """A type as text if it is printable, else in hexadecimal."""
    text = kind.decode("latin-1")
    return text.rstrip(" ") if re.fullmatch(r"[ -~\xa9]{3}[ -~]", text) else f"0x{kind.hex()}"
