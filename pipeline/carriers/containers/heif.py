"""HEIF and AVIF stills (ISO/IEC 23008-12; ISO/IEC 14496-12, 8.11): items, primary picture.

FFmpeg shows a picture made of tiles as a stream group, and an ordinary one as one stream among
thumbnails.  So the primary picture is read here, before decoding.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipeline.carriers.containers import turning
from pipeline.carriers.containers.boxes import IsoBox, boxes
from pipeline.carriers.containers.heif_links import (
    ItemLink,
    ItemMask,
    Properties,
    is_alpha,
    references,
    size_of,
    steps_of,
)
from pipeline.carriers.containers.turning import Step
from pipeline.carriers.window import BudgetSpent, Window

_ITEMS = 5000
_DERIVED = 4
_TILES = 256
_MAX_PROFILE = 4 << 20
_MAX_META = 16 << 20  # a phone writes 4 kB; hidden tiles and profiles do not fill this
_CODECS = {b"hvc1": "hevc", b"av01": "av1", b"avc1": "h264", b"vvc1": "vvc", b"jpeg": "mjpeg"}
_TILED = (b"grid", b"iovl")  # items that are composed of other items


class HeifError(ValueError):
    """The description of the picture makes no sense.  The text quotes nothing of the file."""


@dataclass(frozen=True)
class HeifItem:
    """An item of the ``iinf`` box: its number, its four-character kind, its MIME type."""

    number: int
    kind: bytes
    mime: bytes


@dataclass(frozen=True)
class HeifPicture:
    """The primary item of a HEIF file.

    ``width`` and ``height`` are pixels of the upright picture.  ``rotation`` is how far the
    stored picture is turned clockwise (0, 90, 180 or 270 degrees), before left and right are
    exchanged if the file mirrors it; other orders in the file are converted to this one.
    ``grid``: it is made of tiles, and FFmpeg has it as stream group ``0:g:0``.  ``colour`` is
    the body of the first box ``colr`` (ISO/IEC 14496-12, section 12.1.5).  ``codec`` is
    FFmpeg's name of the codec of the picture or of its tiles.  ``item`` is the number of the item
    that FFmpeg decodes; ``steps`` are those of the items derived from it, which FFmpeg does not
    know; ``width``, ``height`` and ``rotation`` are before them.  ``mask`` is its transparency.
    """

    width: int
    height: int
    rotation: int
    grid: bool
    colour: bytes = b""
    codec: str = "hevc"
    mirrored: bool = False
    item: int = field(default=0, compare=False)
    steps: tuple[Step, ...] = ()
    mask: ItemMask | None = None

    @property
    def orientation(self) -> int:
        """The turn and the mirror as FFmpeg applies them, as an orientation of EXIF."""
        turn = {0: 1, 90: 6, 180: 3, 270: 8}[self.rotation]
        return {1: 2, 6: 5, 3: 4, 8: 7}[turn] if self.mirrored else turn


def items(iinf: Window) -> Iterator[HeifItem]:
    """The items that ``infe`` boxes list (8.11.6), in order, at most 5,000.

    :param iinf: the body of the box.
    """
    version = iinf.read(0, 1)
    for count, box in enumerate(boxes(iinf.part(6 if version == b"\0" else 8))):
        data = box.body.read(0, 300)
        if box.kind != b"infe" or len(data) < 12 or count >= _ITEMS:
            continue
        wide = 4 if data[0] >= 3 else 2
        kind = data[6 + wide : 10 + wide]
        _name, _, rest = data[10 + wide :].partition(b"\0")
        mime = rest.partition(b"\0")[0]
        yield HeifItem(int.from_bytes(data[4 : 4 + wide], "big"), kind, mime)


def picture(window: Window) -> HeifPicture | None:
    """The primary picture of a HEIF file; None when the file has none.

    :raises HeifError: it should have one, and its boxes make no sense.
    """
    try:
        meta = next((box.body for box in _sound(window) if box.kind == b"meta"), None)
        return None if meta is None else _primary(meta)
    except (struct.error, IndexError, BudgetSpent) as error:
        raise HeifError("a box of the picture's description is cut off") from error


def colour_profile(window: Window) -> bytes:
    """The ICC profile of the primary picture; empty where there is none.

    :raises HeifError: the boxes make no sense.
    """
    found = picture(window)
    return found.colour[4:] if found and found.colour[:4] in (b"prof", b"rICC") else b""


def _sound(window: Window) -> Iterator[IsoBox]:
    """The boxes in *window*, each of which must be whole."""
    for box in boxes(window, numbered=True):
        if not box.kind or box.broken:
            raise HeifError(f"a box of impossible size at byte {box.start}")
        yield box


def _primary(meta: Window) -> HeifPicture | None:
    if meta.size > _MAX_META:
        raise HeifError(f"the picture's description is larger than {_MAX_META} bytes")
    parts = {box.kind: box.body for box in _sound(meta.part(4))}
    if not {b"pitm", b"iinf", b"iprp"} <= parts.keys():
        return None
    pitm = _whole(parts[b"pitm"])
    number: int = struct.unpack_from(">I" if pitm[0] else ">H", pitm, 4)[0]
    kinds = {item.number: item.kind for item in items(parts[b"iinf"])}
    if number not in kinds:
        raise HeifError("the primary item is not among the items")
    links = references(parts[b"iref"]) if b"iref" in parts else []
    item, derived = _origin(number, kinds, links)
    properties = list(_properties(parts[b"iprp"], item))
    found = _arranged(properties, tiled=kinds[item] in _TILED)
    steps: list[Step] = []
    for each in reversed(derived):
        size = turning.size_after(steps, found.width, found.height)
        steps += steps_of(list(_properties(parts[b"iprp"], each)), size)
    codec = next((_CODECS[kind] for kind in kinds.values() if kind in _CODECS), found.codec)
    mask = None if steps else _mask(parts[b"iprp"], item, links)
    return replace(found, codec=codec, item=item, steps=tuple(steps), mask=mask)


def _origin(number: int, kinds: dict[int, bytes], links: list[ItemLink]) -> tuple[int, list[int]]:
    """The item that a picture is made of, and the ``iden`` items above it (section 6.6.2.1)."""
    derived: list[int] = []
    while kinds.get(number) == b"iden" and len(derived) < _DERIVED:
        derived.append(number)
        sources = [to for kind, origin, to in links if (kind, origin) == (b"dimg", number)]
        if not sources or not sources[0] or sources[0][0] not in kinds:
            raise HeifError("a derived picture has no source")
        number = sources[0][0]
    return number, derived


def _mask(iprp: Window, item: int, links: list[ItemLink]) -> ItemMask | None:
    """The items that hold the transparency of a picture, as one picture or in tiles.

    Where their description makes no sense the picture is shown without it.
    """

    def properties_of(target: int) -> Properties:
        try:
            return list(_properties(iprp, target))
        except HeifError:
            return []

    def alpha_of(target: int) -> int | None:
        origins = [origin for kind, origin, to in links if kind == b"auxl" and target in to]
        return next((o for o in origins if is_alpha(properties_of(o))), None)

    def tiles_of(target: int) -> tuple[int, ...]:
        return next((to for kind, origin, to in links if (kind, origin) == (b"dimg", target)), ())

    whole = alpha_of(item)
    if whole is not None:
        size, found = whole, tiles_of(whole) or (whole,)
    else:
        size, beside = item, [alpha_of(tile) for tile in tiles_of(item)[:_TILES]]
        found = tuple(alpha for alpha in beside if alpha is not None)
        if not found or len(found) < len(beside):
            return None
    properties = properties_of(size)
    width, height = size_of(properties)
    tile = size_of(properties_of(found[0]))
    if not all((width, height, *tile)) or len(found) > _TILES:
        return None
    columns = -(-width // tile[0]) if len(found) > 1 else 1
    if len(found) != columns * (-(-height // tile[1]) if len(found) > 1 else 1):
        return None
    turned = found == (whole,) and any(kind in (b"irot", b"imir") for kind, _data in properties)
    multiplied = any((kind, origin) == (b"prem", item) for kind, origin, _to in links)
    return ItemMask(found, columns, width, height, turned, multiplied)


def _properties(iprp: Window, item: int) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of the properties of *item*, in order (ISO/IEC 23008-12, section 9.3)."""
    parts = {box.kind: box.body for box in _sound(iprp)}
    if not {b"ipco", b"ipma"} <= parts.keys():
        raise HeifError("the picture's properties are missing")
    known = list(_sound(parts[b"ipco"]))
    # a picture without a colour of its own, as older iPhones write it, has its tiles' colour
    tiles = [number for number, box in enumerate(known, 1) if box.kind == b"colr"][:1]
    for index in (*_associations(_whole(parts[b"ipma"]), item), *tiles):
        if index > len(known):
            raise HeifError("a property of the picture is missing")
        box = known[index - 1]
        if index and box.kind in (b"ispe", b"irot", b"imir", b"clap"):
            yield box.kind, _whole(box.body, 64)
        elif index and box.kind == b"auxC":
            yield box.kind, box.body.read(0, 200).rstrip(b"\0") + b"\0"
        elif index and box.kind == b"colr":
            yield box.kind, _whole(box.body, _MAX_PROFILE)


