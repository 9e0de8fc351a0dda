"""Films in Matroska and WebM with a place in them (RFC 9559)."""

from __future__ import annotations

import struct
import zlib
from functools import partial

from . import messages
from .bases import bases, remux
from .jpegs import exif_jpeg
from .place import Place
from .planted import Found, Plant, Planted

TAG: Found = (("container tag", "location"),)

UNKNOWN: Found = (("unknown part", "location"),)

USER: Found = (("user data in the picture stream", "location"),)

COVER: Found = (("EXIF position", "location"),)

NAMED: Found = (("stream tag", "location"),)


def element(number: int, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    head = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return head + struct.pack(">Q", len(body) | 1 << 56) + body


def elements(data: bytes) -> list[tuple[int, int, int]]:
    """Number, beginning of the body and end of each element."""
    rows, at = [], 0
    while at < len(data):
        wide = 9 - data[at].bit_length()
        number = int.from_bytes(data[at : at + wide], "big")
        at += wide
        wide = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + wide], "big") & ((1 << 7 * wide) - 1)
        at += wide
        rows.append((number, at, min(at + size, len(data))))
        at += size
    return rows


def matroska(*extra: bytes, base: str = "film.mkv", behind: bytes = b"") -> bytes:
    """The film with *extra* at the end of its segment."""
    data = bases()[base]
    (_, _, head), (number, start, end) = elements(data)[:2]
    return data[:head] + element(number, data[start:end], *extra) + behind


def in_track(extra: bytes) -> bytes:
    """The film with *extra* in its first track's entry."""
    data = bases()["film.mkv"]
    (_, _, head), (number, start, end) = elements(data)[:2]
    segment, out = data[start:end], b""
    for kind, at, stop in elements(segment):
        body = segment[at:stop]
        if kind == 0x1654AE6B:
            entries = [(k, body[a:s]) for k, a, s in elements(body) if k == 0xAE]
            first = element(0xAE, entries[0][1], extra)
            body = first + b"".join(element(k, inner) for k, inner in entries[1:])
        # what the index points to has moved: it goes
        out += element(kind, body) if kind not in (0x114D9B74, 0x1C53BB6B, 0xEC) else b""
    return data[:head] + element(number, out)


def simple(name: str, text: str, *inner: bytes) -> bytes:
    return element(0x67C8, element(0x45A3, name.encode()), element(0x4487, text.encode()), *inner)


def tags(*items: bytes) -> bytes:
    return element(0x1254C367, element(0x7373, element(0x63C0), *items))


def attached(name: str, mime: str, data: bytes) -> bytes:
    file = element(
        0x61A7,
        *(element(0x466E, name.encode()), element(0x4660, mime.encode())),
        *(element(0x465C, data), element(0x46AE, b"\x07")),
    )
    return element(0x1941A469, file)


def chapters(place: Place) -> bytes:
    display = element(0x80, element(0x85, place.text.encode()), element(0x437C, b"eng"))
    atom = element(0xB6, element(0x73C4, b"\x01"), element(0x91, b"\x00"), display)
    return matroska(element(0x1043A770, element(0x45B9, atom)))


def subtitles(place: Place, *, packed: bool = False) -> bytes:
    """A text track, and a cluster with one line of it, perhaps packed by zlib (5.1.4.1.31.4)."""
    line = zlib.compress(place.text.encode()) if packed else place.text.encode()
    encoding = element(0x6240, element(0x5034, element(0x4254, b"\0")))
    data = bases()["film.mkv"]
    (_, _, head), (number, start, end) = elements(data)[:2]
    segment, out = data[start:end], b""
    entry = element(
        0xAE,
        *(element(0xD7, b"\x05"), element(0x73C5, b"\x05"), element(0x83, b"\x11")),
        *(element(0x86, b"S_TEXT/UTF8"), element(0x6D80, encoding) if packed else b""),
    )
    for kind, at, stop in elements(segment):
        if kind not in (0x114D9B74, 0x1C53BB6B, 0xEC):
            out += element(kind, segment[at:stop], entry if kind == 0x1654AE6B else b"")
    block = element(0xA1, b"\x85\0\0\0" + line)
    cluster = element(
        0x1F43B675, element(0xE7, b"\0"), element(0xA0, block, element(0x9B, b"\x64"))
    )
    return data[:head] + element(number, out, cluster)


