"""JPEG XL (ISO/IEC 18181-1, annexes B and D): the size of a picture, and whether it moves."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.carriers.containers.boxes import boxes
from pipeline.carriers.window import Window

_SIGNATURE = b"\xff\x0a"
_HEADER = 64  # bytes; the fields that are read here take 30 at most
# how wide a picture is by its height (table D.1)
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIDES = ((9, 1), (13, 1), (18, 1), (30, 1))  # bits of a number, and what is added to it
_EIGHTHS = ((0, 16), (0, 32), (5, 1), (9, 33))
_PREVIEWS = ((6, 1), (8, 65), (10, 321), (12, 1345))


class JpegXlError(ValueError):
    """The header makes no sense.  The text quotes nothing of the file."""


@dataclass(frozen=True)
class JpegXlPicture:
    """The upright size in pixels; ``moves``: it is an animation."""

    width: int
    height: int
    moves: bool


@dataclass
class HeaderBits:
    """The bits of a codestream's header, the lowest of each byte first."""

    data: bytes
    at: int = 0

    def number(self, count: int) -> int:
        """The number in the next *count* bits.

        :raises JpegXlError: the header ends before.
        """
        if self.at + count > 8 * len(self.data):
            raise JpegXlError("the header is cut off")
        value = int.from_bytes(self.data, "little") >> self.at & ((1 << count) - 1)
        self.at += count
        return value

    def chosen(self, rows: tuple[tuple[int, int], ...]) -> int:
        """A number of one of four lengths (U32, section B.2.2)."""
        count, added = rows[self.number(2)]
        return added + self.number(count)


def picture(window: Window) -> JpegXlPicture:
    """Read the header of a picture, bare or in boxes.

    :raises JpegXlError: it makes no sense.
    """
    bits = HeaderBits(_codestream(window)[len(_SIGNATURE) :])
    width, height = _size(bits)
    if bits.number(1) or not bits.number(1):  # all fields, or the rarer ones, have their defaults
        return JpegXlPicture(width, height, moves=False)
    orientation = 1 + bits.number(3)
    if bits.number(1):
        _size(bits)  # the size that it is meant to be shown in
    if bits.number(1):
        _preview(bits)
    moves = bool(bits.number(1))
    return JpegXlPicture(*((height, width) if orientation > 4 else (width, height)), moves)


def _codestream(window: Window) -> bytes:
    head = window.read(0, _HEADER)
    if head.startswith(_SIGNATURE):
        return head
    for box in boxes(window):
        if box.kind in (b"jxlc", b"jxlp"):
            # a part has its number in front (ISO/IEC 18181-2, 9.9)
            head = box.body.read(4 if box.kind == b"jxlp" else 0, _HEADER)
            if head.startswith(_SIGNATURE):
                return head
    raise JpegXlError("there is no picture")


def _size(bits: HeaderBits) -> tuple[int, int]:
    """Width and height of a SizeHeader (section D.2)."""
    small = bits.number(1)

    def side() -> int:
        return 8 * (1 + bits.number(5)) if small else bits.chosen(_SIDES)

    height = side()
    ratio = bits.number(3)
    if ratio == 0:
        return side(), height
    over, under = _RATIOS[ratio]
    return height * over // under, height


def _preview(bits: HeaderBits) -> None:
    """Pass over a PreviewHeader (section D.3)."""
    rows = _EIGHTHS if bits.number(1) else _PREVIEWS
    bits.chosen(rows)
    if bits.number(3) == 0:
        bits.chosen(rows)
