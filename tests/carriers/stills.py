"""Photos with a place in them, by bytes put between those of a clean one."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from functools import partial

from .bases import avif, bases
from .place import ARTIST, MODEL, Place, directory, packet, tiff
from .planted import Found, Plant, Planted

EXIF: Found = (
    ("EXIF position", "location"),
    ("device", "identity"),
    ("person", "identity"),
    ("time", "time"),
)
WHO = (MODEL, ARTIST)
COMMENT: Found = (("comment text", "location"),)
XMP: Found = (("XMP position", "location"), ("comment text", "location"))


# --- JPEG (ITU-T T.81, B) ---


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(*segments: bytes, behind: bytes = b"") -> bytes:
    still = bases()["still.jpg"]
    return still[:2] + b"".join(segments) + still[2:] + behind


def app1(structure: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + structure)


def exif_jpeg(place: Place) -> bytes:
    return jpeg(app1(place.exif()))


def jpeg_upright(place: Place) -> bytes:
    return jpeg(app1(place.exif(entries=[])), app1(tiff([(0x0112, 3, b"\0\x06")])))


def jpeg_field(tag: int, code: bytes, encoding: str, place: Place) -> bytes:
    return jpeg(app1(place.exif(entries=[(tag, code + place.text.encode(encoding))], gps=False)))


def jpeg_thumbnail(place: Place) -> bytes:
    small = exif_jpeg(place)
    first = directory([(0x0112, 3, b"\0\1")], 8)[0]
    at = 8 + len(first) + 30
    first = directory([(0x0112, 3, b"\0\1")], 8, following=8 + len(first))[0]
    fields = [(0x0201, 4, struct.pack(">I", at)), (0x0202, 4, struct.pack(">I", len(small)))]
    second = directory(fields, 8 + len(first))[0]
    return jpeg(app1(b"MM\0*\0\0\0\x08" + first + second + small))


def jpeg_jfxx(place: Place) -> bytes:
    return jpeg(segment(0xE0, b"JFXX\0\x10" + jpeg(segment(0xFE, place.text.encode()))))


def jpeg_xmp(place: Place) -> bytes:
    return jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + place.xmp()))


def jpeg_extended(place: Place) -> bytes:
    """The packet in two parts, the second first (XMP part 3, 1.1.3.1)."""
    digest, data = b"0123456789ABCDEF" * 2, place.xmp()
    main = packet(f'xmpNote:HasExtendedXMP="{digest.decode()}"')
    head = b"http://ns.adobe.com/xmp/extension/\0" + digest
    middle = data.index(b"GPSLat") + 4
    parts = [
        segment(0xE1, head + struct.pack(">II", len(data), at) + data[at:end])
        for at, end in ((middle, len(data)), (0, middle))
    ]
    return jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + main), *parts)


def jpeg_depth(place: Place) -> bytes:
    inner = base64.b64encode(exif_jpeg(place)).decode()
    data = packet(f'GImage:Mime="image/jpeg" GImage:Data="{inner}"')
    return jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + data))


def jpeg_shown(place: Place) -> bytes:
    shown = (
        "<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li rdf:parseType='Resource'>"
        f"<Iptc4xmpExt:Sublocation>{place.name}</Iptc4xmpExt:Sublocation></rdf:li></rdf:Bag>"
        "</Iptc4xmpExt:LocationShown>"
    )
    return jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet("", shown)))


def resource(number: int, body: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(body)) + body + b"\0" * (len(body) & 1)


def jpeg_iptc(place: Place) -> bytes:
    return jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(1028, place.iptc())))


def jpeg_resource(place: Place) -> bytes:
    return jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(1060, place.xmp())))


def jpeg_app(marker: int, head: bytes, place: Place) -> bytes:
    return jpeg(segment(marker, head + place.text.encode() + b"\0"))


def profile(place: Place) -> bytes:
    """An ICC profile with a description (ICC.1:2001, 6.5.17) and nothing else."""
    said = place.text.encode() + b"\0"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(said)) + said + b"\0" * 78
    desc += b"\0" * (-len(desc) % 4)
    head = struct.pack(
        ">I4s4s4s4s4s", 144 + len(desc), b"lcms", b"\x02\x10\0\0", b"mntr", b"RGB ", b"XYZ "
    )
    head += b"\0" * 12 + b"acsp" + b"\0" * 88
    return head + struct.pack(">I4sII", 1, b"desc", 144, len(desc)) + desc


def jpeg_icc(place: Place) -> bytes:
    return jpeg(segment(0xE2, b"ICC_PROFILE\0\x01\x01" + profile(place)))


def jumbf(place: Place) -> bytes:
    """A manifest store with one assertion in JSON (ISO 19566-5, A and B.4)."""

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    def described(kind: bytes, label: bytes, body: bytes) -> bytes:
        uuid = kind + bytes.fromhex("00110010800000aa00389b71")
        return box(b"jumb", box(b"jumd", uuid + b"\x03" + label + b"\0") + body)

    said = f'{{"exif:GPSLatitude": "{place.lat:.5f}", "exif:GPSLongitude": "{place.lon:.5f}", '
    said += f'"where": "{place.name}"}}'
    assertion = described(b"json", b"stds.exif", box(b"json", said.encode()))
    return described(b"c2pa", b"c2pa", described(b"c2as", b"c2pa.assertions", assertion))


def jpeg_c2pa(place: Place) -> bytes:
    return jpeg(segment(0xEB, b"JP" + struct.pack(">HI", 1, 1) + jumbf(place)))


def jpeg_second(place: Place) -> bytes:
    """Two images by the index of CIPA DC-007, 5.2."""
    second = exif_jpeg(place)
    entries = struct.pack(">IIIHH", 0x20030000, 1000, 0, 0, 0)
    entries += struct.pack(">IIIHH", 0, len(second), 1000, 0, 0)
    fields = [(0xB000, 7, b"0100"), (0xB001, 4, b"\0\0\0\x02"), (0xB002, 7, entries)]
    index = b"MM\0*\0\0\0\x08" + directory(fields, 8)[0]
    return jpeg(segment(0xE2, b"MPF\0" + index), behind=second)


def jpeg_motion(place: Place) -> bytes:
    from .films import user_data  # noqa: PLC0415 - a film in a photo, and photos in films

    film = user_data(b"\xa9xyz", place)
    said = packet('GCamera:MotionPhoto="1"')
    return jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + said), behind=film)


def jpeg_samsung(place: Place) -> bytes:
    note = b"\0\0\x01\x0aMCC_Data" + place.text.encode()
    rows = b"SEFH" + struct.pack("<IIHHII", 107, 1, 0, 0x0A01, len(note), len(note))
    return jpeg(behind=note + rows + struct.pack("<I", len(rows)) + b"SEFT")


# --- PNG (ISO/IEC 15948) ---


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
    body = {
        b"eXIf": place.exif,
        b"iCCP": lambda: b"mine\0\0" + zlib.compress(profile(place)),
        b"caBX": lambda: jumbf(place),
        b"foRt": lambda: place.text.encode(),
    }[kind]()
    return png(chunk(kind, body))


def png_moving(place: Place) -> bytes:
    return png(chunk(b"tEXt", b"Author\0" + place.text.encode()), base="moving.png")


# --- GIF, WebP, BMP ---


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


# --- TIFF ---


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


# --- AVIF (ISO/IEC 23008-12) ---


def avif_property(place: Place) -> bytes:
    """A description of the user's, in a box at the end that no item needs."""
    said = b"\0\0\0\0en\0Title\0" + place.text.encode() + b"\0\0"
    return bases()["still.avif"] + struct.pack(">I4s", 8 + len(said), b"udes") + said


