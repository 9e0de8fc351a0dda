"""How the parts of a HEIF file belong together: references between items, and its films.

ISO/IEC 14496-12, 8.11.12 (``iref``) and 8.3.3 (``tref``); ISO/IEC 23008-12, 6.4 to 6.6 and 7.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.containers.boxes import boxes, find
from pipeline.carriers.containers.turning import Crop, Step, Turn
from pipeline.carriers.window import BudgetSpent, Window

_LINKS = 5000
_TARGETS = 20_000  # of all references together
_ALPHA = (b"auxid:1\0", b":auxiliary:alpha\0")
_TURNS = {1: 8, 2: 3, 3: 6}  # quarters anticlockwise (6.5.10) as orientations of EXIF
_MIRRORS = {0: 4, 1: 2}  # the axes of ``imir`` (6.5.12)
_TRACKS = 50

ItemLink = tuple[bytes, int, tuple[int, ...]]
Properties = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class ItemMask:
    """The items that hold a picture's transparency, row by row, *columns* of them in a row.

    ``width`` and ``height`` are pixels of the whole mask before it is turned.  ``turned``: FFmpeg
    turns it as the file says.  ``multiplied``: the colours of the picture are already multiplied
    with it (``prem``, ISO/IEC 23008-12, 6.4.6).
    """

    items: tuple[int, ...]
    columns: int
    width: int
    height: int
    turned: bool
    multiplied: bool = False


@dataclass(frozen=True)
class HeifFilm:
    """A film in a HEIF file: the number of its track, and that of its transparency, if any."""

    track: int
    mask: int | None


def references(iref: Window) -> list[ItemLink]:
    """Kind, origin and targets of at most 5,000 references with 20,000 targets.

    :param iref: the body of the box.
    """
    wide = iref.read(0, 1) != b"\0"
    code, size = (">I", 4) if wide else (">H", 2)
    found: list[ItemLink] = []
    left = _TARGETS
    for box in boxes(iref.part(4)):
        data = box.body.read(0, 1 << 16)
        if len(data) < size + 2 or len(found) >= _LINKS or left <= 0:
            continue
        (origin,) = struct.unpack_from(code, data)
        (count,) = struct.unpack_from(">H", data, size)
        data = data[size + 2 : size + 2 + min(count, left) * size]
        left -= count
        targets = struct.iter_unpack(code, data[: len(data) // size * size])
        found.append((box.kind, origin, tuple(target for (target,) in targets)))
    return found


def is_alpha(properties: Properties) -> bool:
    """Whether an item is the transparency of another one (``auxC``, 6.5.8)."""
    return any(kind == b"auxC" and data.endswith(_ALPHA) for kind, data in properties)


def size_of(properties: Properties) -> tuple[int, int]:
    """The size of an item before it is cut and turned; 0 if it has none."""
    for kind, data in properties:
        if kind == b"ispe" and len(data) >= 12:
            width, height = struct.unpack_from(">II", data, 4)
            return width, height
    return 0, 0


def steps_of(properties: Properties, size: tuple[int, int]) -> Iterator[Step]:
    """How a picture of *size* is cut and turned, in the order of the file."""
    width, height = size
    for kind, data in properties:
        if kind == b"irot" and (quarters := data[0] & 3):
            width, height = (height, width) if quarters % 2 else (width, height)
            yield Turn(_TURNS[quarters])
        elif kind == b"imir":
            yield Turn(_MIRRORS[data[0] & 1])
        elif kind == b"clap" and (crop := aperture(data, width, height)):
            width, height = crop.width, crop.height
            yield crop


def aperture(clap: bytes, width: int, height: int) -> Crop | None:
    """The clean aperture (12.1.4); None if it is not a rectangle of whole pixels inside."""
    values = struct.unpack_from(">IIIIiIiI", clap)
    if not all(values[1::2]):
        return None
    wide, high = values[0] / values[1], values[2] / values[3]
    left = values[4] / values[5] + (width - wide) / 2
    top = values[6] / values[7] + (height - high) / 2
    if any(value != int(value) for value in (wide, high, left, top)):
        return None
    crop = Crop(int(left), int(top), int(wide), int(high))
    inside = 0 <= left <= width - wide and 0 <= top <= height - high
    return crop if inside and crop.width and crop.height else None


def film(window: Window) -> HeifFilm | None:
    """The film of a file; None where no track has more than one picture."""
    pictures, masks = [], dict[int, int]()
    try:
        for count, track in enumerate(find(window, b"moov", b"trak")):
            if count >= _TRACKS:
                break
            number = _track_number(track)
            targets = [
                struct.unpack_from(">I", refs.read(0, 4))[0]
                for refs in find(track, b"tref", b"auxl")
                if refs.size >= 4
            ]
            handler = next((h.read(8, 4) for h in find(track, b"mdia", b"hdlr")), b"")
            samples = next(find(track, b"mdia", b"minf", b"stbl", b"stsz"), None)
            if targets:
                masks |= dict.fromkeys(targets, number)
            elif handler in (b"pict", b"vide") and samples and samples.number(8, 4) > 1:
                pictures.append(number)
    except (struct.error, EOFError, BudgetSpent):
        return None
    return HeifFilm(pictures[0], masks.get(pictures[0])) if pictures else None


def _track_number(track: Window) -> int:
    header = next(find(track, b"tkhd"), None)
    if header is None:
        return 0
    return header.number(20 if header.read(0, 1) == b"\1" else 12, 4)
