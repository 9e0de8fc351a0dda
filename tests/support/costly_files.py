"""Small files that are made to keep the readers of ``pipeline.carriers`` busy.

Each is under 1 MB.  Each repeats what its reader does most slowly: texts that are nearly a place,
structures that are named many times, files in files, packed texts.  ``FILES`` has a maker for each.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from itertools import cycle, islice

ROOM = 900_000  # bytes of a file
# Texts for which the search for places tries much and finds nothing.
_SLOW = (b"9,", b"n 1 ", b"12 12 12 ", b"12.5 ", b"coordinates is at of 1", b"<a b 1 ", b"12 m ")


def text(size: int, kind: int = 0) -> bytes:
    """*size* bytes of a text that is slow to search."""
    word = _SLOW[kind % len(_SLOW)]
    return (word * (size // len(word) + 1))[:size]


def texts(count: int, size: int) -> list[bytes]:
    """Texts of all slow kinds, each another one."""
    return [b"%d " % number + text(size, number) for number in range(count)]


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def _element(number: bytes, body: bytes) -> bytes:
    return number + struct.pack(">Q", 1 << 56 | len(body)) + body


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def _png(*chunks: bytes) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + _chunk(b"IEND", b"")


def _jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xd9"


def _ftyp(brand: bytes) -> bytes:
    return _box(b"ftyp", brand + b"\0\0\0\0" + brand)


def tiff(
    body: bytes, *, directories: int = 64, entries: int = 500, kind: int = 2, tag: int = 0x010E
) -> bytes:
    """Directories in a row.  Each entry names another part of *body*, which lies in the middle."""
    step = 6 + 12 * entries
    start = 8
    shared = start + directories * step
    made = bytearray(b"II*\0" + struct.pack("<I", start))
    for directory in range(directories):
        following = start + (directory + 1) * step if directory + 1 < directories else 0
        made += struct.pack("<H", entries)
        for entry in range(entries):
            at = shared + (directory * entries + entry) % 1000
            made += struct.pack("<HHII", tag, kind, 120_000, at)
        made += struct.pack("<I", following)
    return bytes(made) + body


def tiff_of_texts() -> bytes:
    """Texts that are named 12,800 times."""
    return tiff(text(150_000), entries=200)


def tiff_of_packets() -> bytes:
    """An XMP packet that is named 12,800 times."""
    return tiff(packet(300_000), entries=200, tag=0x02BC)


def tiff_of_records() -> bytes:
    """IPTC records that are named 12,800 times."""
    record = b"\x1c\x02\x78" + struct.pack(">H", 60) + text(60)
    return tiff((record * 3000)[:200_000], entries=200, tag=0x83BB)


def tiff_of_resources() -> bytes:
    """Photoshop's resources that are named 12,800 times."""
    resource = b"8BIM" + struct.pack(">HHI", 2000, 0, 60) + text(60)
    return tiff((resource * 3000)[:200_000], entries=200, tag=0x8649)


def tiff_of_profiles() -> bytes:
    """A colour profile that is named 12,800 times."""
    return tiff(text(300_000), entries=200, tag=0x8773)


def tiff_of_notes() -> bytes:
    """A maker's note that is named 12,800 times."""
    return tiff(b"Panasonic\0\0\0" + text(200_000), entries=200, tag=0x927C, kind=7)


