"""Films in AVI, MPEG, FLV, ASF and Ogg with a place in them."""

from __future__ import annotations

import binascii
import struct
from functools import partial
from uuid import UUID

from . import messages
from .bases import bases, remux
from .jpegs import exif_jpeg
from .place import Place
from .planted import Found, Plant, Planted
from .stills import riff

TAG: Found = (("container tag", "location"),)

UNKNOWN: Found = (("unknown part", "location"),)

USER: Found = (("user data in the picture stream", "location"),)

COVER: Found = (("EXIF position", "location"),)

NAMED: Found = (("stream tag", "location"),)


def avi(*extra: bytes, behind: bytes = b"") -> bytes:
    data = bases()["film.avi"]
    body = data[8:] + b"".join(extra)
    return b"RIFF" + struct.pack("<I", len(body)) + body + behind


def info(kind: bytes, place: Place) -> bytes:
    return avi(riff(b"LIST", b"INFO" + riff(kind, place.text.encode() + b"\0")))


def in_stream(kind: bytes, place: Place) -> bytes:
    """A chunk at the end of the first stream's header list; offsets of frames are relative."""
    data = bases()["film.avi"]
    at = data.index(b"strl") - 8
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    extra = riff(kind, place.text.encode() + b"\0")
    outer = data.index(b"hdrl") - 8
    grown = int.from_bytes(data[outer + 4 : outer + 8], "little") + len(extra)
    data = (
        data[: outer + 4]
        + struct.pack("<I", grown)
        + data[outer + 8 : at + 4]
        + struct.pack("<I", size + len(extra))
        + data[at + 8 : at + 8 + size]
        + extra
        + data[at + 8 + size :]
    )
    return b"RIFF" + struct.pack("<I", len(data) - 8) + data[8:]


def packet(pid: int, payload: bytes, counter: int) -> bytes:
    head = bytes([0x47, 0x40 | pid >> 8, pid & 255])
    room = 184 - len(payload)
    if not room:
        return head + bytes([0x10 | counter]) + payload
    field = bytes([room - 1]) + (b"\0" + b"\xff" * (room - 2) if room > 1 else b"")
    return head + bytes([0x30 | counter]) + field + payload


def section(body: bytes) -> bytes:
    """A table with its checksum (annex A), after a pointer."""
    crc = 0xFFFFFFFF
    for byte in body:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return b"\0" + body + struct.pack(">I", crc)


def table(number: int, identifier: int, body: bytes) -> bytes:
    length = 0xB000 | 5 + len(body) + 4
    return section(struct.pack(">BHHBBB", number, length, identifier, 0xC1, 0, 0) + body)


def service(place: Place) -> bytes:
    """The name of the service and who provides it (ETSI EN 300 468, 5.2.3 and 6.2.33)."""
    name, provider = place.text.encode()[:90], place.name.encode()
    told = bytes([1, len(provider)]) + provider + bytes([len(name)]) + name
    row = struct.pack(">HBH", 1, 0xFC, 0x8000 | 2 + len(told)) + bytes([0x48, len(told)]) + told
    body = table(0x42, 1, b"\xff\x01\xff" + row)
    data = bases()["film.ts"]
    rows = [data[at : at + 188] for at in range(0, len(data), 188)]
    return packet(0x11, body, 0) + b"".join(row for row in rows if row[1] & 31 or row[2] != 0x11)


def programmed(kind: int, descriptors: bytes, payload: bytes) -> bytes:
    """One more stream in the program map, with one packet of *payload*."""
    data = bases()["film.ts"]
    rows = [data[at : at + 188] for at in range(0, len(data), 188)]
    more = struct.pack(">BHH", kind, 0xE000 | 0x1F0, 0xF000 | len(descriptors)) + descriptors
    out = []
    for row in rows:
        pid = int.from_bytes(row[1:3], "big") & 0x1FFF
        if pid == 0x1000:
            start = 5 + (1 + row[4] if row[3] & 0x20 else 0)
            size = int.from_bytes(row[start + 1 : start + 3], "big") & 0xFFF
            body = row[start + 8 : start + 3 + size - 4] + more
            out.append(packet(0x1000, table(2, 1, body), row[3] & 15))
        else:
            out.append(row)
    pes = (
        b"\0\0\1\xbd" + struct.pack(">H", 8 + len(payload)) + b"\x84\x80\x05\x21\0\1\0\1" + payload
    )
    return b"".join(out) + packet(0x1F0, pes, 0)


