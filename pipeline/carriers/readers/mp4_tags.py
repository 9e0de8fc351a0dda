"""The content of ``udta`` and ``meta`` boxes: the tags of MP4, QuickTime, 3GPP and cameras.

QuickTime file format, "user data atoms" and "metadata atoms"; 3GPP TS 26.244, 8; Apple's
``ilst``.  Only the name of the program that FFmpeg and similar programs write is silent.
"""

import re
from collections.abc import Iterator

from pipeline.carriers import embedded, notes, opaque, text, xmp
from pipeline.carriers.containers.boxes import IsoBox, boxes, find
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding, What

_COUNT = 2000
_VALUE = 64 << 10

PROGRAM = re.compile(r"(?:Lav[fc][\d.]*(?: [\w.-]+)?|HandBrake [\d.]+ \d+|Google)?", re.ASCII)

# 3GPP's assets and the short names of ilst and QuickTime, by a word for their subject.
_SUBJECTS = text.subjects(
    {
        "location": b"loci \xa9xyz \xa9loc",
        "person": b"auth perf cprt aART apID ownr \xa9aut \xa9ART \xa9wrt \xa9cpy \xa9dir \xa9prd"
        b" \xa9prf \xa9own \xa9enc",
        "device": b"manu modl FIRM smrd \xa9mak \xa9mod \xa9mdl \xa9swr \xa9hst \xa9dji",
        "serial": b"SNum CAME MUID LENS",
        "date": b"yrrc date purd \xa9day \xa9TIM \xa9TSC \xa9TSZ",
        "text": b"titl dscp albm kywd gnre coll desc ldes sdes keyw",
    }
)
POSITION_BLOCKS = frozenset((b"gps ", b"gps0", b"GPS ", b"gdat"))
_SETTINGS = frozenset((b"GPMF", b"NCDT", b"SETT", b"AMBA", b"thma", b"smta", b"RTHU"))
_PICTURES = frozenset((b"CNTH", b"CNDA", b"thmb", b"thum", b"MVTG", b"PANA", b"PENT", b"Exif"))


def user_data(udta: Window, *, track: bool = False) -> Iterator[Finding]:
    """The children of a ``udta`` box (ISO/IEC 14496-12, 8.10.1).

    :param track: it belongs to a track, not to the whole film.
    """
    plain = Carrier.STREAM_TAG if track else Carrier.CONTAINER_TAG
    for count, box in enumerate(boxes(udta)):
        if count >= _COUNT:
            yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
            return
        yield from _user_box(box, plain)


def _user_box(box: IsoBox, plain: Carrier) -> Iterator[Finding]:
    kind = box.kind
    if kind == b"meta":
        yield from metadata(box.body, plain)
    elif kind == b"loci":
        yield Finding(Carrier.THREEGPP_POSITION, What.LOCATION)
    elif kind == b"\xa9xyz":
        yield Finding(Carrier.QUICKTIME_POSITION, What.LOCATION)
    elif kind == b"chpl":
        yield from opaque.read(box.body, Carrier.CHAPTERS)
    elif kind[:1] == b"\xa9" or kind in _SUBJECTS:
        yield from _tag(kind, _user_text(kind, box.body), plain)
    elif kind == b"name":
        yield from text.tag("name", text.decode(box.body.read(0, _VALUE)), plain)
    elif kind in _PICTURES:
        yield from pictures(box.body)
    else:
        yield from _maker_box(box)


def _maker_box(box: IsoBox) -> Iterator[Finding]:
    """A box that is neither a tag nor a picture: metadata, telemetry, padding, the rest."""
    kind = box.kind
    if kind == b"XMP_":
        yield from xmp.read(box.body.read(0, xmp.LIMIT))
    elif kind in POSITION_BLOCKS:
        yield Finding(Carrier.TELEMETRY_TRACK, What.LOCATION)
        yield from opaque.scan(box.body, Carrier.UNKNOWN_PART)
    elif kind in _SETTINGS:
        yield Finding(Carrier.DEVICE, What.IDENTITY)
        yield from opaque.scan(box.body, Carrier.UNKNOWN_PART)
    elif kind not in (b"hnti", b"hinf", b"btrt") or box.body.size > 64:
        yield from common_box(box)


def pictures(body: Window) -> Iterator[Finding]:
    """A maker's box around a thumbnail or an EXIF structure, at any position in it."""
    yield Finding(Carrier.THUMBNAIL, What.OTHER)
    head = body.read(0, 64 << 10)
    for magic in (b"\xff\xd8\xff", b"II*\0", b"MM\0*"):
        at = head.find(magic)
        if at >= 0:
            yield from body.part(at).inside(Carrier.THUMBNAIL)
    yield from opaque.scan(body, Carrier.UNKNOWN_PART)


def common_box(box: IsoBox, otherwise: Carrier = Carrier.UNKNOWN_PART) -> Iterator[Finding]:
    """A box of a kind that may be anywhere; any other kind is read as *otherwise*."""
    if box.kind in (b"free", b"skip"):
        yield from _padding(box.body)
    elif box.kind == b"uuid":
        yield from _uuid_box(box.body)
    elif box.kind == b"jumb":
        yield from embedded.c2pa(box.body)
    else:
        yield from opaque.read(box.body, otherwise)


