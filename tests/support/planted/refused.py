"""Files that become no clip, with a place in them: sound, and texts beside footage."""

from __future__ import annotations

import json
import struct

from .appended import gpx, kml
from .boxes import box, full
from .jpegs import exif_jpeg
from .place import Place
from .stills import riff

SOUND = b"\xff\xfb\x90\0" + b"\0" * 413  # a frame of MP3


def frame(name: bytes, body: bytes, version: int = 3) -> bytes:
    """A frame of ID3v2.3 or 2.4."""
    size = struct.pack(">I", len(body)) if version == 3 else sevens(len(body))
    return name + size + b"\0\0" + body


def sevens(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def id3(*frames: bytes, version: int = 3, flags: int = 0) -> bytes:
    body = b"".join(frames)
    if flags & 0x80:
        body = body.replace(b"\xff", b"\xff\0")
    return b"ID3" + bytes([version, 0, flags]) + sevens(len(body)) + body


def cover(place: Place, version: int = 3) -> bytes:
    return frame(b"APIC", b"\0image/jpeg\0\3BMX\0" + exif_jpeg(place), version)


def cover_2(place: Place) -> bytes:
    """A picture in ID3v2.2, whose names and sizes have three bytes."""
    body = b"\0JPG\3\0" + exif_jpeg(place)
    return b"PIC" + struct.pack(">I", len(body))[1:] + body


def chapter(*frames: bytes, version: int = 3) -> bytes:
    return frame(b"CHAP", b"one\0" + b"\0" * 16 + b"".join(frames), version)


def ape(key: bytes, value: bytes, flags: int = 0) -> bytes:
    item = struct.pack("<II", len(value), flags) + key + b"\0" + value
    return item + struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(item) + 32, 1, 0)


def flac(*blocks: tuple[int, bytes]) -> bytes:
    made = [bytes([kind]) + struct.pack(">I", len(body))[1:] + body for kind, body in blocks]
    return b"fLaC\0\0\0\x22" + b"\0" * 34 + b"".join(made) + b"\x81\0\0\0"


def picture_block(data: bytes) -> bytes:
    head = (
        struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">6I", 0, 64, 48, 24, 0, len(data))
    )
    return head + data


def comments(*texts: bytes) -> bytes:
    entries = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return struct.pack("<I", 0) + struct.pack("<I", len(texts)) + entries


def wave(*chunks: bytes) -> bytes:
    body = b"WAVE" + riff(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8))
    body += b"".join(chunks) + riff(b"data", b"\0" * 4)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def aiff(name: bytes, value: bytes) -> bytes:
    value += b"\0" * (len(value) & 1)
    body = b"AIFF" + name + struct.pack(">I", len(value)) + value
    return b"FORM" + struct.pack(">I", len(body)) + body


def m4a(place: Place) -> bytes:
    picture = box(b"data", b"\0\0\0\x0d\0\0\0\0" + exif_jpeg(place))
    listed = full(
        b"meta", full(b"hdlr", b"\0\0\0\0mdir" + b"\0" * 13), box(b"ilst", box(b"covr", picture))
    )
    return box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"udta", listed))


def drone(place: Place | None, count: int = 3, first: int = 0) -> bytes:
    """Subtitles as a drone writes them; without a place it writes zeros."""
    lat, lon = (place.lat, place.lon) if place else (0.0, 0.0)
    return "".join(
        f"{number}\n00:00:{number % 60:02d},033 --> 00:00:{number % 60:02d},066\n"
        f"FrameCnt: {number}, DiffTime: 33ms\n[iso: 100] [shutter: 1/640.0] [fnum: 2.8] "
        f"[latitude: {lat:.5f}] [longitude: {lon:.5f}] [rel_alt: 1.300 abs_alt: 52.123]\n\n"
        for number in range(first + 1, first + count + 1)
    ).encode()


def old_drone(place: Place) -> bytes:
    here = f"({place.lon:.5f},{place.lat:.5f}"
    said = f"HOME{here}) 2026.03.04 05:06:07\nGPS{here},18) BAROMETER:1.9\n"
    return f"1\n00:00:01,000 --> 00:00:02,000\n{said}\n".encode()


def takeout(lat: float, lon: float) -> bytes:
    where = {"latitude": lat, "longitude": lon, "altitude": 0.0, "latitudeSpan": 0.0}
    said = {"title": "IMG_1.MOV", "photoTakenTime": {"formatted": "4 Mar 2026, 05:06:07 UTC"}}
    return json.dumps({**said, "geoData": where, "geoDataExif": where}, indent=2).encode()


def sony_sidecar(place: Place) -> bytes:
    items = f'<Item name="Latitude" value="{abs(place.lat):.5f}"/>'
    return (
        '<?xml version="1.0"?>\n<NonRealTimeMeta><Device serialNo="SN40817263"/>'
        f'<Group name="ExifGPS">{items}</Group></NonRealTimeMeta>'
    ).encode()


def track(place: Place) -> bytes:
    position = f"<LatitudeDegrees>{place.lat}</LatitudeDegrees>"
    return (
        f'<?xml version="1.0"?><TrainingCenterDatabase>{position}</TrainingCenterDatabase>'.encode()
    )