def klv(place: Place) -> bytes:
    """MISB ST 0601: sensor latitude and longitude in 32 bits, and a name for the mission."""
    lat, lon = round(place.lat / 90 * (2**31 - 1)), round(place.lon / 180 * (2**31 - 1))
    said = place.text.encode()[:80]
    body = struct.pack(">BBiBBi", 13, 4, lat, 14, 4, lon) + bytes([3, len(said)]) + said
    key = bytes.fromhex("060e2b34020b01010e01030101000000")
    return programmed(0x06, b"\x05\x04KLVA", key + bytes([len(body)]) + body)


def flv(name: bytes, body: bytes) -> bytes:
    data = bases()["film.flv"]
    script = b"\2" + struct.pack(">H", len(name)) + name + body
    tag = b"\x12" + struct.pack(">I", len(script))[1:] + b"\0" * 7 + script
    return data[:13] + tag + struct.pack(">I", len(tag)) + data[13:]


def amf(**values: str) -> bytes:
    rows = b"".join(
        struct.pack(">H", len(key))
        + key.encode()
        + b"\2"
        + struct.pack(">H", len(text))
        + text.encode()
        for key, text in values.items()
    )
    return b"\x08" + struct.pack(">I", len(values)) + rows + b"\0\0\x09"


def asf(guid: str, body: bytes) -> bytes:
    """One more object in the header object (ASF 3.1)."""
    data = bases()["film.asf"]
    size, count = struct.unpack_from("<QI", data, 16)
    extra = UUID(guid).bytes_le + struct.pack("<Q", 24 + len(body)) + body
    head = data[:16] + struct.pack("<QI", size + len(extra), count + 1) + data[28:size]
    return head + extra + data[size:]


def asf_content(place: Place) -> bytes:
    said = place.text.encode("utf-16-le") + b"\0\0"
    body = struct.pack("<5H", 0, 0, 0, len(said), 0) + said
    return asf("75B22633-668E-11CF-A6D9-00AA0062CE6C", body)


def asf_extended(place: Place) -> bytes:
    name, said = (
        ("WM/Location".encode("utf-16-le") + b"\0\0"),
        place.text.encode("utf-16-le") + b"\0\0",
    )
    body = struct.pack("<HH", 1, len(name)) + name + struct.pack("<HH", 0, len(said)) + said
    return asf("D2D0A440-E307-11D2-97F0-00A0C95EA850", body)


