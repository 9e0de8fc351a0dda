"""Whether a file is whole: its own structure says where it ends.

A transfer that breaks off leaves the beginning of a file, and most decoders show what there is
without a word.  The functions here compare the sizes that a format writes down, or the mark that
it ends with, with the bytes that came.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.carriers.containers import ebml, jpeg, png, riff, tiff
from pipeline.carriers.containers.boxes import IsoBox, boxes, find
from pipeline.carriers.window import BudgetSpent, Window

_TABLE = 16 << 20
_PAGE = 65_307  # bytes: the largest page of Ogg
_NAMES = frozenset((b"moov", b"mdat", b"moof", b"meta", b"jxlc", b"jxlp"))
_SEGMENT = 0x18538067
_BROADCAST = 1
_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"  # what a file begins with


@dataclass(frozen=True)
class Cut:
    """A file without its end.  ``share`` of it is missing, 0 to 1; None if it does not say.

    ``is_certain``: no whole file ends like this.  If it is false, one whole file in 184 does.
    """

    share: float | None = None
    is_certain: bool = True


CutReader = Callable[[Window], Cut | None]


def cut(window: Window, ending: CutReader | None) -> Cut | None:
    """How much of a file is missing; None where nothing is, or where it does not say."""
    if ending is None:
        return None
    try:
        return ending(window)
    except (struct.error, ValueError, EOFError, IndexError, BudgetSpent):
        return None  # its structure makes no sense, so it proves nothing


def base_media(window: Window) -> Cut | None:
    """Boxes and chunks that reach beyond the end (ISO/IEC 14496-12, 4.2, 8.7.5 and 8.16.3).

    Of two films that were joined byte by byte, FFmpeg shows the first, so the second is missing.
    """
    end, heads = 0, []
    for box in boxes(window):
        if box.kind in (b"ftyp", b"moov"):
            heads.append(box)
        if box.kind in _NAMES and box.broken:
            end = max(end, box.start + _announced(window, box.start))
        elif box.kind == b"sidx":
            end = max(end, box.end + _referenced(box.body))
        elif box.kind == b"moov":
            end = max(end, *_chunks(box.body), 0)
    return _beyond(window, end) or _behind(window, _second_film(heads))


def _second_film(heads: list[IsoBox]) -> int:
    """Where a second film begins; 0 if there is none, or if the first one comes in fragments."""
    films = [box for box in heads if box.kind == b"moov"]
    if len(films) < 2 or any(find(films[0].body, b"mvex")):
        return 0
    return min(box.start for box in heads if box.start > films[0].start)


def _announced(window: Window, at: int) -> int:
    size = window.number(at, 4)
    return window.number(at + 8, 8) if size == 1 else size


def _referenced(sidx: Window) -> int:
    """How many bytes follow that an index of fragments lists."""
    wide = sidx.number(0, 1) > 0
    at = 28 if wide else 20
    offset = sidx.number(at - 8, 8) if wide else sidx.number(at - 4, 4)
    count = sidx.number(at + 2, 2)
    data = sidx.read(at + 4, 12 * count)
    sizes: list[int] = [value for (value,) in struct.iter_unpack(">I8x", data)]
    return offset + sum(size & 0x7FFFFFFF for size in sizes)


def _chunks(moov: Window) -> list[int]:
    """One byte of the last chunk of each track."""
    found = []
    for track in find(moov, b"trak", b"mdia", b"minf", b"stbl"):
        for kind, code, wide in ((b"stco", ">I", 4), (b"co64", ">Q", 8)):
            for table in find(track, kind):
                data = table.read(8, min(table.number(4, 4) * wide, _TABLE))
                data = data[: len(data) // wide * wide]
                found += [
                    max((value + 1 for (value,) in struct.iter_unpack(code, data)), default=0)
                ]
    return found


def jpeg_xl(window: Window) -> Cut | None:
    """The boxes of a JPEG XL; the bare picture says nothing (ISO/IEC 18181-2, 9.1)."""
    return base_media(window) if window.read(4, 4) == b"JXL " else None


def jpeg_end(window: Window) -> Cut | None:
    """A photo without the marker EOI (ITU-T T.81, B.1.1.3)."""
    last = None
    for last in jpeg.segments(window):  # noqa: B007 - the last one counts
        pass
    return None if last is not None and last.marker == jpeg.EOI else Cut()


def png_end(window: Window) -> Cut | None:
    """A picture without the chunk IEND (ISO/IEC 15948, 5.6)."""
    last = None
    for count, last in enumerate(png.chunks(window)):
        if last.end > window.size:
            return _beyond(window, last.end)
        if count >= png.MOST - 1:
            return None
    return None if last is not None and last.kind == b"IEND" else Cut()


def riff_end(window: Window) -> Cut | None:
    """A RIFF whose chunks are longer than the file, as in AVI and WebP."""
    end = 0
    for chunk in riff.chunks(window, most=1000):
        if chunk.group == b"RIFF" and chunk.broken:
            end = chunk.start + 8 + window.number(chunk.start + 4, 4, "little")
    return _beyond(window, end) if end < 0xFFFFFF00 else None


def matroska(window: Window) -> Cut | None:
    """A segment that is longer than the file (RFC 9559, 5.1)."""
    for element in ebml.elements(window):
        if element.number == _SEGMENT:
            return _beyond(window, window.size + element.missing)
    return None


def asf(window: Window) -> Cut | None:
    """A file that is shorter than its header says, or has another behind it (ASF 1.20.03, 3.2)."""
    head = window.read(0, 4096)
    at = head.find(b"\xa1\xdc\xab\x8c\x47\xa9\xcf\x11\x8e\xe4\x00\xc0\x0c\x20\x53\x65")
    if at < 0:
        return None
    size, flags = struct.unpack_from("<Q40xI", head, at + 40)
    if flags & _BROADCAST:
        return None
    is_second = window.read(size, len(_ASF)) == _ASF
    return _behind(window, size) if is_second else _beyond(window, size)


def ogg(window: Window) -> Cut | None:
    """A last page that is not whole (RFC 3533, 6)."""
    start = max(0, window.size - _PAGE)
    tail = window.read(start, _PAGE)
    at = tail.rfind(b"OggS")
    table = tail[at + 27 : at + 27 + tail[at + 26]] if 0 <= at < len(tail) - 27 else b""
    whole = bool(table) and len(table) == tail[at + 26]
    end = at + 27 + len(table) + sum(table)
    return None if at < 0 or (whole and end <= len(tail)) else Cut()


def tiff_end(window: Window) -> Cut | None:
    """A file whose directories name parts that are not there (TIFF 6.0, section 2)."""
    return _beyond(window, tiff.end(window))


def bmp(window: Window) -> Cut | None:
    """A file that is shorter than its header says."""
    return _beyond(window, window.number(2, 4, "little"))


def _behind(window: Window, start: int) -> Cut | None:
    """What is not shown of a file in which another file begins at *start*; 0: at no place."""
    return Cut(1 - start / window.size) if start else None


def _beyond(window: Window, end: int) -> Cut | None:
    """What is missing of a file that should have *end* bytes."""
    return Cut(1 - window.size / end) if end > window.size else None