def _still(name: str, carrier: str, where: str, found: Found, plant: Plant) -> Planted:
    exif = "EXIF" in carrier
    hexadecimal = (lambda place: str(place.fractions)) if exif and "GPS" in carrier else None
    return Planted(name, "still", carrier, where, found, plant, WHO if exif else (), hexadecimal)


def _inner(carrier: str) -> Found:
    return ((carrier, "location"), ("EXIF position", "location"))


CARRIERS = [
    _still("jpeg-exif.jpg", "EXIF GPS with device, person and date", "APP1", EXIF, exif_jpeg),
    _still("jpeg-orientation.jpg", "EXIF GPS and a turned picture", "APP1", EXIF, jpeg_upright),
    _still(
        "jpeg-usercomment.jpg",
        "EXIF UserComment in UTF-16",
        "APP1, Exif directory",
        COMMENT,
        partial(jpeg_field, 0x9286, b"UNICODE\0", "utf-16-be"),
    ),
    _still(
        "jpeg-xpcomment.jpg",
        "EXIF XPComment",
        "APP1",
        COMMENT,
        partial(jpeg_field, 0x9C9C, b"", "utf-16-le"),
    ),
    _still(
        "jpeg-description.jpg",
        "EXIF ImageDescription",
        "APP1",
        COMMENT,
        partial(jpeg_field, 0x010E, b"", "utf-8"),
    ),
    _still(
        "jpeg-unknown-tag.jpg",
        "EXIF tag that no standard names",
        "APP1",
        (("unknown part", "location"),),
        partial(jpeg_field, 0xFDE8, b"", "utf-8"),
    ),
    _still(
        "jpeg-thumbnail.jpg",
        "EXIF GPS of the thumbnail",
        "IFD1",
        _inner("thumbnail"),
        jpeg_thumbnail,
    ),
    _still(
        "jpeg-jfxx.jpg",
        "comment of the JFIF thumbnail",
        "APP0 JFXX",
        (("thumbnail", "location"),),
        jpeg_jfxx,
    ),
    _still("jpeg-xmp.jpg", "XMP position", "APP1", XMP, jpeg_xmp),
    _still("jpeg-xmp-extended.jpg", "extended XMP in two parts", "APP1", XMP, jpeg_extended),
    _still(
        "jpeg-xmp-picture.jpg",
        "EXIF GPS of a picture in XMP",
        "APP1",
        _inner("second image"),
        jpeg_depth,
    ),
    _still("jpeg-xmp-shown.jpg", "XMP location shown, names only", "APP1", XMP[:1], jpeg_shown),
    _still(
        "jpeg-iptc.jpg",
        "IPTC city and caption",
        "APP13",
        (("IPTC place", "location"), *COMMENT),
        jpeg_iptc,
    ),
    _still("jpeg-8bim-xmp.jpg", "XMP as a Photoshop resource", "APP13", XMP, jpeg_resource),
    _still("jpeg-comment.jpg", "comment", "COM", COMMENT, partial(jpeg_app, 0xFE, b"")),
    _still(
        "jpeg-app9.jpg",
        "segment that nobody knows",
        "APP9",
        (("unknown part", "location"),),
        partial(jpeg_app, 0xE9, b"Mine\0"),
    ),
    _still("jpeg-icc.jpg", "ICC description", "APP2", (("colour profile", "location"),), jpeg_icc),
    _still("jpeg-c2pa.jpg", "C2PA assertion", "APP11", (("C2PA manifest", "location"),), jpeg_c2pa),
    _still(
        "jpeg-mpf.jpg",
        "EXIF GPS of a second image (MPF)",
        "trailer",
        _inner("second image"),
        jpeg_second,
    ),
    _still(
        "jpeg-motion.jpg",
        "motion photo, ©xyz in its film",
        "trailer",
        (("motion photo", "location"), ("QuickTime position", "location")),
        jpeg_motion,
    ),
    _still(
        "jpeg-samsung.jpg", "Samsung's notes", "trailer", (("trailer", "location"),), jpeg_samsung
    ),
    _still("png-text.png", "tEXt", "tEXt", COMMENT, png_text),
    _still("png-ztxt.png", "zTXt", "zTXt", COMMENT, png_packed),
    _still("png-itxt.png", "iTXt, packed", "iTXt", COMMENT, png_international),
    _still("png-xmp.png", "XMP", "iTXt", XMP, png_xmp),
    _still(
        "png-raw-exif.png", "EXIF GPS in hexadecimal text", "zTXt", EXIF, partial(png_raw, "exif")
    ),
    _still(
        "png-raw-iptc.png",
        "IPTC in hexadecimal text",
        "zTXt",
        (("IPTC place", "location"),),
        partial(png_raw, "iptc"),
    ),
    _still("png-raw-xmp.png", "XMP in hexadecimal text", "zTXt", XMP, partial(png_raw, "xmp")),
    _still("png-exif.png", "EXIF GPS", "eXIf", EXIF, partial(png_chunk, b"eXIf")),
    _still(
        "png-icc.png",
        "ICC description",
        "iCCP",
        (("colour profile", "location"),),
        partial(png_chunk, b"iCCP"),
    ),
    _still(
        "png-c2pa.png",
        "C2PA assertion",
        "caBX",
        (("C2PA manifest", "location"),),
        partial(png_chunk, b"caBX"),
    ),
    _still(
        "png-unknown.png",
        "chunk that nobody knows",
        "foRt",
        (("unknown part", "location"),),
        partial(png_chunk, b"foRt"),
    ),
    _still(
        "png-trailer.png",
        "text behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: png(behind=place.text.encode()),
    ),
    _still(
        "png-second.png",
        "EXIF GPS of a JPEG behind the end",
        "trailer",
        _inner("second image"),
        lambda place: png(behind=exif_jpeg(place)),
    ),
    _still(
        "apng-text.png",
        "tEXt of a moving PNG",
        "tEXt",
        (("person", "identity"), *COMMENT),
        png_moving,
    ),
    _still(
        "gif-comment.gif",
        "comment",
        "comment extension",
        COMMENT,
        lambda place: gif(b"!\xfe" + blocks(place.text.encode())),
    ),
    _still("gif-xmp.gif", "XMP", "application extension", XMP, gif_xmp),
    _still(
        "gif-unknown.gif",
        "application extension that nobody knows",
        "application extension",
        (("unknown part", "location"),),
        lambda place: gif(b"!\xff\x0bMINE    1.0" + blocks(place.text.encode())),
    ),
    _still(
        "gif-trailer.gif",
        "text behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: gif(behind=place.text.encode()),
    ),
    _still("webp-exif.webp", "EXIF GPS", "EXIF", EXIF, lambda place: webp((b"EXIF", place.exif()))),
    _still("webp-xmp.webp", "XMP", "XMP", XMP, lambda place: webp((b"XMP ", place.xmp()))),
    _still(
        "webp-icc.webp",
        "ICC description",
        "ICCP",
        (("colour profile", "location"),),
        lambda place: webp((b"ICCP", profile(place))),
    ),
    _still(
        "webp-unknown.webp",
        "chunk that nobody knows",
        "MINE",
        (("unknown part", "location"),),
        lambda place: webp((b"MINE", place.text.encode())),
    ),
    _still(
        "webp-trailer.webp",
        "text behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: webp(behind=place.text.encode()),
    ),
    _still("tiff-gps.tiff", "EXIF GPS", "IFD0", EXIF[:1], lambda place: tiff_still([], place)),
    _still(
        "tiff-xmp.tiff", "XMP", "tag 700", XMP, lambda place: tiff_still([(700, 1, place.xmp())])
    ),
    _still(
        "tiff-iptc.tiff",
        "IPTC",
        "tag 33723",
        (("IPTC place", "location"),),
        lambda place: tiff_still([(33723, 1, place.iptc())]),
    ),
    _still("tiff-map.tiff", "GeoTIFF tie point", "tag 33922", EXIF[:1], tiff_map),
    _still(
        "tiff-pages.tiff",
        "description of the second page",
        "IFD1",
        (("second image", "other"), *COMMENT),
        tiff_pages,
    ),
    _still("avif-exif.avif", "EXIF GPS", "item", EXIF, lambda place: avif(exif=place.exif())),
    _still("avif-xmp.avif", "XMP", "item", XMP, lambda place: avif(xmp=place.xmp())),
    _still(
        "avif-unknown.avif",
        "box behind the picture",
        "udes",
        (("unknown part", "location"),),
        avif_property,
    ),
    _still(
        "bmp-trailer.bmp",
        "text behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: bases()["still.bmp"] + place.text.encode(),
    ),
]
