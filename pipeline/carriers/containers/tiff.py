"""TIFF structures (TIFF 6.0, section 2), BigTIFF included: directories, colour profile."""

from dataclasses import dataclass
from itertools import chain
from typing import Literal

from pipeline.carriers.window import Window, leave_out, spend

_ENTRIES = 1000
_ENTRY = 2  # steps
_VALUE = 128 << 10
_PROFILE = 4 << 20
_ICC = 34675
_SUBFILE, _COMPRESSION, _PHOTOMETRIC, _MAKE, _BELOW, _DNG_VERSION = 254, 259, 262, 271, 330, 50706
_EXTRA_SAMPLES, _ASSOCIATED = 338, 1  # TIFF 6.0, section 18
_SENSOR = frozenset((32803, 34892))  # CFA, LinearRaw
_MAKERS = frozenset((32767, 32769, 32770, 32867, 34713, 65000, 65535))  # Sony, Samsung, Nikon …
_BITS, _SAMPLE_FORMAT, _TILE_WIDTH, _FLOAT = 258, 339, 322, 3
# what FFmpeg unpacks: nothing, CCITT, LZW, Deflate, PackBits
_UNPACKED = frozenset((1, 2, 3, 4, 5, 8, 32773, 32946))
_RGB = 2
# by photometric interpretation (section 8), how many samples of how many bits a pixel may have
_GRAY = frozenset(((1, 1), (1, 2), (1, 4), (1, 8), (1, 16), (2, 8), (2, 16)))
_SAMPLES = {
    0: _GRAY,
    1: _GRAY,
    _RGB: frozenset(((3, 8), (3, 16), (4, 8), (4, 16))),
    3: frozenset(((1, 1), (1, 2), (1, 4), (1, 8))),
    5: frozenset(((4, 8),)),
    6: frozenset(((3, 8),)),
}
_DIRECTORIES = 64
_PIECES = 1 << 16
_DATA = ((0x0111, 0x0117), (0x0144, 0x0145), (0x0201, 0x0202))  # strips, tiles, JPEG
_POINTERS = (0x014A, 0x8769, 0x8825, 0xA005)  # to directories
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_WIDTHS |= {16: 8, 17: 8, 18: 8, 129: 1}


@dataclass(frozen=True)
class TiffEntry:
    """One field of a directory: values of ``kind``, *size* bytes at ``at``."""

    tag: int
    kind: int
    at: int
    size: int


@dataclass(frozen=True)
class TiffStructure:
    """A structure with its byte order; ``big``: it is a BigTIFF."""

    window: Window
    order: Literal["little", "big"]
    big: bool

    @property
    def first(self) -> int:
        """The position of the first directory."""
        return self.number(8, 8) if self.big else self.number(4, 4)

    def number(self, at: int, count: int) -> int:
        """The number in *count* bytes at *at*."""
        return int.from_bytes(self.window.read(at, count), self.order)

    def directory(self, at: int) -> tuple[list[TiffEntry], int]:
        """The entries of the directory at *at*, and the position of the next one (0: none)."""
        head, step, inline = (8, 20, 8) if self.big else (2, 12, 4)
        count = self.number(at, head)
        shown = min(count, _ENTRIES)
        spend(_ENTRY * shown)
        if shown < count:
            leave_out()
        data = self.window.read(at + head, shown * step)
        entries = []
        for start in range(0, len(data) - step + 1, step):
            field = data[start : start + step]
            tag, kind = (int.from_bytes(field[i : i + 2], self.order) for i in (0, 2))
            size = int.from_bytes(field[4 : 4 + inline], self.order) * _WIDTHS.get(kind, 1)
            where = at + head + start + 4 + inline
            if size > inline:
                where = int.from_bytes(field[4 + inline :], self.order)
            entries.append(TiffEntry(tag, kind, where, size))
        return entries, self.number(at + head + count * step, inline)

    def value(self, entry: TiffEntry, limit: int = _VALUE) -> bytes:
        """At most *limit* bytes of the values of *entry*."""
        return self.window.read(entry.at, min(entry.size, limit))

    def numbers(self, entry: TiffEntry, limit: int = 16) -> list[int]:
        """At most *limit* values of *entry* as numbers."""
        width = _WIDTHS.get(entry.kind, 1)
        data = self.value(entry, width * limit)
        return [int.from_bytes(data[i : i + width], self.order) for i in range(0, len(data), width)]


def structure(window: Window) -> TiffStructure | None:
    """The structure in *window*; None where its first bytes are not those of one."""
    head = window.read(0, 4)
    if head not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None
    return TiffStructure(window, "little" if head[:2] == b"II" else "big", b"+" in head)


