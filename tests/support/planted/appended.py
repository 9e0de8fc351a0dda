"""Photos and films with something that programs append: zip archives, blocks with records."""

from __future__ import annotations

import io
import struct
import zipfile

from .bases import bases
from .jpegs import jpeg_xmp
from .place import Place
from .planted import Planted


def gpx(place: Place) -> bytes:
    point = f'<trkpt lat="{place.lat:.5f}" lon="{place.lon:.5f}"><name>{place.name}</name></trkpt>'
    return f'<?xml version="1.0"?><gpx><trk><trkseg>{point}</trkseg></trk></gpx>'.encode()


def kml(place: Place) -> bytes:
    point = f"<Point><coordinates>{place.lon:.5f},{place.lat:.5f},0</coordinates></Point>"
    return f'<?xml version="1.0"?><kml><Placemark>{point}</Placemark></kml>'.encode()


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def dataset(number: int, value: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value


def afcp(kind: bytes, value: bytes, before: bytes, order: str = ">") -> bytes:
    """*before*, and an AFCP block with one entry, whose offsets count from the file's start."""
    mark = b"AXS!" if order == ">" else b"AXS*"
    head = mark + struct.pack(f"{order}HHI", 0x0100, 1, 0)
    entry = kind + struct.pack(f"{order}II", len(value), len(before) + 24)
    return before + head + entry + value + mark + struct.pack(f"{order}II", len(before), 0)


def fotostation(value: bytes, before: bytes) -> bytes:
    return before + value + struct.pack(">HII", 1, len(value) + 10, 0xA1B2C3D4)


def photo_mechanic(value: bytes, before: bytes) -> bytes:
    return before + value + struct.pack(">I", len(value)) + b"cbipcbbl"


def insta360(place: Place, before: bytes) -> bytes:
    """A record of places and one of the camera, each before its number and its size."""
    fix = struct.pack("<QH", 1, 0) + b"A" + struct.pack("<d", abs(place.lat)) + b"N"
    fix += struct.pack("<d", abs(place.lon)) + b"E" + struct.pack("<3d", 0, 0, 0)
    camera = b"\x0a\x05SN123"
    size = len(fix) + len(camera) + 6 + 78
    foot = struct.pack("<HI", 0x101, len(camera)) + b"\0" * 32 + struct.pack("<II", size, 3)
    mark = b"8db42d694ccc418790edff439fe026bf"
    return before + fix + struct.pack("<HI", 0x700, len(fix)) + camera + foot + mark


CARRIERS = [
    Planted(
        "jpeg-zip.jpg",
        "still",
        "GPS track in a zip archive",
        "trailer",
        (("trailer", "location"), ("telemetry track", "location")),
        lambda place: bases()["still.jpg"] + packed({"tour.gpx": gpx(place)}, zipfile.ZIP_STORED),
    ),
    Planted(
        "mp4-zip.mp4",
        "video",
        "photo with XMP position in a zip archive",
        "trailer",
        (("trailer", "location"), ("XMP position", "location")),
        lambda place: (
            bases()["film.mp4"] + packed({"photo.jpg": jpeg_xmp(place)}, zipfile.ZIP_STORED)
        ),
    ),
    Planted(
        "jpeg-afcp.jpg",
        "still",
        "IPTC city in an AFCP block",
        "trailer",
        (("IPTC place", "location"), ("trailer", "other")),
        lambda place: afcp(b"IPTC", dataset(90, place.name.encode()), bases()["still.jpg"]),
    ),
]