def refused(place: Place) -> dict[str, tuple[bytes, str]]:
    """Each file by its name, with the carrier of its location."""
    here = place.text.encode()
    title = frame(b"TIT2", b"\1" + place.text.encode("utf-16"))
    photo = exif_jpeg(place)
    table = f"time,latitude,speed,longitude\n1,{place.lat:.5f},3,{place.lon:.5f}\n"
    return {
        "cover.mp3": (id3(cover(place)) + SOUND, "EXIF position"),
        "cover-24.mp3": (id3(cover(place, 4), version=4) + SOUND, "EXIF position"),
        "cover-22.mp3": (id3(cover_2(place), version=2) + SOUND, "EXIF position"),
        "cover-unsynchronised.mp3": (id3(cover(place), flags=0x80) + SOUND, "EXIF position"),
        "cover-ape.mp3": (
            SOUND * 2 + ape(b"Cover Art (Front)", b"a.jpg\0" + photo, 2) + b"TAG".ljust(128, b"\0"),
            "EXIF position",
        ),
        "chapter.mp3": (id3(chapter(title)) + SOUND, "chapters"),
        "chapter-cover.mp3": (
            id3(chapter(cover(place, 4), version=4), version=4) + SOUND,
            "EXIF position",
        ),
        "comment.mp3": (id3(frame(b"COMM", b"\3eng\0" + here)) + SOUND, "comment text"),
        "named.mp3": (id3(frame(b"TXXX", b"\3location\0Quofors")) + SOUND, "container tag"),
        "object.mp3": (
            id3(frame(b"GEOB", b"\0application/gpx\0a.gpx\0\0" + gpx(place))) + SOUND,
            "telemetry track",
        ),
        "private.mp3": (id3(frame(b"PRIV", b"XMP\0" + place.xmp())) + SOUND, "XMP position"),
        "old.mp3": (
            SOUND * 2 + (b"TAG" + place.iso6709.encode().ljust(30)).ljust(128, b"\0"),
            "container tag",
        ),
        "cover.flac": (flac((6, picture_block(photo))), "EXIF position"),
        "comment.flac": (flac((4, comments(b"DESCRIPTION=" + here))), "container tag"),
        "note.wav": (wave(riff(b"bext", here.ljust(602, b"\0"))), "container tag"),
        "cover.wav": (wave(riff(b"id3 ", id3(cover(place)))), "EXIF position"),
        "label.wav": (
            wave(riff(b"LIST", b"adtl" + riff(b"labl", b"\1\0\0\0" + here))),
            "chapters",
        ),
        "cover.aiff": (aiff(b"ID3 ", id3(cover(place))), "EXIF position"),
        "note.aiff": (aiff(b"ANNO", here), "container tag"),
        "cover.m4a": (m4a(place), "EXIF position"),
        "drone.srt": (drone(place), "subtitle track"),
        "drone-bom.srt": (b"\xef\xbb\xbf" + drone(place), "subtitle track"),
        "drone-wide.srt": (drone(place).decode().encode("utf-16"), "subtitle track"),
        "drone-old.srt": (old_drone(place), "subtitle track"),
        "drone-late.srt": (drone(None, 3000) + drone(place, 40, 3000), "unknown part"),
        "said.vtt": (b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + here, "subtitle track"),
        "photo.xmp": (place.xmp(), "XMP position"),
        "photo-wide.xmp": (place.xmp().decode().encode("utf-16"), "XMP position"),
        "walk.gpx": (gpx(place), "telemetry track"),
        "walk.kml": (kml(place), "telemetry track"),
        "walk.tcx": (track(place), "telemetry track"),
        "IMG_1.MOV.json": (takeout(place.lat, place.lon), "container tag"),
        "C0001M01.XML": (sony_sidecar(place), "XMP position"),
        "flight.csv": (table.encode(), "telemetry track"),
        "flight-columns.csv": (table.replace(",", ";").encode(), "telemetry track"),
        "camera.log": (b"@Sonygps/ver5.0/wgs-84/\r\n" + place.nmea, "telemetry track"),
        "glider.igc": (
            b"AXXX001\r\nHFDTE040326\r\nB1101355206343N00006198WA0058700558\r\n",
            "telemetry track",
        ),
        "watch.fit": (b"\x0e\x10\x64\x08\0\0\0\0.FIT\0\0" + b"\0" * 40, "telemetry track"),
        "words.txt": (here, "unknown part"),
    }


def innocent() -> dict[str, bytes]:
    """Files of the same kinds that hold no place."""
    return {
        "plain.mp3": id3(frame(b"TSSE", b"\3Lavf60.1"), frame(b"TIT2", b"\3A song")) + SOUND,
        "plain.flac": flac((4, comments(b"TITLE=A song")), (1, b"\0" * 100)),
        "plain.wav": wave(),
        "plain.aiff": aiff(b"NAME", b"A song"),
        "plain.srt": b"1\n00:00:01,000 --> 00:00:02,000\nHello there\n\n",
        "no-fix.srt": drone(None, 60),
        "no-fix.json": takeout(0.0, 0.0),
        "plain.xmp": b'<x:xmpmeta><rdf:RDF><rdf:Description xmp:Rating="3"/></rdf:RDF></x:xmpmeta>',
        "plain.aae": b'<?xml version="1.0"?><plist><dict><key>adjusted</key></dict></plist>',
        "plain.txt": b"nothing",
    }
