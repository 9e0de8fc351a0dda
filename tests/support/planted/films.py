"""Films in MP4 and QuickTime with a place in their boxes."""

from __future__ import annotations

import struct
from functools import partial

from .bases import bases
from .boxes import box, full, graft, replace, rows
from .jpegs import exif_jpeg, jumbf
from .place import MAKE, MODEL, SERIAL, Place, packet, tiff
from .planted import Found, Plant, Planted

POSITION: Found = (("QuickTime position", "location"),)

TAG: Found = (("container tag", "location"),)


def film() -> bytes:
    return bases()["film.mp4"]


def short(kind: bytes, value: str) -> bytes:
    """User data text of QuickTime, with its size and language."""
    return box(kind, struct.pack(">HH", len(value.encode()), 0x15C7), value.encode())


def user_data(kind: bytes, place: Place, base: str = "film.mp4") -> bytes:
    value = place.iso6709 + "/" if kind == b"\xa9xyz" else place.text
    named = short(b"\xa9nam", place.text) if kind == b"\xa9xyz" else b""
    return graft(bases()[base], (b"moov", b"udta"), short(kind, value) + named)


def in_user_data(extra: bytes) -> bytes:
    return graft(film(), (b"moov", b"udta"), extra)


def loci(place: Place) -> bytes:
    """3GPP TS 26.244, 8.10: name, role, longitude, latitude, altitude as 16.16, body, notes."""
    fixed = struct.pack(">3i", *(round(v * 65536) for v in (place.lon, place.lat, 35.0)))
    body = b"\x15\xc7" + place.name.encode() + b"\0\0" + fixed + b"earth\0" + place.text.encode()
    return in_user_data(full(b"loci", body + b"\0"))


def loci_numbers(place: Place) -> str:
    return struct.pack(">2i", round(place.lon * 65536), round(place.lat * 65536)).hex()


def metadata(handler: bytes, *bodies: bytes) -> bytes:
    return full(b"meta", full(b"hdlr", b"\0\0\0\0", handler, b"appl\0\0\0\0\0\0\0\0\0"), *bodies)


def value(text: bytes, kind: int = 1) -> bytes:
    return box(b"data", struct.pack(">II", kind, 0), text)


def keyed(place: Place, names: tuple[str, ...] = ()) -> bytes:
    """QuickTime metadata as a phone writes it."""
    pairs = dict.fromkeys(names, place.text) or {
        "com.apple.quicktime.location.ISO6709": place.iso6709 + "/",
        "com.apple.quicktime.make": MAKE,
        "com.apple.quicktime.model": MODEL,
        "com.apple.quicktime.creationdate": "2026-03-04T05:06:07+0100",
        "com.apple.quicktime.title": place.text,
    }
    keys = b"".join(box(b"mdta", key.encode()) for key in pairs)
    items = b"".join(
        box(struct.pack(">I", number), value(text.encode()))
        for number, text in enumerate(pairs.values(), 1)
    )
    meta = box(
        b"meta",
        full(b"hdlr", b"\0\0\0\0mdta" + b"\0" * 13),
        full(b"keys", struct.pack(">I", len(pairs)), keys),
        box(b"ilst", items),
    )
    return graft(bases()["film.mov"], (b"moov",), meta)


def listed(item: bytes) -> bytes:
    return in_user_data(metadata(b"mdir", box(b"ilst", item)))


def freeform(place: Place) -> bytes:
    names = full(b"mean", b"org.example"), full(b"name", b"location")
    return listed(box(b"----", *names, value(place.text.encode())))


def chapter_list(place: Place) -> bytes:
    title = place.text.encode()
    row = struct.pack(">QB", 0, len(title)) + title
    return in_user_data(box(b"chpl", b"\1\0\0\0\0\0\0\0\1", row))


def dashcam(place: Place) -> bytes:
    body = struct.pack("<6I", 5, 6, 7, 26, 3, 4) + b"ANE\0"
    block = b"freeGPS " + body + place.nmea
    return film() + box(b"free", block.ljust(512, b"\0"))


def uuid(kind: str, body: bytes) -> bytes:
    return film() + box(b"uuid", bytes.fromhex(kind) + body)


def canon(place: Place) -> bytes:
    """Four TIFF structures; the last one is only a GPS directory."""
    position = [
        (1, 2, b"N\0" if place.lat > 0 else b"S\0"),
        (2, 5, struct.pack(">6I", *place.degrees(place.lat))),
        (3, 2, b"E\0" if place.lon > 0 else b"W\0"),
        (4, 5, struct.pack(">6I", *place.degrees(place.lon))),
        (29, 2, place.name.encode() + b"\0"),
    ]
    body = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + box(b"CMT4", tiff(position))
    return graft(film(), (b"moov",), box(b"uuid", body))


