"""Films in MP4 with a place in a separate track, or inside the picture stream."""

from __future__ import annotations

import struct

from . import messages
from .bases import remux
from .boxes import box, with_track
from .films import film, planted
from .place import Place
from .planted import Found

TELEMETRY: Found = (("telemetry track", "location"),)

USER: Found = (("user data in the picture stream", "location"),)


def counted(text: str) -> bytes:
    """A sample of a text track: its length in two bytes, then the text (3GPP TS 26.245, 5.17)."""
    return struct.pack(">H", len(text.encode())) + text.encode()


def text_entry() -> bytes:
    body = (
        b"\0" * 6
        + b"\0\1"
        + b"\0\0\0\0\1\xff\0\0\0\0"
        + b"\0" * 8
        + b"\0\0\0\0\0\1\0\x12\xff\xff\xff\xff"
    )
    return box(b"tx3g", body, box(b"ftab", b"\0\1\0\1\5Serif"))


def chapter_track(place: Place) -> bytes:
    return with_track(film(), b"text", text_entry(), [counted(place.text)] * 2, chapters=True)


def many_chapters(place: Place) -> bytes:
    titles = [f"Part {number}" for number in range(120)]
    titles[71] = place.text
    return with_track(film(), b"text", text_entry(), list(map(counted, titles)), chapters=True)


def subtitle(place: Place) -> bytes:
    here = f"{place.lon:.5f},{place.lat:.5f}"
    said = f"HOME({here}) 2026.03.04 05:06:07 GPS({here},17)"
    return with_track(film(), b"sbtl", text_entry(), [counted(f"{said} {place.name}")] * 3)


def data_track(kind: bytes, sample: bytes, more: bytes = b"") -> bytes:
    entry = box(kind, b"\0" * 6 + b"\0\1" + more)
    return with_track(film(), b"meta", entry, [sample] * 2)


def camm(place: Place) -> bytes:
    """A sample of type 5: latitude, longitude, altitude as doubles."""
    sample = struct.pack("<HH3d", 0, 5, place.lat, place.lon, 35.0)
    return data_track(b"camm", sample)


def mebx(place: Place) -> bytes:
    """Timed metadata with its keys in the sample entry (QuickTime, "metadata media")."""
    key = box(b"keyd", b"mdtacom.apple.quicktime.location.ISO6709")
    keys = box(b"keys", box(b"\0\0\0\1", key, box(b"dtyp", b"\0\0\0\0\0\0\0\1")))
    said = (place.iso6709 + "/ " + place.name).encode()
    return data_track(b"mebx", struct.pack(">II", 8 + len(said), 1) + said, keys)


CARRIERS = [
    planted(
        "mp4-chapter-track.mp4",
        "chapters as a text track",
        "tref chap",
        (("chapters", "location"),),
        chapter_track,
    ),
    planted(
        "mp4-chapters-many.mp4",
        "one of many chapters in a text track",
        "tref chap",
        (("chapters", "location"),),
        many_chapters,
    ),
    planted(
        "mp4-dji-text.mp4",
        "DJI's telemetry as subtitles",
        "tx3g",
        (("subtitle track", "location"),),
        subtitle,
    ),
    planted(
        "mp4-gopro.mp4",
        "GoPro telemetry",
        "gpmd",
        TELEMETRY,
        lambda place: data_track(b"gpmd", place.gpmf()),
        hexadecimal=lambda place: place.sevenths,
    ),
    planted("mp4-camm.mp4", "camera motion metadata", "camm", TELEMETRY, camm),
    planted("mp4-mebx.mp4", "Apple's timed metadata", "mebx", TELEMETRY, mebx),
    planted(
        "mp4-data-track.mp4",
        "data track of a kind that nobody knows",
        "text samples",
        (("data track", "location"),),
        lambda place: data_track(b"mine", place.text.encode()),
    ),
    planted(
        "mp4-sei.mp4",
        "SEI, unregistered",
        "H.264",
        USER,
        lambda place: remux(messages.noted(place), "mp4"),
    ),
    planted(
        "mp4-sei-later.mp4",
        "SEI of the last frame",
        "H.264",
        USER,
        lambda place: remux(messages.noted(place, last=True), "mp4"),
    ),
    planted(
        "mp4-sei-hevc.mp4",
        "SEI, unregistered",
        "H.265",
        USER,
        lambda place: remux(messages.noted_hevc(place), "mp4", codec="hevc"),
    ),
    planted(
        "mp4-fragments.mp4",
        "SEI in a fragmented film",
        "H.264",
        USER,
        lambda place: remux(
            messages.noted(place, last=True), "mp4", "-movflags", "frag_every_frame+empty_moov"
        ),
    ),
    planted(
        "mp4-captions.mp4",
        "CEA-608 captions",
        "H.264",
        (("closed captions", "location"),),
        lambda place: remux(messages.captioned(place), "mp4"),
    ),
    planted(
        "mp4-registered.mp4",
        "SEI, registered to nobody",
        "H.264",
        USER,
        lambda place: remux(messages.registered(place), "mp4"),
    ),
]