def planted(name: str, carrier: str, where: str, found: Found, plant: Plant) -> Planted:
    return Planted(name, "video", carrier, where, found, plant)


def _tagged(name: str, place: Place) -> bytes:
    return matroska(tags(simple(name, place.text)))


CARRIERS = [
    planted(
        "mkv-location.mkv", "tag LOCATION", "Tags", TAG, partial(_tagged, "RECORDING_LOCATION")
    ),
    planted("mkv-comment.mkv", "tag COMMENT", "Tags", TAG, partial(_tagged, "COMMENT")),
    planted(
        "webm-comment.webm",
        "tag of WebM",
        "Tags",
        TAG,
        lambda place: matroska(tags(simple("COMMENT", place.text)), base="film.webm"),
    ),
    planted(
        "mkv-nested.mkv",
        "tag within a tag",
        "Tags",
        TAG,
        lambda place: matroska(tags(simple("ACTOR", "A", simple("NOTE", place.text)))),
    ),
    planted(
        "mkv-binary.mkv",
        "tag with bytes",
        "Tags",
        TAG,
        lambda place: matroska(
            tags(element(0x67C8, element(0x45A3, b"X"), element(0x4485, place.text.encode())))
        ),
    ),
    planted(
        "mkv-title.mkv",
        "title",
        "Info",
        TAG,
        lambda place: matroska(element(0x1549A966, element(0x7BA9, place.text.encode()))),
    ),
    planted("mkv-chapters.mkv", "chapters", "Chapters", (("chapters", "location"),), chapters),
    planted(
        "mkv-subtitles.mkv", "subtitles", "S_TEXT", (("subtitle track", "location"),), subtitles
    ),
    planted(
        "mkv-track.mkv",
        "name of a track",
        "TrackEntry",
        NAMED,
        lambda place: in_track(element(0x536E, place.text.encode())),
    ),
    planted(
        "mkv-attachment.mkv",
        "EXIF GPS of an attached photo",
        "Attachments",
        (("attachment", "location"), *COVER),
        lambda place: matroska(attached("photo.jpg", "image/jpeg", exif_jpeg(place))),
    ),
    planted(
        "mkv-cover.mkv",
        "EXIF GPS of the cover",
        "Attachments",
        (("cover picture", "location"), *COVER),
        lambda place: matroska(attached("cover.jpg", "image/jpeg", exif_jpeg(place))),
    ),
    planted(
        "mkv-gpx.mkv",
        "attached track in GPX",
        "Attachments",
        (("attachment", "location"),),
        lambda place: matroska(
            attached(
                "way.gpx",
                "application/gpx+xml",
                f"<gpx><trkpt lat='{place.lat:.5f}' lon='{place.lon:.5f}'><name>{place.name}"
                "</name></trkpt></gpx>".encode(),
            )
        ),
    ),
    planted(
        "mkv-void.mkv",
        "text in a void",
        "Void",
        UNKNOWN,
        lambda place: matroska(element(0xEC, place.text.encode())),
    ),
    planted(
        "mkv-unknown.mkv",
        "element that nobody knows",
        "Segment",
        UNKNOWN,
        lambda place: matroska(element(0x2FAB7E, place.text.encode())),
    ),
    planted(
        "mkv-trailer.mkv",
        "text behind the segment",
        "trailer",
        (("trailer", "location"),),
        lambda place: matroska(behind=place.text.encode()),
    ),
    planted(
        "mkv-live.mkv",
        "SEI in a live recording of open clusters",
        "H.264",
        USER,
        lambda place: remux(
            messages.noted(place, last=True), "matroska", "-live", "1", "-cluster_time_limit", "40"
        ),
    ),
    planted(
        "mkv-packed.mkv",
        "subtitles, packed",
        "S_TEXT",
        (("subtitle track", "location"),),
        partial(subtitles, packed=True),
    ),
    planted(
        "mkv-sei.mkv",
        "SEI, unregistered",
        "H.264",
        USER,
        lambda place: remux(messages.noted(place), "matroska"),
    ),
]