def end(window: Window) -> int:
    """The end of the last part that a directory names; of the file, where that is not known."""
    tiff = structure(window)
    if tiff is None:
        return window.size
    todo, seen, last = [tiff.first], set[int](), 0
    while todo and len(seen) < _DIRECTORIES:
        at = todo.pop()
        if at in seen or not 0 < at < window.size:
            continue
        seen.add(at)
        entries, following = tiff.directory(at)
        by_tag = {entry.tag: entry for entry in entries}
        # a directory: the number of its entries, the entries, the position of the next directory
        behind = at + (16 + 20 * len(entries) if tiff.big else 6 + 12 * len(entries))
        last = max([last, behind, *(entry.at + entry.size for entry in entries)])
        for positions, sizes in _DATA:
            if positions in by_tag:
                if sizes not in by_tag:
                    return window.size
                pairs = (tiff.numbers(by_tag[tag], _PIECES) for tag in (positions, sizes))
                last = max([last, *map(sum, zip(*pairs, strict=False))])
        pointers = (tiff.numbers(by_tag[tag], _DIRECTORIES) for tag in _POINTERS if tag in by_tag)
        todo += [following, *chain.from_iterable(pointers)]
    return last


@dataclass(frozen=True)
class TiffPicture:
    """What the first picture of a TIFF is, as far as it matters for showing it.

    ``raw``: it belongs to a photo of a camera's sensor.  ``jpeg``: its data are a JPEG.
    ``known``: FFmpeg decodes its kind, and rightly; of others it makes black or wrong colours.
    ``transparent``: its fourth channel is transparency.  ``multiplied``: its colours are already
    multiplied with that.
    """

    raw: bool
    jpeg: bool
    known: bool = True
    transparent: bool = True
    multiplied: bool = False


def picture(window: Window) -> TiffPicture | None:
    """Tell a picture from a raw photo, by the tags of its directories.

    Raw photos have a pattern of colours for pixels (TIFF/EP, 4.2), a version of DNG, a compression
    of a maker, or a small picture in front of directories that hold the large one.
    """
    tiff = structure(window)
    if tiff is None:
        return None
    raw = window.read(8, 2) == b"CR"
    todo, seen, first = [tiff.first], set[int](), dict[int, list[int]]()
    while todo and len(seen) < _DIRECTORIES:
        at = todo.pop(0)
        if at in seen or not 0 < at < window.size:
            continue
        entries, following = tiff.directory(at)
        by_tag = {entry.tag: tiff.numbers(entry) for entry in entries}
        raw |= not _SENSOR.isdisjoint(by_tag.get(_PHOTOMETRIC, []))
        raw |= not _MAKERS.isdisjoint(by_tag.get(_COMPRESSION, []))
        raw |= _DNG_VERSION in by_tag
        if not seen:
            first = by_tag
        seen.add(at)
        below = (tiff.numbers(entry) for entry in entries if entry.tag == _BELOW)
        todo += [following, *chain.from_iterable(below)]
    reduced = bool(first.get(_SUBFILE, []) and first[_SUBFILE][0] & 1)
    raw |= reduced and (_BELOW in first or _MAKE in first)
    extra = first.get(_EXTRA_SAMPLES, [])[:1]
    return TiffPicture(
        raw=raw,
        jpeg=first.get(_COMPRESSION) in ([6], [7]),
        known=_is_known(first),
        transparent=extra != [0],
        multiplied=extra == [_ASSOCIATED],
    )


def _is_known(tags: dict[int, list[int]]) -> bool:
    """Whether FFmpeg decodes a picture rightly.

    It takes samples of 16 bits for those of any kind with as many bits in all, and of pictures in
    tiles it makes black.
    """
    compression, (photometric, *_more) = tags.get(_COMPRESSION, [1]), tags.get(_PHOTOMETRIC) or [0]
    bits, formats = tags.get(_BITS, [1]), set(tags.get(_SAMPLE_FORMAT, [1]))
    if not compression or compression[0] not in _UNPACKED:
        return False
    if _TILE_WIDTH in tags or len(set(bits)) != 1:
        return False
    if photometric == _RGB and formats == {_FLOAT}:
        return bits[0] == 32 and len(bits) in (3, 4)
    return formats == {1} and (len(bits), bits[0]) in _SAMPLES.get(photometric, ())


def colour_profile(window: Window) -> bytes:
    """Tag 34675 of the first directory (ICC.1:2022, annex B.3); empty where there is none."""
    tiff = structure(window)
    entries = tiff.directory(tiff.first)[0] if tiff else []
    return next((tiff.value(e, _PROFILE) for e in entries if tiff and e.tag == _ICC), b"")
