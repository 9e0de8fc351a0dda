"""HEIC and AVIF stills: which item is the picture, and how it stands (ISO/IEC 23008-12).

Read before decoding, because FFmpeg shows a picture made of tiles as a stream group and an
ordinary one as one stream among thumbnails.  The input is a stranger's; nothing but
:class:`~pipeline.media.isobmff.BoxError` is raised.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.media.isobmff import Box, BoxError, Source, body, boxes, children

_MAX_PROFILE = 4 << 20
_MAX_META = 16 << 20  # a phone's is 4 kB; its hidden tiles and profiles do not make it more
_CODED = (b"hvc1", b"av01", b"jpeg", b"avc1")  # items that are pictures in themselves
_TILED = (b"grid", b"iovl")  # items that are put together from others


@dataclass(frozen=True)
class HeifPicture:
    """The primary item of a HEIF file.

    ``width`` and ``height`` are pixels of the upright picture.  Upright is the stored picture
    turned clockwise by ``rotation`` (0, 90, 180 or 270 degrees), then, if ``mirrored``, with
    left and right exchanged; other orders in the file are brought into this one.  ``grid``:
    it is made of tiles, and FFmpeg has it as stream group ``0:g:0``.  ``streams_before``: how
    many coded pictures (thumbnails, tiles) FFmpeg lists as streams before it.  ``colour``: the body
    of the first box ``colr`` (ISO/IEC 14496-12, section 12.1.5).
    """

    width: int
    height: int
    rotation: int
    mirrored: bool
    grid: bool
    streams_before: int
    colour: bytes = b""


def picture(path: Path) -> HeifPicture | None:
    """The primary picture of the file at *path*; None when the file has no such thing.

    :raises BoxError: it should have one, and its boxes make no sense.
    """
    with path.open("rb") as file:
        return read(file)


def read(file: BinaryIO) -> HeifPicture | None:
    """The same for an open file."""
    size = file.seek(0, 2)
    meta = next((box for box in boxes(file, 0, size) if box.type == b"meta"), None)
    if meta is None:
        return None
    try:
        return _primary(file, meta)
    except (struct.error, IndexError) as error:
        raise BoxError("a box of the picture's description is cut off") from error


def _primary(file: Source, meta: Box) -> HeifPicture | None:
    if meta.end - meta.body > _MAX_META:
        raise BoxError("the picture's description is larger than any we know")
    parts = {box.type: box for box in children(file, meta, 4)}
    if not {b"pitm", b"iinf", b"iprp"} <= parts.keys():
        return None
    pitm = body(file, parts[b"pitm"])
    item: int = struct.unpack_from(">I" if pitm[0] else ">H", pitm, 4)[0]
    kinds = dict(_items(file, parts[b"iinf"]))
    if item not in kinds:
        raise BoxError("the primary item is not among the items")
    return _arranged(
        list(_properties_of(file, parts[b"iprp"], item)),
        tiled=kinds[item] in _TILED,
        streams_before=_streams_before(kinds, item),
    )


def _streams_before(kinds: dict[int, bytes], item: int) -> int:
    """FFmpeg makes a stream of each coded item, in the order of the list of items."""
    before = list(kinds)[: list(kinds).index(item)]
    return sum(kinds[other] in _CODED for other in before)


def _items(file: Source, iinf: Box) -> Iterator[tuple[int, bytes]]:
    """Number and type of each item (ISO/IEC 14496-12, section 8.11.6)."""
    version = body(file, iinf)[0]
    for entry in children(file, iinf, 8 if version else 6):
        data = body(file, entry)
        if entry.type != b"infe" or data[0] < 2:
            continue
        number, at = (">H", 8) if data[0] == 2 else (">I", 10)
        yield struct.unpack_from(number, data, 4)[0], data[at : at + 4]


def _properties_of(file: Source, iprp: Box, item: int) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of what is said of *item*, in order (ISO/IEC 23008-12, section 9.3)."""
    parts = {box.type: box for box in children(file, iprp)}
    if not {b"ipco", b"ipma"} <= parts.keys():
        raise BoxError("the picture's properties are missing")
    known = list(children(file, parts[b"ipco"]))
    for index in (*_associations(body(file, parts[b"ipma"]), item), *_tiles_colour(known)):
        if index > len(known):
            raise BoxError("a property of the picture is missing")
        if index and known[index - 1].type in (b"ispe", b"irot", b"imir"):
            yield known[index - 1].type, body(file, known[index - 1], limit=64)
        elif index and known[index - 1].type == b"colr":
            yield b"colr", body(file, known[index - 1], limit=_MAX_PROFILE)


def _tiles_colour(known: list[Box]) -> list[int]:
    """Where a picture has no colour of its own, as with older iPhones, its tiles have one."""
    return [number for number, box in enumerate(known, 1) if box.type == b"colr"][:1]


def _associations(data: bytes, item: int) -> list[int]:
    """The numbers, counted from 1, of the properties that *item* has (section 9.3.1)."""
    (count,) = struct.unpack_from(">I", data, 4)
    number, width = (">I", 4) if data[0] else (">H", 2)
    wide = data[3] & 1
    at = 8
    for _ in range(count):  # ends with the data at the latest: unpack_from and [] raise there
        (found,) = struct.unpack_from(number, data, at)
        size = data[at + width]
        at += width + 1
        if found == item:
            row = struct.unpack_from(f">{size}{'H' if wide else 'B'}", data, at)
            return [index & (0x7FFF if wide else 0x7F) for index in row]
        at += size * (2 if wide else 1)
    raise BoxError("the picture has no properties")


def _arranged(
    properties: list[tuple[bytes, bytes]], *, tiled: bool, streams_before: int
) -> HeifPicture:
    """Size and standing after the turns and mirrors, applied in the order they are listed in.

    ``irot`` turns anticlockwise by quarters (section 6.5.10); ``imir`` exchanges top and
    bottom at axis 0, left and right at axis 1 (section 6.5.12).
    """
    size: tuple[int, int] | None = None
    rotation, mirrored = 0, False
    colour = b""
    for kind, data in properties:
        if kind == b"ispe" and size is None:
            size = struct.unpack_from(">II", data, 4)
        elif kind == b"irot":
            turn = -90 * (data[0] & 3)
            # a turn after a mirror is the opposite turn before it
            rotation = (rotation + (-turn if mirrored else turn)) % 360
        elif kind == b"imir":
            # exchanging top and bottom is half a turn more than exchanging left and right
            rotation = (rotation + (0 if data[0] & 1 else 180)) % 360
            mirrored = not mirrored
        elif kind == b"colr":
            colour = colour or data
    if size is None or not all(size):
        raise BoxError("the picture has no size")
    width, height = size if rotation % 180 == 0 else size[::-1]
    return HeifPicture(width, height, rotation, mirrored, tiled, streams_before, colour)
