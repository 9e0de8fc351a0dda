"""JPEG photos with a place: segments are added to a clean one (T.81, B)."""

from __future__ import annotations

import base64
import struct
from functools import partial

from .bases import bases
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


def jpeg_maker(place: Place) -> bytes:
    """Panasonic's note, whose offsets count from the TIFF header."""
    field = [(0x6D, 7, (place.name + " " + place.iso6709).encode().ljust(64, b"\0"))]

    def note(at: int) -> bytes:
        return b"Panasonic\0\0\0" + directory(field, at + 12)[0]

    structure = place.exif(entries=[(0x927C, note(0))], gps=False)
    at = structure.index(b"Panasonic\0\0\0")
    return jpeg(app1(place.exif(entries=[(0x927C, note(at))], gps=False)))


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


def still(name: str, carrier: str, where: str, found: Found, plant: Plant) -> Planted:
    exif = "EXIF" in carrier
    hexadecimal = (lambda place: str(place.fractions)) if exif and "GPS" in carrier else None
    return Planted(name, "still", carrier, where, found, plant, WHO if exif else (), hexadecimal)


def inner(carrier: str) -> Found:
    return ((carrier, "location"), ("EXIF position", "location"))


CARRIERS = [
    still("jpeg-exif.jpg", "EXIF GPS with device, person and date", "APP1", EXIF, exif_jpeg),
    still("jpeg-orientation.jpg", "EXIF GPS and a turned picture", "APP1", EXIF, jpeg_upright),
    still(
        "jpeg-usercomment.jpg",
        "EXIF UserComment in UTF-16",
        "APP1, Exif directory",
        COMMENT,
        partial(jpeg_field, 0x9286, b"UNICODE\0", "utf-16-be"),
    ),
    still(
        "jpeg-xpcomment.jpg",
        "EXIF XPComment",
        "APP1",
        COMMENT,
        partial(jpeg_field, 0x9C9C, b"", "utf-16-le"),
    ),
    still(
        "jpeg-description.jpg",
        "EXIF ImageDescription",
        "APP1",
        COMMENT,
        partial(jpeg_field, 0x010E, b"", "utf-8"),
    ),
    still(
        "jpeg-maker.jpg",
        "EXIF note of a maker with the name of a city",
        "MakerNote",
        EXIF[:1],
        jpeg_maker,
    ),
    still(
        "jpeg-unknown-tag.jpg",
        "EXIF tag that no standard names",
        "APP1",
        (("unknown part", "location"),),
        partial(jpeg_field, 0xFDE8, b"", "utf-8"),
    ),
    still(
        "jpeg-thumbnail.jpg",
        "EXIF GPS of the thumbnail",
        "IFD1",
        inner("thumbnail"),
        jpeg_thumbnail,
    ),
    still(
        "jpeg-jfxx.jpg",
        "comment of the JFIF thumbnail",
        "APP0 JFXX",
        (("thumbnail", "location"),),
        jpeg_jfxx,
    ),
    still("jpeg-xmp.jpg", "XMP position", "APP1", XMP, jpeg_xmp),
    still("jpeg-xmp-extended.jpg", "extended XMP in two parts", "APP1", XMP, jpeg_extended),
    still(
        "jpeg-xmp-picture.jpg",
        "EXIF GPS of a picture in XMP",
        "APP1",
        inner("second image"),
        jpeg_depth,
    ),
    still("jpeg-xmp-shown.jpg", "XMP location shown, names only", "APP1", XMP[:1], jpeg_shown),
    still(
        "jpeg-iptc.jpg",
        "IPTC city and caption",
        "APP13",
        (("IPTC place", "location"), *COMMENT),
        jpeg_iptc,
    ),
    still("jpeg-8bim-xmp.jpg", "XMP as a Photoshop resource", "APP13", XMP, jpeg_resource),
    still("jpeg-comment.jpg", "comment", "COM", COMMENT, partial(jpeg_app, 0xFE, b"")),
    still(
        "jpeg-app9.jpg",
        "segment that nobody knows",
        "APP9",
        (("unknown part", "location"),),
        partial(jpeg_app, 0xE9, b"Mine\0"),
    ),
    still("jpeg-icc.jpg", "ICC description", "APP2", (("colour profile", "location"),), jpeg_icc),
    still("jpeg-c2pa.jpg", "C2PA assertion", "APP11", (("C2PA manifest", "location"),), jpeg_c2pa),
    still(
        "jpeg-mpf.jpg",
        "EXIF GPS of a second image (MPF)",
        "trailer",
        inner("second image"),
        jpeg_second,
    ),
    still(
        "jpeg-motion.jpg",
        "motion photo, ©xyz in its film",
        "trailer",
        (("motion photo", "location"), ("QuickTime position", "location")),
        jpeg_motion,
    ),
    still(
        "jpeg-samsung.jpg", "Samsung's notes", "trailer", (("trailer", "location"),), jpeg_samsung
    ),
]