def packet(size: int) -> bytes:
    """An XMP packet with thousands of properties whose values are slow to search."""
    made = bytearray(b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>')
    for number in range(1 << 20):
        made += b'<rdf:li a%d:b="%b"/>' % (number, text(200, number))
        if len(made) > size - 300:
            break
    return bytes(made) + b"</rdf:RDF></x:xmpmeta>"


def short_packet(size: int) -> bytes:
    """An XMP packet with as many properties as it can have."""
    made = b"".join(b'a:b="%d n"' % (number % 10) for number in range(size // 10))
    return b"<x:xmpmeta><rdf:RDF>" + made[: size - 100] + b"</rdf:RDF></x:xmpmeta>"


def open_packet(size: int) -> bytes:
    """An XMP packet of beginnings of properties that never end."""
    return b"<x:xmpmeta><rdf:RDF>" + (b'a:b="' + b"a:b = " * 8 + b"<a:b>")[:40] * (size // 40)


def jpeg_of_packets(make: Callable[[int], bytes] = packet) -> bytes:
    """XMP packets in segments."""
    name = b"http://ns.adobe.com/xap/1.0/\0"
    return _jpeg(*(_segment(0xE1, name + make(64_000)) for _ in range(ROOM // 64_100)))


def jpeg_of_comments() -> bytes:
    """Comments, as many as a file can have."""
    return _jpeg(*(_segment(0xFE, b"%d, %d n 1 e 1 n 2 e" % (n, n)) for n in range(19_000)))


def jpeg_of_long_comments() -> bytes:
    """Long comments."""
    return _jpeg(*(_segment(0xFE, each) for each in texts(14, 64_000)))


def jpeg_of_exif() -> bytes:
    """EXIF structures."""
    exif = b"Exif\0\0" + tiff(text(20_000), directories=12, entries=300)
    return _jpeg(*(_segment(0xE1, exif[:65_000]) for _ in range(13)))


def jpeg_of_pictures() -> bytes:
    """An XMP packet in parts, with pictures in base64 that have such packets of their own."""
    inner = _jpeg(*(_segment(0xFE, each) for each in texts(4, 20_000)))
    data = base64.b64encode(inner)
    values = b"".join(b'<rdf:li GImage:Data="' + data + b'"/>' for _ in range(7))
    whole = b"<x:xmpmeta><rdf:RDF>" + values + b"</rdf:RDF></x:xmpmeta>"
    name = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">I", len(whole))
    parts = (whole[at : at + 60_000] for at in range(0, len(whole), 60_000))
    return _jpeg(
        *(
            _segment(0xE1, name + struct.pack(">I", 60_000 * number) + part)
            for number, part in enumerate(parts)
        )
    )


def jpeg_in_jpeg() -> bytes:
    """Pictures behind pictures, each of which has all that follow in its trailer."""
    one = _jpeg(_segment(0xFE, text(70_000 - 6000, 1))) + b"\0" * 500
    return one * (ROOM // len(one))


def jpeg_of_jfif() -> bytes:
    """Thumbnails, as many as a file can have."""
    small = _jpeg(_segment(0xFE, b"9, n 1"))
    return _jpeg(*(_segment(0xE0, b"JFXX\0\x10" + small) for _ in range(19_000)))


def jpeg_of_notes() -> bytes:
    """Photoshop's resources, as many as a file can have."""
    resource = b"8BIM" + struct.pack(">HHI", 2000, 0, 20) + text(20, 1)
    body = b"Photoshop 3.0\0" + resource * 1900
    return _jpeg(*(_segment(0xED, body[:65_000]) for _ in range(13)))


def png_of_texts() -> bytes:
    """Texts, as many as a file can have."""
    return _png(*(_chunk(b"tEXt", b"a\0" + b"%d n 1 e 9,9,9" % n) for n in range(19_000)))


def png_of_packed_texts() -> bytes:
    """Packed texts of 4 MiB each."""
    packed = [zlib.compress(text(4 << 20, kind), 9) for kind in range(len(_SLOW))]
    return _png(*(_chunk(b"zTXt", b"a\0\0" + each) for each in _filling(packed)))


def png_of_packed_packets() -> bytes:
    """Packed XMP packets of 4 MiB each."""
    packed = zlib.compress(b"<x:xmpmeta>" + b'a:b="1 n 1"' * 380_000, 9)
    chunk = _chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed)
    return _png(*_filling([chunk]))


def png_of_raw_profiles() -> bytes:
    """Packed profiles in hexadecimal digits."""
    profile = tiff(text(150_000), entries=100).hex().encode()
    packed = zlib.compress(b"\nexif\n  1000\n" + profile, 9)
    return _png(
        *(_chunk(b"zTXt", b"Raw profile type exif\0\0" + each) for each in _filling([packed]))
    )


def png_of_profiles() -> bytes:
    """Packed colour profiles."""
    packed = zlib.compress(text(4 << 20), 9)
    return _png(*(_chunk(b"iCCP", b"a\0\0" + each) for each in _filling([packed])))


def png_of_chunks() -> bytes:
    """Unknown chunks, as many as a file can have."""
    return _png(*(_chunk(b"abCd", b"9,9,9,9,9, n 1 e 1") for _ in range(19_000)))


def gif_of_comments() -> bytes:
    """Comments, as many as a file can have."""
    comment = b"!\xfe\x20" + text(32, 1) + b"\0"
    return b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0, 0, 0) + comment * 19_000


def gif_of_packets() -> bytes:
    """XMP packets, each of which reaches to the end of the file."""
    head = b"!\xff\x0bXMP DataXMP" + b"\1<\0"
    return b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0, 0, 0) + head * 4000 + packet(ROOM - 80_000)


def webp_of_frames() -> bytes:
    """Frames in frames."""
    body = b""
    for _ in range(900):
        body = _riff(b"ANMF", b"\0" * 16 + body + _riff(b"XMP ", packet(600)))[: ROOM - 100]
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_of_packets() -> bytes:
    """XMP packets."""
    body = b"".join(_riff(b"XMP ", packet(40_000)) for _ in range(ROOM // 40_100))
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_of_exif() -> bytes:
    """EXIF structures."""
    body = b"".join(_riff(b"EXIF", tiff(text(9000), directories=8, entries=100)) for _ in range(45))
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def avi_of_tags() -> bytes:
    """Tags, as many as a file can have."""
    info = b"".join(_riff(b"INAM", b"%d n 1 e 9,9,9" % n) for n in range(19_000))
    body = _riff(b"LIST", b"INFO" + info) * 2
    return _riff(b"RIFF", b"AVI " + body)


def avi_of_lists() -> bytes:
    """Lists in lists."""
    body = _riff(b"JUNK", text(200_000))
    for _ in range(20_000):
        body = b"LIST" + struct.pack("<I", len(body) + 4) + b"hdrl" + body
    return _riff(b"RIFF", b"AVI " + body)


def mp4_of_tags() -> bytes:
    """Tags of the film, in many lists."""
    items = b"".join(
        _box(b"\xa9cmt", _box(b"data", b"\0\0\0\1\0\0\0\0" + each)) for each in texts(1900, 60)
    )
    meta = _box(b"meta", b"\0\0\0\0" + _box(b"hdlr", b"\0" * 24) + _box(b"ilst", items))
    return _ftyp(b"isom") + _box(b"moov", _box(b"udta", meta) * (ROOM // (len(meta) + 8)))


def mp4_of_user_data() -> bytes:
    """User data of a few bytes, in many lists."""
    udta = _box(b"udta", b"".join(_box(b"\xa9nam", b"9,9 n 1 e 9") for _ in range(1999)))
    return _ftyp(b"isom") + _box(b"moov", udta * (ROOM // len(udta)))


def mp4_of_boxes() -> bytes:
    """Boxes without anything in them, nested."""
    body = _box(b"free", b"") * 10_000
    for _ in range(500):
        body = _box(b"udta", body + _box(b"free", b"\1"))
    return _ftyp(b"isom") + _box(b"moov", body) * 9


def mp4_of_samples(codec: bytes = b"avc1") -> bytes:
    """Tracks of samples that lie on top of each other."""
    unit = b"\0\0\0\x40\x06\x05\x3a" + text(61, 1)
    handler = b"vide" if codec in (b"avc1", b"av01", b"jpeg") else b"text"
    media = _jpeg(_segment(0xFE, text(60_000))) if codec == b"jpeg" else unit * 4000
    entry = _box(codec, b"\0" * 78)
    tables = (
        _box(b"stsd", struct.pack(">II", 0, 1) + entry)
        + _box(b"stsz", struct.pack(">III", 0, len(media), 20_000))
        + _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1))
        + _box(b"stco", struct.pack(">II", 0, 100) + struct.pack(">I", 32) * 100)
    )
    media_box = _box(b"hdlr", b"\0" * 8 + handler + b"\0" * 13) + _box(
        b"minf", _box(b"stbl", tables)
    )
    track = _box(b"trak", _box(b"mdia", media_box))
    return _ftyp(b"isom") + _box(b"mdat", media) + _box(b"moov", track * 64)


def mp4_of_telemetry() -> bytes:
    """Tracks of data whose samples lie on top of each other."""
    return mp4_of_samples(b"mebx")


def mp4_of_photos() -> bytes:
    """Tracks of motion JPEG whose samples lie on top of each other."""
    return mp4_of_samples(b"jpeg")


def heif_of_items(kind: bytes = b"mime") -> bytes:
    """Items that lie on top of each other."""
    body = packet(400_000) if kind == b"mime" else tiff(text(150_000), entries=200)
    count = 4000
    name = b"\0application/rdf+xml\0" if kind == b"mime" else b"\0"
    listed = b"".join(
        _box(b"infe", b"\2\0\0\0" + struct.pack(">HH", number, 0) + kind + name)
        for number in range(count)
    )
    iinf = _box(b"iinf", b"\0\0\0\0" + struct.pack(">H", count) + listed)
    before = _ftyp(b"heic") + _box(b"mdat", b"\0\0\0\0" * (kind == b"Exif") + body)
    places = b"".join(
        struct.pack(">HHHHII", number, 0, 0, 1, 32, len(body)) for number in range(count)
    )
    iloc = _box(b"iloc", b"\0\0\0\0\x44\0" + struct.pack(">H", count) + places)
    return before + _box(b"meta", b"\0\0\0\0" + _box(b"hdlr", b"\0" * 24) + iinf + iloc)


def heif_of_exif() -> bytes:
    """EXIF items that lie on top of each other."""
    return heif_of_items(b"Exif")


def heif_of_pictures() -> bytes:
    """Boxes of unknown kinds among the properties, and texts."""
    body = b"".join(_box(b"udes", b"\0\0\0\0" + text(40, n)) for n in range(16_000))
    iprp = _box(b"iprp", _box(b"ipco", body))
    meta = _box(b"hdlr", b"\0" * 24) + _box(b"iinf", b"\0" * 6) + iprp
    return _ftyp(b"heic") + _box(b"meta", b"\0\0\0\0" + meta)


def matroska(*parts: bytes) -> bytes:
    """A Matroska file with *parts* in its segment."""
    head = _element(b"\x1a\x45\xdf\xa3", _element(b"\x42\x82", b"matroska"))
    return head + _element(b"\x18\x53\x80\x67", b"".join(parts))


def matroska_of_tags() -> bytes:
    """Tags, as many as a file can have."""
    simple = (
        _element(b"\x67\xc8", _element(b"\x45\xa3", b"a") + _element(b"\x44\x87", each))
        for each in texts(15_000, 12)
    )
    return matroska(_element(b"\x12\x54\xc3\x67", _element(b"\x73\x73", b"".join(simple))))


def matroska_of_long_tags() -> bytes:
    """Long tags."""
    simple = (
        _element(b"\x67\xc8", _element(b"\x45\xa3", b"a") + _element(b"\x44\x87", each))
        for each in texts(14, 64_000)
    )
    return matroska(_element(b"\x12\x54\xc3\x67", _element(b"\x73\x73", b"".join(simple))))


def matroska_of_nothing() -> bytes:
    """Elements without anything in them."""
    return matroska(_element(b"\x12\x54\xc3\x67", b"\x73\x73\x80" * (ROOM // 3)))


def matroska_of_attachments() -> bytes:
    """Attached files."""
    small = _jpeg(_segment(0xFE, text(2000)))
    files = (
        _element(b"\x61\xa7", _element(b"\x46\x6e", each) + _element(b"\x46\x5c", small))
        for each in texts(350, 200)
    )
    return matroska(_element(b"\x19\x41\xa4\x69", b"".join(files)))


def matroska_of_tracks() -> bytes:
    """Entries of tracks with names."""
    tracks = (_element(b"\xae", _element(b"\x53\x6e", each)) for each in texts(15_000, 30))
    return matroska(_element(b"\x16\x54\xae\x6b", b"".join(tracks)))


def matroska_of_blocks() -> bytes:
    """Packed blocks of subtitles in many tracks."""
    entry = (
        _element(b"\xae", _element(b"\xd7", bytes([n])) + _element(b"\x83", b"\x11"))
        for n in range(1, 64)
    )
    packed = zlib.compress(text(4096), 9)
    blocks = (
        _element(b"\xa3", bytes([0x80 | n]) + b"\0\0\0" + packed)
        for n in islice(cycle(range(1, 64)), 4500)
    )
    return matroska(
        _element(b"\x16\x54\xae\x6b", b"".join(entry)),
        _element(b"\x1f\x43\xb6\x75", b"".join(blocks)),
    )


def matroska_of_additions() -> bytes:
    """Additions to blocks."""
    more = b"".join(
        _element(b"\xa6", _element(b"\xee", b"\5") + _element(b"\xa5", text(100, n)))
        for n in range(6000)
    )
    group = _element(b"\xa0", _element(b"\x75\xa1", more))
    return matroska(_element(b"\x1f\x43\xb6\x75", group))


def ogg_of_comments() -> bytes:
    """Comments of Vorbis in many streams."""
    made = bytearray()
    for serial in range(14):
        entries = b"".join(
            struct.pack("<I", len(each)) + each for each in (b"A=%b" % t for t in texts(3000, 12))
        )
        packet_ = b"\x03vorbis" + struct.pack("<I", 0) + struct.pack("<I", 3000) + entries
        for number, body in enumerate((b"\x01vorbis" + b"\0" * 23, packet_[: 255 * 255 - 1])):
            lacing = bytes([255] * (len(body) // 255) + [len(body) % 255])
            page = b"OggS\0\0" + b"\0" * 8 + struct.pack("<III", serial, number, 0)
            made += page + bytes([len(lacing)]) + lacing + body
    return bytes(made)


def ogg_of_data() -> bytes:
    """Streams of an unknown kind."""
    made = bytearray()
    for serial in range(14):
        body = text(60_000, serial)
        lacing = bytes([255] * (len(body) // 255) + [len(body) % 255])
        page = b"OggS\0\0" + b"\0" * 8 + struct.pack("<III", serial, 0, 0)
        made += page + bytes([len(lacing)]) + lacing + body
    return bytes(made)


def flv_of_data(name: bytes = b"onMetaData") -> bytes:
    """Script data with thousands of keys."""
    members = b"".join(b"\0\1a\2" + struct.pack(">H", len(each)) + each for each in texts(3900, 14))
    body = b"\2" + struct.pack(">H", len(name)) + name + b"\3" + members + b"\0\0\x09"
    tag = b"\x12" + struct.pack(">I", len(body))[1:] + b"\0" * 7 + body
    return b"FLV\1\5\0\0\0\x09\0\0\0\0" + (tag + struct.pack(">I", len(tag))) * (ROOM // len(tag))


def flv_of_texts() -> bytes:
    """Script data of other names."""
    return flv_of_data(b"onTextData")


def asf_of_texts() -> bytes:
    """Metadata with thousands of texts."""
    guid = bytes.fromhex("cbeac5f8af5b77488467aa8c44fa4cca")[:16]
    record = "a".encode("utf-16-le")
    values = b"".join(
        struct.pack("<HHHHI", 0, 0, len(record), 0, 80)
        + record
        + each.decode().encode("utf-16-le")[:80]
        for each in texts(1900, 40)
    )
    metadata = guid + struct.pack("<Q", 26 + len(values)) + struct.pack("<H", 1900) + values
    body = metadata * (ROOM // len(metadata))
    head = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
    return head + struct.pack("<Q", 30 + len(body)) + b"\0" * 6 + body


def transport_stream() -> bytes:
    """Streams of data, and bytes that belong to no packet."""
    packets = bytearray()
    for number in range(ROOM // 200):
        packets += b"G" + struct.pack(">H", 0x1000 + number % 250) + b"\x10" + text(184, 1)
        packets += text(3, 1) if number > 100 else b""
    return bytes(packets)


def stream_of_data() -> bytes:
    """One stream of data."""
    packets = (b"G\x10\x01\x10" + text(184, number % 2) for number in range(ROOM // 188))
    return b"".join(packets)


def program_stream() -> bytes:
    """Private packets, as many as a file can have."""
    packets = (b"\0\0\1\xbf\0\x10" + b"9,9 n 1 e 9,9,9," for _ in range(ROOM // 22))
    return b"\0\0\1\xba\x44\0\4\0\4\1\0\0\3\xf8" + b"".join(packets)


def program_stream_of_noise() -> bytes:
    """Bytes between packets that belong to none."""
    packets = (b"\0\0\1\xbe\0\0" + b"9,9 n 1 e 9,9,9," for _ in range(ROOM // 22))
    return b"\0\0\1\xba\x44\0\4\0\4\1\0\0\3\xf8" + b"".join(packets)


def video_of_user_data() -> bytes:
    """User data of MPEG-2, as many as a file can have."""
    return b"\0\0\1\xb3" + b"".join(b"\0\0\1\xb2" + text(30, 1) for _ in range(ROOM // 34))


def unknown_of_texts() -> bytes:
    """A bitmap with texts behind it."""
    return b"BM" + struct.pack("<I", 60) + b"\0" * 60 + text(ROOM)


def unknown_of_headers() -> bytes:
    """A bitmap with the headers of EXIF structures behind it, and their directories."""
    structure = tiff(b"", directories=1, entries=90)
    return (
        b"BM"
        + struct.pack("<I", 60)
        + b"\0" * 60
        + (structure * 2000)[: ROOM - 130_000]
        + text(130_000)
    )


def unknown_of_zips() -> bytes:
    """A bitmap with members of archives behind it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(text(256 << 10)) + packer.flush()
    member = (
        b"PK\3\4"
        + struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(packed), 1 << 18, 1, 0)
        + b"a"
        + packed
    )
    return b"BM" + struct.pack("<I", 60) + b"\0" * 60 + (member * 2000)[: ROOM - 100]


def unknown_of_packets() -> bytes:
    """A bitmap with XMP packets behind it."""
    return b"BM" + struct.pack("<I", 60) + b"\0" * 60 + packet(30_000) * 29


def films_in_films() -> bytes:
    """A film of a motion photo that has photos with films, and so on."""
    inner = _ftyp(b"isom") + _box(b"moov", _box(b"udta", _box(b"\xa9nam", text(3000)) * 20))
    for _ in range(5):
        inner = _jpeg(_segment(0xFE, text(3000))) + inner * 2
    return inner[:ROOM]


def _filling(packed: list[bytes]) -> list[bytes]:
    """As many of *packed*, in turn, as a file can have."""
    return [
        *islice(cycle(packed), ROOM * len(packed) // (sum(map(len, packed)) + 30 * len(packed)))
    ]


FILES: dict[str, Callable[[], bytes]] = {
    name: make
    for name, make in list(globals().items())
    if callable(make)
    and getattr(make, "__module__", "") == __name__
    and not name.startswith("_")
    and name not in ("text", "texts", "tiff", "packet", "short_packet", "open_packet", "matroska")
}
FILES["jpeg_of_short_packets"] = lambda: jpeg_of_packets(short_packet)
FILES["jpeg_of_open_packets"] = lambda: jpeg_of_packets(open_packet)
