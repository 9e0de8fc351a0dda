"""HEIF and AVIF stills (ISO/IEC 23008-12; ISO/IEC 14496-12, 8.11): items by allow-list.

Boxes that describe pixels, coded items and grids of them are silent.  Every other kind of item
(Exif, XMP, text, a thumbnail, depth) is reported.
"""

from collections.abc import Iterator

from pipeline.carriers import embedded, exif, opaque, text, xmp
from pipeline.carriers.containers.boxes import IsoBox, boxes
from pipeline.carriers.containers.heif import HeifItem, items
from pipeline.carriers.window import Fields, Window
from pipeline.findings import Carrier, Finding, What

_ITEMS = 5000
_CODED = frozenset(b"hvc1 av01 avc1 jpeg j2k1 vvc1 jxl1 unci grid iden iovl lhv1".split())
_META = frozenset(b"hdlr pitm iloc iinf iref iprp idat dinf ipro grpl".split())
_PROPERTIES = frozenset(
    b"ispe pixi hvcC av1C avcC jpgC j2kH vvcC lhvC pasp clap irot imir clli mdcv cclv a1op a1lx"
    b" colr auxC lsel rloc oinf tols amve rref free skip ndwt reve subs evrt crtt aebr iscl".split()
)


def read(window: Window, meta: Window) -> Iterator[Finding]:
    """What the items of *meta* (the body of a ``meta`` box with its version) give away.

    :param window: the file that holds the items' bytes.
    """
    parts: dict[bytes, Window] = {}
    for box in boxes(meta.part(4)):
        if box.kind not in _META:
            yield from _unknown(box)
        parts.setdefault(box.kind, box.body)
    empty = meta.part(meta.size)
    listed = list(items(parts.get(b"iinf", empty)))
    places = dict(_locations(parts.get(b"iloc", empty), window, parts.get(b"idat", empty)))
    # thumbnails of the picture (8.11.12); depth and gain maps are found as properties
    if any(box.kind == b"thmb" for box in boxes(parts.get(b"iref", empty).part(4))):
        yield Finding(Carrier.THUMBNAIL, What.OTHER)
    for item in listed:
        yield from _item(item, places.get(item.number, empty))
    for box in boxes(parts.get(b"iprp", empty)):
        if box.kind == b"ipco":
            yield from _properties(box.body)


def _unknown(box: IsoBox) -> Iterator[Finding]:
    if box.kind in (b"xml ", b"bxml"):
        yield from xmp.read(box.body.read(4, xmp.LIMIT))
    elif box.kind in (b"jumb", b"uuid"):
        yield from embedded.c2pa(box.body)
    elif box.kind not in (b"free", b"skip") or box.body.read(0, 1 << 16).strip(b"\0"):
        yield from opaque.read(box.body, Carrier.UNKNOWN_PART)


def _locations(iloc: Window, file: Window, idat: Window) -> Iterator[tuple[int, Window]]:
    """Where each item's bytes are (8.11.3); extents are joined, up to 4 MiB."""
    data = iloc.read(0, 1 << 20)
    if len(data) < 8:
        return
    version = data[0]
    offset_size, length_size = data[4] >> 4, data[4] & 15
    base_size, index_size = data[5] >> 4, data[5] & 15 if version else 0
    fields = Fields(data, 6)
    for _ in range(min(fields.number(4 if version == 2 else 2), _ITEMS)):
        number = fields.number(4 if version == 2 else 2)
        method = fields.number(2) & 15 if version else 0
        fields.number(2)
        base = fields.number(base_size)
        extents = []
        for _ in range(min(fields.number(2), 64)):
            fields.number(index_size)
            extents.append((base + fields.number(offset_size), fields.number(length_size)))
        place = idat if method == 1 else file
        if len(extents) == 1:
            start, size = extents[0]
            yield number, place.part(start, start + size if size else None)
        elif len(extents) > 1:
            pieces = (place.read(start, min(size, 1 << 20)) for start, size in extents[:16])
            yield number, file.wrap(b"".join(pieces))


def _item(item: HeifItem, place: Window) -> Iterator[Finding]:
    if item.kind in _CODED:
        return
    if item.kind == b"Exif":
        # four bytes say how many to skip to the TIFF header (ISO/IEC 23008-12, A.2.1)
        skip = int.from_bytes(place.read(0, 4), "big")
        yield from exif.read(place.part(4 + skip))
    elif item.kind == b"mime" and b"xml" in item.mime:
        yield from xmp.read(place.read(0, xmp.LIMIT))
    elif item.kind == b"tmap":
        yield Finding(Carrier.SECOND_IMAGE, What.OTHER)
    elif item.kind == b"mime" and item.mime.startswith(b"image/"):
        yield from place.inside(Carrier.SECOND_IMAGE)
    else:
        yield from opaque.read(place, Carrier.UNKNOWN_PART)


def _properties(ipco: Window) -> Iterator[Finding]:
    for box in boxes(ipco):
        data = box.body.read(0, 1024)
        if box.kind == b"colr" and data[:4] in (b"prof", b"rICC"):
            yield from embedded.icc(box.body.read(4, embedded.PROFILE))
        elif box.kind == b"auxC" and b"alpha" not in data:
            yield Finding(Carrier.SECOND_IMAGE, What.OTHER)
        elif box.kind in (b"cdtp", b"crtm", b"mdft", b"mdtm"):
            yield Finding(Carrier.TIME, What.TIME)
        elif box.kind in (b"udes", b"altt"):
            yield Finding(Carrier.COMMENT_TEXT, text.kind_of(text.decode(data[4:])))
        elif box.kind not in _PROPERTIES:
            yield from _unknown(box)