def sony(place: Place) -> bytes:
    said = (
        f"<NonRealTimeMeta><Device manufacturer='Ember' serialNo='{SERIAL}'/><Group name='ExifGPS'>"
        f"<Item name='Latitude' value='{place.lat:.5f}'/><Item name='Longitude' latitude='"
        f"{place.lon:.5f}'/><Item name='n' value='{place.name}'/></Group></NonRealTimeMeta>"
    )
    return graft(film(), (b"moov",), metadata(b"nrtm", full(b"xml ", said.encode())))


def handler(place: Place) -> bytes:
    old = film()
    path = (b"moov", b"trak", b"mdia", b"hdlr")
    return replace(old, path, b"\0" * 8 + b"vide" + b"\0" * 12 + place.text.encode() + b"\0")


def compressor(place: Place) -> bytes:
    """The 32 bytes of the visual sample entry (ISO/IEC 14496-12, 12.1.3)."""
    said = f"{place.lat:.5f},{place.lon:.5f}".encode()
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    level = film()
    for part in path:
        level = next(body for kind, body in rows(level) if kind == part)
    entry = next(body for kind, body in rows(level[8:]) if kind == b"avc1")
    named = entry[:42] + bytes([len(said)]) + said.ljust(31, b"\0") + entry[74:]
    return replace(film(), path, level[:8] + box(b"avc1", named))


def insta360(place: Place) -> bytes:
    """Records after the end of the file, found by the 32 letters at their end."""
    record = place.text.encode()
    tail = record + struct.pack("<HI", 0x0700, len(record)) + b"\0" * 32
    return (
        film() + tail + struct.pack("<II", len(tail) + 40, 3) + b"8db42d694ccc418790edff439fe026bf"
    )


def sony_items(place: Place) -> bytes:
    """The position as Sony's cameras write it: named items, in degrees, minutes and seconds."""

    def seconds(value: float) -> str:
        whole = round(abs(value) * 3600, 3)
        return f"{int(whole // 3600)}:{int(whole % 3600 // 60)}:{whole % 60:.3f}"

    items = {
        "VersionID": "2.2.0.0",
        "LatitudeRef": "N" if place.lat > 0 else "S",
        "Latitude": seconds(place.lat),
        "LongitudeRef": "E" if place.lon > 0 else "W",
        "Longitude": seconds(place.lon),
        "PlaceName": place.name,
    }
    rows = "".join(f'<Item name="{name}" value="{value}"/>' for name, value in items.items())
    notes = (
        '<?xml version="1.0" encoding="UTF-8"?><NonRealTimeMeta><Device manufacturer="Ember" '
        f'modelName="E" serialNo="{SERIAL}"/><AcquisitionRecord><Group name="ExifGPS">{rows}'
        "</Group></AcquisitionRecord></NonRealTimeMeta>"
    )
    return film() + box(
        b"meta", full(b"hdlr", b"\0\0\0\0nrtm", b"\0" * 13), full(b"xml ", notes.encode())
    )


def planted(
    name: str, carrier: str, where: str, found: Found, plant: Plant, **more: object
) -> Planted:
    return Planted(name, "video", carrier, where, found, plant, **more)  # type: ignore[arg-type]


COVER: Found = (("cover picture", "location"), ("EXIF position", "location"))

UNKNOWN: Found = (("unknown part", "location"),)