def _whole(body: Window, limit: int = _MAX_META) -> bytes:
    if body.size > limit:
        raise HeifError(f"a box is larger than {limit} bytes at byte {body.start}")
    return body.read(0, body.size)


def _associations(data: bytes, item: int) -> list[int]:
    """The numbers, counted from 1, of the properties that *item* has (section 9.3.1)."""
    (count,) = struct.unpack_from(">I", data, 4)
    number, width = (">I", 4) if data[0] else (">H", 2)
    wide = data[3] & 1
    at = 8
    for _ in range(count):  # unpack_from and [] raise at the end of the data at the latest
        (found,) = struct.unpack_from(number, data, at)
        size = data[at + width]
        at += width + 1
        if found == item:
            row = struct.unpack_from(f">{size}{'H' if wide else 'B'}", data, at)
            return [index & (0x7FFF if wide else 0x7F) for index in row]
        at += size * (2 if wide else 1)
    raise HeifError("the picture has no properties")


def _arranged(properties: list[tuple[bytes, bytes]], *, tiled: bool) -> HeifPicture:
    """Size and rotation after the turns and mirrors, applied in the order they are listed in.

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
        raise HeifError("the picture has no size")
    width, height = size if rotation % 180 == 0 else size[::-1]
    return HeifPicture(width, height, rotation, tiled, colour, mirrored=mirrored)
