"""Judges the pictures that the pipeline made: stills of clips, thumbnails, posters.

JPEG (ITU-T T.81, annex B; JFIF 1.02) and PNG (W3C PNG, third edition): tables, picture, end.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import NotClean
from pipeline.judge.problems import Problems, judged, opened

_MAX = 256 << 20  # bytes of a file; a 4K poster has 30 MB at most as PNG

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI, _APP0 = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xE0
_SOF = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_NAMES = {
    0xFE: "a comment",
    0xDC: "a number of lines",
    0xF0: "an extension",
    **{marker: f"APP{marker - 0xE0}" for marker in range(0xE1, 0xF0)},
}
# If the units are 0, the density is the shape of a pixel: 1 to 1, square.  No thumbnail.
_JFIF = tuple(b"JFIF\0\1" + bytes((minor, 0, 0, 1, 0, 1, 0, 0)) for minor in (1, 2))
_MARKER = re.compile(rb"\xff([^\0])", re.DOTALL)

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_SRGB_PRIMARIES = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
_SRGB_GAMMA = struct.pack(">I", 45455)


def judge_still(source: Path | BinaryIO) -> tuple[int, int]:
    """Judge a JPEG of tables and one picture, or a PNG of one picture in sRGB.

    :param source: its path, or the file itself if it is open already.
    :returns: its width and height in pixels.
    :raises NotClean: it holds anything else.
    """

    def judge(problems: Problems) -> tuple[int, int]:
        with opened(source) as file:
            data = file.read(_MAX + 1)
        if len(data) > _MAX:
            raise NotClean(["a picture larger than any we make"])
        is_png = data.startswith(_SIGNATURE)
        return _png(data, problems) if is_png else _Jpeg(data, problems).judge()

    return judged(judge)


@dataclass
class _Jpeg:
    data: bytes
    problems: Problems
    size: tuple[int, int] = (0, 0)
    interval: int = 0  # of restart markers
    fresh: set[tuple[int, int]] = field(default_factory=set)  # tables since the last scan

    def judge(self) -> tuple[int, int]:
        self.problems.need(self.data[:2] == b"\xff\xd8", "neither a JPEG nor a PNG")
        self.problems.stop()
        at = 2
        scans = 0
        while True:
            marker, body, at = self._segment(at)
            if marker == _EOI:
                break
            self._read(marker, body)
            self.problems.stop()
            if marker == _SOS:
                self.problems.need(self.size[0], "a scan before its frame")
                at = self._entropy_coded(at)
                scans += 1
        self.problems.need(scans, "a JPEG without a picture")
        self.problems.need(at == len(self.data), "bytes after the end of the picture")
        return self.size

    def _segment(self, at: int) -> tuple[int, bytes, int]:
        """Marker and body of the segment at *at*, and where the next one is (B.1.1.4)."""
        if self.data[at : at + 1] != b"\xff" or at + 2 > len(self.data):
            raise NotClean(["bytes between the segments, or no end of the picture"])
        marker = self.data[at + 1]
        if marker == _EOI:
            return marker, b"", at + 2
        if marker not in (_SOS, _DQT, _DHT, _DRI, _APP0, *_SOF):
            raise NotClean([f"a segment {_NAMES.get(marker, f'0x{marker:02x}')}"])
        size = int.from_bytes(self.data[at + 2 : at + 4], "big")
        end = at + 2 + size
        if size < 2 or end > len(self.data):
            raise NotClean(["a segment of impossible size"])
        return marker, self.data[at + 4 : end], end

    def _read(self, marker: int, body: bytes) -> None:
        if marker in (_APP0, _DRI):
            self._once((marker, 0))
        if marker == _APP0:
            self.problems.need(body in _JFIF, "APP0 with another value than we write")
        elif marker in _SOF:
            self._frame(body)
        elif marker in (_DQT, _DHT):
            self._tables(body, marker)
        elif marker == _DRI:
            self.problems.need(len(body) == 2, "DRI of another size than its own")
            self.interval = int.from_bytes(body, "big")
        else:
            count = body[0] if body else 0
            self.problems.need(1 <= count <= 4 and len(body) == 4 + 2 * count, "a broken SOS")
            self.fresh = {key for key in self.fresh if key[0] != _DHT}

    def _once(self, key: tuple[int, int]) -> None:
        """Each table once: one that is replaced before it is used could hold anything."""
        self.problems.need(key not in self.fresh, "a table or header that occurs twice")
        self.fresh.add(key)

    def _frame(self, body: bytes) -> None:
        """The frame header (B.2.2): eight bits, grey or three colours."""
        colours = body[5] if len(body) > 5 else 0
        known = colours in (1, 3) and len(body) == 6 + 3 * colours and body[0] == 8
        self.problems.need(known and not self.size[0], "a frame header that we do not write")
        self.problems.stop()
        height, width = struct.unpack_from(">HH", body, 1)
        self.problems.need(width and height, "a picture without a size")
        self.size = (width, height)

    def _tables(self, body: bytes, marker: int) -> None:
        """Tables of 64 values of 1 or 2 bytes (B.2.4.1), or of 16 counts and values (B.2.4.2)."""
        at = 0
        while at < len(body):
            high, number = body[at] >> 4, body[at] & 15
            self.problems.need(high < 2 and number < 4, "a table that no picture can use")
            self._once((marker, body[at] if marker == _DHT else number))
            quantizer = marker == _DQT
            at += 1 + (64 << high if quantizer else 16 + sum(body[at + 1 : at + 17]))
        self.problems.need(at == len(body), "bytes after a table")
        self.problems.stop()

    def _entropy_coded(self, at: int) -> int:
        """Where the scan that begins at *at* ends: at the first marker that is not a restart."""
        for restarts, found in enumerate(_MARKER.finditer(self.data, at)):
            marker = found[1][0]
            if not 0xD0 <= marker <= 0xD7:
                return found.start()
            due = self.interval and marker == 0xD0 + restarts % 8
            self.problems.need(due, "restart markers out of order")
        raise NotClean(["no end of the picture"])


def _png(data: bytes, problems: Problems) -> tuple[int, int]:
    chunks = list(_chunks(data))
    names = [name for name, _ in chunks]
    parts = dict(chunks)
    problems.need(names[:1] == [b"IHDR"] and names[-1:] == [b"IEND"], "a PNG without head or end")
    first = names.index(b"IDAT") if b"IDAT" in names else 0
    run = names[first : first + names.count(b"IDAT")]
    problems.need(first and set(run) == {b"IDAT"}, "picture data that is not in one row")
    rest = [name for name in names if name != b"IDAT"]
    problems.need(len(set(rest)) == len(rest), "a chunk that occurs twice")
    problems.stop()
    problems.need(not parts[b"IEND"], "bytes in the end of the picture")
    _colours(parts, problems)
    width, height, row = _header(parts.get(b"IHDR", b""), problems)
    problems.stop()
    _pixels((body for name, body in chunks if name == b"IDAT"), height * row, problems)
    return width, height


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of each chunk, whose checksums must be right (5.3)."""
    at = 8
    known = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"sRGB", b"gAMA", b"cHRM", b"tRNS"}
    name = b""
    while name != b"IEND":
        head = data[at : at + 8]
        end = at + 12 + int.from_bytes(head[:4], "big")
        name = head[4:]
        if len(head) < 8 or end > len(data):
            raise NotClean(["a PNG that is cut off"])
        if name not in known:
            kind = name.decode("latin-1") if name.isalpha() else f"0x{name.hex()}"
            raise NotClean([f"a chunk {kind}"])
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise NotClean(["a chunk with a wrong checksum"])
        yield name, data[at + 8 : end - 4]
        at = end
    if at != len(data):
        raise NotClean(["bytes after the end of the picture"])


