"""What programs append to a file of any format: zip archives and blocks of picture archives.

AFCP (AXS File Concatenation Protocol 1.0), FotoStation, Photo Mechanic and Insta360 end the file
with a mark of their own, from which their blocks are read backwards.
"""

from collections.abc import Iterator
from typing import Literal

from pipeline.carriers import iptc, opaque
from pipeline.carriers.containers import zips
from pipeline.carriers.window import Fields, Window
from pipeline.findings import Carrier, Finding, What

_BLOCKS = 32
_SIZE = 1 << 20  # bytes of a block that are read
_SEARCHED = 4 << 20  # bytes before the end in which a block may begin
_FOTOSTATION = b"\xa1\xb2\xc3\xd4"
_PHOTO_MECHANIC = b"cbipcbbl"
_INSTA360 = b"8db42d694ccc418790edff439fe026bf"
_INSTA360_END = 78
_INSTA360_PLACES = 0x700


def read(window: Window) -> Iterator[Finding]:
    """Read what programs append to a file of any format, as far as these programs are known."""
    tail = window.part(max(0, window.size - _INSTA360_END)).read(0, _INSTA360_END)
    if tail[-12:-8] in (b"AXS!", b"AXS*"):
        yield from _afcp(window, "big" if tail[-9:-8] == b"!" else "little")
    elif tail.endswith(_FOTOSTATION):
        yield from _fotostation(window)
    elif tail.endswith(_PHOTO_MECHANIC):
        size = int.from_bytes(tail[-12:-8], "big")
        yield from _records(window.part(window.size - 12 - size, window.size - 12))
    elif tail.endswith(_INSTA360):
        yield from _insta360(window)
    yield from _archive(window)


def _archive(window: Window) -> Iterator[Finding]:
    texts = zips.texts(window)
    if texts and opaque.has_location(texts):
        yield Finding(Carrier.TRAILER, What.LOCATION)
    for data in zips.members(window):
        yield from window.wrap(data).inside(Carrier.TRAILER)


def _records(block: Window) -> Iterator[Finding]:
    yield Finding(Carrier.TRAILER, What.OTHER)
    yield from iptc.records(block.read(0, _SIZE))


def _afcp(window: Window, order: Literal["big", "little"]) -> Iterator[Finding]:
    """A head, a directory of 12 bytes an entry, the entries, and an end that names the head.

    Offsets count from the start of the file.  They are wrong if the file has changed since.
    """
    mark = window.read(window.size - 12, 4)
    said = window.number(window.size - 8, 4, order)
    begin = said
    if window.read(said, 4) != mark:
        searched = max(0, window.size - 12 - _SEARCHED)
        before = window.read(searched, min(_SEARCHED, window.size - 12))
        begin = searched + before.rfind(mark)
    entries = Fields(window.read(begin, 12 + 12 * _BLOCKS), 6, order)
    count = entries.number(2)
    entries.at = 12
    for _ in range(min(count, _BLOCKS)):
        kind, size, offset = entries.take(4), entries.number(4), entries.number(4)
        entry = window.part(begin + offset - said, begin + offset - said + size)
        if kind == b"IPTC":
            yield from _records(entry)
        else:
            yield from opaque.read(entry, Carrier.TRAILER)


def _fotostation(window: Window) -> Iterator[Finding]:
    """Blocks that each end with a number, their size and the mark."""
    end = window.size
    for _ in range(_BLOCKS):
        foot = Fields(window.read(end - 10, 10))
        kind, size, mark = foot.number(2), foot.number(4), foot.take(4)
        if mark != _FOTOSTATION or not 10 <= size <= end:
            return
        block = window.part(end - size, end - 10)
        if kind == 1:
            yield from _records(block)
        else:
            yield from opaque.read(block, Carrier.TRAILER)
        end -= size


def _insta360(window: Window) -> Iterator[Finding]:
    """Records, each before the number and the size that belong to it."""
    yield Finding(Carrier.DEVICE, What.IDENTITY)
    foot = window.size - _INSTA360_END
    for _ in range(_BLOCKS):
        head = Fields(window.read(foot, 6), order="little")
        kind, size = head.number(2), head.number(4)
        if not size or size > foot:
            return
        if kind == _INSTA360_PLACES:
            yield Finding(Carrier.TELEMETRY_TRACK, What.LOCATION)
        foot -= size + 6