def asf_marker(place: Place) -> bytes:
    said = place.text.encode("utf-16-le") + b"\0\0"
    reserved = UUID("4CFEDB20-75F6-11CF-9C0F-00A0C90349CB").bytes_le
    row = struct.pack("<QQHIII", 0, 0, 12 + len(said), 0, 0, len(said) // 2) + said
    return asf(
        "F487CD01-A951-11CF-8EE6-00C00C205365", reserved + struct.pack("<IHH", 1, 0, 0) + row
    )


def ogg(*entries: str) -> bytes:
    """Replace Theora's comments, its second packet, on its own page or with the third."""
    data = bases()["film.ogv"]
    first = data.index(b"OggS", 4)
    lacing = data[first + 27 : first + 27 + data[first + 26]]
    start = first + 27 + len(lacing)
    end = start + sum(lacing)
    packets, at, size = [], start, 0
    for length in lacing:
        size += length
        if length < 255:
            packets.append(data[at : at + size])
            at, size = at + size, 0
    rows = b"".join(struct.pack("<I", len(e.encode())) + e.encode() for e in entries)
    packets[0] = (
        b"\x81theora" + struct.pack("<I", 4) + b"Test" + struct.pack("<I", len(entries)) + rows
    )
    page = b"".join(packets)
    laced = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
    head = data[first : first + 22] + b"\0\0\0\0" + bytes([len(laced)]) + laced
    return data[:first] + _checked(head + page) + data[end:]


def _checked(page: bytes) -> bytes:
    """The page with its checksum (RFC 3533, 6)."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return page[:22] + struct.pack("<I", crc) + page[26:]


def mpeg_user_data(place: Place) -> bytes:
    """User data behind the picture's header (ISO/IEC 13818-2, 6.2.2.2), packets grown by it."""
    data = bases()["film.mpg"]
    extra = b"\0\0\1\xb2" + place.text.encode()
    at = data.index(b"\0\0\1\xb8")  # the group of pictures follows the sequence's header
    head = data.rindex(b"\0\0\1\xe0", 0, at)
    size = int.from_bytes(data[head + 4 : head + 6], "big") + len(extra)
    return data[: head + 4] + struct.pack(">H", size) + data[head + 6 : at] + extra + data[at:]


def planted(name: str, carrier: str, where: str, found: Found, plant: Plant) -> Planted:
    return Planted(name, "video", carrier, where, found, plant)


def picture_block(data: bytes) -> str:
    """FLAC's picture block in base64 (RFC 9639, 8.8)."""
    mime = b"image/jpeg"
    head = struct.pack(">II", 3, len(mime)) + mime + struct.pack(">6I", 0, 64, 48, 24, 0, len(data))
    return binascii.b2a_base64(head + data, newline=False).decode()


CARRIERS = [
    planted("avi-comment.avi", "comment", "INFO ICMT", TAG, partial(info, b"ICMT")),
    planted("avi-location.avi", "archival location", "INFO IARL", TAG, partial(info, b"IARL")),
    planted(
        "avi-junk.avi",
        "text in padding",
        "JUNK",
        UNKNOWN,
        lambda place: avi(riff(b"JUNK", place.text.encode())),
    ),
    planted(
        "avi-unknown.avi",
        "chunk that nobody knows",
        "gps ",
        UNKNOWN,
        lambda place: avi(riff(b"gps ", place.text.encode())),
    ),
    planted("avi-stream-name.avi", "name of a stream", "strn", NAMED, partial(in_stream, b"strn")),
    planted(
        "avi-stream-data.avi",
        "data of a camera in a stream's header",
        "strd",
        NAMED,
        partial(in_stream, b"strd"),
    ),
    planted(
        "avi-trailer.avi",
        "text behind the end",
        "trailer",
        (("trailer", "location"),),
        lambda place: avi(behind=place.text.encode()),
    ),
    planted("ts-service.ts", "name of the service", "SDT", TAG, service),
    planted("ts-klv.ts", "telemetry of a drone", "KLV", (("telemetry track", "location"),), klv),
    planted(
        "ts-private.ts",
        "private stream with text",
        "PMT 0x06",
        (("data track", "location"),),
        lambda place: programmed(0x06, b"", place.text.encode()),
    ),
    planted(
        "ts-sei.ts",
        "SEI, unregistered",
        "H.264",
        USER,
        lambda place: remux(messages.noted(place), "mpegts"),
    ),
    planted(
        "ts-avchd.ts",
        "position in a camcorder's note",
        "H.264 MDPM",
        (*USER, ("time", "time"), ("device", "identity")),
        lambda place: remux(messages.avchd(place), "mpegts"),
    ),
    planted(
        "ts-captions.ts",
        "CEA-608 captions",
        "H.264",
        (("closed captions", "location"),),
        lambda place: remux(messages.captioned(place), "mpegts"),
    ),
    planted("mpg-user-data.mpg", "user data of MPEG-2", "picture stream", USER, mpeg_user_data),
    planted(
        "flv-comment.flv",
        "comment",
        "onMetaData",
        TAG,
        lambda place: flv(b"onMetaData", amf(comment=place.text)),
    ),
    planted(
        "flv-xmp.flv",
        "XMP",
        "onXMPData",
        (("XMP position", "location"),),
        lambda place: flv(b"onXMPData", amf(liveXML=place.xmp().decode())),
    ),
    planted(
        "flv-text.flv",
        "subtitles",
        "onTextData",
        (("subtitle track", "location"),),
        lambda place: flv(b"onTextData", amf(text=place.text)),
    ),
    planted("asf-description.asf", "description", "content description", TAG, asf_content),
    planted("asf-location.asf", "WM/Location", "extended content description", TAG, asf_extended),
    planted("asf-marker.asf", "markers", "marker object", (("chapters", "location"),), asf_marker),
    planted(
        "ogg-comment.ogv", "comment", "Theora", TAG, lambda place: ogg("DESCRIPTION=" + place.text)
    ),
    planted(
        "ogg-location.ogv", "LOCATION", "Theora", TAG, lambda place: ogg("LOCATION=" + place.text)
    ),
    planted(
        "ogg-chapters.ogv",
        "chapters",
        "Theora",
        (("chapters", "location"),),
        lambda place: ogg("CHAPTER001=00:00:00.000", "CHAPTER001NAME=" + place.text),
    ),
    planted(
        "ogg-cover.ogv",
        "EXIF GPS of the cover",
        "Theora",
        (("cover picture", "location"), *COVER),
        lambda place: ogg("METADATA_BLOCK_PICTURE=" + picture_block(exif_jpeg(place))),
    ),
]