def _padding(body: Window) -> Iterator[Finding]:
    """A ``free`` box: zeros and a program's mark are silent; dashcams write positions there."""
    data = body.read(0, 64 << 10)
    silent = re.fullmatch(rb"(?:IsoMedia File Produced with GPAC[^\0]{0,80})?\0*", data)
    if not silent or (body.size > len(data) and body.read(body.size - 4096, 4096).strip(b"\0")):
        yield from opaque.read(body, Carrier.UNKNOWN_PART)


def _uuid_box(body: Window) -> Iterator[Finding]:
    """Extension boxes by their 16 bytes of type: XMP, C2PA, EXIF of cameras; else unknown."""
    kind = body.read(0, 16)
    if kind == bytes.fromhex("be7acfcb97a942e89c71999491e3afac"):
        yield from xmp.read(body.read(16, xmp.LIMIT))
    elif kind == bytes.fromhex("d8fec3d61b0e483c92975828877ec481"):
        yield from embedded.c2pa(body.part(16))
    elif kind in (b"JpgTiffExif->JP2", bytes.fromhex("0537cdab9d0c4431a72afa561f2a113e")):
        yield from body.part(16).inside(Carrier.UNKNOWN_PART)
    else:
        yield from opaque.read(body.part(16), Carrier.UNKNOWN_PART)


def metadata(meta: Window, plain: Carrier) -> Iterator[Finding]:
    """A ``meta`` box (8.11.1), with QuickTime's ``keys`` and Apple's ``ilst``, or ID3."""
    # ISO's is a full box, QuickTime's is not: the position of the handler shows which it is
    body = meta if meta.read(4, 4) in (b"hdlr", b"keys", b"ilst") else meta.part(4)
    keys: list[str] = []
    for box in boxes(body):
        if box.kind == b"keys":
            # names, for example "com.apple.quicktime.location.ISO6709"
            names = (each.body.read(0, 200) for each in boxes(box.body.part(8)))
            keys = [name.decode("utf-8", "replace") for name in names]
        elif box.kind == b"ilst":
            yield from _items(box.body, keys, plain)
        elif box.kind == b"xml ":
            yield from opaque.read(box.body, Carrier.CONTAINER_TAG)
            data = box.body.read(4, xmp.LIMIT)
            if b"<x:xmpmeta" in data:
                yield from xmp.read(data)
            else:
                yield from notes.xml(text.decode(data, len(data)), Carrier.XMP_POSITION)
        elif box.kind == b"ID32":  # behind version, flags and a language
            yield from box.body.part(6).inside(Carrier.CONTAINER_TAG)
        elif box.kind not in (b"hdlr", b"dinf", b"iloc", b"iinf", b"pitm", b"ctry", b"lang"):
            yield from common_box(box, plain)


def _items(ilst: Window, keys: list[str], plain: Carrier) -> Iterator[Finding]:
    for count, box in enumerate(boxes(ilst, numbered=True)):
        if count >= _COUNT:
            yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
            return
        number = int.from_bytes(box.kind, "big")
        key = keys[number - 1] if 0 < number <= len(keys) else ""
        if box.kind == b"covr" or "artwork" in key:
            for picture in find(box.body, b"data"):
                yield from picture.part(8).inside(Carrier.COVER_PICTURE)
            continue
        for name, value in _values(box.body):
            if key or box.kind == b"----":
                yield from _found(key or name, value, plain)
            else:
                yield from _tag(box.kind, value, plain)


def _values(item: Window) -> Iterator[tuple[str, bytes]]:
    """The values of an item, each with its name where a ``----`` item has one."""
    name = ""
    for box in boxes(item):
        if box.kind in (b"mean", b"name"):
            name += " " + box.body.read(4, 200).decode("utf-8", "replace")
        elif box.kind == b"data":
            kind = box.body.read(0, 4)
            if kind[1:] in (b"\0\0\x0d", b"\0\0\x0e", b"\0\0\x1b"):  # JPEG, PNG, BMP
                continue
            yield name, box.body.read(8, _VALUE)
        elif box.kind:
            yield name, box.body.read(0, _VALUE)


def _user_text(kind: bytes, body: Window) -> bytes:
    """The text of a user data box: a full box in 3GPP, size and language in QuickTime."""
    if kind[:1] != b"\xa9":
        return body.read(4, _VALUE)
    head = body.read(0, 4)
    size = int.from_bytes(head[:2], "big")
    if 0 < size <= body.size - 4:
        return body.read(4, size) + b"\n" + body.read(4 + size, _VALUE)
    if body.read(4, 4) == b"data":  # an ilst item in the wrong box
        return body.read(16, _VALUE)
    return body.read(0, _VALUE)


def _tag(kind: bytes, value: bytes, plain: Carrier) -> Iterator[Finding]:
    name = _SUBJECTS.get(kind, "text")
    if kind in (b"\xa9too", b"\xa9enc", b"\xa9swr", b"\xa9req"):
        name = "software encoder"  # silent if it is one that is known
    yield from _found(name, value, plain)


def _found(key: str, value: bytes, plain: Carrier) -> Iterator[Finding]:
    if key.endswith("encoder") and PROGRAM.fullmatch(text.decode(value).strip(" \0\n")):
        return
    if value.startswith(b"<?xpacket") or b"<x:xmpmeta" in value[:2048]:
        yield from xmp.read(value)
        return
    readable = opaque.words(value) if b"\0" in value.strip(b"\0") else text.decode(value)
    yield from text.tag(key, readable or "-", plain, Carrier.QUICKTIME_POSITION)