def _colours(parts: dict[bytes, bytes], problems: Problems) -> None:
    """Only sRGB, in any way to state it (11.3.2), and a palette that fits its size."""
    problems.need(parts.get(b"gAMA", _SRGB_GAMMA) == _SRGB_GAMMA, "another gamma than sRGB's")
    primaries = parts.get(b"cHRM", _SRGB_PRIMARIES)
    problems.need(primaries == _SRGB_PRIMARIES, "other primaries than sRGB's")
    intent = parts.get(b"sRGB", b"\0")
    problems.need(len(intent) == 1 and intent[0] < 4, "a value in sRGB that we do not write")
    palette, clear = parts.get(b"PLTE"), parts.get(b"tRNS", b"")
    kind = parts[b"IHDR"][9:10]
    problems.need((palette is not None) == (kind == b"\3"), "a palette that is not used")
    entries = palette or b""
    problems.need(len(entries) % 3 == 0 and len(entries) <= 768, "a palette of impossible size")
    most = len(entries) // 3 if palette else {b"\0": 2, b"\2": 6}.get(kind, 0)
    problems.need(len(clear) <= most, "transparency of impossible size")


def _header(body: bytes, problems: Problems) -> tuple[int, int, int]:
    """Width, height, and bytes in a row with its filter (11.2.1 and 9.2)."""
    if len(body) != 13:
        raise NotClean(["IHDR of another size than its own"])
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", body)
    known = depth in _DEPTHS.get(colour, ()) and not any(rest) and width and height
    problems.need(known, "values in IHDR that we do not write")
    return width, height, 1 + (width * depth * _CHANNELS.get(colour, 1) + 7) // 8


def _pixels(pieces: Iterator[bytes], wanted: int, problems: Problems) -> None:
    """The data must unpack to exactly the pixels, with nothing after them (10.1)."""
    unpack = zlib.decompressobj()
    size = 0
    try:
        for piece in pieces:
            left = piece
            while left and not unpack.eof:
                size += len(unpack.decompress(left, 1 << 20))
                left = unpack.unconsumed_tail
                if size > wanted:
                    raise NotClean(["more picture data than pixels"])
            problems.need(not left and not unpack.unused_data, "bytes after the picture data")
        size += len(unpack.flush())
    except zlib.error:
        raise NotClean(["picture data that is broken"]) from None
    problems.need(unpack.eof and size == wanted, "another size of picture data than of pixels")