CARRIERS = [
    planted("mp4-xyz.mp4", "©xyz", "moov/udta", POSITION, partial(user_data, b"\xa9xyz")),
    planted(
        "mov-xyz.mov",
        "©xyz of QuickTime",
        "moov/udta",
        POSITION,
        partial(user_data, b"\xa9xyz", base="film.mov"),
    ),
    planted(
        "mp4-comment.mp4", "©cmt of QuickTime", "moov/udta", TAG, partial(user_data, b"\xa9cmt")
    ),
    planted(
        "mp4-loci.mp4",
        "3GPP loci",
        "moov/udta",
        (("3GPP position", "location"),),
        loci,
        hexadecimal=loci_numbers,
    ),
    planted(
        "mp4-3gpp-title.3gp",
        "3GPP title",
        "moov/udta",
        TAG,
        lambda place: in_user_data(full(b"titl", b"\x15\xc7" + place.text.encode() + b"\0")),
    ),
    planted(
        "mov-keys.mov",
        "mdta keys of a phone",
        "moov/meta",
        (*POSITION, ("device", "identity"), ("time", "time"), *TAG),
        keyed,
        identity=(MODEL,),
    ),
    planted(
        "mov-comment-key.mov",
        "mdta key that is no position",
        "moov/meta",
        TAG,
        partial(keyed, names=("com.example.words",)),
    ),
    planted(
        "mp4-ilst.mp4",
        "iTunes comment",
        "ilst",
        TAG,
        lambda place: listed(box(b"\xa9cmt", value(place.text.encode()))),
    ),
    planted("mp4-freeform.mp4", "iTunes tag of free form", "ilst ----", POSITION, freeform),
    planted(
        "mp4-cover.mp4",
        "EXIF GPS of the cover",
        "ilst covr",
        COVER,
        lambda place: listed(box(b"covr", value(exif_jpeg(place), 13))),
        identity=(MODEL,),
    ),
    planted(
        "mp4-xml.mp4",
        "XML in a meta box",
        "moov/meta/xml",
        TAG,
        lambda place: graft(
            film(),
            (b"moov",),
            metadata(b"nrtm", full(b"xml ", f"<a><b v='{place.text}'/></a>".encode())),
        ),
    ),
    planted(
        "mp4-chpl.mp4", "Nero chapters", "moov/udta/chpl", (("chapters", "location"),), chapter_list
    ),
    planted("mp4-dashcam.mp4", "freeGPS block of dashcams", "free", UNKNOWN, dashcam),
    planted(
        "mp4-skip.mp4",
        "text in a skip box",
        "moov/skip",
        UNKNOWN,
        lambda place: graft(film(), (b"moov",), box(b"skip", place.text.encode())),
    ),
    planted(
        "mp4-uuid-xmp.mp4",
        "XMP",
        "uuid",
        (("XMP position", "location"),),
        lambda place: uuid("be7acfcb97a942e89c71999491e3afac", place.xmp()),
    ),
    planted(
        "mov-udta-xmp.mov",
        "XMP in user data",
        "XMP_",
        (("XMP position", "location"),),
        lambda place: graft(bases()["film.mov"], (b"moov", b"udta"), box(b"XMP_", place.xmp())),
    ),
    planted(
        "mp4-c2pa.mp4",
        "C2PA assertion",
        "uuid",
        (("C2PA manifest", "location"),),
        lambda place: uuid(
            "d8fec3d61b0e483c92975828877ec481", b"\0\0\0\0manifest\0" + b"\0" * 8 + jumbf(place)
        ),
    ),
    planted(
        "mp4-uuid.mp4",
        "uuid that nobody knows",
        "uuid",
        UNKNOWN,
        lambda place: uuid("00" * 15 + "07", place.text.encode()),
    ),
    planted(
        "mp4-box.mp4",
        "box that nobody knows",
        "top level",
        UNKNOWN,
        lambda place: film() + box(b"mine", place.text.encode()),
    ),
    planted("mp4-handler.mp4", "name of a handler", "hdlr", (("stream tag", "location"),), handler),
    planted(
        "mp4-compressor.mp4",
        "name of the compressor",
        "stsd",
        (("stream tag", "location"),),
        compressor,
    ),
    planted(
        "mp4-track-name.mp4",
        "name of a track",
        "trak/udta",
        (("stream tag", "location"),),
        lambda place: graft(film(), (b"moov", b"trak", b"udta"), box(b"name", place.text.encode())),
    ),
    planted(
        "mp4-canon.mp4",
        "EXIF GPS of a camera's thumbnail",
        "udta/CNTH",
        (("thumbnail", "location"), ("EXIF position", "location")),
        lambda place: in_user_data(box(b"CNTH", b"\0\0\0\0", box(b"CNDA", exif_jpeg(place)))),
        identity=(MODEL,),
    ),
    planted(
        "mp4-canon-exif.mp4",
        "GPS directory of a camera, alone",
        "uuid/CMT4",
        (("EXIF position", "location"),),
        canon,
        hexadecimal=lambda place: str(place.fractions),
    ),
    planted(
        "mp4-sony.mp4",
        "notes in XML with serial number and position",
        "moov/meta/xml",
        (("serial number", "identity"), ("XMP position", "location")),
        sony,
        identity=(SERIAL,),
    ),
    planted(
        "mp4-sony-items.mp4",
        "named items with serial number and position",
        "meta/xml",
        (("serial number", "identity"), ("device", "identity"), ("XMP position", "location")),
        sony_items,
        identity=(SERIAL,),
    ),
    planted(
        "mp4-serial.mp4",
        "serial number and place of a camera",
        "udta",
        (("serial number", "identity"), *TAG),
        lambda place: in_user_data(
            short(b"\xa9cmt", place.text) + box(b"SNum", b"\0\0\0\0", SERIAL.encode())
        ),
        identity=(SERIAL,),
    ),
    planted(
        "mp4-trailer.mp4",
        "sentences of NMEA behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: film() + b"\xff\xfe\xfd\xfc" * 4 + place.nmea,
    ),
    planted(
        "mp4-insta360.mp4",
        "records behind the end",
        "trailer",
        (("trailer", "location"),),
        insta360,
    ),
    planted(
        "mp4-top-meta.mp4",
        "XMP in a meta box of the file",
        "meta",
        (("XMP position", "location"),),
        lambda place: (
            film()
            + metadata(
                b"ID32",
                box(
                    b"xml ",
                    b"\0\0\0\0"
                    + packet(f'exif:GPSLatitude="{place.iso6709}" photoshop:City="{place.name}"'),
                ),
            )
        ),
    ),
]
