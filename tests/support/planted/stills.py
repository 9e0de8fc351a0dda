"""PNG, GIF, WebP, TIFF, AVIF and BMP with a place: bytes are added to clean files."""

from __future__ import annotations

import binascii
import struct
import zlib
from functools import partial

from .bases import avif, bases
from .jpegs import COMMENT, EXIF, XMP, exif_jpeg, inner, jumbf, profile, resource, still
from .place import Place, directory, tiff


def chunk(kind: bytes, body: bytes) -> bytes:
    return (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", binascii.crc32(kind + body))
    )


def png(*chunks: bytes, base: str = "still.png", behind: bytes = b"") -> bytes:
    still = bases()[base]
    return still[:33] + b"".join(chunks) + still[33:] + behind


def png_text(place: Place) -> bytes:
    return png(chunk(b"tEXt", b"Comment\0" + place.text.encode()))


def png_packed(place: Place) -> bytes:
    return png(chunk(b"zTXt", b"Description\0\0" + zlib.compress(place.text.encode())))


def png_international(place: Place) -> bytes:
    packed = zlib.compress(place.text.encode())
    return png(chunk(b"iTXt", b"Title\0\x01\0en\0Title\0" + packed))


def png_xmp(place: Place) -> bytes:
    return png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + place.xmp()))


def png_raw(name: str, place: Place) -> bytes:
    data = {
        "exif": b"Exif\0\0" + place.exif(),
        "iptc": resource(1028, place.iptc()),
        "xmp": place.xmp(),
    }[name]
    digits = data.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    raw = f"\n{name}\n{len(data):8d}\n{lines}\n".encode()
    return png(chunk(b"zTXt", f"Raw profile type {name}\0\0".encode() + zlib.compress(raw)))


def png_chunk(kind: bytes, place: Place) -> bytes:
    packed = b"mine\0\0" + zlib.compress(profile(place))
    bodies = {
        b"eXIf": place.exif(),
        b"iCCP": packed,
        b"caBX": jumbf(place),
        b"foRt": place.text.encode(),
    }
    return png(chunk(kind, bodies[kind]))


def png_moving(place: Place) -> bytes:
    return png(chunk(b"tEXt", b"Author\0" + place.text.encode()), base="moving.png")


def blocks(data: bytes) -> bytes:
    rows = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(row)]) + row for row in rows) + b"\0"


def gif(extension: bytes = b"", behind: bytes = b"") -> bytes:
    still = bases()["still.gif"]
    at = 13 + (3 << ((still[10] & 7) + 1) if still[10] & 0x80 else 0)
    return still[:at] + extension + still[at:] + behind


def gif_xmp(place: Place) -> bytes:
    magic = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    return gif(b"!\xff\x0bXMP DataXMP" + place.xmp() + magic)


def webp(*extra: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    """The still in the extended form (RFC 9649, 2.7)."""
    flags = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}
    head = struct.pack("<BxxxI", sum(flags.get(kind, 0) for kind, _ in extra), 63)[:7]
    head += (47).to_bytes(3, "little")
    picture = bases()["still.webp"][12:]
    made = {kind: riff(kind, body) for kind, body in extra}
    first = made.pop(b"ICCP", b"")
    body = b"WEBP" + riff(b"VP8X", head) + first + picture + b"".join(made.values())
    return riff(b"RIFF", body) + behind


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def tiff_still(fields: list[tuple[int, int, bytes]], place: Place | None = None) -> bytes:
    """An 8 x 8 grey picture with more fields, and perhaps a GPS directory."""
    base: list[tuple[int, int, bytes]] = [
        (0x0100, 3, b"\0\x08"),
        (0x0101, 3, b"\0\x08"),
        (0x0102, 3, b"\0\x08"),
        (0x0103, 3, b"\0\x01"),
        (0x0106, 3, b"\0\x01"),
        (0x0116, 3, b"\0\x08"),
        (0x0117, 4, struct.pack(">I", 64)),
    ]
    gps = None
    if place is not None:
        gps = [
            (1, 2, b"N\0" if place.lat > 0 else b"S\0"),
            (2, 5, struct.pack(">6I", *place.degrees(place.lat))),
            (3, 2, b"E\0" if place.lon > 0 else b"W\0"),
            (4, 5, struct.pack(">6I", *place.degrees(place.lon))),
        ]
    empty = tiff([*base, (0x0111, 4, b"\0\0\0\0"), *fields], gps)
    full = tiff([*base, (0x0111, 4, struct.pack(">I", len(empty))), *fields], gps)
    return full + bytes(range(0, 256, 4))


def tiff_map(place: Place) -> bytes:
    """A GeoTIFF: one point of the picture on the globe (GeoTIFF 1.1, 7.3.1)."""
    point = struct.pack(">6d", 0, 0, 0, place.lon, place.lat, 0)
    keys = struct.pack(">8H", 1, 1, 0, 1, 1024, 0, 1, 2)
    scale = struct.pack(">3d", 1e-5, 1e-5, 0)
    named = place.text.encode() + b"\0"
    return tiff_still(
        [(0x830E, 12, scale), (0x8482, 12, point), (0x87AF, 3, keys), (0x87B1, 2, named)]
    )


def tiff_pages(place: Place) -> bytes:
    first = tiff_still([])
    at = len(first) + (len(first) & 1)
    count = int.from_bytes(first[8:10], "big")
    pointer = 10 + 12 * count
    first = (
        first[:pointer]
        + struct.pack(">I", at)
        + first[pointer + 4 :].ljust(at - pointer - 4, b"\0")
    )
    said = place.text.encode() + b"\0"
    size = struct.pack(">I", 64)
    fields = [
        *((tag, 3, b"\0\x08") for tag in (0x0100, 0x0101, 0x0102)),
        *((tag, 3, b"\0\x01") for tag in (0x0103, 0x0106)),
        (0x010E, 2, said),
        (0x0111, 4, struct.pack(">I", len(first) - 64)),
        (0x0116, 3, b"\0\x08"),
        (0x0117, 4, size),
    ]
    return first + directory(fields, at)[0]


def avif_property(place: Place) -> bytes:
    """A description of the user's, in a box at the end that no item needs."""
    said = b"\0\0\0\0en\0Title\0" + place.text.encode() + b"\0\0"
    return bases()["still.avif"] + struct.pack(">I4s", 8 + len(said), b"udes") + said


CARRIERS = [
    still("png-text.png", "tEXt", "tEXt", COMMENT, png_text),
    still("png-ztxt.png", "zTXt", "zTXt", COMMENT, png_packed),
    still("png-itxt.png", "iTXt, packed", "iTXt", COMMENT, png_international),
    still("png-xmp.png", "XMP", "iTXt", XMP, png_xmp),
    still(
        "png-raw-exif.png", "EXIF GPS in hexadecimal text", "zTXt", EXIF, partial(png_raw, "exif")
    ),
    still(
        "png-raw-iptc.png",
        "IPTC in hexadecimal text",
        "zTXt",
        (("IPTC place", "location"),),
        partial(png_raw, "iptc"),
    ),
    still("png-raw-xmp.png", "XMP in hexadecimal text", "zTXt", XMP, partial(png_raw, "xmp")),
    still("png-exif.png", "EXIF GPS", "eXIf", EXIF, partial(png_chunk, b"eXIf")),
    still(
        "png-icc.png",
        "ICC description",
        "iCCP",
        (("colour profile", "location"),),
        partial(png_chunk, b"iCCP"),
    ),
    still(
        "png-c2pa.png",
        "C2PA assertion",
        "caBX",
        (("C2PA manifest", "location"),),
        partial(png_chunk, b"caBX"),
    ),
    still(
        "png-unknown.png",
        "chunk that nobody knows",
        "foRt",
        (("unknown part", "location"),),
        partial(png_chunk, b"foRt"),
    ),
    still(
        "png-trailer.png",
        "text behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: png(behind=place.text.encode()),
    ),
    still(
        "png-second.png",
        "EXIF GPS of a JPEG behind the end",
        "trailer",
        inner("second image"),
        lambda place: png(behind=exif_jpeg(place)),
    ),
    still(
        "apng-text.png",
        "tEXt of a moving PNG",
        "tEXt",
        (("person", "identity"), *COMMENT),
        png_moving,
    ),
    still(
        "gif-comment.gif",
        "comment",
        "comment extension",
        COMMENT,
        lambda place: gif(b"!\xfe" + blocks(place.text.encode())),
    ),
    still("gif-xmp.gif", "XMP", "application extension", XMP, gif_xmp),
    still(
        "gif-unknown.gif",
        "application extension that nobody knows",
        "application extension",
        (("unknown part", "location"),),
        lambda place: gif(b"!\xff\x0bMINE    1.0" + blocks(place.text.encode())),
    ),
    still(
        "gif-trailer.gif",
        "text behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: gif(behind=place.text.encode()),
    ),
    still("webp-exif.webp", "EXIF GPS", "EXIF", EXIF, lambda place: webp((b"EXIF", place.exif()))),
    still("webp-xmp.webp", "XMP", "XMP", XMP, lambda place: webp((b"XMP ", place.xmp()))),
    still(
        "webp-icc.webp",
        "ICC description",
        "ICCP",
        (("colour profile", "location"),),
        lambda place: webp((b"ICCP", profile(place))),
    ),
    still(
        "webp-unknown.webp",
        "chunk that nobody knows",
        "MINE",
        (("unknown part", "location"),),
        lambda place: webp((b"MINE", place.text.encode())),
    ),
    still(
        "webp-trailer.webp",
        "text behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: webp(behind=place.text.encode()),
    ),
    still("tiff-gps.tiff", "EXIF GPS", "IFD0", EXIF[:1], lambda place: tiff_still([], place)),
    still(
        "tiff-xmp.tiff", "XMP", "tag 700", XMP, lambda place: tiff_still([(700, 1, place.xmp())])
    ),
    still(
        "tiff-iptc.tiff",
        "IPTC",
        "tag 33723",
        (("IPTC place", "location"),),
        lambda place: tiff_still([(33723, 1, place.iptc())]),
    ),
    still("tiff-map.tiff", "GeoTIFF tie point", "tag 33922", EXIF[:1], tiff_map),
    still(
        "tiff-pages.tiff",
        "description of the second page",
        "IFD1",
        (("second image", "other"), *COMMENT),
        tiff_pages,
    ),
    still("avif-exif.avif", "EXIF GPS", "item", EXIF, lambda place: avif(exif=place.exif())),
    still("avif-xmp.avif", "XMP", "item", XMP, lambda place: avif(xmp=place.xmp())),
    still(
        "avif-unknown.avif",
        "box behind the picture",
        "udes",
        (("unknown part", "location"),),
        avif_property,
    ),
    still(
        "bmp-trailer.bmp",
        "text behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: bases()["still.bmp"] + place.text.encode(),
    ),
]
